"""The panel's list of rules over the shipped model: names, reasons, on and off, files."""

import json
import runpy
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.ui.server.standing import Standing, standing
from tests.ui.steering.panels import Panel, opened
from zhuyi.steer.rules import Rules
from zhuyi.ui.steering.notes_desk import NotesDesk
from zhuyi.ui.steering.routes import make_steering_site

OWN = Rules().boost("高血压", 2, id="look-bp", why="guideline").veto("糖尿病", id="no-sugar")


@pytest.fixture(scope="module")
def server() -> Iterator[Standing]:
    with standing(make_steering_site(NotesDesk(), rules=OWN)) as up:
        yield up


@pytest.fixture
def panel(browser: Any, server: Standing) -> Iterator[Panel]:
    found = opened(browser, server, permissions=["clipboard-read", "clipboard-write"])
    yield found
    found.page.context.close()


def names(panel: Panel) -> list[str]:
    found: list[str] = panel.page.locator(".card .name").evaluate_all(
        "all => all.map((one) => one.value)"
    )
    return found


def write(panel: Panel, selector: str, text: str) -> None:
    panel.page.fill(selector, text)
    panel.page.keyboard.press("Tab")


#: A click on a checkbox that takes no focus, some time from now.
SOON_OFF = """() => setTimeout(() => {
  const root = document.getElementById("zhuyi").shadowRoot ?? document;
  root.querySelector("[data-rule=no-sugar] input[type=checkbox]").click();
}, 1000)"""


def test_what_is_being_typed_outlives_an_answer(panel: Panel) -> None:
    page = panel.page
    before = panel.text("#bars")
    page.evaluate(SOON_OFF)  # another rule is switched off by itself, while a person types
    page.focus("[data-rule=look-bp] .why")
    page.keyboard.press("End")
    page.keyboard.type(" of the")
    page.wait_for_selector("[data-rule=no-sugar] .tag:text-is('off')")
    panel.soon(lambda: panel.text("#bars") != before, True)
    assert page.input_value("[data-rule=look-bp] .why") == "guideline of the"
    page.keyboard.type(" ward")
    page.keyboard.press("Tab")
    panel.soon(lambda: panel.rules()[0]["why"], "guideline of the ward")


def test_rules_are_named_explained_switched_and_undone(panel: Panel) -> None:
    page = panel.page
    before = panel.text("#bars")
    assert names(panel) == ["look-bp", "no-sugar"]
    assert page.input_value("[data-rule=look-bp] .why") == "guideline"
    write(panel, "[data-rule=look-bp] .name", "pressure first")
    write(panel, "[data-rule='pressure first'] .why", "the ward's own")
    first = {"id": "pressure first", "boost": {"text": "高血压"}, "weight": 2.0}
    panel.soon(lambda: panel.rules()[0], first | {"why": "the ward's own"})
    write(panel, "[data-rule=no-sugar] .name", "pressure first")  # two of one name
    page.wait_for_selector("#done:has-text('called so')")
    assert names(panel) == ["pressure first", "no-sugar"]

    page.uncheck("[data-rule=no-sugar] input[type=checkbox]")
    page.wait_for_selector("[data-rule=no-sugar] .tag:text-is('off')")
    panel.soon(lambda: [one["id"] for one in panel.rules()], ["pressure first"])
    page.check("[data-rule=no-sugar] input[type=checkbox]")
    panel.soon(lambda: panel.text("#bars"), before)

    page.click("#off")
    page.wait_for_selector("#off-note")
    panel.soon(lambda: panel.rules(), [])
    panel.soon(lambda: page.locator("#bars .by").count(), 0)
    page.click("#off")
    panel.soon(lambda: panel.text("#bars"), before)

    page.click("[data-rule='pressure first'] .close")
    panel.soon(lambda: names(panel), ["no-sugar"])
    page.click("#undo")
    panel.soon(lambda: names(panel), ["pressure first", "no-sugar"])
    for _ in range(4):
        page.click("#undo")
    panel.soon(lambda: names(panel), ["look-bp", "no-sugar"])
    assert page.locator("#undo").is_disabled()
    page.click("#redo")
    panel.soon(lambda: names(panel), ["pressure first", "no-sugar"])
    panel.silent()


def test_a_slider_of_the_list_moves_its_rule(panel: Panel) -> None:
    page = panel.page
    panel.move(-60, "[data-rule=look-bp] input[type=range]")
    damped = {"id": "look-bp", "damp": {"text": "高血压"}, "weight": 0.05, "why": "guideline"}
    panel.soon(lambda: panel.rules()[0], damped)
    assert page.locator("[data-rule=no-sugar] input[type=range]").count() == 0, "a veto has none"
    panel.silent()


