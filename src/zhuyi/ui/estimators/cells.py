"""Cells of a text file as numbers, truth values, dates and categories, by column.

A column is of the kind that all its cells can be read as. One that is so but for a few cells is
refused with the first of them: whether that is a slip, a missing value or a category only a person
can say.
"""

import re
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Final

from zhuyi.errors import InputError, OptionError
from zhuyi.learn.reading import KINDS, cell_key
from zhuyi.ui.estimators.sheet import Cell, Sheet, close_names, listed

_NUMBER: Final = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?")
_COMMA: Final = re.compile(r"[+-]?\d+,\d+")
_CODE: Final = re.compile(r"0\d+")  # 007 is a name, not a number
_DATE: Final = re.compile(r"\d{4}-\d{2}-\d{2}([ T]\d{2}:\d{2}.*)?")
_TRUTH: Final = {"true": True, "false": False}
_SAID: Final = {**_TRUTH, "yes": True, "no": False, "y": True, "n": False, "1": True, "0": False}
_NEARLY: Final = 0.9  # share of cells from which the others are taken for slips
_LONG: Final = 40  # characters on average, from which many different texts are text
_ODD: Final = 3  # cells that an error shows


@dataclass(frozen=True)
class Asked:
    """How a person wants a column read.

    Args:
        kind: one of `zhuyi.learn.reading.KINDS`.
        levels: of an ordered column, lowest first; empty where they are not said.
    """

    kind: str
    levels: tuple[str, ...] = ()


def read_asked(written: Sequence[str], columns: Sequence[str]) -> dict[str, Asked]:
    """--column options as kinds by column.

    Args:
        written: each NAME=KIND, or NAME=ordinal:LOW<MIDDLE<HIGH.
        columns: names that there are.
    Raises: OptionError: another form, a name or a kind that does not exist, one level only.

    Example:
        >>> read_asked(["size=ordinal:S<M<L"], ["size"])["size"].levels
        ('S', 'M', 'L')
    """
    form = re.compile(rf"(.+)=({'|'.join(KINDS)})(?::(.+))?", re.DOTALL)
    found: dict[str, Asked] = {}
    for one in written:
        match = form.fullmatch(one)
        if match is None:
            kinds = ", ".join(KINDS)
            raise OptionError(f"--column must be NAME=KIND with a KIND of {kinds}, got {one!r}")
        name, kind, levels = match.groups()
        if name not in columns:
            alike = close_names(name, columns)
            hint = f"did you mean {alike[0]!r}?" if alike else f"there are {listed(columns)}"
            raise OptionError(f"--column names {name!r}, which is no column: {hint}")
        order = tuple(level.strip() for level in (levels or "").split("<") if level.strip())
        if levels and (kind != "ordinal" or len(set(order)) < max(len(order), 2)):
            raise OptionError(f"levels go with ordinal and are two or more, got {one!r}")
        found[name] = Asked(kind, order)
    return found


def typed(
    sheet: Sheet, asked: Mapping[str, Asked], *, flag: str = "--column"
) -> dict[str, tuple[str, list[object]]]:
    """Per column its kind and its cells as Python values: float, bool, datetime or str, or None.

    Args:
        sheet: the table.
        asked: kinds by column; the others are told from their cells.
        flag: the option with which a person can say a kind, or "" where there is none.
    Raises: InputError: cells that are not of the column's kind, with column, row and cell.
    """
    found: dict[str, tuple[str, list[object]]] = {}
    for name, cells in sheet.columns.items():
        wish = asked.get(name)
        kind = kind_of(name, cells, sheet.rows) if wish is None else wish.kind
        found[name] = (kind, values_as(kind, name, cells, sheet.rows, flag=flag))
        if wish is not None and wish.levels:
            _check_levels(name, found[name][1], wish.levels, sheet.rows)
    return found


def kind_of(name: str, cells: Sequence[Cell], rows: Sequence[int]) -> str:
    """The kind that all cells of a column can be read as.

    Raises: InputError: if nearly all cells are numbers or dates, and a few are not.
    """
    # each different cell is read once
    present = Counter(one for one in _typed_cells(cells) if one[1] is not None)
    total = sum(present.values())
    if not present:
        return "numeric"
    if any(isinstance(cell, str) and _CODE.fullmatch(cell) for _, cell in present):
        return "categorical"
    readers = {"boolean": _truth, "numeric": number, "date": _moment}
    for kind, read in readers.items():
        odd = {one for one in present if read(one[1]) is None}
        if not odd:
            return kind
        slips = sum(present[one] for one in odd)
        if kind != "boolean" and slips <= (1 - _NEARLY) * total:
            places = [(p, one[1]) for p, one in enumerate(_typed_cells(cells)) if one in odd]
            raise InputError(_nearly(name, kind, places, rows))
    commas = {cell for _, cell in present if _comma(cell)}
    if sum(count for (_, cell), count in present.items() if cell in commas) >= _NEARLY * total:
        place = next(place for place, cell in enumerate(cells) if cell in commas)
        raise InputError(
            f"column {name!r} holds numbers with a decimal comma ({cells[place]!r} in row "
            f"{rows[place]}): write them with a point, or say --column {_quoted(name)}=categorical"
        )
    return "text" if _is_prose(present) else "categorical"


