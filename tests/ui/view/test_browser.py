"""The whole view in a real browser: every part opened and used once, in silence."""

import pytest

from tests.ui.view.pages import Pages, Visit, ready, silent, text


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> Pages:
    return Pages(tmp_path_factory.mktemp("pages"))


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_view_opens_in_silence(pages: Pages, visit: Visit, scheme: str) -> None:
    opened = visit(pages.medium, color_scheme=scheme)
    page = ready(opened)
    for mode in ("scores", "results", "weights"):
        page.click(f"[data-mode={mode}]")
        page.wait_for_selector(f"[data-mode={mode}][aria-pressed=true]")
    for direction in ("column", "row"):
        page.click(f"[data-direction={direction}]")
    for order in ("standing", "reach", "distance", "first", "peak", "layer"):
        page.select_option("#order", order)
        assert page.locator("#grid .head").count() == 8
    page.check("#numbers")
    assert page.locator("#words small").count() == 150
    page.uncheck("#stretch")
    page.check("#only-head")
    page.uncheck("#inner")
    page.fill("#filter", "no such word")
    assert "No link matches" in text(page, "links")
    page.click("#language")
    page.wait_for_selector(".zhuyi[lang=zh-Hans]")
    assert "未经验证" in str(page.text_content("main"))
    for _ in range(3):
        page.click("#theme")
    silent(opened, pages.medium)
