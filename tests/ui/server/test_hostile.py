"""Hostile requests against a real server: every one is refused, and the page still serves."""

import json
import socket
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.ui.server.attacks import Target, attacks
from tests.ui.server.standing import Standing, said, standing
from zhuyi.ui.server import running
from zhuyi.ui.server.limits import Limits
from zhuyi.ui.server.logdir import RunsArchive
from zhuyi.ui.server.site import make_site

# What only those who were let in may read: the index, a pack, the view's script, the page.
SECRETS = (b"zhuyi.view/1", b"zyp1", b"customElements", b'id="zhuyi"', b"root:", b"Set-Cookie")


def refused(answer: bytes) -> str:
    """Why an answer is no refusal, or ""."""
    if not answer:
        return ""  # the server hung up
    head, _, body = answer.partition(b"\r\n\r\n")
    status = head[9:12]
    if not head.startswith(b"HTTP/1.1 ") or status[:1] not in (b"4", b"5") or status == b"500":
        return f"answered {head[:40]!r}"
    if answer.count(b"HTTP/1.1 ") > 1:
        return "answered twice"
    found = [secret for secret in SECRETS if secret.lower() in answer.lower()]
    if found or len(body) > 200:
        return f"said too much: {found or len(body)}"
    return ""


def target_of(server: Standing) -> Target:
    token = server.served.door.new_token()
    assert server.served.door.enter(token) is not None
    track = json.loads(server.get("/index")[2])["tracks"][0]["id"]
    return Target(host=server.host, cookie=server.cookie, used=token, track=track)


def still_serves(server: Standing) -> None:
    """Everything that the page needs, byte for byte of the right kind."""
    status, headers, page = server.get("/")
    assert (status, headers["content-type"]) == (200, "text/html; charset=utf-8")
    assert b'<div id="zhuyi" data-host="server"></div>' in page
    tracks = json.loads(server.get("/index")[2])["tracks"]
    assert [track["run"] for track in tracks] == ["a", "b/c"]
    status, headers, pack = server.get(f"/ask?name=track%2F{tracks[0]['id']}")
    assert (status, headers["content-type"]) == (200, "application/octet-stream")
    assert pack.startswith(b"zyp1")


def test_every_hostile_request_is_refused_and_the_page_still_serves(server: Standing) -> None:
    found = dict(attacks(target_of(server)))
    assert len(found) >= 350
    with ThreadPoolExecutor(8) as pool:
        answers = dict(zip(found, pool.map(server.raw, found.values()), strict=True))
    wrong = {name: why for name, answer in answers.items() if (why := refused(answer))}
    assert not wrong, "\n".join(f"{name}: {why}" for name, why in wrong.items())
    assert server.told == [], "a hostile request made something fail inside"
    still_serves(server)


def test_the_same_requests_find_a_server_without_its_guard(
    logdir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The broken twin: without the guard the site answers many of every kind."""

    def unguarded(*, app: object, **_: object) -> object:
        return app

    monkeypatch.setattr(running, "Guard", unguarded)
    site = make_site(RunsArchive(logdir), title="zhuyi")
    with standing(site, Limits(head_seconds=0.2)) as up:
        up.served.server.config.timeout_keep_alive = 0  # it would keep connections otherwise
        found = attacks(target_of(up))
        wrong = Counter(name.split()[0] for name, data in found if refused(up.raw(data)))
    least = {"rebinding": 30, "foreign": 30, "uninvited": 40, "sizes": 2, "protocols": 4}
    assert not {kind: wrong[kind] for kind, count in least.items() if wrong[kind] < count}


def test_slow_clients_are_cut_and_others_do_not_wait_for_them(server: Standing) -> None:
    whole = target_of(server).request("/index")
    post = target_of(server).post("/ask", length="100", body=b"{")
    begun = time.monotonic()
    dripping, silent, starving = (
        socket.create_connection(("127.0.0.1", server.port), timeout=10) for _ in range(3)
    )
    starving.sendall(post)
    cut = False
    for byte in whole[:-1]:  # the last byte never comes: a head that is not finished
        try:
            dripping.sendall(bytes([byte]))
        except (BrokenPipeError, ConnectionResetError):
            cut = True
            break
        time.sleep(0.02)
        still = time.monotonic()
        if still - begun > 5:
            break
    assert cut, "a head that dripped for seconds was still listened to"
    assert said(silent, b"") == b""
    assert refused(said(starving, b"")) == ""
    for one in (dripping, silent, starving):
        one.close()
    still_serves(server)


def test_a_flood_of_silent_connections_does_not_keep_the_page_away(server: Standing) -> None:
    flood = [socket.create_connection(("127.0.0.1", server.port)) for _ in range(200)]
    try:
        begun = time.monotonic()
        still_serves(server)
        assert time.monotonic() - begun < 5
        assert len(server.served.server.server_state.connections) <= 45
    finally:
        for one in flood:
            one.close()


def test_who_does_not_take_the_answer_is_cut(logdir: Path) -> None:
    site = make_site(RunsArchive(logdir), title="zhuyi", script="x" * 30_000_000)
    with standing(site, Limits(leave_seconds=0.3)) as up:
        request = target_of(up).request("/zhuyi.js")
        with socket.create_connection(("127.0.0.1", up.port)) as client:
            client.sendall(request)
            begun = time.monotonic()
            time.sleep(0.2)
            while up.served.server.server_state.connections:
                assert time.monotonic() - begun < 10
                time.sleep(0.02)
            assert len(said(client, b"")) < 30_000_000


def test_only_this_machine_is_listened_to(server: Standing) -> None:
    assert server.served.listener.getsockname()[0] == "127.0.0.1"
    addresses = {
        info[4][0] for info in socket.getaddrinfo(socket.gethostname(), None, socket.AF_INET)
    }
    for address in addresses - {"127.0.0.1"}:
        with socket.socket() as probe:
            probe.settimeout(1)
            assert probe.connect_ex((address, server.port)) != 0