def test_yaml_goes_out_and_comes_back(panel: Panel, tmp_path: Path) -> None:
    page = panel.page
    write(panel, "[data-rule=look-bp] .why", 'because: "of" #all\u2028 that')
    panel.soon(lambda: "why" in panel.rules()[0] and "of" in panel.rules()[0]["why"], True)
    with page.expect_download() as saved:
        page.click("#save")
    assert saved.value.suggested_filename == "rules.yaml"
    text = saved.value.path().read_text(encoding="utf-8")
    read = Rules.from_yaml(text, trusted=False)
    assert read == OWN
    assert [rule.why for rule in read] == ['because: "of" #all\u2028 that', ""]

    file = tmp_path / "mine.yaml"
    file.write_text(text, encoding="utf-8")
    for name in ("look-bp", "no-sugar"):
        page.click(f"[data-rule={name}] .close")
    page.set_input_files("#load", file)
    page.wait_for_selector("[data-rule=no-sugar]")
    assert panel.text("#done") == "Loaded: 2 rules."
    panel.soon(lambda: len(panel.rules()), 2)
    sent = json.dumps({"version": 1, "rules": panel.rules()}, ensure_ascii=True)
    assert Rules.from_yaml(sent, trusted=False) == OWN
    page.click("#undo")
    page.wait_for_selector("#no-rules")
    panel.silent()


STRANGE = {
    "version: 1\nrules: [{id: a, boost: {regex: '(a+)+$'}, weight: 2}]": "may take forever",
    "version: 1\nrules: [{id: a, bost: {text: x}, weight: 2}]": "line 2",
    "a: &a [*a]": "aliases",
    "x" * 70_000: "too large",
}


def test_a_file_that_holds_no_rules_is_refused(panel: Panel, tmp_path: Path) -> None:
    for number, (text, told) in enumerate(STRANGE.items()):
        file = tmp_path / f"strange{number}.yaml"
        file.write_text(text, encoding="utf-8")
        panel.page.set_input_files("#load", file)
        panel.page.wait_for_selector(f"#load-failed:has-text('{file.name} was not loaded')")
        assert told in panel.text("#load-failed")
        assert names(panel) == ["look-bp", "no-sugar"]
    # The browser itself notes every refusal.
    panel.complaints = [one for one in panel.complaints if "status of 400" not in one]
    panel.silent()


def test_rules_are_copied_as_python(panel: Panel, tmp_path: Path) -> None:
    page = panel.page
    page.click("#copy")
    page.wait_for_selector("#done:has-text('Copied.')")
    python = page.evaluate("navigator.clipboard.readText()")
    file = tmp_path / "copied.py"
    file.write_text(python, encoding="utf-8")
    assert runpy.run_path(str(file))["rules"] == OWN
    # Where a page may not copy, the text is there to be copied by hand.
    page.evaluate("() => { navigator.clipboard.writeText = () => Promise.reject(); }")
    page.click("#copy")
    page.wait_for_selector("#python")
    assert page.input_value("#python") == python
    panel.silent()


def test_rules_that_cannot_hold_together_are_told_by_name(panel: Panel, tmp_path: Path) -> None:
    page = panel.page
    file = tmp_path / "both.yaml"
    file.write_text(
        "version: 1\nrules:\n- {id: never, veto: {text: 糖尿病}}\n"
        "- {id: always, share: {text: 糖尿病}, at_least: 0.2}\n",
        encoding="utf-8",
    )
    page.set_input_files("#load", file)
    page.wait_for_selector("#error")
    assert "'never'" in panel.text("#error")
    assert "'always'" in panel.text("#error")
    assert page.locator("#save").is_disabled()
    page.uncheck("[data-rule=never] input[type=checkbox]")
    page.wait_for_selector("#error", state="detached")
    panel.rest()
    assert panel.text("[data-rule=always] .tag") == "at least 20.0 %"
    assert page.locator("#save").is_enabled()


def test_a_server_that_has_gone_is_told(browser: Any) -> None:
    with standing(make_steering_site(NotesDesk())) as up:
        panel = opened(browser, up)
    page = panel.page
    page.focus("#pieces .word")
    page.keyboard.press("Delete")
    page.wait_for_selector("#error:has-text('Is zhuyi serve still running?')")
    page.click("#retry")
    page.wait_for_selector("#error")
    page.context.close()
