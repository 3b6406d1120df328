"""A long input as a few passages: neighboring units that are removed together."""

from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from typing import Protocol, runtime_checkable

import torch
from torch import Tensor, nn

from zhuyi.core.record import Attribution, Unit
from zhuyi.trace.keep import Keep
from zhuyi.trace.subject import Batch, ModelSubject, NearbySubject, RemovableSubject
from zhuyi.trace.tape import Tape


@runtime_checkable
class Checkable(ModelSubject, RemovableSubject, NearbySubject, Protocol):
    """A subject on which every test of an explanation can run."""


def owners(units: Sequence[Unit], most: int) -> list[int]:
    """Per unit, the passage that it belongs to; special units are alone and end a passage.

    Args:
        units: of one input.
        most: passages that one text is cut into; a second text of a pair may add one.

    Example:
        >>> words = [Unit(label=c, positions=(i,)) for i, c in enumerate("abcde")]
        >>> owners([Unit(label="[CLS]", positions=(5,), special=True), *words], 2)
        [0, 1, 1, 1, 2, 2]
    """
    removable = sum(not unit.special for unit in units)
    owner: list[int] = []
    texts = _texts(units)
    for special, count in texts:
        first = owner[-1] + 1 if owner else 0
        parts = count if special else max(1, round(most * count / max(removable, 1)))
        owner += [first + place * min(parts, count) // count for place in range(count)]
    return owner


def _texts(units: Sequence[Unit]) -> list[tuple[bool, int]]:
    """Runs of special and of other units: (special, how many)."""
    found: list[tuple[bool, int]] = []
    for unit in units:
        if found and found[-1][0] == unit.special:
            found[-1] = (unit.special, found[-1][1] + 1)
        else:
            found.append((unit.special, 1))
    return found


@dataclass(frozen=True)
class Passages:
    """A subject that sees one input, however often it is repeated, in passages.

    Args:
        subject: what decides.
        whole: the input's own units.
        owner: per unit, its passage; see `owners`.
    """

    subject: Checkable
    whole: tuple[Unit, ...]
    owner: tuple[int, ...]

    @property
    def labels(self) -> tuple[str, ...]:
        """Names of the decisions."""
        return self.subject.labels

    @property
    def removal(self) -> str:
        """How a unit is removed."""
        return self.subject.removal

    @property
    def model(self) -> nn.Module:
        """What decides, as a module."""
        return self.subject.model

    @property
    def joined(self) -> tuple[Unit, ...]:
        """The passages."""
        parts: list[list[Unit]] = [[] for _ in range(max(self.owner, default=-1) + 1)]
        for unit, place in zip(self.whole, self.owner, strict=True):
            parts[place].append(unit)
        return tuple(_join(part) for part in parts)

    def units(self, batch: Batch) -> tuple[tuple[Unit, ...], ...]:
        """The passages of each repetition."""
        return (self.joined,) * len(batch)

    def decide(self, batch: Batch, keep: Tensor | None = None) -> Tensor:
        """Probabilities, with the passages outside `keep` removed."""
        return self.subject.decide(batch, None if keep is None else keep[:, list(self.owner)])

    def watch(self, batch: Batch, keep: Keep | None = None, *, gradient: bool = False) -> Tape:
        """The subject's own watch."""
        return self.subject.watch(batch, Keep() if keep is None else keep, gradient=gradient)

    def readout(self, tape: Tape) -> Tensor:
        """The subject's own readout."""
        return self.subject.readout(tape)

    def gather(self, batch: Batch, values: Tensor) -> Tensor:
        """Values of positions summed into those of passages."""
        return self.summed(self.subject.gather(batch, values))

    def nearby(
        self, batch: Batch, *, size: float, generator: torch.Generator
    ) -> AbstractContextManager[Batch]:
        """Inputs a little different."""
        return self.subject.nearby(batch, size=size, generator=generator)

    def summed(self, values: Tensor) -> Tensor:
        """Values "B N" of units as values "B P" of passages."""
        result = values.new_zeros(len(values), len(self.joined))
        return result.index_add(1, torch.tensor(self.owner, device=values.device), values)

    def of(self, attribution: Attribution) -> Attribution:
        """An explanation of the units as one of the passages."""
        values = self.summed(attribution.values)
        return replace(attribution, values=values, units=(self.joined,) * len(values))


def _join(units: Sequence[Unit]) -> Unit:
    first, last = units[0], units[-1]
    if len(units) == 1:
        return first
    return Unit(
        label=f"{first.label} … {last.label}",
        positions=tuple(position for unit in units for position in unit.positions),
        span=(first.span[0], last.span[1]) if first.span and last.span else None,
    )
