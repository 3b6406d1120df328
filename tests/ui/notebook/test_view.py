"""`view`: what a notebook stores, what a terminal prints, and where each is chosen."""

import html
import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from IPython.core.interactiveshell import InteractiveShell
from IPython.utils.capture import capture_output

from tests.ui.notebook.things import EVIL, WORDS, attribution_of, tape_of, verdict_of
from tests.ui.synthetic_audit import synthetic_audit
from zhuyi.core.record import Attribution, Verdict
from zhuyi.errors import InputError, OptionError
from zhuyi.trace.tape import Tape
from zhuyi.ui.notebook import Choice, View, view
from zhuyi.ui.notebook.host import notebook_shell

NOT_VERIFIED = "NOT VERIFIED: attention shows where a model looked, not why it decided."


def everything() -> dict[str, View]:
    """One view of each kind of thing."""
    return {
        "tape": view(tape_of(), choice=Choice(labels=WORDS), title="two layers"),
        "attribution": view(attribution_of("not bad at all", "so so"), decisions=("no", "yes")),
        "verdict": view(verdict_of("refuted", "trusted")),
        "report": view(synthetic_audit()),
    }


@pytest.fixture
def shell() -> Iterator[InteractiveShell]:
    """A real shell whose front end shows HTML, as a kernel's does."""
    made = InteractiveShell.instance()
    formatter = made.display_formatter
    before, formatter.active_types = formatter.active_types, formatter.format_types
    yield made
    formatter.active_types = before
    InteractiveShell.clear_instance()


@pytest.mark.parametrize("kind", ["tape", "attribution", "verdict", "report"])
def test_what_a_notebook_stores(kind: str) -> None:
    bundle = everything()[kind]._repr_mimebundle_()
    assert list(bundle) == ["text/html", "text/plain"]
    assert json.loads(json.dumps(bundle)) == bundle, "a notebook is JSON"
    cell = bundle["text/html"]
    assert cell == everything()[kind]._repr_html_(), "the same thing gives the same cell"
    assert len(cell.encode()) < 2_000_000
    frames = re.findall(r"<iframe ([^>]*)>", cell)
    assert len(frames) == 1
    assert 'sandbox="allow-scripts allow-downloads"' in frames[0]
    assert "<script" not in cell, "nothing runs outside the frame"
    page = html.unescape(re.findall(r'srcdoc="([^"]*)"', cell)[0])
    assert page.startswith("<!doctype html>")
    assert "default-src 'none'" in page


def test_include_and_exclude_are_kept() -> None:
    seen = view(tape_of())
    assert list(seen._repr_mimebundle_(include={"text/plain"})) == ["text/plain"]
    assert list(seen._repr_mimebundle_(exclude={"text/html"})) == ["text/plain"]


def test_nothing_is_drawn_before_it_is_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("drawn too early")

    with monkeypatch.context() as patch:
        patch.setattr("zhuyi.ui.notebook.showing.picture_tape", refuse)
        seen = view(tape_of())
        assert repr(seen) == "View('Attention')"
    assert "head 1" in seen.text()


def test_without_a_verdict_every_form_says_so() -> None:
    for kind, said in (("tape", "attention shows where a"), ("attribution", "this is what one")):
        bundle = everything()[kind]._repr_mimebundle_()
        assert f"NOT VERIFIED: {said}" in bundle["text/plain"]
        below = bundle["text/html"].split("</iframe>")[1]
        assert f"Not verified: {said}" in below
        assert "未经验证" in below


def test_with_a_verdict_every_form_carries_it() -> None:
    verdict = verdict_of("refuted")
    for thing in (tape_of(), attribution_of("not bad")):
        bundle = view(thing, verdict=verdict)._repr_mimebundle_()
        assert "✘ REFUTED: the tests speak against" in bundle["text/plain"]
        assert "NOT VERIFIED" not in bundle["text/plain"]
        below = bundle["text/html"].split("</iframe>")[1]
        assert "✘ Refuted." in below
        assert "Not verified" not in below


