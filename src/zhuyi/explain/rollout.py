"""Attention rollout: how much of each key survives all layers into the read-out row."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from zhuyi.core import AttentionMatrix
from zhuyi.core.record import Attribution
from zhuyi.errors import OptionError
from zhuyi.explain.sightings import logits_of, matrix_of, one_sequence
from zhuyi.explain.targets import Target, chosen
from zhuyi.trace.keep import Keep
from zhuyi.trace.subject import Batch, Subject


@dataclass(frozen=True, kw_only=True)
class Rollout:
    """Attention rollout: how much of each key survives all layers into the read-out row.

        r_(l-1) = a r_l + (1 - a) mean_H r_l A_l,   r_L = the read-out row

    Args:
        residual: a in [0, 1], share of the skip connection; unitless.

    Returns: Attribution with values "B N" >= 0; the units of each sequence sum to 1 (less only
        what an attention with sink logits gives away).
    Raises:  NotWatchable: if a layer's queries and keys are different sequences.
    Cost:    one streamed product per layer, O(L Q K D) time, O(L Q D) memory; no gradient. The
             last layer costs as many rows as feed the decision, often one.
    Not:     a causal effect, and not specific to a decision: `target` is only written down.
             Verify it before trusting it.
    Ref:     Abnar & Zuidema 2020, arXiv:2005.00928, eq. 1; the vector form is ours.

    Example:
        >>> Rollout(residual=0.5)
        Rollout(residual=0.5)
    """

    residual: float = 0.5

    def __post_init__(self) -> None:
        if not 0.0 <= self.residual <= 1.0:
            raise OptionError(f"residual must be in [0, 1], got {self.residual}")

    def __call__(self, subject: Subject, batch: Batch, target: Target = None) -> Attribution:
        """Explain the batch."""
        tape = subject.watch(batch, Keep(value=False))
        matrices = [matrix_of(sighting) for sighting in one_sequence(tape)]
        row = roll_out(matrices, subject.readout(tape), residual=self.residual)
        return Attribution(
            values=subject.gather(batch, row).float(),
            units=subject.units(batch),
            method=repr(self),
            target=chosen(logits_of(tape), target),
            signed=False,
            evidence={"layers": len(matrices)},
        )


@torch.no_grad()
def roll_out(
    matrices: Sequence[AttentionMatrix], readout: Tensor, *, residual: float = 0.5
) -> Tensor:
    """Chain the read-out row backwards through the layers.

    Args:
        matrices: one a layer, first layer first, each (B, H, Q, Q).
        readout: "B Q" (or "1 Q"), weights of the query rows of the last layer.
        residual: share of the skip connection.
    Returns: "B Q", the share of each input position in the read-out row.
    """
    row_BQ = readout
    for matrix in reversed(matrices):
        moved_BK = matrix.received(row_weights=row_BQ).mean(1)
        row_BQ = residual * row_BQ + (1.0 - residual) * moved_BK
    return row_BQ
