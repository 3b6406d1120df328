"""Every check of a request's form, by itself: one thing wrong, one status."""

from dataclasses import replace
from http import HTTPStatus

import pytest

from zhuyi.ui.server.checks import Asked, Rules, refusal_of
from zhuyi.ui.server.limits import Limits

RULES = Rules.local(8000, Limits(address=50, headers=12, header_bytes=400, body=100))
HOST = (b"host", b"127.0.0.1:8000")
GET = Asked(version="1.1", method="GET", path=b"/index", query=b"", headers=(HOST,))
POST = replace(
    GET,
    method="POST",
    headers=(
        HOST,
        (b"origin", b"http://127.0.0.1:8000"),
        (b"content-type", b"application/json"),
        (b"content-length", b"100"),
    ),
)


def status(asked: Asked) -> int | None:
    found = refusal_of(asked, RULES)
    return None if found is None else int(found.status)


def with_headers(asked: Asked, **values: str | None) -> Asked:
    """The same with headers set, or left out where None."""
    named = {name.replace("_", "-").encode(): value for name, value in values.items()}
    kept = [(name, value) for name, value in asked.headers if name not in named]
    added = [(name, value.encode("latin-1")) for name, value in named.items() if value is not None]
    return replace(asked, headers=(*kept, *added))


def test_what_the_page_sends_is_in_order() -> None:
    assert status(GET) is None
    assert status(POST) is None
    assert status(replace(GET, method="HEAD")) is None
    assert status(replace(GET, version="1.0")) is None
    assert status(replace(GET, path=b"/ask", query=b"name=moment%2Fa_b-c%2F0")) is None
    assert status(with_headers(GET, host="localhost:8000")) is None
    assert status(with_headers(GET, host="LocalHost:8000")) is None
    assert status(with_headers(GET, host="[::1]:8000")) is None
    assert status(with_headers(POST, content_type="application/json; charset=utf-8")) is None
    assert status(with_headers(GET, content_length="0")) is None
    assert status(with_headers(GET, origin="http://127.0.0.1:8000")) is None
    assert status(with_headers(GET, sec_fetch_site="same-origin", sec_fetch_mode="cors")) is None
    assert status(with_headers(GET, sec_fetch_site="none")) is None


@pytest.mark.parametrize("site", ["cross-site", "same-site", "none", "same-origin"])
def test_the_front_page_may_be_reached_from_a_link_anywhere(site: str) -> None:
    visit = with_headers(
        replace(GET, path=b"/", query=b"token=abc"),
        sec_fetch_site=site,
        sec_fetch_mode="navigate",
        sec_fetch_dest="document",
    )
    assert status(visit) is None
    if site in ("cross-site", "same-site"):
        assert status(replace(visit, path=b"/index")) == HTTPStatus.FORBIDDEN
        assert status(with_headers(visit, sec_fetch_dest="iframe")) == HTTPStatus.FORBIDDEN
        assert status(with_headers(visit, sec_fetch_mode="no-cors")) == HTTPStatus.FORBIDDEN


WRONG = {
    "long address": (replace(GET, query=b"a" * 50), 414),
    "many headers": (replace(GET, headers=(HOST, *[(b"x", b"")] * 12)), 431),
    "large headers": (with_headers(GET, x="a" * 400), 431),
    "version": (replace(GET, version="2"), 505),
    "old version": (replace(GET, version="0.9"), 505),
    "no host": (with_headers(GET, host=None), 421),
    "foreign host": (with_headers(GET, host="evil.example:8000"), 421),
    "host without port": (with_headers(GET, host="127.0.0.1"), 421),
    "next port": (with_headers(GET, host="127.0.0.1:8001"), 421),
    "host twice": (replace(GET, headers=(HOST, HOST)), 400),
    "cookie twice": (replace(GET, headers=(HOST, (b"cookie", b"a"), (b"cookie", b"b"))), 400),
    "method": (replace(GET, method="PUT"), 405),
    "method in lower case": (replace(GET, method="get"), 405),
    "dots": (replace(GET, path=b"/../index"), 400),
    "dots within": (replace(GET, path=b"/a..b"), 400),
    "encoded": (replace(GET, path=b"/%69ndex"), 400),
    "two slashes": (replace(GET, path=b"//index"), 400),
    "slash at the end": (replace(GET, path=b"/index/"), 400),
    "not rooted": (replace(GET, path=b"http://127.0.0.1:8000/index"), 400),
    "null": (replace(GET, query=b"a=%00"), 400),
    "line end": (replace(GET, query=b"a=%0d%0a"), 400),
    "delete": (replace(GET, query=b"a=%7F"), 400),
    "half an escape": (replace(GET, query=b"a=%2"), 400),
    "not ASCII": (replace(GET, query="a=é".encode()), 400),
    "upgrade": (with_headers(GET, upgrade="websocket"), 400),
    "GET with a body": (with_headers(GET, content_length="1"), 400),
    "GET with a coding": (with_headers(GET, transfer_encoding="chunked"), 411),
    "POST with a coding": (with_headers(POST, transfer_encoding="chunked"), 411),
    "POST without a length": (with_headers(POST, content_length=None), 411),
    "odd length": (with_headers(POST, content_length="+2"), 411),
    "Arabic length": (with_headers(POST, content_length="\xb2"), 411),
    "long length": (with_headers(POST, content_length="9" * 11), 411),
    "large body": (with_headers(POST, content_length="101"), 413),
    "form": (with_headers(POST, content_type="application/x-www-form-urlencoded"), 415),
    "no kind": (with_headers(POST, content_type=None), 415),
    "no origin": (with_headers(POST, origin=None), 403),
    "null origin": (with_headers(POST, origin="null"), 403),
    "other port's origin": (with_headers(POST, origin="http://127.0.0.1:9000"), 403),
    "other name's origin": (with_headers(POST, origin="http://localhost:8000"), 403),
    "secure origin": (with_headers(POST, origin="https://127.0.0.1:8000"), 403),
    "foreign origin of GET": (with_headers(GET, origin="http://evil.example"), 403),
    "cross-site": (with_headers(GET, sec_fetch_site="cross-site"), 403),
    "other port": (with_headers(GET, sec_fetch_site="same-site"), 403),
    "POST typed": (with_headers(POST, sec_fetch_site="none"), 403),
    "fetched ahead": (with_headers(GET, sec_purpose="prefetch"), 503),
}


@pytest.mark.parametrize("name", WRONG)
def test_one_thing_wrong_is_refused(name: str) -> None:
    asked, expected = WRONG[name]
    assert status(asked) == expected


def test_refusals_repeat_nothing_of_the_request() -> None:
    marked = with_headers(replace(GET, path=b"/MARK", query=b"MARK"), host="MARK")
    found = [
        refusal_of(asked, RULES) for asked in (marked, *(asked for asked, _ in WRONG.values()))
    ]
    texts = [one.text for one in found if one is not None]
    assert len(texts) == len(WRONG) + 1
    assert not any("MARK" in text or "evil" in text or len(text) > 100 for text in texts)
