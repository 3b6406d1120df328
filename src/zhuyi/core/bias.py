"""Where the human speaks: additive terms on the scores, as descriptions instead of L x L arrays.

scores = scale * Q K^T + Bias. Low-rank terms (`per_key`, `table`, `alibi`) also factor as u v^T,
so that they can ride on a fused kernel as a few extra query and key channels.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import pairwise

import torch

from .._check import shape_error
from .bias_terms import AlibiTerm, BiasTerm, DenseTerm, Factors, OuterTerm, PerKeyTerm, TableTerm
from .mask import Index, Rows


@dataclass(frozen=True, eq=False)
class Bias:
    """Additive terms on the scores; what people want, in the model's own currency.

    A weight w multiplies attention odds by w when ln(w) is added; -inf forbids (a veto).

    Args:
        terms: what is added up; make one with `Bias.dense`, `.per_key`,
            `.table`, `.outer` or `.alibi`.
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
    def outer(rows: torch.Tensor, keys: torch.Tensor) -> "Bias":
        """What row i says of key j as a product: bias[i, j] = sum_r rows[i, r] keys[j, r].

        Args:
            rows: floating and finite, [Q, R] or [B|1, H|1, Q, R].
            keys: floating and finite, [K, R] or [B|1, H|1, K, R].
        Raises:
            ShapeError: for other shapes, or unequal R.
        Cost: rank R as channels of a fused kernel.
        """
        for name, given in (("rows", rows), ("keys", keys)):
            if given.dim() not in (2, 4) or not given.is_floating_point():
                got = f"{given.dtype} {tuple(given.shape)}"
                shape_error(f"outer {name}", "floating [L, R] or [B, H, L, R]", got)
        if rows.shape[-1] != keys.shape[-1]:
            shape_error("outer keys", f"R = {rows.shape[-1]} numbers a key", keys.shape[-1])
        full = (one[None, None] if one.dim() == 2 else one for one in (rows, keys))
        return Bias((OuterTerm(*full),))

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

    def runs(self, queries: int, most: int) -> list[slice] | None:
        """Slices of the Q rows within which every row says the same; None for more than `most`."""
        turns = [term.turns(queries) for term in self.terms]
        known = [one for one in turns if one is not None]
        if len(known) < len(turns):
            return None
        places = torch.stack(known).any(0).nonzero()[:, 0]
        if len(places) >= most:
            return None
        edges = [0, *(place + 1 for place in places.tolist()), queries]
        return [slice(start, stop) for start, stop in pairwise(edges)]

    def _lengths(self, queries: int | None, keys: int | None) -> tuple[int, int]:
        for term in self.terms:
            if isinstance(term, TableTerm):
                queries = term.row_labels.shape[1] if queries is None else queries
                keys = term.key_labels.shape[1] if keys is None else keys
            elif isinstance(term, OuterTerm):
                queries = term.rows.shape[2] if queries is None else queries
                keys = term.keys.shape[2] if keys is None else keys
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
