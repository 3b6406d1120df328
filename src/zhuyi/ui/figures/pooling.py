"""Blocks of a head small enough to draw: exact where it is short, pooled where it is long."""

import torch
from torch import Tensor

from zhuyi.core import AttentionMatrix


def small(matrix: AttentionMatrix, *, scores: bool, size: int) -> Tensor:
    """Weights or scores of every head, each side at most `size`: [H, s, t].

    A longer side is cut into `size` even parts and the largest entry of each block stays, so a
    single strong link is never lost. Hidden pairs have weight 0 and score -inf.

    Args:
        matrix: with one batch row.
        scores: before softmax, instead of weights.
        size: of a side, at most.
    Cost: O(H Q K D) time, O(H (Q / size) K) memory.
    """
    _, heads, queries, keys = matrix.shape
    down, across = min(queries, size), min(keys, size)
    rows: list[Tensor] = []
    for place in range(down):
        part = slice(place * queries // down, -(-(place + 1) * queries // down))
        block = matrix.scores(rows=part) if scores else matrix.weights(rows=part)
        # max over rows, then over even parts of the keys: float32 keeps -inf
        best_HK = block[0].float().amax(1)
        rows.append(torch.nn.functional.adaptive_max_pool1d(best_HK, across).cpu())
    return torch.stack(rows, 1) if rows else torch.zeros(heads, 0, across)


def results(matrix: AttentionMatrix, value: Tensor, *, size: int) -> Tensor:
    """Weights times values, [H, s, Dv]; the mean of even parts where there are more queries.

    Args:
        matrix: with one batch row.
        value: [1, G, K, Dv].
        size: rows, at most.
    """
    result_HQD = (matrix @ value)[0].float()
    down = min(result_HQD.shape[1], size)
    pooled = torch.nn.functional.adaptive_avg_pool1d(result_HQD.transpose(1, 2), down)
    return pooled.transpose(1, 2).cpu()
