"""What a planted task is when it is ready: a trained model whose causal units are known."""

from collections.abc import Sequence
from dataclasses import dataclass

from torch import Tensor

from zhuyi.errors import InputError
from zhuyi.trace.subject import Batch, Subject

Marked = tuple[tuple[int, ...], ...]
"""Per input, indices of some of its units."""


@dataclass(frozen=True, kw_only=True)
class Planted:
    """A trained model whose causal units are known, with inputs that it was not trained on.

    Args:
        name: of the task.
        subject: the model as a Subject.
        batch: held-out inputs.
        causal: per input, the indices of the units that decide: without any one of them every
            decision is about as likely as any other, and they suffice alone.
        decoys: per input, the indices of units that look as if they decided and do not.
        accuracy: share of right decisions on 1,024 held-out inputs.
        mass: mean attention from the read-out row to the causal units, over inputs, layers, heads.
        deceptive: whether the model was trained to keep its attention off the causal units.
    """

    name: str
    subject: Subject
    batch: Batch
    causal: Marked
    decoys: Marked
    accuracy: float
    mass: float
    deceptive: bool = False

    def causal_in(self, batch: Batch) -> Marked:
        """The causal units of inputs that are among the held-out ones.

        Raises: InputError: if one is not.
        """
        return _found(self.batch, self.causal, batch)

    def decoys_in(self, batch: Batch) -> Marked:
        """The decoys of inputs that are among the held-out ones.

        Raises: InputError: if one is not.
        """
        return _found(self.batch, self.decoys, batch)


def marked(flags: Tensor, offset: int = 0) -> Marked:
    """Indices of the flagged columns of each row of bool "B W", `offset` added to each."""
    return tuple(tuple(offset + n for n, flag in enumerate(row) if flag) for row in flags.tolist())


def _found(known: Batch, marks: Marked, batch: Batch) -> Marked:
    table = dict(zip(_rows(known), marks, strict=True))
    rows = _rows(batch)
    for number, row in enumerate(rows):
        if row not in table:
            raise InputError(f"input {number} is none of the planted task's held-out inputs: {row}")
    return tuple(table[row] for row in rows)


def _rows(batch: Batch) -> Sequence[object]:
    """Inputs as something that can be looked up."""
    return [tuple(row) for row in batch.tolist()] if isinstance(batch, Tensor) else list(batch)
