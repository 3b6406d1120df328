"""What makes a table useless or misleading for training, found before a minute is spent on it."""

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from zhuyi.errors import InputError
from zhuyi.learn.columns import KNOWN, Column
from zhuyi.learn.schema import Schema
from zhuyi.learn.warnings_of_data import DataWarning

FEWEST_ROWS: Final = 2
_FEW: Final = 20  # rows below which nothing that is learned can be checked
_RARER: Final = 20  # rows without the most frequent answer from which nearly all is said of them
_LEFT: Final = 0.02  # share of the mistakes that a column leaves which nearly tells
_NEARLY: Final = 1.0 - 1e-4  # correlation of numbers
_IDENTIFIER: Final = 50  # rows from which a category for every row is an identifier


@dataclass(frozen=True)
class Problem:
    """One thing that is wrong.

    Args:
        name: "constant", "leak", "near leak", "identifier" or "few rows".
        said: in a sentence, with the remedy.
    """

    name: str
    said: str


def find_problems(
    schema: Schema, codes: NDArray[np.float64], target: NDArray[np.generic]
) -> tuple[Problem, ...]:
    """What a person should hear before training.

    Args:
        schema: of the table.
        codes: "B N 2" of the training rows.
        target: "B" or "B C"; class indices, flags or numbers.
    Returns: constant columns, columns that tell the target by value in all rows or nearly all,
        identifiers, too few rows.
    Cost:    O(B N log B).
    """
    found: list[Problem] = []
    rows = len(codes)
    if rows < _FEW:
        found.append(
            Problem("few rows", f"{rows} rows are too few to check anything that is learned")
        )
    targets = target.reshape(rows, -1).T
    for place, column in enumerate(schema.columns):
        values, state = codes[:, place, 0], codes[:, place, 1]
        known = values[state == KNOWN]
        if len(np.unique(codes[:, place], axis=0)) == 1:
            said = f"column {column.name!r} is constant, it can say nothing: leave it out"
            found.append(Problem("constant", said))
            continue
        if column.kind == "categorical" and len(np.unique(known)) == rows >= _IDENTIFIER:
            said = f"column {column.name!r} has a value of its own in every row, as an identifier"
            found.append(Problem("identifier", f"{said} has: leave it out"))
        if rows >= _FEW and any(_tells(values, state, one) for one in targets):
            said = f"column {column.name!r} tells the target by its value in every row: leave it"
            found.append(Problem("leak", f"{said} out if it is known only after the decision"))
        elif rows >= _FEW and any(_nearly(column, values, state, one) for one in targets):
            said = f"column {column.name!r} tells the target by its value in nearly every row:"
            later = "leave it out if it is known only after the decision"
            found.append(Problem("near leak", f"{said} {later}"))
    return tuple(found)


def report(problems: Sequence[Problem], *, strict: bool) -> None:
    """Warn of problems, or raise them all at once.

    Raises: InputError: under `strict`, when there are any.
    """
    if strict and problems:
        raise InputError("; ".join(problem.said for problem in problems))
    for problem in problems:
        warnings.warn(problem.said, DataWarning, stacklevel=4)


def check_rows(rows: int) -> None:
    """Refuse a table that nothing can be learned from.

    Raises: InputError: fewer than two rows.
    """
    if rows < FEWEST_ROWS:
        raise InputError(
            f"training needs {FEWEST_ROWS} rows or more, got n_samples = {rows}: collect more"
        )


def _tells(
    values: NDArray[np.float64], state: NDArray[np.float64], target: NDArray[np.generic]
) -> bool:
    """Whether the column is the target under other names, or a straight line of it."""
    if (state != KNOWN).any():
        return False
    names, place = np.unique(values, return_inverse=True)
    classes, index = np.unique(target, return_inverse=True)
    if len(names) == len(classes) and len(classes) > 1:
        pairs = np.unique(np.stack([place, index]), axis=1)
        if pairs.shape[1] == len(names):
            return len(names) < len(values) or _straight(values, target)
    return False


def _nearly(
    column: Column,
    values: NDArray[np.float64],
    state: NDArray[np.float64],
    target: NDArray[np.generic],
) -> bool:
    """Whether a category leaves hardly a doubt, or numbers lie nearly on a straight line.

    A number that separates classes at one point is no leak: decisions are made at thresholds.
    """
    classes, index = np.unique(target, return_inverse=True)
    if target.dtype.kind == "f":
        known = state == KNOWN
        if column.by_category or known.sum() < _FEW:
            return False
        return _straight(values[known], target[known], _NEARLY)
    mistaken = len(index) - int(np.bincount(index).max())
    if not column.by_category or mistaken < _RARER or len(column.categories) > len(index) / 10:
        return False
    place = np.where(state == KNOWN, values, len(column.categories)).astype(np.int64)
    counts = np.zeros((len(column.categories) + 1, len(classes)), np.int64)
    np.add.at(counts, (place, index), 1)
    return bool(len(index) - counts.max(1).sum() <= _LEFT * mistaken)


def _straight(
    values: NDArray[np.float64], target: NDArray[np.generic], least: float = 1.0 - 1e-12
) -> bool:
    """Numbers that all differ pair with any others, so they must also lie on a straight line."""
    numbers = target.astype(np.float64)
    if values.std() == 0 or numbers.std() == 0:
        return False
    return bool(abs(np.corrcoef(values, numbers)[0, 1]) > least)
