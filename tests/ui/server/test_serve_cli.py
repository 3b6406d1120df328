"""`zhuyi serve`: what it prints, how it fails, how it stops."""

import json
import re
import signal
import socket
import subprocess
import sys
import urllib.error
import urllib.request
from pathlib import Path

import pytest

from tests.ui.server.runs import logdir_at
from tests.ui.server.standing import said
from tests.ui.steering import small
from tests.ui.test_cli import Result
from zhuyi.ui.server import running

LINK = r"http://127\.0\.0\.1:[0-9]+/\?token=[A-Za-z0-9_-]{43}"


@pytest.fixture
def served(monkeypatch: pytest.MonkeyPatch) -> list[running.Served]:
    """Nothing is answered: what would be run is kept, and its port given back."""
    kept: list[running.Served] = []

    def run(self: running.Served) -> None:
        self.listener.close()
        kept.append(self)

    monkeypatch.setattr(running.Served, "run", run)
    return kept


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Links that a browser would have been given."""
    links: list[str] = []
    monkeypatch.setenv("DISPLAY", ":0")
    monkeypatch.setattr(running.webbrowser, "open", lambda link: not links.append(link))
    return links


def token(link: str) -> str:
    return link.partition("token=")[2]


def test_the_link_is_all_that_is_printed(
    capsys: pytest.CaptureFixture[str],
    served: list[running.Served],
    opened: list[str],
    tmp_path: Path,
) -> None:
    found = Result(capsys, "serve", "--logdir", logdir_at(tmp_path, "a"))
    assert found.code == 0
    assert re.fullmatch(LINK + "\n", found.out)
    assert "works once" in found.err
    assert "Ctrl-C" in found.err
    # The browser has a link of its own: the printed one still lets another one in.
    assert len(opened) == 1
    assert re.fullmatch(LINK, opened[0])
    door = served[0].door
    for link in (found.out.strip(), opened[0]):
        assert door.enter(token(link)) is not None
        assert door.enter(token(link)) is None


def test_json_and_quiet_and_no_browser(
    capsys: pytest.CaptureFixture[str],
    served: list[running.Served],
    opened: list[str],
    tmp_path: Path,
) -> None:
    logdir_at(tmp_path, "a", "b")
    found = Result(capsys, "serve", "--logdir", tmp_path, "--json", "--quiet", "--no-browser")
    told = json.loads(found.out)
    assert (found.code, found.err, opened) == (0, "", [])
    assert set(told) == {"schema", "url", "port", "tracks"}
    assert (told["schema"], told["tracks"]) == ("zhuyi.serve/1", 2)
    assert re.fullmatch(LINK, told["url"])
    assert told["port"] == served[0].port


def test_a_model_is_served_with_rules_and_examples(
    capsys: pytest.CaptureFixture[str], served: list[running.Served], tmp_path: Path
) -> None:
    """Without a name it is the clinic-note model."""
    (tmp_path / "rules.yaml").write_text(
        "version: 1\nrules:\n- {id: own, boost: {regex: '高.压'}, weight: 2}\n", encoding="utf-8"
    )
    (tmp_path / "notes.csv").write_text("text\n糖尿病2年\n", encoding="utf-8")
    given = ("--rules", tmp_path / "rules.yaml", "--examples", tmp_path / "notes.csv")
    found = Result(capsys, "serve", *given, "--json", "--quiet", "--no-browser")
    told = json.loads(found.out)
    assert (found.code, found.err, len(served)) == (0, "", 1)
    assert set(told) == {"schema", "url", "port", "model", "kind", "examples"}
    assert (told["kind"], told["examples"]) == ("text", 6)
    assert re.fullmatch(LINK, told["url"])


def test_a_saved_estimator_is_served(
    capsys: pytest.CaptureFixture[str], served: list[running.Served], tmp_path: Path
) -> None:
    small.number().save(tmp_path / "wear")
    found = Result(capsys, "serve", tmp_path / "wear", "--json", "--quiet", "--no-browser")
    told = json.loads(found.out)
    assert (told["model"], told["kind"], told["examples"]) == ("wear", "table", 4)


def test_a_feed_is_served_as_its_own_page(
    capsys: pytest.CaptureFixture[str],
    served: list[running.Served],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    from zhuyi.ui.feed import opening
    from zhuyi.ui.server.site import Site, page_files, plain_site

    class Feed:
        title = "a feed"

        def site(self) -> Site:
            return plain_site(page_files(title=self.title, name="feed.js", script="//"))

    asked: list[Path] = []

    def open_feed(folder: Path, tell: object) -> Feed:
        asked.append(folder)
        return Feed()

    monkeypatch.setattr(opening, "open_feed", open_feed)
    found = Result(capsys, "serve", "--feed", tmp_path, "--json", "--quiet", "--no-browser")
    told = json.loads(found.out)
    assert (found.code, told["feed"], asked, len(served)) == (0, "a feed", [tmp_path], 1)


def test_without_a_browser_the_link_is_there(
    capsys: pytest.CaptureFixture[str],
    served: list[running.Served],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.delenv("DISPLAY", raising=False)
    monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
    found = Result(capsys, "serve", "--logdir", logdir_at(tmp_path, "a"))
    assert found.code == 0
    assert "open the link yourself" in found.err


def test_a_folder_without_runs_says_what_to_do_and_waits(
    capsys: pytest.CaptureFixture[str], served: list[running.Served], tmp_path: Path
) -> None:
    found = Result(capsys, "serve", "--logdir", tmp_path, "--no-browser")
    assert (found.code, len(served)) == (0, 1)
    assert f"there is no run in {tmp_path} yet" in found.err
    assert "AttentionLogger" in found.err
    assert "zhuyi look MODEL" in found.err


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (
            ("{}", "--logdir", "{}"),
            2,
            "--logdir shows something else than a model: leave MODEL out",
        ),
        (("--rules", "{}/x", "--logdir", "{}"), 2, "leave --rules out"),
        (("--examples", "{}/x", "--feed", "{}"), 2, "leave --examples out"),
        (("--logdir", "{}", "--feed", "{}"), 2, "serve them one by one"),
        (("{}/gone",), 3, "gone"),
        (("--rules", "{}/gone.yaml"), 3, "gone.yaml cannot be read"),
        (("--examples", "{}/gone.csv"), 3, "gone.csv"),
        (("--logdir", "{}", "--port", "70000"), 2, "--port must be 0"),
        (("--logdir", "{}", "--port", "-1"), 2, "--port must be 0"),
        (("--logdir", "{}", "--host", "0.0.0.0"), 2, "--host"),
        (("--logdir", "{}/gone"), 3, "does not exist"),
    ],
)
def test_wrong_usage(
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
    arguments: tuple[str, ...],
    code: int,
    said: str,
) -> None:
    found = Result(capsys, "serve", *(one.format(tmp_path) for one in arguments))
    assert found.code == code
    assert said in found.err
    assert found.out == ""


def test_a_port_that_is_taken_is_said(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        found = Result(capsys, "serve", "--logdir", tmp_path, "--port", port, "--no-browser")
    assert found.code == 3
    assert f"cannot listen on port {port} of 127.0.0.1" in found.err
    assert "give another --port" in found.err


@pytest.mark.parametrize("missing", ["uvicorn", "starlette"])
def test_a_library_that_is_missing_is_named(
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    missing: str,
) -> None:
    for name in [name for name in sys.modules if name.partition(".")[0] == missing]:
        monkeypatch.setitem(sys.modules, name, None)
    monkeypatch.setitem(sys.modules, missing, None)
    found = Result(capsys, "serve", "--logdir", tmp_path)
    assert found.code == 3
    assert f"zhuyi serve needs {missing}" in found.err
    assert "pip install 'zhuyi[serve]'" in found.err


def test_help_helps(capsys: pytest.CaptureFixture[str]) -> None:
    found = Result(capsys, "serve", "--help")
    assert found.code == 0
    for part in (
        "--rules",
        "--examples",
        "--feed",
        "--logdir",
        "--port",
        "--no-browser",
        "--json",
        "--quiet",
        "works once",
        "Ctrl-C",
    ):
        assert part in found.out
    assert "--host" not in found.out


def test_ctrl_c_stops_it_and_is_no_failure(tmp_path: Path) -> None:
    """A real process; importing what it needs does not import the server's libraries."""
    logdir_at(tmp_path, "a")
    code = (
        "import sys; from zhuyi.ui.server import logdir, posting, running, site; "
        "from zhuyi.ui.steering import opening, routes; from zhuyi.ui.cli import "
        "main; assert not {'uvicorn', 'starlette', 'tensorboard'} & set(sys.modules); main()"
    )
    arguments = ["serve", "--logdir", str(tmp_path), "--no-browser"]
    with subprocess.Popen(
        [sys.executable, "-W", "error", "-c", code, *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        link = process.stdout.readline().strip()
        assert re.fullmatch(LINK, link), process.communicate()[1]
        with urllib.request.urlopen(link, timeout=10) as answer:
            assert answer.status == 200
        with pytest.raises(urllib.error.HTTPError, match="403"):
            urllib.request.urlopen(link, timeout=10)
        # A client that holds a connection does not hold the server.
        port = int(link.split(":")[2].partition("/")[0])
        for data in (b"SECRET\r\n\r\n", b"GET /SECRET?SECRET HTTP/1.1\r\nHost: SECRET\r\n\r\n"):
            with socket.create_connection(("127.0.0.1", port), timeout=10) as client:
                assert said(client, data).startswith(b"HTTP/1.1 4")
        with socket.create_connection(("127.0.0.1", port)):
            process.send_signal(signal.SIGINT)
            out, err = process.communicate(timeout=20)
        assert (process.returncode, out) == (0, "")
        assert err.count("\n") == 1, "nothing is written of what was asked"
        assert "works once" in err
    with socket.socket() as probe:
        assert probe.connect_ex(("127.0.0.1", port)) != 0
