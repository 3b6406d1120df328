"""The tab in a real browser, with both loaders; nothing but TensorBoard's own address is asked."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

pytest.importorskip("tensorboard")

from tests.ui.tensorboard.boards import tensorboards, tracks_when, write
from tests.ui.tensorboard.conftest import EVIL_RUN, LOADERS, Shown


@dataclass
class Tab:
    """The open tab: its page, the frame of the view, and all it asked for or complained about."""

    page: Any
    frame: Any
    requests: list[str] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)

    def hear(self, kind: str, text: str, url: str) -> None:
        """A line in the console; TensorBoard's own pages say things that are not ours."""
        if kind in ("error", "warning") and "/plugin" in url:
            self.complaints.append(text)

    def hear_status(self, status: int, url: str) -> None:
        """An answer; one of ours that failed is a complaint."""
        if status >= 400 and "/plugin" in url:
            self.complaints.append(f"{status} {url}")

    def find(self, what: str, **options: Any) -> Any:
        """Something within the view."""
        return self.frame.locator("#zhuyi").locator(what, **options)


@pytest.fixture
def tab(browser: Any, shown: Shown) -> Iterator[Callable[..., Tab]]:
    """Open the tab of a loader: `tab("fast", color_scheme="dark")`."""
    contexts = []

    def open_tab(loader: str, **options: Any) -> Tab:
        url = shown.urls[loader]
        tracks_when(url, lambda found: set(found) == set(shown.written))
        context = browser.new_context(**options)
        contexts.append(context)
        page = context.new_page()
        opened = Tab(page, page.frame_locator("iframe"))
        page.on("request", lambda request: opened.requests.append(request.url))
        page.on("pageerror", lambda error: opened.complaints.append(str(error)))
        page.on("console", lambda line: opened.hear(line.type, line.text, line.location["url"]))
        page.on("response", lambda answer: opened.hear_status(answer.status, answer.url))
        page.goto(f"{url}#zhuyi")
        opened.frame.locator("#zhuyi[data-ready=yes]").wait_for(state="attached", timeout=60_000)
        return opened

    yield open_tab
    for context in contexts:
        context.close()


def silent(tab: Tab, url: str) -> None:
    """Nothing was complained about, and no request has left for anywhere else."""
    assert tab.complaints == []
    own = urlsplit(url).netloc
    asked = [urlsplit(one) for one in tab.requests]
    assert not [one for one in asked if one.scheme not in ("data", "blob") and one.netloc != own]
    assert len(asked) > 5, "the requests were not seen"


def at_rest(tab: Tab, step: str) -> None:
    """Wait until a step is drawn."""
    tab.find("#step-now b", has_text=re.compile(rf"(^|\s){step}$")).wait_for()
    tab.find(".course-rows[aria-busy=false]").first.wait_for()


@pytest.mark.parametrize(("loader", "scheme"), [("fast", "light"), ("slow", "dark")])
def test_every_view_in_silence(
    tab: Callable[..., Tab], shown: Shown, loader: str, scheme: str
) -> None:
    opened = tab(loader, color_scheme=scheme)
    opened.find("#run").select_option(label="many/attention")
    at_rest(opened, "5,950")
    opened.find("#decision", has_text="1.7 %").wait_for()  # 1 / (1 + 59.5), as written
    # The slider: to the first kept look, which no loader has dropped, since its heads are in full.
    opened.find("#step").fill("0")
    at_rest(opened, "0")
    opened.find("#decision", has_text="100").wait_for()
    heads = opened.find("#grid .head")
    assert heads.count() == 6
    heads.nth(4).click()
    assert heads.nth(4).get_attribute("aria-pressed") == "true"
    for mode in ("scores", "results", "weights"):
        opened.find(f"#modes [data-mode={mode}]").click()
        opened.find(f"#modes [data-mode={mode}][aria-pressed=true]").wait_for()
        assert opened.find("#matrix-readout").inner_text()
    opened.find("#step").fill("1")
    opened.find("#first").click()
    opened.find("#differences").wait_for()
    opened.find("#links td").first.click()
    last = int(opened.find("#step").get_attribute("max"))
    opened.find("#step").fill(str(last - 3))
    for button in ("#theme", "#language", "#play"):
        opened.find(button).click()
    opened.find("#decision", has_text="1.7 %").wait_for()  # playing ends at the newest look
    opened.find("#steps-title", has_text=re.compile("[一-鿿]")).wait_for()
    silent(opened, shown.urls[loader])


@pytest.mark.long
def test_an_open_tab_follows_the_training(browser: Any, tmp_path: Path) -> None:
    write(tmp_path / "before", [0, 50])
    with tensorboards(tmp_path, ["--load_fast=true"]) as (url,):
        tracks_when(url, lambda found: "before/attention" in found)
        page = browser.new_page()
        page.goto(f"{url}#zhuyi")
        now = page.frame_locator("iframe").locator("#zhuyi").locator("#step-now b")
        now.filter(has_text="50").wait_for()
        write(tmp_path / "before", [100, 150])
        now.filter(has_text="150").wait_for(timeout=30_000)
        page.close()


@pytest.mark.parametrize("loader", LOADERS)
def test_sampling_is_said(tab: Callable[..., Tab], shown: Shown, loader: str) -> None:
    opened = tab(loader)
    opened.find("#run").select_option(label="many/attention")
    kept = len(tracks_when(shown.urls[loader], bool)["many/attention"]["steps"])
    opened.find("#sampled").wait_for()
    assert f"{kept} of 120" in opened.find("#sampled").inner_text()


def test_hostile_text_is_inert(tab: Callable[..., Tab], shown: Shown) -> None:
    opened = tab("fast")
    opened.find("#run").select_option(label=f"{EVIL_RUN}/attention")
    at_rest(opened, "1")
    opened.find("#step").fill("0")
    at_rest(opened, "0")
    page_and_frame = [opened.page.main_frame, *opened.page.frames]
    assert all(one.evaluate("window.stolen") is None for one in page_and_frame)
    assert opened.find("img[src=x]").count() == 0
    silent(opened, shown.urls["fast"])
