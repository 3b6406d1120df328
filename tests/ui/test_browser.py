"""The page in a real browser, network off: every view, keyboard, hostile text, long input."""

import csv
import io
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from tests.ui.synthetic import details, synthetic_look
from zhuyi.core import AttentionMatrix
from zhuyi.ui.report.build import build_page

EVIL = "</script><img src=x onerror=window.stolen=1>"
Matrices = dict[tuple[int, int], AttentionMatrix]
Visit = Callable[..., Any]


class Pages:
    """Pages built once for all tests here."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.matrices: dict[str, Matrices] = {}

    def page(self, name: str, **look: Any) -> Path:
        path = self.folder / f"{name}.html"
        if not path.exists():
            looked, matrices, values = synthetic_look(**look)
            path.write_text(build_page(looked, details(matrices, values)), encoding="utf-8")
            self.matrices[name] = matrices
        return path

    @property
    def short(self) -> Path:
        """12 tokens: dense details."""
        return self.page("short", layers=2, heads=4, length=12, width=16)

    @property
    def medium(self) -> Path:
        """150 tokens, causal: operator details."""
        return self.page("medium", layers=2, heads=4, length=150, width=16, causal=True)

    @property
    def long(self) -> Path:
        """4,000 tokens."""
        return self.page("long", layers=1, heads=3, length=4000, width=32)


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> Pages:
    return Pages(tmp_path_factory.mktemp("pages"))


def ready(opened: Any) -> Any:
    """Wait until the page has drawn a head; returns the playwright page."""
    opened.page.wait_for_selector("html[data-ready=yes]")
    opened.page.wait_for_function("document.getElementById('matrix-readout').textContent !== ''")
    return opened.page


def text(page: Any, name: str) -> str:
    return str(page.text_content(f"#{name}"))


def silent(opened: Any, path: Path) -> None:
    assert opened.complaints == []
    others = [url for url in opened.requests if not url.startswith(("data:", "blob:"))]
    assert others == [path.resolve().as_uri()], "the page asked for something"


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_view_opens_in_silence(pages: Pages, visit: Visit, scheme: str) -> None:
    opened = visit(pages.medium, color_scheme=scheme)
    page = ready(opened)
    for mode in ("scores", "results", "weights"):
        page.click(f"[data-mode={mode}]")
        assert page.get_attribute(f"[data-mode={mode}]", "aria-pressed") == "true"
        page.wait_for_timeout(60)
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
    assert "未经验证" in str(page.text_content("main"))
    for _ in range(3):
        page.click("#theme")
    silent(opened, pages.medium)


def test_first_sight_says_what_a_reader_must_know(pages: Pages, visit: Visit) -> None:
    page = ready(visit(pages.short))
    main = str(page.text_content("main"))
    for part in (
        "Not verified",
        "synthetic/wave",
        "POSITIVE · 91.3 %",
        "Rollout(residual=0.5)",
        "model: sdpa · weights: ",
        "float32 · cpu",
        "12 tokens · 8 of 8 heads shown",
    ):
        assert part in main, part
    assert "is not drawn here" in text(page, "links-note")
    assert "nothing is left out" in text(page, "strip-caption")
    assert re.search(
        r"a score is off by at most [\d.]+ and a weight by at most", text(page, "notes")
    )


@pytest.mark.parametrize("name", ["short", "medium"])
def test_numbers_shown_are_the_matrix(pages: Pages, visit: Visit, name: str) -> None:
    page = ready(visit(getattr(pages, name)))
    matrices = pages.matrices[name]
    page.uncheck("#inner")
    rows = page.locator("#links tbody tr")
    for index in range(0, 40, 7):
        row = rows.nth(index)
        cells = row.locator("td")
        query, key = (int(cells.nth(i).locator("sub").text_content()) for i in (1, 2))
        place = int(cells.nth(3).text_content()), int(cells.nth(4).text_content())
        row.click()
        page.wait_for_function(
            "([l, h]) => document.getElementById('head-title').textContent"
            " === `Layer ${l}, head ${h}` && /weight/.test("
            "document.getElementById('matrix-readout').textContent)",
            arg=list(place),
        )
        read = text(page, "matrix-readout")
        found = re.search(r"weight ([\d.e−]+), score ([−\d.]+)", read)
        assert found, read
        matrix = matrices[place]
        at = {"rows": slice(query, query + 1), "cols": slice(key, key + 1)}
        assert float(found[1]) == pytest.approx(float(matrix.weights(**at)), abs=2e-3)
        shown = float(found[2].replace("−", "-"))
        assert shown == pytest.approx(float(matrix.scores(**at)), abs=0.02, rel=5e-3)
        assert float(cells.nth(0).text_content()) == pytest.approx(
            float(matrix.weights(**at)), abs=6e-4
        )


def test_strip_shows_the_row_and_the_column(pages: Pages, visit: Visit) -> None:
    page = ready(visit(pages.medium))
    matrices = pages.matrices["medium"]
    layer, head = (int(x) for x in re.findall(r"\d+", text(page, "head-title")))
    page.click("#strip .token >> nth=3")
    query = int(page.get_attribute("#strip .token.asks", "data-i"))
    weights = matrices[layer, head].weights(rows=slice(query, query + 1))[0, 0, 0]
    first = query - 1
    page.hover(f"#strip .token[data-i='{first}']")
    shown = float(text(page, "strip-readout").split(": ")[1].replace("−", "-"))
    assert shown == pytest.approx(float(weights[first]), abs=2e-3)
    page.click("[data-direction=column]")
    page.hover(f"#strip .token[data-i='{query}']")
    key = int(page.get_attribute("#strip .token.asks", "data-i"))
    column = matrices[layer, head].weights(cols=slice(key, key + 1))[0, 0, :, 0]
    shown = float(text(page, "strip-readout").split(": ")[1].replace("−", "-"))
    assert shown == pytest.approx(float(column[query]), abs=2e-3)


def test_matrix_draws_dark_where_weight_is(pages: Pages, visit: Visit) -> None:
    """The canvas itself: a cell of large weight is far from the color of a cell of none."""
    page = ready(visit(pages.short, color_scheme="light"))
    layer, head = (int(x) for x in re.findall(r"\d+", text(page, "head-title")))
    weights = pages.matrices["short"][layer, head].weights()[0, 0]
    page.wait_for_timeout(200)
    light = page.evaluate(
        """() => { const c = document.getElementById('matrix'), n = 12;
        const pen = c.getContext('2d'), ratio = c.width / c.clientWidth;
        const label = c.clientWidth - (c.clientWidth - 92), size = c.clientWidth - 92, out = [];
        for (let i = 0; i < n; i++) for (let j = 0; j < n; j++) {
          const x = (92 + (j + .12) * size / n) * ratio, y = (92 + (i + .15) * size / n) * ratio;
          const d = pen.getImageData(x, y, 1, 1).data; out.push((d[0] + d[1] + d[2]) / 3); }
        return out; }"""
    )
    shade = torch.tensor(light).reshape(12, 12)
    strong, weak = shade[weights > 0.7], shade[weights < 0.01]
    assert len(strong) > 3
    assert float(strong.median()) < 110
    assert float(weak.median()) > 225


def test_keyboard_reaches_everything(pages: Pages, visit: Visit) -> None:
    opened = visit(pages.medium)
    page = ready(opened)
    page.focus("#grid .head[tabindex='0']")
    page.keyboard.press("Home")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    assert text(page, "head-title") == "Layer 1, head 1"
    page.focus("#matrix")
    page.keyboard.press("ArrowDown")
    before = text(page, "matrix-readout")
    page.keyboard.press("Shift+ArrowLeft")
    assert text(page, "matrix-readout") != before
    page.keyboard.press("+")
    page.keyboard.press("+")
    assert int(page.input_value("#zoom")) > 0
    page.keyboard.press("0")
    assert int(page.input_value("#zoom")) == 0
    page.focus("#zoom")
    for _ in range(5):
        page.keyboard.press("ArrowRight")
    assert int(page.input_value("#zoom")) > 0
    page.focus("#strip")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Enter")
    page.focus("#track")
    page.keyboard.press("End")
    page.focus("#words .word[tabindex='0']")
    page.keyboard.press("ArrowRight")
    assert "“attention”" in text(page, "words-readout")
    assert opened.complaints == []


def test_everything_has_a_name_for_screen_readers(pages: Pages, visit: Visit) -> None:
    page = ready(visit(pages.short))
    nameless = page.evaluate(
        """() => [...document.querySelectorAll('button, select, input, [tabindex], canvas')]
        .filter((e) => e.offsetParent && e.getAttribute('aria-hidden') !== 'true'
          && !e.closest('[aria-hidden=true]') && !e.closest('.head:not(button)')
          && !(e.tagName === 'CANVAS' && e.closest('button')))
        .filter((e) => !(e.getAttribute('aria-label') || e.textContent.trim()
          || (e.labels && e.labels.length && e.labels[0].textContent.trim())))
        .map((e) => e.outerHTML.slice(0, 80))"""
    )
    assert nameless == []
    assert page.get_attribute("html", "lang") == "en"
    assert page.locator("h1").count() == 1


VERDICTS = {"trusted": "可信", "doubtful": "存疑", "refuted": "不成立"}


@pytest.mark.parametrize("label", VERDICTS)
def test_the_banner_leads_with_the_verdict(pages: Pages, visit: Visit, label: str) -> None:
    path = pages.page(label, layers=1, heads=2, length=12, width=8, verdict=label)
    opened = visit(path)
    page = ready(opened)
    assert page.is_hidden("#unverified")
    assert "Not verified" not in page.inner_text("body")
    assert page.inner_text("#belief-word") == label.capitalize()
    assert page.locator(f"#belief-word svg.{label}").count() == 1, "a shape, not only a color"
    assert text(page, "belief-said") == "Headline word"
    first = {
        "trusted": ["✔ For it"],
        "doubtful": ["? A doubt", "✔ For it"],
        "refuted": ["✘ Against it", "? A doubt", "✔ For it"],
    }[label]
    assert page.locator("#belief-why .outcome").all_text_contents() == first
    assert "It supports: word." in text(page, "belief-why")
    assert "Could not be tested here: " in text(page, "belief-note")
    assert "note word" in text(page, "belief-note")
    assert "not proof" in text(page, "belief-note")
    assert "cannot prove it right" in text(page, "notes")
    words = page.locator("#words").bounding_box()
    assert page.locator("#belief").bounding_box()["y"] < words["y"]
    page.click("#language")
    assert page.inner_text("#belief-word") == VERDICTS[label]
    assert text(page, "belief-said") == "标题 word"
    assert "结果supports：word。" in text(page, "belief-why")
    assert "附注 word" in text(page, "belief-note")
    assert "It supports" not in page.inner_text("body")
    silent(opened, path)


def test_every_number_is_behind_the_details(pages: Pages, visit: Visit) -> None:
    page = ready(visit(pages.page("refuted", layers=1, heads=2, length=12, width=8,
                                  verdict="refuted")))  # fmt: skip
    assert page.is_hidden("#findings")
    page.focus("#belief-all summary")
    page.keyboard.press("Enter")
    assert page.is_visible("#findings")
    assert page.locator("#findings .finding").count() == 5
    shown = page.inner_text("#findings")
    for part in ("Deletion", "Sanity", "Not tested", "To know", "0.4375", "0.0625", "17",
                 "Sanity(setting='word')", "Pieces were removed by: word."):  # fmt: skip
        assert part in shown, part


def test_without_a_verdict_the_page_says_so(pages: Pages, visit: Visit) -> None:
    page = ready(visit(pages.short))
    assert page.is_visible("#unverified")
    assert page.is_hidden("#belief")
    assert "no test has shown" in text(page, "notes")


def test_hostile_text_is_inert_and_readable(pages: Pages, visit: Visit) -> None:
    path = pages.page("evil", layers=1, heads=2, length=12, width=8, label=EVIL, verdict="refuted")
    opened = visit(path)
    page = ready(opened)
    page.click("#belief-all summary")
    assert EVIL in page.inner_text("#belief-why")
    assert EVIL in page.inner_text("#findings")
    page.click("[data-mode=results]")
    page.click("#language")
    page.check("#numbers")
    page.fill("#filter", "onerror")
    page.hover(".word >> nth=1")
    assert page.evaluate("window.stolen") is None
    assert page.locator("main img").count() == 0
    assert EVIL in str(page.text_content("h1"))
    assert EVIL in text(page, "words")
    silent(opened, path)


def test_table_saves_what_it_says(pages: Pages, visit: Visit) -> None:
    path = pages.page("formula", layers=1, heads=2, length=12, width=8, label='=cmd("x"),"')
    page = ready(visit(path, accept_downloads=True))
    page.uncheck("#inner")
    with page.expect_download() as caught:
        page.click("#save")
    written = Path(caught.value.path()).read_bytes().decode("utf-8-sig")
    rows = list(csv.DictReader(io.StringIO(written)))
    matrices = pages.matrices["formula"]
    assert len(rows) == int(re.findall(r"\d+", text(page, "links-note"))[0])
    for row in rows:
        matrix = matrices[int(row["layer"]), int(row["head"])]
        q, k = int(row["query_position"]), int(row["key_position"])
        weight = matrix.weights(rows=slice(q, q + 1), cols=slice(k, k + 1))
        assert float(row["weight"]) == pytest.approx(float(weight), rel=1e-4)
        assert not row["query"].startswith("="), "a spreadsheet would run it"
    assert any(row["query"] == '\'=cmd("x"),"' for row in rows)


def test_sorting_says_its_direction(pages: Pages, visit: Visit) -> None:
    page = ready(visit(pages.short))
    weights = "[...document.querySelectorAll('#links .amount')].map((e) => +e.textContent)"
    down = page.evaluate(weights)
    assert down == sorted(down, reverse=True)
    page.click("#links th >> nth=0 >> button")
    up = page.evaluate(weights)
    assert up == sorted(up)
    assert page.get_attribute("#links th >> nth=0", "aria-sort") == "ascending"


def test_without_storage_it_still_opens(pages: Pages, visit: Visit) -> None:
    opened = visit(pages.short)
    opened.page.add_init_script(
        "Object.defineProperty(window, 'localStorage', {get() { throw new Error('denied'); }})"
    )
    opened.page.reload()
    page = ready(opened)
    page.click("#language")
    page.click("#theme")
    assert opened.complaints == []


def test_an_old_browser_is_told(pages: Pages, visit: Visit) -> None:
    opened = visit(pages.short)
    opened.page.add_init_script("delete window.DecompressionStream")
    opened.page.reload()
    opened.page.wait_for_selector("#stop:not([hidden])")
    assert "DecompressionStream" in text(opened.page, "stop")


def test_a_head_without_details_says_so(pages: Pages, visit: Visit, tmp_path: Path) -> None:
    looked, matrices, values = synthetic_look(layers=1, heads=3, length=80, width=8)
    path = tmp_path / "none.html"
    path.write_text(build_page(looked, details(matrices, values), budget=0), encoding="utf-8")
    opened = visit(path)
    page = opened.page
    page.wait_for_selector("html[data-ready=yes]")
    page.wait_for_function("document.getElementById('matrix-caption').textContent !== ''")
    assert "only the small picture" in text(page, "matrix-caption")
    assert "--layers 0 --heads" in text(page, "matrix-caption")
    assert "weight received from all queries" in text(page, "strip-caption")
    assert page.is_disabled("[data-mode=scores]")
    page.click("#strip .token >> nth=2")
    page.keyboard.press("ArrowRight")
    silent(opened, path)


@pytest.mark.parametrize("width", [390, 1280])
def test_no_sideways_scrolling(pages: Pages, visit: Visit, width: int) -> None:
    path = pages.page("wide", layers=1, heads=2, length=150, width=8, verdict="refuted")
    page = ready(visit(path, viewport={"width": width, "height": 800}))
    page.click("#belief-all summary")
    assert page.evaluate("document.documentElement.scrollWidth") == width


def test_four_thousand_tokens_stay_smooth(pages: Pages, visit: Visit) -> None:
    opened = visit(pages.long)
    page = ready(opened)
    assert pages.long.stat().st_size < 5_000_000
    gaps = page.evaluate(
        """async () => {
        const strip = document.getElementById('strip'), zoom = document.getElementById('zoom');
        const gaps = []; let last = performance.now();
        for (let frame = 0; frame < 60; frame++) {
          strip.scrollTop += 90;
          if (frame % 4 === 0) { zoom.value = frame; zoom.dispatchEvent(new Event('input')); }
          await new Promise(requestAnimationFrame);
          const now = performance.now(); gaps.push(now - last); last = now;
        }
        return gaps; }"""
    )
    gaps.sort()
    # Generous, for a loaded machine without a graphics card: a freeze would be seconds.
    assert gaps[30] < 300
    assert gaps[-1] < 3000
    assert page.locator("#strip .token").count() < 600, "only the visible lines are there"
    assert page.evaluate("document.querySelectorAll('*').length") < 6000
    page.click("#strip .token >> nth=40")
    assert "nothing is left out" in text(page, "strip-caption")
    assert opened.complaints == []
