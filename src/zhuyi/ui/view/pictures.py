"""From a lazy attention matrix to small pictures of its heads: statistics, thumbnail, top links.

One streamed pass per site (`AttentionMatrix.summary`) plus three thin bands next to the diagonal;
no L x L array. Letters: H heads, Q queries, K keys, R counted rows.
"""

import math
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from zhuyi.core import AttentionMatrix, AttentionSummary, Statistics
from zhuyi.core.record import Site
from zhuyi.ui.looked import HeadPicture, Link

#: Names of the per-head statistics, in the order in which they are shown. Shares are of all weight.
STATISTICS = (
    "reach",  # exp(mean entropy): how many keys a query looks at, as it were
    "distance",  # mean |i - j|, in positions
    "peak",  # mean over queries of the largest weight
    "max",  # the largest single weight
    "first",  # share on the first key (the usual sink)
    "special",  # share on positions the model added
    "self",  # share on the query's own position
    "previous",  # share on the position before
    "next",  # share on the position after
)
_COUNTS = ("reach", "distance")  # in tokens; the others are shares
_BAND = 256


@dataclass(frozen=True, kw_only=True)
class Seen:
    """One site of the tape with what the pictures need to know about it.

    Args:
        site: where it is.
        matrix: its attention matrix.
        batch: which batch row to show.
        queries, keys: indexes of the sequences that ask and answer.
        special: bool [K], positions the model added.
        kernel: which kernel produced the output.
        heads: which heads to show.
    """

    site: Site
    matrix: AttentionMatrix
    batch: int
    queries: int
    keys: int
    special: Tensor
    kernel: str
    heads: tuple[int, ...]


def floor_of(keys: int) -> float:
    """The weight below which a picture stays empty: an eighth of an even share of `keys`."""
    return 1 / (8 * max(keys, 1))


def log_code(weights: Tensor, floor: float) -> npt.NDArray[np.uint8]:
    """Weights in [0, 1] to uint8: 0 for below `floor`, else 1 .. 255 linear in log(weight)."""
    share = 1 - weights.double().clamp(min=floor, max=1.0).log() / math.log(floor)
    code = (1 + share * 254).round()
    code = torch.where(weights.double() < floor, torch.zeros_like(code), code)
    return code.to(torch.uint8).cpu().numpy()


def draw_site(seen: Seen, *, size: int = 64, links: int = 8) -> tuple[HeadPicture, ...]:
    """Pictures of the asked heads of one site.

    Args:
        seen: the site.
        size: dots of a small picture's side.
        links: strongest links kept a head, and as many between two pieces of the input itself.
    Cost: one streamed pass, O(H Q K D) time, O(H (Q + K)) memory plus size x size per head.
    """
    matrix = seen.matrix.select(batch=[seen.batch], heads=list(seen.heads))
    queries, keys = matrix.shape[2], matrix.shape[3]
    pooled = size if min(queries, keys) > size else 0
    statistics = Statistics(
        entropy=True, max=True, distance=True, topk=min(links, keys), pooled=pooled, lse=True
    )
    summary = matrix.summary(statistics)
    thumbnail_HST = _thumbnail(matrix, summary, pooled, size)
    bands_H3 = (
        _bands(matrix, _one(summary.lse)) if seen.site.kind == "self" and queries == keys else None
    )
    drawn = []
    for index, head in enumerate(seen.heads):
        received_K = _one(summary.received)[index]
        strongest = _links(summary, index, seen, links)
        drawn.append(
            HeadPicture(
                layer=seen.site.index,
                head=head,
                site=seen.site.name,
                kind=seen.site.kind,
                queries=seen.queries,
                keys=seen.keys,
                shape=(queries, keys),
                kernel=seen.kernel,
                backend=summary.backend,
                statistics=_numbers(summary, index, seen, bands_H3),
                thumbnail=log_code(thumbnail_HST[index], floor_of(keys)),
                received=_relative(received_K),
                links=strongest,
            )
        )
    return tuple(drawn)


def stand_out(heads: tuple[HeadPicture, ...]) -> tuple[HeadPicture, ...]:
    """The same pictures with `standing` and `reason`: robust deviation from the median head.

    A deviation is |x - median| / (1.4826 MAD + least), with shares taken as they are and least
    2 points, numbers of tokens as logarithms and least 0.1: where all heads agree, none stands
    out by a rounding error.
    """
    names = [name for name in STATISTICS if all(name in head.statistics for head in heads)]
    if len(heads) < 2 or not names:
        return heads
    table = np.array([[head.statistics[name] for name in names] for head in heads])
    counts = np.array([name in _COUNTS for name in names])
    table = np.where(counts, np.log1p(table), table)
    middle = np.median(table, axis=0)
    spread = 1.4826 * np.median(np.abs(table - middle), axis=0) + np.where(counts, 0.1, 0.02)
    deviation = (table - middle) / spread
    judged = []
    for row, head in zip(deviation, heads, strict=True):
        best = int(np.argmax(np.abs(row)))
        sign = "+" if row[best] >= 0 else "-"
        standing = round(float(abs(row[best])), 3)
        judged.append(replace(head, standing=standing, reason=sign + names[best]))
    return tuple(judged)


