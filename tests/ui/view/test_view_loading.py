"""A live host: the newest wish wins, errors lose nothing, new steps move nobody who looks back."""

import re
from pathlib import Path
from typing import Any

import pytest

from tests.ui.view.pages import Visit, text
from tests.ui.view.stepping import Training, hosted, stepping, wait_step

CELL = "document.getElementById('cell').firstChild.shadowRoot"


@pytest.fixture(scope="module")
def live(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A page that plays a live host."""
    path = tmp_path_factory.mktemp("live") / "live.html"
    small = Training(id="a", run="r", steps=range(0, 240, 10), layers=1, heads=2)
    path.write_text(hosted(stepping(small)), encoding="utf-8")
    return path


def cell(opened: Any) -> Any:
    """Wait for the view inside the live host."""
    opened.page.wait_for_selector("#cell #step-now")
    opened.page.wait_for_selector("#cell .course-rows[aria-busy=false]")
    return opened.page


def test_the_newest_wish_wins(live: Path, visit: Visit) -> None:
    opened = visit(live)
    page = cell(opened)
    page.wait_for_timeout(300)  # what is fetched ahead has come
    assert "moment/a/220" in page.evaluate("host.asked"), "the step beside"
    page.evaluate("host.held = []; host.asked = []")
    for place in (6, 7, 9, 10, 11, 13):
        page.fill("#step", str(place))
    assert "95 %" in text(page, "decision"), "the old picture stays"
    assert page.get_attribute("#steps .course-rows", "aria-busy") == "true"
    assert page.evaluate("host.asked") == ["moment/a/60", "moment/a/70"], "two at a time"
    page.evaluate("host.release()")
    wait_step(page, 130)
    assert "75.4 %" in text(page, "decision")
    page.wait_for_timeout(300)
    assert "moment/a/100" not in page.evaluate("host.asked"), "nobody wants it any more"
    assert opened.complaints == []


def test_a_step_that_cannot_be_read_is_said_and_nothing_is_lost(live: Path, visit: Visit) -> None:
    page = cell(visit(live))
    page.evaluate("host.broken = ['moment/a/60', 'series/a']")
    page.fill("#step", "6")
    page.wait_for_selector("#stop")
    assert "Step 60 could not be read: no moment/a/60" in text(page, "stop")
    assert page.input_value("#step") == "23", "the slider is where the picture is"
    assert "95 %" in text(page, "decision")
    page.evaluate("host.broken = []")
    page.fill("#step", "6")
    wait_step(page, 60)
    assert page.locator("#stop").count() == 0


PUBLISH = """(change) => { const index = structuredClone(host.index), one = index.tracks[0];
  if (change.add) for (const step of change.add) {
    host.packs[`moment/a/${step}`] ??= host.packs[`moment/a/${one.steps.at(-1)}`];
    one.steps.push(step); one.times.push(step + 1e9); }
  if (change.drop) { const keep = one.steps.map((step) => !change.drop.includes(step));
    for (const name of ['steps', 'times']) one[name] = one[name].filter((_, i) => keep[i]); }
  if (change.times) one.times = one.times.map((time) => time + change.times);
  if (change.gone) index.tracks = [];
  if (change.back) index.tracks = change.back;
  host.asked = []; host.publish(index); return index; }"""


def test_new_steps_do_not_move_who_looks_back(live: Path, visit: Visit) -> None:
    page = cell(visit(live))
    page.focus("#step")
    page.keyboard.press("Home")
    page.keyboard.press("ArrowRight")
    wait_step(page, 10)
    page.evaluate(PUBLISH, {"add": [240, 250]})
    page.wait_for_selector("#step[max='25']")
    wait_step(page, 10)
    assert page.input_value("#step") == "1"
    page.evaluate(PUBLISH, {"drop": [10]})  # sampling took the very step away
    page.wait_for_selector("#step[max='24']")
    assert "no longer kept" in text(page, "step-now")
    assert page.locator("#grid .head").count() == 2, "what was read stays"
    page.keyboard.press("End")
    page.wait_for_selector("#step-now b:has-text('step 250')")
    page.evaluate(PUBLISH, {"add": [260]})
    page.wait_for_selector("#step-now b:has-text('step 260')")
    assert "newest" in text(page, "step-now"), "who stands at the end goes on with it"


def test_a_run_that_goes_and_comes_back(live: Path, visit: Visit) -> None:
    page = cell(visit(live))
    page.fill("#step", "4")
    wait_step(page, 40)
    tracks = page.evaluate("host.index.tracks")
    page.evaluate(PUBLISH, {"back": [{**tracks[0], "id": "b", "run": "another"}]})
    page.wait_for_selector("#stop")
    assert "no longer there" in text(page, "stop")
    assert page.locator("#grid .head").count() == 2
    assert page.locator("#run option").all_text_contents() == ["another"], "there is a way out"
    page.evaluate(PUBLISH, {"back": tracks})
    page.wait_for_selector("#stop", state="detached")
    wait_step(page, 40)
    assert "57.8 %" in text(page, "decision")


def test_a_training_begun_again_with_other_heads(live: Path, visit: Visit) -> None:
    page = cell(visit(live))
    again = Training(id="a", run="r", steps=range(0, 240, 10), layers=2, heads=3, length=9, seed=2)
    archive = hosted(stepping(again))
    packs = re.search(r'id="packs">(.*?)</script>', archive, re.DOTALL)
    assert packs is not None
    page.click("#first")
    page.wait_for_selector("#differences .head")
    page.evaluate(f"Object.assign(host.packs, {packs[1]}.packs)")
    page.evaluate(PUBLISH, {"times": 5})
    page.wait_for_function(f"() => {CELL}.querySelectorAll('#grid .head').length === 6")
    page.wait_for_function(f"() => {CELL}.querySelectorAll('#differences .head').length === 6")
    assert page.locator("#words .word").count() == 9
