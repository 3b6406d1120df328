"""What `FolderSink` wrote, as an archive that a view can ask, while the writer still writes."""

import hashlib
import json
import math
import os
import re
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from zhuyi.errors import InputError
from zhuyi.ui.live.folder import ID, INSIDE, SCHEMA, read_details
from zhuyi.ui.view.archive import TrackIndex, index_values
from zhuyi.ui.view.pack import split, unpack
from zhuyi.ui.view.series import SeriesRow, series_of_rows, series_row

_STEP: Final = re.compile(r"([0-9]{12})\.(moment|details)")
_DEEPEST: Final = 8  # folders below the root in which runs are looked for
_LARGEST: Final = 1 << 29  # bytes of a file that is read


@dataclass(frozen=True)
class _Read:
    """What is kept of a moment's file, and of which version of it."""

    signature: tuple[int, int]
    time: float
    written: int


@dataclass
class _Track:
    """One track's folder, and what was read of it already."""

    run: str
    folder: Path
    read: dict[int, _Read] = field(default_factory=dict)
    rows: dict[int, tuple[tuple[int, int], SeriesRow]] = field(default_factory=dict)


class FolderArchive:
    """Reads the runs at and below a folder; asked again, it sees what came since.

    Names that are asked for are looked up in what was found, never turned into paths: nothing
    outside the runs can be reached, and links to folders are not followed.

    Args:
        path: a run's folder, or one with runs anywhere below.
        title: of the whole; the folder's name when None.

    Raises:
        InputError: if there is no such folder.

    Cost: the first `index` opens every moment's file; later ones only those that are new. A series
        keeps some 2 kB a step in memory for 100 heads.

    Example:
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     FolderArchive(folder, title="nothing yet").index()["tracks"]
        []
    """

    def __init__(self, path: str | Path, title: str | None = None) -> None:
        self.path = Path(path)
        if not self.path.is_dir():
            raise InputError(f"{path} is no folder: pass one with runs below it")
        self.title = title or self.path.resolve().name
        self._tracks: dict[str, _Track] = {}
        self._lock = threading.RLock()  # a server asks from several threads

    def index(self) -> dict[str, object]:
        """What there is now, as `view.archive.index_values` puts it."""
        return index_values(self.title, self.tracks())

    def tracks(self) -> tuple[TrackIndex, ...]:
        """What there is now, run by run; tracks without a look are left out."""
        with self._lock:
            found = {track_id: (run, folder) for track_id, run, folder in self._found()}
            for track_id in set(self._tracks) - set(found):
                del self._tracks[track_id]
            told = []
            for track_id, (run, folder) in found.items():
                track = self._tracks.setdefault(track_id, _Track(run, folder))
                steps = _refreshed(track)
                if steps:
                    told.append(_told(track_id, track, steps))
            return tuple(told)

    def ask(self, name: str) -> bytes:
        """The bytes of a name, see `view.archive`. Raises: InputError: if there is no such name."""
        kind, _, rest = name.partition("/")
        track_id, *numbers = rest.split("/")
        if track_id not in self._tracks:
            self.tracks()
        track = self._tracks.get(track_id)
        places = [int(one) for one in numbers if re.fullmatch(r"[0-9]{1,15}", one)]
        if track is not None and len(places) == len(numbers):
            match kind, places:
                case "track", []:
                    return _bytes(track.folder / "track.zyp")
                case "moment", [step]:
                    return _bytes(_file(track, step, "moment"))
                case "detail", [step, entry]:
                    packs = self.details(track_id, step)
                    if entry in packs:
                        return packs[entry]
                case "series", []:
                    return self._series(track)
                case _:
                    pass
        raise InputError(f"there is nothing called {name[:80]!r}")

    def details(self, id: str, step: int) -> dict[int, bytes]:
        """All heads in full of a step, by the place of the head, best first.

        Raises: InputError: if there are none.
        """
        if id not in self._tracks:
            raise InputError(f"there is no track {id[:80]!r}")
        return read_details(_bytes(_file(self._tracks[id], step, "details")))

    def _series(self, track: _Track) -> bytes:
        with self._lock:
            _refreshed(track)
            for step, read in track.read.items():
                if step not in track.rows or track.rows[step][0] != read.signature:
                    row = series_row(step, split(_bytes(_file(track, step, "moment"))))
                    track.rows[step] = read.signature, row
            rows = [row for step, (_, row) in track.rows.items() if step in track.read]
        return series_of_rows(rows)

    def _found(self) -> Iterator[tuple[str, str, Path]]:
        """Id, run and folder of every track below the root."""
        for at, folders, _ in os.walk(self.path):
            here = Path(at)
            parts = here.relative_to(self.path).parts
            run = "/".join(parts)
            inside = here / INSIDE
            if _is_run(inside):
                # The number of a run would change when another appears before it.
                digest = hashlib.sha256(run.encode("utf-8", "replace")).hexdigest()[:10]
                for folder in sorted(inside.iterdir()):
                    named = ID.fullmatch(folder.name) and not folder.is_symlink()
                    if named and (folder / "track.zyp").is_file():
                        yield f"{digest}-{folder.name}", run, folder
                folders.remove(INSIDE)
            folders[:] = sorted(one for one in folders if not one.startswith("."))
            if len(parts) >= _DEEPEST:
                folders.clear()


