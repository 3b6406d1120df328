"""What the sink writes, read by TensorBoard: whole records, plain scalars, plain images."""

import io
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("tensorboard")

from tensorboard.backend.event_processing.event_file_loader import EventFileLoader
from tensorboard.compat.proto import summary_pb2
from tensorboard.util.tensor_util import make_ndarray

from tests.ui.tensorboard.boards import at, looks, tracks_of, write
from zhuyi.errors import BackendUnavailable, InputError, OptionError
from zhuyi.ui.tensorboard.logdir import LogdirArchive
from zhuyi.ui.tensorboard.sink import TensorBoardSink
from zhuyi.ui.view.pack import split


def events(folder: Path) -> list[Any]:
    """Events with a summary, of the one file in a folder."""
    (path,) = [one for one in folder.rglob("*tfevents*") if one.is_file()]
    found: list[Any] = list(EventFileLoader(str(path)).Load())
    return [event for event in found if event.HasField("summary")]


def test_one_record_a_look_with_all_its_layers(tmp_path: Path) -> None:
    written = write(tmp_path, [5, 10])
    track, first, second = events(tmp_path / "attention")
    assert [value.tag for value in track.summary.value] == ["input_0/track"]
    assert track.summary.value[0].metadata.display_name == "a probe"
    assert (first.step, first.wall_time, second.step) == (5, at(1), 10)
    tags = ["input_0/moment", "input_0/layer_000", "input_0/layer_001"]
    assert [value.tag for value in first.summary.value] == tags
    packs = [make_ndarray(value.tensor).tobytes() for value in second.summary.value]
    assert packs == split(written.moments[10])
    for value in first.summary.value:
        assert value.metadata.plugin_data.plugin_name == "zhuyi"
        assert value.metadata.plugin_data.content == b'{"v":1}'
        assert value.metadata.data_class == summary_pb2.DATA_CLASS_TENSOR


def test_details_carry_their_moment(tmp_path: Path) -> None:
    written = write(tmp_path, [5], detailed=[5])
    (value,) = events(tmp_path / "attention")[-1].summary.value
    assert value.tag == "input_0/details"
    assert value.metadata.data_class == summary_pb2.DATA_CLASS_BLOB_SEQUENCE
    entries, moment, *packs = make_ndarray(value.tensor).tolist()
    assert json.loads(entries) == [1, 4]
    assert moment == written.moments[5]
    assert packs == [written.details[5][1], written.details[5][4]]


def test_details_need_their_moment(tmp_path: Path) -> None:
    sink = TensorBoardSink(tmp_path)
    sink.track("a", "a", b"")
    with pytest.raises(OptionError, match="details of step 3 must follow the moment of step 3"):
        sink.details("a", 3, {0: b"x"})
    sink.moment("a", looks().moment(2, written=1))
    with pytest.raises(OptionError, match="details of step 3 must follow the moment of step 3"):
        sink.details("a", 3, {0: b"x"})
    sink.close()


def test_scalars_and_images_are_ordinary_ones(tmp_path: Path) -> None:
    from PIL import Image

    rgb = np.random.default_rng(0).integers(0, 256, (5, 7, 3), dtype=np.uint8)
    sink = TensorBoardSink(tmp_path)
    sink.scalars(3, {"attention/layer_00/reach": 7.5, "attention/probability": 0.25})
    sink.image(3, "attention/heads", rgb)
    sink.close()
    # TensorBoard's reader turns both into what its own dashboards show.
    numbers, picture = (event.summary.value for event in events(tmp_path))
    assert {one.tag: float(make_ndarray(one.tensor)) for one in numbers} == {
        "attention/layer_00/reach": 7.5,
        "attention/probability": 0.25,
    }
    assert {one.metadata.plugin_data.plugin_name for one in numbers} == {"scalars"}
    assert picture[0].metadata.plugin_data.plugin_name == "images"
    width, height, png = make_ndarray(picture[0].tensor).tolist()
    assert (width, height) == (b"7", b"5")
    with Image.open(io.BytesIO(png)) as image:
        assert np.array_equal(np.asarray(image), rgb)


def test_a_writer_of_torch_is_shared_and_left_open(tmp_path: Path) -> None:
    from torch.utils.tensorboard import SummaryWriter

    with SummaryWriter(str(tmp_path)) as writer:
        written = write(writer, [0, 4])
        writer.add_scalar("loss", 0.5, 9)
    tags = {value.tag for event in events(tmp_path) for value in event.summary.value}
    assert {"loss", "input_0/track", "input_0/moment", "input_0/layer_001"} <= tags
    archive = LogdirArchive(tmp_path)
    (track,) = tracks_of(archive)
    assert archive.ask(f"moment/{track['id']}/4") == written.moments[4]


