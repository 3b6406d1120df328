"""What a page needs to compute any block of one head by itself.

    operator:  centered Q, K (float16), what centering took away and the log-sum-exp (float32);
               weight = exp(scale q.k + row + column - lse)
    logs:      the logarithms of the weights (float16) and the log-sum-exp, where that is smaller
               or where a bias makes the operator form impossible

The mask travels as an interval of keys per query times a keep flag per key; that holds causal,
window, padding and packed-segment masks exactly.
"""

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from zhuyi.core import AttentionMatrix, Mask
from zhuyi.ui.view.pack import Array

#: Longest side for which dense scores are shipped.
DENSE_LIMIT = 512
_BLOCK = 256


@dataclass(frozen=True, kw_only=True)
class Detail:
    """One head in a form from which every score, weight and result can be computed.

    Args:
        kind: "operator" or "logs".
        arrays: named arrays for `payload.encode`.
        scale: factor on q.k (operator only).
        softcap: scores are softcap * tanh(scores / softcap) when > 0.
        score_error: largest error of a score by rounding to float16, over all pairs.
        weight_error: largest error of a weight by that, over all pairs.
    """

    kind: str
    arrays: dict[str, Array]
    scale: float
    softcap: float
    score_error: float
    weight_error: float


@dataclass(frozen=True, kw_only=True)
class IntervalMask:
    """Query i sees key j where start[i] <= j < stop[i] and keep[j]. int32 [Q], [Q], uint8 [K]."""

    start: npt.NDArray[np.int32]
    stop: npt.NDArray[np.int32]
    keep: npt.NDArray[np.uint8]

    def hides_anything(self) -> bool:
        """Whether any pair is masked."""
        whole = (self.start == 0).all() and (self.stop == len(self.keep)).all()
        return not (whole and self.keep.all())


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
    lse_Q = matrix.lse()[0, 0].double().cpu()
    # Logarithms of weights, not scores: near 0, where weights are large, float16 is finest.
    logs_QK = matrix.scores()[0, 0].double().cpu() - lse_Q[:, None]
    logs_QK = logs_QK.nan_to_num(nan=-math.inf, neginf=-math.inf)
    half_QK = logs_QK.half()
    gap_QK = torch.where(logs_QK.isfinite(), half_QK.double() - logs_QK, 0.0)
    shift_Q, weight_error = _renormalize(logs_QK.exp(), gap_QK)
    # The page adds the log-sum-exp to get scores and needs the logs relative to the same one.
    arrays: dict[str, Array] = {
        "logs": half_QK.numpy(),
        "shift": shift_Q.float().numpy(),
        "lse": (lse_Q + shift_Q).float().numpy(),
    }
    return Detail(
        kind="logs",
        arrays=arrays,
        scale=1.0,
        softcap=0.0,
        score_error=float(gap_QK.abs().max()),
        weight_error=weight_error,
    )


def _operator(matrix: AttentionMatrix, interval: IntervalMask) -> Detail | None:
    """Q and K around their means: q.k = q'.k' + a_i + c_j, so float16 rounds small numbers.

    Keys of trained models share a large mean, which no query can tell apart.
    """
    query_QD = matrix.query[0, 0].detach().double().cpu()
    key_KD = matrix.key[0, 0].detach().double().cpu()
    key_mean_D, query_mean_D = key_KD.mean(0), query_QD.mean(0)
    centered_QD, centered_KD = query_QD - query_mean_D, key_KD - key_mean_D
    half_QD, half_KD = centered_QD.half(), centered_KD.half()
    if not bool(half_QD.isfinite().all() and half_KD.isfinite().all()):
        return None  # beyond what float16 can hold
    scale = matrix.scale
    arrays: dict[str, Array] = {
        "query": half_QD.numpy(),
        "key": half_KD.numpy(),
        "row": (scale * query_QD @ key_mean_D).float().numpy(),
        "column": (scale * centered_KD @ query_mean_D).float().numpy(),
    }
    if interval.hides_anything():
        arrays |= {"start": interval.start, "stop": interval.stop, "keep": interval.keep}
    score_error = weight_error = 0.0
    lse_Q = matrix.lse()[0, 0].double().cpu()
    # q'k' - qk from the small parts alone, in one product; float32 is plenty for an error.
    left_QE = torch.cat([half_QD.double(), half_QD.double() - centered_QD], dim=-1).float() * scale
    right_KE = torch.cat([half_KD.double() - centered_KD, centered_KD], dim=-1).float()
    for begin in range(0, query_QD.shape[0], _BLOCK):
        rows = slice(begin, min(begin + _BLOCK, query_QD.shape[0]))
        gap_rK = left_QE[rows] @ right_KE.T
        score_error = max(score_error, float(gap_rK.abs().max()))
        if matrix.softcap is not None:
            gap_rK = gap_rK.abs()  # a bound: the cap only shrinks it
        shift_r, error = _renormalize(matrix.weights(rows=rows)[0, 0].float().cpu(), gap_rK)
        weight_error = max(weight_error, error)
        if matrix.softcap is None:
            lse_Q[rows] += shift_r.double()
    arrays["lse"] = lse_Q.float().numpy()
    return Detail(
        kind="operator",
        arrays=arrays,
        scale=scale,
        softcap=0.0 if matrix.softcap is None else float(matrix.softcap),
        score_error=score_error,
        weight_error=weight_error,
    )


def _renormalize(weights_rK: Tensor, gap_rK: Tensor) -> tuple[Tensor, float]:
    """What rounding does to each row's log-sum-exp, and to the weights after allowing for it.

    sum_j exp(s_j + gap_j) = exp(lse) (sum_j w_j exp(gap_j) + what a sink takes), so that a row of
    rounded scores sums to 1 again. Returns the change of lse and the largest change of a weight.
    """
    rounded_rK = weights_rK * gap_rK.exp()
    total_r = rounded_rK.sum(-1) + (1 - weights_rK.sum(-1)).clamp(min=0)
    changed_rK = (rounded_rK / total_r[:, None] - weights_rK).abs()
    return total_r.log(), float(changed_rK.max())


def _values(value_KD: Tensor) -> dict[str, Array]:
    """V as int8 with one step per feature: a result is a convex mix, so it is off by <= step/2."""
    value = value_KD.detach().float().cpu()
    step_D = (value.abs().amax(0) / 127).clamp(min=1e-20)
    return {
        "value": (value / step_D).round().to(torch.int8).numpy(),
        "step": step_D.numpy(),
    }
