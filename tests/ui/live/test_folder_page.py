"""A folder as one page: as many steps as fit, evenly, the first and the last always."""

import base64
import json
import re
from itertools import pairwise
from pathlib import Path

import pytest

from tests.ui.live.trainings import Remembering, log, tiny
from zhuyi.errors import InputError
from zhuyi.ui.live import FolderSink, page_of_folder
from zhuyi.ui.live.folder_page import evenly
from zhuyi.ui.view.archive import MemoryArchive
from zhuyi.ui.view.pack import split, unpack
from zhuyi.ui.view.page import page_of


def parts(page: str) -> tuple[dict, dict[str, bytes]]:
    """The index and the packs inside a page."""
    blocks = re.findall(r'<script type="application/octet-stream" data-zhuyi="([^"]+)">([^<]*)<',
                        page)  # fmt: skip
    index = json.loads(re.search(r">(\{\"schema\".*?)</script>", page, re.DOTALL)[1])
    return index, {name: base64.b64decode(data) for name, data in blocks}


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Remembering]:
    folder, sink = tmp_path_factory.mktemp("runs"), Remembering()
    log(tiny(), [sink, FolderSink(folder)], steps=40, every=1)
    return folder, sink


def bare() -> int:
    return len(page_of(MemoryArchive(title="x", tracks=(), packs={})))


def test_everything_is_in_it_where_it_fits(run: tuple[Path, Remembering]) -> None:
    folder, sink = run
    index, packs = parts(page_of_folder(folder, bare() + 4_000_000))
    assert [track["steps"] for track in index["tracks"]] == [list(range(40))] * 2
    for track, name in zip(index["tracks"], "01"):
        assert packs[f"track/{track['id']}"] == sink.tracks[name][1]
        assert track["detailed"] == [0, 1, 3, 7, 15, 31, 39]
        found = unpack(packs[f"series/{track['id']}"])[1]
        assert found["steps"].tolist() == list(range(40))
        for step in track["detailed"]:
            for entry, one in sink.in_full[name, step].items():
                assert packs[f"detail/{track['id']}/{step}/{entry}"] == one


@pytest.mark.parametrize("room", [30_000, 60_000, 120_000])
def test_a_budget_thins_steps_evenly(run: tuple[Path, Remembering], room: int) -> None:
    folder, _ = run
    page = page_of_folder(folder, bare() + room)
    assert len(page) <= bare() + room
    index, packs = parts(page)
    for track in index["tracks"]:
        steps = track["steps"]
        assert track["written"] == 40, "the view can say how many there were"
        assert 2 <= len(steps) < 40
        assert (steps[0], steps[-1]) == (0, 39)
        gaps = [b - a for a, b in pairwise(steps)]
        assert max(gaps) - min(gaps) <= 1
        assert len(track["times"]) == len(steps)
        for step in steps:
            named = unpack(split(packs[f"moment/{track['id']}/{step}"])[0])[0]["details"]
            there = [n for n in packs if n.startswith(f"detail/{track['id']}/{step}/")]
            if step in track["detailed"]:
                assert sorted(int(n.rpartition("/")[2]) for n in there) == named
            assert step in track["detailed"] or not there
    assert len(page) >= bare() + 0.5 * room, "room is used"


def test_what_the_page_names_it_has(run: tuple[Path, Remembering]) -> None:
    """No moment promises heads in full that were left out."""
    folder, _ = run
    index, packs = parts(page_of_folder(folder, bare() + 60_000))
    for track in index["tracks"]:
        for step in track["steps"]:
            for entry in unpack(split(packs[f"moment/{track['id']}/{step}"])[0])[0]["details"]:
                assert f"detail/{track['id']}/{step}/{entry}" in packs


def test_too_small_a_budget_keeps_the_ends(run: tuple[Path, Remembering]) -> None:
    folder, _ = run
    index, _ = parts(page_of_folder(folder, 10))
    assert [track["steps"] for track in index["tracks"]] == [[0, 39]] * 2


def test_one_look_makes_a_page(tmp_path: Path) -> None:
    log(tiny(), FolderSink(tmp_path), steps=1)
    index, packs = parts(page_of_folder(tmp_path))
    assert index["tracks"][0]["steps"] == [0]
    assert len([name for name in packs if name.startswith("detail/")]) == 16


def test_a_folder_without_looks_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="has no looks: log some with AttentionLogger"):
        page_of_folder(tmp_path)


@pytest.mark.parametrize(("count", "most"), [(1, 1), (2, 2), (5, 9), (100, 2), (100, 7), (9, 8)])
def test_evenly(count: int, most: int) -> None:
    places = evenly(count, most)
    assert places == sorted(set(places))
    assert len(places) == min(count, most)
    assert (places[0], places[-1]) == (0, count - 1)
