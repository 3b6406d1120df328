"""Tables of any kind as named columns of cells: NumPy arrays, pandas and polars frames, lists."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final, Literal, TypeAlias, get_args

import narwhals as nw
import numpy as np
from numpy.typing import NDArray
from sklearn.utils import check_array

from zhuyi.errors import InputError, OptionError

Kind: TypeAlias = Literal["numeric", "categorical", "ordinal", "boolean", "date", "text"]
"""How the cells of a column are read."""

KINDS: Final[tuple[str, ...]] = get_args(Kind)
_TEXT_LENGTH: Final = 40  # characters on average, from which many different strings are text
_DAY: Final = 86_400.0
_MISSING_TYPES: Final = ("NAType", "NaTType")  # of pandas, which need not be installed
_CHANGES: Final = {("boolean", "numeric"), ("numeric", "boolean")}


@dataclass(frozen=True)
class Cells:
    """One column as it came.

    Args:
        name: of the column.
        kind: what its type says it is.
        numbers: float64 "B" with NaN where missing, for numbers, booleans and dates (days since
            1970); else None.
        texts: "B" strings, None where missing, for everything else; else None.
        levels: the order of an ordered type, lowest first; empty where there is none.
    """

    name: str
    kind: Kind
    numbers: NDArray[np.float64] | None
    texts: tuple[str | None, ...] | None
    levels: tuple[str, ...] = ()

    def __len__(self) -> int:
        cells = self.texts if self.numbers is None else self.numbers
        assert cells is not None
        return len(cells)


def read_table(table: object, names: Sequence[str] | None = None) -> tuple[Cells, ...]:
    """The columns of a table, in order.

    Args:
        table: a pandas or polars data frame, an array "B N", or a sequence of rows; a row may be a
            mapping from names to cells.
        names: what the columns of an array are called; None for "x0", "x1", ...
    Returns: one `Cells` a column.
    Raises:  InputError: infinite numbers, cells of an unknown type. ValueError: what scikit-learn
        says of arrays that are empty or not two-dimensional.
    Cost:    O(B N).
    """
    rows = _of_mappings(table, names)
    if rows is not None:
        return tuple(_guessed(name, cells) for name, cells in rows.items())
    if is_frame(table):
        frame = nw.from_native(table, eager_only=True)  # type: ignore[call-overload]
        _check_extent(frame.shape)
        # by place: a name may be a number, which as an index means a row
        return tuple(_of_series(str(one.name), one) for one in frame.iter_columns())
    array = check_array(table, dtype=None, ensure_all_finite=False)
    if array.dtype.kind in "US" and isinstance(table, list | tuple):
        # numbers beside texts: NumPy would make texts of all of them
        array = check_array(np.array(table, dtype=object), dtype=None, ensure_all_finite=False)
    called = [*(names or ()), *(f"x{n}" for n in range(len(names or ()), array.shape[1]))]
    return tuple(_of_array(called[n], array[:, n]) for n in range(array.shape[1]))


def is_mappings(table: object) -> bool:
    """Whether it is a list of rows that are mappings from names to cells."""
    return isinstance(table, list | tuple) and bool(table) and isinstance(table[0], Mapping)


def is_frame(table: object) -> bool:
    """Whether it is a data frame that narwhals knows."""
    return bool(nw.dependencies.is_into_dataframe(table))


def as_kind(cells: Cells, kind: Kind) -> Cells:
    """The column read as another kind.

    Raises: InputError: when a cell cannot be read so; it names the column, the row and the cell.
    """
    if cells.kind == kind:
        return cells
    if kind in ("categorical", "ordinal", "text"):
        texts = cells.texts if cells.texts is not None else _keys(cells)
        return Cells(cells.name, kind, None, texts, cells.levels)
    if cells.numbers is not None:
        # a column without any cell can be of any kind
        if (cells.kind, kind) not in _CHANGES and not np.isnan(cells.numbers).all():
            raise InputError(_wrong(cells, kind))
        if kind == "boolean":
            _check_boolean(cells)
        return Cells(cells.name, kind, cells.numbers, None)
    assert cells.texts is not None
    numbers = np.array([_parsed(cells, row, kind) for row in range(len(cells.texts))], np.float64)
    _check_finite(cells.name, numbers)
    return Cells(cells.name, kind, numbers, None)


def cell_key(cell: object) -> str | None:
    """A cell as the text that names its category, or None when it is missing.

    Whole numbers are written without a decimal point, so that 3 and 3.0 are one category.
    """
    if is_missing(cell):
        return None
    if isinstance(cell, float | np.floating) and float(cell).is_integer():
        return str(int(cell))
    if isinstance(cell, str | bool | int | float | np.generic | date):
        return str(cell)
    # the words are those that scikit-learn's checks look for
    raise TypeError(f"a cell's argument must be a string or a number, got {type(cell).__name__!r}")


def is_missing(cell: object) -> bool:
    """Whether a cell says nothing: None, NaN, NaT, NA."""
    if cell is None or type(cell).__name__ in _MISSING_TYPES:
        return True
    if isinstance(cell, float | np.floating):
        return bool(np.isnan(cell))
    return isinstance(cell, np.datetime64) and bool(np.isnat(cell))


def _check_extent(shape: tuple[int, int]) -> None:
    for count, what in zip(shape, ("sample(s)", "feature(s)"), strict=True):
        if not count:
            raise InputError(
                f"Found array with 0 {what} (shape={shape}) while a minimum of 1 is required."
            )


def _of_mappings(table: object, names: Sequence[str] | None) -> dict[str, list[object]] | None:
    if not is_mappings(table):
        return None
    assert isinstance(table, list | tuple)
    called = list(table[0]) if names is None else list(names)
    columns: dict[str, list[object]] = {name: [] for name in called}
    for row, record in enumerate(table):
        missing = [name for name in called if name not in record]
        if missing:
            raise InputError(f"row {row + 1} must have the columns {missing}: give None if unknown")
        for name in called:
            columns[name].append(record[name])
    return columns


def _of_series(name: str, series: "nw.Series[Any]") -> Cells:
    kind = series.dtype
    if kind.is_numeric():
        return _of_numbers(name, series.cast(nw.Float64).to_numpy(), "numeric")
    if kind == nw.Boolean:
        return _of_numbers(name, series.cast(nw.Float64).to_numpy(), "boolean")
    if isinstance(kind, nw.Date | nw.Datetime):
        return _guessed(name, series.to_list())
    levels = tuple(kind.categories) if isinstance(kind, nw.Enum) else ()
    found = _guessed(name, series.to_list())
    if levels:
        return Cells(
            name, "ordinal", None, _texts_of(found), tuple(str(cell_key(level)) for level in levels)
        )
    if isinstance(kind, nw.Categorical):
        return Cells(name, "categorical", None, _texts_of(found))
    return found


def _of_array(name: str, column: NDArray[Any]) -> Cells:
    if column.dtype.kind in "iuf":
        return _of_numbers(name, column, "numeric")
    if column.dtype.kind == "b":
        return _of_numbers(name, column, "boolean")
    return _guessed(name, column.tolist() if column.dtype.kind != "M" else list(column))


def _of_numbers(name: str, column: NDArray[Any], kind: Kind) -> Cells:
    numbers = np.array(column, dtype=np.float64)
    _check_finite(name, numbers)
    return Cells(name, kind, numbers, None)


def _guessed(name: str, cells: Sequence[object]) -> Cells:
    """A column of Python objects, by what they are."""
    present = [cell for cell in cells if not is_missing(cell)]
    if present and all(isinstance(cell, bool | np.bool_) for cell in present):
        return _of_numbers(name, _floats(cells), "boolean")
    if present and all(isinstance(cell, date | datetime | np.datetime64) for cell in present):
        days = [np.nan if is_missing(cell) else _days(cell) for cell in cells]
        return Cells(name, "date", np.array(days, np.float64), None)
    if all(isinstance(cell, int | float | np.number) for cell in present):
        return _of_numbers(name, _floats(cells), "numeric")
    texts = tuple(cell_key(cell) for cell in cells)
    return Cells(name, "text" if _are_texts(texts) else "categorical", None, texts)


def _floats(cells: Sequence[object]) -> NDArray[np.float64]:
    return np.array([np.nan if is_missing(cell) else cell for cell in cells], dtype=np.float64)


def _are_texts(texts: Sequence[str | None]) -> bool:
    """Long cells, most of them different: sentences rather than names of categories."""
    present = [text for text in texts if text is not None]
    long = sum(map(len, present)) > _TEXT_LENGTH * len(present)
    return len(present) > 1 and long and len(set(present)) > len(present) / 2


def _texts_of(cells: Cells) -> tuple[str | None, ...]:
    return _keys(cells) if cells.texts is None else cells.texts


def _keys(cells: Cells) -> tuple[str | None, ...]:
    assert cells.numbers is not None
    if cells.kind == "boolean":
        return tuple(None if np.isnan(n) else str(bool(n)) for n in cells.numbers)
    return tuple(cell_key(float(number)) for number in cells.numbers)


def _parsed(cells: Cells, row: int, kind: Kind) -> float:
    assert cells.texts is not None
    text = cells.texts[row]
    if text is None:
        return float("nan")
    try:
        if kind == "date":
            return _days(datetime.fromisoformat(text))
        if kind == "boolean":
            return _BOOLEANS[text.strip().lower()]
        return float(text)
    except (ValueError, KeyError):
        raise InputError(
            f"column {cells.name!r} must be {kind}, got {text!r} in row {row + 1}: correct the "
            f'cell, or say columns={{{cells.name!r}: "categorical"}}'
        ) from None


_BOOLEANS: Final = {
    **dict.fromkeys(("true", "yes", "y", "1", "1.0"), 1.0),
    **dict.fromkeys(("false", "no", "n", "0", "0.0"), 0.0),
}


def _days(cell: object) -> float:
    """Days since 1970, of a date or a time of the day in UTC where no zone is named."""
    if isinstance(cell, np.datetime64):
        return float(cell.astype("datetime64[us]").astype(np.int64)) / (_DAY * 1e6)
    if isinstance(cell, datetime):
        naive = cell if cell.tzinfo is None else (cell - (cell.utcoffset() or cell - cell))
        return (naive.replace(tzinfo=None) - datetime(1970, 1, 1)).total_seconds() / _DAY
    assert isinstance(cell, date)
    return float((cell - date(1970, 1, 1)).days)


def _check_finite(name: str, numbers: NDArray[np.float64]) -> None:
    wrong = np.flatnonzero(np.isinf(numbers))
    if wrong.size:
        raise InputError(
            f"column {name!r} must hold finite numbers, got infinity in row {wrong[0] + 1}: "
            "leave the cell empty if the value is not known"
        )


def _check_boolean(cells: Cells) -> None:
    assert cells.numbers is not None
    wrong = np.flatnonzero(~np.isin(cells.numbers, (0.0, 1.0)) & ~np.isnan(cells.numbers))
    if wrong.size:
        raise InputError(
            f"column {cells.name!r} must be boolean (0 or 1), got {cells.numbers[wrong[0]]:g} in "
            f"row {wrong[0] + 1}"
        )


def _wrong(cells: Cells, kind: Kind) -> str:
    return (
        f"column {cells.name!r} must be {kind}, got {cells.kind} cells: convert the column, or say "
        f'columns={{{cells.name!r}: "{cells.kind}"}} when fitting'
    )


def check_kinds(columns: Mapping[str, object] | None, names: Sequence[str]) -> dict[str, Kind]:
    """The kinds that a person named, checked.

    Raises: OptionError: for a column that does not exist or a kind that does not.
    """
    named: dict[str, Kind] = {}
    for name, kind in (columns or {}).items():
        if name not in names:
            raise OptionError(f"columns names {name!r}, which is not one of {list(names)}")
        if kind not in KINDS:
            raise OptionError(f"columns[{name!r}] must be one of {KINDS}, got {kind!r}")
        named[name] = kind  # type: ignore[assignment]
    return named
