"""A desk: what the page can do with one model and one input of its kind."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal, Protocol, TypeAlias

from zhuyi.core.record import Said, Verdict
from zhuyi.trace.subject import Batch, Subject
from zhuyi.verify import Deletion

QUICK: Final = Deletion(steps=8, orders=10, width=1)
"""The test behind a verdict here: as coarse as it can be and still tell chance apart."""

Kind = Literal["text", "table", "series"]
Cell: TypeAlias = str | float | bool | None


@dataclass(frozen=True, kw_only=True)
class Given:
    """An input as the page gives it: one of the three.

    Args:
        text: of a model of texts.
        record: column -> cell, of a model of tables.
        series: number of an example, of a model of series.
    """

    text: str | None = None
    record: Mapping[str, Cell] | None = None
    series: int | None = None

    def as_json(self) -> dict[str, Any]:
        """Plain JSON."""
        if self.text is not None:
            return {"text": self.text}
        if self.record is not None:
            return {"record": dict(self.record)}
        return {"series": self.series}


@dataclass(frozen=True, kw_only=True)
class Example:
    """An input to begin with.

    Args:
        name: what a person calls it.
        given: the input.
    """

    name: str
    given: Given


@dataclass(frozen=True, kw_only=True)
class ColumnOf:
    """A column of a table, for the field that a person fills in.

    Args:
        name: of the column.
        kind: "number", "category", "date" (a day as text) or "text".
        low, high: the least and the largest typical value of a number.
        step: by which a number is sensibly changed.
        values: of a category.
    """

    name: str
    kind: Literal["number", "category", "date", "text"]
    low: float | None = None
    high: float | None = None
    step: float | None = None
    values: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Measure:
    """What the number beside a piece is.

    Args:
        kind: "attention" (share of all) or "contribution" (what it adds to the decision).
        unit: of it.
        said: the same in a sentence.
    """

    kind: Literal["attention", "contribution"]
    unit: str
    said: Said


def said(one: Said) -> dict[str, str]:
    """A sentence as JSON."""
    return {"en": one.en, "zh": one.zh}


@dataclass(frozen=True, kw_only=True)
class Decision:
    """What a model decides of one input.

    Args:
        shares: probability of each label; () of a regressor.
        index: of the label that was decided; 0 of a regressor.
        value: the number of a regressor, else None.
    """

    shares: tuple[float, ...]
    index: int
    value: float | None = None

    def strength(self, target: int) -> float:
        """How much it says the target: its probability, or the number itself."""
        return self.shares[target] if self.value is None else self.value


@dataclass(frozen=True, kw_only=True)
class Piece:
    """A part of an input that a person can point at.

    Args:
        name: what a person reads.
        positions: of the model that hold it.
        text: the value of a column, or of a stretch of time.
        start, end: characters of the text, or None.
        special: whether the model added it.
    """

    name: str
    positions: tuple[int, ...]
    text: str | None = None
    start: int | None = None
    end: int | None = None
    special: bool = False


@dataclass(frozen=True, kw_only=True)
class Explained:
    """What counted.

    Args:
        values: one a piece, see `Measure`.
        lines: the decision in words, where the model has more to say than a label.
    """

    values: tuple[float, ...]
    lines: tuple[Said, ...] = ()


class Desk(Protocol):
    """One model, and how inputs of its kind are read, decided and explained.

    Whatever is called within a block of `zhuyi.steer` is steered.
    """

    @property
    def kind(self) -> Kind:
        """What an input is."""
        ...

    @property
    def model(self) -> str:
        """The model's name, for people."""
        ...

    @property
    def title(self) -> str:
        """What the page is called."""
        ...

    @property
    def labels(self) -> tuple[str, ...]:
        """Names of the decisions; () where there are too many to list."""
        ...

    @property
    def many(self) -> bool:
        """Whether each label is a question of its own, so that shares do not sum to 1."""
        ...

    @property
    def unit(self) -> str:
        """Of a regressor's number, "" where there is none."""
        ...

    @property
    def examples(self) -> tuple[Example, ...]:
        """Inputs to begin with."""
        ...

    @property
    def columns(self) -> tuple[ColumnOf, ...]:
        """Of a table, else ()."""
        ...

    @property
    def notes(self) -> tuple[Said, ...]:
        """What a person has to know of the model."""
        ...

    @property
    def measure(self) -> Measure:
        """What `explain` gives."""
        ...

    @property
    def steered(self) -> Subject:
        """What `zhuyi.steer` is given."""
        ...

    def batch(self, given: Given) -> Batch:
        """One input as the model takes it. Raises: InputError: if it is none of its kind."""
        ...

    def pieces(self, batch: Batch) -> tuple[Piece, ...]:
        """What it is made of, in reading order."""
        ...

    def decide(self, batch: Batch) -> list[Decision]:
        """What the model says of each input of a batch, in one call."""
        ...

    def explain(self, batch: Batch, target: int, decision: Decision) -> Explained:
        """How much each piece of the one input counts for the target.

        Args:
            batch: one input.
            target: index of a decision.
            decision: what `decide` said of this input, under the same rules.
        """
        ...

    def names(self, indices: Sequence[int]) -> list[str]:
        """Names of some decisions."""
        ...

    def judge(self, batch: Batch, target: int) -> tuple[Verdict, int] | None:
        """A verdict on `explain`, with this input's place in it; None where none can be had."""
        ...

    def beside(self, batch: Batch) -> Batch:
        """The input, with more of its kind after it where there are any: for probes."""
        ...
