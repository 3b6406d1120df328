"""Texts from whatever holds them: lists, arrays, series, frames of one column."""

from typing import Any

import narwhals as nw
import numpy as np

from zhuyi.errors import InputError


def read_texts(X: object) -> tuple[str, ...]:
    """The texts of X, in order; a missing one is empty.

    Args:
        X: a sequence of strings, an array "B" or "B 1", a series, or a frame of one column, of
            pandas or polars.
    Raises: InputError: one string by itself, several columns, cells that are no strings.
    """
    if isinstance(X, str | bytes):
        raise InputError("X must be a sequence of texts, got one text: put it into a list")
    cells = _cells(X)
    for row, cell in enumerate(cells):
        if not isinstance(cell, str) and not _missing(cell):
            raise InputError(
                f"X must hold texts, got {type(cell).__name__} in row {row}: turn it into a string"
            )
    return tuple(str(cell) if isinstance(cell, str) else "" for cell in cells)


def _cells(X: object) -> list[Any]:
    native = nw.from_native(X, allow_series=True, eager_only=True, pass_through=True)
    if isinstance(native, nw.Series):
        return list(native.to_list())
    if isinstance(native, nw.DataFrame):
        if native.shape[1] != 1:
            raise InputError(
                f"X must be texts of one column, got {native.shape[1]} columns: pass the one with "
                "the text"
            )
        return list(native.to_native()[native.columns[0]].to_list())
    array = X if isinstance(X, np.ndarray) else None
    if array is None:
        if not isinstance(X, list | tuple):
            raise InputError(f"X must be a sequence of texts, got {type(X).__name__}")
        if all(isinstance(cell, str) for cell in X):
            return list(X)
        array = np.array(X, dtype=object)
    if array.ndim == 2 and array.shape[1] == 1:
        array = array[:, 0]
    if array.ndim != 1:
        raise InputError(f"X must be texts of one column, got the shape {array.shape}")
    return list(array.tolist())


def _missing(cell: object) -> bool:
    """None, and the NaN of NumPy and pandas (which is not equal to itself)."""
    return cell is None or type(cell).__name__ == "NAType" or cell != cell
