"""The desk of a saved estimator of tables: a row, its columns as factors."""

import math
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Final

from torch import Tensor

from zhuyi.core.record import Said, Verdict
from zhuyi.errors import InputError
from zhuyi.learn import AttentionClassifier, AttentionRegressor
from zhuyi.learn.columns import KNOWN, Column
from zhuyi.learn.table_subject import TableSubject
from zhuyi.trace.subject import Batch
from zhuyi.ui.steering.desk import Cell, ColumnOf, Decision, Example, Explained, Given, Kind, Piece
from zhuyi.ui.steering.glass_box import GlassBoxDesk

_MADE_UP: Final = 3  # rows that are offered where a person gives none
_BESIDE: Final = 127  # typical rows beside one for a probe
_DAY: Final = 86_400.0
_TYPICAL: Final = Said(
    en="The examples are made up of values that are typical of each column by itself: no row of "
    "the training data is in the model.",
    zh="示例由各列各自的典型值拼成：模型中没有保存任何一行训练数据。",
)


class TableDesk:
    """Rows of a table.

    Args:
        model: the estimator.
        name: of it, for people.
        more: a person's own examples; made-up rows are offered without any.
    """

    kind: Kind = "table"
    unit = ""

    def __init__(
        self,
        model: AttentionClassifier | AttentionRegressor,
        name: str,
        more: Sequence[Example] = (),
    ) -> None:
        self._box = GlassBoxDesk(model)
        self.steered = model.subject()
        self.model, self.title = name, f"zhuyi · {name}"
        self.labels: tuple[str, ...] = model.labels_
        self.many, self.measure = self._box.many, self._box.measure
        self._columns = model.schema_.columns
        self.columns = tuple(_field(one) for one in self._columns)
        self.examples = tuple(more) or tuple(made_up(self.steered))
        self.notes = (self._box.note, *(() if more else (_TYPICAL,)))

    def batch(self, given: Given) -> Batch:
        """One row as codes."""
        record = given.record or {}
        unknown = [name for name in record if name not in self.steered.schema.names]
        if unknown:
            raise InputError(f"there is no column {unknown[0][:80]!r}")
        row = {one.name: _checked(one, record.get(one.name)) for one in self._columns}
        return self.steered.read([row])

    def pieces(self, batch: Batch) -> tuple[Piece, ...]:
        """The columns with their values."""
        assert isinstance(batch, Tensor)
        rows = batch[0].tolist()
        return tuple(
            Piece(name=one.name, positions=(place,), text=_shown(one, *rows[place][:2]))
            for place, one in enumerate(self._columns)
        )

    def decide(self, batch: Batch) -> list[Decision]:
        """What the model says of each input."""
        return self._box.decide(batch)

    def explain(self, batch: Batch, target: int, decision: Decision) -> Explained:
        """What each column adds."""
        return Explained(values=self._box.values(batch, target))

    def names(self, indices: Sequence[int]) -> list[str]:
        """Names of some decisions."""
        return [self.labels[index] for index in indices]

    def judge(self, batch: Batch, target: int) -> tuple[Verdict, int] | None:
        """Of the removal test, among typical rows."""
        return self._box.judge(batch, target)

    def beside(self, batch: Batch) -> Batch:
        """The row with typical ones after it."""
        return self._box.beside(batch, _BESIDE)


def made_up(subject: TableSubject) -> list[Example]:
    """A row of middle values, and a few of typical ones; each column by itself."""
    schema = subject.schema
    middle = {one.name: _cell(one, *_middle(one)) for one in schema.columns}
    found = [Example(name="typical values · 典型值", given=Given(record=middle))]
    for number, row in enumerate(schema.spread(_MADE_UP, seed=2).tolist(), start=1):
        pairs = zip(schema.columns, row, strict=True)
        record = {column.name: _cell(column, *cell[:2]) for column, cell in pairs}
        found.append(Example(name=f"made up · 虚构 {number}", given=Given(record=record)))
    return found


def record_of(columns: Sequence[Column], row: Mapping[str, object]) -> dict[str, Cell]:
    """A row of a file as the page gives it; columns that are not there are missing."""
    found: dict[str, Cell] = {}
    for column in columns:
        value = row.get(column.name)
        if isinstance(value, datetime):
            value = value.isoformat()
        plain = isinstance(value, bool | int | float | str)
        found[column.name] = value if plain else None  # type: ignore[assignment]
    return found


def _checked(column: Column, cell: Cell) -> object:
    """A cell of the page as the model's columns take it.

    Raises: InputError: if it is of another kind.
    """
    if cell is None or cell == "":
        return None
    wanted = "a number"
    if column.kind == "numeric":
        if isinstance(cell, float) and not isinstance(cell, bool):
            return cell
    elif column.kind == "boolean":
        wanted = "True or False"
        if str(cell) in ("True", "False"):
            return str(cell) == "True"
    elif column.kind == "ordinal":
        wanted = "one of its grades"
        if cell in column.categories:
            return cell
    else:
        wanted = "a text"
        if isinstance(cell, str):
            return cell
        if isinstance(cell, float) and cell.is_integer():
            return str(int(cell))  # a category that is written as a number
    raise InputError(f"column {column.name!r} must hold {wanted}")


def _field(column: Column) -> ColumnOf:
    name = column.name
    if column.kind in ("categorical", "ordinal", "boolean"):
        return ColumnOf(name=name, kind="category", values=column.categories)
    if column.kind != "numeric":
        return ColumnOf(name=name, kind="date" if column.kind == "date" else "text")
    known = [value for value, state in column.draws if state == KNOWN] or [0.0, 1.0]
    return ColumnOf(
        name=name, kind="number", low=min(known), high=max(known), step=_step(column, known)
    )


def _step(column: Column, known: Sequence[float]) -> float:
    """1 for whole numbers, else a power of ten some fiftieth of the spread."""
    if all(float(value).is_integer() for value in known):
        return 1.0
    return float(10.0 ** math.floor(math.log10(column.scale / 5.0)))


def _middle(column: Column) -> tuple[float, int]:
    """The code of a middle value, or of the most frequent category."""
    known = [value for value, state in column.draws if state == KNOWN]
    if not known:
        return column.draws[0] if column.draws else (0.0, 1)
    if column.by_category:
        return max(known, key=known.count), KNOWN
    return sorted(known)[len(known) // 2], KNOWN


def _cell(column: Column, value: float, state: float) -> Cell:
    """A code as the page gives it."""
    if state != KNOWN or column.kind == "text":
        return None
    if column.categories:
        return column.categories[int(value)]
    if column.kind == "date":
        return datetime.fromtimestamp(value * _DAY, UTC).date().isoformat()
    return round(value, 6)


def _shown(column: Column, value: float, state: float) -> str:
    cell = _cell(column, value, state)
    if column.kind == "text" and state == KNOWN:
        return "…"
    if cell is None:
        return "—"
    return f"{cell:.6g}" if isinstance(cell, float) else str(cell)
