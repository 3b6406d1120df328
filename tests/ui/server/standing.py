"""A real server on loopback, the cookie it lets in, and a raw socket to talk to it."""

import contextlib
import http.client
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from zhuyi.ui.server.limits import Limits
from zhuyi.ui.server.running import Served, prepare

if TYPE_CHECKING:
    from starlette.types import ASGIApp


@dataclass(frozen=True)
class Standing:
    """A server that answers in another thread.

    Args:
        served: what runs.
        cookie: "name=value" that it lets in.
        told: lines about faults.
    """

    served: Served
    cookie: str
    told: list[str]

    @property
    def port(self) -> int:
        return self.served.port

    @property
    def host(self) -> str:
        return f"127.0.0.1:{self.port}"

    def get(self, path: str, **headers: str) -> tuple[int, dict[str, str], bytes]:
        """A decent request with the cookie: status, headers, body."""
        return self.ask("GET", path, None, {"Cookie": self.cookie, **headers})

    def ask(
        self, method: str, path: str, body: bytes | None, headers: dict[str, str]
    ) -> tuple[int, dict[str, str], bytes]:
        """Any well-formed request."""
        client = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        try:
            client.request(method, path, body, headers)
            answer = client.getresponse()
            found = {name.lower(): value for name, value in answer.getheaders()}
            return answer.status, found, answer.read()
        finally:
            client.close()

    def raw(self, data: bytes, *, seconds: float = 10.0) -> bytes:
        """Whatever comes back for these bytes, until the server hangs up."""
        with socket.create_connection(("127.0.0.1", self.port), timeout=seconds) as client:
            return said(client, data)


def said(client: socket.socket, data: bytes) -> bytes:
    """Send and read to the end; a server that hangs up early is an answer too."""
    parts = []
    with contextlib.suppress(BrokenPipeError, ConnectionResetError):
        client.sendall(data)  # it may have heard enough: what it said is still to be read
    with contextlib.suppress(ConnectionResetError):
        while part := client.recv(1 << 16):
            parts.append(part)
    return b"".join(parts)


@contextmanager
def standing(site: "ASGIApp", limits: Limits | None = None) -> Iterator[Standing]:
    """A server around a site, stopped at the end."""
    told: list[str] = []
    served = prepare(site, limits=limits, tell=told.append)
    thread = threading.Thread(target=served.run)
    thread.start()
    try:
        pair = served.door.enter(served.door.new_token())
        assert pair is not None
        yield Standing(served, pair.partition(";")[0], told)
    finally:
        served.stop()
        thread.join(timeout=20)
        assert not thread.is_alive(), "the server did not stop"
