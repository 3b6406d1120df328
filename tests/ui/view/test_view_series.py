"""A series with the ribbon of what counted, in a real browser: numbers, pixels, keyboard, zoom."""

import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.ui.view.input_looks import drawn, series_look, with_heads, write, write_steps
from tests.ui.view.pages import EVIL, ROOT, Visit, silent, text
from zhuyi.ui.looked import Looked, Signal

PLOT = (22, 48)  # where a channel's line stands in its row: top and height
RIBBON = 70  # where its ribbon begins


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("series")


def read_numbers(page: Any) -> dict[str, float]:
    """The numbers of the read-out."""
    read = text(page, "signal-readout").replace("−", "-")
    found = re.search(
        r"”: (?P<value>[-\d.e]+) \((?P<share>[\d.e-]+) % of the total; rank (?P<rank>\d+) of \d+\)"
        r".* · .*, steps (?P<from>\d+) to (?P<to>\d+)\."
        r"(?: Measured there: (?P<low>[-\d.]+) to (?P<high>[-\d.]+), mean (?P<mean>[-\d.]+)\.)?"
        r"(?: (?P<missing>\d+) of (?P<count>\d+) not measured\.)?",
        read,
    )
    assert found, read
    return {name: float(number) for name, number in found.groupdict().items() if number}


def frame(page: Any) -> Any:
    """Where the picture is, brought into view."""
    page.locator("#signal").scroll_into_view_if_needed()
    return page.locator("#signal").bounding_box()


def colors(page: Any, places: list[tuple[float, float]]) -> np.ndarray:
    """Colors of the canvas at (x, y): share of the width, pixels from the top."""
    return np.array(
        page.evaluate(
            f"""(places) => {{ const c = {ROOT}.querySelector('#signal canvas');
            const ratio = c.width / c.clientWidth, pen = c.getContext('2d');
            const at = ([x, y]) => [Math.floor(x * c.width), Math.floor(y * ratio), 1, 1];
            return places.map((place) => [...pen.getImageData(...at(place)).data]); }}""",
            places,
        )
    )


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_series_opens_in_silence(folder: Path, visit: Visit, scheme: str) -> None:
    path = write(folder, scheme, series_look(common=True))
    opened = visit(path, color_scheme=scheme)
    page = drawn(opened)
    assert "according to Occlusion" in text(page, "words-caption")
    assert "spoke against" in text(page, "words-caption")
    assert "Strongest: “heart rate · part 3”" in text(page, "signal-readout")
    assert page.locator("#words, #factors").count() == 0
    page.click("#spans summary")
    page.click("#language")
    page.wait_for_selector(".zhuyi[lang=zh-Hans]")
    assert "最强：" in text(page, "signal-readout")
    page.click("#theme")
    silent(opened, path)


def test_every_stretch_can_be_read_by_keyboard(folder: Path, visit: Visit) -> None:
    looked = series_look()
    page = drawn(visit(write(folder, "keys", looked)))
    assert looked.signal is not None
    total = sum(abs(x) for x in looked.values)
    sizes = sorted((abs(x) for x in looked.values), reverse=True)
    page.focus("#signal")
    keys = ["ArrowRight", "ArrowRight", "ArrowRight", "ArrowRight", "ArrowDown", "End", "ArrowUp"]
    for key, index in zip(keys, [0, 1, 2, 3, 15, 23, 11], strict=True):
        page.keyboard.press(key)
        shown = read_numbers(page)
        channel, start, stop = looked.signal.spans[index]
        value = looked.values[index]
        assert (shown["from"], shown["to"]) == (start, stop - 1)
        assert shown["value"] == pytest.approx(value, rel=0.04)
        assert shown["share"] == pytest.approx(100 * abs(value) / total, rel=0.06)
        assert shown["rank"] == sizes.index(abs(value)) + 1
        measured = looked.signal.values[channel, start:stop]
        if np.isnan(measured).all():
            assert "Nothing was measured there." in text(page, "signal-readout")
            continue
        for name, wanted in (("low", "nanmin"), ("high", "nanmax"), ("mean", "nanmean")):
            number = float(getattr(np, wanted)(measured.astype(float)))
            assert shown[name] == pytest.approx(number, rel=6e-3), name
    page.keyboard.press("Home")
    assert read_numbers(page)["from"] == 0


