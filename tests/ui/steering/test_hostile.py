"""Hostile posts against a real server with a real model: all refused, the model never called."""

import json
import socket
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field

import pytest

from tests.ui.server.attacks import Target
from tests.ui.server.standing import Standing, said, standing
from tests.ui.steering.asking import post
from tests.ui.steering.hostile_posts import GOOD, ROUTES, as_json, posts
from zhuyi.ui.server.limits import Limits
from zhuyi.ui.steering import asking, ruling
from zhuyi.ui.steering.notes_desk import NotesDesk
from zhuyi.ui.steering.routes import make_steering_site

#: What no answer to a stranger may hold: text of the input, of files, of the inside.
SECRETS = ("高血压病史", "root:", "Traceback", "site-packages", ".py", "zhuyi.desk/1", "Set-Cookie")


@dataclass
class Watched:
    """A server whose model counts its calls."""

    up: Standing
    calls: list[int] = field(default_factory=list)

    @property
    def target(self) -> Target:
        token = self.up.served.door.new_token()
        assert self.up.served.door.enter(token) is not None
        return Target(host=self.up.host, cookie=self.up.cookie, used=token, track="none")


@pytest.fixture(scope="module")
def watched() -> Iterator[Watched]:
    desk, calls = NotesDesk(), list[int]()
    hook = desk.steered.model.register_forward_pre_hook(lambda *_: calls.append(1))
    limits = Limits(head_seconds=0.8, body_seconds=0.8, leave_seconds=0.8, connections=40)
    with standing(make_steering_site(desk, script="//"), limits) as up:
        yield Watched(up, calls)
    hook.remove()


def refused(answer: bytes) -> str:
    """Why an answer is no refusal, or ""."""
    if not answer:
        return ""  # the server hung up
    head, _, body = answer.decode("utf-8", "replace").partition("\r\n\r\n")
    if not head.startswith("HTTP/1.1 4") or answer.count(b"HTTP/1.1 ") > 1 or " 409 " in head:
        return f"answered {head[:40]!r} {body[:200]!r}"
    found = [secret for secret in SECRETS if secret.lower() in f"{head}{body}".lower()]
    if found or len(body) > 600:
        return f"said too much: {found or len(body)} {body[:300]!r}"
    return ""


def still_serves(up: Standing) -> None:
    status, found = post(up, "/try", GOOD)
    assert (status, found["turn"]) == (200, 1)
    assert [one["id"] for one in found["rules"]] == ["a"]


def test_every_hostile_post_is_refused_and_the_model_is_never_called(watched: Watched) -> None:
    found = dict(posts(watched.target))
    assert len(found) >= 300
    before = len(watched.calls)
    # One by one: a request that another one overtakes would be refused for that alone.
    answers = {name: watched.up.raw(data) for name, data in found.items()}
    wrong = {name: why for name, answer in answers.items() if (why := refused(answer))}
    assert not wrong, "\n".join(f"{name}: {why}" for name, why in wrong.items())
    assert len(watched.calls) == before, "the model was called for a hostile request"
    assert watched.up.told == [], "a hostile request made something fail inside"
    still_serves(watched.up)
    assert len(watched.calls) > before


def test_the_same_posts_find_a_page_that_trusts(monkeypatch: pytest.MonkeyPatch) -> None:
    """The broken twin: without the strict reading and the distrust many of them get through."""
    read = ruling.Rules.from_yaml
    trusting = staticmethod(lambda source, *, trusted=True: read(source))
    monkeypatch.setattr(ruling.Rules, "from_yaml", trusting)
    monkeypatch.setattr(asking, "fields_of", lambda data, *_: data)
    monkeypatch.setattr(asking, "check_rule", lambda _: None)
    with standing(make_steering_site(NotesDesk(), script="//"), Limits(head_seconds=0.5)) as up:
        target = Watched(up).target
        kinds = ("fields", "rules", "yaml")
        chosen = [(n, data) for n, data in posts(target) if n.split()[0] in kinds]
        endless = ("star", "+", "draws 10")
        chosen = [one for one in chosen if not any(word in one[0] for word in endless)]
        chosen = chosen[::4]  # a few of each kind are enough
        wrong = Counter(name.split()[0] for name, data in chosen if refused(up.raw(data)))
    assert not {kind for kind in kinds if wrong[kind] < 2}, wrong


def test_slow_bodies_are_cut_and_others_do_not_wait_for_them(watched: Watched) -> None:
    body = as_json(GOOD)
    slow = []
    for route in ROUTES:
        one = socket.create_connection(("127.0.0.1", watched.up.port), timeout=10)
        one.sendall(watched.target.post(route, body=body[:5], length=str(len(body))))
        slow.append(one)
    begun = time.monotonic()
    still_serves(watched.up)
    assert time.monotonic() - begun < 5
    for one in slow:
        answer = said(one, b"")
        assert not answer or answer.startswith(b"HTTP/1.1 408"), answer[:80]
        one.close()


def test_hostile_text_comes_back_as_text_only(watched: Watched) -> None:
    hostile = "<img src=x onerror=alert(1)></script> 高血压 \u202e\u2028 'x' {{7*7}}"
    rule = {"id": hostile, "boost": {"text": hostile}, "weight": 2.0, "why": hostile}
    body = {**GOOD, "input": {"text": hostile}, "rules": [rule]}
    status, headers, answer = watched.up.ask(
        "POST", "/try", as_json(body), {
            "Cookie": watched.up.cookie, "Origin": f"http://{watched.up.host}",
            "Content-Type": "application/json",
        },
    )  # fmt: skip
    assert (status, headers["content-type"]) == (200, "application/json")
    assert headers["x-content-type-options"] == "nosniff"
    assert "require-trusted-types-for 'script'" in headers["content-security-policy"]
    found = json.loads(answer)
    assert found["rules"][0]["id"] == hostile
    again = post(watched.up, "/rules", {"yaml": found["yaml"]})[1]["rules"]
    assert (again[0]["id"], again[0]["boost"]["text"], again[0]["why"]) == (hostile,) * 3
