"""The grid of heads, the ones that stand out, and their statistics, in a real browser."""

import math
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.ui.synthetic import details, synthetic_look
from tests.ui.view.pages import EVIL, ROOT, Visit, silent, text
from tests.ui.view.stepping import Training, drawn, stepping
from zhuyi.ui.looked import HeadPicture, Looked
from zhuyi.ui.view.page import build_page, page_of
from zhuyi.ui.view.pictures import STATISTICS

LOOK = {"layers": 4, "heads": 6, "length": 40, "width": 16}
HEADS = synthetic_look(**LOOK)[0].heads  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("grid")


@pytest.fixture(scope="module")
def one(folder: Path) -> Path:
    """24 heads on 40 tokens, all of them in full."""
    looked, matrices, values = synthetic_look(**LOOK)  # type: ignore[arg-type]
    path = folder / "one.html"
    path.write_text(build_page(looked, details(matrices, values)), encoding="utf-8")
    return path


def page_with(path: Path, looked: Looked) -> Path:
    """A page of this look without details."""
    path.write_text(build_page(looked, lambda _: None), encoding="utf-8")
    return path


def order_of(page: Any) -> list[int]:
    """Heads in the order of the grid."""
    return [int(x) for x in page.evaluate(
        f"[...{ROOT}.querySelectorAll('#grid .head')].map((e) => e.dataset.i)")]  # fmt: skip


def test_every_order_is_by_its_number(one: Path, visit: Visit) -> None:
    opened = visit(one)
    page = drawn(opened)
    assert order_of(page) == list(range(24))

    def ranked(name: str, sign: int) -> list[int]:
        def number(head: HeadPicture) -> float:
            return head.standing if name == "standing" else head.statistics[name]

        return sorted(range(24), key=lambda i: sign * number(HEADS[i]))

    for name, sign in (("standing", -1), ("reach", 1), ("distance", -1), ("first", -1),
                       ("peak", -1)):  # fmt: skip
        page.select_option("#order", name)
        assert order_of(page) == ranked(name, sign), name
    options = page.locator("#order option").all_text_contents()
    assert "differs most" not in options, "one step has not changed"
    assert page.locator("#grid .change").count() == 0
    page.select_option("#order", "layer")
    silent(opened, one)


def test_heads_that_stand_out_say_why(one: Path, visit: Visit) -> None:
    page = drawn(visit(one))
    standing = page.locator("#standing .line")
    said = standing.all_inner_texts()
    habits = {HEADS[int(str(standing.nth(i).get_attribute("data-i")))].reason
              for i in range(len(said))}  # fmt: skip
    assert len(habits) == len(said), "one head a habit"
    for place in range(len(said)):
        head = HEADS[int(str(standing.nth(place).get_attribute("data-i")))]
        value = head.statistics[head.reason[1:]]
        assert f"Layer {head.layer}, head {head.head}" in said[place]
        shown = re.findall(r"([\d.]+)( %)?", said[place].split("\n")[-1])[-1]
        assert float(shown[0]) / (100 if shown[1] else 1) == pytest.approx(value, rel=0.06)
    standing.first.click()
    entry = standing.first.get_attribute("data-i")
    assert standing.first.get_attribute("aria-pressed") == "true"
    assert page.get_attribute("#grid .head[aria-pressed=true]", "data-i") == entry
    ring = page.locator("#grid .head.stands")
    assert 0 < ring.count() <= 24 // 10 + 6
    assert ":" in str(ring.first.get_attribute("aria-label")), "not by the ring alone"


def test_the_grid_is_walked_by_keyboard(one: Path, visit: Visit) -> None:
    page = drawn(visit(one))
    assert page.locator("#grid .head[tabindex='0']").count() == 1
    page.focus("#grid .head[tabindex='0']")
    for key in ("Home", "ArrowRight", "ArrowDown", "ArrowDown", "ArrowLeft", "ArrowUp", "Enter"):
        page.keyboard.press(key)
    assert "Layer 1, head 0" in text(page, "facts-title")
    page.keyboard.press("End")
    page.keyboard.press("ArrowRight")
    page.keyboard.press(" ")
    assert "Layer 3, head 5" in text(page, "facts-title")
    shown = page.locator("#head-facts dd").all_text_contents()
    assert float(shown[0]) == pytest.approx(HEADS[23].statistics["reach"], rel=6e-3)
    assert shown[-1] == "sdpa"


