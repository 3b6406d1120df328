"""From a site to a running server on this machine's own address, until somebody stops it."""

import contextlib
import os
import socket
import sys
import webbrowser
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from zhuyi.errors import InputError, OptionError
from zhuyi.ui.server.checks import Rules
from zhuyi.ui.server.door import Door
from zhuyi.ui.server.guard import Guard
from zhuyi.ui.server.limits import Limits
from zhuyi.ui.server.patience import patient_protocol

if TYPE_CHECKING:
    from starlette.types import ASGIApp
    from uvicorn import Server

HOST = "127.0.0.1"
_GRACE = 2  # seconds that answers under way get when the server is stopped


@dataclass(frozen=True, kw_only=True)
class Served:
    """A server that listens already, and answers once `run` is called.

    Args:
        port: where it listens.
        door: lets people in.
        listener: the socket.
        server: uvicorn's.
    """

    port: int
    door: Door
    listener: socket.socket
    server: "Server"

    @property
    def address(self) -> str:
        """The page's address, for a browser that has been let in."""
        return f"http://{HOST}:{self.port}/"

    def new_link(self) -> str:
        """An address that lets one browser in, once."""
        return f"{self.address}?token={self.door.new_token()}"

    def run(self) -> None:
        """Answer until Ctrl-C; returns after the last answer was given."""
        with contextlib.closing(self.listener), contextlib.suppress(KeyboardInterrupt):
            # uvicorn raises the caught Ctrl-C again when it is done; stopping is no failure here.
            self.server.run(sockets=[self.listener])

    def stop(self) -> None:
        """Let `run` return; may be called from another thread."""
        self.server.should_exit = True


def prepare(
    site: "ASGIApp",
    *,
    port: int = 0,
    limits: Limits | None = None,
    tell: Callable[[str], None] = lambda _: None,
) -> Served:
    """Put the guard before a site and take a port.

    Args:
        site: what to serve.
        port: 0 for any free one.
        limits: of what is taken from a client.
        tell: takes one line on a fault.
    Raises:
        OptionError: if the port is none.
        InputError: if the port is taken.
    """
    import uvicorn

    found = limits or Limits()
    listener = _listen(port)
    taken = listener.getsockname()[1]
    door = Door(taken)
    guard = Guard(app=site, door=door, rules=Rules.local(taken, found), tell=tell)
    config = uvicorn.Config(
        guard,
        http=patient_protocol(found),
        h11_max_incomplete_event_size=found.address + found.header_bytes,
        ws="none",
        lifespan="off",
        loop="asyncio",
        interface="asgi3",
        # Nobody stands before this server, so nobody's word on who asks is taken.
        proxy_headers=False,
        server_header=False,
        date_header=False,
        # Nothing of a request is written down; faults go through `tell`.
        log_config=None,
        log_level="critical",
        access_log=False,
        timeout_graceful_shutdown=_GRACE,
    )
    return Served(port=taken, door=door, listener=listener, server=uvicorn.Server(config))


def open_browser(link: str) -> bool:
    """Show a link in the person's browser; False where there is none with a window.

    Not: for a machine with other people on it: a browser's arguments are in the list of
        processes, and the first who uses the link is in.
    """
    if sys.platform.startswith("linux") and not (
        os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")
    ):
        return False  # a browser of the terminal would take the terminal over
    try:
        return webbrowser.open(link)
    except webbrowser.Error:
        return False


def _listen(port: int) -> socket.socket:
    if not 0 <= port <= 65535:
        raise OptionError(f"--port must be 0 (any free one) to 65535, got {port}")
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    try:
        if sys.platform == "win32":
            # There the other option would let a second program take the same port.
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_EXCLUSIVEADDRUSE, 1)
        else:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((HOST, port))
        listener.listen(128)
        listener.setblocking(False)
    except OSError as error:
        listener.close()
        raise InputError(
            f"cannot listen on port {port} of {HOST} ({error.strerror}): something else may use "
            "it; give another --port, or 0 for any free one"
        ) from None
    return listener
