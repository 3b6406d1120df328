"""Plain files: what goes in comes out, however and whenever the writer ends."""

import json
import os
import re
import signal
import subprocess
import sys
import threading
from pathlib import Path

import numpy as np
import pytest

from tests.ui.live.trainings import Remembering, log, noise, subject_of, tiny
from zhuyi.errors import InputError
from zhuyi.ui.live import FolderArchive, FolderSink
from zhuyi.ui.live.folder import read_details, write_whole
from zhuyi.ui.view.pack import join, pack, split, unpack


def run_in(folder: Path, **options: object) -> Remembering:
    """A logged training; gives what the folder must hold."""
    sink = Remembering()
    log(tiny(), [sink, FolderSink(folder)], **options)
    return sink


def tracks_of(archive: FolderArchive) -> list[dict]:
    return archive.index()["tracks"]


def test_what_goes_in_comes_out(tmp_path: Path) -> None:
    sink = run_in(tmp_path / "a")
    archive = FolderArchive(tmp_path, title="runs")
    index = archive.index()
    assert (index["schema"], index["title"]) == ("zhuyi.view/1", "runs")
    first, second = index["tracks"]
    assert [first["name"], second["name"]] == ["input 1", "input 2"]
    assert first["run"] == second["run"] == "a"
    assert first["steps"] == sink.steps() == [0, 2, 4, 6, 8]
    assert first["written"] == 5
    assert first["detailed"] == [0, 2, 6, 8]
    assert all(re.fullmatch("[A-Za-z0-9_-]+", track["id"]) for track in index["tracks"])
    for track, name in ((first, "0"), (second, "1")):
        assert archive.ask(f"track/{track['id']}") == sink.tracks[name][1]
        for place, step in enumerate(track["steps"]):
            moment = sink.moments[name, step]
            assert archive.ask(f"moment/{track['id']}/{step}") == moment.joined()
            assert track["times"][place] == moment.time > 1.6e9
        for step in track["detailed"]:
            packs = sink.in_full[name, step]
            assert archive.details(track["id"], step) == packs
            assert list(archive.details(track["id"], step)) == list(packs), "best first"
            for entry, one in packs.items():
                assert archive.ask(f"detail/{track['id']}/{step}/{entry}") == one


def test_scalars_and_images_are_plain_files(tmp_path: Path) -> None:
    sink = run_in(tmp_path)
    lines = (tmp_path / "zhuyi" / "scalars.jsonl").read_text().splitlines()
    assert {one.pop("step"): one for one in map(json.loads, lines)} == sink.numbers
    images = sorted(path.name for path in (tmp_path / "zhuyi" / "images").iterdir())
    assert images[0] == "000000000000-attention_heads_0.png"
    assert len(images) == len(sink.images) == 8


def test_new_steps_and_new_runs_are_seen(tmp_path: Path) -> None:
    run_in(tmp_path / "b")
    archive = FolderArchive(tmp_path)
    (before, _) = tracks_of(archive)
    series = unpack(archive.ask(f"series/{before['id']}"))[1]["steps"]
    run_in(tmp_path / "a")
    run_in(tmp_path / "b", steps=12)
    after = tracks_of(archive)
    assert [track["run"] for track in after] == ["a", "a", "b", "b"]
    assert after[2]["id"] == before["id"], "an id stays, whatever comes before it"
    assert after[2]["steps"] == [0, 2, 4, 6, 8, 10, 11]
    assert series.tolist() == [0, 2, 4, 6, 8]
    again = unpack(archive.ask(f"series/{before['id']}"))[1]["steps"]
    assert again.tolist() == [0, 2, 4, 6, 8, 10, 11]


def test_a_step_that_is_written_again_is_read_again(tmp_path: Path) -> None:
    first = run_in(tmp_path)
    archive = FolderArchive(tmp_path)
    track = tracks_of(archive)[0]["id"]
    archive.ask(f"series/{track}")
    (tmp_path / "zhuyi" / "0" / "000000000008.moment").unlink()
    assert tracks_of(archive)[0]["steps"] == [0, 2, 4, 6]
    moment = first.moments["0", 8]
    head, _ = unpack(moment.head)
    changed = pack({**head, "probability": 0.125})
    data = join([changed, *moment.layers.values()])
    write_whole(tmp_path / "zhuyi" / "0" / "000000000008.moment", data)
    found = unpack(archive.ask(f"series/{track}"))[1]
    assert found["probability"][found["steps"] == 8] == 0.125


