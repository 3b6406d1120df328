"""Steps, runs and comparisons in a real browser: what is shown is the data of that very step."""

import re
from pathlib import Path
from typing import Any

import pytest

from tests.ui.view.pages import EVIL, ROOT, Visit, silent, text
from tests.ui.view.stepping import Training, drawn, stepping, wait_step
from zhuyi.ui.view.page import page_of

BASE = Training(id="a0", run="base", name="review 1", written=240, every=4)
OTHER_INPUT = Training(id="a1", run="base", name="review 2", length=20)
OTHER_RUN = Training(id="b0", run="faster", name="review 1", seed=1)
LOOKS = BASE.looks()


@pytest.fixture(scope="module")
def three(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two runs, two inputs of one of them, 24 steps each."""
    path = tmp_path_factory.mktemp("steps") / "three.html"
    path.write_text(page_of(stepping(BASE, OTHER_INPUT, OTHER_RUN)), encoding="utf-8")
    return path


def value_of(shown: str) -> float:
    """A number as the page writes it: `26.3 %` is 0.263."""
    number = float(re.findall(r"[−\d.e]+", shown)[0].replace("−", "-"))
    return number / 100 if "%" in shown else number


def shown_is(page: Any, training: Training, place: int) -> None:
    """Decision, statistics and pictures on the page are those of this look."""
    look = training.looks()[place]
    assert f"{100 * (look.probability or 0):.3g} %" in text(page, "decision")
    layer, head = (int(x) for x in re.findall(r"\d+", text(page, "facts-title")))
    picture = next(one for one in look.heads if (one.layer, one.head) == (layer, head))
    facts = page.locator("#head-facts dd").all_text_contents()
    names = ("reach", "distance", "peak", "max", "first", "special", "self", "previous", "next")
    for name, shown in zip(names, facts, strict=False):
        value = value_of(shown.split("vs")[0])
        assert value == pytest.approx(picture.statistics[name], rel=0.01, abs=6e-4), name
    dots = page.evaluate(
        f"""(i) => {{ const c = {ROOT}.querySelector(`#grid .head[data-i="${{i}}"] canvas`);
        return [c.width, c.height]; }}""",
        look.heads.index(picture),
    )
    assert dots == list(picture.thumbnail.shape[::-1])


def test_the_slider_shows_the_data_of_its_step(three: Path, visit: Visit) -> None:
    opened = visit(three)
    page = drawn(opened)
    wait_step(page, 2300)
    shown_is(page, BASE, 23)
    page.focus("#step")
    for key, place in (("ArrowLeft", 22), ("Home", 0), ("ArrowRight", 1), ("End", 23)):
        page.keyboard.press(key)
        wait_step(page, 100 * place)
        shown_is(page, BASE, place)
    box = page.locator("#step").bounding_box()
    page.mouse.move(box["x"] + box["width"] - 9, box["y"] + box["height"] / 2)
    page.mouse.down()
    for share in (0.8, 0.6, 0.5):
        page.mouse.move(box["x"] + 8 + share * (box["width"] - 16), box["y"] + 10)
    page.mouse.up()
    place = int(page.input_value("#step"))
    assert 11 <= place <= 12
    wait_step(page, 100 * place)
    shown_is(page, BASE, place)
    assert f"look {place + 1} of 24" in str(page.get_attribute("#step", "aria-valuetext"))
    silent(opened, three)


def test_pictures_of_a_step_are_the_packed_ones(three: Path, visit: Visit) -> None:
    """The canvas of a head at step 400, dot by dot, through the colors of the ramp."""
    page = drawn(visit(three, color_scheme="light"))
    page.click("#several .one[data-step='400']")
    wait_step(page, 400)
    page.click("#grid .head[data-i='3']")
    seen = page.evaluate(
        f"""() => [...{ROOT}.querySelector('#grid .head[data-i="3"] canvas').getContext('2d')
        .getImageData(0, 0, 12, 12).data].filter((_, i) => i % 4 === 0)"""
    )
    codes = LOOKS[4].heads[3].thumbnail.ravel().tolist()
    red: dict[int, int] = {}
    for code, shade in zip(codes, seen, strict=True):
        assert red.setdefault(code, shade) == shade, "one code, two colors"
    ordered = [red[code] for code in sorted(red)]
    assert ordered == sorted(ordered, reverse=True), "more weight is darker"


def test_the_course_and_the_words_over_the_steps(three: Path, visit: Visit) -> None:
    page = drawn(visit(three))
    page.wait_for_selector("#line .course-line")
    label = str(page.get_attribute("#line", "aria-label"))
    assert "first 50 %, last 95 %" in label
    legend = page.locator(".verdict-legend")
    assert legend.inner_text().split() == ["Refuted", "Doubtful", "Trusted"]
    assert "Refuted at step 400" in str(legend.get_attribute("aria-label"))
    assert page.locator("#line .verdict.refuted").count() > 0
    page.focus("#heat")
    page.keyboard.press("Home")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowDown")
    row = page.locator(".heat li.on").text_content()
    read = text(page, "heat-readout")
    place = [unit.label for unit in LOOKS[0].units].index(row)
    assert f"“{row}” at step 100: " in read
    assert value_of(read.rsplit(": ")[-1]) == pytest.approx(LOOKS[1].values[place], rel=6e-3)
    page.keyboard.press("Enter")
    wait_step(page, 100)
    page.check("#heat-all")
    assert page.locator(".heat li").count() == 10, "the two that the model added are left out"
    box = page.locator("#line").bounding_box()
    page.mouse.click(box["x"] + box["width"] * 10 / 23, box["y"] + 30)
    wait_step(page, 1000)


def test_sampling_is_said_where_it_happened(three: Path, visit: Visit) -> None:
    page = drawn(visit(three))
    assert "24 of 240 looks were kept here" in text(page, "sampled")
    assert "--samples_per_plugin zhuyi=0" in text(page, "sampled")
    page.select_option("#input", label="review 2")
    page.wait_for_selector("#sampled", state="detached")


def test_steps_with_details_are_marked_and_open_in_full(three: Path, visit: Visit) -> None:
    page = drawn(visit(three))
    assert page.get_attribute(".detailed-marks", "aria-label") == "6 steps keep heads in full"
    assert "At this step only pictures" in text(page, "coverage")
    page.focus("#step")
    page.keyboard.press("Home")
    wait_step(page, 0)
    assert "heads in full" in text(page, "step-now")
    assert text(page, "coverage") == "All 8 heads carry full details."


def test_play_goes_on_and_stops_at_the_end(three: Path, visit: Visit) -> None:
    opened = visit(three)
    page = drawn(opened)
    page.focus("#step")
    page.keyboard.press("End")
    for _ in range(2):
        page.keyboard.press("ArrowLeft")
    page.click("#play")
    assert page.get_attribute("#play", "aria-pressed") == "true"
    page.wait_for_selector("#play[aria-pressed=false]")
    wait_step(page, 2300)
    page.click("#play")  # from the end it begins again
    page.wait_for_function(f"() => +{ROOT}.getElementById('step').value % 23 > 0")
    page.focus("#step")
    page.keyboard.press("End")
    page.wait_for_selector("#play[aria-pressed=false]")
    shown_is(page, BASE, 23)
    assert opened.complaints == []


def test_play_is_calm_for_those_who_asked_for_less_motion(three: Path, visit: Visit) -> None:
    page = drawn(visit(three, reduced_motion="reduce"))
    page.fill("#step", "0")
    wait_step(page, 0)
    page.click("#play")
    page.wait_for_timeout(700)  # two steps at the usual pace
    assert page.input_value("#step") == "0"
    page.wait_for_function(f"() => {ROOT}.getElementById('step').value === '1'")
    page.click("#play")
    assert text(page, "play") == "Play"


def test_runs_and_inputs_are_chosen_and_the_step_stays(three: Path, visit: Visit) -> None:
    page = drawn(visit(three))
    page.click("#several .one[data-step='800']")
    wait_step(page, 800)
    page.click("#grid .head[data-i='6']")
    page.select_option("#run", label="faster")
    page.wait_for_function(f"() => {ROOT}.getElementById('run').value === '1'")
    wait_step(page, 800)
    page.wait_for_function(f"() => !{ROOT}.getElementById('decision').textContent.includes('65.7')")
    shown_is(page, OTHER_RUN, 8)
    assert text(page, "facts-title").startswith("Layer 1, head 2"), "the same head"
    assert page.locator("#input").count() == 0, "the other run has one input only"
    page.select_option("#run", label="base")
    page.select_option("#input", label="review 2")
    page.wait_for_function(f"() => {ROOT}.querySelectorAll('#words .word').length === 20")
    shown_is(page, OTHER_INPUT, 8)


def test_comparing_with_the_first_step(three: Path, visit: Visit) -> None:
    opened = visit(three)
    page = drawn(opened)
    page.click("#first")
    page.wait_for_selector("#differences .head")
    assert text(page, "compare-caption") == "Everything here is step 2,300 minus step 0."
    rows = page.locator("#decisions tbody tr").all_inner_texts()
    assert rows[0].split("\t") == ["step 2,300", "POSITIVE · 95 %", "Trusted", LOOKS[0].method]
    assert rows[1].split("\t")[1:3] == ["POSITIVE · 50 %", "Not verified"]
    row = page.locator("#changed-values tbody tr").first.locator("th, td").all_text_contents()
    unit = [one.label for one in LOOKS[0].units].index(row[0])
    before, after = LOOKS[0].values[unit], LOOKS[23].values[unit]
    largest = max(abs(b - a) for a, b in zip(LOOKS[0].values, LOOKS[23].values, strict=True))
    assert abs(after - before) == pytest.approx(largest)
    assert [value_of(x) for x in row[1:]] == pytest.approx(
        [before, after, after - before], rel=6e-3
    )
    sizes = [value_of(x) for x in page.locator("#changed-heads .amount-of").all_text_contents()]
    assert sizes == sorted(sizes, reverse=True)
    assert page.locator("#compare-limits li").count() == 0
    page.click("#alone")
    page.wait_for_selector("#differences", state="detached")
    silent(opened, three)


def test_a_difference_is_drawn_on_its_own_side(three: Path, visit: Visit) -> None:
    """More weight now is orange, more weight then is blue, and none is neither."""
    page = drawn(visit(three, color_scheme="light"))
    page.click("#first")
    page.wait_for_selector("#differences .head")
    now, then = (LOOKS[place].heads[2] for place in (23, 0))
    seen = page.evaluate(
        f"""() => [...{ROOT}.querySelector('#differences .head[data-i="2"] canvas').getContext('2d')
        .getImageData(0, 0, 12, 12).data]"""
    )

    def weight(code: int) -> float:
        floor = 1 / (8 * now.shape[1])
        return 0.0 if code == 0 else float(floor ** (1 - (code - 1) / 254))

    strong = 0
    pairs = zip(now.thumbnail.ravel().tolist(), then.thumbnail.ravel().tolist(), strict=True)
    for place, (one, two) in enumerate(pairs):
        difference = weight(one) - weight(two)
        red, blue = seen[4 * place], seen[4 * place + 2]
        if abs(difference) > 0.02:
            strong += 1
            assert (red - blue > 0) == (difference > 0), (place, difference, red, blue)
    assert strong > 20


def test_what_cannot_be_compared_is_said(three: Path, visit: Visit) -> None:
    page = drawn(visit(three))
    page.select_option("#other-track", label="base · review 2")
    page.wait_for_selector("#compare-limits li")
    said = text(page, "compare-limits")
    assert "The tokens differ" in said
    assert "The pieces of the input differ" in said
    assert page.locator("#differences").count() == 0
    assert page.locator("#changed-values").count() == 0
    assert page.locator("#changed-heads li").count() > 0, "numbers of heads can be compared"
    page.select_option("#other-track", label="faster · review 1")
    page.wait_for_selector("#differences .head")
    assert page.locator("#compare-limits li").count() == 0
    page.select_option("#other-track", label="this one at another step")
    page.focus("#other-step")
    page.keyboard.press("End")
    page.wait_for_selector("#compare-none")


def test_small_pictures_lead_to_their_steps(three: Path, visit: Visit) -> None:
    page = drawn(visit(three))
    steps = [int(x) for x in page.evaluate(
        f"[...{ROOT}.querySelectorAll('#several .one')].map((e) => e.dataset.step)")]  # fmt: skip
    assert steps == [0, 400, 800, 1200, 1600, 2000, 2300]
    page.wait_for_function(
        f"() => [...{ROOT}.querySelectorAll('#several canvas')].every((c) => c.width === 12)"
    )
    small = f"{ROOT}.querySelector('#several [data-step=\"1200\"] canvas').toDataURL()"
    before = page.evaluate(small)
    page.click("#several .one[data-step='1200']")
    wait_step(page, 1200)
    assert page.get_attribute("#several .one[data-step='1200']", "aria-current") == "step"
    entry = page.get_attribute("#grid .head[aria-pressed=true]", "data-i")
    large = f"{ROOT}.querySelector('#grid .head[data-i=\"{entry}\"] canvas').toDataURL()"
    assert page.evaluate(large) == before


def test_marks_say_how_much_a_head_changed(three: Path, visit: Visit) -> None:
    page = drawn(visit(three))
    page.wait_for_selector("#grid .change")
    sizes = page.evaluate(
        f"[...{ROOT}.querySelectorAll('#grid .head')].map((e) => [+e.dataset.i,"
        " +e.querySelector('.change').style.getPropertyValue('--size')])"
    )
    for entry, size in sizes:
        first, last = (LOOKS[place].heads[entry].statistics for place in (0, 23))
        shares = [abs(last[name] - first[name]) for name in first
                  if name not in ("reach", "distance", "max")]  # fmt: skip
        assert size >= max(shares) - 2e-3
        assert size <= 1
    page.select_option("#order", "change")
    order = [int(x) for x in page.evaluate(
        f"[...{ROOT}.querySelectorAll('#grid .head')].map((e) => e.dataset.i)")]  # fmt: skip
    ranked = sorted(sizes, key=lambda pair: -pair[1])
    assert order == [entry for entry, _ in ranked]
    assert "differs by" in str(page.get_attribute("#grid .head >> nth=0", "aria-label"))


def test_everything_has_a_name_and_nothing_scrolls_sideways(three: Path, visit: Visit) -> None:
    page = drawn(visit(three, viewport={"width": 390, "height": 800}))
    page.click("#first")
    page.wait_for_selector("#differences .head")
    page.click("#statistics-table summary")
    nameless = page.evaluate(
        f"""(parts) => [...{ROOT}.querySelectorAll(parts)]
        .filter((e) => e.matches('button, select, input, [tabindex], [role=img]'))
        .filter((e) => !(e.getAttribute('aria-label') || e.textContent.trim()
          || (e.labels && e.labels.length && e.labels[0].textContent.trim())))
        .map((e) => e.outerHTML.slice(0, 80))""",
        "#steps *, #grid *, #several *, #compare *, #statistics *",
    )
    assert nameless == []
    assert page.evaluate("document.documentElement.scrollWidth") == 390
    page.click("#language")
    page.wait_for_selector("#steps-title:has-text('随步数的变化')")
    assert page.evaluate("document.documentElement.scrollWidth") == 390
    missing = re.findall(r"\{\w+\}|stat\.\w+|undefined|NaN", str(page.inner_text("main")))
    assert missing == []


def test_hostile_names_are_inert(tmp_path: Path, visit: Visit) -> None:
    path = tmp_path / "evil.html"
    evil = [Training(id=name, run=f"{EVIL}{name}", name=EVIL, label=EVIL, steps=(0, 5), layers=1)
            for name in ("x", "y")]  # fmt: skip
    path.write_text(page_of(stepping(*evil, title=EVIL)), encoding="utf-8")
    opened = visit(path)
    page = drawn(opened)
    page.select_option("#run", "1")
    page.wait_for_function(f"() => {ROOT}.getElementById('run').value === '1'")
    page.select_option("#other-track", label=f"{EVIL}x · {EVIL}")
    page.wait_for_selector("#differences .head")
    page.hover("#heat")
    assert EVIL in text(page, "compare-caption")
    assert page.evaluate("window.stolen") is None
    assert page.locator("main img").count() == 0
    assert page.evaluate("document.documentElement.scrollWidth") == 1280
    silent(opened, path)


def test_a_thousand_steps_stay_smooth(tmp_path: Path, visit: Visit) -> None:
    path = tmp_path / "thousand.html"
    many = Training(id="x", steps=range(0, 50_000, 50), layers=1, heads=4)
    path.write_text(page_of(stepping(many)), encoding="utf-8")
    opened = visit(path)
    page = drawn(opened)
    page.wait_for_selector("#line .course-line")
    gaps = page.evaluate(
        f"""async () => {{ const step = {ROOT}.getElementById('step'), gaps = [];
        let last = performance.now();
        for (let frame = 0; frame < 90; frame++) {{
          step.value = 999 - frame * 11;
          step.dispatchEvent(new Event('input', {{ bubbles: true }}));
          await new Promise(requestAnimationFrame);
          const now = performance.now(); gaps.push(now - last); last = now;
        }}
        return gaps; }}"""
    )
    gaps.sort()
    # Generous, for a loaded machine without a graphics card: a freeze would be seconds.
    assert gaps[45] < 300
    assert gaps[-1] < 3000
    wait_step(page, 50 * (999 - 89 * 11))
    assert page.evaluate(f"{ROOT}.querySelectorAll('*').length") < 4000
    assert page.locator("#line .verdict").count() < 60
    page.click("#play")
    page.wait_for_function(f"() => +{ROOT}.getElementById('step').value > 60")
    assert opened.complaints == []
