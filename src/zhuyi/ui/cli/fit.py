"""`zhuyi fit`: a glass box from a table or from texts, with its score on rows it has not seen."""

import json
import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NoReturn

import typer

from zhuyi.errors import InputError, OptionError
from zhuyi.ui.cli.progress import progress_line

if TYPE_CHECKING:
    from zhuyi.ui.estimators.fitting import Outcome
    from zhuyi.ui.estimators.preparing import Prepared

_TASKS = ("auto", "classify", "regress")

# The options, so that the command itself can be read in one look.
Data = Annotated[
    Path, typer.Argument(help="A .csv, .tsv, .jsonl or .parquet file, or - for stdin.")
]
Targets = Annotated[
    list[str] | None,
    typer.Option(help="Column to predict; several are labels that may hold together."),
]
Output = Annotated[Path | None, typer.Option("-o", "--output", help="Model folder.")]
Task = Annotated[str, typer.Option(help=f"One of {', '.join(_TASKS)}.")]
Words = Annotated[
    str | None, typer.Option(help="Learn from this column alone, as text in any language.")
]
Columns = Annotated[
    list[str] | None,
    typer.Option(
        help="NAME=KIND where cells say the wrong thing: numeric, categorical, boolean, date, or "
        "ordinal:LOW<HIGH. May be repeated."
    ),
]
Dropped = Annotated[list[str] | None, typer.Option(help="Column to leave out; may be repeated.")]
Missing = Annotated[
    list[str] | None,
    typer.Option(help="Text that stands for a missing cell, such as ?; may be repeated."),
]
Group = Annotated[
    str | None,
    typer.Option(help="Column (a patient, a machine) whose rows are held out together."),
]
Share = Annotated[float, typer.Option(help="Share of rows held out to score on; 0 for none.")]
Layers = Annotated[
    int, typer.Option(help="Layers that mix factors: sees interactions, needs an audit.")
]
Epochs = Annotated[int | None, typer.Option(help="Most passes over the rows.")]
Threshold = Annotated[
    str | None,
    typer.Option(
        help="Probability from which the second of two classes is said, or f1: the best on rows "
        "kept back from training. For rare classes."
    ),
]
Seed = Annotated[int, typer.Option(help="Of everything random.")]
Strict = Annotated[
    bool,
    typer.Option(
        "--strict",
        help="Exit code 1 for a problem of the data, before training, and for a model that is no "
        "better than saying nothing.",
    ),
]
Resume = Annotated[
    bool, typer.Option("--resume", help="Go on with the training that was stopped in -o.")
]
Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]
Quiet = Annotated[bool, typer.Option("--quiet", help="No progress on stderr.")]


