"""Heads of a training in a real browser: steps without details, differences of two steps."""

import re
from pathlib import Path

import pytest

from tests.ui.view.matrix import finished, place_of, shades, shown_cell
from tests.ui.view.pages import Visit, ready, silent, text
from tests.ui.view.stepping import Training, stepping
from zhuyi.ui.view.page import page_of


@pytest.fixture(scope="module")
def training(tmp_path_factory: pytest.TempPathFactory) -> tuple[Training, Path]:
    """Four steps, of which the first and the last have details of all heads."""
    one = Training(id="a", steps=(0, 100, 200, 300), every=3, length=12)
    path = tmp_path_factory.mktemp("training") / "steps.html"
    path.write_text(page_of(stepping(one)), encoding="utf-8")
    return one, path


def test_a_step_of_small_pictures_leads_to_the_nearest_full_one(
    training: tuple[Training, Path], visit: Visit
) -> None:
    opened = visit(training[1])
    page = ready(opened)
    page.click("[data-mode=scores]")
    page.focus("#step")
    page.keyboard.press("ArrowLeft")
    page.wait_for_selector("#to-detail")
    assert "At step 200 only small pictures were kept" in text(page, "matrix-caption")
    assert page.get_attribute("[data-mode=weights]", "aria-pressed") == "true"
    page.click("#to-detail")
    page.wait_for_selector("#to-detail", state="detached")
    weight, _ = shown_cell(ready(opened))
    assert weight > 0
    page.wait_for_selector("[data-mode=scores][aria-pressed=true]")
    silent(opened, training[1])


def test_a_difference_is_one_matrix_minus_the_other(
    training: tuple[Training, Path], visit: Visit
) -> None:
    one, path = training
    opened = visit(path, color_scheme="light")
    page = ready(opened)
    assert page.is_hidden("#difference")
    layer, head = place_of(page)
    page.click("#first")
    page.wait_for_selector("#minus")
    assert text(page, "minus") == "step 300 minus step 0"
    now, then = (one.matrix(layer, x)[0].weights()[0, head] for x in (1.0, 0.0))
    gap = now - then
    query = int(page.get_attribute("#strip .token.asks", "data-i"))
    key = int(page.get_attribute("#strip .token.cursor", "data-i"))
    found = re.search(r"compared with ([\d.]+): ([+−][\d.]+)", text(page, "matrix-readout"))
    assert found, text(page, "matrix-readout")
    assert float(found[1]) == pytest.approx(float(then[query, key]), abs=2e-3)
    assert float(found[2].replace("−", "-")) == pytest.approx(float(gap[query, key]), abs=2e-3)
    finished(page)
    assert float(text(page, "high")) == pytest.approx(float(gap.abs().max()), abs=2e-3)
    page.hover("h1")
    seen = shades(page, 12, 12)
    warm = seen[..., 0] - seen[..., 2]
    assert float(warm[gap > 0.3].min()) > 40, "more than before is orange"
    assert float(warm[gap < -0.07].max()) < -5, "less is blue"
    page.uncheck("#difference")
    page.wait_for_selector("#minus", state="detached")
    assert text(page, "low") == "0"
    silent(opened, path)
