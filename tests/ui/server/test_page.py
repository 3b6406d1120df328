"""The page in a real browser that may reach this machine only: entering, views, growth, others."""

import http.server
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from tests.ui.server.runs import TEXT, logdir_at, write_run
from tests.ui.server.standing import Standing, standing
from zhuyi.ui.live.folder import FolderSink
from zhuyi.ui.server.logdir import RunsArchive
from zhuyi.ui.server.site import make_site


@dataclass
class Tab:
    """A browser's tab, with all that it asked for and complained about."""

    page: Any
    requests: list[str] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)

    def silent(self, server: Standing) -> None:
        assert self.complaints == []
        own = f"{server.served.address}"
        others = [url for url in self.requests if not url.startswith((own, "data:", "blob:"))]
        assert others == [], "the page asked somebody else"
        assert self.page.evaluate("window.stolen") is None


@pytest.fixture
def tab(browser: Any) -> Iterator[Callable[..., Tab]]:
    """Open an address; whatever is not on this machine is refused by the browser."""
    contexts = []

    def open_tab(address: str, **options: Any) -> Tab:
        context = browser.new_context(**options)
        contexts.append(context)
        here = ("http://127.0.0.1:", "http://localhost:", "data:", "blob:")
        context.route(lambda url: not url.startswith(here), lambda route: route.abort())
        opened = Tab(context.new_page())
        opened.page.on("request", lambda request: opened.requests.append(request.url))
        opened.page.on("pageerror", lambda error: opened.complaints.append(str(error)))
        opened.page.on(
            "console",
            lambda line: (
                opened.complaints.append(line.text) if line.type in ("error", "warning") else None
            ),
        )
        opened.page.goto(address)
        return opened

    yield open_tab
    for context in contexts:
        context.close()


def drawn(tab: Tab, server: Standing) -> Any:
    """Wait for the view; returns the playwright page."""
    tab.page.wait_for_url(server.served.address)
    tab.page.wait_for_selector("#zhuyi[data-ready=yes]")
    return tab.page


def test_a_link_lets_in_once_and_leaves_no_trace(server: Standing, tab: Callable[..., Tab]) -> None:
    link = server.served.new_link()
    first = tab(link)
    page = drawn(first, server)
    assert "token" not in page.url
    assert page.evaluate("document.cookie") == "", "scripts can read the cookie"
    assert page.evaluate("history.length") <= 2
    page.go_back()
    assert "token" not in page.url, "the link is in the history"
    page.goto(server.served.address)
    drawn(first, server)
    first.silent(server)

    second = tab(link)
    assert "used already" in str(second.page.text_content("body"))
    third = tab(server.served.address)
    assert "Open the link" in str(third.page.text_content("body"))


def test_every_view_opens_in_silence(server: Standing, tab: Callable[..., Tab]) -> None:
    from playwright.sync_api import expect

    opened = tab(server.served.new_link())
    page = drawn(opened, server)
    page.wait_for_selector("#step-now b:text-is('step 100')")
    page.fill("#step", "0")  # the slider: to the first of three looks
    page.wait_for_selector("#step-now b:text-is('step 0')")
    page.wait_for_selector("#decision:has-text('50 %')")  # as it was written
    page.fill("#step", "2")
    page.wait_for_selector("#decision:has-text('76.7 %')")
    heads = page.locator("#grid .head")
    assert heads.count() == 4
    heads.nth(2).click()
    expect(heads.nth(2)).to_have_attribute("aria-pressed", "true")
    for mode in ("scores", "results", "weights"):
        page.click(f"#modes [data-mode={mode}]")
        page.wait_for_selector(f"#modes [data-mode={mode}][aria-pressed=true]")
        page.wait_for_function(
            "() => document.querySelector('#zhuyi').shadowRoot"
            ".getElementById('matrix-readout').textContent !== ''"
        )
    page.click("#first")
    page.wait_for_selector("#differences")
    page.locator("#links td").first.click()
    with page.expect_download() as saved:
        page.click("#save")
    assert "query" in saved.value.path().read_text(encoding="utf-8")
    page.select_option("#run", index=1)
    page.wait_for_function("document.querySelector('#zhuyi').dataset.ready === 'yes'")
    page.emulate_media(color_scheme="dark")
    for button in ("#language", "#theme"):
        page.click(button)
    page.wait_for_timeout(100)
    opened.silent(server)


def test_a_link_on_another_page_lets_in_too(server: Standing, tab: Callable[..., Tab]) -> None:
    """A click on the link in a terminal that is itself a page: not the cookie's own site."""
    opened = tab(f"data:text/html,<a href='{server.served.new_link()}'>open</a>")
    opened.page.click("a")
    drawn(opened, server)
    opened.silent(server)


