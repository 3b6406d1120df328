"""Explanations whose verdict is known beforehand: true ones, false ones, and some in between.

Each is called like a method of `zhuyi.explain`. Those that know a planted task read their values
from it: hand their attribution to `verify`, not themselves, since nothing computed it.
"""

import zlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TypeAlias

import torch
from torch import Tensor

from zhuyi._check import check_share
from zhuyi.core.record import Attribution, Unit
from zhuyi.explain.sightings import logits_of, matrix_of, one_sequence
from zhuyi.explain.targets import chosen
from zhuyi.testing.planted.record import Marked, Planted
from zhuyi.testing.promises import Explainer
from zhuyi.trace.keep import Keep
from zhuyi.trace.subject import Batch, Subject

Targets: TypeAlias = Sequence[int] | None


@dataclass(frozen=True, kw_only=True)
class Truth:
    """The truth: 1 for each causal unit and 0 for the others, plus noise below `noise`.

    Args:
        planted: the task that knows.
        noise: largest random part of a value, so that no two units have the same.
        seed: of the noise.
    """

    planted: Planted
    noise: float = 0.01
    seed: int = 0

    def __call__(self, subject: Subject, batch: Batch, target: Targets = None) -> Attribution:
        """Explain held-out inputs of the planted task."""
        values = _marks(subject, batch, self.planted.causal_in(batch))
        return _attribution(
            subject, batch, target, values + self.noise * _noise(subject, batch, self.seed), "Truth"
        )


@dataclass(frozen=True, kw_only=True)
class Decoys:
    """The plausible mistake: 1 for each decoy of the task and 0 for the others, plus noise.

    Args:
        planted: the task that knows.
        noise: largest random part of a value.
        seed: of the noise.
    """

    planted: Planted
    noise: float = 0.01
    seed: int = 0

    def __call__(self, subject: Subject, batch: Batch, target: Targets = None) -> Attribution:
        """Explain held-out inputs of the planted task, wrongly."""
        values = _marks(subject, batch, self.planted.decoys_in(batch))
        noise = self.noise * _noise(subject, batch, self.seed)
        return _attribution(subject, batch, target, values + noise, "Decoys")


@dataclass(frozen=True, kw_only=True)
class HalfRight:
    """The truth on a share of the inputs and random values on the others.

    Args:
        planted: the task that knows.
        share: of inputs that get the truth, in [0, 1]; which ones is drawn.
        seed: of the draw and of the values.
    Raises: OptionError: if `share` is outside [0, 1].
    """

    planted: Planted
    share: float = 0.5
    seed: int = 0

    def __post_init__(self) -> None:
        check_share("share", self.share)

    def __call__(self, subject: Subject, batch: Batch, target: Targets = None) -> Attribution:
        """Explain held-out inputs of the planted task, some of them rightly."""
        truth = Truth(planted=self.planted, seed=self.seed)(subject, batch, target)
        chance = _noise(subject, batch, self.seed + 1)
        inputs = len(truth.units)
        lot = torch.randperm(inputs, generator=torch.Generator().manual_seed(self.seed))
        right = (lot < round(self.share * inputs))[:, None]
        return replace(
            truth,
            values=torch.where(right, truth.values, chance),
            method=f"HalfRight(share={self.share}, seed={self.seed})",
        )


@dataclass(frozen=True, kw_only=True)
class Reversed:
    """Minus the values of another method: what matters most comes last.

    Args:
        method: the other method.
    """

    method: Explainer

    def __call__(self, subject: Subject, batch: Batch, target: Targets = None) -> Attribution:
        """Explain the batch the wrong way round."""
        found = self.method(subject, batch, target)
        return replace(found, values=-found.values, method=f"Reversed({found.method})", signed=True)


@dataclass(frozen=True, kw_only=True)
class Constant:
    """The same value for every unit of every input."""

    def __call__(self, subject: Subject, batch: Batch, target: Targets = None) -> Attribution:
        """Say that all is equal."""
        real = _noise(subject, batch, 0) > 0
        return _attribution(subject, batch, target, real.float(), repr(self))


@dataclass(frozen=True, kw_only=True)
class Positional:
    """Always the same order: the first unit counts most, the last one least."""

    def __call__(self, subject: Subject, batch: Batch, target: Targets = None) -> Attribution:
        """Rank by position."""
        real = _noise(subject, batch, 0) > 0
        ranks = 1.0 / torch.arange(1.0, real.shape[1] + 1.0)
        return _attribution(subject, batch, target, real * ranks, repr(self))


@dataclass(frozen=True, kw_only=True)
class ReadoutAttention:
    """What most pictures of attention show: the weights of the rows that feed the decision.

        c_j = mean over layers and heads of sum_i r_i A_ij,   r the read-out rows

    The picture that a model trained to deceive falsifies (Pruthi et al. 2020, arXiv:1909.07913).
    """

    def __call__(self, subject: Subject, batch: Batch, target: Targets = None) -> Attribution:
        """Explain the batch."""
        tape = subject.watch(batch, Keep())
        rows = subject.readout(tape)
        with torch.no_grad():
            shares = [matrix_of(one).received(rows).mean(1) for one in one_sequence(tape)]
        return Attribution(
            values=subject.gather(batch, torch.stack(shares).mean(0)).float(),
            units=subject.units(batch),
            method=repr(self),
            target=chosen(logits_of(tape), target),
            signed=False,
        )


def _attribution(
    subject: Subject, batch: Batch, target: Targets, values: Tensor, method: str
) -> Attribution:
    return Attribution(
        values=values,
        units=subject.units(batch),
        method=method,
        target=chosen(subject.decide(batch), target),
        signed=False,
    )


def _marks(subject: Subject, batch: Batch, marked: Marked) -> Tensor:
    """One for each marked unit: float32 "B N"."""
    units = subject.units(batch)
    values = torch.zeros(len(units), max(map(len, units)))
    for row, marks in enumerate(marked):
        values[row, list(marks)] = 1.0
    return values


def _noise(subject: Subject, batch: Batch, seed: int) -> Tensor:
    """Numbers in (0, 1] drawn by each input's units and place: float32 "B N", 0 for no unit."""
    units = subject.units(batch)
    values = torch.zeros(len(units), max(map(len, units)))
    for row, named in enumerate(units):
        drawn = torch.rand(len(named), generator=_generator(named, row, seed))
        values[row, : len(named)] = 1.0 - drawn
    return values


def _generator(units: Sequence[Unit], row: int, seed: int) -> torch.Generator:
    # The row counts too: the columns of a table have the same names in every input.
    text = "\0".join([str(seed), str(row), *(unit.label for unit in units)])
    return torch.Generator().manual_seed(zlib.crc32(text.encode()))
