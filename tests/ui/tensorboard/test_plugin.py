"""The plug-in's routes, called as TensorBoard calls them: read only, and nothing but names."""

import builtins
import json
import logging
import warnings
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

pytest.importorskip("tensorboard")

from tensorboard.backend.event_processing.data_provider import MultiplexerDataProvider
from tensorboard.backend.event_processing.plugin_event_multiplexer import EventMultiplexer
from tensorboard.plugins.base_plugin import TBContext
from werkzeug.test import Client, TestResponse

from tests.ui.tensorboard.boards import EVIL, Written, write
from tests.ui.tensorboard.test_reading import names
from zhuyi.ui.tensorboard.loader import Loader
from zhuyi.ui.tensorboard.plugin import AttentionPlugin
from zhuyi.ui.view.page import bundle
from zhuyi.ui.view.words import words_pack

with warnings.catch_warnings():
    # What TensorBoard carries along of html5lib warns of itself when it is imported.
    warnings.simplefilter("ignore", DeprecationWarning)
    import tensorboard.plugin_util  # noqa: F401

ROUTES = ("/zhuyi.js", "/index", "/ask")
TEXTS = ("text/javascript", "text/plain")


class Site:
    """The plug-in over one run, and a client for each route."""

    def __init__(self, folder: Path) -> None:
        self.written: Written = write(folder, [0, 50], detailed=[50])
        multiplexer = EventMultiplexer(tensor_size_guidance={"zhuyi": 0})
        multiplexer.AddRunsFromDirectory(str(folder))
        multiplexer.Reload()
        provider = MultiplexerDataProvider(multiplexer, str(folder))
        # As with the fast loader: no multiplexer, no flags, no folder.
        self.plugin = AttentionPlugin(TBContext(data_provider=provider))
        self.clients = {path: Client(app) for path, app in self.plugin.get_plugin_apps().items()}
        self.place = json.loads(self.get("/index").data)["tracks"][0]["id"]

    def get(self, path: str, query: str = "", **options: Any) -> TestResponse:
        return self.clients[path].get(path, query_string=query, **options)

    def ask(self, name: str) -> TestResponse:
        return self.get("/ask", f"name={quote(name, safe='')}")


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Site:
    return Site(tmp_path_factory.mktemp("logs"))


def test_routes_and_tab(site: Site) -> None:
    assert set(site.clients) == set(ROUTES)
    tab = site.plugin.frontend_metadata()
    assert (tab.es_module_path, tab.tab_name, tab.element_name) == ("/zhuyi.js", "Attention", None)
    assert not site.plugin.is_active()
    assert list(site.plugin.data_plugin_names()) == ["zhuyi"]


def test_the_script_is_the_bundle(site: Site) -> None:
    found = site.get("/zhuyi.js")
    assert found.status_code == 200
    assert found.mimetype == "text/javascript"
    assert found.data.decode() == bundle()
    assert "render" in bundle().rpartition("export")[2]  # TensorBoard's frame calls it


def test_bytes_by_name(site: Site) -> None:
    found = site.ask(f"moment/{site.place}/50")
    assert (found.status_code, found.mimetype) == (200, "application/octet-stream")
    assert found.data == site.written.moments[50]
    assert site.ask(f"detail/{site.place}/50/4").data == site.written.details[50][4]
    assert site.ask(f"track/{site.place}").data == site.written.track


def test_the_sentences_of_the_other_language(site: Site) -> None:
    found = site.ask("words/zh")
    assert found.data == words_pack()
    assert site.ask("words/fr").status_code == 404


def test_every_answer_is_closed_to_others(site: Site) -> None:
    answers = [site.get("/index"), site.get("/zhuyi.js"), site.ask("nothing"), site.get("/ask")]
    answers += [site.ask(f"track/{site.place}"), site.clients["/ask"].post("/ask")]
    for answer in answers:
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert answer.headers["Cache-Control"] == "no-store"
        assert answer.headers["Cross-Origin-Resource-Policy"] == "same-origin"
        assert "Access-Control-Allow-Origin" not in answer.headers
        assert answer.mimetype in ("application/json", "application/octet-stream", *TEXTS)


@pytest.mark.parametrize("method", ["post", "put", "delete", "patch", "head", "options", "trace"])
@pytest.mark.parametrize("path", ROUTES)
def test_nothing_but_get(site: Site, path: str, method: str) -> None:
    found = site.clients[path].open(path, method=method.upper())
    assert (found.status_code, found.headers["Allow"]) == (405, "GET")


def test_names_that_are_nothing(site: Site) -> None:
    for name in names(site.place):
        found = site.ask(name)
        expected = {400} if not name or len(name) > 200 else {404}
        assert found.status_code in expected, name[:80]
        assert found.mimetype == "text/plain"


@pytest.mark.parametrize(
    "query",
    [
        "",
        "name",
        "name=",
        "nom=track/0",
        "name=a&name=b",
        "name=" + "a" * 201,
        "name=" + "%00" * 300,
    ],
)
def test_questions_that_are_none(site: Site, query: str) -> None:
    found = site.get("/ask", query)
    assert (found.status_code, found.mimetype) == (400, "text/plain")


@pytest.mark.parametrize("query", ["name=%ff%fe", "name=%c0%ae%c0%ae/", "name=%ED%A0%80", "name=+"])
def test_bytes_that_are_no_text(site: Site, query: str) -> None:
    assert site.get("/ask", query).status_code == 404


def test_a_refusal_says_hostile_text_as_text_only(site: Site) -> None:
    found = site.ask(EVIL)
    assert found.status_code == 404
    assert found.mimetype == "text/plain"
    assert EVIL in found.text


def test_hostile_names_in_the_index_are_inert(tmp_path: Path) -> None:
    plugin = AttentionPlugin(TBContext(data_provider=_provider(tmp_path, name=EVIL + "\u2028")))
    found = Client(plugin.get_plugin_apps()["/index"]).get("/index")
    assert found.mimetype == "application/json"
    assert not set("<>&\u2028") & set(found.text)
    assert json.loads(found.text)["tracks"][0]["name"] == EVIL + "\u2028"


def _provider(folder: Path, name: str) -> MultiplexerDataProvider:
    write(folder, [0], name=name)
    multiplexer = EventMultiplexer(tensor_size_guidance={"zhuyi": 0})
    multiplexer.AddRunsFromDirectory(str(folder))
    multiplexer.Reload()
    return MultiplexerDataProvider(multiplexer, str(folder))


def test_without_a_data_provider() -> None:
    apps = AttentionPlugin(TBContext()).get_plugin_apps()
    assert json.loads(Client(apps["/index"]).get("/index").data)["tracks"] == []
    assert Client(apps["/ask"]).get("/ask?name=track/0").status_code == 404


def test_the_loader_makes_the_plugin() -> None:
    assert isinstance(Loader().load(TBContext()), AttentionPlugin)


def test_what_is_missing_leaves_the_tab_out_and_says_so(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    honest = builtins.__import__

    def without(name: str, *args: Any, **kwargs: Any) -> Any:
        if name == "zhuyi.ui.tensorboard.plugin":
            raise ImportError("cannot import name 'plugin_util'")
        return honest(name, *args, **kwargs)

    monkeypatch.setattr(builtins, "__import__", without)
    with caplog.at_level(logging.WARNING):
        assert Loader().load(TBContext()) is None
    assert "no tab 'Attention' (cannot import name 'plugin_util')" in caplog.text
