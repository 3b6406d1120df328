"""One head in a real browser: its numbers, pictures, masks, results and differences."""

import re
from pathlib import Path

import pytest
import torch

from tests.ui.synthetic import details, synthetic_look
from tests.ui.view.matrix import LABELS, NUMBERS, finished, place_of, shades, shown_cell
from tests.ui.view.pages import EVIL, ROOT, Pages, Visit, ready, silent, text
from tests.ui.view.stepping import drawn
from zhuyi.core import AttentionMatrix
from zhuyi.ui.view.page import build_page


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> Pages:
    return Pages(tmp_path_factory.mktemp("pages"))


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_kind_of_number_opens_in_silence(pages: Pages, visit: Visit, scheme: str) -> None:
    opened = visit(pages.medium, color_scheme=scheme)
    page = ready(opened)
    for mode in ("scores", "results", "weights"):
        page.click(f"[data-mode={mode}]")
        assert page.get_attribute(f"[data-mode={mode}]", "aria-pressed") == "true"
        finished(page)
    page.click("#language")
    page.wait_for_selector(".zhuyi[lang=zh-Hans]")
    page.click("#theme")
    assert "掩码" in text(page, "matrix-caption")
    page.click("[data-mode=results]")
    assert "取走" in text(page, "result-title")
    page.click("#theme")
    page.uncheck("#stretch") if page.is_visible("#stretch") else page.click("[data-mode=weights]")
    silent(opened, pages.medium)


@pytest.mark.parametrize("name", ["short", "medium"])
def test_numbers_shown_are_the_matrix(pages: Pages, visit: Visit, name: str) -> None:
    page = ready(visit(getattr(pages, name)))
    matrix = pages.matrices[name][place_of(page)]
    page.focus("#matrix")
    page.keyboard.press("Home")
    query, key = (int(page.get_attribute(f"#strip .token.{one}", "data-i")) for one in
                  ("asks", "cursor"))  # fmt: skip
    for stroke in ("", "ArrowLeft", "Shift+ArrowUp", "ArrowDown", "Shift+ArrowLeft"):
        if stroke:
            page.keyboard.press(stroke)
        leap = 10 if "Shift" in stroke else 1
        limit = matrix.shape[2] - 1
        query += leap * (stroke.endswith("Down") - stroke.endswith("Up"))
        key += leap * (stroke.endswith("Right") - stroke.endswith("Left"))
        query, key = min(max(query, 0), limit), min(max(key, 0), limit)
        page.wait_for_selector(f"#strip .token.asks[data-i='{query}']")
        at = {"rows": slice(query, query + 1), "cols": slice(key, key + 1)}
        wanted = float(matrix.scores(**at))
        if wanted == -torch.inf:
            assert "may not look at" in text(page, "matrix-readout")
            continue
        weight, score = shown_cell(page)
        assert weight == pytest.approx(float(matrix.weights(**at)), abs=2e-3)
        assert score == pytest.approx(wanted, abs=0.02, rel=5e-3)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_canvas_is_far_from_its_ground_where_weight_is(
    pages: Pages, visit: Visit, scheme: str
) -> None:
    page = ready(visit(pages.short, color_scheme=scheme))
    weights = pages.matrices["short"][place_of(page)].weights()[0, 0]
    page.hover("h1")
    shade = shades(page, 12, 12).mean(-1)
    strong, weak = shade[weights > 0.7], shade[weights < 0.01]
    assert len(strong) > 3
    if scheme == "light":
        assert float(strong.median()) < 110 < 225 < float(weak.median())
    else:
        assert float(weak.median()) < 45 < 150 < float(strong.median())


def test_masked_cells_stay_hatched(pages: Pages, visit: Visit) -> None:
    """What the mask hides is never painted: the ground shows, and the caption says so."""
    path = pages.page("masked", layers=1, heads=2, length=30, width=8, causal=True)
    page = ready(visit(path, color_scheme="light"))
    assert "Hatched = hidden by the mask" in text(page, "matrix-caption")
    page.click("[data-mode=scores]")
    seen = shades(page, 30, 30)
    above = torch.ones(30, 30).triu(2).bool()
    ground = (seen - 255).abs().amax(-1) < 60  # white or a line of the hatch
    assert bool(ground[above].all())
    painted = (seen.amax(-1) - seen.amin(-1))[~above & ~torch.ones(30, 30).triu(1).bool()]
    assert float(painted.median()) > 25, "scores below the diagonal have colors"
    page.click("[data-mode=results]")
    assert "Hatched" not in text(page, "matrix-caption")


