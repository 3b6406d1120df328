"""Which query rows of the last attention feed a decision: one small class an answer.

    readout "B Q": non-negative, each row sums to 1

`FirstRow` is the [CLS] head, `LastRow` the last real token of a causal model, `MeanRows` mean
pooling; `MeasuredRows` asks the model itself.
"""

from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor

from zhuyi.errors import NotWatchable


class Readout(Protocol):
    """Weights of the query rows that a model reads its decision from."""

    def rows(self, real: Tensor) -> Tensor:
        """Weights "B Q" for real positions "B Q" (bool); each row sums to 1."""
        ...


@dataclass(frozen=True, kw_only=True)
class FirstRow:
    """The decision is read from one fixed position, by default the first ([CLS])."""

    position: int = 0

    def rows(self, real: Tensor) -> Tensor:
        """One at `position`, zero elsewhere: float32 "B Q"."""
        weights = torch.zeros(real.shape, dtype=torch.float32, device=real.device)
        weights[:, self.position] = 1.0
        return weights


@dataclass(frozen=True, kw_only=True)
class LastRow:
    """The decision is read from the last real position (causal models)."""

    def rows(self, real: Tensor) -> Tensor:
        """One at each row's last real position: float32 "B Q"."""
        weights = torch.zeros(real.shape, dtype=torch.float32, device=real.device)
        return weights.scatter(1, last_positions(real)[:, None], 1.0)


@dataclass(frozen=True, kw_only=True)
class MeanRows:
    """The decision is read from the mean over real positions, from `first` on."""

    first: int = 0

    def rows(self, real: Tensor) -> Tensor:
        """Equal weights over the real positions from `first` on: float32 "B Q"."""
        weights = real.to(torch.float32).clone()
        weights[:, : self.first] = 0.0
        return weights / weights.sum(1, keepdim=True).clamp_min(1.0)


@dataclass(frozen=True, kw_only=True)
class MeasuredRows:
    """The decision's rows are measured, for heads that nobody has described.

        w_i = ||d logit / d output_i|| / sum_i ||d logit / d output_i||

    with `output_i` the result of the last attention at query i. After the last attention a
    transformer works row by row, so the gradient is exactly zero at rows that are not read.
    Costs one backward pass over what follows the last attention.
    """

    def rows(self, real: Tensor) -> Tensor:
        """Cannot be told without running the model: use `measure_rows`."""
        raise NotWatchable("MeasuredRows needs a run with gradients: use measure_rows")


def last_positions(real: Tensor) -> Tensor:
    """Index of the last real position of each row: int64 "B" for bool "B Q"."""
    positions = torch.arange(real.shape[1], device=real.device)
    return (positions * real).amax(1)


def measure_rows(logits: Tensor, output: Tensor) -> Tensor:
    """Weights of the rows of `output` that the most likely decision depends on.

    Args:
        logits: "B C", with the graph that leads to `output`.
        output: "B' H Q D", the result of the last attention, in that graph; B divides B'.
    Returns: float32 "B' Q", each row sums to 1.
    Raises:  NotWatchable: if the decision does not depend on this attention.
    """
    with torch.enable_grad():
        total = logits.amax(1).sum()
    (gradient,) = torch.autograd.grad(total, output, retain_graph=True, allow_unused=True)
    if gradient is None:
        raise NotWatchable("the decision does not depend on the last attention seen: pass readout=")
    weights = gradient.detach().to(torch.float32).square().sum((1, 3)).sqrt()
    norms = weights.sum(1, keepdim=True)
    if bool((norms <= 0).any()):
        raise NotWatchable("the decision's gradient at the last attention is zero: pass readout=")
    return weights / norms
