"""Looks as plain files: the sink that needs nothing, and what reads it back.

    <run>/zhuyi/run.json                 {"schema": "zhuyi.folder/1"}
    <run>/zhuyi/scalars.jsonl            one line a step: {"step": 50, "attention/...": 3.2, ...}
    <run>/zhuyi/images/<step>-<name>.png
    <run>/zhuyi/<track>/track.json       {"name": ...}
    <run>/zhuyi/<track>/track.zyp        one pack
    <run>/zhuyi/<track>/<step>.moment    packs, joined
    <run>/zhuyi/<track>/<step>.details   packs, joined; the first says whose they are

Every file but the scalars is written beside its place and moved there in one step, so a reader
finds it whole or not at all, whenever the writer is killed; of the scalars it may lose the last
line. A run is a folder that holds a folder `zhuyi` with a `run.json`; runs lie side by side or
below each other.
"""

import json
import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from zhuyi.errors import InputError
from zhuyi.ui.live.overview import png_of
from zhuyi.ui.live.sinks import Rgb
from zhuyi.ui.view.document import Moment
from zhuyi.ui.view.pack import join, pack, split, unpack

SCHEMA: Final = "zhuyi.folder/1"
INSIDE: Final = "zhuyi"
ID: Final = re.compile(r"[A-Za-z0-9_-]{1,64}")


class FolderSink:
    """Keeps looks as plain files below a folder, for `zhuyi serve` and for pages.

    A training that goes on from a checkpoint may write into the folder it began with: steps that
    come again are replaced. Another model or another probe needs another folder.

    Args:
        path: the run's folder; it is made where there is none.

    Raises:
        InputError: if the folder cannot be written.

    Example:
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     FolderSink(folder).scalars(50, {"attention/layer_00/reach": 3.25})
        ...     print((Path(folder) / "zhuyi" / "scalars.jsonl").read_text().strip())
        {"step": 50, "attention/layer_00/reach": 3.25}
    """

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)
        self._inside = self.path / INSIDE
        try:
            self._inside.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise InputError(f"cannot write looks to {path}: {error.strerror}") from None
        write_whole(self._inside / "run.json", json.dumps({"schema": SCHEMA}).encode())
        self._scalars = self._inside / "scalars.jsonl"
        self._end_line()

    def track(self, id: str, name: str, pack: bytes) -> None:
        """Begin a track, or go on with it.

        Raises: InputError: if the folder has a track of this id with other heads or units.
        """
        folder = self._folder(id)
        known = folder / "track.zyp"
        if known.exists() and _shape(known.read_bytes()) != _shape(pack):
            raise InputError(
                f"{self.path} holds looks at another model or another probe (track {id!r}): "
                "choose another folder, or remove this one"
            )
        folder.mkdir(parents=True, exist_ok=True)
        text = name.encode("utf-8", "replace").decode("utf-8")
        write_whole(folder / "track.json", json.dumps({"name": text}).encode())
        write_whole(known, pack)

    def moment(self, id: str, moment: Moment) -> None:
        """Keep one look."""
        write_whole(self._folder(id) / f"{_number(moment.step)}.moment", moment.joined())

    def details(self, id: str, step: int, packs: Mapping[int, bytes]) -> None:
        """Keep heads in full, in the order of `packs`."""
        entries = list(packs)
        first = pack({"kind": "details", "entries": entries})
        data = join([first, *(packs[entry] for entry in entries)])
        write_whole(self._folder(id) / f"{_number(step)}.details", data)

    def scalars(self, step: int, values: Mapping[str, float]) -> None:
        """Keep numbers as one more line of `scalars.jsonl`."""
        line = json.dumps({"step": step, **values}, allow_nan=False) + "\n"
        with open(self._scalars, "a", encoding="utf-8", newline="\n") as stream:
            stream.write(line)

    def image(self, step: int, name: str, rgb: Rgb) -> None:
        """Keep a picture as PNG."""
        folder = self._inside / "images"
        folder.mkdir(exist_ok=True)
        plain = re.sub(r"[^A-Za-z0-9_-]+", "_", name)[:64]
        write_whole(folder / f"{_number(step)}-{plain}.png", png_of(rgb))

    def close(self) -> None:
        """Nothing is left to write."""

    def _end_line(self) -> None:
        """A writer that was killed may have left half a line: what follows begins a new one."""
        if self._scalars.exists() and not self._scalars.read_bytes().endswith(b"\n"):
            with open(self._scalars, "ab") as stream:
                stream.write(b"\n")

    def _folder(self, id: str) -> Path:
        if not ID.fullmatch(id) or id == "images":
            raise InputError(f"a track's id must be 1 to 64 of A-Z a-z 0-9 _ -, got {id!r}")
        return self._inside / id


def read_details(data: bytes) -> dict[int, bytes]:
    """The packs of a `.details` file, by the place of their head, in the order of the file.

    Raises: InputError: if the file is damaged.
    """
    packs = split(data)
    header = unpack(packs[0])[0] if packs else {}
    entries = header.get("entries")
    if not isinstance(entries, list) or len(entries) != len(packs) - 1:
        raise InputError("the details' list does not fit the details")
    return {int(entry): one for entry, one in zip(entries, packs[1:], strict=True)}


def write_whole(path: Path, data: bytes) -> None:
    """Write beside the place and move there: a reader finds the old file or the new one.

    Raises: InputError: if it cannot be written.
    """
    beside = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        beside.write_bytes(data)
        os.replace(beside, path)
    except OSError as error:
        beside.unlink(missing_ok=True)
        raise InputError(f"cannot write {path}: {error.strerror}") from None


def _number(step: int) -> str:
    if not 0 <= step < 1 << 31:
        raise InputError(f"a step must be from 0 to 2,147,483,647, got {step}")
    return f"{step:012d}"  # so that a listing by name is in order


def _shape(track: bytes) -> tuple[object, ...]:
    """What may not change while a track goes on."""
    header, _ = unpack(track)
    return header.get("entries"), header.get("units"), header.get("sequences")