def test_what_is_kept_of_the_heads_is_said(one: Path, folder: Path, visit: Visit) -> None:
    page = drawn(visit(one))
    assert text(page, "coverage") == "All 24 heads carry full details."
    looked, _, _ = synthetic_look(layers=1, heads=3, length=80, width=8)
    path = page_with(folder / "none.html", looked)
    opened = visit(path)
    page = drawn(opened)
    assert "fewer layers or heads" in text(page, "coverage")
    assert page.locator("#grid .head.detailed").count() == 0
    silent(opened, path)


def test_a_head_that_was_not_asked_for_leaves_its_place_empty(folder: Path, visit: Visit) -> None:
    looked, _, _ = synthetic_look(layers=2, heads=4, length=12, width=8)
    kept = tuple(head for head in looked.heads if (head.layer, head.head) not in ((0, 1), (1, 0)))
    page = drawn(visit(page_with(folder / "gaps.html", replace(looked, heads=kept))))
    assert page.locator("#grid .head").count() == 6
    lefts: dict[int, set[int]] = {}
    for index, head in enumerate(kept):
        box = page.locator(f"#grid .head[data-i='{index}']").bounding_box()
        lefts.setdefault(head.head, set()).add(round(box["x"]))
    assert all(len(places) == 1 for places in lefts.values()), "a column is one head"
    columns = [min(places) for _, places in sorted(lefts.items())]
    assert columns == sorted(columns)


def test_texts_are_chosen_one_by_one(folder: Path, visit: Visit) -> None:
    looked, _, _ = synthetic_look(layers=1, heads=2, length=12, width=8)
    names = (EVIL, "second text")
    sequences = tuple(replace(looked.sequences[0], name=name) for name in names)
    second = tuple(replace(head, queries=1, keys=1, head=head.head + 5) for head in looked.heads)
    both = replace(looked, sequences=sequences, heads=(*looked.heads, *second))
    path = page_with(folder / "texts.html", both)
    opened = visit(path)
    page = drawn(opened)
    assert page.locator("#sequence option").all_text_contents() == list(names)
    page.select_option("#sequence", label="second text")
    page.wait_for_selector("#grid .head[data-i='2']")
    assert order_of(page) == [2, 3]
    assert re.search(r"head [56]", text(page, "facts-title")), "a head of this text is chosen"
    assert page.evaluate("window.stolen") is None
    silent(opened, path)


def value_of(shown: str) -> float:
    number = float(re.findall(r"[\d.]+", shown)[0])
    return number / 100 if "%" in shown else number


def test_dots_lie_where_their_numbers_are(one: Path, visit: Visit) -> None:
    page = drawn(visit(one))
    dots = page.evaluate(
        f"[...{ROOT}.querySelectorAll('#scatter .dot')].map((e) => "
        "[+e.dataset.i, +e.getAttribute('cx'), -e.getAttribute('cy'), +e.getAttribute('r')])"
    )
    assert sorted(dot[0] for dot in dots) == list(range(24))
    for axis, name in ((1, "reach"), (2, "distance"), (3, "first")):
        ordered = sorted(dots, key=lambda dot: HEADS[dot[0]].statistics[name])
        places = [dot[axis] for dot in ordered]
        assert places == pytest.approx(sorted(places), abs=1e-6), name
    # Logarithmic: equal ratios are equal distances.
    by_reach = {dot[0]: dot[1] for dot in dots}
    reach = {i: HEADS[i].statistics["reach"] for i in by_reach}
    ranked = sorted(reach, key=lambda i: reach[i])
    low, middle, high = ranked[0], ranked[12], ranked[23]
    share = math.log(reach[middle] / reach[low]) / math.log(reach[high] / reach[low])
    drawn_share = (by_reach[middle] - by_reach[low]) / (by_reach[high] - by_reach[low])
    assert drawn_share == pytest.approx(share, abs=1e-3)


