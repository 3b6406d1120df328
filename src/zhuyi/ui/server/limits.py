"""How much the server takes from a client, and how long it waits for it."""

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Limits:
    """Bounds on one client. The page itself stays far below all of them.

    Args:
        address: bytes of path and query.
        headers: how many header lines.
        header_bytes: bytes of all header names and values together.
        body: bytes of a request's body.
        connections: open at one time; beyond it the one that has waited longest is cut.
        head_seconds: from the connection to the end of the request's headers.
        body_seconds: from there to the end of its body.
        answer_seconds: for finding and handing over the answer.
        leave_seconds: for the client to take what is still in the socket.
    """

    address: int = 2048
    headers: int = 64
    header_bytes: int = 8192
    body: int = 1 << 20
    connections: int = 128
    head_seconds: float = 10.0
    body_seconds: float = 10.0
    answer_seconds: float = 60.0
    leave_seconds: float = 30.0
