"""The one narrow protocol against which explaining, verifying and steering are written.

A Subject is whatever decides: a Hugging Face classifier, a hand-written module, a fitted
estimator. B inputs are run as B' sequences: B' = B, or 2 B where an input is a pair of sentences
that are read one by one (then sequences 2 b and 2 b + 1 belong to input b).
"""

from collections.abc import Sequence
from contextlib import AbstractContextManager
from typing import Protocol, TypeAlias, runtime_checkable

import torch
from torch import Tensor, nn

from zhuyi.core.record import Site, Unit
from zhuyi.errors import ShapeError
from zhuyi.trace.keep import Keep
from zhuyi.trace.tape import Tape

Batch: TypeAlias = Sequence[object] | Tensor
"""What a subject reads: a sequence of inputs (texts, pairs, images) or a tensor "B N ..."."""


class Subject(Protocol):
    """Whatever decides, with named pieces of input and a way to look at its attention."""

    @property
    def labels(self) -> tuple[str, ...]:
        """Names of the C decisions; "" where one has no name."""
        ...

    @property
    def removal(self) -> str:
        """How a unit is removed in `decide`, in words ("mask token", "deletion", ...)."""
        ...

    def units(self, batch: Batch) -> tuple[tuple[Unit, ...], ...]:
        """Per input, its named pieces in reading order."""
        ...

    def decide(self, batch: Batch, keep: Tensor | None = None) -> Tensor:
        """Probabilities "B C", with the units outside `keep` (bool "B N") removed.

        Special units are never removed, whatever `keep` says of them.
        """
        ...

    def watch(self, batch: Batch, keep: Keep = ..., *, gradient: bool = False) -> Tape:
        """The same run under observation; `tape.logits` is "B C", with a graph if `gradient`."""
        ...

    def readout(self, tape: Tape) -> Tensor:
        """Weights "B' Q" of the query rows that feed the decision; each row sums to 1."""
        ...

    def gather(self, batch: Batch, values: Tensor) -> Tensor:
        """Per-position values "B' K" to per-unit values "B N": sums over a unit's positions."""
        ...


@runtime_checkable
class DifferentiableSubject(Subject, Protocol):
    """A subject whose decision is a differentiable function of vectors, one a position."""

    def embed(self, batch: Batch) -> Tensor:
        """The vectors that enter the model, "B' T E", detached."""
        ...

    def baseline(self, batch: Batch) -> Tensor:
        """The vectors of an input that says nothing, "B' T E", detached."""
        ...

    def decide_embedded(self, batch: Batch, embeddings: Tensor) -> Tensor:
        """Logits "B C" of the inputs with their vectors replaced by `embeddings` "B' T E"."""
        ...


@runtime_checkable
class ProjectedSubject(Subject, Protocol):
    """A subject that can show the linear map behind an attention, where there is one."""

    def output_projection(self, site: Site) -> Tensor | None:
        """Weight "E (H D)" of the map from the joined heads to the model's width, or None."""
        ...


@runtime_checkable
class RemovableSubject(Subject, Protocol):
    """A subject that knows more than one honest way to remove a unit."""

    @property
    def removals(self) -> tuple[str, ...]:
        """Names of all ways, the one that `decide` uses first (it is `removal`)."""
        ...

    def removing(self, how: str) -> Subject:
        """The same subject on the same model, whose `decide` removes units the way named `how`.

        Raises: OptionError: if there is no such way.
        """
        ...


@runtime_checkable
class ModelSubject(Subject, Protocol):
    """A subject whose decision is made by one PyTorch module."""

    @property
    def model(self) -> nn.Module:
        """The module; a test may change its parameters, and restores them bit for bit."""
        ...


@runtime_checkable
class NearbySubject(Subject, Protocol):
    """A subject whose inputs can be changed a little without changing their units."""

    def nearby(
        self, batch: Batch, *, size: float, generator: torch.Generator
    ) -> AbstractContextManager[Batch]:
        """Inputs a little different from `batch`; within the block they may be explained.

        The change is one draw, the same for every run within the block: Gaussian noise of `size`
        times the standard deviation of what enters the model (a token's embedding, a number).
        """
        ...


def gather_units(
    sequences: Sequence[Sequence[Unit]], values: Tensor, *, per_input: int = 1
) -> Tensor:
    """Sum per-position values into per-unit values.

    Args:
        sequences: per sequence (B' of them), its units.
        values: "B' K", one value a position.
        per_input: sequences an input is made of; B' = B * per_input.
    Returns: "B N", N the largest number of units of an input; units that do not exist have 0.
    Raises:  ShapeError: if `values` has another number of sequences or too few positions.
    Cost:    O(B' K).
    """
    if values.dim() != 2 or values.shape[0] != len(sequences):
        raise ShapeError(
            f"values must be (B', K) with B' = {len(sequences)}, got {tuple(values.shape)}"
        )
    counts = [len(units) for units in sequences]
    width = max(
        (sum(counts[i : i + per_input]) for i in range(0, len(counts), per_input)), default=0
    )
    result = values.new_zeros(len(sequences) // per_input, width)
    for row, units in enumerate(sequences):
        first = sum(counts[row - row % per_input : row])
        index, owner = _ownership(units, values.shape[1], first)
        source = values[row].index_select(0, index.to(values.device))
        result[row // per_input].index_add_(0, owner.to(values.device), source)
    return result


def _ownership(units: Sequence[Unit], length: int, first: int) -> tuple[Tensor, Tensor]:
    """Positions of all units, and beside each the unit (from `first` on) that it belongs to."""
    pairs = [(p, first + n) for n, unit in enumerate(units) for p in unit.positions]
    if any(position >= length for position, _ in pairs):
        raise ShapeError(
            f"values must have one column a position, got {length}, the units need more"
        )
    table = torch.tensor(pairs, dtype=torch.long).reshape(-1, 2)
    return table[:, 0], table[:, 1]