def test_a_run_that_was_removed_is_gone(tmp_path: Path) -> None:
    run_in(tmp_path / "a")
    archive = FolderArchive(tmp_path)
    track = tracks_of(archive)[0]["id"]
    for path in sorted((tmp_path / "a").rglob("*"), reverse=True):
        path.rmdir() if path.is_dir() else path.unlink()
    with pytest.raises(InputError, match="there is nothing"):
        archive.ask(f"moment/{track}/0")
    assert tracks_of(archive) == []


def test_training_goes_on_in_the_same_folder(tmp_path: Path) -> None:
    run_in(tmp_path, steps=3)
    run_in(tmp_path, steps=7)
    assert tracks_of(FolderArchive(tmp_path))[0]["steps"] == [0, 2, 4, 6]


def test_another_model_needs_another_folder(tmp_path: Path) -> None:
    run_in(tmp_path)
    model = tiny()
    probe = (subject_of(model), noise(1, 5, 16))
    log(model, FolderSink(tmp_path), probe=probe)  # fewer inputs of the same shape are fine
    with pytest.raises(InputError, match="holds looks at another model or another probe"):
        log(model, FolderSink(tmp_path), probe=(model, noise(1, 4, 16)))


HOSTILE = [
    "", "/", "track", "track/", "track/..", "track/../../secret", "track/%2e%2e", "track/\x00",
    "moment/{id}", "moment/{id}/", "moment/{id}/x", "moment/{id}/-1", "moment/{id}/1e3",
    "moment/{id}/٣", "moment/{id}/../track.zyp", "moment/{id}/99999999999999999999",
    "moment/{id}/5", "moment/{id}/0/0", "detail/{id}/0", "detail/{id}/0/9999", "detail/{id}/4/0",
    "series/{id}/0", "series/", "nothing/{id}", "track/{id}/0", "track/{id}\n", "{id}",
    "track/" + "a" * 100_000, "track/0", "track//", "detail/{id}/0/0/..", "moment/{id}/ 0",
]  # fmt: skip


