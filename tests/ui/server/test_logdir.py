"""A folder of runs as one archive: plain files, event files, both, and what comes later."""

import sys
from pathlib import Path
from typing import Any

import pytest

from tests.ui.server.runs import STEPS, logdir_at, write_run
from zhuyi.errors import InputError
from zhuyi.ui.live.folder import FolderSink
from zhuyi.ui.server.logdir import RunsArchive
from zhuyi.ui.view.pack import split, unpack


def tracks(archive: RunsArchive) -> dict[str, Any]:
    """Run -> its only track."""
    found = archive.index()["tracks"]
    assert isinstance(found, list)
    return {track["run"]: track for track in found}


def test_runs_below_the_folder_are_found_and_grow(tmp_path: Path) -> None:
    archive = RunsArchive(tmp_path)
    assert tracks(archive) == {}
    logdir_at(tmp_path, "a", "deep/er")
    found = tracks(archive)
    assert {run: tuple(track["steps"]) for run, track in found.items()} == {
        "a": STEPS,
        "deep/er": STEPS,
    }
    write_run(FolderSink(tmp_path / "a"), (150,))
    assert tracks(archive)["a"]["steps"] == [*STEPS, 150]
    assert archive.index()["title"] == tmp_path.name


def test_event_files_stand_beside_plain_ones(tmp_path: Path) -> None:
    pytest.importorskip("tensorboard")
    from zhuyi.ui.tensorboard.sink import TensorBoardSink

    logdir_at(tmp_path, "plain")
    archive = RunsArchive(tmp_path)
    assert set(tracks(archive)) == {"plain"}
    write_run(TensorBoardSink(str(tmp_path / "events")))
    found = tracks(archive)
    events = (set(found) - {"plain"}).pop()
    assert events.split("/")[0] == "events"
    ids = [found["plain"]["id"], found[events]["id"]]
    packs = [archive.ask(f"track/{one}") for one in ids]
    assert packs[0] == packs[1], "the same look, by two ways"
    for one in ids:
        header, _ = unpack(split(archive.ask(f"moment/{one}/50"))[0])
        assert (header["step"], header["written"]) == (50, 2)
        assert unpack(archive.ask(f"detail/{one}/100/3"))[0]["entry"] == 3
    write_run(TensorBoardSink(str(tmp_path / "events")), (150,))
    assert 150 in tracks(archive)[events]["steps"]


def test_without_tensorboard_event_files_are_named_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    logdir_at(tmp_path, "plain")
    (tmp_path / "events.out.tfevents.1.host").write_bytes(b"")
    for name in [name for name in sys.modules if name.partition(".")[0] == "tensorboard"]:
        monkeypatch.setitem(sys.modules, name, None)
    told: list[str] = []
    archive = RunsArchive(tmp_path, tell=told.append)
    assert [set(tracks(archive)) for _ in range(3)] == [{"plain"}] * 3
    assert len(told) == 1
    assert "pip install 'zhuyi[tensorboard]'" in told[0]


def test_what_is_no_folder_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"takes a folder of runs, and .*gone does not exist"):
        RunsArchive(tmp_path / "gone")
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match="file is a file"):
        RunsArchive(tmp_path / "file")


def test_a_name_of_no_index_is_refused(tmp_path: Path) -> None:
    archive = RunsArchive(logdir_at(tmp_path, "a"))
    archive.index()
    for name in ("", "track", "track/x", "/", "moment/../0"):
        with pytest.raises(InputError, match="there is nothing called"):
            archive.ask(name)