def test_the_pointer_reads_stretches_and_single_steps(folder: Path, visit: Visit) -> None:
    looked = series_look()
    assert looked.signal is not None
    values = looked.signal.values.copy()
    values[0, 130:133] = np.nan
    keep = [i for i, span in enumerate(looked.signal.spans) if span != (0, 200, 220)]
    looked = replace(
        looked,
        units=tuple(looked.units[i] for i in keep),
        values=tuple(looked.values[i] for i in keep),
        signal=replace(
            looked.signal, values=values, spans=tuple(looked.signal.spans[i] for i in keep)
        ),
    )
    page = drawn(visit(write(folder, "pointer", looked)))
    box = frame(page)

    def point(step: float, y: float) -> None:
        page.mouse.move(box["x"] + step / 240 * box["width"], box["y"] + y)

    point(125.5, 40)
    shown = read_numbers(page)
    assert (shown["from"], shown["to"], shown["missing"], shown["count"]) == (120, 139, 3, 20)
    measured = values[0, 120:140].astype(float)
    assert shown["mean"] == pytest.approx(float(np.nanmean(measured)), rel=6e-3)
    point(205.5, 40)  # between two stretches there is still the series
    assert text(page, "signal-readout").startswith("heart rate, step 205: ")
    number = float(text(page, "signal-readout").split(": ")[1])
    assert number == pytest.approx(float(values[0, 205]), rel=6e-3)
    page.mouse.move(box["x"] + 5, box["y"] - 60)
    assert "Strongest" in text(page, "signal-readout")


def test_bars_stand_where_and_how_high_the_values_say(folder: Path, visit: Visit) -> None:
    """For is up and full, against is down and hatched: position and texture, not color alone."""
    looked = series_look()
    page = drawn(visit(write(folder, "bars", looked), color_scheme="light"))
    page.wait_for_timeout(100)
    half = 19
    for index in (0, 1, 2, 3, 6, 7):
        x = (index * 20 + 9.5) / 240
        column = colors(page, [(x, RIBBON + y) for y in range(1, 2 * half)])[:, :3].astype(int)
        soft = np.array([241, 239, 233])
        drawn_at = np.abs(column - soft).sum(1) > 12
        above, below = drawn_at[: half - 2], drawn_at[half + 1 :]
        value = looked.values[index]
        size = abs(value) / 1.25 * (half - 1)
        if value > 0:
            assert abs(above.sum() - size) < 3
            assert below.sum() <= 1
        else:
            assert abs(below.sum() - size) < 3
            assert above.sum() <= 1
    # Along the largest bar, which is against: two colors by turns.
    along = colors(page, [((60.5 + i / 10) / 240, RIBBON + half + 8) for i in range(180)])[:, :3]
    dark = along.astype(int).sum(1) < 480
    assert 0.1 < dark.mean() < 0.7
    assert np.abs(np.diff(dark.astype(int))).sum() > 8


def test_nothing_measured_is_hatched_and_has_no_line(folder: Path, visit: Visit) -> None:
    looked = series_look(signed=False)
    assert looked.signal is not None
    signal = Signal(
        names=("gone", "there"),
        values=np.stack([np.full(240, np.nan), np.zeros(240)]).astype(np.float32),
        spans=((0, 0, 20), (1, 0, 20)),
    )
    looked = replace(looked, units=looked.units[:2], values=(0.0, 0.0), signal=signal)
    page = drawn(visit(write(folder, "gaps", looked), color_scheme="light"))
    page.wait_for_timeout(100)
    row = 22 + 48 + 24 + 14
    middle = [(0.2 + i / 700, PLOT[0] + 30) for i in range(300)]
    gone = colors(page, middle)[:, :3].astype(int).sum(1)
    assert 20 < (gone < 600).sum() < 150, "strokes with gaps between them"
    there = colors(page, [(x, y + row) for x, y in middle])[:, :3].astype(int).sum(1)
    assert (there > 740).all(), "no stroke where something was measured"
    line = colors(page, [(x, row + PLOT[0] + 24) for x, _ in middle])[:, :3].astype(int).sum(1)
    assert (line < 500).mean() > 0.95
    page.focus("#signal")
    page.keyboard.press("ArrowRight")
    assert "Nothing was measured there." in text(page, "signal-readout")


