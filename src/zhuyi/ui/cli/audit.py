"""`zhuyi audit`: may this model's explanations be believed, on these inputs?"""

import json
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NoReturn, TypeVar, cast

import typer

from zhuyi.errors import OptionError
from zhuyi.ui.cli.loading import load_subject

if TYPE_CHECKING:
    from zhuyi.audit import AuditReport, Progress
    from zhuyi.ui.data import OnBad
    from zhuyi.ui.report.audit.junit import FailOn

# As in `zhuyi.ui.auditing`, which is too heavy to import for --help.
_METHODS = (
    "Received", "Rollout", "GradientAttention", "ValueNorm", "InputGradient",
    "IntegratedGradients", "Occlusion",
)  # fmt: skip
_TASKS = ("text-classification", "next-token", "similarity", "embedding")
Bound = TypeVar("Bound", int | None, float | None)

_LINE_EVERY = 10.0  # seconds between plain lines where stderr is no terminal


def audit(
    model: Annotated[str | None, typer.Argument(help="A local folder or a hub name.")] = None,
    data: Annotated[Path | None, typer.Option(help="A .csv, .jsonl or .parquet file.")] = None,
    text: Annotated[str | None, typer.Option("--text-column", help="The text.")] = None,
    pair: Annotated[str | None, typer.Option("--pair-column", help="A second text.")] = None,
    label: Annotated[str | None, typer.Option("--label-column", help="Right decision.")] = None,
    group: Annotated[
        list[str] | None, typer.Option("--group-column", help="Groups; may be repeated.")
    ] = None,
    output: Annotated[Path | None, typer.Option("-o", "--output", help="Folder to write.")] = None,
    task: Annotated[str | None, typer.Option(help=f"One of {', '.join(_TASKS)}.")] = None,
    limit: Annotated[int | None, typer.Option(help="Take the first N usable rows.")] = None,
    seed: Annotated[int, typer.Option(help="Of everything random.")] = 0,
    max_calls: Annotated[int | None, typer.Option(help="Most inputs to run.")] = None,
    max_seconds: Annotated[float | None, typer.Option(help="Most seconds to spend.")] = None,
    methods: Annotated[str | None, typer.Option(help=f"Of {','.join(_METHODS)}.")] = None,
    on_bad: Annotated[str, typer.Option(help="Unusable rows: skip or refuse.")] = "skip",
    fail_on: Annotated[
        str | None, typer.Option(help="Exit code 1 if refuted, or (doubtful) if doubtful too.")
    ] = None,
    fresh: Annotated[bool, typer.Option("--fresh", help="Forget what was finished.")] = False,
    compare: Annotated[
        tuple[Path, Path] | None, typer.Option(help="Compare two report.json files.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", help="No progress on stderr.")] = False,
) -> None:
    """Audit a model on a table of texts: what its decisions rest on, and whether to believe it.

    With -o: report.json, report.html, card.md and junit.xml. A run that is stopped goes on where
    it was, by the same command. With --compare OLD NEW two reports are compared instead.
    """
    if compare is not None:
        _compare(compare, (model, data, text, output), as_json)
        return
    if model is None or data is None or text is None:
        raise OptionError("give a MODEL, --data FILE and --text-column, or --compare OLD NEW")
    bad = _check(task, on_bad, fail_on, fresh and output is None)
    from zhuyi.ui.auditing import Choice, audit_table
    from zhuyi.ui.data import read_table

    choice = Choice(
        methods=None if methods is None else _method_names(methods),
        seed=seed,
        max_calls=_above_0("--max-calls", max_calls),
        max_seconds=_above_0("--max-seconds", max_seconds),
        folder=output,
        fresh=fresh,
    )
    table = read_table(
        data, text=text, pair=pair, label=label, groups=group or (), on_bad=bad, limit=limit
    )
    _make(output)
    subject = load_subject(model, task, pair=pair is not None)
    title = Path(model).resolve().name if Path(model).is_dir() else model
    try:
        report = audit_table(subject, table, choice, title=title, progress=_progress(quiet))
    except KeyboardInterrupt:
        _stopped(output)
    _deliver(report, output, as_json=as_json, fail_on=cast("FailOn | None", fail_on))


