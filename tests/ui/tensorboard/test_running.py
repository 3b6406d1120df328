"""TensorBoard itself, with both loaders: it finds the plug-in and hands over what was written."""

import http.client
import json
from pathlib import Path
from urllib.parse import quote, urlsplit

import pytest

pytest.importorskip("tensorboard")

from tests.ui.tensorboard.boards import get, tensorboards, tracks_when, write
from tests.ui.tensorboard.conftest import LOADERS, Shown
from tests.ui.tensorboard.test_reading import names
from zhuyi.ui.view.page import bundle

KEPT = {"fast": 100, "slow": 10}


def asked(shown: Shown, loader: str, method: str, path: str) -> tuple[int, str, bytes]:
    """Status, kind and body of any request, without a client's tidying of the path."""
    url = urlsplit(shown.urls[loader])
    connection = http.client.HTTPConnection(url.hostname or "", url.port, timeout=30)
    connection.request(method, url.path + path)
    answer = connection.getresponse()
    return answer.status, str(answer.headers.get_content_type()), answer.read()


@pytest.mark.parametrize("loader", LOADERS)
def test_the_tab_is_listed_and_every_run_is_there(shown: Shown, loader: str) -> None:
    url = shown.urls[loader]
    tracks = tracks_when(url, lambda found: set(found) == set(shown.written))
    listed = json.loads(get(f"{url}data/plugins_listing"))["zhuyi"]
    assert (listed["enabled"], listed["tab_name"]) == (True, "Attention")
    module = f"{urlsplit(url).path}data/plugin/zhuyi/zhuyi.js"
    assert listed["loading_mechanism"] == {"type": "IFRAME", "module_path": module}
    many = tracks["many/attention"]
    # The loader's own choice of steps, and the detailed ones beside them.
    assert KEPT[loader] <= len(many["steps"]) <= KEPT[loader] + 2
    assert (many["steps"][-1], many["written"]) == (5950, 120)
    assert many["detailed"] == [0, 50, 5950]


@pytest.mark.parametrize("loader", LOADERS)
def test_bytes_are_those_that_were_written(shown: Shown, loader: str) -> None:
    url = shown.urls[loader]
    tracks = tracks_when(url, lambda found: set(found) == set(shown.written))

    def ask(name: str) -> bytes:
        return get(f"{url}data/plugin/zhuyi/ask?name={quote(name, safe='')}")

    for run, written in shown.written.items():
        place = tracks[run]["id"]
        assert ask(f"track/{place}") == written.track
        for step in tracks[run]["steps"][-15:]:
            assert ask(f"moment/{place}/{step}") == written.moments[step]
        for step in tracks[run]["detailed"]:
            for entry, pack in written.details[step].items():
                assert ask(f"detail/{place}/{step}/{entry}") == pack
    assert get(f"{url}data/plugin/zhuyi/zhuyi.js").decode() == bundle()


@pytest.mark.parametrize("loader", LOADERS)
def test_hostile_requests_are_refused(shown: Shown, loader: str) -> None:
    tracks = tracks_when(shown.urls[loader], lambda found: set(found) == set(shown.written))
    route = "data/plugin/zhuyi/"
    place = tracks["many/attention"]["id"]
    for name in names(place):
        path = f"{route}ask?name={quote(name, safe='')}"
        status, kind, _ = asked(shown, loader, "GET", path[:60_000])
        assert (status in (400, 404), kind) == (True, "text/plain"), name[:80]
    for method in ("POST", "PUT", "DELETE", "PATCH"):
        for path in ("index", "zhuyi.js", f"ask?name=track/{place}"):
            assert asked(shown, loader, method, route + path)[0] == 405
    for path in ("../../etc/passwd", "%2e%2e/%2e%2e/etc/passwd", "zhuyi.js/../../../x", "page.css"):
        assert asked(shown, loader, "GET", route + path)[0] in (400, 404)
    assert asked(shown, loader, "GET", f"{route}ask?name=track/{place}")[0] == 200


@pytest.mark.long
def test_every_look_with_samples_per_plugin_and_a_run_that_begins_later(tmp_path: Path) -> None:
    first = write(tmp_path / "first", range(130))
    every = "--samples_per_plugin", "zhuyi=0"
    with tensorboards(tmp_path, [*every], ["--load_fast=false", *every]) as urls:
        for url in urls:
            tracks = tracks_when(url, lambda found: "first/attention" in found)
            track = tracks["first/attention"]
            assert (track["steps"], track["written"]) == (list(range(130)), 130)
            for step in (0, 64, 129):
                found = get(f"{url}data/plugin/zhuyi/ask?name=moment/{track['id']}/{step}")
                assert found == first.moments[step]
        write(tmp_path / "later", [1, 2])
        for url in urls:
            tracks = tracks_when(url, lambda found: "later/attention" in found)
            assert tracks["later/attention"]["steps"] == [1, 2]
            assert len(tracks["first/attention"]["steps"]) == 130
