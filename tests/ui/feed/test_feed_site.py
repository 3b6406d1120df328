"""The feed over HTTP: its addresses, what is refused, and the page where there is no data."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.recipes.feed.made_up import saved
from tests.ui.server.standing import Standing, standing
from zhuyi.errors import DataUnavailable, InputError
from zhuyi.recipes.feed.saving import save
from zhuyi.ui.feed import opening
from zhuyi.ui.feed.opening import FeedSite, open_feed

GOOD: dict[str, Any] = {
    "turn": 1,
    "history": [0, 4, 9],
    "rules": [{"id": "never", "veto": {"column": "*/Comedy/*"}}],
    "language": "en",
}


@pytest.fixture(scope="module")
def up(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Standing]:
    folder = tmp_path_factory.mktemp("feeds") / "feed"
    save(saved(), folder)
    with standing(open_feed(folder).site(script="//")) as found:
        yield found


def post(up: Standing, path: str, body: object, **headers: str) -> tuple[int, Any]:
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    own = {
        "Cookie": up.cookie,
        "Origin": f"http://{up.host}",
        "Content-Type": "application/json",
        **headers,
    }
    status, _, answer = up.ask("POST", path, data, own)
    try:
        return status, json.loads(answer)
    except ValueError:
        return status, answer.decode()


def test_the_addresses_answer(up: Standing) -> None:
    status, headers, page = up.get("/")
    assert (status, b"feed.js" in page) == (200, True)
    assert "require-trusted-types-for 'script'" in headers["content-security-policy"]
    status, _, desk = up.get("/desk")
    assert (status, len(json.loads(desk)["films"])) == (200, 24)
    status, answer = post(up, "/try", GOOD)
    assert (status, len(answer["offers"])) == (200, 10)
    assert all(one["film"] % 3 for one in answer["offers"])
    status, answer = post(up, "/control", {**GOOD, "draws": 2})
    assert (status, answer["rules"][0]["draws"]) == (200, 2)
    status, answer = post(up, "/verdict", GOOD)
    assert (status, answer["certificate"][0]["level"]) == (200, "exact")
    yaml = "version: 1\nrules:\n- {id: a, boost: {column: '*/Drama/*'}, weight: 2}\n"
    status, answer = post(up, "/rules", {"yaml": yaml})
    assert (status, answer["rules"][0]["boost"]) == (200, {"column": "*/Drama/*"})
    assert up.told == []


def hostile() -> list[tuple[str, object, dict[str, str]]]:
    """Bodies that must be refused, by name, with what else is wrong."""
    found: list[tuple[str, object, dict[str, str]]] = [
        ("no json", b"{", {}),
        ("nan", b'{"turn": NaN}', {}),
        ("twice", b'{"turn": 1, "turn": 1}', {}),
        ("a list", [1], {}),
        ("deep", b"[" * 5000 + b"]" * 5000, {}),
        ("not utf-8", b"\xff\xfe", {}),
        ("too large", b'{"a": "' + b"x" * 200_000 + b'"}', {}),
        ("other type", GOOD, {"Content-Type": "text/plain"}),
        ("other origin", GOOD, {"Origin": "http://evil.example"}),
        ("other host", GOOD, {"Host": "evil.example"}),
        ("no cookie", GOOD, {"Cookie": ""}),
        ("a path", {**GOOD, "folder": "../../etc/passwd"}, {}),
        ("a film that is none", {**GOOD, "history": [10**9]}, {}),
        ("too many films", {**GOOD, "history": list(range(3000))}, {}),
        ("a pattern", {**GOOD, "rules": [{"id": "a", "veto": {"regex": "(a+)+$"}}]}, {}),
        ("code", {**GOOD, "rules": [{"id": "a", "veto": {"column": "*"}, "when": "exit()"}]}, {}),
    ]
    return found


@pytest.mark.parametrize("route", ["/try", "/control", "/verdict"])
def test_hostile_requests_are_refused_and_it_still_serves(up: Standing, route: str) -> None:
    for name, body, headers in hostile():
        status, answer = post(up, route, body, **headers)
        assert 400 <= status < 500, (name, status)
        told = answer["error"] if isinstance(answer, dict) else answer
        assert len(told) < 600, name
        assert "Traceback" not in told, name
    status, _ = post(up, "/try", GOOD)
    assert status == 200
    assert up.ask("GET", route, None, {"Cookie": up.cookie})[0] == 405
    assert up.told == []


def test_without_data_the_page_says_how_to_get_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def unavailable(*_: object, **__: object) -> None:
        raise DataUnavailable("ml-100k.item cannot be had: get it from https://files.example")

    monkeypatch.setattr(opening, "make_feed", unavailable)
    told: list[str] = []
    site = open_feed(tmp_path / "new", told.append)
    assert "research only, no redistribution" in told[0]
    with standing(site.site(script="//")) as up:
        desk = json.loads(up.get("/desk")[2])
        assert desk["missing"].endswith("https://files.example")
        assert post(up, "/try", GOOD)[0] == 404  # there is nothing to ask
    assert not (tmp_path / "new").exists()


def test_a_new_folder_becomes_a_feed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(opening, "make_feed", lambda folder, tell: saved())
    for folder in (tmp_path / "new", tmp_path):
        site = open_feed(folder)
        assert isinstance(site, FeedSite)
        assert site.desk is not None


def test_other_folders_are_refused(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("x")
    with pytest.raises(InputError, match="holds no feed"):
        open_feed(tmp_path)
    with pytest.raises(InputError, match="holds no feed"):
        open_feed(tmp_path / "notes.txt")
    (tmp_path / "feed.json").write_text("{}")
    with pytest.raises(InputError, match="not of the format"):
        open_feed(tmp_path)
