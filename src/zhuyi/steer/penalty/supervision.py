"""How far a share of attention is from the one that is asked for: one small class a measure."""

from dataclasses import dataclass
from typing import Final, Protocol

import torch
from torch import Tensor

_LEAST: Final = 1e-30  # a share, in a logarithm: below it there is no gradient left


class Supervision(Protocol):
    """From shares and asked shares to one number each, 0 where the rule is obeyed."""

    def short(self, share: Tensor, others: Tensor, asked: Tensor) -> Tensor:
        """How far shares are from what is asked, of any shape.

        Args:
            share: of attention on what a rule is about, in [0, 1].
            others: of attention on all else; what it adds up to with `share` may be less than 1
                (a sink).
            asked: the share that is asked for, in [0, 1].
        """
        ...


@dataclass(frozen=True)
class Hinge:
    """|asked - share|: its gradient does not grow with the distance, and dies with the weights."""

    def short(self, share: Tensor, others: Tensor, asked: Tensor) -> Tensor:
        """The distance."""
        return (asked - share).abs()


@dataclass(frozen=True)
class CrossEntropy:
    """t ln(t / p) + (1 - t) ln((1 - t) / (1 - p)): the cross-entropy less its least value.

    For t = 1 it is -ln p, for t = 0 it is -ln(1 - p).

    Ref: Liu et al. 2016, C16-1291 (alignment supervised by cross-entropy).
    """

    def short(self, share: Tensor, others: Tensor, asked: Tensor) -> Tensor:
        """The divergence, in nats."""
        rest = 1.0 - asked
        found = asked * share.clamp_min(_LEAST).log() + rest * others.clamp_min(_LEAST).log()
        least: Tensor = torch.special.xlogy(asked, asked) + torch.special.xlogy(rest, rest)
        return least - found
