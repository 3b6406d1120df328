"""Tracks as TensorBoard has read them: sampled, growing, damaged, hostile; read once."""

import logging
import shutil
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("tensorboard")

from tensorboard.backend.event_processing.data_provider import MultiplexerDataProvider
from tensorboard.backend.event_processing.plugin_event_multiplexer import EventMultiplexer
from tensorboard.context import RequestContext

from tests.ui.tensorboard.boards import EVIL, at, looks, tracks_of, write
from zhuyi.errors import InputError
from zhuyi.ui.tensorboard.board import Board
from zhuyi.ui.tensorboard.logdir import LogdirArchive
from zhuyi.ui.tensorboard.memory import Memory
from zhuyi.ui.tensorboard.reading import BoardArchive
from zhuyi.ui.tensorboard.sink import TensorBoardSink
from zhuyi.ui.view.pack import split, unpack
from zhuyi.ui.view.series import series_pack


class Counting:
    """A data provider that counts the reads, with how many steps were asked for."""

    def __init__(self, provider: Any) -> None:
        self._provider = provider
        self.reads: Counter[str] = Counter()

    def __getattr__(self, name: str) -> Callable[..., Any]:
        call: Callable[..., Any] = getattr(self._provider, name)

        def counted(*args: Any, **which: Any) -> Any:
            if name.startswith("read"):
                self.reads[f"{name} {'last' if which.get('downsample') == 1 else 'all'}"] += 1
            return call(*args, **which)

        return counted


class Boards:
    """A folder as TensorBoard holds it in memory, with its sampling."""

    def __init__(self, folder: Path, *, kept: int, room: int = 1 << 24) -> None:
        self.folder = folder
        self.multiplexer = EventMultiplexer(
            size_guidance={"tensors": 10}, tensor_size_guidance={"zhuyi": kept}
        )
        self.provider = Counting(MultiplexerDataProvider(self.multiplexer, str(folder)))
        self.memory = Memory(room)
        self.reload()

    def reload(self) -> None:
        self.multiplexer.AddRunsFromDirectory(str(self.folder))
        self.multiplexer.Reload()

    @property
    def archive(self) -> BoardArchive:
        """What one request works with."""
        return BoardArchive(board=Board(self.provider, self.memory, context=RequestContext()))

    @property
    def tracks(self) -> list[dict[str, Any]]:
        return tracks_of(self.archive)


def test_the_index_says_what_there_is(tmp_path: Path) -> None:
    write(tmp_path / "b", [0, 50, 100], detailed=[50], name="第一 <b>")
    write(tmp_path / "a", [7])
    first, second = Boards(tmp_path, kept=0).tracks
    assert (first["run"], first["name"], first["steps"]) == ("a/attention", "a probe", [7])
    assert (second["run"], second["name"]) == ("b/attention", "第一 <b>")
    assert second["steps"] == [0, 50, 100]
    assert second["times"] == [at(1), at(2), at(3)]
    assert (second["detailed"], second["written"]) == ([50], 3)
    assert first["id"] != second["id"]
    assert {len(first["id"]), len(second["id"])} == {24}


def test_every_byte_comes_back(tmp_path: Path) -> None:
    written = write(tmp_path, [0, 50, 100], detailed=[50])
    boards = Boards(tmp_path, kept=0)
    (track,) = boards.tracks
    ask, place = boards.archive.ask, track["id"]
    assert ask(f"track/{place}") == written.track
    for step, moment in written.moments.items():
        assert ask(f"moment/{place}/{step}") == moment
    for entry, pack in written.details[50].items():
        assert ask(f"detail/{place}/50/{entry}") == pack
    looks_at = [(step, split(moment)) for step, moment in written.moments.items()]
    assert ask(f"series/{place}") == series_pack(looks_at)


