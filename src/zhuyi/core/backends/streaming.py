"""The streaming backend: row blocks in plain torch, any device, every option; O(L) memory.

It is the fallback of the fused backend and the engine behind every question to the inputs.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import torch

from ..blocks import RowBlock, row_blocks
from ..inputs import Inputs
from ..statistics import AttentionSummary, Statistics
from ..tally import (
    DistanceTally,
    EntropyTally,
    LseTally,
    MaxTally,
    PooledTally,
    ReceivedTally,
    RowsTally,
    Tally,
    TopkTally,
    cell_edges,
)
from ..tile import weight_tile

NAME = "streaming"


@dataclass(frozen=True)
class StreamedSummary:
    """What one streaming pass gives: the output when a value was given, and the summary."""

    output: torch.Tensor | None
    summary: AttentionSummary


class OutputTally(Tally):
    """A @ X for X [B, G or H, K, D]; B Q H D in memory, as fused kernels lay it out."""

    def __init__(self, inputs: Inputs, columns: torch.Tensor) -> None:
        B, H, Q, _ = inputs.shape
        self.columns = columns
        self.n = H // columns.shape[1]
        self.result = inputs.zeros(B, Q, H, columns.shape[3]).transpose(1, 2)

    def add(self, block: RowBlock) -> None:
        groups = slice(block.heads.start // self.n, block.heads.stop // self.n)
        columns_gcD = self.columns[block.batch, groups, block.cols].to(block.weights.dtype)
        g, r, c = columns_gcD.shape[0], block.weights.shape[2], block.weights.shape[3]
        if not c:
            return
        product = torch.bmm(block.weights.reshape(g, -1, c), columns_gcD)
        product = product.view(g * self.n, r, -1)
        if block.sink_share is not None:
            product = product * block.sink_share.flatten(0, 1)[..., None]
        self.result[block.batch, block.heads, block.rows] = product


@torch.no_grad()
def run(
    inputs: Inputs,
    tallies: Sequence[Tally],
    row_keep: torch.Tensor | None = None,
) -> None:
    """One pass over the matrix that feeds every tally."""
    blocks = row_blocks(
        inputs,
        lse=any(tally.needs_lse for tally in tallies),
        scores=any(tally.needs_scores for tally in tallies),
        row_keep=row_keep,
        least_columns=max((tally.least_columns for tally in tallies), default=0),
        column_multiple=max((tally.column_multiple for tally in tallies), default=1),
    )
    for block in blocks:
        for tally in tallies:
            tally.add(block)


def product(inputs: Inputs, columns: torch.Tensor) -> torch.Tensor:
    """A @ X without gradients: X [B, G or H, K, D] -> [B, H, Q, D]."""
    tally = OutputTally(inputs, columns)
    run(inputs, [tally])
    return tally.result


class _TransposedTally(Tally):
    """A^T R for R [B, H, Q, D]."""

    def __init__(self, inputs: Inputs, rows: torch.Tensor) -> None:
        B, H, _, K = inputs.shape
        self.rows = rows
        self.result = inputs.zeros(B, H, K, rows.shape[3])

    def add(self, block: RowBlock) -> None:
        rows_hrD = self.rows[block.batch, block.heads, block.rows].to(block.weights.dtype)
        if block.sink_share is not None:
            rows_hrD = rows_hrD * block.sink_share.flatten(0, 1)[..., None]
        total = self.result[block.batch, block.heads, block.cols]
        total.baddbmm_(block.weights.flatten(0, 1).transpose(1, 2), rows_hrD)


def transposed_product(inputs: Inputs, rows: torch.Tensor) -> torch.Tensor:
    """A^T R without gradients: R [B, H, Q, D] -> [B, H, K, D]."""
    tally = _TransposedTally(inputs, rows)
    run(inputs, [tally])
    return tally.result


@torch.no_grad()
def received_of_rows(inputs: Inputs, row_weights: torch.Tensor, rows: torch.Tensor) -> torch.Tensor:
    """r^T A when only `rows` (int64 [r]) have weight; row_weights [B, H, Q]."""
    B, H, _, K = inputs.shape
    total = inputs.zeros(B, H, K)
    for chunk in torch.split(rows, 64):
        weights, _ = weight_tile(inputs, chunk)
        total += torch.einsum("bhr,bhrk->bhk", row_weights[..., chunk], weights)
    return total


@torch.no_grad()
def mean_pooled(inputs: Inputs, size: int) -> torch.Tensor:
    """Mean over each cell of a size x size picture, as two products with averaging matrices."""
    _, _, Q, K = inputs.shape
    B, G = inputs.key.shape[:2]
    columns = _averages(K, size, inputs).T.expand(B, G, K, size)
    return _averages(Q, size, inputs) @ product(inputs, columns)


def _averages(length: int, size: int, inputs: Inputs) -> torch.Tensor:
    average = inputs.zeros(size, length)
    for cell in range(size if length else 0):
        start, stop = cell_edges(cell, length, size)
        average[cell, start:stop] = 1.0 / (stop - start)
    return average


def summarize(
    inputs: Inputs,
    statistics: Statistics,
    value: torch.Tensor | None,
    row_keep: torch.Tensor | None,
) -> StreamedSummary:
    """The asked statistics, and the output when `value` [B, G, K, Dv] is given, in one pass."""
    rows = RowsTally(inputs)
    lse = LseTally(inputs) if statistics.lse else None
    received = ReceivedTally(inputs, None) if statistics.received else None
    entropy = EntropyTally(inputs) if statistics.entropy else None
    largest = MaxTally(inputs) if statistics.max else None
    topk = TopkTally(inputs, statistics.topk) if statistics.topk else None
    pooled = PooledTally(inputs, statistics.pooled) if statistics.pooled else None
    distance = DistanceTally(inputs) if statistics.distance else None
    output = OutputTally(inputs, value) if value is not None else None
    wanted = (rows, lse, output, received, entropy, largest, topk, pooled, distance)
    tallies_in_use: list[Tally] = [tally for tally in wanted if tally is not None]
    run(inputs, tallies_in_use, row_keep)
    summary = AttentionSummary(
        statistics=statistics,
        shape=inputs.shape,
        lse=None if lse is None else lse.result,
        received=None if received is None else received.result,
        entropy=None if entropy is None else entropy.result,
        max=None if largest is None else largest.result,
        topk=None if topk is None else (topk.values, topk.indices),
        pooled=None if pooled is None else pooled.result,
        distance=None if distance is None else distance.result,
        rows=rows.result,
        backend=NAME,
    )
    return StreamedSummary(None if output is None else output.result, summary)
