"""A CSV file as a pandas frame whose columns and rows are what the loader was written for."""

import io
import warnings
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from zhuyi.errors import InputError

if TYPE_CHECKING:
    import pandas as pd


def read_table(
    data: bytes,
    *,
    name: str,
    columns: Sequence[str],
    rows: int | None,
    separator: str = ",",
    header: bool = True,
    missing: Sequence[str] = ("",),
    types: Mapping[str, str] | None = None,
) -> "pd.DataFrame":
    """Read a table and check its shape.

    Args:
        data: the file's bytes, UTF-8, with or without a byte order mark.
        name: the file's name, for errors.
        columns: the names it must have, in any order; more than these is an error too.
        rows: how many rows it must have; None for any number.
        separator: between columns; a regular expression as pandas takes it.
        header: whether the first line names the columns; else they are `columns`, in order.
        missing: texts that stand for a missing value. pandas' own list is not used: it takes
            "None" for missing, which is a category in some of our tables.
        types: column -> dtype, where it must not be guessed.

    Raises: InputError: with the columns or the number of rows that do not fit.

    Example:
        >>> read_table(b"a,b\\n1,None\\n", name="x.csv", columns=["a", "b"], rows=1)["b"][0]
        'None'
    """
    import pandas as pd

    errors = pd.errors
    try:
        with warnings.catch_warnings():
            # Cells beyond the header are dropped with no more than this warning.
            warnings.simplefilter("error", errors.ParserWarning)
            frame = pd.read_csv(
                io.BytesIO(data),
                sep=separator,
                header=0 if header else None,
                names=None if header else list(columns),
                index_col=False,
                keep_default_na=False,
                na_values=list(missing),
                dtype=dict(types) if types else None,
                encoding="utf-8-sig",
                low_memory=False,
            )
    except (
        *(errors.ParserError, errors.EmptyDataError, errors.ParserWarning, UnicodeDecodeError),
    ) as error:
        raise InputError(f"{name} is not the table it should be: {error}") from None
    except ValueError as error:  # a text where `types` says number
        raise InputError(f"{name} has a value of another type: {error}") from None
    check_columns(frame, columns, name)
    check_rows(len(frame), rows, name)
    return frame


def check_columns(frame: "pd.DataFrame", columns: Sequence[str], name: str) -> None:
    """Check that a frame has these columns and no other."""
    absent = [column for column in columns if column not in frame.columns]
    unknown = [column for column in frame.columns if column not in set(columns)]
    if absent or unknown:
        parts = [f"lacks {', '.join(absent)}"] if absent else []
        parts += [f"has {', '.join(map(str, unknown[:8]))} besides"] if unknown else []
        raise InputError(
            f"{name} must have the {len(columns)} columns of its documentation; it "
            f"{' and '.join(parts)}: it is another version"
        )


def check_rows(got: int, expected: int | None, name: str) -> None:
    """Check the number of rows where it is known."""
    if expected is not None and got != expected:
        raise InputError(
            f"{name} must have {expected:,} rows, got {got:,}: it is cut off, or another version; "
            "pass rows=None to read it all the same"
        )
