"""Which keys each query may see: masks as small descriptions, never as stored L x L arrays.

A `Mask` is an "and" of parts; each part answers for any block of rows and columns.
Letters: B batch, H heads, Q queries (rows), K keys (columns); blocks are "B H r c", 1 = broadcast.
"""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, TypeAlias

import torch

from .._check import check_broadcast, shape_error

Rows: TypeAlias = slice | torch.Tensor
Index: TypeAlias = int | Sequence[int] | None

SEGMENT_REMEDY: Final = "pass one id per position"


def positions(rows: Rows, device: torch.device | str) -> torch.Tensor:
    """The row numbers that a bounded slice or an index tensor stands for, as int64 [r]."""
    if isinstance(rows, slice):
        return torch.arange(rows.start, rows.stop, device=device)
    return rows.to(device)


def take(tensor: torch.Tensor, dim: int, rows: Rows) -> torch.Tensor:
    """Rows of `tensor` along `dim`; a dimension of size 1 is a broadcast and stays as it is."""
    if tensor.shape[dim] == 1:
        return tensor
    if isinstance(rows, slice):
        return tensor.narrow(dim, rows.start, rows.stop - rows.start)
    return tensor.index_select(dim, rows.to(tensor.device))


def pick(tensor: torch.Tensor, dim: int, index: Index) -> torch.Tensor:
    """Chosen batches or heads along `dim`, dimension kept; size 1 is a broadcast and stays."""
    if index is None or tensor.shape[dim] == 1:
        return tensor
    if isinstance(index, int):
        return tensor.narrow(dim, index, 1)
    return tensor.index_select(dim, torch.as_tensor(list(index), device=tensor.device))


class MaskPart(ABC):
    """One condition on (row, column); final classes below."""

    @abstractmethod
    def block(self, rows: Rows, cols: slice, device: torch.device | str) -> torch.Tensor:
        """Bool "B|1 H|1 r|1 c|1": True where the key may be seen."""

    def check(self, shape: tuple[int, int, int, int]) -> None:  # noqa: B027 - most parts fit all
        """Raise ShapeError when the part was made for other lengths."""

    def column_range(self, start: int, stop: int, keys: int) -> tuple[int, int]:
        """The columns outside of which rows start..stop see nothing."""
        return 0, keys

    def partial_columns(self, start: int, stop: int, cols: slice) -> tuple[slice, ...]:
        """Within `cols`, the columns where rows start..stop do not see everything."""
        return (cols,)

    def select(self, batch: Index, heads: Index) -> "MaskPart":
        """The part for chosen batch entries and heads."""
        return self

    def to(self, device: torch.device | str) -> "MaskPart":
        """The part with its tensors on `device`."""
        return self


@dataclass(frozen=True)
class CausalPart(MaskPart):
    """Query i sees keys j <= i + offset."""

    offset: int

    def block(self, rows: Rows, cols: slice, device: torch.device | str) -> torch.Tensor:
        row_r = positions(rows, device)
        col_c = torch.arange(cols.start, cols.stop, device=device)
        return (col_c[None, :] <= row_r[:, None] + self.offset)[None, None]

    def column_range(self, start: int, stop: int, keys: int) -> tuple[int, int]:
        return 0, max(0, min(keys, stop + self.offset))

    def partial_columns(self, start: int, stop: int, cols: slice) -> tuple[slice, ...]:
        first = max(cols.start, start + self.offset + 1)
        return (slice(first, cols.stop),) if first < cols.stop else ()


@dataclass(frozen=True)
class WindowPart(MaskPart):
    """Query i sees keys i + offset - left <= j <= i + offset + right; None is unbounded."""

    left: int | None
    right: int | None
    offset: int

    def block(self, rows: Rows, cols: slice, device: torch.device | str) -> torch.Tensor:
        row_r = positions(rows, device)[:, None] + self.offset
        col_c = torch.arange(cols.start, cols.stop, device=device)[None, :]
        keep_rc = torch.ones(row_r.shape[0], col_c.shape[1], dtype=torch.bool, device=device)
        if self.left is not None:
            keep_rc &= col_c >= row_r - self.left
        if self.right is not None:
            keep_rc &= col_c <= row_r + self.right
        return keep_rc[None, None]

    def column_range(self, start: int, stop: int, keys: int) -> tuple[int, int]:
        low = 0 if self.left is None else start + self.offset - self.left
        high = keys if self.right is None else stop + self.offset + self.right
        low = min(max(0, low), keys)
        return low, max(low, min(keys, high))

    def partial_columns(self, start: int, stop: int, cols: slice) -> tuple[slice, ...]:
        # seen by every row of the block: from the last row's left edge to the first row's right
        inner_low = cols.start if self.left is None else stop - 1 + self.offset - self.left
        inner_high = cols.stop if self.right is None else start + self.offset + self.right + 1
        inner_low, inner_high = max(cols.start, inner_low), min(cols.stop, inner_high)
        if inner_low >= inner_high:
            return (cols,)
        edges = (slice(cols.start, inner_low), slice(inner_high, cols.stop))
        return tuple(edge for edge in edges if edge.start < edge.stop)


