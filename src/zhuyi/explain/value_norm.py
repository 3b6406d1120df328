"""Norm-based attention: the length of what each position actually adds, not only its weight."""

from dataclasses import dataclass

import torch
from torch import Tensor

from zhuyi.core import AttentionMatrix
from zhuyi.core.record import Attribution
from zhuyi.explain.sightings import (
    chosen_layers,
    logits_of,
    matrix_of,
    one_sequence,
    row_blocks,
    value_of,
)
from zhuyi.explain.targets import Target, chosen
from zhuyi.trace.subject import Batch, ProjectedSubject, Subject
from zhuyi.trace.tape import Sighting


@dataclass(frozen=True, kw_only=True)
class ValueNorm:
    """Norm-based attention: the length of what each position actually adds, not only its weight.

        c_j = sum_i r_i || sum_H A_ij W_H v_j ||

    with r the rows that feed the decision and W_H the head's part of the output projection. Where
    that projection cannot be found, the joined heads' own length is taken:
    sqrt(sum_H A_ij^2 ||v_j||^2); `evidence["projection"]` says which it was.

    Args:
        layer: the one layer to take, counted from the end if negative; None for the mean of all.

    Returns: Attribution with values "B N" >= 0, in the unit of the layer's result.
    Raises:  NotWatchable: if the model attends across sequences. OptionError: no such layer.
    Cost:    the rows that matter, in blocks: O(R K H^2) time and O(K H^2) memory a layer, R the
             number of rows with weight.
    Not:     specific to a decision: `target` is only written down.
    Ref:     Kobayashi, Kuribayashi, Yokoi & Inui 2020, arXiv:2004.10102, eq. 6, summed over heads.

    Example:
        >>> ValueNorm()
        ValueNorm(layer=-1)
    """

    layer: int | None = -1

    def __call__(self, subject: Subject, batch: Batch, target: Target = None) -> Attribution:
        """Explain the batch."""
        tape = subject.watch(batch)
        sightings = one_sequence(tape)
        layers = chosen_layers(len(sightings), self.layer)
        readout = subject.readout(tape)
        projections = [_projection(subject, sightings[index]) for index in layers]
        columns = torch.stack(
            [
                added_lengths(matrix_of(sightings[i]), value_of(sightings[i]), readout, projection)
                for i, projection in zip(layers, projections, strict=True)
            ]
        ).mean(0)
        known = all(projection is not None for projection in projections)
        return Attribution(
            values=subject.gather(batch, columns).float(),
            units=subject.units(batch),
            method=repr(self),
            target=chosen(logits_of(tape), target),
            signed=False,
            evidence={"projection": "found" if known else "not found"},
        )


@torch.no_grad()
def added_lengths(
    matrix: AttentionMatrix, value: Tensor, row: Tensor, projection: Tensor | None
) -> Tensor:
    """Length of what each key adds to the rows, weighted by `row`.

    Args:
        matrix: the layer's attention (B, H, Q, K).
        value: "B G K Dv".
        row: "B Q", weights of the query rows.
        projection: "E (H Dv)", or None for the joined heads' own length.
    Returns: "B K".
    """
    batch, heads, _, keys = matrix.shape
    gram_BKHH = _gram(value.repeat_interleave(heads // value.shape[1], 1).float(), projection)
    result_BK = torch.zeros(batch, keys, device=value.device)
    for index in row_blocks(row, batch * heads * keys):
        weights_BHRK = matrix.weights(rows=index).float()
        mixed = torch.einsum("bhrk,bkhg->bgrk", weights_BHRK, gram_BKHH)
        # Rounding can make the square of a short vector slightly negative.
        lengths_BRK = mixed.mul_(weights_BHRK).sum(1).clamp_min_(0.0).sqrt_()
        result_BK += torch.einsum("br,brk->bk", row[:, index].float(), lengths_BRK)
    return result_BK


def _gram(value_BHKD: Tensor, projection: Tensor | None) -> Tensor:
    """Inner products <W_H v_j, W_H' v_j> of what the heads have of a key: "B K H H"."""
    if projection is None:
        return torch.diag_embed(value_BHKD.square().sum(-1).transpose(1, 2))
    heads = value_BHKD.shape[1]
    maps_EHD = projection.float().reshape(projection.shape[0], heads, -1)
    rows = []
    for head in range(heads):
        added_BKE = value_BHKD[:, head] @ maps_EHD[:, head].T
        back_BKHD = torch.einsum("bke,ehd->bkhd", added_BKE, maps_EHD)
        rows.append(torch.einsum("bkhd,bhkd->bkh", back_BKHD, value_BHKD))
    return torch.stack(rows, 2)


def _projection(subject: Subject, sighting: Sighting) -> Tensor | None:
    if not isinstance(subject, ProjectedSubject):
        return None
    projection = subject.output_projection(sighting.site)
    width = sighting.site.heads * value_of(sighting).shape[3]
    return projection if projection is not None and projection.shape[1] == width else None
