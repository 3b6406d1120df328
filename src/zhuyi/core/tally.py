"""One class a statistic: what each takes from a row block, and what it gives at the end.

Letters: B batch, H heads, Q queries, K keys, S pooled side; blocks as in blocks.py.
"""

from abc import ABC, abstractmethod
from math import ceil
from typing import Final

import torch

from .blocks import RowBlock
from .inputs import Inputs

# torch.topk keeps a heap on long rows, partitions and mispredicts on short ones, and stays on one
# thread there: folding pays from four times this many columns on (benchmarks/parts.py).
GROUPS: Final = 1024
LEAST_FOLD: Final = 4


class Tally(ABC):
    """Collects one statistic over the blocks of one pass."""

    least_columns: int = 0
    column_multiple: int = 1
    needs_lse: bool = False
    needs_scores: bool = False

    @abstractmethod
    def add(self, block: RowBlock) -> None:
        """Take what is needed from the block; its buffers do not last."""


def _shared(values_gnr: torch.Tensor, block: RowBlock) -> torch.Tensor:
    """Row values [g, n, r] scaled by the rows' share, as [heads, r]."""
    share = block.share
    scaled = values_gnr if share is None else values_gnr * share
    return scaled.flatten(0, 1)


class ReceivedTally(Tally):
    """r^T A: sums over rows, optionally weighted by row_weights [B|1, H|1, Q]."""

    def __init__(self, inputs: Inputs, row_weights: torch.Tensor | None) -> None:
        B, H, Q, K = inputs.shape
        self.result = inputs.zeros(B, H, K)
        self.row_weights = None
        if row_weights is not None:
            self.row_weights = row_weights.to(inputs.dtype).expand(B, H, Q)
        self.ones = torch.ones(1, dtype=inputs.dtype, device=inputs.device)

    def add(self, block: RowBlock) -> None:
        weights_hrc = block.weights.flatten(0, 1)
        h, r, _ = weights_hrc.shape
        share = block.share
        row_hr = self.ones.expand(h, r)
        if share is not None:
            row_hr = share.expand(block.weights.shape[:3]).reshape(h, r)
        if self.row_weights is not None:
            row_hr = row_hr * self.row_weights[block.batch, block.heads, block.rows]
        total = self.result[block.batch, block.heads, block.cols][:, None, :]
        total.baddbmm_(row_hr.contiguous()[:, None, :], weights_hrc)


class EntropyTally(Tally):
    """-sum_j A_ij ln A_ij in nats, from the scores: sum_j A_ij (top - s_ij) - ln(largest A_ij).

    Taken from the row's top, because lse - sum_j A_ij s_ij cancels when scores are large.
    """

    needs_scores = True

    def __init__(self, inputs: Inputs) -> None:
        self.result = inputs.zeros(*inputs.shape[:3])

    def add(self, block: RowBlock) -> None:
        if block.peak is None or block.scores is None:
            raise AssertionError("entropy needs blocks with scores")
        # in place: nothing reads the scores after this, and a fresh tile would cost page faults
        below_top = block.scores.mul_(block.weights).sum(-1)
        entropy = torch.where(block.peak > 0, -below_top - block.peak.log(), 0.0).clamp(min=0.0)
        share = block.share
        if share is not None:
            # rows scaled by f have entropy f H - f ln f
            entropy = entropy * share - torch.xlogy(share, share)
        self.result[block.batch, block.heads, block.rows] = entropy.flatten(0, 1)


class LseTally(Tally):
    """Natural log of each row's normalizer, sink included; +inf for rows that do not count."""

    needs_lse = True

    def __init__(self, inputs: Inputs) -> None:
        self.sink = inputs.sink
        shape = inputs.shape[:3]
        self.result = torch.full(shape, float("inf"), dtype=inputs.dtype, device=inputs.device)

    def add(self, block: RowBlock) -> None:
        if block.lse is None:
            raise AssertionError("lse needs blocks with lse")
        lse = block.lse
        if self.sink is not None:
            sink_gn1 = self.sink[block.heads].to(lse.dtype).view(*lse.shape[:2], 1)
            lse = torch.logaddexp(lse, sink_gn1)
        if block.row_keep is not None:
            lse = lse.masked_fill(block.row_keep == 0, float("inf"))
        self.result[block.batch, block.heads, block.rows] = lse.flatten(0, 1)


class RowsTally(Tally):
    """How many query rows count, per batch entry: those that some head lets see something."""

    def __init__(self, inputs: Inputs) -> None:
        B, _, Q, _ = inputs.shape
        self.live = torch.zeros(B, Q, dtype=torch.bool, device=inputs.device)

    def add(self, block: RowBlock) -> None:
        live = torch.ones_like(self.live[block.batch, block.rows])
        if block.peak is not None:
            live = (block.peak > 0).flatten(0, 1).any(0)
        if block.row_keep is not None:
            live = live & (block.row_keep > 0)
        self.live[block.batch, block.rows] |= live

    @property
    def result(self) -> torch.Tensor:
        """int64 [B]."""
        return self.live.sum(-1)


class MaxTally(Tally):
    """The largest weight of each row."""

    needs_lse = True

    def __init__(self, inputs: Inputs) -> None:
        self.result = inputs.zeros(*inputs.shape[:3])

    def add(self, block: RowBlock) -> None:
        if block.peak is None:
            raise AssertionError("the largest weight needs blocks with lse")
        self.result[block.batch, block.heads, block.rows] = _shared(block.peak, block)