def test_many_inputs_are_counted_below_the_frame() -> None:
    attribution = attribution_of("a b", "c d", "e f")
    seen = view(attribution, verdict=verdict_of("trusted", "refuted", "trusted"))
    below = seen._repr_html_().split("</iframe>")[1]
    assert "3 of 3 inputs. ✔ Trusted 2, ? Doubtful 0, ✘ Refuted 1." in below
    assert seen.text().count("What does “class 1” rest on?") == 3


def test_hostile_text_stays_inside_its_attribute() -> None:
    labels = [EVIL, *WORDS[1:]]
    for seen in (
        view(tape_of(), choice=Choice(labels=labels), title=EVIL),
        view(attribution_of(f"not {EVIL.replace(' ', '_')}"), title=EVIL),
        view(synthetic_audit(evil=EVIL)),
        view(verdict_of("doubtful", text=EVIL)),
    ):
        cell = seen._repr_html_()
        tags = re.findall(r"<(/?\w+)", cell)
        expected = {"div", "/div", "iframe", "/iframe", "span", "/span"}
        assert set(tags) == expected | {"details", "/details", "summary", "/summary", "pre", "/pre"}
        assert tags.count("iframe") == tags.count("pre") == 1


def test_half_an_emoji_can_be_stored() -> None:
    labels = ["\ud83d", *WORDS[1:]]
    seen = view(tape_of(), choice=Choice(labels=labels), title="\ud83d")
    assert seen._repr_html_().encode()
    assert seen.text().encode()


def test_a_budget_is_kept_and_what_it_left_out_is_said() -> None:
    def inside(budget: int) -> tuple[int, int, int]:
        cell = view(tape_of(layers=6, heads=12, length=70, width=16), budget=budget)._repr_html_()
        assert len(cell.encode()) <= budget
        found = re.search(r"(\d+) of 72 heads, (\d+) of them in full", cell.split("</iframe>")[1])
        assert found is not None
        return int(found[1]), int(found[2]), len(cell.encode())

    whole, some = inside(2_000_000), inside(700_000)
    assert whole[:2] == (72, 72)
    assert some[0] == 72
    assert 0 < some[1] < 72
    assert some[2] > 600_000, "what there is of the budget is used"


def test_options_that_make_no_sense() -> None:
    with pytest.raises(OptionError, match="budget must be positive, got 0"):
        view(tape_of(), budget=0)
    with pytest.raises(OptionError, match="height must be positive, got -1"):
        view(tape_of(), height=-1)
    with pytest.raises(OptionError, match="got dict"):
        view({})  # type: ignore[arg-type]
    with pytest.raises(OptionError, match="batch must be from 0 to 1, got 2"):
        view(attribution_of("a", "b"), choice=Choice(batch=2))
    with pytest.raises(OptionError, match="labels must name"):
        view(tape_of(), choice=Choice(labels=["one"]))
    with pytest.raises(OptionError, match="audit report has no widget"):
        view(synthetic_audit()).widget()


def test_saving_writes_the_page(tmp_path: Path) -> None:
    for kind, seen in everything().items():
        path = tmp_path / f"{kind}.html"
        seen.save(path)
        assert path.read_text(encoding="utf-8").startswith("<!doctype html>")
    with pytest.raises(InputError, match="folder that does not exist"):
        seen.save(tmp_path / "nowhere" / "page.html")


# --- the doors of the records, in every host ---------------------------------------------------


def shown(thing: Any) -> None:
    """Call the record's own method, which gives nothing back."""
    if isinstance(thing, Tape):
        assert thing.show(WORDS, title="two layers") is None  # type: ignore[func-returns-value]
    elif isinstance(thing, Attribution):
        assert thing.show(verdict_of("trusted")) is None  # type: ignore[func-returns-value]
    else:
        assert thing.show() is None


THINGS: dict[str, tuple[Any, str]] = {
    "tape": (tape_of(), NOT_VERIFIED),
    "attribution": (attribution_of("not bad at all"), "✔ TRUSTED"),
    "verdict": (verdict_of("doubtful"), "? DOUBTFUL"),
    "report": (synthetic_audit(), "Methods under the same tests"),
}