def _is_run(inside: Path) -> bool:
    try:
        if inside.is_symlink():
            return False
        found = json.loads((inside / "run.json").read_bytes())
    except (OSError, ValueError):
        return False
    return isinstance(found, dict) and found.get("schema") == SCHEMA


def _refreshed(track: _Track) -> dict[int, bool]:
    """Steps with a moment, each with whether it has details; reads what is new of them."""
    moments: dict[int, tuple[int, int]] = {}
    detailed: set[int] = set()
    for entry in _entries(track.folder):
        named = _STEP.fullmatch(entry.name)
        if named is None or not entry.is_file(follow_symlinks=False):
            continue
        if named[2] == "details":
            detailed.add(int(named[1]))
        else:
            state = entry.stat(follow_symlinks=False)
            moments[int(named[1])] = state.st_mtime_ns, state.st_size
    for step in set(track.read) - set(moments):
        del track.read[step]
    for step, signature in moments.items():
        known = track.read.get(step)
        if known is None or known.signature != signature:
            read = _head(_file(track, step, "moment"), signature)
            if read is not None:
                track.read[step] = read
    return {step: step in detailed for step in sorted(track.read)}


def _entries(folder: Path) -> list[os.DirEntry[str]]:
    try:
        with os.scandir(folder) as entries:
            return list(entries)
    except OSError:
        return []  # removed meanwhile


def _head(path: Path, signature: tuple[int, int]) -> _Read | None:
    """What the moment's own pack says; None for a file that is no moment."""
    try:
        with open(path, "rb") as stream:
            length = int.from_bytes(stream.read(4), "little")
            header, _ = unpack(stream.read(min(length, _LARGEST)))
        time = float(header["time"])
        return _Read(signature, time if math.isfinite(time) else 0.0, int(header["written"]))
    except (OSError, InputError, KeyError, TypeError, ValueError):
        return None


def _told(id: str, track: _Track, steps: dict[int, bool]) -> TrackIndex:
    try:
        name = str(json.loads((track.folder / "track.json").read_bytes())["name"])
    except (OSError, ValueError, KeyError, TypeError):
        name = track.folder.name
    return TrackIndex(
        id=id,
        run=track.run,
        name=name,
        steps=tuple(steps),
        times=tuple(track.read[step].time for step in steps),
        detailed=tuple(step for step, has in steps.items() if has),
        written=max(len(steps), *(track.read[step].written for step in steps)),
    )


def _file(track: _Track, step: int, kind: str) -> Path:
    return track.folder / f"{step:012d}.{kind}"


def _bytes(path: Path) -> bytes:
    try:
        if path.stat().st_size > _LARGEST:
            raise InputError(f"a file of the run is larger than {_LARGEST:,} bytes")
        return path.read_bytes()
    except OSError:
        raise InputError("there is nothing of that name") from None