@dataclass(frozen=True, eq=False)
class PaddingPart(MaskPart):
    """Keys that exist: keep "B|1 K"."""

    keep: torch.Tensor

    def block(self, rows: Rows, cols: slice, device: torch.device | str) -> torch.Tensor:
        return take(self.keep, 1, cols)[:, None, None, :]

    def check(self, shape: tuple[int, int, int, int]) -> None:
        B, _, _, K = shape
        remedy = "pass a mask made for this key length"
        check_broadcast("padding keep", self.keep.shape, (B, K), "B, K", remedy)

    def select(self, batch: Index, heads: Index) -> MaskPart:
        return PaddingPart(pick(self.keep, 0, batch))

    def to(self, device: torch.device | str) -> MaskPart:
        return PaddingPart(self.keep.to(device))


@dataclass(frozen=True, eq=False)
class RowsPart(MaskPart):
    """Queries that exist: keep "B|1 Q"; a row that does not exist sees nothing."""

    keep: torch.Tensor

    def block(self, rows: Rows, cols: slice, device: torch.device | str) -> torch.Tensor:
        return take(self.keep, 1, rows)[:, None, :, None]

    def check(self, shape: tuple[int, int, int, int]) -> None:
        B, _, Q, _ = shape
        remedy = "pass a mask made for this query length"
        check_broadcast("rows keep", self.keep.shape, (B, Q), "B, Q", remedy)

    def select(self, batch: Index, heads: Index) -> MaskPart:
        return RowsPart(pick(self.keep, 0, batch))

    def to(self, device: torch.device | str) -> MaskPart:
        return RowsPart(self.keep.to(device))


@dataclass(frozen=True, eq=False)
class SegmentsPart(MaskPart):
    """Query and key belong to the same segment: ids "B|1 Q" and "B|1 K"."""

    query_ids: torch.Tensor
    key_ids: torch.Tensor

    def block(self, rows: Rows, cols: slice, device: torch.device | str) -> torch.Tensor:
        query_Br = take(self.query_ids, 1, rows)
        key_Bc = take(self.key_ids, 1, cols)
        return (query_Br[:, :, None] == key_Bc[:, None, :])[:, None]

    def check(self, shape: tuple[int, int, int, int]) -> None:
        B, _, Q, K = shape
        check_broadcast("query_ids", self.query_ids.shape, (B, Q), "B, Q", SEGMENT_REMEDY)
        check_broadcast("key_ids", self.key_ids.shape, (B, K), "B, K", SEGMENT_REMEDY)

    def select(self, batch: Index, heads: Index) -> MaskPart:
        return SegmentsPart(pick(self.query_ids, 0, batch), pick(self.key_ids, 0, batch))

    def to(self, device: torch.device | str) -> MaskPart:
        return SegmentsPart(self.query_ids.to(device), self.key_ids.to(device))


@dataclass(frozen=True, eq=False)
class DensePart(MaskPart):
    """A stored bool tensor, "B|1 H|1 Q|1 K|1"; sizes of 1 broadcast."""

    keep: torch.Tensor

    def block(self, rows: Rows, cols: slice, device: torch.device | str) -> torch.Tensor:
        return take(take(self.keep, 2, rows), 3, cols)

    def check(self, shape: tuple[int, int, int, int]) -> None:
        remedy = "pass a mask made for these lengths"
        check_broadcast("dense keep", self.keep.shape, shape, "B, H, Q, K", remedy)

    def select(self, batch: Index, heads: Index) -> MaskPart:
        return DensePart(pick(pick(self.keep, 0, batch), 1, heads))

    def to(self, device: torch.device | str) -> MaskPart:
        return DensePart(self.keep.to(device))


