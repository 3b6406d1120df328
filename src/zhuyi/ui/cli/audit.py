"""`zhuyi audit`: may this model's explanations be believed, on these inputs?"""

import json
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NoReturn, TypeVar, cast

import typer

from zhuyi.errors import InputError, OptionError
from zhuyi.ui.cli.loading import is_estimator, load_subject
from zhuyi.ui.cli.progress import progress_line
from zhuyi.ui.cli.steps import Logdir, Step, check_step, say_where

if TYPE_CHECKING:
    from zhuyi.audit import AuditReport, Progress
    from zhuyi.ui.auditing import Choice
    from zhuyi.ui.data import OnBad
    from zhuyi.ui.report.audit.junit import FailOn

# As in `zhuyi.ui.auditing`, which is too heavy to import for --help.
_METHODS = (
    "Received", "Rollout", "GradientAttention", "ValueNorm", "InputGradient",
    "IntegratedGradients", "Occlusion",
)  # fmt: skip
_OWN = "Contributions"  # how an estimator of ours explains itself
_TASKS = ("text-classification", "next-token", "similarity", "embedding")
Bound = TypeVar("Bound", int | None, float | None)

Label = Annotated[str | None, typer.Option("--label-column", "--target", help="Right decision.")]
Groups = Annotated[
    list[str] | None, typer.Option("--group-column", "--group", help="Groups; may be repeated.")
]
Failing = Annotated[
    str | None, typer.Option(help="Exit code 1 if refuted, or (doubtful) if doubtful too.")
]
Compared = Annotated[tuple[Path, Path] | None, typer.Option(help="Compare two report.json files.")]


def audit(
    model: Annotated[
        str | None,
        typer.Argument(help="A folder that zhuyi fit wrote, another local folder, or a hub name."),
    ] = None,
    data: Annotated[Path | None, typer.Option(help="A .csv, .jsonl or .parquet file.")] = None,
    text: Annotated[str | None, typer.Option("--text-column", help="The text.")] = None,
    pair: Annotated[str | None, typer.Option("--pair-column", help="A second text.")] = None,
    label: Label = None,
    group: Groups = None,
    output: Annotated[Path | None, typer.Option("-o", "--output", help="Folder to write.")] = None,
    task: Annotated[str | None, typer.Option(help=f"One of {', '.join(_TASKS)}.")] = None,
    limit: Annotated[int | None, typer.Option(help="Take the first N usable rows.")] = None,
    seed: Annotated[int, typer.Option(help="Of everything random.")] = 0,
    max_calls: Annotated[int | None, typer.Option(help="Most inputs to run.")] = None,
    max_seconds: Annotated[float | None, typer.Option(help="Most seconds to spend.")] = None,
    methods: Annotated[str | None, typer.Option(help=f"Of {','.join(_METHODS)}.")] = None,
    on_bad: Annotated[str, typer.Option(help="Unusable rows: skip or refuse.")] = "skip",
    fail_on: Failing = None,
    fresh: Annotated[bool, typer.Option("--fresh", help="Forget what was finished.")] = False,
    compare: Compared = None,
    logdir: Logdir = None,
    step: Step = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", help="No progress on stderr.")] = False,
) -> None:
    """Audit a model on your data: what its decisions rest on, and whether to believe it.

    A model that zhuyi fit made is audited on the rows of a table, a language model on texts.

    With -o: report.json, report.html, card.md and junit.xml. A run that is stopped goes on where
    it was, by the same command. With --compare OLD NEW two reports are compared instead. With
    --logdir: each method's numbers, and the heads, values and verdicts of the first 8 inputs.
    """
    if compare is not None:
        _compare(compare, (model, data, text, output, logdir), as_json)
        return
    fitted = model is not None and is_estimator(model)
    if model is None or data is None or (text is None and not fitted):
        raise OptionError("give a MODEL, --data FILE and --text-column, or --compare OLD NEW")
    bad = _check(task, on_bad, fail_on, fresh and output is None)
    check_step(step, logdir)
    if fitted and (task is not None or pair is not None):
        raise OptionError("--task and --pair-column are for language models: zhuyi fit made this")
    from zhuyi.ui.audit_log import Log
    from zhuyi.ui.auditing import Choice

    choice = Choice(
        methods=None if methods is None else _method_names(methods, fitted=fitted),
        seed=seed,
        max_calls=_above_0("--max-calls", max_calls),
        max_seconds=_above_0("--max-seconds", max_seconds),
        folder=output,
        fresh=fresh,
        log=None if logdir is None else Log(folder=logdir, step=step),
    )
    roles = _Roles(text=text, pair=pair, label=label, groups=tuple(group or ()), limit=limit)
    run = _of_estimator if fitted else _of_texts
    try:
        report = run(model, task, data, roles, bad, choice, _progress(quiet))
    except KeyboardInterrupt:
        _stopped(output)
    say_where(logdir)
    _deliver(report, output, as_json=as_json, fail_on=cast("FailOn | None", fail_on))


@dataclass(frozen=True, kw_only=True)
class _Roles:
    """What the columns of the data are, and how many rows to take."""

    text: str | None
    pair: str | None
    label: str | None
    groups: tuple[str, ...]
    limit: int | None


def _of_texts(
    model: str,
    task: str | None,
    data: Path,
    roles: _Roles,
    bad: "OnBad",
    choice: "Choice",
    progress: "Callable[[Progress], None]",
) -> "AuditReport":
    from zhuyi.ui.auditing import audit_table
    from zhuyi.ui.data import read_table

    assert roles.text is not None
    table = read_table(
        data, text=roles.text, pair=roles.pair, label=roles.label, groups=roles.groups,
        on_bad=bad, limit=roles.limit,
    )  # fmt: skip
    _make(choice.folder)
    subject = load_subject(model, task, pair=roles.pair is not None)
    title = Path(model).resolve().name if Path(model).is_dir() else model
    return audit_table(subject, table, choice, title=title, progress=progress)


def _of_estimator(
    model: str,
    _: str | None,
    data: Path,
    roles: _Roles,
    bad: "OnBad",
    choice: "Choice",
    progress: "Callable[[Progress], None]",
) -> "AuditReport":
    try:
        from zhuyi.ui.estimators.auditing import audit_estimator
    except ModuleNotFoundError as error:
        raise InputError(
            f"auditing what zhuyi fit made needs {error.name}: pip install 'zhuyi[learn]'"
        ) from None
    _make(choice.folder)
    return audit_estimator(
        Path(model), data, choice, target=roles.label, groups=roles.groups, text=roles.text,
        limit=roles.limit, on_bad=bad, progress=progress,
    )  # fmt: skip


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


def _method_names(written: str, *, fitted: bool) -> tuple[str, ...]:
    names = (*_METHODS, *((_OWN,) if fitted else ()))
    known = {name.lower(): name for name in names}
    found = []
    for name in written.split(","):
        wanted = name.strip().replace("-", "").replace("_", "").lower()
        if wanted not in known:
            raise OptionError(f"--methods must be of {', '.join(names)}, got {name.strip()!r}")
        found.append(known[wanted])
    return tuple(dict.fromkeys(found))


def _progress(quiet: bool) -> "Callable[[Progress], None]":
    say = progress_line(quiet)

    def show(progress: "Progress") -> None:
        share = f"{progress.done} of {progress.total}"
        line = f"{progress.stage.en}: {share}{_left(progress.seconds_left)}"
        say("" if progress.done >= progress.total else line)

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
