"""A logged training in a notebook: the cell, the text, and a widget that sees new steps."""

from pathlib import Path

import pytest

from tests.ui.synthetic import synthetic_look
from zhuyi.core.record import Label
from zhuyi.errors import InputError
from zhuyi.ui.live import FolderArchive, FolderSink
from zhuyi.ui.notebook import view
from zhuyi.ui.view.document import moment_of, track_pack


def logged(folder: Path, steps: range, verdict: Label | None = None) -> FolderArchive:
    """A folder with one look a step."""
    looked, _, _ = synthetic_look(layers=1, heads=2, length=12, width=8, verdict=verdict)
    sink = FolderSink(folder)
    sink.track("0", "the probe", track_pack(looked))
    for written, step in enumerate(steps, start=1):
        sink.moment("0", moment_of(looked, step=step, written=written))
    sink.close()
    return FolderArchive(folder, title="a training")


def test_a_cell_holds_the_steps(tmp_path: Path) -> None:
    bundle = view(logged(tmp_path, range(0, 100, 10)))._repr_mimebundle_()
    assert len(bundle["text/html"].encode()) < 2_000_000
    below = bundle["text/html"].split("</iframe>")[1]
    assert "1 input, 10 looks logged" in below
    assert "Not verified" in below
    assert "the probe: steps 0 to 90, 10 looks" in bundle["text/plain"]
    assert "at the last: POSITIVE (91.3%)" in bundle["text/plain"]


def test_a_small_budget_keeps_fewer_steps(tmp_path: Path) -> None:
    archive = logged(tmp_path, range(200))
    whole = view(archive)._repr_html_()
    budget = len(whole.encode()) - 40_000
    less = view(archive, budget=budget)._repr_html_()
    assert len(less.encode()) <= budget


def test_the_last_verdict_is_told(tmp_path: Path) -> None:
    seen = view(logged(tmp_path, range(3), "refuted"))
    assert "✘ Refuted at the last look." in seen.text()
    assert "✘ Refuted at the last look." in seen._repr_html_().split("</iframe>")[1]
    assert "Not verified" not in seen.text()


def test_a_folder_without_looks_says_so(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="has no looks"):
        view(FolderArchive(tmp_path))._repr_html_()


def test_the_widget_sees_steps_that_were_written_since(tmp_path: Path) -> None:
    pytest.importorskip("anywidget")
    widget = view(logged(tmp_path, range(2))).widget()
    assert widget.index["tracks"][0]["steps"] == [0, 1]
    logged(tmp_path, range(4))
    widget.refresh()
    assert widget.index["tracks"][0]["steps"] == [0, 1, 2, 3]