def test_a_writer_of_tensorboardx_is_shared(tmp_path: Path) -> None:
    tensorboardx = pytest.importorskip("tensorboardX")
    with tensorboardx.SummaryWriter(str(tmp_path)) as writer:
        written = write(writer, [0, 4], detailed=[4])
        writer.add_scalar("loss", 0.5, 9)
    archive = LogdirArchive(tmp_path)
    (track,) = tracks_of(archive)
    assert archive.ask(f"moment/{track['id']}/0") == written.moments[0]
    assert archive.ask(f"detail/{track['id']}/4/1") == written.details[4][1]


@pytest.mark.parametrize("target", [3, None, {"log": 1}])
def test_other_targets_are_refused(target: Any) -> None:
    with pytest.raises(OptionError, match="a folder or a SummaryWriter"):
        TensorBoardSink(target)


def test_without_tensorboard(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in sys.modules if name.partition(".")[0] == "tensorboard"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "tensorboard", None)
    for make in (TensorBoardSink, LogdirArchive):
        with pytest.raises(BackendUnavailable, match="pip install 'zhuyi\\[tensorboard\\]'"):
            make(tmp_path)


def test_a_folder_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "attention").write_text("a file")
    with pytest.raises(InputError, match="cannot write looks to .* File exists"):
        TensorBoardSink(tmp_path)
    with pytest.raises(InputError, match="cannot write looks to .*udce9.*surrogates not allowed"):
        TensorBoardSink(tmp_path / os.fsdecode(b"caf\xe9"))


def test_names_and_steps_that_tensorboard_does_not_know(tmp_path: Path) -> None:
    sink = TensorBoardSink(tmp_path)
    sink.track("a", "half \ud83d", b"")
    with pytest.raises(InputError, match="must not be negative, got -1"):
        sink.moment("a", looks().moment(-1, written=1))
    sink.moment("a", looks().moment(0, written=1))
    sink.close()
    (track,) = tracks_of(LogdirArchive(tmp_path))
    assert track["name"] == "half ?"


def test_closing_twice_is_fine(tmp_path: Path) -> None:
    sink = TensorBoardSink(tmp_path)
    sink.close()
    sink.close()


def test_a_killed_writer_loses_no_more_than_the_last_look(tmp_path: Path) -> None:
    written = write(tmp_path, [0, 1, 2])
    (path,) = tmp_path.rglob("*tfevents*")
    path.write_bytes(path.read_bytes()[:-40])
    archive = LogdirArchive(tmp_path)
    (track,) = tracks_of(archive)
    assert track["steps"] == [0, 1]
    assert archive.ask(f"moment/{track['id']}/1") == written.moments[1]
    with pytest.raises(InputError, match="step 2"):
        archive.ask(f"moment/{track['id']}/2")


def test_a_training_that_dies_keeps_its_last_look(tmp_path: Path) -> None:
    code = (
        "from tests.ui.tensorboard.boards import looks\n"
        "from zhuyi.ui.tensorboard.sink import TensorBoardSink\n"
        f"sink, what = TensorBoardSink({str(tmp_path)!r}), looks()\n"
        "sink.track('a', 'a', b'')\n"
        "for step in range(30):\n    sink.moment('a', what.moment(step, written=step + 1))\n"
        "raise SystemExit('the training has failed')\n"
    )
    died = subprocess.run([sys.executable, "-c", code], capture_output=True, check=False)
    assert (died.returncode, died.stderr) == (1, b"the training has failed\n")
    (track,) = tracks_of(LogdirArchive(tmp_path))
    assert track["steps"] == list(range(30))


def test_broken_twin_without_a_data_class_nothing_is_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    honest = TensorBoardSink._value

    def broken(self: TensorBoardSink, *args: Any) -> Any:
        value = honest(self, *args)
        value.metadata.ClearField("data_class")
        return value

    monkeypatch.setattr(TensorBoardSink, "_value", broken)
    write(tmp_path, [0, 1])
    assert tracks_of(LogdirArchive(tmp_path)) == []


def test_tensorflow_is_not_asked_for() -> None:
    assert "tensorflow" not in sys.modules