def test_a_dot_is_read_and_chosen(one: Path, visit: Visit) -> None:
    opened = visit(one)
    page = drawn(opened)
    farthest = max(range(24), key=lambda i: HEADS[i].statistics["reach"])
    page.locator(f"#scatter .dot[data-i='{farthest}']").hover()
    read = text(page, "scatter-readout")
    head = HEADS[farthest]
    assert read.startswith(f"Layer {head.layer}, head {head.head}: ")
    numbers = [value_of(part) for part in read.split(": ")[1].split(", ")]
    expected = [head.statistics[name] for name in ("reach", "distance", "first")]
    assert numbers == pytest.approx(expected, rel=6e-3, abs=6e-4)
    page.locator(f"#scatter .dot[data-i='{farthest}']").click()
    page.wait_for_selector(f"#grid .head[data-i='{farthest}'][aria-pressed=true]")
    page.mouse.move(1, 1)
    page.focus("#scatter")
    page.keyboard.press("ArrowLeft")
    assert text(page, "scatter-readout") != read
    page.keyboard.press("Enter")
    chosen = page.get_attribute("#grid .head[aria-pressed=true]", "data-i")
    assert int(chosen) != farthest
    assert opened.complaints == []


def test_the_table_is_the_statistics(one: Path, visit: Visit) -> None:
    page = drawn(visit(one))
    assert page.locator("#statistics-table tbody tr").count() == 0, "made when it is opened"
    page.focus("#statistics-table summary")
    page.keyboard.press("Enter")
    page.wait_for_selector("#statistics-table tbody tr")
    rows = page.locator("#statistics-table tbody tr").all_inner_texts()
    assert len(rows) == 24
    for head, row in zip(HEADS, rows, strict=True):
        cells = row.split("\t")
        assert cells[0].strip() == f"Layer {head.layer}, head {head.head}"
        for cell, name in zip(cells[1:], STATISTICS, strict=True):
            value = head.statistics[name]
            assert value_of(cell) == pytest.approx(value, rel=0.03, abs=6e-4)
    page.click("#statistics-table tbody tr >> nth=9 >> button")
    page.wait_for_selector("#grid .head[data-i='9'][aria-pressed=true]")


def test_a_statistic_of_the_chosen_head_over_the_steps(folder: Path, visit: Visit) -> None:
    training = Training(id="t", steps=range(0, 240, 10))
    path = folder / "history.html"
    path.write_text(page_of(stepping(training)), encoding="utf-8")
    opened = visit(path)
    page = drawn(opened)
    page.click("#grid .head[data-i='5']")
    page.wait_for_selector("#history-line .course-line")
    looks = training.looks()
    for name in ("reach", "first"):
        page.select_option("#history-statistic", name)
        for place in (23, 12):
            page.fill("#step", str(place))
            page.wait_for_selector(f"#step-now b:has-text('step {10 * place}')")
            page.wait_for_selector(f"#history-readout:has-text('At step {10 * place}:')")
            read = text(page, "history-readout")
            value, low, high = (value_of(x) for x in re.findall(r"[\d.]+(?: %)?", read)[1:])
            everyone = sorted(head.statistics[name] for head in looks[place].heads)
            expected = looks[place].heads[5].statistics[name], everyone[1], everyone[6]
            assert (value, low, high) == pytest.approx(expected, rel=0.02, abs=2e-3)
    page.wait_for_selector("#scatter .trail")
    points = str(page.get_attribute("#scatter .trail", "d")).count("L") + 1
    assert points == 24
    page.click("#history-line", position={"x": 1, "y": 20})
    page.wait_for_selector("#step-now b:has-text('step 0')")
    silent(opened, path)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_more_weight_is_farther_from_the_ground(one: Path, visit: Visit, scheme: str) -> None:
    page = drawn(visit(one, color_scheme=scheme))
    seen = page.evaluate(
        f"""() => [...{ROOT}.querySelector('#grid .head[data-i="0"] canvas').getContext('2d')
        .getImageData(0, 0, 40, 40).data].filter((_, i) => i % 4 === 1)"""
    )
    codes = HEADS[0].thumbnail.ravel().tolist()
    shade = dict(zip(codes, seen, strict=True))
    assert shade[min(shade)] > 225 if scheme == "light" else shade[min(shade)] < 45
    strongest = [shade[code] for code in sorted(shade)]
    assert strongest == sorted(strongest, reverse=scheme == "light")
    assert ("darker" if scheme == "light" else "brighter") in text(page, "grid-caption")