def test_results_are_weights_times_values(pages: Pages, visit: Visit) -> None:
    page = ready(visit(pages.short))
    place = place_of(page)
    _, matrices, values = synthetic_look(layers=2, heads=4, length=12, width=16)
    page.click("[data-mode=results]")
    query = int(page.get_attribute("#strip .token.asks", "data-i"))
    wanted = (matrices[place].weights()[0, 0] @ values[place])[query]
    page.focus("#result")
    page.keyboard.press("Home")
    for feature in range(3):
        read = text(page, "matrix-readout")
        found = re.search(r"feature (\d+): ([−\d.e]+)", read)
        assert found, read
        assert int(found[1]) == feature
        assert float(found[2].replace("−", "-")) == pytest.approx(float(wanted[feature]), abs=0.03)
        page.keyboard.press("ArrowRight")
    words = text(page, "result-words")
    length = re.search(r"16 features, length ([\d.]+)\.", words)
    assert length
    assert float(length[1]) == pytest.approx(float(wanted.norm()), abs=0.03)
    order = wanted.abs().argsort(descending=True)[:5].tolist()
    assert [int(x) for x in re.findall(r"feature (\d+):", words)] == order
    seen = shades(page, 12, 16, LABELS, NUMBERS)[query]
    warm = seen[:, 0] > seen[:, 2]
    clear = wanted.abs() > 0.4
    assert warm[clear].tolist() == (wanted > 0)[clear].tolist(), "orange above zero, blue below"


