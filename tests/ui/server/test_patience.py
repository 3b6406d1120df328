"""The clock of one connection, with a transport that only remembers."""

import asyncio
from typing import cast

from tests.ui.server.loops import complete
from zhuyi.ui.server.limits import Limits
from zhuyi.ui.server.patience import Line, Patience


class Remembering(asyncio.Transport):
    """A transport that says whether it was cut."""

    def __init__(self) -> None:
        super().__init__()
        self.cut = False

    def abort(self) -> None:
        self.cut = True


def connected(line: Line) -> tuple[Patience, Remembering]:
    one, transport = Patience(line), Remembering()
    one.begin(transport)
    return one, transport


def test_who_does_not_ask_is_cut_and_who_asks_is_not() -> None:
    async def run() -> tuple[bool, bool]:
        line = Line(Limits(head_seconds=0.05))
        _, silent = connected(line)
        asking, transport = connected(line)
        with asking.answering():
            await asyncio.sleep(0.15)
            return silent.cut, transport.cut

    assert complete(run()) == (True, False)


def test_who_does_not_take_the_answer_is_cut_and_who_leaves_is_forgotten() -> None:
    async def run() -> tuple[bool, bool]:
        line = Line(Limits(leave_seconds=0.05))
        staying, first = connected(line)
        leaving, second = connected(line)
        for one in (staying, leaving):
            with one.answering():
                pass
        leaving.end()
        await asyncio.sleep(0.15)
        return first.cut, second.cut

    assert complete(run()) == (True, False)


def test_where_there_are_too_many_the_one_that_waits_longest_goes() -> None:
    async def run() -> list[bool]:
        line = Line(Limits(connections=3))
        found = [connected(line) for _ in range(3)]
        with found[0][0].answering():  # it has asked: it is not among those who wait
            found += [connected(line), connected(line)]
        cut = [transport.cut for _, transport in found]
        for one, _ in found:
            one.end()
        return cut

    assert complete(run()) == [False, True, True, False, False]


def test_the_newest_goes_where_all_others_are_being_answered() -> None:
    async def run() -> list[bool]:
        line = Line(Limits(connections=1))
        first, transport = connected(line)
        with first.answering():
            _, late = connected(line)
        return [transport.cut, late.cut]

    assert complete(run()) == [False, True]


def test_a_cut_after_the_end_does_nothing() -> None:
    async def run() -> bool:
        one, transport = connected(Line(Limits()))
        one.end()
        one.cut()
        with one.answering():
            pass
        return cast("bool", transport.cut)

    assert complete(run()) is False
