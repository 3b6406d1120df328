"""What a request must look like before anything is asked for it. Each check is a question of one
kind; the first one that is answered with a refusal ends it.

The texts are fixed: nothing of the request is repeated, so nothing can be read from an answer or
smuggled through it.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from http import HTTPStatus

from zhuyi.ui.server.limits import Limits

METHODS = ("GET", "HEAD", "POST")
READING = ("GET", "HEAD")

# Every address of the site is plain; percent signs, "..", "//" and back slashes are never needed.
_PATH = re.compile(rb"/(?:[A-Za-z0-9_-]+(?:\.[A-Za-z0-9_-]+)*(?:/[A-Za-z0-9_-]+)*)?")
_QUERY = re.compile(rb"(?:[A-Za-z0-9_.~=&+/-]|%(?![01]|7[Ff])[0-9A-Fa-f]{2})*")  # no %00 .. %1F
# Two of one of these, and two readers of the request could believe different things.
_ONCE = frozenset(
    b"host origin cookie content-length content-type transfer-encoding sec-fetch-site "
    b"sec-fetch-mode sec-fetch-dest sec-purpose".split()
)


@dataclass(frozen=True, kw_only=True)
class Asked:
    """A request's first lines.

    Args:
        version: of HTTP.
        method: as it came.
        path, query: as they came, not decoded.
        headers: names in lower case, values, in their order.
    """

    version: str
    method: str
    path: bytes
    query: bytes
    headers: tuple[tuple[bytes, bytes], ...]

    def header(self, name: str) -> str | None:
        """The value of a header, or None."""
        wanted = name.encode("ascii")
        return next((value.decode("latin-1") for key, value in self.headers if key == wanted), None)


@dataclass(frozen=True, kw_only=True)
class Rules:
    """What is allowed.

    Args:
        hosts: names by which the server may be called, with its port.
        limits: sizes.
    """

    hosts: frozenset[str]
    limits: Limits

    @classmethod
    def local(cls, port: int, limits: Limits) -> "Rules":
        """The names of this machine for itself, and no other."""
        names = ("127.0.0.1", "localhost", "[::1]")
        return cls(hosts=frozenset(f"{name}:{port}" for name in names), limits=limits)


@dataclass(frozen=True, kw_only=True)
class Refusal:
    """Why not.

    Args:
        status: HTTP status.
        text: for a person.
    """

    status: HTTPStatus
    text: str


def refusal_of(asked: Asked, rules: Rules) -> Refusal | None:
    """Why the request is refused, or None where nothing speaks against its form and origin."""
    return next((found for check in _CHECKS if (found := check(asked, rules))), None)


def _size(asked: Asked, rules: Rules) -> Refusal | None:
    limits = rules.limits
    if len(asked.path) + len(asked.query) > limits.address:
        return Refusal(status=HTTPStatus.REQUEST_URI_TOO_LONG, text="The address is too long.")
    total = sum(len(name) + len(value) for name, value in asked.headers)
    if len(asked.headers) > limits.headers or total > limits.header_bytes:
        status = HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE
        return Refusal(status=status, text="The headers are too large.")
    return None


def _version(asked: Asked, _: Rules) -> Refusal | None:
    if asked.version not in ("1.0", "1.1"):
        status = HTTPStatus.HTTP_VERSION_NOT_SUPPORTED
        return Refusal(status=status, text="This version of HTTP is not spoken here.")
    return None


def _unambiguous(asked: Asked, _: Rules) -> Refusal | None:
    names = [name for name, _ in asked.headers if name in _ONCE]
    if len(names) > len(set(names)):
        return Refusal(status=HTTPStatus.BAD_REQUEST, text="A header was given twice.")
    return None


def _host(asked: Asked, rules: Rules) -> Refusal | None:
    # Against DNS rebinding: a foreign name that resolves to this machine is still foreign.
    if (asked.header("host") or "").lower() not in rules.hosts:
        text = "This page is served to its own machine only, under the address that was printed."
        return Refusal(status=HTTPStatus.MISDIRECTED_REQUEST, text=text)
    return None


def _method(asked: Asked, _: Rules) -> Refusal | None:
    if asked.method not in METHODS:
        return Refusal(status=HTTPStatus.METHOD_NOT_ALLOWED, text="This method is not allowed.")
    return None


def _address(asked: Asked, _: Rules) -> Refusal | None:
    if not _PATH.fullmatch(asked.path) or not _QUERY.fullmatch(asked.query):
        return Refusal(status=HTTPStatus.BAD_REQUEST, text="This is no address of this page.")
    return None


def _upgrade(asked: Asked, _: Rules) -> Refusal | None:
    if asked.header("upgrade") is not None:
        return Refusal(status=HTTPStatus.BAD_REQUEST, text="There is no other protocol here.")
    return None


def _body(asked: Asked, rules: Rules) -> Refusal | None:
    length = asked.header("content-length")
    if asked.header("transfer-encoding") is not None:
        # A length that is known beforehand leaves nothing to argue about where a request ends.
        return Refusal(status=HTTPStatus.LENGTH_REQUIRED, text="Give the length of the body.")
    if asked.method in READING:
        if length not in (None, "0"):
            return Refusal(status=HTTPStatus.BAD_REQUEST, text="No body is expected here.")
        return None
    if length is None or not re.fullmatch("[0-9]{1,10}", length):
        return Refusal(status=HTTPStatus.LENGTH_REQUIRED, text="Give the length of the body.")
    if int(length) > rules.limits.body:
        return Refusal(status=HTTPStatus.REQUEST_ENTITY_TOO_LARGE, text="The body is too large.")
    kind = (asked.header("content-type") or "").partition(";")[0].strip().lower()
    if kind != "application/json":
        # A form of another site can be sent without asking first; JSON cannot.
        return Refusal(status=HTTPStatus.UNSUPPORTED_MEDIA_TYPE, text="Only JSON is read here.")
    return None


def _origin(asked: Asked, rules: Rules) -> Refusal | None:
    origin, host = asked.header("origin"), (asked.header("host") or "").lower()
    missing = origin is None and asked.method not in READING
    if missing or (origin is not None and origin != f"http://{host}"):
        return Refusal(status=HTTPStatus.FORBIDDEN, text="Other pages may not ask here.")
    return None


def _fetched_from(asked: Asked, _: Rules) -> Refusal | None:
    """The browser's own word on which page asks: another port of this machine is another page."""
    site = asked.header("sec-fetch-site")
    if site is None or site == "same-origin":
        return None
    followed = asked.header("sec-fetch-mode") == "navigate"
    shown = asked.header("sec-fetch-dest") == "document"
    # Typing the address, or following the printed link from wherever it stands.
    if asked.method in READING and asked.path == b"/" and followed and shown:
        return None
    if site == "none" and asked.method in READING:
        return None
    return Refusal(status=HTTPStatus.FORBIDDEN, text="Other pages may not ask here.")


def _ahead(asked: Asked, _: Rules) -> Refusal | None:
    # A browser that fetches a link before it is clicked would use the token up.
    if asked.header("sec-purpose") is not None:
        return Refusal(status=HTTPStatus.SERVICE_UNAVAILABLE, text="Nothing is fetched ahead.")
    return None


_CHECKS: tuple[Callable[[Asked, Rules], Refusal | None], ...] = (
    _size, _version, _unambiguous, _host, _method, _address, _upgrade, _body, _origin,
    _fetched_from, _ahead,
)  # fmt: skip