def test_long_heads_pool_by_the_largest_cell(pages: Pages, visit: Visit) -> None:
    """A dot of the finished picture is the largest of all its cells: one needle is not lost."""
    looked, matrices, values = synthetic_look(layers=1, heads=1, length=1500, width=8)
    query, key = torch.zeros(1, 1, 1500, 8), torch.zeros(1, 1, 1500, 8)
    query[0, 0, 703, 0], key[0, 0, 1201, 0] = 40.0, 40.0
    matrices = {(0, 0): AttentionMatrix(query, key)}
    path = pages.folder / "needle.html"
    path.write_text(build_page(looked, details(matrices, values)), encoding="utf-8")
    page = ready(visit(path, color_scheme="light", viewport={"width": 1280, "height": 900}))
    page.hover("h1")
    page.click("[data-mode=scores]")
    finished(page)
    assert "the largest of up to 4 × 4 cells" in text(page, "matrix-caption")
    seen = shades(page, 375, 375, NUMBERS, NUMBERS, 0.5)
    cross = seen[..., 0] > seen[..., 2] + 10  # the lines through the chosen cell are orange
    row, col = divmod(int(seen.mean(-1).masked_fill(cross, 255.0).argmin()), 375)
    assert (row, col) == (703 // 4, 1201 // 4)
    assert text(page, "high") == "566"  # 40 * 40 / sqrt(8)
    assert abs(float(text(page, "low").replace("−", "-"))) < 1e-3


def test_a_link_opens_its_head_at_its_cell(pages: Pages, visit: Visit) -> None:
    page = ready(visit(pages.medium))
    page.uncheck("#inner")
    rows = page.locator("#links tbody tr")
    for index in range(0, 40, 13):
        cells = rows.nth(index).locator("td")
        query, key = (int(cells.nth(i).locator("sub").text_content()) for i in (1, 2))
        place = int(cells.nth(3).text_content()), int(cells.nth(4).text_content())
        shown = float(cells.nth(0).text_content())
        rows.nth(index).click()
        page.wait_for_function(
            f"([l, h]) => {ROOT}.getElementById('head-title').textContent"
            " === `Layer ${l}, head ${h}` &&"
            f" {ROOT}.getElementById('matrix-readout').textContent.includes('weight')",
            arg=list(place),
        )
        page.wait_for_selector(f"#strip .token.asks[data-i='{query}']")
        at = {"rows": slice(query, query + 1), "cols": slice(key, key + 1)}
        wanted = float(pages.matrices["medium"][place].weights(**at))
        assert shown == pytest.approx(wanted, abs=6e-4)
        assert shown_cell(page)[0] == pytest.approx(wanted, abs=2e-3)


def test_zoom_and_modes_by_keyboard(pages: Pages, visit: Visit) -> None:
    opened = visit(pages.medium)
    page = ready(opened)
    page.focus("#matrix")
    page.keyboard.press("+")
    page.keyboard.press("+")
    page.wait_for_function(f"() => +{ROOT}.getElementById('zoom').value > 15")
    page.keyboard.press("-")
    page.keyboard.press("0")
    page.wait_for_function(f"() => +{ROOT}.getElementById('zoom').value === 0")
    page.focus("#zoom")
    for _ in range(5):
        page.keyboard.press("ArrowRight")
    page.wait_for_function(f"() => +{ROOT}.getElementById('zoom').value === 5")
    page.focus("[data-mode=scores]")
    page.keyboard.press("Enter")
    page.wait_for_selector("[data-mode=scores][aria-pressed=true]")
    page.focus("#matrix")
    key = page.get_attribute("#strip .token.cursor", "data-i")
    page.keyboard.press("Enter")
    page.wait_for_selector(f"#strip .token.asks[data-i='{key}']")
    assert opened.complaints == []


def test_zoom_keeps_what_is_under_the_mouse(pages: Pages, visit: Visit) -> None:
    page = ready(visit(pages.medium))
    page.hover("#matrix")
    box = page.locator("#matrix").bounding_box()
    x, y = box["x"] + 0.6 * box["width"], box["y"] + 0.62 * box["height"]
    page.mouse.move(x, y)
    page.wait_for_timeout(80)
    before = text(page, "matrix-readout")
    page.keyboard.down("Control")
    page.mouse.wheel(0, -240)
    page.keyboard.up("Control")
    page.wait_for_function(f"() => +{ROOT}.getElementById('zoom').value > 10")
    page.mouse.move(x, y)
    page.wait_for_timeout(80)
    assert text(page, "matrix-readout") == before
    assert page.is_visible("#overview")
    page.mouse.down()
    page.mouse.move(x - 60, y - 60, steps=6)
    page.mouse.up()
    page.wait_for_timeout(80)
    assert text(page, "matrix-readout") == before, "a drag moves the picture and chooses nothing"
    page.click("#whole")
    page.wait_for_selector("#overview", state="hidden")
    assert page.input_value("#zoom") == "0"


def test_two_fingers_zoom_and_one_pans(pages: Pages, visit: Visit) -> None:
    page = ready(visit(pages.medium, has_touch=True, viewport={"width": 390, "height": 800}))
    page.locator("#matrix").scroll_into_view_if_needed()
    page.fill("#zoom", "20")
    box = page.locator("#matrix").bounding_box()
    x, y = box["x"] + 0.6 * box["width"], box["y"] + 0.5 * box["height"]
    fingers = page.context.new_cdp_session(page)

    def touch(kind: str, *points: tuple[float, float]) -> None:
        touches = [{"x": a, "y": b, "id": i} for i, (a, b) in enumerate(points)]
        fingers.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": touches})

    touch("touchStart", (x - 20, y), (x + 20, y))
    for away in range(24, 80, 8):
        touch("touchMove", (x - away, y), (x + away, y))
    touch("touchEnd")
    page.wait_for_function(f"() => +{ROOT}.getElementById('zoom').value >= 40")
    before = text(page, "matrix-readout")
    touch("touchStart", (x, y))
    for step in range(1, 6):
        touch("touchMove", (x - 12 * step, y - 6 * step))
    touch("touchEnd")
    assert text(page, "matrix-readout") == before, "a finger that moves chooses nothing"
    assert page.evaluate("scrollX") == 0


def test_the_wheel_alone_scrolls_the_page(pages: Pages, visit: Visit) -> None:
    page = ready(visit(pages.medium))
    page.hover("#matrix")
    page.mouse.wheel(0, -120)
    page.wait_for_timeout(80)
    assert page.input_value("#zoom") == "0"


def test_a_head_without_details_says_so(visit: Visit, tmp_path: Path) -> None:
    looked, matrices, values = synthetic_look(layers=1, heads=3, length=80, width=8)
    path = tmp_path / "none.html"
    path.write_text(build_page(looked, details(matrices, values), budget=0), encoding="utf-8")
    opened = visit(path)
    page = drawn(opened)
    assert "only the small picture" in text(page, "matrix-caption")
    assert "look again at layer 0, head 0 alone" in text(page, "matrix-caption")
    assert page.is_disabled("[data-mode=scores]")
    assert page.is_disabled("[data-mode=results]")
    silent(opened, path)


def test_hostile_labels_stay_text(pages: Pages, visit: Visit) -> None:
    path = pages.page("evil", layers=1, heads=2, length=12, width=8, label=EVIL)
    opened = visit(path)
    page = ready(opened)
    page.click("#strip .token >> nth=1")
    assert EVIL in text(page, "matrix-readout")
    assert EVIL in text(page, "strip-title")
    page.click("[data-mode=results]")
    assert EVIL in text(page, "result-title")
    assert page.evaluate("window.stolen") is None
    assert page.locator("main img").count() == 0
    silent(opened, path)


@pytest.mark.long
def test_ten_thousand_tokens_move(pages: Pages, visit: Visit) -> None:
    opened = visit(pages.page("huge", layers=1, heads=1, length=10_000, width=32))
    page = ready(opened)
    assert "Each dot shows the largest of up to 32 × 32 cells. Drawing more" in text(
        page, "matrix-caption"
    )
    page.focus("#matrix")
    box = page.locator("#matrix").bounding_box()
    x, y = box["x"] + 0.5 * box["width"], box["y"] + 0.5 * box["height"]
    page.mouse.move(x, y)
    for _ in range(60):
        page.mouse.wheel(0, -60)
        page.wait_for_timeout(12)
    # Generous, for a loaded machine without a graphics card: benchmarks/frames.py measures.
    assert int(page.get_attribute("#matrix", "data-fps")) >= 5
    finished(page)
    weight, score = shown_cell(page)
    assert 0 <= weight <= 1
    assert opened.complaints == []
