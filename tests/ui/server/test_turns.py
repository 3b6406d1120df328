"""Turns: one call at a time, the newest wins, what is overtaken hears so at once."""

import asyncio
import threading
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from tests.ui.server.loops import complete
from zhuyi.errors import InputError
from zhuyi.ui.server.turns import MOST_WAITING, Superseded, TooLate, TooMany, Turn, Turns

WAIT = 10.0  # seconds after which a test has failed


def run(story: Callable[[], Awaitable[None]]) -> None:
    async def ended() -> None:
        await asyncio.wait_for(story(), WAIT)

    complete(ended())


class Held:
    """Work that goes on until it is let go, asking for its turn in between if it is polite."""

    def __init__(self, *, polite: bool = True) -> None:
        self.begun, self.go = threading.Event(), threading.Event()
        self.polite = polite
        self.ended: BaseException | None = None

    def __call__(self, turn: Turn) -> str:
        self.begun.set()
        try:
            while not self.go.wait(0.002):
                if self.polite:
                    turn.check()
        except (Superseded, TooLate) as fault:
            self.ended = fault
            raise
        return "done"

    async def started(self) -> None:
        await asyncio.to_thread(self.begun.wait, WAIT)


def test_work_runs_in_one_thread_that_is_not_the_loops() -> None:
    async def story() -> None:
        turns = Turns()
        threads = [await turns.take("try", lambda _: threading.get_ident()) for _ in range(5)]
        assert len(set(threads)) == 1
        assert threads[0] != threading.get_ident()

    run(story)


def test_a_newer_one_ends_the_one_that_runs_and_the_one_that_waits() -> None:
    async def story() -> None:
        turns, first = Turns(), Held()
        calls = list[int]()
        running = asyncio.ensure_future(turns.take("try", first))
        await first.started()
        waiting = asyncio.ensure_future(turns.take("try", lambda _: calls.append(2)))
        await asyncio.sleep(0)
        newest = asyncio.ensure_future(turns.take("try", lambda _: calls.append(3) or "third"))
        with pytest.raises(Superseded):
            await running
        with pytest.raises(Superseded):
            await waiting
        assert await newest == "third"
        assert calls == [3], "what was overtaken while it waited never began"
        assert isinstance(first.ended, Superseded), "what ran was told at its next check"

    run(story)


def test_the_overtaken_is_answered_before_its_work_ends() -> None:
    async def story() -> None:
        turns, stubborn = Turns(), Held(polite=False)
        running = asyncio.ensure_future(turns.take("try", stubborn))
        await stubborn.started()
        newest = asyncio.ensure_future(turns.take("try", lambda _: "newest"))
        with pytest.raises(Superseded):
            await running
        assert not stubborn.go.is_set()
        assert not newest.done(), "one call at a time: the newest waits for the work to end"
        stubborn.go.set()
        assert await newest == "newest"

    run(story)


def test_a_try_ends_all_kinds_and_others_only_their_own() -> None:
    async def story() -> None:
        turns, first = Turns(), Held()
        control = asyncio.ensure_future(turns.take("control", first))
        await first.started()
        verdict = asyncio.ensure_future(turns.take("verdict", lambda _: "verdict"))
        await asyncio.sleep(0.02)
        assert not control.done()
        assert not verdict.done()
        tried = asyncio.ensure_future(turns.take("try", lambda _: "try"))
        for one in (control, verdict):
            with pytest.raises(Superseded):
                await one
        assert await tried == "try"
        second = Held()
        tried = asyncio.ensure_future(turns.take("try", second))
        await second.started()
        verdict = asyncio.ensure_future(turns.take("verdict", lambda _: "verdict"))
        await asyncio.sleep(0.02)
        second.go.set()
        assert (await tried, await verdict) == ("done", "verdict")

    run(story)


def test_what_takes_too_long_is_answered_and_ends() -> None:
    async def story() -> None:
        turns, slow = Turns(seconds=0.05), Held()
        with pytest.raises(TooLate):
            await turns.take("try", slow)
        await asyncio.sleep(0.05)
        assert slow.ended is not None
        assert await turns.take("try", lambda _: "next") == "next"

    run(story)


def test_only_so_many_may_wait() -> None:
    async def story() -> None:
        turns, stubborn = Turns(), Held(polite=False)
        asked = [asyncio.ensure_future(turns.take("try", stubborn))]
        await stubborn.started()
        for _ in range(MOST_WAITING - 1):
            asked.append(asyncio.ensure_future(turns.take("try", lambda _: "newest")))
            await asyncio.sleep(0)
        with pytest.raises(TooMany):
            await turns.take("try", lambda _: "one more")
        stubborn.go.set()
        found: list[Any] = await asyncio.gather(*asked, return_exceptions=True)
        assert found[-1] == "newest"
        assert all(isinstance(one, Superseded) for one in found[:-1])
        assert await turns.take("try", lambda _: "again") == "again"

    run(story)


def test_faults_of_the_work_come_back_and_do_no_harm() -> None:
    def wrong(_: Turn) -> None:
        raise InputError("not so")

    async def story() -> None:
        turns = Turns()
        with pytest.raises(InputError, match="not so"):
            await turns.take("try", wrong)
        assert await turns.take("try", lambda _: 5) == 5

    run(story)


def test_a_server_that_stops_while_work_runs_is_no_fault(
    capfd: pytest.CaptureFixture[str],
) -> None:
    work, turns = Held(polite=False), Turns()

    async def story() -> None:
        asked = asyncio.ensure_future(turns.take("try", work))
        await work.started()
        asked.cancel()

    run(story)  # the loop is closed now
    work.go.set()
    turns._one.shutdown(wait=True)
    assert capfd.readouterr() == ("", "")


def test_who_goes_away_ends_its_work() -> None:
    async def story() -> None:
        turns, work = Turns(), Held()
        asked = asyncio.ensure_future(turns.take("try", work))
        await work.started()
        asked.cancel()
        await asyncio.wait({asked})
        while work.ended is None:
            await asyncio.sleep(0.002)
        assert await turns.take("try", lambda _: 5) == 5

    run(story)
