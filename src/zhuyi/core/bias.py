"""Where the human speaks: additive terms on the scores, as descriptions instead of L x L arrays.

scores = scale * Q K^T + Bias. Low-rank terms (`per_key`, `table`, `alibi`) also factor as u v^T,
so that they can ride on a fused kernel as a few extra query and key channels.
"""

from abc import ABC, abstractmethod
from collections.abc import Iterable
from dataclasses import dataclass

import torch

from .._check import check_broadcast, shape_error
from .mask import Index, Rows, pick, positions, take

Factors = tuple[torch.Tensor, torch.Tensor]


class BiasTerm(ABC):
    """One additive term; final classes below. Blocks are "B|1 H|1 r|1 c|1" floats."""

    @abstractmethod
    def block(self, rows: Rows, cols: slice) -> torch.Tensor:
        """The term for bounded rows and columns."""

    @abstractmethod
    def check(self, shape: tuple[int, int, int, int]) -> None:
        """Raise ShapeError when the term was made for other lengths than (B, H, Q, K)."""

    @abstractmethod
    def select(self, batch: Index, heads: Index) -> "BiasTerm":
        """The term for chosen batch entries and heads."""

    @abstractmethod
    def to(self, device: torch.device | str) -> "BiasTerm":
        """The term with its tensors on `device`."""

    @property
    @abstractmethod
    def tensors(self) -> tuple[torch.Tensor, ...]:
        """The floating tensors a gradient may flow to."""

    @property
    def rank(self) -> int | None:
        """How many channels `factors` takes, or None when the term does not ride on channels."""
        return None

    def factors(self, queries: int, keys: int) -> Factors | None:
        """(u "B|1 H|1 Q r", v "B|1 H|1 K r") with the term = u v^T, or None when it has none."""
        return None


@dataclass(frozen=True, eq=False)
class DenseTerm(BiasTerm):
    """A stored tensor that broadcasts to [B, H, Q, K]."""

    tensor: torch.Tensor

    def block(self, rows: Rows, cols: slice) -> torch.Tensor:
        return take(take(self.tensor, 2, rows), 3, cols)

    def check(self, shape: tuple[int, int, int, int]) -> None:
        remedy = "pass a bias made for this key length"
        check_broadcast("bias", self.tensor.shape, shape, "B, H, Q, K", remedy)

    def select(self, batch: Index, heads: Index) -> BiasTerm:
        return DenseTerm(pick(pick(self.tensor, 0, batch), 1, heads))

    def to(self, device: torch.device | str) -> BiasTerm:
        return DenseTerm(self.tensor.to(device))

    @property
    def tensors(self) -> tuple[torch.Tensor, ...]:
        return (self.tensor,)


@dataclass(frozen=True, eq=False)
class PerKeyTerm(BiasTerm):
    """One number per key: values "B|1 H|1 K"."""

    values: torch.Tensor

    def block(self, rows: Rows, cols: slice) -> torch.Tensor:
        return take(self.values, 2, cols)[:, :, None, :]

    def check(self, shape: tuple[int, int, int, int]) -> None:
        B, H, _, K = shape
        remedy = "pass one number per key"
        check_broadcast("per_key bias", self.values.shape, (B, H, K), "B, H, K", remedy)

    def select(self, batch: Index, heads: Index) -> BiasTerm:
        return PerKeyTerm(pick(pick(self.values, 0, batch), 1, heads))

    def to(self, device: torch.device | str) -> BiasTerm:
        return PerKeyTerm(self.values.to(device))

    @property
    def tensors(self) -> tuple[torch.Tensor, ...]:
        return (self.values,)

    @property
    def rank(self) -> int:
        return 1

    def factors(self, queries: int, keys: int) -> Factors:
        ones = torch.ones(1, 1, queries, 1, dtype=self.values.dtype, device=self.values.device)
        full = self.values.expand(*self.values.shape[:2], keys)
        return ones, full[..., None]


