"""`zhuyi serve`: runs that were logged, in the browser of this machine."""

import json
import sys
from pathlib import Path
from typing import Annotated

import typer

from zhuyi.errors import InputError, OptionError
from zhuyi.ui.cli.progress import progress_line

SCHEMA = "zhuyi.serve/1"


def serve(
    logdir: Annotated[
        Path | None, typer.Option(help="A run's folder, or one with runs anywhere below.")
    ] = None,
    port: Annotated[int, typer.Option(help="Port of 127.0.0.1; 0 takes any free one.")] = 0,
    no_browser: Annotated[
        bool, typer.Option("--no-browser", help="Only print the link, which works once.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the link as JSON.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", help="Only the link, nothing else.")] = False,
) -> None:
    """Show logged attention in the browser, while a training still runs too; Ctrl-C stops it.

    Runs come from AttentionLogger("runs/a", ...), from zhuyi look and audit with --logdir, or are
    TensorBoard's event files. Nothing but this machine can reach the page, and only a browser
    that was given the printed link: it works once, and gets a cookie.
    """
    if logdir is None:
        raise OptionError("give --logdir FOLDER: where AttentionLogger or --logdir wrote its runs")
    say = _nothing if quiet else _on_stderr
    try:
        from zhuyi.ui.server.logdir import RunsArchive
        from zhuyi.ui.server.running import open_browser, prepare
        from zhuyi.ui.server.site import make_site

        archive = RunsArchive(logdir, tell=say)
        site = make_site(archive, title=f"zhuyi · {archive.title}")
        served = prepare(site, port=port, tell=say)
    except ModuleNotFoundError as error:
        if error.name is None or error.name.partition(".")[0] == "zhuyi":
            raise  # a fault of ours, not a library that is missing
        raise InputError(f"zhuyi serve needs {error.name}: pip install 'zhuyi[serve]'") from None
    reading = progress_line(quiet)
    reading(f"reading the runs in {logdir}")
    count = _tracks(archive.index())
    reading("")
    if count == 0:
        say(
            f"there is no run in {logdir} yet. Train with AttentionLogger({str(logdir / 'a')!r}, "
            f"...), or run zhuyi look MODEL --text ... --logdir {logdir}: the page shows it then"
        )
    link = served.new_link()
    if as_json:
        told = {"schema": SCHEMA, "url": link, "port": served.port, "tracks": count}
        print(json.dumps(told), flush=True)
    else:
        print(link, flush=True)
        say("the link works once, in one browser of this machine; Ctrl-C stops the server")
    if not no_browser and not open_browser(served.new_link()):
        say("no browser was found to open it: open the link yourself")
    served.run()


def _tracks(index: dict[str, object]) -> int:
    tracks = index["tracks"]
    assert isinstance(tracks, list)
    return len(tracks)


def _on_stderr(line: str) -> None:
    print(f"zhuyi: {line}", file=sys.stderr, flush=True)


def _nothing(_: str) -> None:
    pass
