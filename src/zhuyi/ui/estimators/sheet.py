"""A whole file as columns of cells; a cell that says nothing is None, a broken row is named."""

import itertools
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from difflib import get_close_matches
from pathlib import Path
from typing import Final, TypeAlias

from zhuyi.audit.report import Skipped
from zhuyi.core.record import Said
from zhuyi.errors import InputError, OptionError
from zhuyi.ui.data import spoiled
from zhuyi.ui.records import NOT_UTF8, Broken, Record, open_records

Cell: TypeAlias = str | bool | int | float | date | None
"""What a cell holds; a datetime is a date."""

MISSING: Final = ("", "na", "n/a", "nan", "null")
"""Texts that stand for a missing cell, in any case. Not "None": it is a category in many tables."""

STDIN: Final = "-"
_SHOWN: Final = 12  # columns that an error lists


@dataclass(frozen=True)
class Sheet:
    """A table as it was read.

    Args:
        name: of the file.
        columns: name -> cells, in the file's order.
        rows: of each cell, its row's number among the file's records, from 1.
        broken: rows that could not be read, with the reason.
    """

    name: str
    columns: Mapping[str, tuple[Cell, ...]]
    rows: tuple[int, ...]
    broken: tuple[Skipped, ...] = ()

    def __len__(self) -> int:
        return len(self.rows)

    def column(self, name: str, flag: str) -> tuple[Cell, ...]:
        """The cells of a column that `flag` asks for.

        Raises: InputError: if there is none; it names those that are called alike.
        """
        if name not in self.columns:
            raise InputError(f"{self.name} has no column {name!r} ({flag}): {self._alike(name)}")
        return self.columns[name]

    def only(self, names: Sequence[str]) -> "Sheet":
        """The sheet with these columns, in this order."""
        return Sheet(self.name, {name: self.columns[name] for name in names}, self.rows)

    def taken(self, places: Sequence[int]) -> "Sheet":
        """The sheet with the rows at these places, in this order."""
        columns = {n: tuple(cells[place] for place in places) for n, cells in self.columns.items()}
        rows = tuple(self.rows[place] for place in places)
        return Sheet(self.name, columns, rows, self.broken)

    def _alike(self, name: str) -> str:
        alike = close_names(name, tuple(self.columns))
        if alike:
            return f"did you mean {' or '.join(map(repr, alike))}?"
        return f"it has {listed(tuple(self.columns))}"


def close_names(name: str, names: Sequence[str]) -> tuple[str, ...]:
    """Names that a person may have meant: the same but for case and marks first."""
    plain = {one: "".join(c for c in one.casefold() if c.isalnum()) for one in names}
    wanted = "".join(c for c in name.casefold() if c.isalnum())
    same = [one for one, bare in plain.items() if bare == wanted]
    near = get_close_matches(wanted, list(plain.values()), n=3, cutoff=0.6)
    rest = [one for bare in near for one in names if plain[one] == bare and one not in same]
    return tuple(dict.fromkeys([*same, *rest]))[:3]


def listed(names: Sequence[str]) -> str:
    """Names as a sentence shows them."""
    shown = ", ".join(map(repr, names[:_SHOWN]))
    return shown + (f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else "")


def read_sheet(
    path: Path, *, wanted: Sequence[str] = (), missing: Sequence[str] = (), limit: int | None = None
) -> Sheet:
    """Read all columns of a .csv, .tsv, .jsonl or .parquet file (all but the last also .gz).

    Args:
        path: the file, or "-" for what stands on standard input.
        wanted: columns that will be asked for; they tell a CSV file's delimiter.
        missing: texts that stand for a missing cell, besides `MISSING`.
        limit: how many usable rows to take, from the start; None for all.

    Raises: InputError: if the file cannot be read, a column stands twice, or no row can be used.
        OptionError: a limit below 1.
    Cost:   two passes over the header, one over the rows, all of them in memory.

    Example:
        >>> _ = Path("engines.csv").write_text("wear;kind\\n3;L\\n;M\\n", encoding="utf-8")
        >>> read_sheet(Path("engines.csv")).columns
        {'wear': ('3', None), 'kind': ('L', 'M')}
    """
    if limit is not None and limit < 1:
        raise OptionError(f"limit must be at least 1, got {limit}")
    if str(path) == STDIN:
        with _from_stdin() as kept:
            return read_sheet(kept, wanted=wanted, missing=missing, limit=limit)
    with open_records(path, wanted) as (header, _):
        names = header
    gone = {*MISSING, *(text.strip().casefold() for text in missing)}
    columns: dict[str, list[Cell]] = {name: [] for name in names}
    rows: list[int] = []
    broken: list[Skipped] = []
    with open_records(path, [*wanted, *names]) as (_, records):
        for number, record in zip(itertools.count(1), records):
            cells = _cells(record, names, gone)
            if isinstance(cells, Said):
                broken.append(Skipped(row=number, reason=cells))
                continue
            rows.append(number)
            for name, cell in zip(names, cells, strict=True):
                columns[name].append(cell)
            if len(rows) == limit:
                break
    if not rows:
        why = f": row {broken[0].row}: {broken[0].reason.en}" if broken else " under its header"
        raise InputError(f"{path.name} has no row that can be used{why}")
    whole = {name: tuple(cells) for name, cells in columns.items()}
    return Sheet(path.name, whole, tuple(rows), tuple(broken))


def _cells(record: Record | Broken, names: Sequence[str], gone: set[str]) -> list[Cell] | Said:
    """The record's cells in order, or what is wrong with it."""
    if isinstance(record, Broken):
        return record.reason
    found: list[Cell] = []
    for name in names:
        value = record.get(name)
        if isinstance(value, str):
            if spoiled(value):
                return NOT_UTF8
            value = value.strip()
            value = None if value.casefold() in gone else value
        elif isinstance(value, float | Decimal):
            value = None if value != value else float(value)
        elif value is not None and not isinstance(value, bool | int | date):
            return Said(
                en=f"column {name!r} holds neither text, number nor date but "
                f"{type(value).__name__}",
                zh=f"“{name}” 列既不是文本、数字，也不是日期",
            )
        found.append(value)
    return found


@contextmanager
def _from_stdin() -> Iterator[Path]:
    """Standard input as a file whose ending says what it looks like."""
    data = sys.stdin.buffer.read()
    if not data.strip():
        raise InputError("standard input is empty: it must hold a header and at least one row")
    if data.startswith(b"PAR1"):
        ending = "parquet"
    else:
        ending = "jsonl" if data.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"{") else "csv"
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"stdin.{ending}"
        path.write_bytes(data)
        yield path
