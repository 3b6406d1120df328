"""Answers that were dear to get, kept while they are true and while there is room."""

from collections import OrderedDict
from collections.abc import Callable, Hashable
from threading import Lock
from typing import Any, TypeVar

Value = TypeVar("Value")


class Memory:
    """Values by key and version; the ones not asked for longest are forgotten first.

    Safe for threads: two that ask for the same key at once cause one loading.

    Args:
        room: bytes that all values together may take.

    Example:
        >>> memory = Memory(room=100)
        >>> memory.get("a", 1, load=lambda: b"xyz", size=len)
        b'xyz'
        >>> memory.get("a", 1, load=lambda: b"never asked", size=len)
        b'xyz'
        >>> memory.get("a", 2, load=lambda: b"new", size=len), memory.taken
        (b'new', 3)
    """

    def __init__(self, room: int) -> None:
        self.room = room
        self.taken = 0
        self._held: OrderedDict[Hashable, tuple[Hashable, Any, int]] = OrderedDict()
        self._gates: dict[Hashable, Lock] = {}
        self._guard = Lock()

    def get(
        self,
        key: Hashable,
        version: Hashable,
        *,
        load: Callable[[], Value],
        size: Callable[[Value], int],
    ) -> Value:
        """The value of a key at this version, loaded if it is not known."""
        with self._guard:
            gate = self._gates.setdefault(key, Lock())
        with gate:
            with self._guard:
                held = self._held.get(key)
                if held is not None and held[0] == version:
                    self._held.move_to_end(key)
                    found: Value = held[1]
                    return found
            value = load()
            with self._guard:
                self._keep(key, version, value, size(value))
        return value

    def peek(self, key: Hashable) -> Any:
        """The value of a key as it was last known, current or not; None where it is not known."""
        with self._guard:
            return self._held[key][1] if key in self._held else None

    def _keep(self, key: Hashable, version: Hashable, value: object, size: int) -> None:
        if key in self._held:
            self.taken -= self._held.pop(key)[2]
        if size > self.room:
            return
        self._held[key] = version, value, size
        self.taken += size
        while self.taken > self.room:
            dropped, (_, _, freed) = self._held.popitem(last=False)
            self.taken -= freed
            self._gates.pop(dropped, None)
