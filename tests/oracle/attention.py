"""Attention, one row at a time."""

import math
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Truth:
    """What attention is, in float64: scores, weights [B, H, Q, K], output [B, H, Q, Dv], lse."""

    scores: np.ndarray
    weights: np.ndarray
    output: np.ndarray
    lse: np.ndarray


def key_head(head: int, num_heads: int, num_key_heads: int) -> int:
    """The key head that query head `head` reads: consecutive query heads share one."""
    return head // (num_heads // num_key_heads)


def attention(
    query: np.ndarray,
    key: np.ndarray,
    value: np.ndarray,
    *,
    bias: np.ndarray | None = None,
    keep_mask: np.ndarray | None = None,
    scale: float | None = None,
    softcap: float | None = None,
    sink: np.ndarray | None = None,
) -> Truth:
    """scores = cap(scale * q . k) + bias; weights = exp(scores - lse); output = weights @ v.

    cap(x) = softcap * tanh(x / softcap). A sink [H] is one more score in the denominator of each
    row, whose weight is then dropped. A key that may not be seen has score -inf. A row that sees
    no key has weights 0, output 0 and lse +inf.
    """
    query, key, value = (np.asarray(array, dtype=np.float64) for array in (query, key, value))
    num_batch, num_heads, num_queries, width = query.shape
    num_key_heads = key.shape[1]
    shape = (num_batch, num_heads, num_queries, key.shape[2])
    bias_BHQK = np.broadcast_to(np.float64(0.0) if bias is None else bias, shape)
    keep_BHQK = np.broadcast_to(np.True_ if keep_mask is None else keep_mask, shape)
    scale = 1 / math.sqrt(width) if scale is None else scale

    scores_BHQK = np.full(shape, -np.inf)
    weights_BHQK = np.zeros(shape)
    output_BHQD = np.zeros((num_batch, num_heads, num_queries, value.shape[-1]))
    lse_BHQ = np.full(shape[:3], np.inf)
    for b, h, i in np.ndindex(*shape[:3]):
        g = key_head(h, num_heads, num_key_heads)
        row = scale * (key[b, g] @ query[b, h, i])
        if softcap is not None:
            row = softcap * np.tanh(row / softcap)
        row = np.where(keep_BHQK[b, h, i], row + bias_BHQK[b, h, i], -np.inf)
        scores_BHQK[b, h, i] = row
        if row.max() == -np.inf:
            continue
        logits = row if sink is None else np.append(row, sink[h])
        peak = logits.max()
        lse_BHQ[b, h, i] = peak + math.log(math.fsum(np.exp(logits - peak)))
        weights_BHQK[b, h, i] = np.exp(row - lse_BHQ[b, h, i])
        output_BHQD[b, h, i] = weights_BHQK[b, h, i] @ value[b, g]
    return Truth(scores_BHQK, weights_BHQK, output_BHQD, lse_BHQ)