def fit(
    data: Data,
    target: Targets = None,
    output: Output = None,
    task: Task = "auto",
    text: Words = None,
    column: Columns = None,
    drop: Dropped = None,
    missing: Missing = None,
    group: Group = None,
    test_share: Share = 0.2,
    mixing_layers: Layers = 0,
    epochs: Epochs = None,
    threshold: Threshold = None,
    seed: Seed = 0,
    strict: Strict = False,
    resume: Resume = False,
    as_json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Fit a glass box to your data: a model whose every decision is a sum over named factors.

    Problems of the data (columns that give the answer away, identifiers, text among numbers, one
    class only) are said before training. A fifth of the rows is held out, and the model is scored
    on them beside simple models. With -o the model is kept: zhuyi predict MODEL DATA uses it,
    zhuyi audit MODEL --data DATA tests its explanations.

    Example: zhuyi fit machines.csv --target failure --drop serial -o model/
    """
    if not target:
        raise OptionError("say what to predict: --target COLUMN")
    if resume:
        _check_resume(data, output)
    fitting = _load()
    from zhuyi.ui.estimators.preparing import Wish, prepare
    from zhuyi.ui.estimators.record import digest
    from zhuyi.ui.estimators.sheet import read_sheet

    wish = Wish(
        targets=tuple(target),
        task=task,
        text=text,
        columns=tuple(column or ()),
        drop=tuple(drop or ()),
        group=group,
        test_share=test_share,
        mixing_layers=mixing_layers,
        epochs=epochs,
        threshold=_threshold(threshold),
        seed=seed,
        folder=output,
    )
    say = progress_line(quiet)
    say(f"reading {data}")
    sha256 = digest(data)  # before training: the file may have changed after it
    sheet = read_sheet(data, wanted=target, missing=missing or ())
    prepared = prepare(sheet, wish)
    say("")
    _tell_problems(prepared, strict=strict, as_json=as_json)
    _ready(output, resume=resume)
    try:
        outcome = fitting.fit(prepared, wish, say)
    except KeyboardInterrupt:
        _stopped(output)
    say("")
    _deliver(outcome, data, sha256, tuple(missing or ()), as_json=as_json)
    if strict and outcome.better is False:
        print("zhuyi: no better than saying nothing (--strict)", file=sys.stderr)
        sys.exit(1)


def _check_resume(data: Path, output: Path | None) -> None:
    if output is None:
        raise OptionError("--resume goes on with what a folder holds: give -o FOLDER too")
    if str(data) == "-":
        raise OptionError("--resume needs the same data again: give a file, not -")


def _threshold(written: str | None) -> float | str | None:
    if written is None or written == "f1":
        return written
    try:
        return float(written)
    except ValueError:
        raise OptionError(f"--threshold must be f1 or within (0, 1), got {written!r}") from None


def _load() -> Any:
    """The fitting, whose libraries come with an extra."""
    try:
        from zhuyi.ui.estimators import fitting
    except ModuleNotFoundError as error:
        raise InputError(f"fitting needs {error.name}: pip install 'zhuyi[learn]'") from None
    return fitting


def _tell_problems(prepared: "Prepared", *, strict: bool, as_json: bool) -> None:
    """All problems on stderr; under --strict they end the command."""
    from rich.console import Console

    from zhuyi.ui.estimators.terminal import show_problems

    show_problems(prepared.problems, Console(stderr=True, highlight=False, soft_wrap=True))
    if strict and prepared.problems:
        if as_json:
            from zhuyi.ui.estimators.record import SCHEMA, problems_as_values

            found = {"schema": SCHEMA, "problems": problems_as_values(prepared.problems)}
            print(json.dumps(found, ensure_ascii=True))
        count = len(prepared.problems)
        told = "a problem" if count == 1 else f"{count} problems"
        print(f"zhuyi: {told} of the data (--strict), nothing was trained", file=sys.stderr)
        sys.exit(1)


def _ready(output: Path | None, *, resume: bool) -> None:
    """The model's folder, with the unfinished training in it that is asked for, or none."""
    if output is None:
        return
    from zhuyi.ui.estimators.fitting import UNFINISHED
    from zhuyi.ui.report.audit.folder import make_folder

    make_folder(output)
    unfinished = output / UNFINISHED
    if resume and not unfinished.is_dir():
        raise OptionError(f"{output} holds no training that was stopped: leave --resume out")
    if not resume:
        _forget(output)


def _forget(output: Path) -> None:
    from zhuyi.ui.estimators.fitting import UNFINISHED

    unfinished = output / UNFINISHED
    if unfinished.is_dir() and not unfinished.is_symlink():
        shutil.rmtree(unfinished)


def _stopped(output: Path | None) -> NoReturn:
    kept = "nothing was kept: with -o FOLDER a stopped training can go on"
    if output is not None:
        kept = "the same command with --resume goes on from the last epoch that was kept"
    print(f"\nzhuyi: stopped; {kept}", file=sys.stderr)
    sys.exit(130)


def _deliver(
    outcome: "Outcome", data: Path, sha256: str, missing: tuple[str, ...], *, as_json: bool
) -> None:
    """The model's folder, and what is printed."""
    from zhuyi.ui.estimators.record import as_values, write

    folder = outcome.wish.folder
    values = as_values(outcome, sha256, missing)
    if folder is not None:
        try:
            outcome.model.save(folder)
            write(values, folder)
        except OSError as error:
            raise InputError(f"cannot write the model {folder}: {error.strerror}") from None
        _forget(folder)
    if as_json:
        print(json.dumps(values, ensure_ascii=True, allow_nan=False))
        return
    from rich.console import Console

    from zhuyi.ui.estimators.terminal import show_fit

    show_fit(outcome, Console(highlight=False), data=data, folder=folder)
