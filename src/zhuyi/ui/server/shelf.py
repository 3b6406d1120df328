"""An archive as a server may ask it: one question at a time, and only for what its index names."""

import asyncio
import re
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import TypeVar

from zhuyi.errors import InputError
from zhuyi.ui.view.archive import Archive
from zhuyi.ui.view.pack import to_json
from zhuyi.ui.view.words import CHINESE, words_pack

Found = TypeVar("Found")

_ID = "([A-Za-z0-9_-]{1,200})"
_NUMBER = "(0|[1-9][0-9]{0,15})"
_NAME = re.compile(
    f"(?:track|series)/{_ID}|moment/{_ID}/{_NUMBER}|detail/{_ID}/{_NUMBER}/{_NUMBER}", re.ASCII
)


@dataclass(frozen=True, kw_only=True)
class Shelf:
    """What stands between the addresses and the archive.

    A name from a client is compared with the index and never becomes part of a path unless the
    index has it. Archives read files and are no friends of threads, so they are asked in one
    thread of their own: a question that nobody waits for any more still ends before the next.
    Only `series`, which goes through every step of a run, has another thread: the slider does not
    wait for it.

    Args:
        archive: what there is to show; it must bear a `series` beside one other question.
    """

    archive: Archive
    _one: ThreadPoolExecutor = field(default_factory=lambda: ThreadPoolExecutor(1), repr=False)
    _long: ThreadPoolExecutor = field(default_factory=lambda: ThreadPoolExecutor(1), repr=False)
    _steps: dict[str, frozenset[int]] = field(default_factory=dict, repr=False)

    async def index(self) -> bytes:
        """The index as JSON, read anew."""
        return await _in_turn(self._one, self._read_index)

    async def ask(self, name: str) -> bytes:
        """The bytes of a name.

        Raises: InputError: if the index has no such name, or the archive nothing under it.
        """
        if name == CHINESE:
            return words_pack()
        await _in_turn(self._one, lambda: self._check(name))
        turn = self._long if name.startswith("series/") else self._one
        return await _in_turn(turn, lambda: self.archive.ask(name))

    def _read_index(self) -> bytes:
        values = self.archive.index()
        tracks = values["tracks"]
        assert isinstance(tracks, list)
        self._steps.clear()
        self._steps.update({track["id"]: frozenset(track["steps"]) for track in tracks})
        return to_json(values).encode()

    def _check(self, name: str) -> None:
        """Raises: InputError: if the index does not have the name."""
        found = _NAME.fullmatch(name)
        parts = name.split("/")
        if found is not None and not self._has(parts):
            self._read_index()  # the step may be newer than the last look at the index
        if found is None or not self._has(parts):
            raise InputError("there is nothing of that name")

    def _has(self, parts: list[str]) -> bool:
        steps = self._steps.get(parts[1])
        return steps is not None and (len(parts) == 2 or int(parts[2]) in steps)


async def _in_turn(turn: ThreadPoolExecutor, question: Callable[[], Found]) -> Found:
    return await asyncio.get_running_loop().run_in_executor(turn, question)
