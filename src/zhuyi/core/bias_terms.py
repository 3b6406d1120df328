"""The kinds of additive terms a `Bias` is made of: what each says of a pair, block by block."""

from abc import ABC, abstractmethod
from dataclasses import dataclass

import torch

from .._check import check_broadcast
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

    def turns(self, queries: int) -> torch.Tensor | None:
        """Bool [Q - 1]: whether row i + 1 may say something else than row i; None if all may."""
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

    def turns(self, queries: int) -> torch.Tensor:
        return torch.zeros(queries - 1, dtype=torch.bool, device=self.values.device)


@dataclass(frozen=True, eq=False)
class TableTerm(BiasTerm):
    """values "B|1 H|1 R C" looked up by row_labels "B|1 Q" and key_labels "B|1 K"."""

    values: torch.Tensor
    row_labels: torch.Tensor
    key_labels: torch.Tensor

    def block(self, rows: Rows, cols: slice) -> torch.Tensor:
        row_Br, key_Bc = take(self.row_labels, 1, rows), take(self.key_labels, 1, cols)
        B = max(self.values.shape[0], row_Br.shape[0], key_Bc.shape[0])
        if B == 1:  # one look-up after the other is several times as fast as pairs of indices
            return self.values.index_select(2, row_Br[0]).index_select(3, key_Bc[0])
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

    def turns(self, queries: int) -> torch.Tensor:
        rows_BQ = self.row_labels.expand(-1, queries)
        return (rows_BQ[:, 1:] != rows_BQ[:, :-1]).any(0)


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
class OuterTerm(BiasTerm):
    """rows "B|1 H|1 Q R" times keys "B|1 H|1 K R", summed over R."""

    rows: torch.Tensor
    keys: torch.Tensor

    def block(self, rows: Rows, cols: slice) -> torch.Tensor:
        return take(self.rows, 2, rows) @ take(self.keys, 2, cols).transpose(-1, -2)

    def check(self, shape: tuple[int, int, int, int]) -> None:
        B, H, Q, K = shape
        remedy = "pass one vector per position"
        check_broadcast("outer rows", self.rows.shape[:3], (B, H, Q), "B, H, Q", remedy)
        check_broadcast("outer keys", self.keys.shape[:3], (B, H, K), "B, H, K", remedy)

    def select(self, batch: Index, heads: Index) -> BiasTerm:
        rows, keys = (pick(pick(one, 0, batch), 1, heads) for one in (self.rows, self.keys))
        return OuterTerm(rows, keys)

    def to(self, device: torch.device | str) -> BiasTerm:
        return OuterTerm(self.rows.to(device), self.keys.to(device))

    @property
    def tensors(self) -> tuple[torch.Tensor, ...]:
        return (self.rows, self.keys)

    @property
    def rank(self) -> int:
        return self.rows.shape[3]

    def factors(self, queries: int, keys: int) -> Factors:
        return (
            self.rows.expand(-1, -1, queries, -1),
            self.keys.expand(-1, -1, keys, -1),
        )

    def turns(self, queries: int) -> torch.Tensor:
        rows_BHQR = self.rows.expand(-1, -1, queries, -1)
        return (rows_BHQR[:, :, 1:] != rows_BHQR[:, :, :-1]).any(-1).flatten(0, 1).any(0)
