"""A saved estimator asked about the rows of a file."""

import math
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from zhuyi.errors import InputError, OptionError
from zhuyi.learn import TextAttentionClassifier, UnseenWarning, load
from zhuyi.learn.estimator import TableEstimator
from zhuyi.ui.estimators.cells import values_as
from zhuyi.ui.estimators.record import Kept, read
from zhuyi.ui.estimators.sheet import Sheet, close_names, listed, read_sheet


@dataclass(frozen=True, kw_only=True)
class Opened:
    """A model's folder.

    Args:
        model: the estimator.
        kept: what its fit.json says.
        text: the column of text that it reads, or None for a table.
    """

    model: Any
    kept: Kept
    text: str | None

    @property
    def names(self) -> tuple[str, ...]:
        """The columns that it reads."""
        if self.text is not None:
            return (self.text,)
        names: tuple[str, ...] = self.model.schema_.names
        return names


@dataclass(frozen=True, kw_only=True)
class Asked:
    """Rows of a file as a model takes them.

    Args:
        sheet: the file, less the rows that cannot be used.
        inputs: its rows for the estimator.
        notes: what a person should hear: columns that are missing or not read, unseen categories.
    """

    sheet: Sheet
    inputs: Any
    notes: tuple[str, ...]


def open_model(folder: Path, text: str | None = None) -> Opened:
    """Load a model's folder.

    Args:
        folder: that `zhuyi fit -o` or `save` wrote.
        text: the column of text, where the folder does not say it.
    Raises: InputError: no such folder, or no such model. OptionError: a text model whose column is
        not known, or a column of text for a table.
    """
    kept = read(folder)
    model = load(folder)
    if isinstance(model, TableEstimator):
        if text is not None:
            raise OptionError(f"{folder} reads a table, not a column of text: leave it out")
        return Opened(model=model, kept=kept, text=None)
    if not isinstance(model, TextAttentionClassifier):
        raise OptionError(
            f"{folder} holds a {type(model).__name__}, which reads no files: use it from Python"
        )
    text = text or kept.text
    if text is None:
        raise OptionError(f"{folder} reads texts: say which column holds them (--text)")
    return Opened(model=model, kept=kept, text=text)


def read_rows(
    opened: Opened, path: Path, *, allow_missing: bool = False, limit: int | None = None
) -> Asked:
    """The file's rows as the model takes them.

    Args:
        opened: the model.
        path: the file, or "-".
        allow_missing: whether a column that is not there is read as one of missing cells.
        limit: how many usable rows to take, from the start.
    Raises: InputError: a column that is not there, a cell of another kind than in training.
    """
    kept = opened.kept
    sheet = read_sheet(path, wanted=opened.names, missing=kept.missing, limit=limit)
    notes = []
    absent = [name for name in opened.names if name not in sheet.columns]
    if absent and (not allow_missing or opened.text is not None):
        raise InputError(_absent(sheet, absent))
    if absent:
        notes.append(f"read as missing in every row: {listed(absent)}")
    known = {*opened.names, *kept.targets, *kept.unused}
    extra = [name for name in sheet.columns if name not in known]
    if extra:
        notes.append(f"not read, because training did not have them: {listed(extra)}")
    if opened.text is not None:
        texts = ["" if cell is None else str(cell) for cell in sheet.columns[opened.text]]
        return Asked(sheet=sheet, inputs=texts, notes=tuple(notes))
    columns: dict[str, list[object]] = {}
    for column in opened.model.schema_.columns:
        cells = sheet.columns.get(column.name, (None,) * len(sheet))
        columns[column.name] = values_as(column.kind, column.name, cells, sheet.rows, flag="")
    table = _frame(opened.model, columns)
    notes += _unseen(opened.model, table)
    return Asked(sheet=sheet, inputs=table, notes=tuple(notes))


@dataclass(frozen=True, kw_only=True)
class Predictions:
    """What a model says of rows.

    Args:
        task: "classes", "labels" or "number".
        labels: names of the classes or labels; of a number, its name.
        said: per row, the class, the labels that hold (joined by "; "), or the number.
        shares: per row, the probability of each label; empty of a number.
    """

    task: str
    labels: tuple[str, ...]
    said: tuple[str | float, ...]
    shares: tuple[tuple[float, ...], ...]


def predictions(opened: Opened, asked: Asked) -> Predictions:
    """The model's decisions on the rows."""
    model = opened.model
    labels: tuple[str, ...] = model.labels_
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UnseenWarning)  # said already
        found = model.predict(asked.inputs)
        task = task_of(model)
        if task == "number":
            return Predictions(task=task, labels=labels, said=tuple(map(float, found)), shares=())
        shares = model.predict_proba(asked.inputs)
    if task == "labels":
        said = tuple(
            "; ".join(label for label, flag in zip(labels, row, strict=True) if flag)
            for row in found.tolist()
        )
    else:
        said = tuple(str(one) for one in found.tolist())
    rows = tuple(tuple(map(float, row)) for row in shares.tolist())
    return Predictions(task=task, labels=labels, said=said, shares=rows)


def factor_rows(
    opened: Opened, asked: Asked, *, verify: bool
) -> tuple[tuple[str, ...], list[tuple[Any, ...]]]:
    """Names of the columns of the tidy table of factors, and its rows with the file's row numbers.

    Args:
        opened, asked: the model and its rows.
        verify: whether each row's explanation is tested.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UnseenWarning)
        table = opened.model.explain(asked.inputs, verify=verify)
    names = tuple(str(name) for name in table.columns)
    place = names.index("row")
    found = []
    for line in table.itertuples(index=False, name=None):
        cells = [_plain(cell) for cell in line]
        cells[place] = asked.sheet.rows[int(line[place])]
        found.append(tuple(cells))
    return names, found


def task_of(model: Any) -> str:
    """ "classes", "labels" or "number"."""
    if "classes_" not in vars(model):
        return "number"
    return "labels" if model.multilabel_ else "classes"


def _plain(cell: Any) -> Any:
    """A cell as plain JSON: numbers without NaN, numpy's as Python's."""
    value = cell.item() if type(cell).__module__ == "numpy" else cell
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _absent(sheet: Sheet, absent: Sequence[str]) -> str:
    hints = []
    for name in absent:
        alike = close_names(name, tuple(sheet.columns))
        hints.append(f"{name!r} (did you mean {alike[0]!r}?)" if alike else repr(name))
    return (
        f"{sheet.name} lacks {', '.join(hints[:8])}, which the model was trained on: add "
        f"{'it' if len(absent) == 1 else 'them'}, or read as missing with --allow-missing"
    )


def _frame(model: Any, columns: Mapping[str, list[object]]) -> Any:
    """The columns as a frame where the model knows their names, else as plain rows."""
    if "feature_names_in_" in vars(model):
        import pandas as pd

        table: pd.DataFrame = pd.DataFrame(
            {name: pd.Series(values, dtype=_dtype(values)) for name, values in columns.items()}
        )
        return table
    rows = zip(*columns.values(), strict=True)
    return [dict(zip(columns, row, strict=True)) for row in rows]


def _dtype(values: Sequence[object]) -> str:
    numbers = all(value is None or type(value) is float for value in values)
    return "float64" if numbers else "object"


def _unseen(model: Any, table: Any) -> list[str]:
    notes = []
    for name, found in model.unseen(table).items():
        some = ", ".join(f"{text!r}" for text in list(found)[:3])
        more = f" and {len(found) - 3} more" if len(found) > 3 else ""
        notes.append(
            f"column {name!r}: {sum(found.values()):,} cells of categories that training never saw "
            f"({some}{more}), read as an average category"
        )
    return notes
