"""Stands before every route: the form of the request, where it comes from, the cookie, the time.

Pure ASGI, so that whatever is served behind it is guarded alike, routes with a model included.
"""

import asyncio
import contextlib
import re
from collections.abc import Callable
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from typing import TYPE_CHECKING

from zhuyi.ui.server.checks import READING, Asked, Refusal, Rules, refusal_of
from zhuyi.ui.server.door import Door
from zhuyi.ui.server.patience import Patience

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

#: What the page may do: run its own script, ask its own server, and nothing else; no script may
#: turn text into markup, whatever it tries.
POLICY = (
    "default-src 'none'; script-src 'self'; connect-src 'self'; img-src data: blob:; "
    "style-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'; "
    "require-trusted-types-for 'script'; trusted-types 'none'"
)
#: Sent with every answer, whatever a route says.
HEADERS = {
    "content-security-policy": POLICY,
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cache-control": "no-store",
    "cross-origin-resource-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
    "x-frame-options": "DENY",
    # One request a connection: what follows it is never read as another one.
    "connection": "close",
}
_USED = "This link was used already, or is wrong. Start zhuyi serve again for a new one."
_CLOSED = (
    "Open the link that zhuyi serve printed, in this browser. If you came here by a link on "
    "another page, type this address instead."
)
# Not a 303: the browser would go on as the page that the link stood on, without the cookie. A
# page of ours that moves on is ours. It replaces its own entry in the history.
_ENTERED = (
    b'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>zhuyi</title>'
    b'<link rel="icon" href="data:,"><meta http-equiv="refresh" content="0; url=./"></head>'
    b'<body><a href="./">zhuyi</a></body></html>'
)


@dataclass(frozen=True, kw_only=True)
class Guard:
    """An ASGI application that lets through what is in order.

    Args:
        app: what is guarded; it never waits for a body, which is read here.
        door: who has been let in.
        rules: what a request may look like.
        tell: takes one line on a fault of the application; nothing of the request is in it.
    """

    app: "ASGIApp"
    door: Door
    rules: Rules
    tell: Callable[[str], None] = lambda _: None

    async def __call__(self, scope: "Scope", receive: "Receive", send: "Send") -> None:
        """Answer one request."""
        if scope["type"] != "http":
            raise RuntimeError(f"only HTTP is served here, got {scope['type']}")
        patience = scope.get("state", {}).get("patience")
        waits = patience.answering() if isinstance(patience, Patience) else contextlib.nullcontext()
        answer = _Answer(send)
        with waits:
            try:
                async with asyncio.timeout(self.rules.limits.answer_seconds):
                    await self._answer(scope, receive, answer)
            except TimeoutError:
                if answer.started:
                    raise  # the server cuts the connection: half an answer must not look whole
                late = Refusal(status=HTTPStatus.GATEWAY_TIMEOUT, text="This took too long.")
                await answer.refuse(late)
            except Exception as fault:
                self.tell(place_of(fault))
                raise

    async def _answer(self, scope: "Scope", receive: "Receive", answer: "_Answer") -> None:
        asked = Asked(
            version=scope["http_version"],
            method=scope["method"],
            path=scope["raw_path"],
            query=scope["query_string"],
            headers=tuple(scope["headers"]),
        )
        if refusal := refusal_of(asked, self.rules):
            await answer.refuse(refusal)
            return
        known = self.door.admits(asked.header("cookie") or "")
        if token := _token(asked):
            cookie = self.door.enter(token)
            if known or cookie is not None:
                await answer.whole(HTTPStatus.OK, "text/html", _ENTERED, cookie=cookie)
                return
        if not known:
            text = _USED if token else _CLOSED
            await answer.refuse(Refusal(status=HTTPStatus.FORBIDDEN, text=text))
            return
        await self._pass_on(scope, receive, answer, reading=asked.method in READING)

    async def _pass_on(
        self, scope: "Scope", receive: "Receive", answer: "_Answer", *, reading: bool
    ) -> None:
        """To the application, with the body in hand."""
        try:
            async with asyncio.timeout(self.rules.limits.body_seconds):
                body = b"" if reading else await _read(receive)
        except TimeoutError:
            late = Refusal(status=HTTPStatus.REQUEST_TIMEOUT, text="The body came too slowly.")
            await answer.refuse(late)
            return
        if body is not None:  # else the client has gone
            await self.app(scope, _given(body), answer.send)


class _Answer:
    """An answer on its way, with the headers that every answer has."""

    def __init__(self, send: "Send") -> None:
        self._send = send
        self.started = False

    async def send(self, message: "Message") -> None:
        """Hand on a message of the application."""
        if message["type"] == "http.response.start":
            self.started = True
            kept = [
                (name, value)
                for name, value in message.get("headers", [])
                if name.decode("latin-1").lower() not in HEADERS
            ]
            fixed = [(name.encode(), value.encode()) for name, value in HEADERS.items()]
            message = {**message, "headers": [*kept, *fixed]}
        await self._send(message)

    async def whole(
        self, status: HTTPStatus, kind: str, body: bytes, *, cookie: str | None = None
    ) -> None:
        """An answer of the guard itself."""
        headers = [
            (b"content-type", f"{kind}; charset=utf-8".encode()),
            (b"content-length", str(len(body)).encode()),
        ]
        if cookie is not None:
            headers.append((b"set-cookie", cookie.encode()))
        await self.send({"type": "http.response.start", "status": int(status), "headers": headers})
        await self.send({"type": "http.response.body", "body": body})

    async def refuse(self, refusal: Refusal) -> None:
        """Say no."""
        await self.whole(refusal.status, "text/plain", f"{refusal.text}\n".encode())


def _token(asked: Asked) -> str | None:
    """The token of a visit to the front page, or None."""
    if asked.method != "GET" or asked.path != b"/":
        return None
    found = re.fullmatch(rb"token=([A-Za-z0-9_-]+)", asked.query)
    return found[1].decode("ascii") if found else None


async def _read(receive: "Receive") -> bytes | None:
    """The whole body, whose length was checked, or None where the client went away."""
    parts = []
    while True:
        message = await receive()
        if message["type"] != "http.request":
            return None
        parts.append(message.get("body", b""))
        if not message.get("more_body", False):
            return b"".join(parts)


def _given(body: bytes) -> "Receive":
    """A `receive` that has the body already."""
    messages = [{"type": "http.request", "body": body, "more_body": False}]

    async def receive() -> "Message":
        return messages.pop() if messages else {"type": "http.disconnect"}

    return receive


def place_of(fault: Exception) -> str:
    """What went wrong and where, without the message: that may repeat somebody's text."""
    trace = fault.__traceback__
    place = "somewhere"
    while trace is not None:
        place = f"{Path(trace.tb_frame.f_code.co_filename).name}, line {trace.tb_lineno}"
        trace = trace.tb_next
    return f"an answer failed: {type(fault).__name__} in {place}"
