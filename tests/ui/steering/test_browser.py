"""The panel over the shipped model, in a real browser: words weighed, and what that decides."""

from collections.abc import Iterator
from typing import Any

import pytest

from tests.ui.server.standing import Standing, standing
from tests.ui.steering.panels import Panel, opened
from zhuyi.recipes.medicine.notes import load
from zhuyi.steer.rules import Rules
from zhuyi.steer.steering import steer
from zhuyi.ui.steering.notes_desk import FIRST, NotesDesk
from zhuyi.ui.steering.routes import make_steering_site

LIPIDS = 1  # the second question of a note
WORD = "#pieces .word:has-text('高血脂')"
END = 60  # the slider's last step: twenty times


@pytest.fixture(scope="module")
def alone() -> dict[str, str]:
    """The second question's probability by the library alone, before the server has the model."""
    model = load()
    rules = {"damped": Rules().damp("高血脂", 0.05), "vetoed": Rules().veto("高血脂")}
    found = {"plain": float(model.predict_proba([FIRST])[0][LIPIDS])}
    for name, some in rules.items():
        with steer(model, some):
            found[name] = float(model.predict_proba([FIRST])[0][LIPIDS])
    return {name: f"{100 * share:.1f} %" for name, share in found.items()}


@pytest.fixture(scope="module")
def server(alone: dict[str, str]) -> Iterator[Standing]:
    with standing(make_steering_site(NotesDesk())) as up:
        yield up


@pytest.fixture
def panel(browser: Any, server: Standing) -> Iterator[Panel]:
    found = opened(browser, server)
    yield found
    found.page.context.close()


def shown(panel: Panel) -> str:
    """The second question's probability, as a person reads it."""
    return panel.text("#bars li:nth-child(2) .amount")


def focused(page: Any, selector: str) -> bool:
    return bool(page.locator(selector).first.evaluate("one => one.matches(':focus')"))


def test_a_word_is_damped_with_the_mouse_and_let_go(panel: Panel, alone: dict[str, str]) -> None:
    page = panel.page
    assert shown(panel) == alone["plain"]
    assert page.locator("#bars .by").count() == 0, "nothing has changed yet"
    page.click(WORD)
    assert focused(page, "#popover input[type=range]")
    box = page.locator("#popover input[type=range]").bounding_box()
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    page.mouse.down()
    for part in (0.4, 0.2, 0.05, -0.05):
        page.mouse.move(box["x"] + box["width"] * part, box["y"] + box["height"] / 2)
    page.mouse.up()
    page.wait_for_selector("#popover .weight-said:has-text('÷ 20')")
    damped = [{"id": "高血脂", "damp": {"text": "高血脂"}, "weight": 0.05}]
    panel.soon(panel.rules, damped)
    panel.soon(lambda: shown(panel), alone["damped"])
    # A drag is one step, however many places it passed.
    page.click("#reset")
    page.wait_for_selector("#no-rules")
    panel.soon(lambda: shown(panel), alone["plain"])
    assert page.locator("#reset").is_disabled()
    page.keyboard.press("Escape")
    page.wait_for_selector("#popover", state="detached")
    page.click("#undo")
    page.wait_for_selector(".card[data-rule='高血脂'] .tag:text-is('÷ 20')")
    page.click("#undo")
    page.wait_for_selector("#no-rules")
    assert page.locator("#undo").is_disabled()
    panel.silent()


def test_a_veto_turns_the_decision(panel: Panel, alone: dict[str, str]) -> None:
    page = panel.page
    page.click(WORD)
    page.click("#never")
    page.wait_for_selector("#said del:has-text('高血脂')")
    plain, never = (float(alone[name].split()[0]) for name in ("plain", "vetoed"))
    panel.soon(lambda: shown(panel), alone["vetoed"])
    assert never < 1 < 99 < plain
    by = float(panel.text("#bars li:nth-child(2) .by").split()[0].replace("−", "-"))
    assert by == pytest.approx(never - plain, abs=0.11)  # three roundings
    assert page.locator(WORD).get_attribute("aria-label").endswith("rule: never")
    assert page.locator(f"{WORD} .tag").text_content() == "never"
    # Both are seen: what counted without rules, and now.
    assert page.locator("#pieces .was").count() > 0
    panel.silent()


