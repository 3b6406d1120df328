"""A folder of runs as one archive: plain files, TensorBoard's event files, or both."""

import os
from collections.abc import Callable
from pathlib import Path

from zhuyi.errors import BackendUnavailable, InputError
from zhuyi.ui.live.folder_archive import FolderArchive
from zhuyi.ui.view.archive import Archive, index_values
from zhuyi.ui.view.document import SCHEMA

_DEEPEST = 8  # folders below the root in which event files are looked for


class RunsArchive:
    """All runs at and below a folder, see `view.archive`; asked again, it sees what came since.

    Args:
        path: the folder.
        tell: takes one line on what cannot be shown, once.

    Raises:
        InputError: if there is no such folder.

    `series` may be asked in one thread while another asks for something else; nothing else may.

    Cost: the first `index` reads every run; event files take about 10 s for 100 MB.
    """

    def __init__(self, path: Path, tell: Callable[[str], None] = lambda _: None) -> None:
        if not path.is_dir():
            what = "is a file" if path.is_file() else "does not exist"
            raise InputError(f"--logdir takes a folder of runs, and {path} {what}")
        self.path = path
        self.title = path.resolve().name or str(path)
        self._tell = tell
        self._plain = FolderArchive(path)
        self._courses = FolderArchive(path)  # for `series` alone: it knows its own files
        self._events: Archive | None = None
        self._refused = False
        self._owner: dict[str, Archive] = {}

    def index(self) -> dict[str, object]:
        """What there is now."""
        told: list[object] = []
        owner: dict[str, Archive] = {}
        for archive in self._archives():
            values = archive.index()
            assert values["schema"] == SCHEMA
            tracks = values["tracks"]
            assert isinstance(tracks, list)
            # The two kinds make their ids in different forms; what came first would stay.
            owner = {**dict.fromkeys((track["id"] for track in tracks), archive), **owner}
            told += (track for track in tracks if owner[track["id"]] is archive)
        self._owner = owner
        return {**index_values(self.title, ()), "tracks": told}

    def ask(self, name: str) -> bytes:
        """The bytes of a name of the last index. Raises: InputError: if there is no such name."""
        owner = self._owner.get(name.split("/")[1] if "/" in name else "")
        if owner is None:
            raise InputError(f"there is nothing called {name[:80]!r}")
        if owner is self._plain and name.startswith("series/"):
            owner = self._courses
        return owner.ask(name)

    def _archives(self) -> list[Archive]:
        if self._events is None and not self._refused and _has_event_files(self.path):
            self._events = self._read_events()
        return [self._plain] if self._events is None else [self._plain, self._events]

    def _read_events(self) -> Archive | None:
        from zhuyi.ui.tensorboard.logdir import LogdirArchive

        try:
            return LogdirArchive(self.path)
        except BackendUnavailable as error:
            self._refused = True
            self._tell(f"there are event files that are not shown: {error}")
            return None


def _has_event_files(path: Path) -> bool:
    for at, folders, names in os.walk(path):
        if any(".tfevents." in name for name in names):
            return True
        if len(Path(at).relative_to(path).parts) >= _DEEPEST:
            folders.clear()
    return False
