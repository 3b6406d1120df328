"""A person's own examples: texts, rows or series of a file."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from zhuyi.errors import InputError
from zhuyi.learn.columns import Column
from zhuyi.ui.estimators.cells import values_as
from zhuyi.ui.estimators.sheet import Sheet, read_sheet
from zhuyi.ui.steering.asking import CHARACTERS
from zhuyi.ui.steering.desk import Example, Given
from zhuyi.ui.steering.table_desk import record_of

MOST: Final = 200
"""Examples that are taken from a file, from its start."""
_NAMED: Final = 60  # characters of an example's name
_BYTES: Final = 64 * 2**20

Named = tuple[str, NDArray[np.float64]]


def texts(path: Path) -> tuple[Example, ...]:
    """Texts of a .csv, .tsv, .jsonl or .parquet file: its column "text", or its only column.

    Raises: InputError: if there is no such file or column, or no text.
    """
    sheet = read_sheet(path, wanted=("text",), limit=MOST)
    names = list(sheet.columns)
    if "text" not in names and len(names) != 1:
        raise InputError(
            f"{path.name} must have a column 'text', or one column only, got {names[:8]}"
        )
    cells = sheet.columns["text" if "text" in names else names[0]]
    called = sheet.columns.get("name", (None,) * len(cells))
    found = [
        Example(name=str(name or text)[:_NAMED], given=Given(text=str(text)[:CHARACTERS]))
        for name, text in zip(called, cells, strict=True)
        if text is not None and str(text).strip()
    ]
    if not found:
        raise InputError(f"{path.name} holds no text")
    return tuple(found)


def records(path: Path, columns: Sequence[Column]) -> tuple[Example, ...]:
    """Rows of a table for a model of these columns; columns that are not there are missing.

    Raises: InputError: if there is no such file, none of the columns, or a cell that cannot be.
    """
    sheet = read_sheet(path, wanted=[one.name for one in columns], limit=MOST)
    known = [one for one in columns if one.name in sheet.columns]
    if not known:
        wanted = ", ".join(repr(one.name) for one in columns[:8])
        raise InputError(f"{path.name} has none of the model's columns ({wanted})")
    typed = {
        one.name: values_as(one.kind, one.name, sheet.columns[one.name], sheet.rows, flag="")
        for one in known
    }
    return tuple(
        Example(
            name=_row_name(sheet, place),
            given=Given(
                record=record_of(columns, {name: cells[place] for name, cells in typed.items()})
            ),
        )
        for place in range(len(sheet))
    )


def series(path: Path) -> tuple[Named, ...]:
    """Series of a file: .jsonl of {"series": [[...], ...], "name": ...} or a table, a row a series.

    A series of several channels is a list of steps, each a list of one number a channel. null is a
    missing value.

    Raises: InputError: if there is no such file, or a line that is no series.
    """
    if path.suffix == ".jsonl":
        return _of_lines(path)
    sheet = read_sheet(path, limit=MOST)
    names = [name for name in sheet.columns if name != "name"]
    columns = [
        values_as("numeric", name, sheet.columns[name], sheet.rows, flag="") for name in names
    ]
    rows: list[list[Any]] = [list(row) for row in zip(*columns, strict=True)]
    return tuple(
        (_row_name(sheet, place), _numbers(row, f"row {sheet.rows[place]} of {path.name}"))
        for place, row in enumerate(rows)
    )


def _of_lines(path: Path) -> tuple[Named, ...]:
    try:
        if path.stat().st_size > _BYTES:
            raise InputError(f"{path.name} must have at most {_BYTES:,} bytes")
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except OSError as wrong:
        raise InputError(f"cannot read {path}: {wrong.strerror}") from None
    except UnicodeDecodeError:
        raise InputError(f"{path.name} must be UTF-8") from None
    found = []
    for number, line in enumerate((one for one in lines if one.strip()), start=1):
        where = f"line {number} of {path.name}"
        try:
            data = json.loads(line)
        except (ValueError, RecursionError):
            raise InputError(f"{where} is no JSON") from None
        if not isinstance(data, dict) or not isinstance(data.get("series"), list):
            raise InputError(f'{where} must be {{"series": [...]}}')
        name = str(data.get("name") or f"series {number}")[:_NAMED]
        found.append((name, _numbers(data["series"], where)))
        if len(found) == MOST:
            break
    if not found:
        raise InputError(f"{path.name} holds no series")
    return tuple(found)


def _numbers(steps: list[Any], where: str) -> NDArray[np.float64]:
    """Steps as "T C"."""
    rows = [step if isinstance(step, list) else [step] for step in steps]
    plain = all(
        one is None or (isinstance(one, int | float) and not isinstance(one, bool))
        for row in rows
        for one in row
    )
    if not rows or not plain or len({len(row) for row in rows}) != 1 or not rows[0]:
        raise InputError(f"{where} must hold steps of as many numbers each")
    try:
        return np.array([[np.nan if x is None else float(x) for x in row] for row in rows])
    except OverflowError:
        raise InputError(f"{where} holds a number that is too large") from None


def _row_name(sheet: Sheet, place: int) -> str:
    cells = sheet.columns.get("name")
    name = None if cells is None else cells[place]
    return str(name)[:_NAMED] if name is not None else f"row {sheet.rows[place]} · 行"