def spike(length: int, at: int) -> Looked:
    values = np.zeros((1, length), dtype=np.float32)
    values[0, at] = 5.0
    units = series_look().units[:1]
    signal = Signal(names=("flat",), values=values, spans=((0, 0, 10),))
    return replace(series_look(), units=units, values=(1.0,), signal=signal)


def test_one_step_in_two_hundred_thousand_stays_visible(folder: Path, visit: Visit) -> None:
    at = 137_911
    page = drawn(visit(write(folder, "spike", spike(200_000, at)), color_scheme="light"))
    page.wait_for_timeout(150)
    near = colors(page, [(at / 200_000 + i / 3000, PLOT[0] + 12) for i in range(-6, 7)])
    assert near[:, :3].astype(int).sum(1).min() < 450
    far = colors(page, [(0.1 + i / 50, PLOT[0] + 12) for i in range(28)])
    assert far[:, :3].astype(int).sum(1).min() > 600


def test_zoom_shows_single_steps(folder: Path, visit: Visit) -> None:
    opened = visit(write(folder, "zoom", series_look(length=4000, span=100)))
    page = drawn(opened)
    page.focus("#signal")
    for _ in range(6):
        page.keyboard.press("ArrowRight")
    for _ in range(20):
        page.keyboard.press("+")
    assert page.input_value("#signal-zoom") == "100"
    assert page.is_enabled("#signal-whole")
    box = frame(page)

    def step_at(share: float) -> int:
        page.mouse.move(box["x"] + share * box["width"], box["y"] + 40)
        return int(read_numbers(page)["from"])

    assert step_at(0.5) == 500, "around the chosen stretch"
    page.mouse.move(box["x"] + 0.2 * box["width"], box["y"] + 40)
    page.mouse.down()
    for share in (0.4, 0.6, 0.9):
        page.mouse.move(box["x"] + share * box["width"], box["y"] + 40)
    page.mouse.up()
    page.keyboard.press("0")
    assert page.input_value("#signal-zoom") == "0"
    assert page.is_disabled("#signal-whole")
    assert step_at(0.99) == 3900
    page.focus("#signal-zoom")
    for _ in range(30):
        page.keyboard.press("ArrowRight")
    assert page.input_value("#signal-zoom") == "30"
    page.click("#signal-whole")
    assert opened.complaints == []


def test_many_channels_scroll_and_follow_the_keys(folder: Path, visit: Visit) -> None:
    names = [f"channel {i}" for i in range(60)]
    opened = visit(write(folder, "many", series_look(channels=names, common=True)))
    page = drawn(opened)
    assert page.locator("#signal").bounding_box()["height"] == 560
    height = page.evaluate(f"{ROOT}.querySelector('#signal canvas').clientHeight")
    assert height == 560, "the canvas is as large as what can be seen"
    page.focus("#signal")
    page.keyboard.press("ArrowRight")
    assert "All channels, steps 0 to 19" in text(page, "signal-readout")
    for _ in range(40):
        page.keyboard.press("ArrowDown")
    assert "channel 39, steps 0 to 19." in text(page, "signal-readout")
    assert page.evaluate(f"{ROOT}.getElementById('signal').scrollTop") > 3000
    box = frame(page)
    page.mouse.move(box["x"] + 3, box["y"] + 20)
    assert "All channels" in text(page, "signal-readout"), "these stay on top"
    assert opened.complaints == []


def test_the_same_in_numbers(folder: Path, visit: Visit) -> None:
    looked = series_look()
    page = drawn(visit(write(folder, "numbers", looked)))
    assert looked.signal is not None
    assert page.locator("#spans table").count() == 0, "made when it is opened"
    page.focus("#spans summary")
    page.keyboard.press("Enter")
    page.wait_for_selector("#spans tbody tr")
    rows = page.locator("#spans tbody tr")
    assert rows.count() == 24
    order = sorted(range(24), key=lambda i: -abs(looked.values[i]))
    for place in (0, 3, 11):
        index = order[place]
        label, channel, start, stop, value = rows.nth(place).locator("td").all_text_contents()
        assert label == looked.units[index].label
        assert looked.signal.names.index(channel) == looked.signal.spans[index][0]
        assert (int(start), int(stop) + 1) == looked.signal.spans[index][1:]
        assert float(value.replace("−", "-")) == pytest.approx(looked.values[index], rel=6e-3)


