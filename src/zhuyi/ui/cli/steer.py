"""`zhuyi steer`: try rules on a model, and see what they do."""

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from zhuyi.errors import InputError, OptionError
from zhuyi.steer.emphasis import parse_emphasis
from zhuyi.steer.rules import Rules
from zhuyi.ui.cli.loading import is_estimator, load_subject
from zhuyi.ui.cli.progress import progress_line

if TYPE_CHECKING:
    from zhuyi.trace.subject import Batch, Subject


def steer(
    model: Annotated[
        str, typer.Argument(help="A local folder, a name on the hub, or what zhuyi fit wrote.")
    ],
    text: Annotated[list[str] | None, typer.Option(help="A text to try; may be repeated.")] = None,
    data: Annotated[
        Path | None, typer.Option(help="Rows to try, for a model that zhuyi fit wrote.")
    ] = None,
    rules: Annotated[Path | None, typer.Option(help="A YAML file of rules.")] = None,
    emphasis: Annotated[
        bool, typer.Option("--emphasis", help="Read (word:1.5), [word] and <hl> in the text.")
    ] = False,
    others: Annotated[
        Path | None,
        typer.Option(help="What should be left alone: texts, one a line, or rows like --data."),
    ] = None,
    limit: Annotated[int, typer.Option(help="Rows of --data and --others, from the start.")] = 50,
    target: Annotated[str | None, typer.Option(help="Label or index that is wanted.")] = None,
    task: Annotated[str | None, typer.Option(help="text-classification or next-token.")] = None,
    check: Annotated[
        bool, typer.Option("--check", help="Check what the rules expect; exit 1 if it fails.")
    ] = False,
    strict: Annotated[
        bool,
        typer.Option("--strict", help="Exit 1 if a rule means nothing, or a veto claims too much."),
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", help="No progress on stderr.")] = False,
) -> None:
    """Try rules on a model: what they mean, what they change, what a veto may claim.

    Example: zhuyi steer MODEL --text "(answer in JSON:1.5) please" --emphasis
    Example: zhuyi steer model/ --data patients.csv --rules rules.yaml --check
    """
    _check(model, text, data, emphasis=emphasis, task=task, limit=limit)
    texts, chosen = _chosen(text or [], rules, emphasis=emphasis)
    if check and not chosen.expect:
        raise OptionError("--check needs rules that expect something: see `expect` in the YAML")
    progress = progress_line(quiet)
    # Heavy imports come after the checks, so that a typing error is answered at once.
    if data is not None:
        given = _of_rows(model, data, others, limit)
    else:
        far = _lines(others)
        given = load_subject(model, task, pair=False), texts, far or None, texts
    subject, batch, far_batch, names = given

    from zhuyi.ui.steered import try_rules

    name = Path(model).resolve().name if Path(model).is_dir() else model
    tried = try_rules(
        subject, chosen, batch, model=name, others=far_batch, target=target, checked=check,
        progress=progress,
    )  # fmt: skip
    progress("")
    if as_json:
        print(json.dumps(tried.as_json(), ensure_ascii=True, allow_nan=False))
    else:
        from rich.console import Console

        from zhuyi.ui.terminal_steer import show

        show(tried, names, Console(highlight=False))
    if tried.failed(strict=strict):
        sys.exit(1)


def _check(
    model: str,
    text: list[str] | None,
    data: Path | None,
    *,
    emphasis: bool,
    task: str | None,
    limit: int,
) -> None:
    """Say which flags do not go together, before anything heavy is loaded."""
    if task is not None and task not in ("text-classification", "next-token"):
        raise OptionError(f"--task must be text-classification or next-token, got {task!r}")
    if limit < 1:
        raise OptionError(f"--limit must be 1 or more, got {limit}")
    if not is_estimator(model):
        if data is not None:
            raise OptionError("--data is for models that zhuyi fit made: give texts with --text")
        if not text:
            raise OptionError("give at least one --text")
        return
    given = {"--text": bool(text), "--emphasis": emphasis, "--task": task is not None}
    wrong = [flag for flag, used in given.items() if used]
    if wrong:
        raise OptionError(f"{wrong[0]} is for language models; zhuyi fit made this: give --data")
    if data is None:
        raise OptionError(f"{model} was made by zhuyi fit: give it rows with --data FILE")


def _of_rows(
    model: str, data: Path, others: Path | None, limit: int
) -> "tuple[Subject, Batch, Batch | None, list[str]]":
    """A fitted model, its inputs, those to be left alone, and names of the inputs."""
    try:
        from zhuyi.ui.estimators.predicting import open_model, read_rows
    except ModuleNotFoundError as error:
        raise InputError(f"this needs {error.name}: pip install 'zhuyi[learn]'") from None
    opened = open_model(Path(model))
    subject = opened.model.subject()
    asked = read_rows(opened, data, limit=limit)
    far = None if others is None else subject.read(read_rows(opened, others, limit=limit).inputs)
    names = [f"row {number}" for number in asked.sheet.rows]
    return subject, subject.read(asked.inputs), far, names


def _chosen(texts: list[str], file: Path | None, *, emphasis: bool) -> tuple[list[str], Rules]:
    """The texts to try, and the rules of the file and of the marks in the text."""
    if file is None and not emphasis:
        raise OptionError("give --rules FILE, --emphasis for marks in the text, or both")
    if not all(text.strip() for text in texts):
        raise OptionError("--text must hold at least one word, got an empty text")
    rules = Rules() if file is None else Rules.from_yaml(file)
    if emphasis:
        if len(texts) != 1:
            raise OptionError(f"--emphasis reads the marks of one --text, got {len(texts)}")
        clean, marked = parse_emphasis(texts[0])
        texts, rules = [clean], rules + marked
    if not len(rules):
        where = "the text holds no marks" if file is None else f"{file} holds no rules"
        raise InputError(f"there is nothing to try: {where}")
    return texts, rules


def _lines(file: Path | None) -> list[str]:
    if file is None:
        return []
    try:
        lines = [line.strip() for line in file.read_text(encoding="utf-8-sig").splitlines()]
    except OSError as error:
        raise InputError(f"cannot read {file}: {error.strerror}") from None
    except UnicodeDecodeError as error:
        raise InputError(f"{file} is not UTF-8 text (byte {error.start})") from None
    if not any(lines):
        raise InputError(f"{file} must hold at least one text, one a line")
    return [line for line in lines if line]
