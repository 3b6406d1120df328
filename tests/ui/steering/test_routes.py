"""The page of a model behind a real server: what it is made of, and who may use the model when."""

import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from tests.ui.server.standing import Standing, standing
from tests.ui.steering.asking import post
from zhuyi.errors import InputError
from zhuyi.steer.rules import Rules
from zhuyi.steer.selectors import Regex
from zhuyi.ui.server.turns import Turns
from zhuyi.ui.steering import routes
from zhuyi.ui.steering.desk import Decision
from zhuyi.ui.steering.notes_desk import FIRST, NotesDesk
from zhuyi.ui.steering.routes import make_steering_site

BODY: dict[str, Any] = {"turn": 1, "input": {"text": FIRST}, "rules": [], "language": "en"}
RULE = {"id": "a", "veto": {"text": "高血脂"}}


class Slow(NotesDesk):
    """A model that decides when it is told to, and fails when it is told to."""

    def __init__(self) -> None:
        super().__init__()
        self.begun, self.go = threading.Event(), threading.Event()
        self.go.set()
        self.fault: Exception | None = None
        self.running, self.most = 0, 0

    def decide(self, batch: Any) -> list[Decision]:
        self.running += 1
        self.most = max(self.most, self.running)
        self.begun.set()
        try:
            assert self.go.wait(10)
            if self.fault is not None:
                raise self.fault
            return super().decide(batch)
        finally:
            self.running -= 1


@pytest.fixture(scope="module")
def slow() -> Slow:
    return Slow()


@pytest.fixture(scope="module")
def told() -> list[str]:
    return []


@pytest.fixture(scope="module")
def up(slow: Slow, told: list[str]) -> Iterator[Standing]:
    rules = Rules().boost(Regex("高.压"), 2.0, id="own")
    site = make_steering_site(slow, rules=rules, script="export {}", tell=told.append)
    with standing(site) as found:
        yield found


def test_the_page_and_its_desk(up: Standing) -> None:
    status, headers, page = up.get("/")
    assert (status, headers["content-type"]) == (200, "text/html; charset=utf-8")
    assert b'src="steering.js"' in page
    assert "病历" in page.decode()
    assert up.get("/steering.js")[2] == b"export {}"
    status, headers, desk = up.get("/desk")
    assert (status, headers["content-type"]) == (200, "application/json")
    assert b'"regex": "\xe9\xab\x98.\xe5\x8e\x8b"' in desk


def test_the_owners_patterns_may_be_tried_and_others_not(up: Standing) -> None:
    rule = {"id": "own", "boost": {"regex": "高.压"}, "weight": 2.5, "guarantee": "steer"}
    status, found = post(up, "/try", {**BODY, "rules": [rule]})
    assert (status, found["rules"][0]["shown"]) == (200, ["高血压病史"])
    rule = {"id": "own", "boost": {"regex": "高.脂"}, "weight": 2.5}
    assert post(up, "/try", {**BODY, "rules": [rule]})[0] == 400


def test_a_flood_of_moves_is_answered_by_the_newest_and_one_call_at_a_time(
    up: Standing, slow: Slow
) -> None:
    post(up, "/try", BODY)
    slow.begun.clear()
    slow.go.clear()
    slow.most = 0
    with ThreadPoolExecutor(12) as pool:
        first = pool.submit(post, up, "/try", {**BODY, "turn": 0, "rules": [RULE]})
        assert slow.begun.wait(10)
        asked = [first]
        for turn in range(1, 11):
            body = {**BODY, "turn": turn, "rules": [{**RULE, "id": f"r{turn}"}]}
            asked.append(pool.submit(post, up, "/try", body))
            time.sleep(0.02)  # so that they come in this order
        early = [one.result(timeout=10) for one in asked[:9]]
        assert not slow.go.is_set(), "they were answered while the model still ran"
        slow.go.set()
        status, found = asked[-1].result(timeout=20)
    assert {status for status, _ in early} == {409}
    assert all(answer["superseded"] is True for _, answer in early)
    assert (status, found["turn"], found["rules"][0]["id"]) == (200, 10, "r10")
    assert slow.most == 1


def test_a_fault_of_the_model_tells_nothing_of_the_inside(
    up: Standing, slow: Slow, told: list[str]
) -> None:
    slow.fault = RuntimeError(f"mat1 and mat2: {FIRST}")
    try:
        text = {"text": "一份没有见过的病历"}
        status, found = post(up, "/try", {**BODY, "input": text})
    finally:
        slow.fault = None
    assert status == 503
    assert "could not answer" in found["error"]
    assert FIRST not in str(found)
    assert len(told) == 1
    assert "RuntimeError" in told[0]
    assert FIRST not in told[0]
    told.clear()
    assert post(up, "/try", BODY)[0] == 200


def test_what_takes_too_long_is_given_up_and_the_next_is_answered() -> None:
    desk = Slow()
    with standing(make_steering_site(desk, script="//", turns=Turns(seconds=0.3))) as up:
        desk.go.clear()
        status, found = post(up, "/try", BODY)
        assert (status, found["error"]) == (503, "this took too long")
        desk.go.set()
        for _ in range(20):  # the work that was given up ends first
            status, found = post(up, "/try", BODY)
            if status == 200:
                break
        assert status == 200


def test_nothing_that_was_typed_is_written_down(
    up: Standing, told: list[str], capfd: pytest.CaptureFixture[str]
) -> None:
    capfd.readouterr()
    body = {**BODY, "input": {"text": "秘密 unheard zzz"}, "rules": [RULE]}
    assert post(up, "/try", body)[0] == 200
    assert post(up, "/verdict", body)[0] == 200
    assert post(up, "/try", {**body, "rules": [{"id": "秘密"}]})[0] == 400
    out, err = capfd.readouterr()
    assert (out, err) == ("", "")
    assert (up.told, told) == ([], [])


def test_a_copy_without_its_script_says_how_to_make_it(monkeypatch: pytest.MonkeyPatch) -> None:
    class Nothing:
        def joinpath(self, *_: str) -> "Nothing":
            return self

        def is_file(self) -> bool:
            return False

    monkeypatch.setattr(routes, "files", lambda _: Nothing())
    with pytest.raises(InputError, match="make view"):
        routes.bundle()