def test_sampled_looks_are_said_and_details_keep_their_moments(tmp_path: Path) -> None:
    detailed = [1, 2, 4, 8, 16, 32]
    written = write(tmp_path, range(60), detailed=detailed)
    boards = Boards(tmp_path, kept=5)
    (track,) = boards.tracks
    assert len(track["detailed"]) == 5
    assert 5 < len(track["steps"]) <= 10
    assert track["written"] == 60
    assert track["steps"][-1] == 59
    assert set(track["detailed"]) <= set(track["steps"])
    for step in track["steps"]:
        assert boards.archive.ask(f"moment/{track['id']}/{step}") == written.moments[step]
    for step in track["detailed"]:
        found = boards.archive.ask(f"detail/{track['id']}/{step}/4")
        assert found == written.details[step][4]
    _, arrays = unpack(boards.archive.ask(f"series/{track['id']}"))
    assert arrays["steps"].tolist() == track["steps"]
    assert np.allclose(arrays["probability"], 1 / (1 + np.array(track["steps"]) / 100))


def test_a_look_that_was_written_again_replaces_the_first(tmp_path: Path) -> None:
    written = write(tmp_path, [0, 5, 5], detailed=[5])
    boards = Boards(tmp_path, kept=0)
    (track,) = boards.tracks
    assert (track["steps"], track["times"]) == ([0, 5], [at(1), at(3)])
    assert boards.archive.ask(f"moment/{track['id']}/5") == written.moments[5]
    assert boards.archive.ask(f"detail/{track['id']}/5/4") == written.details[5][4]
    _, arrays = unpack(boards.archive.ask(f"series/{track['id']}"))
    assert arrays["steps"].tolist() == [0, 5]


def test_opening_reads_the_last_step_and_moving_reads_every_tag_once(tmp_path: Path) -> None:
    write(tmp_path, range(20))
    boards = Boards(tmp_path, kept=0)
    (track,) = boards.tracks
    boards.archive.ask(f"track/{track['id']}")
    boards.archive.ask(f"moment/{track['id']}/19")
    # Layers and track: the last step alone; of the moments all, since they are the index.
    assert boards.provider.reads == {"read_tensors last": 2, "read_tensors all": 1}
    for step in (3, 4, 19, 0):
        boards.archive.ask(f"moment/{track['id']}/{step}")
    boards.archive.ask(f"series/{track['id']}")
    assert boards.provider.reads == {"read_tensors last": 2, "read_tensors all": 3}


def test_details_are_fetched_blob_by_blob(tmp_path: Path) -> None:
    write(tmp_path, range(4), detailed=[2])
    boards = Boards(tmp_path, kept=0)
    (track,) = boards.tracks
    assert boards.provider.reads["read_blob all"] == 0
    boards.archive.ask(f"detail/{track['id']}/2/4")
    assert boards.provider.reads["read_blob all"] == 2  # whose they are, and the one head
    boards.archive.ask(f"detail/{track['id']}/2/1")
    assert boards.provider.reads["read_blob all"] == 3


def test_a_training_that_goes_on_is_followed(tmp_path: Path) -> None:
    sink, what = TensorBoardSink(tmp_path), looks()
    sink.track("a", "a", b"")
    boards = Boards(tmp_path, kept=0)
    assert boards.tracks == []  # a track without a moment shows nothing
    for step in range(3):
        sink.moment("a", what.moment(step, written=step + 1))
    sink._own.flush()
    boards.reload()
    (before,) = boards.tracks
    boards.archive.ask(f"series/{before['id']}")
    reads = boards.provider.reads["read_tensors all"]
    sink.moment("a", what.moment(3, written=4))
    sink.close()
    boards.reload()
    (track,) = boards.tracks
    assert (before["steps"], track["steps"]) == ([0, 1, 2], [0, 1, 2, 3])
    assert (before["id"], before["written"], track["written"]) == (track["id"], 3, 4)
    found = boards.archive.ask(f"moment/{track['id']}/3")
    assert found == what.moment(3, written=4).joined()
    _, arrays = unpack(boards.archive.ask(f"series/{track['id']}"))
    assert arrays["steps"].tolist() == [0, 1, 2, 3]
    # Only the small moments were read again, for one step more.
    assert boards.provider.reads["read_tensors all"] == reads + 1


