"""The panel for tests: served over kept answers, or over a model, and watched in a browser."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.ui.server.standing import Standing
from zhuyi.ui.server.posting import Get, Post
from zhuyi.ui.server.site import page_files, plain_site
from zhuyi.ui.server.turns import Turn
from zhuyi.ui.steering.routes import bundle

if TYPE_CHECKING:
    from starlette.applications import Starlette

WIRE = Path(__file__).parent / "wire"
EVIL = "</script><img src=x onerror=window.stolen=1>"


def kept(name: str) -> dict[str, Any]:
    """What the server answered once, of tests/ui/steering/wire."""
    found: dict[str, Any] = json.loads((WIRE / f"{name}.json").read_text(encoding="utf-8"))
    return found


def kept_site(answers: Mapping[str, Any]) -> "Starlette":
    """A server that knows nothing but these answers; the ids of rules are those of the request."""

    def tried(body: Mapping[str, Any], _: Turn) -> Mapping[str, Any]:
        answer = answers["try"] if body["rules"] else answers["try_empty"]
        return {**answer, "turn": body["turn"]}

    def told(name: str) -> Any:
        return lambda body, _: {**answers[name], "turn": body.get("turn")}

    work = {"try": tried} | {name: told(name) for name in ("control", "verdict", "rules")}
    title = str(answers["desk"]["title"])
    return plain_site(
        page_files(title=title, name="steering.js", script=bundle()),
        gets=[Get(path="/desk", work=lambda: answers["desk"])],
        posts=[
            Post(path=f"/{name}", kind=name, read=dict, work=answer)
            for name, answer in work.items()
        ],
    )


@dataclass
class Panel:
    """A browser's tab with the panel, all that it asked for and all that was complained about."""

    page: Any
    server: Standing
    requests: list[Any] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)

    def silent(self) -> None:
        """No complaint, nobody else was asked, and no text became a script."""
        assert (self.complaints, self.server.told) == ([], [])
        own = self.server.served.address
        urls = [request.url for request in self.requests]
        assert [url for url in urls if not url.startswith((own, "data:", "blob:"))] == []
        assert self.page.evaluate("window.stolen") is None

    def text(self, selector: str) -> str:
        """What stands in an element."""
        return str(self.page.text_content(selector))

    def rules(self) -> list[dict[str, Any]]:
        """The rules of the last question that was asked."""
        asked = [one for one in self.requests if one.url.endswith("/try")]
        found: list[dict[str, Any]] = asked[-1].post_data_json["rules"]
        return found

    def soon(self, found: Callable[[], object], wanted: object) -> None:
        """Wait until something is as it should be."""
        for _ in range(100):
            if found() == wanted:
                return
            self.page.wait_for_timeout(50)
        assert found() == wanted

    def rest(self) -> None:
        """Wait until what is shown is of the rules as they stand."""
        self.page.wait_for_selector("#decision[aria-busy=false]")

    def move(self, step: int, slider: str = "#popover input[type=range]") -> None:
        """Put a slider somewhere, as a hand that is already there."""
        self.page.fill(slider, str(step))


def opened(browser: Any, server: Standing, **options: Any) -> Panel:
    """The panel in a browser that reaches this machine only."""
    context = browser.new_context(**options)
    here = ("http://127.0.0.1:", "http://localhost:", "data:", "blob:")
    context.route(lambda url: not url.startswith(here), lambda route: route.abort())
    panel = Panel(context.new_page(), server)
    page = panel.page
    page.on("request", lambda request: panel.requests.append(request))
    page.on("pageerror", lambda error: panel.complaints.append(str(error)))
    page.on(
        "console",
        lambda line: (
            panel.complaints.append(line.text) if line.type in ("error", "warning") else None
        ),
    )
    page.goto(server.served.new_link())
    page.wait_for_selector("#zhuyi[data-ready=yes]")
    return panel