@pytest.mark.parametrize("kind", THINGS)
def test_a_script_prints_text(kind: str, capsys: pytest.CaptureFixture[str]) -> None:
    thing, told = THINGS[kind]
    shown(thing)
    out = capsys.readouterr().out
    assert told in out
    assert "<iframe" not in out
    assert "-o " not in out, "no flags where there is no command"


@pytest.mark.parametrize("kind", THINGS)
def test_a_notebook_displays_html_and_text(kind: str, shell: InteractiveShell) -> None:
    thing, told = THINGS[kind]
    assert notebook_shell() is shell
    with capture_output() as caught:
        shown(thing)
    (output,) = caught.outputs
    assert output.data["text/html"].startswith('<div class="zhuyi-cell"><iframe ')
    assert told in output.data["text/plain"]
    assert caught.stdout == ""


def test_the_last_line_of_a_cell_is_shown_by_the_shell_itself(shell: InteractiveShell) -> None:
    """IPython's own machinery, as a kernel runs it: no method of ours is called by hand."""
    shell.user_ns.update(view=view, tape=tape_of())
    with capture_output() as caught:
        result = shell.run_cell("view(tape)")
    result.raise_error()
    assert isinstance(result.result, View)
    data, metadata = shell.display_formatter.format(result.result)
    assert sorted(data) == ["text/html", "text/plain"]
    assert metadata == {}
    assert caught.stderr == ""


def test_two_cells_do_not_meet(shell: InteractiveShell) -> None:
    """Nothing in a cell has a name that another cell could have too."""
    with capture_output() as caught:
        tape_of().show()
        tape_of().show()
    first, second = (output.data["text/html"] for output in caught.outputs)
    assert first == second
    assert " id=" not in first.split(' srcdoc="')[0] + first.split("</iframe>")[1]


def test_a_terminals_shell_prints_text(capsys: pytest.CaptureFixture[str]) -> None:
    made = InteractiveShell.instance()
    made.display_formatter.active_types = ["text/plain"]
    try:
        assert notebook_shell() is None
        tape_of().show()
    finally:
        InteractiveShell.clear_instance()
    assert NOT_VERIFIED in capsys.readouterr().out


def test_showing_imports_neither_ipython_nor_a_widget_nor_matplotlib() -> None:
    """In a fresh process, since the tests themselves import IPython."""
    code = (
        "import sys, torch, zhuyi\n"
        "layer = torch.nn.TransformerEncoderLayer(8, 2, batch_first=True).eval()\n"
        "with zhuyi.watch(layer) as tape: layer(torch.randn(1, 3, 8))\n"
        "assert 'zhuyi.ui' not in sys.modules\n"
        "tape.show()\n"
        "from zhuyi.ui.notebook import view; view(tape)._repr_html_()\n"
        "import zhuyi.ui.figures\n"
        "heavy = ('IPython', 'anywidget', 'matplotlib', 'tensorboard', 'starlette', 'pandas')\n"
        "print([name for name in heavy if name in sys.modules])\n"
        "import importlib.util\n"
        "if importlib.util.find_spec('matplotlib'):\n"
        "    tape.plot()._repr_png_()\n"
        "print('matplotlib.pyplot' in sys.modules)\n"
    )
    run = subprocess.run(
        [sys.executable, "-W", "error", "-c", code], capture_output=True, text=True, check=False
    )
    assert run.returncode == 0, run.stderr
    assert NOT_VERIFIED in run.stdout
    assert run.stdout.strip().endswith("[]\nFalse"), "no pyplot, which is everybody's state"


def test_verdicts_of_other_inputs_are_refused() -> None:
    verdict: Verdict = verdict_of("trusted", "trusted")
    seen = view(attribution_of("a", "b", "c"), verdict=verdict)
    with pytest.raises(OptionError, match="on 2 inputs, so none is number 2"):
        seen.text()
