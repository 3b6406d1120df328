"""Who is let in: links that work once, and the cookie that one gets for them."""

import hashlib
import secrets

_BYTES = 32  # 256 bits


class Door:
    """Hands out one-time tokens and knows the cookie.

    A token stands in an address, which a terminal, a history or a list of processes may keep, so
    it opens once. The cookie is out of reach of scripts and is not sent from other sites.

    Not: a wall between programs that the same browser talks to on other ports of this machine:
    browsers send cookies to every port. The guard's check of where a request comes from is.

    Args:
        port: of the server, part of the cookie's name, so that two servers do not disturb each
            other.
    Example:
        >>> door = Door(8000)
        >>> token = door.new_token()
        >>> cookie = door.enter(token)
        >>> door.enter(token) is None  # it opened once
        True
        >>> door.admits(cookie.partition(";")[0])
        True
    """

    def __init__(self, port: int) -> None:
        self.cookie_name = f"zhuyi-{port}"
        self._cookie = secrets.token_urlsafe(_BYTES)
        self._open: set[bytes] = set()

    def new_token(self) -> str:
        """A token that `enter` takes once: 256 random bits in letters, digits, "-" and "_"."""
        token = secrets.token_urlsafe(_BYTES)
        self._open.add(_digest(token))
        return token

    def enter(self, token: str) -> str | None:
        """What to set as the cookie, or None where the token is wrong or was used."""
        # Looked up by digest, so the time it takes says nothing about the tokens there are.
        digest = _digest(token)
        if digest not in self._open:
            return None
        self._open.remove(digest)
        return f"{self.cookie_name}={self._cookie}; HttpOnly; SameSite=Strict; Path=/"

    def admits(self, cookies: str) -> bool:
        """Whether a Cookie header carries the cookie."""
        # Another server on this machine may have set one of the same name: any may be right.
        pairs = (part.strip().partition("=") for part in cookies.split(";"))
        return any(
            name == self.cookie_name and _same(value, self._cookie) for name, _, value in pairs
        )


def _digest(text: str) -> bytes:
    return hashlib.sha256(text.encode("utf-8", "replace")).digest()


def _same(one: str, other: str) -> bool:
    return secrets.compare_digest(_digest(one), _digest(other))
