"""`zhuyi serve`: a page to try rules on a model, or to see logged runs, on this machine only."""

import json
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import typer

from zhuyi.errors import InputError, OptionError
from zhuyi.ui.cli.progress import progress_line
from zhuyi.ui.server.site import Site

SCHEMA = "zhuyi.serve/1"

Say = Callable[[str], None]

#: Which extra beside `serve` brings a library; what is not here comes with `learn`.
_EXTRAS = {
    **dict.fromkeys(("starlette", "uvicorn", "pydantic", "yaml"), ""),
    "transformers": ",transformers",
    "tensorboard": ",tensorboard",
}


@dataclass(frozen=True, kw_only=True)
class _Ready:
    """What is to be served.

    Args:
        site: the page.
        told: what --json says of it.
        note: for the terminal, or "".
    """

    site: Site
    told: dict[str, Any]
    note: str = ""


def serve(
    model: Annotated[
        str | None,
        typer.Argument(
            help="A model's folder or a saved estimator's; without it the clinic-note model."
        ),
    ] = None,
    rules: Annotated[Path | None, typer.Option(help="A YAML file of rules to begin with.")] = None,
    examples: Annotated[
        Path | None, typer.Option(help="Your own texts, rows or series (.csv, .jsonl, ...).")
    ] = None,
    logdir: Annotated[
        Path | None, typer.Option(help="Logged runs: a run's folder, or one with runs below.")
    ] = None,
    feed: Annotated[
        Path | None,
        typer.Option(help="A personal feed: its folder; a new folder is made of MovieLens 100k."),
    ] = None,
    port: Annotated[int, typer.Option(help="Port of 127.0.0.1; 0 takes any free one.")] = 0,
    no_browser: Annotated[
        bool, typer.Option("--no-browser", help="Only print the link, which works once.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the link as JSON.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", help="Only the link, nothing else.")] = False,
) -> None:
    """Try rules on a model in the browser, see logged attention, or a personal feed.

    Type a text or choose a record, click a word to emphasize, damp or veto it: the new decision
    stands beside the old one. Ctrl-C stops it. Nothing but this machine can reach the page, and
    only a browser that was given the printed link: it works once, and gets a cookie. What is typed
    is not written down anywhere.

    Example: zhuyi serve
    """
    _check(model, rules, examples, logdir, feed)
    say: Say = _nothing if quiet else _on_stderr
    progress = progress_line(quiet)
    try:
        from zhuyi.ui.server.running import prepare

        if logdir is not None:
            ready = _runs(logdir, say, progress)
        elif feed is not None:
            ready = _feed(feed, say)
        else:
            ready = _steering(model, rules, examples, say, progress)
        served = prepare(ready.site, port=port, tell=say)
    except ModuleNotFoundError as error:
        if error.name is None or error.name.partition(".")[0] == "zhuyi":
            raise  # a fault of ours, not a library that is missing
        extra = _EXTRAS.get(error.name.partition(".")[0], ",learn")
        raise InputError(
            f"zhuyi serve needs {error.name}: pip install 'zhuyi[serve{extra}]'"
        ) from None
    progress("")
    if ready.note:
        say(ready.note)
    link = served.new_link()
    if as_json:
        told = {"schema": SCHEMA, "url": link, "port": served.port, **ready.told}
        print(json.dumps(told), flush=True)
    else:
        print(link, flush=True)
        say("the link works once, in one browser of this machine; Ctrl-C stops the server")
    _open(served.new_link, no_browser, say)
    served.run()


def _check(
    model: str | None,
    rules: Path | None,
    examples: Path | None,
    logdir: Path | None,
    feed: Path | None,
) -> None:
    """Refuse what does not go together, before anything is loaded."""
    about_model = {"MODEL": model, "--rules": rules, "--examples": examples}
    given = [name for name, value in about_model.items() if value is not None]
    for name, value in (("--logdir", logdir), ("--feed", feed)):
        if value is not None and given:
            raise OptionError(f"{name} shows something else than a model: leave {given[0]} out")
    if logdir is not None and feed is not None:
        raise OptionError("--logdir and --feed are two pages: serve them one by one")


def _runs(logdir: Path, say: Say, progress: Say) -> _Ready:
    from zhuyi.ui.server.logdir import RunsArchive
    from zhuyi.ui.server.site import make_site

    archive = RunsArchive(logdir, tell=say)
    site = make_site(archive, title=f"zhuyi · {archive.title}")
    progress(f"reading the runs in {logdir}")
    tracks = archive.index()["tracks"]
    assert isinstance(tracks, list)
    note = (
        f"there is no run in {logdir} yet. Train with AttentionLogger({str(logdir / 'a')!r}, "
        f"...), or run zhuyi look MODEL --text ... --logdir {logdir}: the page shows it then"
    )
    return _Ready(site=site, told={"tracks": len(tracks)}, note="" if tracks else note)


def _steering(
    model: str | None, rules: Path | None, examples: Path | None, say: Say, progress: Say
) -> _Ready:
    progress("reading the model")
    from zhuyi.steer.rules import Rules
    from zhuyi.ui.steering.opening import open_desk
    from zhuyi.ui.steering.routes import make_steering_site
    from zhuyi.ui.steering.trying import try_first

    chosen = Rules() if rules is None else Rules.from_yaml(rules)
    desk = open_desk(model, examples)
    site = make_steering_site(desk, rules=chosen, tell=say)
    try_first(desk)
    told = {"model": desk.model, "kind": desk.kind, "examples": len(desk.examples)}
    return _Ready(site=site, told=told)


def _feed(folder: Path, say: Say) -> _Ready:
    from zhuyi.ui.feed.opening import open_feed

    desk = open_feed(folder, tell=say)
    return _Ready(site=desk.site(), told={"feed": desk.title})


def _open(new_link: Callable[[], str], no_browser: bool, say: Say) -> None:
    from zhuyi.ui.server.running import open_browser

    if not no_browser and not open_browser(new_link()):
        say("no browser was found to open it: open the link yourself")


def _on_stderr(line: str) -> None:
    print(f"zhuyi: {line}", file=sys.stderr, flush=True)


def _nothing(_: str) -> None:
    pass
