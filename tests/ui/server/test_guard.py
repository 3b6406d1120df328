"""The guard as an ASGI application: entering, headers, bodies, time, faults."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

import pytest

from tests.ui.server.loops import complete
from zhuyi.ui.server.checks import Rules
from zhuyi.ui.server.door import Door
from zhuyi.ui.server.guard import HEADERS, Guard
from zhuyi.ui.server.limits import Limits

PORT = 8000
ORIGIN = f"http://127.0.0.1:{PORT}"
Message = dict[str, Any]
App = Callable[[Message, Any, Any], Awaitable[None]]


@dataclass
class Behind:
    """An application that writes down what reaches it, and answers."""

    reached: list[tuple[str, bytes]] = field(default_factory=list)
    headers: tuple[tuple[bytes, bytes], ...] = ((b"content-type", b"text/plain"),)
    wait: float = 0.0
    fault: Exception | None = None
    begin_first: bool = False

    async def __call__(self, scope: Message, receive: Any, send: Any) -> None:
        body = (await receive())["body"]
        assert (await receive())["type"] == "http.disconnect"
        self.reached.append((scope["method"], body))
        start = {"type": "http.response.start", "status": 200, "headers": list(self.headers)}
        if self.begin_first:
            await send(start)
        await asyncio.sleep(self.wait)
        if self.fault is not None:
            raise self.fault
        if not self.begin_first:
            await send(start)
        await send({"type": "http.response.body", "body": b"behind"})


class Asking:
    """Sends requests to a guard and keeps what it answers."""

    def __init__(self, app: App, **limits: Any) -> None:
        self.told: list[str] = []
        self.door = Door(PORT)
        rules = Rules.local(PORT, Limits(**limits))
        self.guard = Guard(app=app, door=self.door, rules=rules, tell=self.told.append)
        pair = self.door.enter(self.door.new_token())
        assert pair is not None
        self.cookie = pair.partition(";")[0]
        self.status, self.headers, self.body = 0, list[tuple[str, str]](), b""

    def ask(
        self,
        path: str = "/index",
        *,
        method: str = "GET",
        cookie: str | None = None,
        parts: Iterable[bytes | float] = (),
        **headers: str,
    ) -> int:
        """One request. `parts` are pieces of its body, and seconds to wait between them."""
        given = {"host": f"127.0.0.1:{PORT}", "cookie": self.cookie if cookie is None else cookie}
        given |= {name.replace("_", "-"): value for name, value in headers.items()}
        bare, _, query = path.partition("?")
        scope = {
            "type": "http",
            "http_version": "1.1",
            "method": method,
            "raw_path": bare.encode(),
            "path": bare,
            "query_string": query.encode(),
            "headers": [(name.encode(), value.encode()) for name, value in given.items()],
        }
        coming = list(parts)

        async def receive() -> Message:
            while coming and isinstance(coming[0], float):
                await asyncio.sleep(float(coming.pop(0)))
            piece = coming.pop(0) if coming else b""
            return {"type": "http.request", "body": piece, "more_body": bool(coming)}

        async def send(message: Message) -> None:
            if message["type"] == "http.response.start":
                self.status = message["status"]
                self.headers = [(a.decode(), b.decode()) for a, b in message["headers"]]
            else:
                self.body += message.get("body", b"")

        self.status, self.headers, self.body = 0, [], b""
        complete(self.guard(scope, receive, send))
        return self.status

    def post(self, *parts: bytes | float, length: int, **headers: str) -> int:
        kind = {"content_type": "application/json", "origin": ORIGIN, **headers}
        return self.ask("/act", method="POST", parts=parts, content_length=str(length), **kind)


def test_nothing_passes_without_the_cookie() -> None:
    behind = Behind()
    asking = Asking(behind)
    for cookie in ("", "zhuyi-8000=x", asking.cookie[:-1]):
        assert asking.ask(cookie=cookie) == 403
        assert b"Open the link" in asking.body
    assert behind.reached == []
    assert asking.ask() == 200
    assert asking.body == b"behind"
    assert behind.reached == [("GET", b"")]


def test_a_token_is_exchanged_once_for_the_cookie() -> None:
    behind = Behind()
    asking = Asking(behind)
    token = asking.door.new_token()
    assert asking.ask(f"/?token={token}", cookie="") == 200
    cookie = dict(asking.headers)["set-cookie"]
    assert cookie.startswith(asking.cookie + ";")
    # Moves on to the page itself, as our own page and not as the one with the link.
    assert b'http-equiv="refresh" content="0; url=./"' in asking.body
    assert token.encode() not in asking.body
    assert asking.ask(f"/?token={token}", cookie="") == 403
    assert "set-cookie" not in dict(asking.headers)
    assert b"used already" in asking.body
    assert behind.reached == []


@pytest.mark.parametrize("how", ["HEAD", "POST", "elsewhere", "ahead", "other site's frame"])
def test_a_token_is_not_used_up_by_anything_but_a_visit(how: str) -> None:
    asking = Asking(Behind())
    token = asking.door.new_token()
    path = "/index" if how == "elsewhere" else "/"
    method = how if how in ("HEAD", "POST") else "GET"
    headers = {
        "ahead": {"sec_purpose": "prefetch"},
        "other site's frame": {"sec_fetch_site": "cross-site", "sec_fetch_dest": "iframe"},
    }
    assert (
        asking.ask(f"{path}?token={token}", method=method, cookie="", **headers.get(how, {})) > 399
    )
    assert asking.ask(f"/?token={token}", cookie="") == 200


def test_who_is_in_already_is_moved_on_too_and_the_token_is_used() -> None:
    asking = Asking(Behind())
    token = asking.door.new_token()
    assert asking.ask(f"/?token={token}") == 200
    assert b"refresh" in asking.body
    assert asking.ask(f"/?token={token}", cookie="") == 403
    assert asking.ask(f"/?token={token}") == 200, "with the cookie the link is harmless"


def test_every_answer_has_the_headers_and_a_route_cannot_weaken_them() -> None:
    own = ((b"Cache-Control", b"public"), (b"content-security-policy", b"default-src *"))
    asking = Asking(Behind(headers=own))
    token = asking.door.new_token()
    asked = (
        lambda: asking.ask(),
        lambda: asking.ask(cookie=""),
        lambda: asking.ask(host="evil.example"),
        lambda: asking.ask(f"/?token={token}", cookie=""),
    )
    for one in asked:
        one()
        names = [name.lower() for name, _ in asking.headers]
        assert len(names) == len(set(names))
        assert {name: dict(asking.headers)[name] for name in HEADERS} == HEADERS


def test_the_policy_is_what_was_agreed() -> None:
    policy = dict(
        part.strip().partition(" ")[::2] for part in HEADERS["content-security-policy"].split(";")
    )
    assert policy == {
        "default-src": "'none'",
        "script-src": "'self'",
        "connect-src": "'self'",
        "img-src": "data: blob:",
        "style-src": "'self'",
        "frame-ancestors": "'none'",
        "base-uri": "'none'",
        "form-action": "'none'",
        "require-trusted-types-for": "'script'",
        "trusted-types": "'none'",
    }


def test_a_body_is_read_before_the_application_is_called() -> None:
    behind = Behind()
    asking = Asking(behind)
    assert asking.post(b'{"a"', b": 1", b"}", length=8) == 200
    assert behind.reached == [("POST", b'{"a": 1}')]


def test_a_body_that_comes_too_slowly_never_reaches_the_application() -> None:
    behind = Behind()
    asking = Asking(behind, body_seconds=0.05)
    assert asking.post(b"{", 0.5, b"}", length=2) == 408
    assert behind.reached == []


def test_a_client_that_leaves_is_not_answered() -> None:
    behind = Behind()
    asking = Asking(behind)

    async def gone() -> Message:
        return {"type": "http.disconnect"}

    async def send(message: Message) -> None:
        raise AssertionError("nobody is there")

    headers = {"host": f"127.0.0.1:{PORT}", "cookie": asking.cookie, "origin": ORIGIN,
               "content-type": "application/json", "content-length": "2"}  # fmt: skip
    scope = {
        "type": "http", "http_version": "1.1", "method": "POST", "raw_path": b"/act",
        "query_string": b"", "headers": [(a.encode(), b.encode()) for a, b in headers.items()],
    }  # fmt: skip
    complete(asking.guard(scope, gone, send))
    assert behind.reached == []


def test_an_answer_that_takes_too_long_is_given_up() -> None:
    asking = Asking(Behind(wait=1.0), answer_seconds=0.05)
    assert asking.ask() == 504
    assert asking.body == b"This took too long.\n"


def test_half_an_answer_is_never_completed() -> None:
    """The server cuts the connection, so that nobody takes it for a whole one."""
    asking = Asking(Behind(wait=1.0, begin_first=True), answer_seconds=0.05)
    with pytest.raises(TimeoutError):
        asking.ask()
    assert (asking.status, asking.body) == (200, b"")


def test_a_fault_is_told_by_its_kind_and_place_and_not_by_its_text() -> None:
    asking = Asking(Behind(fault=KeyError("the patient's name")))
    with pytest.raises(KeyError):
        asking.ask()
    assert len(asking.told) == 1
    assert "KeyError in test_guard.py, line " in asking.told[0]
    assert "patient" not in asking.told[0]


def test_nothing_but_http_is_served() -> None:
    asking = Asking(Behind())

    async def nothing() -> Message:
        raise AssertionError

    for kind in ("websocket", "lifespan"):
        with pytest.raises(RuntimeError, match="only HTTP"):
            complete(asking.guard({"type": kind}, nothing, nothing))
