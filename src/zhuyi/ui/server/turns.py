"""Who may use the model now: one call at a time, and of each kind only the newest counts.

    try       a person is moving a slider: ends everything that came before
    others    end earlier ones of their own kind

What is overtaken is answered at once. Work that runs already cannot be stopped from outside: it
asks `Turn.check` between calls of the model and ends there.
"""

import asyncio
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from typing import Any, Final, TypeVar

from zhuyi.errors import ZhuyiError

Found = TypeVar("Found")

FIRST: Final = "try"
"""The kind that ends all others."""
MOST_WAITING: Final = 64  # calls that have not begun, overtaken ones among them


class Superseded(ZhuyiError, RuntimeError):
    """A newer request took this one's place."""


class TooLate(ZhuyiError, TimeoutError):
    """The answer took longer than it may."""


class TooMany(ZhuyiError, RuntimeError):
    """More requests wait than can be kept."""


class Turn:
    """One request's right to the model, and whether it still has it.

    Args:
        kind: of the request.
        seconds: for waiting and working together.
    """

    def __init__(self, kind: str, seconds: float) -> None:
        self.kind = kind
        self._end = time.monotonic() + seconds
        self._over = threading.Event()

    def check(self) -> None:
        """Ask between calls of the model whether the work is still wanted.

        Raises: Superseded, TooLate: where it is not.
        """
        if self._over.is_set():
            raise Superseded("a newer request took this one's place")
        if time.monotonic() > self._end:
            raise TooLate("this took too long")

    def end(self) -> None:
        """Nobody waits for it any more."""
        self._over.set()


class _Held:
    """A turn with the answer that is awaited."""

    def __init__(self, turn: Turn, answer: "asyncio.Future[Any]") -> None:
        self.turn = turn
        self.answer = answer


class Turns:
    """The queue before one model.

    Everything runs in one thread of its own, which is also the one thread in which a steering
    holds.

    Args:
        seconds: that an answer may take, waiting included.
    Not: for several models: each has its own.
    """

    def __init__(self, seconds: float = 30.0) -> None:
        self.seconds = seconds
        self._one = ThreadPoolExecutor(1, thread_name_prefix="zhuyi-model")
        self._held: dict[str, _Held] = {}
        self._waiting = 0

    async def take(self, kind: str, work: Callable[[Turn], Found]) -> Found:
        """Run some work when it is its turn.

        Args:
            kind: of the request.
            work: is given its turn, and asks it between calls of the model.
        Raises:
            Superseded: a newer request took its place, before or while it ran.
            TooLate: it took longer than `seconds`; the work ends at its next check.
            TooMany: too many wait; nothing was begun.
            whatever the work raises.
        """
        if self._waiting >= MOST_WAITING:
            raise TooMany("too many requests wait for the model")
        for other in [*self._held] if kind == FIRST else [kind]:
            self._overtake(other)
        turn, loop = Turn(kind, self.seconds), asyncio.get_running_loop()
        answer: asyncio.Future[Found] = loop.create_future()
        self._held[kind] = held = _Held(turn, answer)
        self._waiting += 1

        def done(found: Future[Any]) -> None:
            with suppress(RuntimeError):  # the server has stopped: nobody waits any more
                loop.call_soon_threadsafe(self._settle, held, found)

        self._one.submit(self._run, turn, work).add_done_callback(done)
        try:
            async with asyncio.timeout(self.seconds):
                return await answer
        except TimeoutError:
            raise TooLate("this took too long") from None
        finally:
            turn.end()
            if self._held.get(kind) is held:
                del self._held[kind]

    def _run(self, turn: Turn, work: Callable[[Turn], Found]) -> Found:
        turn.check()
        return work(turn)

    def _overtake(self, kind: str) -> None:
        held = self._held.pop(kind, None)
        if held is not None:
            held.turn.end()
            if not held.answer.done():
                held.answer.set_exception(Superseded("a newer request took this one's place"))

    def _settle(self, held: _Held, done: "Future[Any]") -> None:
        """What came of the work, for whoever still waits."""
        self._waiting -= 1
        if held.answer.done():
            return
        fault = done.exception()
        if fault is None:
            held.answer.set_result(done.result())
        else:
            held.answer.set_exception(fault)