@dataclass(frozen=True, eq=False)
class TableTerm(BiasTerm):
    """values "B|1 H|1 R C" looked up by row_labels "B|1 Q" and key_labels "B|1 K"."""

    values: torch.Tensor
    row_labels: torch.Tensor
    key_labels: torch.Tensor

    def block(self, rows: Rows, cols: slice) -> torch.Tensor:
        row_Br, key_Bc = take(self.row_labels, 1, rows), take(self.key_labels, 1, cols)
        B = max(self.values.shape[0], row_Br.shape[0], key_Bc.shape[0])
        batch = torch.arange(B, device=self.values.device)[:, None, None]
        values_BRCH = self.values.expand(B, -1, -1, -1).permute(0, 2, 3, 1)
        return values_BRCH[batch, row_Br[:, :, None], key_Bc[:, None, :]].permute(0, 3, 1, 2)

    def check(self, shape: tuple[int, int, int, int]) -> None:
        B, H, Q, K = shape
        remedy = "pass one label per position"
        check_broadcast("row_labels", self.row_labels.shape, (B, Q), "B, Q", remedy)
        check_broadcast("key_labels", self.key_labels.shape, (B, K), "B, K", remedy)
        remedy = "pass values [R, C] or one table per head"
        check_broadcast("table values", self.values.shape[:2], (B, H), "B, H", remedy)

    def select(self, batch: Index, heads: Index) -> BiasTerm:
        values = pick(pick(self.values, 0, batch), 1, heads)
        return TableTerm(values, pick(self.row_labels, 0, batch), pick(self.key_labels, 0, batch))

    def to(self, device: torch.device | str) -> BiasTerm:
        moved = (self.values.to(device), self.row_labels.to(device), self.key_labels.to(device))
        return TableTerm(*moved)

    @property
    def tensors(self) -> tuple[torch.Tensor, ...]:
        return (self.values,)

    @property
    def rank(self) -> int:
        return self.values.shape[3]

    def factors(self, queries: int, keys: int) -> Factors:
        C = self.values.shape[3]
        key_hot_BKC = torch.nn.functional.one_hot(self.key_labels.expand(-1, keys), C)
        rows = self.row_labels.expand(-1, queries)
        B = max(self.values.shape[0], rows.shape[0])
        values_BHRC = self.values.expand(B, -1, -1, -1)
        index = rows.expand(B, -1)[:, None, :, None].expand(-1, values_BHRC.shape[1], -1, C)
        return values_BHRC.gather(2, index), key_hot_BKC[:, None].to(self.values.dtype)


@dataclass(frozen=True, eq=False)
class AlibiTerm(BiasTerm):
    """slopes [1, H] times (j - (i + offset))."""

    slopes: torch.Tensor
    offset: int

    def block(self, rows: Rows, cols: slice) -> torch.Tensor:
        device = self.slopes.device
        row_r = positions(rows, device)[:, None] + self.offset
        col_c = torch.arange(cols.start, cols.stop, device=device)[None, :]
        return self.slopes[:, :, None, None] * (col_c - row_r)

    def check(self, shape: tuple[int, int, int, int]) -> None:
        H = shape[1]
        check_broadcast("slopes", self.slopes.shape, (1, H), "1, H", "pass one slope per head")

    def select(self, batch: Index, heads: Index) -> BiasTerm:
        return AlibiTerm(pick(self.slopes, 1, heads), self.offset)

    def to(self, device: torch.device | str) -> BiasTerm:
        return AlibiTerm(self.slopes.to(device), self.offset)

    @property
    def tensors(self) -> tuple[torch.Tensor, ...]:
        return (self.slopes,)

    # rank stays None: slope * i and slope * j cancel in the dot product and lose float32's
    # precision at long lengths, so alibi has factors but does not ride on channels
    def factors(self, queries: int, keys: int) -> Factors:
        device = self.slopes.device
        row_Q = torch.arange(queries, device=device).to(self.slopes.dtype) + self.offset
        key_K = torch.arange(keys, device=device).to(self.slopes.dtype)
        slope = self.slopes[:, :, None, None]
        u = torch.cat([-slope * row_Q[None, None, :, None], slope.expand(1, -1, queries, 1)], -1)
        v = torch.stack([torch.ones_like(key_K), key_K], -1)[None, None]
        return u, v


