"""`zhuyi predict`: what a saved model says of the rows of a file, and why."""

import csv
import io
import json
import sys
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from zhuyi.errors import InputError, OptionError

if TYPE_CHECKING:
    from zhuyi.ui.estimators.predicting import Asked, Opened, Predictions

SCHEMA = "zhuyi.predict/1"


def predict(
    model: Annotated[Path, typer.Argument(help="A folder that zhuyi fit wrote.")],
    data: Annotated[
        Path, typer.Argument(help="A .csv, .tsv, .jsonl or .parquet file, or - for stdin.")
    ],
    output: Annotated[
        Path | None, typer.Option("-o", "--output", help="Write here instead of to stdout.")
    ] = None,
    explain: Annotated[
        bool,
        typer.Option("--explain", help="Write every factor's part in each decision instead."),
    ] = False,
    verify: Annotated[
        bool, typer.Option("--verify", help="Test each row's explanation; implies --explain.")
    ] = False,
    keep: Annotated[
        list[str] | None,
        typer.Option(help="Column to carry over, such as an identifier; may be repeated."),
    ] = None,
    allow_missing: Annotated[
        bool, typer.Option("--allow-missing", help="Read absent columns as missing cells.")
    ] = False,
    text: Annotated[
        str | None, typer.Option(help="Column of text, where the folder does not say it.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Write JSON instead of CSV.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", help="No remarks on stderr.")] = False,
) -> None:
    """Predict with a model that zhuyi fit made: one line a row, with probabilities.

    With --explain one line a row, label and factor: value, score, weight, contribution, verdict.
    The contributions of a row add up to its decision. Rows are numbered as in the file, from 1.

    Example: zhuyi predict model/ new.csv -o predicted.csv
    """
    try:
        from zhuyi.ui.estimators import predicting
    except ModuleNotFoundError as error:
        raise InputError(f"predicting needs {error.name}: pip install 'zhuyi[learn]'") from None
    if output is not None:
        _check_writable(output)
    opened = predicting.open_model(model, text)
    asked = predicting.read_rows(opened, data, allow_missing=allow_missing)
    kept = {name: asked.sheet.column(name, "--keep") for name in keep or ()}
    if not quiet:
        _remark(asked)
    found = predicting.predictions(opened, asked)
    explained = explain or verify
    factors = predicting.factor_rows(opened, asked, verify=verify) if explained else None
    if as_json:
        written = _json(opened, asked, found, kept, factors)
    elif factors is not None:
        written = _factors_csv(asked, kept, factors)
    else:
        written = _csv(_header(found, kept), _lines(asked, found, kept))
    _write(written, output)


def _remark(asked: "Asked") -> None:
    for note in asked.notes:
        print(f"zhuyi: {note}", file=sys.stderr)
    broken = asked.sheet.broken
    if broken:
        first = f"row {broken[0].row}: {broken[0].reason.en}"
        told = f"{len(broken):,} rows were left out, the first {first}"
        print(f"zhuyi: {' '.join(told.split())}", file=sys.stderr)


def _header(found: "Predictions", kept: Mapping[str, Sequence[Any]]) -> list[str]:
    names = ["row", *kept, "prediction"]
    return names if found.task == "number" else [*names, *(f"p({one})" for one in found.labels)]


def _lines(
    asked: "Asked", found: "Predictions", kept: Mapping[str, Sequence[Any]]
) -> Iterable[Sequence[Any]]:
    for place, row in enumerate(asked.sheet.rows):
        own = [cells[place] for cells in kept.values()]
        shares = [f"{share:.6g}" for share in found.shares[place]] if found.shares else []
        yield [row, *own, _short(found.said[place]), *shares]


def _factors_csv(
    asked: "Asked",
    kept: Mapping[str, Sequence[Any]],
    factors: tuple[tuple[str, ...], list[tuple[Any, ...]]],
) -> str:
    names, lines = factors
    at = names.index("row")
    place = {row: place for place, row in enumerate(asked.sheet.rows)}
    whole = (
        [line[at], *(cells[place[line[at]]] for cells in kept.values()),
         *map(_short, (*line[:at], *line[at + 1 :]))]
        for line in lines
    )  # fmt: skip
    return _csv(["row", *kept, *names[:at], *names[at + 1 :]], whole)


def _csv(header: Sequence[str], lines: Iterable[Sequence[Any]]) -> str:
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow(header)
    writer.writerows(lines)
    return stream.getvalue()


def _json(
    opened: "Opened",
    asked: "Asked",
    found: "Predictions",
    kept: Mapping[str, Sequence[Any]],
    factors: tuple[tuple[str, ...], list[tuple[Any, ...]]] | None,
) -> str:
    rows: list[dict[str, Any]] = []
    for place, row in enumerate(asked.sheet.rows):
        one: dict[str, Any] = {"row": row, "prediction": found.said[place]}
        if found.shares:
            one["probabilities"] = dict(zip(found.labels, found.shares[place], strict=True))
        if kept:
            one["kept"] = {name: _plain(cells[place]) for name, cells in kept.items()}
        rows.append(one)
    if factors is not None:
        by_row: dict[int, list[dict[str, Any]]] = {row["row"]: [] for row in rows}
        for line in factors[1]:
            values = dict(zip(factors[0], map(_plain, line), strict=True))
            by_row[values.pop("row")].append(values)
        for one in rows:
            one["factors"] = by_row[one["row"]]
    values = {
        "schema": SCHEMA,
        "task": found.task,
        "labels": list(found.labels),
        "explanation": opened.model.explanation_,
        "constants": opened.model.constants_,
        "notes": list(asked.notes),
        "left_out": [{"row": one.row, "reason": one.reason.en} for one in asked.sheet.broken],
        "rows": rows,
    }
    return json.dumps(values, ensure_ascii=True, allow_nan=False) + "\n"


def _plain(cell: Any) -> Any:
    return cell if cell is None or isinstance(cell, bool | int | float | str) else str(cell)


def _short(cell: Any) -> Any:
    return f"{cell:.10g}" if isinstance(cell, float) else "" if cell is None else cell


def _check_writable(path: Path) -> None:
    if path.is_dir() or not path.absolute().parent.is_dir():
        raise OptionError(f"cannot write {path}: it must be a file in a folder that exists")


def _write(text: str, output: Path | None) -> None:
    if output is None:
        sys.stdout.write(text)
        return
    from zhuyi.ui.view.page import save_page

    save_page(text, output)
