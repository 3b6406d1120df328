"""What a page needs to compute any block of one head by itself.

    operator:  Q, K (float16) and the log-sum-exp (float32); weight = exp(scale q.k - lse)
    scores:    the dense scores (float16) and the log-sum-exp, where that is smaller or where a
               bias makes the operator form impossible

The mask travels as an interval of keys per query times a keep flag per key; that holds causal,
window, padding and packed-segment masks exactly.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from zhuyi.core import AttentionMatrix, Mask
from zhuyi.ui.report.payload import Array

#: Longest side for which dense scores are shipped.
DENSE_LIMIT = 512
_BLOCK = 256
_HALF = 2.0**-11  # unit roundoff of float16


@dataclass(frozen=True, kw_only=True)
class Detail:
    """One head in a form from which every score, weight and result can be computed.

    Args:
        kind: "operator" or "scores".
        arrays: named arrays for `payload.encode`.
        scale: factor on q.k (operator only).
        softcap: scores are softcap * tanh(scores / softcap) when > 0.
        bound: largest error of a score by rounding to float16; a weight's relative error is at
            most exp(bound) - 1.
    """

    kind: str
    arrays: dict[str, Array]
    scale: float
    softcap: float
    bound: float


@dataclass(frozen=True, kw_only=True)
class IntervalMask:
    """Query i sees key j where start[i] <= j < stop[i] and keep[j]. int32 [Q], [Q], uint8 [K]."""

    start: npt.NDArray[np.int32]
    stop: npt.NDArray[np.int32]
    keep: npt.NDArray[np.uint8]


def describe(matrix: AttentionMatrix, value: Tensor | None) -> Detail | None:
    """The smaller exact form of a matrix with one batch row and one head.

    Args:
        matrix: shape (1, 1, Q, K).
        value: [K, Dv] values of that head, or None when results are not to be shown.

    Returns:
        None when the head has neither form (a bias or an irregular mask on a long input).

    Cost: O(Q K) time for the mask, O(Q D) memory for the operator form.
    """
    queries, keys = matrix.shape[2], matrix.shape[3]
    interval = interval_mask(matrix.mask, queries, keys)
    plain = matrix.bias is None and interval is not None
    width = matrix.query.shape[-1]
    dense_is_smaller = queries * keys <= (queries + keys) * width
    if max(queries, keys) <= DENSE_LIMIT and (dense_is_smaller or not plain):
        detail: Detail | None = _scores(matrix)
    elif plain and interval is not None:
        detail = _operator(matrix, interval)
    else:
        return None
    if value is not None and detail is not None:
        detail.arrays.update(_values(value))
    return detail


def interval_mask(mask: Mask | None, queries: int, keys: int) -> IntervalMask | None:
    """The mask of one head as intervals, or None where that cannot hold it exactly."""
    start = np.zeros(queries, dtype=np.int32)
    stop = np.full(queries, keys, dtype=np.int32)
    keep = np.ones(keys, dtype=np.uint8)
    if mask is None:
        return IntervalMask(start=start, stop=stop, keep=keep)
    seen_K = torch.zeros(keys, dtype=torch.bool)
    for block_rK, rows in _mask_blocks(mask, queries, keys):
        seen_K |= block_rK.any(0)
        first = block_rK.int().argmax(1)
        last = keys - block_rK.int().flip(1).argmax(1)
        some = block_rK.any(1)
        start[rows] = torch.where(some, first, torch.zeros_like(first)).numpy()
        stop[rows] = torch.where(some, last, torch.zeros_like(last)).numpy()
    keep = seen_K.to(torch.uint8).numpy()
    place = torch.arange(keys)
    for block_rK, rows in _mask_blocks(mask, queries, keys):
        left, right = torch.from_numpy(start[rows]), torch.from_numpy(stop[rows])
        model_rK = (place >= left[:, None]) & (place < right[:, None]) & seen_K
        if not bool((model_rK == block_rK).all()):
            return None
    return IntervalMask(start=start, stop=stop, keep=keep)


def _mask_blocks(mask: Mask, queries: int, keys: int) -> list[tuple[Tensor, slice]]:
    blocks = []
    for begin in range(0, queries, _BLOCK):
        rows = slice(begin, min(begin + _BLOCK, queries))
        block = mask.block(rows, slice(0, keys)).cpu()
        blocks.append((block.expand(1, 1, rows.stop - begin, keys)[0, 0], rows))
    return blocks


def _scores(matrix: AttentionMatrix) -> Detail:
    scores_QK = matrix.scores()[0, 0].float().cpu()
    finite = scores_QK[scores_QK.isfinite()]
    top = float(finite.abs().max()) if finite.numel() else 0.0
    arrays: dict[str, Array] = {
        "scores": scores_QK.half().numpy(),
        "lse": matrix.lse()[0, 0].float().cpu().numpy(),
    }
    return Detail(kind="scores", arrays=arrays, scale=1.0, softcap=0.0, bound=top * _HALF)


def _operator(matrix: AttentionMatrix, interval: IntervalMask) -> Detail | None:
    query_QD = matrix.query[0, 0].detach().float().cpu()
    key_KD = matrix.key[0, 0].detach().float().cpu()
    scale = float(matrix.scale) if matrix.scale is not None else query_QD.shape[-1] ** -0.5
    reach = float(query_QD.norm(dim=-1).max() * key_KD.norm(dim=-1).max())
    arrays: dict[str, Array] = {
        "query": query_QD.half().numpy(),
        "key": key_KD.half().numpy(),
        "lse": matrix.lse()[0, 0].float().cpu().numpy(),
    }
    if matrix.mask is not None:
        arrays |= {"start": interval.start, "stop": interval.stop, "keep": interval.keep}
    # |q'.k' - q.k| <= (2u + u^2) |q| |k| by Cauchy-Schwarz; softcap only shrinks it.
    bound = abs(scale) * reach * (2 * _HALF + _HALF**2)
    softcap = float(matrix.softcap) if matrix.softcap is not None else 0.0
    if not all(np.isfinite(arrays[name]).all() for name in ("query", "key")):
        return None  # beyond what float16 can hold
    return Detail(kind="operator", arrays=arrays, scale=scale, softcap=softcap, bound=bound)


def _values(value_KD: Tensor) -> dict[str, Array]:
    """V as int8 with one step per feature: a result is a convex mix, so it is off by <= step/2."""
    value = value_KD.detach().float().cpu()
    step_D = (value.abs().amax(0) / 127).clamp(min=1e-20)
    return {
        "value": (value / step_D).round().to(torch.int8).numpy(),
        "step": step_D.numpy(),
    }
