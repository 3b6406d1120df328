"""Two TensorBoards for all tests here: the fast loader behind a path prefix, and the slow one."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.ui.tensorboard.boards import EVIL, Written, looks, tensorboards, write

#: As a folder may be called: no slash.
EVIL_RUN = "<img src=x onerror=window.stolen=1>"
LOADERS = ("fast", "slow")


@dataclass(frozen=True)
class Shown:
    """What the TensorBoards show, and where they are."""

    folder: Path
    written: dict[str, Written]
    urls: dict[str, str]


@pytest.fixture(scope="session")
def shown(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shown]:
    """One run with more looks than any loader keeps, one with hostile text, one with one look
    alone, one whose last look was written again."""
    pytest.importorskip("tensorboard")
    folder = tmp_path_factory.mktemp("runs")
    what = looks(length=40)
    steps = range(0, 6000, 50)
    written = {
        "many/attention": write(folder / "many", steps, detailed=[0, 50, 5950], what=what),
        f"{EVIL_RUN}/attention": write(
            folder / EVIL_RUN, [0, 1], detailed=[1], what=looks(EVIL), name=EVIL
        ),
        "again/attention": write(folder / "again", [2, 5, 5], detailed=[5]),
        "ein lauf/ünï/attention": write(folder / "ein lauf" / "ünï", [3], name="one look"),
    }
    flags = ["--load_fast=true", "--path_prefix", "/x"], ["--load_fast=false"]
    with tensorboards(folder, *flags) as urls:
        yield Shown(folder, written, dict(zip(LOADERS, urls, strict=True)))