@pytest.fixture(scope="module")
def short_run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of one look beside a secret."""
    folder = tmp_path_factory.mktemp("short")
    (folder / "secret").write_text("it is a secret")
    log(tiny(), FolderSink(folder / "run"), steps=1, keep=2000)
    return folder / "run"


@pytest.mark.parametrize("name", HOSTILE, ids=range(len(HOSTILE)))
def test_other_names_are_refused(short_run: Path, name: str) -> None:
    archive = FolderArchive(short_run)
    with pytest.raises(InputError) as told:
        archive.ask(name.replace("{id}", tracks_of(archive)[0]["id"]))
    assert len(str(told.value)) < 200
    assert "it is a secret" not in str(told.value)


@pytest.mark.parametrize("wrong", ["", "..", "a/b", "a b", "ü", "x" * 65, "images", ".", "a\n"])
def test_ids_of_tracks_stay_inside(tmp_path: Path, wrong: str) -> None:
    with pytest.raises(InputError, match="a track's id must be"):
        FolderSink(tmp_path).track(wrong, "name", pack({}))
    assert sorted(path.name for path in tmp_path.rglob("*")) == ["run.json", "zhuyi"]


def test_names_of_images_stay_inside(tmp_path: Path) -> None:
    FolderSink(tmp_path).image(3, "../../../etc/passwd", np.zeros((2, 2, 3), np.uint8))
    (image,) = (tmp_path / "zhuyi" / "images").iterdir()
    assert image.name == "000000000003-_etc_passwd.png"


def test_links_are_not_followed(tmp_path: Path) -> None:
    log(tiny(), FolderSink(tmp_path / "elsewhere" / "run"), steps=1)
    inside = tmp_path / "runs" / "own" / "zhuyi"
    FolderSink(inside.parent)
    try:
        (tmp_path / "runs" / "linked").symlink_to(tmp_path / "elsewhere" / "run")
        (inside / "0").symlink_to(tmp_path / "elsewhere" / "run" / "zhuyi" / "0")
    except OSError:
        pytest.skip("this system makes no links")
    assert tracks_of(FolderArchive(tmp_path / "runs")) == []


def test_damaged_files_are_left_out(tmp_path: Path) -> None:
    run_in(tmp_path)
    inside = tmp_path / "zhuyi" / "0"
    (inside / "000000000001.moment").write_bytes(b"\x04\x00\x00\x00oops")
    (inside / "000000000003.moment").write_bytes(b"")
    (inside / "000000000005.moment").mkdir()
    (inside / "000000000002.details").write_bytes(join([pack({"kind": "details"})]))
    (inside / "track.json").write_text("[1, 2")
    (inside / ".000000000009.moment.1.part").write_bytes(b"half")
    (inside / "note.txt").write_text("hello")
    archive = FolderArchive(tmp_path)
    track = tracks_of(archive)[0]
    assert track["steps"] == [0, 2, 4, 6, 8]
    assert track["name"] == "0"
    with pytest.raises(InputError, match="the details' list does not fit"):
        archive.ask(f"detail/{track['id']}/2/0")
    assert unpack(archive.ask(f"series/{track['id']}"))[1]["steps"].tolist() == [0, 2, 4, 6, 8]


def test_a_folder_of_another_zhuyi_is_no_run(tmp_path: Path) -> None:
    (tmp_path / "zhuyi").mkdir()
    (tmp_path / "zhuyi" / "run.json").write_text('{"schema": "zhuyi.folder/99"}')
    (tmp_path / "other" / "zhuyi").mkdir(parents=True)
    assert tracks_of(FolderArchive(tmp_path)) == []
    with pytest.raises(InputError, match="is no folder: pass one with runs below it"):
        FolderArchive(tmp_path / "missing")


def test_half_a_line_of_scalars_is_ended(tmp_path: Path) -> None:
    FolderSink(tmp_path).scalars(1, {"a": 1.0})
    path = tmp_path / "zhuyi" / "scalars.jsonl"
    path.write_text(path.read_text() + '{"step": 2, "a"')
    FolderSink(tmp_path).scalars(3, {"a": 3.0})
    lines = path.read_text().splitlines()
    assert json.loads(lines[2]) == {"step": 3, "a": 3.0}


def test_a_disk_that_refuses_leaves_no_rest(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise OSError(28, "No space left on device")

    write_whole(tmp_path / "file", b"old")
    monkeypatch.setattr(os, "replace", refuse)
    with pytest.raises(InputError, match="cannot write .*file: No space left on device"):
        write_whole(tmp_path / "file", b"new")
    assert [path.name for path in tmp_path.iterdir()] == ["file"]
    assert (tmp_path / "file").read_bytes() == b"old"


def test_a_folder_that_cannot_be_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match="cannot write looks to .*file"):
        FolderSink(tmp_path / "file")


def test_details_that_do_not_fit_are_refused() -> None:
    for data in (b"", join([pack({"entries": [1]})]), join([pack({"entries": 3}), pack({})])):
        with pytest.raises(InputError):
            read_details(data)


WRITER = """
import sys
from zhuyi.ui.live import FolderSink
from zhuyi.ui.view.document import Moment
from zhuyi.ui.view.pack import pack
import numpy as np
sink = FolderSink(sys.argv[1])
sink.track("0", "probe", pack({"entries": [], "units": [], "sequences": []}))
noise = np.random.default_rng(0).integers(0, 255, 300_000).astype(np.uint8)
print("ready", flush=True)
for step in range(10**6):
    head = pack({"kind": "moment", "time": 1.0, "written": step + 1})
    layer = pack({"kind": "layer", "entries": []}, {"noise": noise})
    sink.moment("0", Moment(step=step, time=1.0, head=head, layers={0: layer}))
    sink.scalars(step, {"attention/layer_00/reach": 1.5})
"""


@pytest.mark.skipif(sys.platform == "win32", reason="no SIGKILL")
def test_a_killed_writer_corrupts_nothing(tmp_path: Path) -> None:
    writer = subprocess.Popen(
        [sys.executable, "-c", WRITER, str(tmp_path)], stdout=subprocess.PIPE, text=True
    )
    assert writer.stdout is not None
    assert writer.stdout.readline() == "ready\n"
    folder = tmp_path / "zhuyi" / "0"
    archive = FolderArchive(tmp_path)
    while len(list(folder.glob("*.moment"))) < 5:
        for track in archive.tracks():  # read while it is written
            split(archive.ask(f"moment/{track.id}/{track.steps[-1]}"))
    writer.send_signal(signal.SIGKILL)
    writer.wait()
    writer.stdout.close()
    (track,) = archive.tracks()
    assert track.steps == tuple(range(len(track.steps)))
    for step in track.steps:
        head, layer = split(archive.ask(f"moment/{track.id}/{step}"))
        assert unpack(head)[0]["written"] == step + 1
        assert len(unpack(layer)[1]["noise"]) == 300_000


def test_many_may_ask_at_once(tmp_path: Path) -> None:
    run_in(tmp_path)
    archive = FolderArchive(tmp_path)
    found: list[bytes] = []

    def ask() -> None:
        for track in archive.tracks():
            found.append(archive.ask(f"series/{track.id}"))

    threads = [threading.Thread(target=ask) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 16
    assert len(set(found)) == 2
