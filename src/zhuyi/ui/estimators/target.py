"""What is to be predicted, read from one column or several."""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

import numpy as np
from numpy.typing import NDArray

from zhuyi.errors import InputError, OptionError
from zhuyi.ui.estimators.cells import kind_of, number, truth, values_as
from zhuyi.ui.estimators.sheet import Cell, Sheet

Task = Literal["classes", "labels", "number"]
TASKS: Final = ("auto", "classify", "regress")
_FEW_CLASSES: Final = 10  # different whole numbers up to which they are taken for classes


@dataclass(frozen=True, kw_only=True)
class Target:
    """Answers to learn from.

    Args:
        task: one of several classes, any number of labels, or a number.
        names: of the target's columns, one but for labels.
        values: "B" classes or numbers, or "B C" of 0 and 1.
        places: "B", of each answer its row's place in the sheet; rows without one are left out.
        why: how the task was told, in words.
    """

    task: Task
    names: tuple[str, ...]
    values: NDArray[Any]
    places: tuple[int, ...]
    why: str

    @property
    def counts(self) -> dict[str, int]:
        """Rows by class or label; empty for a number."""
        if self.task == "number":
            return {}
        if self.task == "labels":
            sums = self.values.sum(0).tolist()
            return dict(zip(self.names, map(int, sums), strict=True))
        return {str(one): count for one, count in sorted(Counter(self.values.tolist()).items())}


def read_target(sheet: Sheet, names: Sequence[str], asked: str) -> Target:
    """The target's columns as answers.

    Args:
        sheet: the table.
        names: of the columns; several are labels of which any number can hold.
        asked: "classify", "regress" or "auto".
    Raises: InputError: no such column, no answers, one class only, cells that are no answers.
        OptionError: a task that does not fit.
    """
    if asked not in TASKS:
        raise OptionError(f"--task must be one of {', '.join(TASKS)}, got {asked!r}")
    if not names or len(set(names)) < len(names):
        raise OptionError("give each --target COLUMN once, and one at least")
    columns = [sheet.column(name, "--target") for name in names]
    places = tuple(p for p in range(len(sheet)) if all(cells[p] is not None for cells in columns))
    if not places:
        raise InputError(f"no row of {sheet.name} has a target in {' and '.join(map(repr, names))}")
    if len(names) > 1:
        return _labels(sheet, names, columns, places, asked)
    name, cells = names[0], [columns[0][place] for place in places]
    rows = [sheet.rows[place] for place in places]
    task, why = _told(name, cells, rows, asked)
    if task == "number":
        values = np.array(values_as("numeric", name, cells, rows, flag=""), np.float64)
        if values.min() == values.max():
            raise InputError(f"the target {name!r} is {values[0]:g} in every row: nothing to learn")
    else:
        values = _classes(cells)
        found = np.unique(values)
        if len(found) < 2:
            raise InputError(
                f"the target {name!r} has one class only, {found[0]!s}: a classifier needs rows "
                "of 2 classes or more"
            )
    return Target(task=task, names=(name,), values=values, places=places, why=why)


def _told(name: str, cells: Sequence[Cell], rows: Sequence[int], asked: str) -> tuple[Task, str]:
    if asked != "auto":
        return ("number" if asked == "regress" else "classes"), "as --task says"
    if kind_of(name, cells, rows) != "numeric":
        return "classes", "its cells are no numbers"
    numbers = {number(cell) for cell in cells}
    if len(numbers) == 2:
        return "classes", "it has two values"
    whole = all(one is not None and one.is_integer() for one in numbers)
    if whole and len(numbers) <= _FEW_CLASSES:
        return "classes", f"it has {len(numbers)} whole numbers; --task regress if they measure"
    return "number", "its cells are numbers; --task classify if they name classes"


def _classes(cells: Sequence[Cell]) -> NDArray[Any]:
    """Whole numbers as such, everything else as texts."""
    numbers = [number(cell) for cell in cells]
    names = any(isinstance(cell, str) and re.fullmatch(r"0\d+", cell) for cell in cells)
    whole = all(one is not None and one.is_integer() and abs(one) < 2**53 for one in numbers)
    if whole and not names:
        return np.array([int(one) for one in numbers if one is not None], np.int64)
    return np.array([str(cell) for cell in cells])


def _labels(
    sheet: Sheet,
    names: Sequence[str],
    columns: Sequence[Sequence[Cell]],
    places: tuple[int, ...],
    asked: str,
) -> Target:
    if asked == "regress":
        raise OptionError("several targets are labels, not numbers: fit one model a number")
    flags = np.zeros((len(places), len(names)), np.int64)
    for column, (name, cells) in enumerate(zip(names, columns, strict=True)):
        for row, place in enumerate(places):
            flag = truth(cells[place])
            if flag is None:
                raise InputError(
                    f"several targets are labels that hold or not: {name!r} must be 0 or 1, true "
                    f"or false, yes or no, got {cells[place]!r} in row {sheet.rows[place]}"
                )
            flags[row, column] = flag
    single = [name for name, one in zip(names, flags.T, strict=True) if len(set(one.tolist())) < 2]
    if single:
        raise InputError(f"the targets {single} are the same in every row: leave them out")
    return Target(
        task="labels", names=tuple(names), values=flags, places=places,
        why="several targets: any number of labels can hold",
    )  # fmt: skip