def values_as(
    kind: str, name: str, cells: Sequence[Cell], rows: Sequence[int], *, flag: str = "--column"
) -> list[object]:
    """Cells read as a kind; None where missing.

    Raises: InputError: a cell that cannot be, with column, row and cell.
    """
    readers: dict[str, Callable[[Cell], object]] = {
        "numeric": number, "boolean": _said, "date": _moment,
    }  # fmt: skip
    read = readers.get(kind, cell_key)
    known = {one: None if one[1] is None else read(one[1]) for one in set(_typed_cells(cells))}
    values = [known[one] for one in _typed_cells(cells)]
    for place, (cell, value) in enumerate(zip(cells, values, strict=True)):
        if cell is not None and value is None:
            other = f", or say {flag} {_quoted(name)}=categorical" if flag else ""
            raise InputError(
                f"column {name!r} must be {kind}, got {cell!r} in row {rows[place]}: correct the "
                f"cell, leave it empty if it is not known{other}"
            )
    return values


def number(cell: Cell) -> float | None:
    """A cell as a finite number, or None."""
    if isinstance(cell, str):
        if not _NUMBER.fullmatch(cell):
            return None
        cell = float(cell)
    if isinstance(cell, bool) or not isinstance(cell, int | float):
        return None
    return float(cell) if abs(cell) <= sys.float_info.max else None  # no NaN, no endless integer


def truth(cell: Cell) -> bool | None:
    """A cell as yes or no (also 1 and 0, true and false), or None."""
    return _said(cell)


def _is_prose(counts: Mapping[tuple[type, Cell], int]) -> bool:
    """Long, and hardly any twice: sentences, not names of categories."""
    total = sum(counts.values())
    length = sum(len(str(cell)) * count for (_, cell), count in counts.items())
    return total > 1 and length > _LONG * total and len(counts) > total / 2


def _typed_cells(cells: Sequence[Cell]) -> Iterator[tuple[type, Cell]]:
    """Each cell with its type, as True and 1 are equal."""
    return zip(map(type, cells), cells, strict=True)


def _truth(cell: Cell) -> bool | None:
    if isinstance(cell, bool):
        return cell
    return _TRUTH.get(cell.casefold()) if isinstance(cell, str) else None


def _said(cell: Cell) -> bool | None:
    if isinstance(cell, bool):
        return cell
    if isinstance(cell, int | float):
        return bool(cell) if cell in (0, 1) else None
    return _SAID.get(cell.casefold()) if isinstance(cell, str) else None


def _moment(cell: Cell) -> datetime | None:
    if isinstance(cell, datetime):
        return cell
    if isinstance(cell, date):
        return datetime(cell.year, cell.month, cell.day)
    if not isinstance(cell, str) or not _DATE.fullmatch(cell):
        return None
    try:
        return datetime.fromisoformat(cell)
    except ValueError:
        return None


def _comma(cell: Cell) -> bool:
    return isinstance(cell, str) and _COMMA.fullmatch(cell) is not None


def _nearly(name: str, kind: str, odd: Sequence[tuple[int, Cell]], rows: Sequence[int]) -> str:
    what = "numbers" if kind == "numeric" else "dates"
    shown = ", ".join(f"{cell!r} in row {rows[place]}" for place, cell in odd[:_ODD])
    more = f" and {len(odd) - _ODD} more" if len(odd) > _ODD else ""
    return (
        f"column {name!r} holds {what} but for {shown}{more}: correct the cells, say --missing "
        f"{_quoted(str(odd[0][1]))} if that stands for a value that is not known, or --column "
        f"{_quoted(name)}=categorical if the column names categories"
    )


def _check_levels(
    name: str, values: Sequence[object], levels: Sequence[str], rows: Sequence[int]
) -> None:
    for place, value in enumerate(values):
        if value is not None and value not in levels:
            raise InputError(
                f"column {name!r} has {value!r} in row {rows[place]}, which is none of its levels "
                f"{' < '.join(levels)}"
            )


def _quoted(text: str) -> str:
    return text if re.fullmatch(r"[\w.-]+", text) else f'"{text}"'