@dataclass(frozen=True, eq=False)
class Bias:
    """Additive terms on the scores; what people want, in the model's own currency.

    A weight w multiplies attention odds by w when ln(w) is added; -inf forbids (a veto).

    Args:
        terms: what is added up; make one with `Bias.dense`, `.per_key`, `.table` or `.alibi`.
    Cost: O(Q + K) memory but for `dense`, which holds what it was given.
    Not: a veto, unless an entry is -inf.
    Example:
        >>> Bias.per_key(torch.tensor([0.0, 2.0])).block(slice(0, 1), slice(0, 2)).tolist()
        [[[[0.0, 2.0]]]]
    """

    terms: tuple[BiasTerm, ...]

    @staticmethod
    def dense(tensor: torch.Tensor) -> "Bias":
        """Any floating tensor that broadcasts to [B, H, Q, K]; -inf masks."""
        if tensor.dim() > 4 or not tensor.is_floating_point():
            shape_error("bias", "floating, at most 4-D", f"{tensor.dtype} {tuple(tensor.shape)}")
        return Bias((DenseTerm(tensor[(None,) * (4 - tensor.dim())]),))

    @staticmethod
    def per_key(values: torch.Tensor) -> "Bias":
        """One number per key: values [K], [B, K] or [B, H, K]; rank 1."""
        if values.dim() not in (1, 2, 3) or not values.is_floating_point():
            got = f"{values.dtype} {tuple(values.shape)}"
            shape_error("per_key values", "floating [K], [B, K] or [B, H, K]", got)
        if values.dim() == 1:
            return Bias((PerKeyTerm(values[None, None]),))
        return Bias((PerKeyTerm(values[:, None] if values.dim() == 2 else values),))

    @staticmethod
    def table(values: torch.Tensor, row_labels: torch.Tensor, key_labels: torch.Tensor) -> "Bias":
        """A table looked up by labels: bias[i, j] = values[row_labels[i], key_labels[j]].

        Args:
            values: floating [R, C] or [B, H, R, C].
            row_labels: integers [Q] or [B, Q] in 0..R-1.
            key_labels: integers [K] or [B, K] in 0..C-1.
        Raises:
            ShapeError: for other shapes, or labels outside the table.
        Cost: rank C as channels of a fused kernel.
        """
        if values.dim() not in (2, 4) or not values.is_floating_point():
            shape_error("table values", "floating [R, C] or [B, H, R, C]", tuple(values.shape))
        values = values[(None,) * (4 - values.dim())]
        sizes = zip(
            ("row_labels", "key_labels"), (row_labels, key_labels), values.shape[2:], strict=True
        )
        for name, labels, size in sizes:
            if labels.dim() not in (1, 2) or labels.is_floating_point():
                shape_error(name, "integers [L] or [B, L]", f"{labels.dtype} {labels.dim()}-D")
            if labels.numel() and (int(labels.min()) < 0 or int(labels.max()) >= size):
                shape_error(name, f"in 0..{size - 1}", f"{int(labels.min())}..{int(labels.max())}")
        row = row_labels.long() if row_labels.dim() == 2 else row_labels.long()[None]
        key = key_labels.long() if key_labels.dim() == 2 else key_labels.long()[None]
        return Bias((TableTerm(values, row, key),))

    @staticmethod
    def alibi(slopes: torch.Tensor, offset: int = 0) -> "Bias":
        """Linear in the distance: slopes[h] * (j - (i + offset)), for causal attention.

        Ref: Press et al. 2022, arXiv:2108.12409.
        """
        if slopes.dim() != 1 or not slopes.is_floating_point():
            shape_error("slopes", "floating [H]", f"{slopes.dtype} {tuple(slopes.shape)}")
        return Bias((AlibiTerm(slopes[None], int(offset)),))

    def __add__(self, other: "Bias") -> "Bias":
        return Bias(self.terms + other.terms)

    def block(self, rows: Rows, cols: slice) -> torch.Tensor:
        """The bias for bounded `rows` and `cols`: float, broadcastable to [B, H, r, c]."""
        return _total(term.block(rows, cols) for term in self.terms)

    def factors(self, queries: int | None = None, keys: int | None = None) -> Factors | None:
        """(u [B|1, H|1, Q, r], v [B|1, H|1, K, r]) whose u v^T is the bias, or None.

        Args:
            queries: Q; needed when no term knows it (a lone `per_key` or `alibi`), default K.
            keys: K; needed for a lone `alibi`.
        """
        Q, K = self._lengths(queries, keys)
        parts = [term.factors(Q, K) for term in self.terms]
        if any(part is None for part in parts):
            return None
        u, v = zip(*(part for part in parts if part is not None), strict=True)
        return _concat(u), _concat(v)

    def _lengths(self, queries: int | None, keys: int | None) -> tuple[int, int]:
        for term in self.terms:
            if isinstance(term, TableTerm):
                queries = term.row_labels.shape[1] if queries is None else queries
                keys = term.key_labels.shape[1] if keys is None else keys
            elif isinstance(term, PerKeyTerm):
                keys = term.values.shape[2] if keys is None else keys
        keys = queries if keys is None else keys
        queries = keys if queries is None else queries
        if keys is None or queries is None:
            return 0, 0
        return queries, keys

    @property
    def tensors(self) -> tuple[torch.Tensor, ...]:
        """The floating tensors a gradient may flow to."""
        return tuple(tensor for term in self.terms for tensor in term.tensors)

    @property
    def vetoes(self) -> bool:
        """Whether some entry is -inf."""
        return any(bool(torch.isneginf(tensor).any()) for tensor in self.tensors)

    def check(self, shape: tuple[int, int, int, int]) -> None:
        """Raise ShapeError when a term was made for other lengths than (B, H, Q, K)."""
        for term in self.terms:
            term.check(shape)

    def select(self, batch: Index = None, heads: Index = None) -> "Bias":
        """The bias for chosen batch entries and heads."""
        return Bias(tuple(term.select(batch, heads) for term in self.terms))

    def to(self, device: torch.device | str) -> "Bias":
        """The bias with its tensors on `device`."""
        return Bias(tuple(term.to(device) for term in self.terms))


def _total(blocks: Iterable[torch.Tensor]) -> torch.Tensor:
    iterator = iter(blocks)
    total = next(iterator)
    for block in iterator:
        total = total + block
    return total


def _concat(parts: tuple[torch.Tensor, ...]) -> torch.Tensor:
    B = max(part.shape[0] for part in parts)
    H = max(part.shape[1] for part in parts)
    return torch.cat([part.expand(B, H, *part.shape[2:]) for part in parts], dim=-1)