def test_everything_by_keyboard(panel: Panel) -> None:
    page = panel.page
    page.focus("#pieces .word")
    for key in ("ArrowRight", "ArrowRight", "ArrowRight", "Enter"):
        page.keyboard.press(key)
    page.wait_for_selector("#popover-title:text-is('高血脂')")
    assert page.locator(WORD).get_attribute("aria-expanded") == "true"
    page.keyboard.press("ArrowLeft")
    page.wait_for_selector("#popover .weight-said:has-text('÷ 1.05')")
    for _ in range(4):
        page.keyboard.press("ArrowLeft")
    page.keyboard.press("End")
    page.wait_for_selector("#popover .weight-said:has-text('× 20')")
    page.keyboard.press("Escape")
    page.wait_for_selector("#popover", state="detached")
    panel.soon(lambda: focused(page, WORD), True)  # a person is left where they were
    page.keyboard.press("Delete")
    page.wait_for_selector(f"{WORD} .tag:text-is('never')")
    panel.soon(panel.rules, [{"id": "高血脂", "veto": {"text": "高血脂"}}])
    page.keyboard.press("Control+z")
    page.wait_for_selector(f"{WORD} .tag:text-is('× 20')")
    page.keyboard.press("Control+Shift+Z")
    page.wait_for_selector(f"{WORD} .tag:text-is('never')")
    for _ in range(9):
        page.keyboard.press("Control+z")
    page.wait_for_selector("#no-rules")
    assert page.locator("#pieces [tabindex='0']").count() == 1, "Tab passes the words in one step"
    panel.silent()


def test_chance_certificate_and_verdict_stand_beside_the_effect(panel: Panel) -> None:
    page = panel.page
    page.wait_for_selector(
        "#verdict .level:has-text('Trusted'), #verdict .level:has-text('Doubtful')"
    )
    with page.expect_response("**/control") as control, page.expect_response("**/verdict") as said:
        page.focus(WORD)
        page.keyboard.press("Delete")
    [chance] = control.value.json()["rules"]
    line = page.locator(".card .control", has_text="random words")
    line.wait_for()
    assert f"{100 * chance['mean']:.1f} points on average" in line.text_content()
    assert f"this rule: {100 * chance['own']:.1f} points" in line.text_content()
    told = chance["as_large"] * chance["draws"]
    assert f"{told:.0f} of {chance['draws']} random draws" in line.text_content()
    assert chance["own"] > 0.9 > 0.1 > chance["mean"], "of lipids, which the rule is about"
    [found] = said.value.json()["certificate"]
    page.wait_for_selector(".claim")
    assert found["claim"]["en"][1:] in panel.text(".claim")
    page.click(".claim summary")
    assert page.locator(".claim details li").count() == len(found["items"])
    # The words are now shown for the question that the rule moved.
    assert "降脂药" in panel.text("#pieces-title")
    page.click("#bars li:nth-child(1) button.label")
    page.focus("#pieces .word")
    page.keyboard.press("Delete")
    page.wait_for_selector("#together:has-text('All rules together move antihypertensive')")
    page.wait_for_selector("#pieces-title:has-text('降压药')")
    panel.silent()


def test_another_text_another_answer(panel: Panel) -> None:
    page = panel.page
    page.focus(WORD)
    page.keyboard.press("Delete")
    page.fill("#text", "Hypertension for 5 years.")
    page.wait_for_selector("#pieces .word:has-text('Hypertension')")
    page.wait_for_selector(".card .nothing:has-text('Matches nothing here')")
    assert "高血脂" not in panel.text("#pieces")
    page.fill("#text", " ")
    page.wait_for_selector("#decision:has-text('Write a text above')")
    page.select_option("#example", index=1)  # "own" is gone, the second example is chosen
    page.wait_for_selector("#bars")
    assert page.input_value("#text") == page.evaluate(
        "fetch('desk').then((one) => one.json()).then((one) => one.examples[0].input.text)"
    )
    panel.silent()