# What another page can try; `base` is our server's address. True where something came back.
LOADS = """async (base) => {
  const load = (tag, address) => new Promise((done) => {
    const one = document.createElement(tag);
    one.onload = () => done(true);
    one.onerror = () => done(false);
    one.src = address;
    document.body.append(one);
  });
  return { script: await load('script', base + 'zhuyi.js'), image: await load('img', base) };
}"""
FETCHES = """async (base) => {
  const get = (options) => fetch(base + 'touch', { credentials: 'include', ...options })
    .then((one) => one.ok, () => false);
  const kind = { 'Content-Type': 'application/json' };
  return {
    read: await get({}),
    blind: await get({ mode: 'no-cors' }),
    json: await get({ method: 'POST', body: '{}', headers: kind }),
    form: await get({ method: 'POST', body: '{}', mode: 'no-cors' }),
  };
}"""


def test_other_pages_of_this_machine_get_nothing(tmp_path: Path, tab: Callable[..., Tab]) -> None:
    """Cookies go to every port of a host, so the other page's requests carry ours."""
    from starlette.requests import Request
    from starlette.responses import PlainTextResponse
    from starlette.routing import Route

    touched: list[tuple[str, bytes]] = []

    async def touch(request: Request) -> PlainTextResponse:
        touched.append((request.method, await request.body()))
        return PlainTextResponse("done")

    more = [Route("/touch", touch, methods=["GET", "POST"])]
    with standing(make_site(RunsArchive(tmp_path), title="zhuyi", more=more)) as up:
        opened = tab(up.served.new_link())
        page = drawn(opened, up)
        with neighbor() as address:
            page.goto(address)
            tried = page.evaluate(LOADS, up.served.address)
            tried |= page.evaluate(FETCHES, up.served.address)
            assert tried == dict.fromkeys(tried, False)
        assert touched == []
        page.goto(up.served.address)  # the page itself may do both
        found = page.evaluate(FETCHES, up.served.address)
        assert found == {"read": True, "blind": True, "json": True, "form": False}
        assert touched == [("GET", b""), ("GET", b""), ("POST", b"{}")]


def test_what_is_logged_later_appears(tmp_path: Path, tab: Callable[..., Tab]) -> None:
    """From an empty folder to a run, and on to its next step, without a reload."""
    with standing(make_site(RunsArchive(tmp_path), title="zhuyi")) as up:
        opened = tab("about:blank")
        opened.page.clock.install()
        opened.page.goto(up.served.new_link())
        page = drawn(opened, up)
        logdir_at(tmp_path, "first")
        with page.expect_request(lambda request: request.url.endswith("%2F100")):
            page.clock.fast_forward(6000)  # the latest of three steps
        page.wait_for_selector("#zhuyi main")
        write_run(FolderSink(tmp_path / "first"), (150,))
        with page.expect_request(lambda request: request.url.endswith("%2F150")):
            page.clock.fast_forward(6000)
        # A page that nobody sees does not look for news.
        page.wait_for_selector("#step-now b:text-is('step 150')")
        page.evaluate("Object.defineProperty(document, 'hidden', { value: true })")
        asked = len(opened.requests)
        for _ in range(4):
            page.clock.fast_forward(6000)
            page.wait_for_timeout(50)
        assert [url for url in opened.requests[asked:] if url.endswith("/index")] == []
        opened.silent(up)


def test_hostile_text_is_inert(tmp_path: Path, tab: Callable[..., Tab]) -> None:
    """Nor could the view make markup of it if it tried: the browser refuses."""
    from playwright.sync_api import Error

    write_run(FolderSink(tmp_path / "run"), label=TEXT)
    with standing(make_site(RunsArchive(tmp_path), title=TEXT)) as up:
        opened = tab(up.served.new_link())
        page = drawn(opened, up)
        assert page.title() == TEXT
        assert TEXT in str(page.text_content("#zhuyi .zhuyi"))
        opened.silent(up)
        with pytest.raises(Error, match="requires 'TrustedHTML'"):
            page.evaluate("() => { document.body.innerHTML = '<b>bold</b>'; }")


class _Nothing(http.server.BaseHTTPRequestHandler):
    """An empty page."""

    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.end_headers()
        self.wfile.write(b"<!doctype html><link rel=icon href=data:,><body></body>")

    def log_message(self, format: str, *arguments: object) -> None:
        pass


class neighbor:
    """Another program's server on another port of this machine."""

    def __enter__(self) -> str:
        self._server = http.server.HTTPServer(("127.0.0.1", 0), _Nothing)
        self._thread = threading.Thread(target=self._server.serve_forever)
        self._thread.start()
        return f"http://127.0.0.1:{self._server.server_port}/"

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()