def test_a_layer_missing_at_a_step_leaves_the_others(tmp_path: Path) -> None:
    sink, what = TensorBoardSink(tmp_path), looks()
    sink.track("a", "a", b"")
    whole = [what.moment(step, written=step + 1) for step in range(3)]
    torn = replace(whole[1], layers={0: whole[1].layers[0]})
    for moment in (whole[0], torn, whole[2]):
        sink.moment("a", moment)
    sink.close()
    boards = Boards(tmp_path, kept=0)
    (track,) = boards.tracks
    assert track["steps"] == [0, 1, 2]
    for step, moment in enumerate((whole[0], torn, whole[2])):
        assert boards.archive.ask(f"moment/{track['id']}/{step}") == moment.joined()
    _, arrays = unpack(boards.archive.ask(f"series/{track['id']}"))
    assert (arrays["statistics"][1, 3:] == -1).all()
    assert (arrays["statistics"][1, :3] == arrays["statistics"][0, :3]).all()


def test_a_track_that_would_fill_the_memory_is_thinned_in_all_its_tags(tmp_path: Path) -> None:
    written = write(tmp_path, range(60))
    size = sum(len(one) for one in split(written.moments[59])[1:])
    boards = Boards(tmp_path, kept=0, room=2 * 12 * size)
    (track,) = boards.tracks
    assert len(track["steps"]) == 12
    assert track["steps"][-1] == 59
    for step in track["steps"]:
        assert boards.archive.ask(f"moment/{track['id']}/{step}") == written.moments[step]
    assert boards.memory.taken <= boards.memory.room


def test_a_damaged_moment_is_told_and_spoils_no_other(tmp_path: Path) -> None:
    sink, what = TensorBoardSink(tmp_path), looks()
    sink.track("a", "a", b"")
    for step in range(3):
        moment = what.moment(step, written=step + 1)
        sink.moment("a", replace(moment, head=b"nothing") if step == 1 else moment)
    sink.moment("a", replace(what.moment(3, written=4), head=b"zyp1broken"))
    sink.close()
    boards = Boards(tmp_path, kept=0)
    (track,) = boards.tracks
    assert (track["steps"], track["written"]) == ([0, 1, 2, 3], 4)
    _, arrays = unpack(boards.archive.ask(f"series/{track['id']}"))
    assert arrays["steps"].tolist() == [0, 2]


HOSTILE = ["..", "a/../b", "x" * 65, "", "a b", "ä", EVIL, "a\n", "a/track/moment"]


def test_tags_that_are_not_ours_are_left_out(tmp_path: Path) -> None:
    sink, what = TensorBoardSink(tmp_path), looks()
    for name in HOSTILE:
        with pytest.raises(InputError, match="a track's id must be"):
            sink.track(name, name, b"")
        sink._add(0, None, [sink._packed(f"{name}/track", b"")])  # as another program might
        sink.moment(name, what.moment(0, written=1))
    sink.close()
    assert Boards(tmp_path, kept=0).tracks == []


RUNS = ["a b", "ünï", "%2e%2e", "-rf", "'quote", "$(id)", "#x?y=1&z"]


@pytest.mark.parametrize("run", RUNS)
def test_any_name_of_a_run(tmp_path: Path, run: str) -> None:
    written = write(tmp_path / run, [0])
    boards = Boards(tmp_path, kept=0)
    (track,) = boards.tracks
    assert track["run"] == f"{run}/attention"
    assert track["id"].isalnum()
    assert boards.archive.ask(f"track/{track['id']}") == written.track