def _check(task: str | None, on_bad: str, fail_on: str | None, nothing_to_forget: bool) -> "OnBad":
    for flag, value, known in (("--task", task, _TASKS), ("--on-bad", on_bad, ("skip", "refuse")),
                               ("--fail-on", fail_on, ("refuted", "doubtful"))):  # fmt: skip
        if value is not None and value not in known:
            raise OptionError(f"{flag} must be one of {', '.join(known)}, got {value!r}")
    if nothing_to_forget:
        raise OptionError("--fresh forgets what the folder holds: give -o FOLDER too")
    return cast("OnBad", on_bad)


def _above_0(flag: str, bound: Bound) -> Bound:
    if bound is not None and bound <= 0:
        raise OptionError(f"{flag} must be above 0, got {bound}")
    return bound


def _make(output: Path | None) -> None:
    """The folder, before the model runs and not after."""
    if output is not None:
        from zhuyi.ui.report.audit.folder import make_folder

        make_folder(output)


def _method_names(written: str) -> tuple[str, ...]:
    known = {name.lower(): name for name in _METHODS}
    found = []
    for name in written.split(","):
        wanted = name.strip().replace("-", "").replace("_", "").lower()
        if wanted not in known:
            raise OptionError(f"--methods must be of {', '.join(_METHODS)}, got {name.strip()!r}")
        found.append(known[wanted])
    return tuple(dict.fromkeys(found))


def _progress(quiet: bool) -> "Callable[[Progress], None]":
    """One line that is written over; where stderr is no terminal, a plain line now and then."""
    if quiet:
        return lambda _: None
    terminal = sys.stderr.isatty()
    said = [time.monotonic()]

    def show(progress: "Progress") -> None:
        finished = progress.done >= progress.total
        share = f"{progress.done} of {progress.total}"
        line = f"{progress.stage.en}: {share}{_left(progress.seconds_left)}"
        if terminal:
            sys.stderr.write(f"\r\033[2K{'' if finished else line}")
            sys.stderr.flush()
        elif time.monotonic() - said[0] >= _LINE_EVERY and not finished:
            said[0] = time.monotonic()
            print(line, file=sys.stderr, flush=True)

    return show


def _left(seconds: float | None) -> str:
    if seconds is None:
        return ""
    if seconds < 90:
        return f", about {max(round(seconds), 1)} s left"
    return f", about {round(seconds / 60)} min left"


def _stopped(output: Path | None) -> NoReturn:
    kept = "nothing was kept: with -o FOLDER a stopped audit can go on"
    if output is not None:
        kept = f"what was finished is kept in {output}: the same command goes on from there"
    print(f"\nzhuyi: stopped; {kept}", file=sys.stderr)
    sys.exit(130)


def _deliver(
    report: "AuditReport", output: Path | None, *, as_json: bool, fail_on: "FailOn | None"
) -> None:
    """Files, what is printed, and the exit code."""
    from zhuyi.audit.journal import NAME
    from zhuyi.ui.report.audit.folder import save_audit
    from zhuyi.ui.report.audit.junit import fails

    if output is not None:
        save_audit(report, output, fail_on=fail_on)
        if not report.budget.exhausted:  # a larger budget goes on from there
            (output / NAME).unlink(missing_ok=True)
    if as_json:
        from zhuyi.audit.serial import to_text

        sys.stdout.write(to_text(report, ascii_only=True))
    else:
        from rich.console import Console

        from zhuyi.ui.terminal_audit import show_audit

        show_audit(report, Console(highlight=False), folder=output)
    if fails(report, fail_on):
        print(f"zhuyi: the verdict is {report.verdict} (--fail-on {fail_on})", file=sys.stderr)
        sys.exit(1)


def _compare(paths: tuple[Path, Path], others: Sequence[object], as_json: bool) -> None:
    if any(one is not None for one in others):
        raise OptionError("--compare takes two reports and nothing else to read or write")
    from zhuyi.audit.serial import to_values
    from zhuyi.ui.comparing import compare
    from zhuyi.ui.report.audit.folder import load_report

    old, new = map(load_report, paths)
    found = compare(old, new)
    if as_json:
        print(json.dumps(to_values(found, "comparison"), ensure_ascii=True, allow_nan=False))
    else:
        from rich.console import Console

        from zhuyi.ui.terminal_audit import show_comparison

        show_comparison(found, Console(highlight=False))
    if found.worse:
        sys.exit(1)
