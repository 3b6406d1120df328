"""`attend`: attention through the fused kernel, with the weights as a lazy matrix beside it.

output = softmax(softcap(scale Q K^T) + bias, masked) V
"""

from typing import NamedTuple

import torch

from .._check import check_share, check_value, option_error, shape_error
from ..errors import BackendUnavailable
from . import recompute
from .backends import fused, streaming
from .bias import Bias
from .mask import Mask
from .matrix import AttentionMatrix
from .seam import AttentionCall, observer
from .statistics import AttentionSummary, Statistics

BACKENDS = (fused.NAME, streaming.NAME)


class Attended(NamedTuple):
    """What `attend` gives: output [B, H, Q, Dv] and the weights as an AttentionMatrix."""

    output: torch.Tensor
    matrix: AttentionMatrix


class Summarized(NamedTuple):
    """What `attend_and_summarize` gives: output [B, H, Q, Dv] and the statistics."""

    output: torch.Tensor
    summary: AttentionSummary


def attend(
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    *,
    bias: Bias | None = None,
    mask: Mask | None = None,
    scale: float | None = None,
    softcap: float | None = None,
    sink: torch.Tensor | None = None,
    dropout: float = 0.0,
    backend: str | None = None,
) -> Attended:
    """Attention at the speed of the fused kernel; the matrix beside it costs nothing until asked.

    Args:
        query: [B, H, Q, D], floating.
        key: [B, G, K, D], G divides H (grouped heads).
        value: [B, G, K, Dv].
        bias: added to the scores; low-rank terms ride on the fused kernel as extra channels.
        mask: which keys each query may see.
        scale: factor on Q K^T, default 1 / sqrt(D).
        softcap: c > 0 replaces scores s by c tanh(s / c), before bias and mask.
        sink: [H] logits of a key that takes weight and gives nothing.
        dropout: share of weights dropped from the output, in [0, 1]; the matrix is without it.
        backend: "fused", "streaming", or None to choose by what the call needs.
    Returns:
        Attended(output [B, H, Q, Dv] in value's dtype, matrix). Differentiable.
    Raises:
        ShapeError: when shapes do not fit.
        BackendUnavailable: when the backend asked for cannot run this call.
    Cost: O(B H Q K D) time, O(B H (Q + K) D) memory.
    Example:
        >>> q = k = v = torch.zeros(1, 2, 4, 8)
        >>> output, matrix = attend(q, k, v)
        >>> output.shape, matrix.shape
        (torch.Size([1, 2, 4, 8]), (1, 2, 4, 4))
    """
    matrix = AttentionMatrix(
        query, key, bias=bias, mask=mask, scale=scale, softcap=softcap, sink=sink
    )
    check_value(key, value)
    check_share("dropout", dropout)
    name = _choose(matrix, dropout, backend)
    watcher = observer.get()
    if watcher is not None:
        seen = watcher(
            AttentionCall(
                matrix=matrix,
                value=value,
                run=lambda: _run(name, matrix, value, dropout),
                backend=name,
                dropout=dropout,
            )
        )
        if seen is not None:
            return Attended(seen, matrix)
    return Attended(_run(name, matrix, value, dropout), matrix)


def attend_and_summarize(
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    *,
    statistics: Statistics | None = None,
    bias: Bias | None = None,
    mask: Mask | None = None,
    scale: float | None = None,
    softcap: float | None = None,
    sink: torch.Tensor | None = None,
    row_keep: torch.Tensor | None = None,
) -> Summarized:
    """The output and the asked statistics in one streaming pass; nothing else is kept.

    When a gradient is wanted the output comes from `attend` (and carries it) and the statistics,
    which never do, from a pass of their own.

    Args:
        query: [B, H, Q, D], floating.
        key: [B, G, K, D], G divides H.
        value: [B, G, K, Dv].
        statistics: what to take, default `Statistics()` (received attention).
        bias: added to the scores.
        mask: which keys each query may see.
        scale: factor on Q K^T, default 1 / sqrt(D).
        softcap: c > 0 replaces scores s by c tanh(s / c), before bias and mask.
        sink: [H] logits of a key that takes weight and gives nothing.
        row_keep: bool [B, Q], the rows that count in the statistics (padding does not); the output
            is computed for every row.
    Returns:
        Summarized(output [B, H, Q, Dv] in value's dtype, summary).
    Raises:
        ShapeError: when shapes do not fit.
    Cost: one pass, O(B H Q K D) time, O(B H (Q + K) D) memory; ratios in docs/benchmarks.md.
    """
    matrix = AttentionMatrix(
        query, key, bias=bias, mask=mask, scale=scale, softcap=softcap, sink=sink
    )
    check_value(key, value)
    B, _, Q, _ = matrix.shape
    if row_keep is not None and (tuple(row_keep.shape) != (B, Q) or row_keep.dtype != torch.bool):
        got = f"{row_keep.dtype} {tuple(row_keep.shape)}"
        shape_error("row_keep", f"bool [B, Q] = {(B, Q)}", got)
    asked = statistics or Statistics()
    if recompute.wants_gradient(matrix.inputs, value):
        output = _run(_choose(matrix, 0.0, None), matrix, value, 0.0)
        return Summarized(output, streaming.summarize(matrix.inputs, asked, None, row_keep).summary)
    streamed = streaming.summarize(matrix.inputs, asked, value, row_keep)
    if streamed.output is None:
        raise AssertionError("a value was given, so there is an output")
    return Summarized(streamed.output.to(value.dtype), streamed.summary)


def _choose(matrix: AttentionMatrix, dropout: float, backend: str | None) -> str:
    """The backend for this call; one asked for by name is never swapped for another."""
    if backend is not None and backend not in BACKENDS:
        option_error("backend", f"one of {BACKENDS} or None", backend)
    reason = fused.refusal(matrix.inputs)
    name = backend or (streaming.NAME if reason else fused.NAME)
    if name == fused.NAME and reason:
        raise BackendUnavailable(f"backend 'fused' cannot run this call: {reason}")
    if name == streaming.NAME and dropout:
        because = f" ({reason})" if reason else ""
        raise BackendUnavailable(
            f"backend 'streaming' has no dropout{because}: pass dropout=0.0, or no softcap and sink"
        )
    return name


def _run(name: str, matrix: AttentionMatrix, value: torch.Tensor, dropout: float) -> torch.Tensor:
    if name == streaming.NAME:
        return (matrix @ value).to(value.dtype)
    if not dropout and not recompute.wants_gradient(matrix.inputs, value):
        both = fused.attend_with_lse(matrix.inputs, value)
        if both is not None:
            matrix.known_lse = both[1]
            return both[0]
    return fused.attend(matrix.inputs, value, dropout)
