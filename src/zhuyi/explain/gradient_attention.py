"""Gradient-weighted attention: what the decision's gradient leaves of every layer's attention."""

from dataclasses import dataclass

import torch
from torch import Tensor

from zhuyi.core import AttentionMatrix
from zhuyi.core.record import Attribution
from zhuyi.errors import NotWatchable
from zhuyi.explain.sightings import (
    logits_of,
    matrix_of,
    one_sequence,
    output_of,
    row_blocks,
    value_of,
)
from zhuyi.explain.targets import Target, chosen, of_targets
from zhuyi.trace.subject import Batch, Subject


@dataclass(frozen=True, kw_only=True)
class GradientAttention:
    """Gradient-weighted attention: what the decision's gradient leaves of every layer's attention.

        E_l = mean_H relu(dy/dA_l * A_l),   dy/dA_l = dO_l V_l^T
        r_(l-1) = r_l + r_l E_l,            r_L = the read-out row

    with y the explained logit and dO_l its gradient at the layer's result. The values are
    r_0 - r_L: what attention carried. The read-out row itself, which the textbook's R = I carries
    down the skip connections, says nothing of attention and would drown the rest (Chefer's own code
    drops the [CLS] position for it); `own=True` keeps it.

    Args:
        own: keep the read-out row's own share, as in the textbook: values are r_0.

    Returns: Attribution with values "B N" >= 0, in logits; with `own` each sequence sums to at
        least 1.
    Raises:  NotWatchable: if a layer's queries and keys are different sequences, or the decision
        does not depend on any attention seen.
    Cost:    forward and backward once; then per layer the rows that matter, in blocks: O(L H Q K D)
             time, O(block K) memory beyond the graph. The last layer often costs one row.
    Not:     signed: what speaks against the decision is cut off.
    Ref:     Chefer, Gur & Wolf 2021, arXiv:2103.15679, eq. 5 and 6 (without relevance propagation);
             the vector form and the tiles are ours.

    Example:
        >>> GradientAttention()
        GradientAttention(own=False)
    """

    own: bool = False

    def __call__(self, subject: Subject, batch: Batch, target: Target = None) -> Attribution:
        """Explain the batch."""
        tape = subject.watch(batch, gradient=True)
        sightings = one_sequence(tape)
        logits = logits_of(tape)
        targets = chosen(logits.detach(), target)
        outputs = [output_of(sighting) for sighting in sightings]
        gradients = torch.autograd.grad(
            of_targets(logits, targets).sum(), outputs, allow_unused=True
        )
        if all(gradient is None for gradient in gradients):
            raise NotWatchable("the decision does not depend on any attention that was seen")
        readout = subject.readout(tape)
        # Kept apart from the read-out row, in which small values would lose their last digits.
        gained = torch.zeros_like(readout)
        for sighting, gradient in zip(reversed(sightings), reversed(gradients), strict=True):
            if gradient is not None:
                row = readout + gained
                gained = gained + carried(matrix_of(sighting), value_of(sighting), gradient, row)
        return Attribution(
            values=subject.gather(batch, readout + gained if self.own else gained).float(),
            units=subject.units(batch),
            method=repr(self),
            target=targets,
            signed=False,
            evidence={"layers": len(sightings)},
        )


@torch.no_grad()
def carried(matrix: AttentionMatrix, value: Tensor, gradient: Tensor, row: Tensor) -> Tensor:
    """One step r E of the chain, block of rows by block of rows.

    Args:
        matrix: the layer's attention (B, H, Q, K).
        value: "B G K Dv".
        gradient: "B H Q Dv", of the explained logit at the layer's result.
        row: "B Q", the relevance that reached the layer's queries.
    Returns: "B K".
    """
    batch, heads, _, keys = matrix.shape
    grouped = value.transpose(2, 3)[:, :, None]  # B G 1 Dv K
    result_BK = row.new_zeros(batch, keys)
    for index in row_blocks(row, batch * heads * keys):
        weights_BHRK = matrix.weights(rows=index)
        asked = gradient[:, :, index].to(weights_BHRK.dtype)
        asked = asked.reshape(batch, value.shape[1], -1, *asked.shape[2:])  # B G H/G R Dv
        change_BHRK = (asked @ grouped.to(weights_BHRK.dtype)).flatten(1, 2)
        kept_BRK = change_BHRK.mul_(weights_BHRK).relu_().mean(1)
        result_BK += torch.einsum("br,brk->bk", row[:, index].to(kept_BRK.dtype), kept_BRK)
    return result_BK
