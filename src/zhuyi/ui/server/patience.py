"""Slow clients are cut: a time for the head of a request, and one for taking the answer.

uvicorn waits for ever for a first request and for a client that does not read. This stands
between the socket and uvicorn's protocol and ends both. A connection carries one request:

    connected -> head_seconds -> [the guard answers] -> leave_seconds -> gone
"""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, cast

from zhuyi.ui.server.limits import Limits


class Patience:
    """The time that one connection still has."""

    def __init__(self, line: "Line") -> None:
        self._line = line
        self._transport: asyncio.Transport | None = None
        self._timer: asyncio.TimerHandle | None = None

    def begin(self, transport: asyncio.Transport) -> None:
        """The client is there; its request is not yet."""
        self._transport = transport
        self._line.enter(self)
        self._within(self._line.limits.head_seconds)

    @contextmanager
    def answering(self) -> Iterator[None]:
        """While the request is answered, which has its own limit, this one does not run."""
        self._line.leave_waiting(self)
        self._stop()
        try:
            yield
        finally:
            self._within(self._line.limits.leave_seconds)

    def cut(self) -> None:
        """No more."""
        if self._transport is not None:
            self._transport.abort()

    def end(self) -> None:
        """The connection has gone."""
        self._stop()
        self._transport = None
        self._line.leave(self)

    def _within(self, seconds: float) -> None:
        self._stop()
        if self._transport is not None:
            self._timer = asyncio.get_running_loop().call_later(seconds, self.cut)

    def _stop(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None


class Line:
    """All open connections, and those among them whose request has not come yet."""

    def __init__(self, limits: Limits) -> None:
        self.limits = limits
        self._open: set[Patience] = set()
        # A dictionary keeps the order in which they came.
        self._waiting: dict[Patience, None] = {}

    def enter(self, one: Patience) -> None:
        """One more; where that is too many, the one that has waited longest goes."""
        self._open.add(one)
        self._waiting[one] = None
        if len(self._open) > self.limits.connections:
            oldest = next(iter(self._waiting))
            self.leave(oldest)
            oldest.cut()

    def leave_waiting(self, one: Patience) -> None:
        """Its request has come."""
        self._waiting.pop(one, None)

    def leave(self, one: Patience) -> None:
        """It has gone."""
        self.leave_waiting(one)
        self._open.discard(one)


class _Connection(asyncio.Protocol):
    """uvicorn's protocol with a clock beside it; all that comes is handed on."""

    def __init__(self, inner: asyncio.Protocol, patience: Patience) -> None:
        self._inner = inner
        self._patience = patience

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._patience.begin(cast("asyncio.Transport", transport))
        self._inner.connection_made(transport)

    def connection_lost(self, exc: Exception | None) -> None:
        self._patience.end()
        self._inner.connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        self._inner.data_received(data)

    def eof_received(self) -> bool | None:
        return self._inner.eof_received()

    def pause_writing(self) -> None:
        self._inner.pause_writing()

    def resume_writing(self) -> None:
        self._inner.resume_writing()


def patient_protocol(limits: Limits) -> type[asyncio.Protocol]:
    """What uvicorn's `http` option takes: makes the protocol of one connection.

    The guard finds the connection's `Patience` in the request's state.
    """
    from uvicorn.protocols.http.h11_impl import H11Protocol

    line = Line(limits)

    def make(*, app_state: dict[str, Any], **given: Any) -> asyncio.Protocol:
        patience = Patience(line)
        inner = H11Protocol(app_state={**app_state, "patience": patience}, **given)
        return _Connection(inner, patience)

    # uvicorn says "a class"; it only ever calls it.
    return cast("type[asyncio.Protocol]", make)