@dataclass(frozen=True, eq=False)
class Mask:
    """Which keys each query may see, as an "and" of parts; True means seen.

    Make one with `Mask.causal()`, `.padding`, `.rows`, `.window`, `.segments` or `.dense`, and
    combine with `&`. Masked weights are exactly 0; a row that sees nothing has weights 0.

    Args:
        parts: the conditions, all of which must hold.
    Cost: O(Q + K) memory but for `dense`, which holds what it was given.
    Example:
        >>> Mask.causal().block(slice(0, 2), slice(0, 3))[0, 0].int().tolist()
        [[1, 0, 0], [1, 1, 0]]
    """

    parts: tuple[MaskPart, ...]

    @staticmethod
    def causal(offset: int = 0) -> "Mask":
        """Query i sees keys j <= i + offset; with a cache of n keys before the queries, offset = n.

        Example:
            >>> Mask.causal(1).block(slice(0, 1), slice(0, 3)).flatten().int().tolist()
            [1, 1, 0]
        """
        return Mask((CausalPart(int(offset)),))

    @staticmethod
    def padding(keep: torch.Tensor) -> "Mask":
        """Keys that exist: keep [B, K] or [K], bool (or 0/1 as tokenizers give it)."""
        return Mask((PaddingPart(_flags("keep", keep, "B K")),))

    @staticmethod
    def rows(keep: torch.Tensor) -> "Mask":
        """Queries that exist: keep [B, Q] or [Q], bool; absent rows have no weights."""
        return Mask((RowsPart(_flags("keep", keep, "B Q")),))

    @staticmethod
    def window(left: int | None, right: int | None, offset: int = 0) -> "Mask":
        """Sliding window: i + offset - left <= j <= i + offset + right; None leaves a side open."""
        return Mask((WindowPart(left, right, int(offset)),))

    @staticmethod
    def segments(query_ids: torch.Tensor, key_ids: torch.Tensor) -> "Mask":
        """Packed sequences: a query sees keys with its own id; ids [B, L] or [L]."""
        return Mask((SegmentsPart(_ids("query_ids", query_ids), _ids("key_ids", key_ids)),))

    @staticmethod
    def dense(keep: torch.Tensor) -> "Mask":
        """Any bool tensor that broadcasts to [B, H, Q, K]; kept as given, not expanded."""
        if keep.dim() > 4 or keep.dtype != torch.bool:
            shape_error("keep", "bool and at most 4-D", f"{keep.dtype} {tuple(keep.shape)}")
        return Mask((DensePart(keep[(None,) * (4 - keep.dim())]),))

    def __and__(self, other: "Mask") -> "Mask":
        return Mask(self.parts + other.parts)

    def block(
        self, rows: Rows, cols: slice, device: torch.device | str | None = None
    ) -> torch.Tensor:
        """The mask for bounded `rows` and `cols`: bool, broadcastable to [B, H, r, c]."""
        where = self.device if device is None else device
        blocks = [part.block(rows, cols, where) for part in self.parts]
        keep = blocks[0]
        for block in blocks[1:]:
            keep = keep & block
        return keep

    @property
    def device(self) -> torch.device:
        """Where the mask's tensors live; the CPU when it has none."""
        for part in self.parts:
            for field in vars(part).values():
                if isinstance(field, torch.Tensor):
                    return field.device
        return torch.device("cpu")

    @property
    def offset(self) -> int:
        """How far the queries are shifted against the keys (from `causal` or `window`), else 0."""
        for part in self.parts:
            if isinstance(part, CausalPart | WindowPart):
                return part.offset
        return 0

    def check(self, shape: tuple[int, int, int, int]) -> None:
        """Raise ShapeError when a part was made for other lengths than (B, H, Q, K)."""
        for part in self.parts:
            part.check(shape)

    def column_range(self, start: int, stop: int, keys: int) -> tuple[int, int]:
        """The columns outside of which rows start..stop see nothing, as (low, high)."""
        low, high = 0, keys
        for part in self.parts:
            part_low, part_high = part.column_range(start, stop, keys)
            low, high = max(low, part_low), min(high, part_high)
        return low, max(low, high)

    def may_blind(self) -> bool:
        """Whether some row may see nothing; False only when that is certain and cheap to tell."""
        if len(self.parts) != 1:
            return True
        part = self.parts[0]
        if isinstance(part, CausalPart):
            return part.offset < 0
        return not (isinstance(part, PaddingPart) and bool(part.keep.any(-1).all()))

    def select(self, batch: Index = None, heads: Index = None) -> "Mask":
        """The mask for chosen batch entries and heads."""
        return Mask(tuple(part.select(batch, heads) for part in self.parts))

    def to(self, device: torch.device | str) -> "Mask":
        """The mask with its tensors on `device`."""
        return Mask(tuple(part.to(device) for part in self.parts))


def _flags(name: str, keep: torch.Tensor, letters: str) -> torch.Tensor:
    if keep.dim() not in (1, 2):
        shape_error(name, f"a bool tensor [{letters}]", f"shape {tuple(keep.shape)}")
    flags = keep if keep.dtype == torch.bool else keep != 0
    return flags if flags.dim() == 2 else flags[None]


def _ids(name: str, ids: torch.Tensor) -> torch.Tensor:
    if ids.dim() not in (1, 2) or ids.is_floating_point():
        shape_error(name, "integers [B, L] or [L]", f"{ids.dtype} {tuple(ids.shape)}")
    return ids if ids.dim() == 2 else ids[None]