class DistanceTally(Tally):
    """sum_j A_ij |i + offset - j|, in positions."""

    def __init__(self, inputs: Inputs) -> None:
        self.result = inputs.zeros(*inputs.shape[:3])
        self.offset = 0 if inputs.mask is None else inputs.mask.offset

    def add(self, block: RowBlock) -> None:
        device = block.weights.device
        row_r = torch.arange(block.rows.start, block.rows.stop, device=device) + self.offset
        col_c = torch.arange(block.cols.start, block.cols.stop, device=device)
        apart_rc = (row_r[:, None] - col_c[None, :]).abs().to(block.weights.dtype)
        mean = _shared((block.weights * apart_rc).sum(-1), block)
        self.result[block.batch, block.heads, block.rows] = mean


class TopkTally(Tally):
    """The k strongest keys of each row, strongest first."""

    def __init__(self, inputs: Inputs, k: int) -> None:
        B, H, Q, K = inputs.shape
        self.k = self.least_columns = min(k, K)
        shape = (B, H, Q, self.k)
        self.values = inputs.zeros(*shape)
        self.indices = torch.zeros(shape, dtype=torch.int64, device=inputs.device)

    def add(self, block: RowBlock) -> None:
        if not self.k:
            return
        weights_hrc = block.weights.flatten(0, 1)
        values, indices = strongest(weights_hrc, self.k)
        share = block.share
        if share is not None:
            values = values * share.expand(block.weights.shape[:3]).flatten(0, 1)[..., None]
        place = (block.batch, block.heads, block.rows)
        self.values[place], self.indices[place] = values, indices + block.cols.start


def strongest(values: torch.Tensor, k: int) -> tuple[torch.Tensor, torch.Tensor]:
    """`values.topk(k)` over the last dimension, faster on long rows.

    The k largest entries lie in the k column groups with the largest maxima, so only those are
    searched. A group takes every n-th column, which keeps its maximum vectorized.
    """
    c = values.shape[-1]
    fold = c // max(GROUPS, 4 * k)
    if fold < LEAST_FOLD:
        top = values.topk(k, dim=-1)
        return top.values, top.indices
    width = c // fold
    folded = torch.unflatten(values[..., : width * fold], -1, (fold, width))
    group = folded.amax(-2).topk(k, dim=-1, sorted=False).indices
    steps = torch.arange(fold, device=values.device) * width
    columns = (group[..., None] + steps).flatten(-2)
    if width * fold < c:
        rest = torch.arange(width * fold, c, device=values.device)
        columns = torch.cat([columns, rest.expand(*columns.shape[:-1], -1)], -1)
    found, place = strongest(values.gather(-1, columns), k)
    return found, columns.gather(-1, place)


class PooledTally(Tally):
    """Max-pooled picture [B, H, S, S]; cell i covers floor(i L / S) .. ceil((i + 1) L / S)."""

    def __init__(self, inputs: Inputs, size: int) -> None:
        B, H, Q, K = inputs.shape
        self.size, self.Q, self.K = size, Q, K
        self.result = inputs.zeros(B, H, size, size)
        self.even = K % size == 0 and K > 0
        self.column_multiple = K // size if self.even else max(1, K)
        if not self.even and K:
            edges = [cell_edges(i, K, size) for i in range(size)]
            width = max(stop - start for start, stop in edges)
            columns = [[min(start + w, stop - 1) for w in range(width)] for start, stop in edges]
            self.columns = torch.tensor(columns, device=inputs.device)

    def add(self, block: RowBlock) -> None:
        weights = block.weights
        if not weights.shape[-1]:
            return
        if self.even:
            cells = torch.unflatten(weights, -1, (-1, self.column_multiple)).amax(-1)
        else:
            wide = weights.index_select(-1, self.columns.flatten())
            cells = torch.unflatten(wide, -1, self.columns.shape).amax(-1)
        share = block.share
        if share is not None:
            cells = cells * share[..., None]
        first_col = block.cols.start // self.column_multiple
        columns = slice(first_col, first_col + cells.shape[-1])
        picture = self.result[block.batch, block.heads, :, columns]
        self._add_rows(picture, cells.flatten(0, 1), block.rows)

    def _add_rows(self, picture: torch.Tensor, cells: torch.Tensor, rows: slice) -> None:
        """Fold the rows' cells [h, r, columns] into the picture [h, S, columns]."""
        start, stop = rows.start, rows.stop
        tall = self.Q // self.size
        if self.Q % self.size == 0 and start % tall == 0 and stop % tall == 0:
            whole = torch.unflatten(cells, 1, (-1, tall)).amax(2)
            picture[:, start // tall : stop // tall] = whole
            return
        first, last = start * self.size // self.Q, ceil(stop * self.size / self.Q)
        for cell in range(max(0, first - 1), min(self.size, last + 1)):
            low, high = cell_edges(cell, self.Q, self.size)
            low, high = max(low, start), min(high, stop)
            if low < high:
                region = picture[:, cell]
                torch.maximum(region, cells[:, low - start : high - start].amax(1), out=region)


def cell_edges(cell: int, length: int, size: int) -> tuple[int, int]:
    """Where a pooled cell starts and stops, as adaptive pooling defines it."""
    return cell * length // size, -(-(cell + 1) * length // size)
