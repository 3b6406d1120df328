"""Where `--logdir` writes: event files where tensorboard is installed, else plain files."""

import hashlib
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Final

from zhuyi.errors import InputError
from zhuyi.ui.live.folder import FolderSink
from zhuyi.ui.live.folder_archive import FolderArchive
from zhuyi.ui.live.recording import Recorder
from zhuyi.ui.live.sinks import Sink
from zhuyi.ui.looked import Looked
from zhuyi.ui.view.document import track_pack
from zhuyi.ui.view.pack import to_json, unpack

KEEP: Final = 4_000_000
"""Bytes of heads in full that one look of the command line writes."""

_LONGEST: Final = 60  # characters of a track's name
_SHAPE: Final = ("entries", "units", "sequences")  # of a track: what all its steps share


def recorder_in(folder: Path, *, keep: int = KEEP) -> Recorder:
    """A recorder that writes one run into a folder, which is made where there is none.

    Args:
        folder: of the run, as it would be given to `tensorboard --logdir`.
        keep: bytes of heads in full a step.
    Raises: InputError: if the folder cannot be written.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(f"cannot write looks to {folder}: {error.strerror}") from None
    return Recorder([_sink(folder)], keep=keep)


def where(folder: Path) -> str:
    """One line on where looks go and how they are seen."""
    if _with_tensorboard():
        return f"looks are written to {folder}: tensorboard --logdir {folder}, tab Attention"
    return (
        f"looks are written to {folder} as plain files: zhuyi serve --logdir {folder} "
        "(for TensorBoard: pip install 'zhuyi[tensorboard]')"
    )


def next_step(folder: Path) -> int:
    """0 for a folder without looks, else the step after its last one.

    Cost: reads all looks in the folder; some seconds for event files of 50 MB.
    """
    return 1 + max(_steps(folder), default=-1)


def track_of(kind: str, looked: Looked) -> str:
    """An id that looks at the same input by a model of the same shape share.

    Args:
        kind: what it begins with, letters only.
        looked: one of them.
    """
    header, _ = unpack(track_pack(looked))
    told = to_json([header[key] for key in _SHAPE]).encode()
    return f"{kind}-{hashlib.blake2b(told, digest_size=6).hexdigest()}"


def name_of(text: str, otherwise: str) -> str:
    """What a person calls an input: its first words, on one line."""
    short = " ".join(text.split()) or otherwise
    return short if len(short) <= _LONGEST else f"{short[: _LONGEST - 1]}…"


def free_folder(parent: Path, name: str) -> Path:
    """A folder of that name that is not there yet: "name", else "name-2", "name-3", ..."""
    numbers = iter(range(2, 1_000_000))
    found = parent / name
    while found.exists():
        found = parent / f"{name}-{next(numbers)}"
    return found


def _sink(folder: Path) -> Sink:
    if _with_tensorboard():
        from zhuyi.ui.tensorboard.sink import TensorBoardSink

        return TensorBoardSink(folder)
    return FolderSink(folder)


def _with_tensorboard() -> bool:
    return find_spec("tensorboard") is not None


def _steps(folder: Path) -> Iterator[int]:
    """Steps of the looks that this folder holds itself; runs below it are others."""
    if (folder / "zhuyi").is_dir():
        for track in FolderArchive(folder).tracks():
            if not track.run:
                yield from track.steps
    events = folder / "attention"  # where `TensorBoardSink` writes
    if _with_tensorboard() and events.is_dir():
        from zhuyi.ui.tensorboard.logdir import LogdirArchive

        yield from _steps_in(LogdirArchive(events).index())


def _steps_in(index: dict[str, object]) -> Iterator[int]:
    tracks = index["tracks"]
    assert isinstance(tracks, list)
    for track in tracks:
        if track["run"] in ("", "."):
            yield from track["steps"]