def test_a_series_without_values_is_only_the_series(folder: Path, visit: Visit) -> None:
    looked = replace(series_look(verdict=None), units=(), values=(), method="")
    looked = replace(looked, signal=replace(looked.signal, spans=()))  # type: ignore[type-var]
    opened = visit(write(folder, "silent", looked))
    page = drawn(opened)
    assert "No method has said" in text(page, "words-caption")
    assert page.is_visible("#unverified")
    page.focus("#signal")
    page.keyboard.press("ArrowRight")
    box = frame(page)
    page.mouse.move(box["x"] + 5, box["y"] + 40)
    assert text(page, "signal-readout").startswith("heart rate, step ")
    assert page.locator("#spans").count() == 0
    assert opened.complaints == []


def test_hostile_names_are_inert(folder: Path, visit: Visit) -> None:
    looked = series_look(channels=(EVIL, "信号" * 200))
    page_of = write(folder, "hostile", replace(looked, model=EVIL))
    opened = visit(page_of, viewport={"width": 390, "height": 800})
    page = drawn(opened)
    page.focus("#signal")
    page.keyboard.press("ArrowRight")
    assert EVIL in text(page, "signal-readout")
    page.click("#spans summary")
    page.wait_for_selector("#spans tbody tr")
    assert EVIL in page.inner_text("#spans")
    assert page.evaluate("window.stolen") is None
    assert page.locator("main img").count() == 0
    assert page.evaluate("document.documentElement.scrollWidth") == 390
    silent(opened, page_of)


def test_damaged_stretches_are_left_out(folder: Path, visit: Visit) -> None:
    """Stretches that lie nowhere in the series must not stop the view."""
    looked = series_look()
    assert looked.signal is not None
    spans = list(looked.signal.spans)
    spans[0], spans[1], spans[2] = (0, 20, 20), (7, 0, 20), (0, 230, 999)
    opened = visit(
        write(folder, "odd", replace(looked, signal=replace(looked.signal, spans=tuple(spans))))
    )
    page = drawn(opened)
    page.click("#spans summary")
    page.wait_for_selector("#spans tbody tr")
    assert page.locator("#spans tbody tr").count() == 22
    assert opened.complaints == []


def test_changes_are_told(folder: Path, visit: Visit) -> None:
    first = with_heads(series_look(verdict=None))
    values = list(first.values)
    values[0] += 0.5
    path = write_steps(folder, "steps", [first, replace(first, values=tuple(values))])
    page = drawn(visit(path))
    page.click("#first")
    page.wait_for_function(
        f"() => /Dark mark/.test({ROOT}.getElementById('words-caption').textContent)"
    )
    page.focus("#signal")
    page.keyboard.press("ArrowRight")
    assert re.search(r"Change against .+: \+0\.5\.", text(page, "signal-readout"))
    page.click("#spans summary")
    page.wait_for_selector("#spans tbody tr")
    assert "+0.5" in page.inner_text("#spans")


def test_what_it_is_compared_with_has_its_place_on_the_scale(folder: Path, visit: Visit) -> None:
    """A value that was twice as large stands twice as high, not at the edge of the bar."""
    first = with_heads(series_look(verdict=None, signed=False))
    before = list(first.values)
    before[3] = 2.5
    path = write_steps(folder, "scale", [replace(first, values=tuple(before)), first])
    page = drawn(visit(path, color_scheme="light"))
    page.click("#first")
    page.wait_for_function(
        f"() => /Dark mark/.test({ROOT}.getElementById('words-caption').textContent)"
    )
    frame(page)
    page.wait_for_timeout(100)
    column = colors(page, [(69.5 / 240, RIBBON + y) for y in range(24)])[:, :3].astype(int)
    mark = np.flatnonzero(column.sum(1) < 150)
    bar = np.flatnonzero((column[:, 0] - column[:, 2] > 100) & (column.sum(1) > 200))
    assert mark.min() <= 1
    assert mark.max() <= 3
    assert len(bar) == pytest.approx(11.5, abs=1.5), "1.25 of 2.5"