def names(place: str) -> list[str]:
    """Names that are nothing, around a track that is there."""
    outer = ["", "/", "//", "index", "track", "track/", "track/x", f"tracks/{place}", "\0", EVIL]
    outer += [f"track/{place}/0", f"track/../track/{place}", f"../track/{place}", f"TRACK/{place}"]
    outer += ["track/" + "x" * 10_000, "track//etc/passwd", "file:///etc/passwd"]
    steps = ["1", "-1", "+0", " 0", "0x0", "1e3", "٣", "9" * 18, "9" * 5000, "", "0/", "0/1", ".."]
    heads = ["0/0", "1/0", "2/0", "2/-1", "2/4/", "2/4/4", "2/99", "2/٤", "2/" + "9" * 400, "2"]
    return [
        *outer,
        *(f"moment/{place}/{one}" for one in steps),
        *(f"detail/{place}/{one}" for one in heads),
        *(f"series/{place}/{one}" for one in ("0", "..", "")),
    ]


def test_what_is_not_there_is_refused(tmp_path: Path) -> None:
    write(tmp_path, [0, 2], detailed=[2])
    boards = Boards(tmp_path, kept=0)
    (track,) = boards.tracks
    for name in names(track["id"]):
        with pytest.raises(InputError):
            boards.archive.ask(name)


def test_foreign_tensors_under_our_tags_break_nothing(tmp_path: Path) -> None:
    sink, what = TensorBoardSink(tmp_path), looks()
    sink.track("a", "a", b"")
    sink.moment("a", what.moment(0, written=1))
    floats = sink._tensor(dtype=sink._types.DT_FLOAT, tensor_shape={"dim": []}, float_val=[1.0])
    value = sink._value("a/layer_000", floats, sink._summary.DATA_CLASS_TENSOR)
    sink._add(1, float("nan"), [value, *(sink._packed(f"a/{x}", b"") for x in ("moment", "x"))])
    blobs = sink._tensor(dtype=sink._types.DT_STRING, tensor_shape={"dim": [{"size": 3}]})
    blobs.string_val.extend([b"[true, {}]", b"\xff", b"x"])
    kind = sink._summary.DATA_CLASS_BLOB_SEQUENCE
    sink._add(2, float("inf"), [sink._value("a/details", blobs, kind)])
    sink.close()
    boards = Boards(tmp_path, kept=0)
    (track,) = boards.tracks
    assert (track["steps"], track["times"]) == ([0, 1, 2], [at(1), 0.0, 0.0])
    assert len(split(boards.archive.ask(f"moment/{track['id']}/1"))) == 1
    for name in ("moment/{}/2", "detail/{}/2/1", "detail/{}/2/0"):
        with pytest.raises(InputError):
            boards.archive.ask(name.format(track["id"]))
    _, arrays = unpack(boards.archive.ask(f"series/{track['id']}"))
    assert arrays["steps"].tolist() == [0]


@pytest.mark.parametrize("part", ["moment", "layer_000", "track"])
def test_a_damaged_run_leaves_the_others(
    tmp_path: Path, part: str, caplog: pytest.LogCaptureFixture
) -> None:
    written = write(tmp_path / "whole", [0])
    sink = TensorBoardSink(tmp_path / "damaged")
    sink.track("a", "a", b"")
    sink.moment("a", looks().moment(0, written=1))
    torn = sink._packed(f"a/{part}", b"four")
    torn.tensor.tensor_content = b"5"
    sink._add(1, 1.7e9, [torn])
    sink.close()
    boards = Boards(tmp_path, kept=0)
    with caplog.at_level(logging.WARNING):
        *others, whole = boards.tracks
    assert boards.archive.ask(f"moment/{whole['id']}/0") == written.moments[0]
    if part == "track":  # shown by the index, told when it is asked for
        with pytest.raises(InputError, match="damaged"):
            boards.archive.ask(f"track/{others[0]['id']}")
    else:
        assert others == []
        assert "track a of run damaged/attention: a tensor of a/" in caplog.text


def test_a_run_that_was_removed_is_gone(tmp_path: Path) -> None:
    write(tmp_path / "a", [0])
    archive = LogdirArchive(tmp_path)
    (track,) = tracks_of(archive)
    shutil.rmtree(tmp_path / "a")
    assert tracks_of(LogdirArchive(tmp_path)) == []
    assert archive.ask(f"track/{track['id']}")  # what was read stays until it is read anew


def test_no_folder(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="there is no folder"):
        LogdirArchive(tmp_path / "none")
