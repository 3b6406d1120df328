"""Addresses with a model behind: what is answered with which status, and what is never told."""

import json
from collections.abc import Mapping
from typing import Any

import pytest
from starlette.testclient import TestClient

from zhuyi.errors import InputError, NotSteerable
from zhuyi.ui.server.bodies import LARGEST
from zhuyi.ui.server.posting import Get, Post
from zhuyi.ui.server.site import page_files, plain_site
from zhuyi.ui.server.turns import Superseded, TooLate, TooMany, Turn

FAULTS: dict[str, Exception] = {
    "input": InputError("this text cannot be"),
    "steer": NotSteerable("this model cannot be steered"),
    "superseded": Superseded("a newer request took this one's place"),
    "late": TooLate("this took too long"),
    "many": TooMany("too many requests wait"),
    "torch": RuntimeError("size mismatch: SECRET text of a person"),
    "key": KeyError("SECRET"),
    "nan": ValueError("SECRET"),
}


def read(body: Mapping[str, Any]) -> str:
    if "do" not in body:
        raise InputError("'do' is missing")
    return str(body["do"])


def work(asked: str, _: Turn) -> Mapping[str, Any]:
    if asked in FAULTS:
        raise FAULTS[asked]
    return {"said": asked}


@pytest.fixture
def told() -> list[str]:
    return []


@pytest.fixture
def client(told: list[str]) -> TestClient:
    site = plain_site(
        page_files(title="a <b> page", name="own.js", script="export {}"),
        gets=[Get(path="/desk", work=lambda: {"zh": "中文"})],
        posts=[Post(path="/try", kind="try", read=read, work=work)],
        tell=told.append,
    )
    return TestClient(site)


def test_the_page_is_made_of_three_files(client: TestClient) -> None:
    page = client.get("/")
    assert page.headers["content-type"] == "text/html; charset=utf-8"
    assert "<title>a &lt;b&gt; page</title>" in page.text
    assert '<script type="module" src="own.js"></script>' in page.text
    assert '<div id="zhuyi" data-host="server"></div>' in page.text
    assert client.get("/own.js").headers["content-type"] == "text/javascript; charset=utf-8"
    assert client.get("/page.css").headers["content-type"] == "text/css; charset=utf-8"
    assert client.get("/zhuyi.js").status_code == 404


def test_answers_are_json_in_utf_8(client: TestClient) -> None:
    found = client.get("/desk")
    assert found.content == '{"zh": "中文"}'.encode()
    assert found.headers["content-type"] == "application/json"
    assert client.post("/try", json={"do": "你好"}).json() == {"said": "你好"}
    assert client.get("/try").status_code == 405
    assert client.post("/desk", json={}).status_code == 405


@pytest.mark.parametrize(
    ("do", "status"),
    [("input", 400), ("steer", 400), ("superseded", 409), ("late", 503), ("many", 429)],
)
def test_our_own_faults_are_told(client: TestClient, told: list[str], do: str, status: int) -> None:
    found = client.post("/try", json={"do": do})
    assert found.status_code == status
    wanted = {"error": str(FAULTS[do])} | ({"superseded": True} if status == 409 else {})
    assert found.json() == wanted
    assert told == []


@pytest.mark.parametrize("do", ["torch", "key", "nan"])
def test_faults_of_a_model_become_one_sentence(
    client: TestClient, told: list[str], do: str
) -> None:
    found = client.post("/try", json={"do": do})
    assert found.status_code == 503
    assert set(found.json()) == {"error"}
    assert "could not answer" in found.json()["error"]
    assert "SECRET" not in found.text
    assert len(told) == 1
    assert "SECRET" not in told[0]
    assert type(FAULTS[do]).__name__ in told[0]
    assert client.post("/try", json={"do": "next"}).json() == {"said": "next"}


def test_bodies_are_checked_before_the_turn(client: TestClient) -> None:
    assert client.post("/try", content=b"{").status_code == 400
    assert client.post("/try", json={}).json() == {"error": "'do' is missing"}
    large = json.dumps({"do": "x" * LARGEST}).encode()
    assert client.post("/try", content=large).status_code == 413
    exact = json.dumps({"do": "x" * (LARGEST - 10)}).encode()
    assert len(exact) == LARGEST
    assert client.post("/try", content=exact).status_code == 200
    assert client.post("/try?x=1", json={"do": "a"}).status_code == 400


def test_an_answer_that_is_no_json_is_a_fault_and_not_sent() -> None:
    told: list[str] = []
    nan = Post(path="/try", kind="try", read=read, work=lambda *_: {"n": float("nan")})
    site = plain_site({}, posts=[nan], tell=told.append)
    found = TestClient(site, raise_server_exceptions=False).post("/try", json={"do": "x"})
    assert found.status_code == 503
    assert told
