"""How right is right: answers against a float64 truth, with the naive computation as a yardstick.

Letters: B batch, H heads, G key heads, Q queries, K keys, D head width.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from zhuyi.core import AttentionMatrix, Statistics


def assert_close_to_oracle(
    actual: Tensor, truth: np.ndarray, naive: Tensor, *, name: str = "result"
) -> None:
    """Is `actual` at most twice as far from the truth as the naive computation of its inputs' type?

        max |actual - truth| <= 2 max |naive - truth| + rounding
        rounding = eps(actual) / 2 * max |truth| + 8 eps(accumulator) * max(1, max |truth|)

    The accumulator is float64 for float64 and float32 for everything narrower.

    Args:
        actual: what is judged, any floating dtype.
        truth: the float64 truth for the very same (already rounded) inputs.
        naive: the same quantity by the textbook formula in the inputs' dtype.
        name: what to call it in the error.
    Raises:
        AssertionError: on another shape, a NaN, an infinity in another place, an error above the
            budget, or a naive result so wrong that the budget would mean nothing.
    Example:
        >>> third = torch.tensor([1 / 3])
        >>> assert_close_to_oracle(third, np.array([1 / 3]), third)
        >>> assert_close_to_oracle(third + 1e-5, np.array([1 / 3]), third)
        Traceback (most recent call last):
        ...
        AssertionError: result: off by 1.0e-05 at (0,), budget 9.9e-07 (naive is off by 9.9e-09)
    """
    truth = np.asarray(truth, dtype=np.float64)
    found, reference = _float64(actual), _float64(naive)
    for what, array in (("actual", found), ("naive", reference)):
        if array.shape != truth.shape:
            raise AssertionError(f"{name}: {what} has shape {array.shape}, expected {truth.shape}")
    if np.isnan(found).any():
        raise AssertionError(f"{name}: {int(np.isnan(found).sum())} values are NaN")
    finite = np.isfinite(truth)
    if not np.array_equal(found[~finite], truth[~finite]) or not np.isfinite(found[finite]).all():
        raise AssertionError(f"{name}: infinities are in other places than in the truth")
    if not finite.any():
        return
    size = float(np.abs(truth[finite]).max())
    naive_error = float(np.abs(reference[finite] - truth[finite]).max())
    if not naive_error <= 0.1 * max(1.0, size):
        raise AssertionError(f"{name}: the naive result itself is off by {naive_error:.1e}")
    wide = torch.float64 if actual.dtype == torch.float64 else torch.float32
    rounding = torch.finfo(actual.dtype).eps / 2 * size
    rounding += 8 * torch.finfo(wide).eps * max(1.0, size)
    budget = 2 * naive_error + rounding
    errors = np.zeros_like(truth)
    errors[finite] = np.abs(found[finite] - truth[finite])
    worst = tuple(int(i) for i in np.unravel_index(int(errors.argmax()), errors.shape))
    if errors[worst] > budget:
        raise AssertionError(
            f"{name}: off by {errors[worst]:.1e} at {worst}, budget {budget:.1e} "
            f"(naive is off by {naive_error:.1e})"
        )


def _float64(tensor: Tensor) -> np.ndarray:
    return tensor.detach().cpu().to(torch.float64).numpy()


def naive_attention(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    *,
    bias: Tensor | None = None,
    keep: Tensor | None = None,
    scale: float | None = None,
    softcap: float | None = None,
    sink: Tensor | None = None,
) -> dict[str, Tensor]:
    """The textbook formula with stored L x L arrays, in the inputs' dtype throughout.

    Args:
        query: [B, H, Q, D]. key: [B, G, K, D]. value: [B, G, K, Dv].
        bias: floats that broadcast to [B, H, Q, K]; added after the softcap.
        keep: bool that broadcasts to [B, H, Q, K], True where a key is seen.
        scale: 1 / sqrt(D) unless given. softcap: cap of the scores. sink: [H] extra scores.
    Returns: "scores", "weights" [B, H, Q, K], "output" [B, H, Q, Dv] and "lse" [B, H, Q].
    Cost: O(B H Q K) memory: a yardstick for errors, not for use.
    """
    B, H, Q, D = query.shape
    key_BHKD, value_BHKD = (t.repeat_interleave(H // t.shape[1], dim=1) for t in (key, value))
    scores = query @ key_BHKD.transpose(-1, -2) * (D**-0.5 if scale is None else scale)
    if softcap is not None:
        scores = softcap * torch.tanh(scores / softcap)
    if bias is not None:
        scores = scores + bias.to(scores.dtype)
    if keep is not None:
        scores = scores.masked_fill(~keep, float("-inf"))
    column_BHQ1 = scores.new_full((B, H, Q, 1), float("-inf"))
    if sink is not None:
        column_BHQ1 = sink.to(scores.dtype).view(1, H, 1, 1).expand(B, H, Q, 1)
    joined = torch.cat([scores, column_BHQ1], dim=-1)
    dead_BHQ = torch.isneginf(scores).all(-1)
    # The softmax of a row of -inf is NaN, in the gradient too, so dead rows are masked before it.
    alive = joined.masked_fill(dead_BHQ[..., None], 0.0)
    weights = alive.softmax(-1)[..., :-1].masked_fill(dead_BHQ[..., None], 0.0)
    lse = joined.logsumexp(-1).masked_fill(dead_BHQ, float("inf"))
    return {"scores": scores, "weights": weights, "output": weights @ value_BHKD, "lse": lse}


@dataclass(frozen=True, kw_only=True)
class Probe:
    """What a matrix is asked with.

    Args:
        right: [B, G, K, D], for A @ right. left: [B, H, Q, D], for A.T @ left.
        row_weights: [B, Q], for the weighted column sums.
        topk: how many strongest keys. cells: side of the pooled pictures.
        offset: position of the first query among the keys, for the distance.
    """

    right: Tensor
    left: Tensor
    row_weights: Tensor
    topk: int = 2
    cells: int = 3
    offset: int = 0


def answers(matrix: AttentionMatrix, probe: Probe) -> dict[str, Tensor]:
    """Everything an attention matrix can be asked, asked one by one.

    Returns: the answers by name; the names are those of `naive_answers`.
    """
    values, indices = matrix.topk(probe.topk)
    return {
        "scores": matrix.scores(),
        "weights": matrix.weights(),
        "lse": matrix.lse(),
        "received": matrix.received(),
        "received_weighted": matrix.received(probe.row_weights),
        "product": matrix @ probe.right,
        "transposed_product": matrix.T @ probe.left,
        "entropy": matrix.entropy(),
        "max": matrix.max(),
        "topk": values,
        "topk_at": matrix.weights().gather(-1, indices),
        "pooled_max": matrix.pooled(probe.cells, how="max"),
        "pooled_mean": matrix.pooled(probe.cells, how="mean"),
        "distance": matrix.distance(),
    }


def summary_answers(matrix: AttentionMatrix, probe: Probe) -> dict[str, Tensor]:
    """The answers that one streamed pass gives, by the names of `naive_answers`."""
    summary = matrix.summary(
        Statistics(
            received=True,
            entropy=True,
            max=True,
            topk=probe.topk,
            pooled=probe.cells,
            distance=True,
            lse=True,
        )
    )
    found = {
        "lse": summary.lse,
        "received": summary.received,
        "entropy": summary.entropy,
        "max": summary.max,
        "topk": None if summary.topk is None else summary.topk[0],
        "pooled_max": summary.pooled,
        "distance": summary.distance,
    }
    absent = [name for name, answer in found.items() if answer is None]
    if absent:
        raise AssertionError(f"asked for and not given: {', '.join(absent)}")
    return {name: answer for name, answer in found.items() if answer is not None}


def naive_answers(naive: dict[str, Tensor], probe: Probe) -> dict[str, Tensor]:
    """The answers from stored weights, in their dtype; `naive` comes from `naive_attention`."""
    weights = naive["weights"]
    B, H, Q, K = weights.shape
    repeats = H // probe.right.shape[1]
    right = probe.right.to(weights.dtype).repeat_interleave(repeats, dim=1)
    row_BHQ1 = probe.row_weights.to(weights.dtype).view(B, 1, Q, 1)
    apart_QK = torch.arange(Q)[:, None] + probe.offset - torch.arange(K)[None, :]
    top = weights.topk(min(probe.topk, K), dim=-1).values
    return {
        "scores": naive["scores"],
        "weights": weights,
        "lse": naive["lse"],
        "received": weights.sum(-2),
        "received_weighted": (weights * row_BHQ1).sum(-2),
        "product": weights @ right,
        "transposed_product": weights.transpose(-1, -2) @ probe.left.to(weights.dtype),
        "entropy": -torch.xlogy(weights, weights).sum(-1),
        "max": weights.amax(-1),
        "topk": top,
        "topk_at": top,
        "pooled_max": _pooled(weights, probe.cells, lambda cell: cell.amax((-1, -2))),
        "pooled_mean": _pooled(weights, probe.cells, lambda cell: cell.mean((-1, -2))),
        "distance": (weights * apart_QK.abs().to(weights.dtype)).sum(-1),
    }


def _pooled(weights: Tensor, cells: int, reduce: Callable[[Tensor], Tensor]) -> Tensor:
    Q, K = weights.shape[-2:]
    spans = [
        [slice(i * length // cells, -(-(i + 1) * length // cells)) for i in range(cells)]
        for length in (Q, K)
    ]
    picture = [[reduce(weights[..., rows, cols]) for cols in spans[1]] for rows in spans[0]]
    return torch.stack([torch.stack(line, -1) for line in picture], -2)
