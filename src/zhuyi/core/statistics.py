"""What can be asked of attention in one pass, and the record that answers."""

from dataclasses import dataclass, replace

import torch

from .._check import check_at_least
from .mask import Index, pick


@dataclass(frozen=True, kw_only=True)
class Statistics:
    """Which statistics one streaming pass takes; each is a sum or row property, never a mean.

    Args:
        received: weight each key gets, summed over the queries that count, [B, H, K].
        entropy: per query, in nats, [B, H, Q].
        max: largest weight per query, [B, H, Q].
        topk: how many strongest keys per query, 0 for none.
        pooled: side of a max-pooled picture of the weights, 0 for none.
        distance: per query, mean distance |i - j| in positions, weighted, [B, H, Q].
        lse: natural log of each row's normalizer, [B, H, Q].
    Raises:
        OptionError: for negative sizes.
    Cost: entropy adds one pass over each tile, top-k about two, pooled one; see docs/benchmarks.md.
    """

    received: bool = True
    entropy: bool = False
    max: bool = False
    topk: int = 0
    pooled: int = 0
    distance: bool = False
    lse: bool = False

    def __post_init__(self) -> None:
        check_at_least("topk", self.topk, 0)
        check_at_least("pooled", self.pooled, 0)


@dataclass(frozen=True, kw_only=True)
class AttentionSummary:
    """Statistics of one attention call, taken in one pass; O(Q + K) numbers per head.

    Statistics not asked for are None. Rows that do not count (padding, fully masked) have
    lse +inf and are 0 elsewhere.

    Args:
        statistics: what was asked.
        shape: (B, H, Q, K) of the weights.
        received: [B, H, K]; with no sink it sums to the number of rows counted.
        entropy: nats, [B, H, Q].
        max: [B, H, Q].
        topk: weights and key positions, each [B, H, Q, min(k, K)], strongest first.
        pooled: [B, H, S, S], cells as in adaptive max pooling.
        distance: positions, [B, H, Q].
        lse: natural log of each row's normalizer, sink included, [B, H, Q].
        rows: how many query rows counted, int64 [B].
        backend: which kernel produced the numbers.
    """

    statistics: Statistics
    shape: tuple[int, int, int, int]
    received: torch.Tensor | None = None
    entropy: torch.Tensor | None = None
    max: torch.Tensor | None = None
    topk: tuple[torch.Tensor, torch.Tensor] | None = None
    pooled: torch.Tensor | None = None
    distance: torch.Tensor | None = None
    lse: torch.Tensor | None = None
    rows: torch.Tensor
    backend: str

    def select(self, batch: Index = None, heads: Index = None) -> "AttentionSummary":
        """The summary of chosen batch entries and heads, dimensions kept."""

        def chosen(tensor: torch.Tensor | None) -> torch.Tensor | None:
            return None if tensor is None else _take(_take(tensor, 0, batch), 1, heads)

        topk = None
        if self.topk is not None:
            topk = (
                _take(_take(self.topk[0], 0, batch), 1, heads),
                _take(_take(self.topk[1], 0, batch), 1, heads),
            )
        B, H = self.shape[:2]
        return replace(
            self,
            shape=(_count(batch, B), _count(heads, H), *self.shape[2:]),
            lse=chosen(self.lse),
            received=chosen(self.received),
            entropy=chosen(self.entropy),
            max=chosen(self.max),
            topk=topk,
            pooled=chosen(self.pooled),
            distance=chosen(self.distance),
            rows=_take(self.rows, 0, batch),
        )

    def to(self, device: torch.device | str) -> "AttentionSummary":
        """The summary with its tensors on `device`."""

        def moved(tensor: torch.Tensor | None) -> torch.Tensor | None:
            return None if tensor is None else tensor.to(device)

        topk = None if self.topk is None else (self.topk[0].to(device), self.topk[1].to(device))
        return replace(
            self,
            lse=moved(self.lse),
            received=moved(self.received),
            entropy=moved(self.entropy),
            max=moved(self.max),
            topk=topk,
            pooled=moved(self.pooled),
            distance=moved(self.distance),
            rows=self.rows.to(device),
        )


def _count(index: Index, size: int) -> int:
    if index is None:
        return size
    return 1 if isinstance(index, int) else len(list(index))


def _take(tensor: torch.Tensor, dim: int, index: Index) -> torch.Tensor:
    if index is not None and not isinstance(index, int) and tensor.shape[dim] == 1:
        return tensor.index_select(dim, torch.as_tensor(list(index), device=tensor.device))
    return pick(tensor, dim, index)