def best_first(heads: tuple[HeadPicture, ...]) -> list[int]:
    """Indexes of the heads in the order in which they deserve details.

    Takes turns among the reasons, so that ten heads that look at the first key do not push out
    the one that looks at the previous word.
    """
    by_reason: dict[str, list[int]] = {}
    for index in sorted(range(len(heads)), key=lambda i: -heads[i].standing):
        by_reason.setdefault(heads[index].reason, []).append(index)
    queues = by_reason.values()
    return [queue[turn] for turn in range(len(heads)) for queue in queues if turn < len(queue)]


def _one(tensor: Tensor | None) -> Tensor:
    """The only batch row of a statistic that was asked for."""
    assert tensor is not None
    return tensor[0]


def _thumbnail(
    matrix: AttentionMatrix, summary: AttentionSummary, pooled: int, size: int
) -> Tensor:
    if pooled:
        return _one(summary.pooled)
    queries, keys = matrix.shape[2], matrix.shape[3]
    weights_HQK = matrix.weights()[0]
    # One side is at most `size` long here, so the dense block is small (64 x 4,000 at worst).
    shape = (min(queries, size), min(keys, size))
    return torch.nn.functional.adaptive_max_pool2d(weights_HQK, shape)


def _bands(matrix: AttentionMatrix, lse_HQ: Tensor) -> Tensor:
    """Weight on the position before, the own one and the one after, summed: float64 [H, 3].

    From scores and the known lse: a block of weights would normalize whole rows again.
    """
    heads, queries = matrix.shape[1], matrix.shape[2]
    shares_H3 = torch.zeros(heads, 3, dtype=torch.float64)
    for start in range(0, queries, _BAND):
        stop = min(start + _BAND, queries)
        left = max(start - 1, 0)
        right = min(stop + 1, queries)
        scores_Hrc = matrix.scores(rows=slice(start, stop), cols=slice(left, right))[0]
        block_Hrc = (scores_Hrc - lse_HQ[:, start:stop, None]).double().exp()
        for place, offset in enumerate((-1, 0, 1)):
            diagonal_Hn = block_Hrc.diagonal(start - left + offset, dim1=1, dim2=2)
            shares_H3[:, place] += diagonal_Hn.sum(-1).cpu()
    return shares_H3


def _numbers(
    summary: AttentionSummary, index: int, seen: Seen, bands_H3: Tensor | None
) -> dict[str, float]:
    rows = max(float(summary.rows.reshape(-1)[0]), 1.0)
    received_K = _one(summary.received)[index].double()
    max_Q = _one(summary.max)[index].double()
    numbers = {
        "reach": float((_one(summary.entropy)[index].double().sum() / rows).exp()),
        "distance": float(_one(summary.distance)[index].double().sum() / rows),
        "peak": float(max_Q.sum() / rows),
        "max": float(max_Q.max()) if max_Q.numel() else 0.0,
        "first": float(received_K[0] / rows),
        "special": float(received_K[seen.special.to(received_K.device)].sum() / rows),
    }
    if bands_H3 is not None:
        for name, share in zip(("previous", "self", "next"), bands_H3[index], strict=True):
            numbers[name] = float(share / rows)
    return {name: round(value, 6) for name, value in numbers.items()}


def _relative(received_K: Tensor) -> npt.NDArray[np.uint8]:
    top = received_K.max().clamp(min=1e-30)
    return (received_K / top * 255).round().to(torch.uint8).cpu().numpy()


def _links(summary: AttentionSummary, index: int, seen: Seen, count: int) -> tuple[Link, ...]:
    """The strongest links, and the strongest between two pieces of the input itself.

    Without the second list a head that rests on [SEP] would show nothing else.
    """
    assert summary.topk is not None
    values_QT, indices_QT = summary.topk[0][0, index].cpu(), summary.topk[1][0, index].cpu()
    special = seen.special.cpu()
    queries = torch.arange(values_QT.shape[0])[:, None].expand_as(indices_QT)
    inner = ~special[indices_QT]
    if seen.queries == seen.keys:
        inner = inner & ~special[queries] & (indices_QT != queries)
    chosen: dict[tuple[int, int], float] = {}
    for weights_QT in (values_QT, torch.where(inner, values_QT, torch.zeros_like(values_QT))):
        best = weights_QT.flatten().topk(min(count, weights_QT.numel()))
        for weight, place in zip(best.values.tolist(), best.indices.tolist(), strict=True):
            if weight > 0:
                row, rank = divmod(place, values_QT.shape[1])
                chosen[row, int(indices_QT[row, rank])] = weight
    ranked = sorted(chosen.items(), key=lambda item: -item[1])
    return tuple(Link(query=q, key=k, weight=weight) for (q, k), weight in ranked)
