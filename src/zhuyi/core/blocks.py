"""The one streaming pass: row blocks of scores and weights, made, used and forgotten.

A block holds some heads, some query rows and every key column those rows may see. Everything the
library knows about the L x L weights without storing them is read from such blocks.

Letters: B batch, H query heads, G key heads, n = H / G, Q, K; in a block: g key heads, r rows,
c columns.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from math import ceil
from typing import Final, NamedTuple

import torch

from .bias import Bias
from .inputs import Inputs
from .mask import Mask

# A finite stand-in for -inf: exp(FLOOR - max) is exactly 0, and 0 * FLOOR is 0 where 0 * -inf is
# NaN. A row whose largest score is below DEAD sees nothing.
FLOOR: Final = -1e30
DEAD: Final = -1e29

# Two tiles (scores and weights) of this many bytes stay near a CPU core's caches; measured best
# between 1 and 4 MB for 512 to 8192 keys. An accelerator wants few large blocks instead.
CPU_TILE_BYTES: Final = 2 << 20
DEVICE_TILE_BYTES: Final = 256 << 20
FEWEST_ROWS: Final = 64  # for long rows, so that a tile still fits near the caches
MOST_ROWS: Final = 256  # beyond, matrix products gain nothing


@dataclass(frozen=True)
class RowBlock:
    """One block of the attention inputs.

    Args:
        batch: index of the batch entry.
        heads: the query heads, a slice of 0..H.
        rows: the query rows, a slice of 0..Q.
        cols: the key columns, a slice of 0..K; every other column has weight 0.
        scores: [g, n, r, c] relative to the row's top, masked entries near FLOOR; None unless
            asked for.
        weights: [g, n, r, c], softmax over the columns; 0 in rows that see nothing.
        lse: [g, n, r] normalizer of the columns alone, +inf in rows that see nothing; None unless
            asked for.
        peak: [g, n, r] largest weight before any share, 0 in rows that see nothing; None where
            lse is.
        sink_share: [g, n, r], what a sink leaves to the columns, or None without a sink.
        row_keep: [r] float, 1 for rows that count in statistics, or None when all do.
    """

    batch: int
    heads: slice
    rows: slice
    cols: slice
    scores: torch.Tensor | None
    weights: torch.Tensor
    lse: torch.Tensor | None
    peak: torch.Tensor | None
    sink_share: torch.Tensor | None
    row_keep: torch.Tensor | None

    @property
    def share(self) -> torch.Tensor | None:
        """What multiplies a row of `weights` in statistics: [g, n, r] or broadcastable, or None."""
        if self.sink_share is None or self.row_keep is None:
            return self.sink_share if self.row_keep is None else self.row_keep
        return self.sink_share * self.row_keep


def row_blocks(
    inputs: Inputs,
    *,
    lse: bool = False,
    scores: bool = False,
    row_keep: torch.Tensor | None = None,
    least_columns: int = 0,
    column_multiple: int = 1,
) -> Iterator[RowBlock]:
    """Go through the matrix once, block by block. Buffers are reused: copy what must last.

    Args:
        inputs: what to go through; no gradient is recorded.
        lse: whether blocks carry their rows' normalizers.
        scores: whether blocks carry scores (and normalizers).
        row_keep: bool [B, Q], rows that count in statistics.
        least_columns: widen every block to at least this many columns.
        column_multiple: block edges fall on multiples of this (or on K).
    Cost: O(B H Q K D) time, one tile of weights and, when asked for, one of scores.
    """
    B, _, Q, _ = inputs.shape
    G = inputs.key.shape[1]
    n = inputs.shape[1] // G
    groups, rows = _plan(inputs, n)
    asked = _Asked(lse or scores or inputs.sink is not None, scores)
    for b in range(B):
        source = _BatchSource(inputs, b, n)
        keep_Q = None if row_keep is None else row_keep[b].to(source.dtype)
        for first in range(0, G, groups):
            heads = slice(first, min(first + groups, G))
            key_gDK = source.key(heads)
            for start in range(0, Q, rows):
                stop = min(start + rows, Q)
                low, high = source.columns(start, stop, least_columns, column_multiple)
                yield source.block(
                    heads, slice(start, stop), slice(low, high), key_gDK, asked, keep_Q
                )


def _plan(inputs: Inputs, n: int) -> tuple[int, int]:
    """How many key heads and rows one block takes."""
    _, H, Q, K = inputs.shape
    G = H // n
    size = 8 if inputs.dtype == torch.float64 else 4
    if inputs.device.type != "cpu":
        rows = max(16, min(Q, DEVICE_TILE_BYTES // max(1, H * K * size)))
        return G, rows
    tall = min(MOST_ROWS, max(FEWEST_ROWS, CPU_TILE_BYTES // max(1, K * size)))
    rows = max(1, min(Q, max(16, tall // n)))
    per_group = max(1, n * rows * K * size)
    # at least one head per thread, and enough work per call to drown the calls' own cost
    groups = min(G, max(torch.get_num_threads(), CPU_TILE_BYTES // per_group))
    # equal shares: 12 heads go as 6 + 6, not as 8 + 4
    return ceil(G / ceil(G / groups)), rows


class _RowFacts(NamedTuple):
    """The lse and peak of a RowBlock."""

    lse: torch.Tensor | None
    peak: torch.Tensor | None


class _Asked(NamedTuple):
    """What blocks are asked to carry beside their weights."""

    lse: bool
    scores: bool


class _BatchSource:
    """One batch entry: its queries and keys, and where its mask and bias come from."""

    def __init__(self, inputs: Inputs, b: int, n: int) -> None:
        self.b, self.n, self.K = b, n, inputs.shape[3]
        self.inputs = inputs
        self.dtype = inputs.dtype
        self.query_GnQD = torch.unflatten(inputs.query[b], 0, (-1, n))
        self.mask: Mask | None = None if inputs.mask is None else inputs.mask.select(b)
        self.bias: Bias | None = None if inputs.bias is None else inputs.bias.select(b)
        # whether some row may see nothing; when none can, two passes over each tile are saved
        self.may_be_blind = self.bias is not None or (
            self.mask is not None and self.mask.may_blind()
        )
        self.buffers: dict[str, torch.Tensor] = {}

    def key(self, heads: slice) -> torch.Tensor:
        return self.inputs.key[self.b, heads].to(self.dtype).transpose(1, 2)

    def columns(self, start: int, stop: int, least: int, multiple: int) -> tuple[int, int]:
        if self.mask is None:
            return 0, self.K
        low, high = self.mask.column_range(start, stop, self.K)
        low = min(low, max(0, self.K - least))
        high = max(high, min(self.K, low + least))
        return low // multiple * multiple, min(self.K, ceil(high / multiple) * multiple)

    def buffer(self, name: str, shape: tuple[int, int, int]) -> torch.Tensor:
        wanted = shape[0] * shape[1] * shape[2]
        held = self.buffers.get(name)
        if held is None or held.numel() < wanted:
            held = torch.empty(wanted, dtype=self.dtype, device=self.inputs.device)
            self.buffers[name] = held
        return held[:wanted].view(shape)

    def block(
        self,
        heads: slice,
        rows: slice,
        cols: slice,
        key_gDK: torch.Tensor,
        asked: "_Asked",
        keep_Q: torch.Tensor | None,
    ) -> RowBlock:
        g, r, c = heads.stop - heads.start, rows.stop - rows.start, cols.stop - cols.start
        query_gMD = self.query_GnQD[heads, :, rows].to(self.dtype).reshape(g, self.n * r, -1)
        scores_gMc = self.buffer("scores", (g, self.n * r, c))
        torch.baddbmm(
            scores_gMc,
            query_gMD,
            key_gDK[:, :, cols],
            beta=0,
            alpha=self.inputs.scale,
            out=scores_gMc,
        )
        scores = scores_gMc.view(g, self.n, r, c)
        self._shape_scores(scores, heads, rows, cols)
        weights = scores
        if asked.scores:
            weights = self.buffer("weights", (g, self.n * r, c)).view(scores.shape)
        rows_shape = (g, self.n, r)
        if c == 0:
            rest = _RowFacts(
                scores.new_full(rows_shape, float("inf")), scores.new_zeros(rows_shape)
            )
        else:
            rest = self._settle(scores, weights, asked)
        query_heads = slice(heads.start * self.n, heads.stop * self.n)
        return RowBlock(
            batch=self.b,
            heads=query_heads,
            rows=rows,
            cols=cols,
            scores=scores if asked.scores else None,
            weights=weights,
            lse=rest.lse,
            peak=rest.peak,
            sink_share=self._sink_share(rest.lse, query_heads),
            row_keep=None if keep_Q is None else keep_Q[rows],
        )

    def _shape_scores(self, scores: torch.Tensor, heads: slice, rows: slice, cols: slice) -> None:
        """Softcap, bias and mask, in place, in this order."""
        softcap = self.inputs.softcap
        if softcap is not None:
            scores.div_(softcap).tanh_().mul_(softcap)
        if self.bias is not None:
            scores.add_(self._grouped(self.bias.block(rows, cols), heads))
            scores.clamp_(min=FLOOR)
        if self.mask is None:
            return
        for part in self.mask.parts:
            for edge in part.partial_columns(rows.start, rows.stop, cols):
                keep = self._grouped(part.block(rows, edge, scores.device), heads)
                region = scores[..., edge.start - cols.start : edge.stop - cols.start]
                region.masked_fill_(~keep, FLOOR)

    def _grouped(self, block: torch.Tensor, heads: slice) -> torch.Tensor:
        """A "1 H|1 r c" block as "g n r c" for these key heads."""
        if block.shape[1] == 1:
            return block
        return torch.unflatten(block[0], 0, (-1, self.n))[heads]

    def _settle(self, scores: torch.Tensor, weights: torch.Tensor, asked: _Asked) -> _RowFacts:
        """Weights from scores, rows that see nothing zeroed; the rows' facts where needed.

        `weights` may be `scores` itself: softmax works row by row in place, and one tile less
        keeps the rest in the caches (tests/core/test_blocks.py holds torch to it).
        """
        if not (asked.lse or self.may_be_blind):
            torch.softmax(scores, -1, out=weights)
            return _RowFacts(None, None)
        top = scores.amax(-1)
        if asked.scores:
            scores.sub_(top[..., None])
        torch.softmax(scores, -1, out=weights)
        # softmax gives the top entry 1 / sum exp(s - top), which saves the sum a second pass
        peak = weights.amax(-1)
        lse = top - peak.log()
        if self.may_be_blind:
            dead = top <= DEAD
            if bool(dead.any()):
                weights.masked_fill_(dead[..., None], 0.0)
                lse = lse.masked_fill(dead, float("inf"))
                peak = peak.masked_fill(dead, 0.0)
        return _RowFacts(lse, peak)

    def _sink_share(self, lse: torch.Tensor | None, heads: slice) -> torch.Tensor | None:
        sink = self.inputs.sink
        if sink is None or lse is None:
            return None
        sink_gn1 = sink[heads].to(self.dtype).view(-1, self.n, 1)
        return torch.sigmoid(lse - sink_gn1)
