"""The attention matrix as a linear operator: it keeps Q and K and answers questions about L x L.

    A = softmax(softcap(scale Q K^T) + bias), masked entries exactly 0

Letters: B batch, H query heads, G key heads, Q queries, K keys, D head width.
"""

from typing import Final

import torch

from .._check import check_at_least, option_error, shape_error
from ..errors import MatrixTooLarge
from . import recompute
from .backends import streaming
from .bias import Bias
from .inputs import Inputs
from .mask import Index, Mask, Rows, positions
from .statistics import AttentionSummary, Statistics
from .tally import (
    DistanceTally,
    EntropyTally,
    LseTally,
    MaxTally,
    PooledTally,
    ReceivedTally,
    TopkTally,
)
from .tile import score_tile, weight_tile

LIMIT_BYTES: Final = 2**30
CHUNK_ROWS: Final = 256


class AttentionMatrix:
    """The weights of one attention call, never stored: O(L D) memory for L x L answers.

    Grouped heads: query head h reads key head h // (H / G); every answer is per query head.
    Rows that see nothing have weights 0, lse +inf and entropy 0. Low-precision inputs are
    accumulated in float32; answers are float32, or float64 for float64 inputs.

    Args:
        query: [B, H, Q, D], floating.
        key: [B, G, K, D], same dtype and device, G divides H.
        bias: added to the scores.
        mask: which keys each query may see.
        scale: factor on Q K^T; default 1 / sqrt(D).
        softcap: c > 0 replaces scores s by c tanh(s / c), before bias and mask.
        sink: [H] logits of a key that takes weight and gives nothing; rows then sum to less than 1.
    Raises:
        ShapeError: when shapes, dtypes or devices do not fit each other.
    Cost: nothing until asked; then O(B H Q K D) time and O(B H (Q + K) D) memory an answer, unless
        the method says otherwise.
    Not: the reason for a decision. Verify before believing.
    Example:
        >>> q = k = torch.eye(2)[None, None]
        >>> matrix = AttentionMatrix(q, k, scale=0.0)
        >>> matrix.received().tolist()
        [[[1.0, 1.0]]]
    """

    def __init__(
        self,
        query: torch.Tensor,
        key: torch.Tensor,
        *,
        bias: Bias | None = None,
        mask: Mask | None = None,
        scale: float | None = None,
        softcap: float | None = None,
        sink: torch.Tensor | None = None,
    ) -> None:
        self.inputs = Inputs.checked(query, key, bias, mask, scale, softcap, sink)
        self.known_lse: torch.Tensor | None = None

    @classmethod
    def of(cls, inputs: Inputs) -> "AttentionMatrix":
        """The matrix of inputs that were checked before."""
        matrix = object.__new__(cls)
        matrix.inputs = inputs
        matrix.known_lse = None
        return matrix

    @property
    def query(self) -> torch.Tensor:
        """[B, H, Q, D]."""
        return self.inputs.query

    @property
    def key(self) -> torch.Tensor:
        """[B, G, K, D]."""
        return self.inputs.key

    @property
    def bias(self) -> Bias | None:
        """What is added to the scores."""
        return self.inputs.bias

    @property
    def mask(self) -> Mask | None:
        """Which keys each query may see."""
        return self.inputs.mask

    @property
    def scale(self) -> float:
        """The factor on Q K^T."""
        return self.inputs.scale

    @property
    def softcap(self) -> float | None:
        """c of c tanh(s / c), or None."""
        return self.inputs.softcap

    @property
    def sink(self) -> torch.Tensor | None:
        """[H] logits of a key that takes weight and gives nothing, or None."""
        return self.inputs.sink

    @property
    def shape(self) -> tuple[int, int, int, int]:
        """(B, H, Q, K) of the weights."""
        return self.inputs.shape

    @property
    def dtype(self) -> torch.dtype:
        """The dtype of answers: float64 for float64 inputs, else float32."""
        return self.inputs.dtype

    @property
    def device(self) -> torch.device:
        """Where query and key live."""
        return self.inputs.device

    @property
    def T(self) -> "TransposedMatrix":
        """The transpose, for `A.T @ R`."""
        return TransposedMatrix(self)

    def __repr__(self) -> str:
        return f"AttentionMatrix(shape={self.shape}, dtype={self.query.dtype})"

    def scores(self, rows: Rows | None = None, cols: slice | None = None) -> torch.Tensor:
        """One dense block of scores, bias and mask included: [B, H, r, c], masked entries -inf.

        Args:
            rows: slice or int64 index tensor, default all.
            cols: slice, default all.
        Cost: O(B H r c D) time, O(B H r c) memory: ask for small blocks. Differentiable.
        """
        return score_tile(self.inputs, self._rows(rows), self._cols(cols))

    def weights(self, rows: Rows | None = None, cols: slice | None = None) -> torch.Tensor:
        """One dense block of weights [B, H, r, c], normalized over all keys, not over the block.

        Args:
            rows: slice or int64 index tensor, default all.
            cols: slice, default all.
        Cost: O(B H r K D) time, O(B H r c) memory beyond a chunk of rows. Differentiable; with
            gradients O(B H r K) memory.
        """
        wanted, columns = self._rows(rows), self._cols(cols)
        if columns == slice(0, self.shape[3]):
            return weight_tile(self.inputs, wanted)[0]
        # few columns of many rows: whole rows are needed to normalize, but never all at once
        chunks = torch.split(positions(wanted, self.device), CHUNK_ROWS)
        return torch.cat([weight_tile(self.inputs, rows)[0][..., columns] for rows in chunks], 2)

    def materialize(self, limit_bytes: int = LIMIT_BYTES) -> torch.Tensor:
        """All weights as one array [B, H, Q, K], if it fits.

        Raises:
            MatrixTooLarge: when the array would exceed `limit_bytes`.
        """
        B, H, Q, K = self.shape
        size = B * H * Q * K * (8 if self.dtype == torch.float64 else 4)
        if size > limit_bytes:
            raise MatrixTooLarge(
                f"the weights {self.shape} take {size:,} bytes, limit_bytes is {limit_bytes:,}: "
                "ask for a block with weights(rows=, cols=), or for a statistic"
            )
        return self.weights()

    def lse(self) -> torch.Tensor:
        """Natural log of each row's normalizer (sink included), [B, H, Q]; no gradient."""
        if self.known_lse is None:
            tally = LseTally(self.inputs)
            streaming.run(self.inputs, [tally])
            self.known_lse = tally.result
        return self.known_lse

    def received(self, row_weights: torch.Tensor | None = None) -> torch.Tensor:
        """A^T r: the weight each key gets, summed over queries; [B, H, K].

        Args:
            row_weights: r as [Q], [B, Q] or [B, H, Q]; default ones. Rows with r = 0 cost nothing
                when they are the majority.
        Cost: one streamed pass. Differentiable in query, key, bias and row_weights.
        Not: an average; divide by the number of rows yourself if you want one.
        """
        r = None if row_weights is None else self._row_weights(row_weights)
        if recompute.wants_gradient(self.inputs, r):
            return recompute.received(self.inputs, r)
        if r is not None:
            used = (r != 0).flatten(0, 1).any(0).nonzero()[:, 0]
            if 2 * len(used) <= self.shape[2]:
                return streaming.received_of_rows(self.inputs, r, used)
        tally = ReceivedTally(self.inputs, r)
        streaming.run(self.inputs, [tally])
        return tally.result

    def __matmul__(self, columns: torch.Tensor) -> torch.Tensor:
        """A @ X for X [B|1, H|G|1, K, D]: [B, H, Q, D]. Differentiable."""
        B, H, _, K = self.shape
        G = self.key.shape[1]
        fits = columns.dim() == 4 and columns.shape[2] == K
        if not fits or columns.shape[0] not in (1, B) or columns.shape[1] not in (1, G, H):
            expected = f"[B|1, H|G|1, K, D] with B, H, G, K = {B}, {H}, {G}, {K}"
            shape_error("right operand", expected, tuple(columns.shape))
        heads = G if columns.shape[1] == 1 else columns.shape[1]
        columns = columns.expand(B, heads, -1, -1)
        if recompute.wants_gradient(self.inputs, columns):
            return recompute.product(self.inputs, columns)
        return streaming.product(self.inputs, columns)

    def entropy(self) -> torch.Tensor:
        """Entropy of each row in nats, [B, H, Q]; between 0 and ln K. Differentiable."""
        if recompute.wants_gradient(self.inputs):
            return recompute.entropy(self.inputs)
        tally = EntropyTally(self.inputs)
        streaming.run(self.inputs, [tally])
        return tally.result

    def max(self) -> torch.Tensor:
        """The largest weight of each row, [B, H, Q]."""
        tally = MaxTally(self.inputs)
        streaming.run(self.inputs, [tally])
        return tally.result

    def topk(self, k: int) -> tuple[torch.Tensor, torch.Tensor]:
        """The k strongest keys of each row: weights and positions, each [B, H, Q, min(k, K)]."""
        tally = TopkTally(self.inputs, check_at_least("k", k, 1))
        streaming.run(self.inputs, [tally])
        return tally.values, tally.indices

    def pooled(self, size: int, how: str = "max") -> torch.Tensor:
        """A size x size picture of the weights, [B, H, size, size].

        Cell i covers positions floor(i L / size) to ceil((i + 1) L / size), as adaptive pooling
        does: cells may share an edge position, and repeat when L < size.

        Args:
            size: side of the picture.
            how: "max" keeps needles, "mean" keeps mass.
        """
        check_at_least("size", size, 1)
        if how == "max":
            tally = PooledTally(self.inputs, size)
            streaming.run(self.inputs, [tally])
            return tally.result
        if how != "mean":
            option_error("how", "'max' or 'mean'", how)
        return streaming.mean_pooled(self.inputs, size)

    def distance(self) -> torch.Tensor:
        """Weighted mean distance |i + offset - j| of each row in positions, [B, H, Q].

        The offset is that of a causal or window mask, so cached keys count as earlier positions.
        """
        tally = DistanceTally(self.inputs)
        streaming.run(self.inputs, [tally])
        return tally.result

    def summary(self, statistics: Statistics | None = None) -> AttentionSummary:
        """Several statistics in one pass over the tiles; no gradient."""
        return streaming.summarize(self.inputs, statistics or Statistics(), None, None).summary

    def select(self, batch: Index = None, heads: Index = None) -> "AttentionMatrix":
        """The matrix of chosen batch entries and query heads (int or sequence); dimensions kept.

        With grouped heads each chosen head comes with a view or copy of its own key head.
        """
        return AttentionMatrix.of(self.inputs.select(batch, heads))

    def to(self, device: torch.device | str) -> "AttentionMatrix":
        """The matrix with its tensors on `device`."""
        return AttentionMatrix.of(self.inputs.to(device))

    def _rows(self, rows: Rows | None) -> Rows:
        Q = self.shape[2]
        if rows is None:
            return slice(0, Q)
        if isinstance(rows, slice):
            return _bounded("rows", rows, Q)
        if rows.dim() != 1 or rows.is_floating_point() or rows.dtype == torch.bool:
            shape_error("rows", "a slice or int64 [r]", f"{rows.dtype} {tuple(rows.shape)}")
        if rows.numel() and (int(rows.min()) < 0 or int(rows.max()) >= Q):
            shape_error("rows", f"in 0..{Q - 1}", f"{int(rows.min())}..{int(rows.max())}")
        return rows

    def _cols(self, cols: slice | None) -> slice:
        return _bounded("cols", slice(None) if cols is None else cols, self.shape[3])

    def _row_weights(self, row_weights: torch.Tensor) -> torch.Tensor:
        B, H, Q, _ = self.shape
        shapes = {(Q,): (1, 1, Q), (B, Q): (B, 1, Q), (B, H, Q): (B, H, Q)}
        shape = shapes.get(tuple(row_weights.shape))
        if shape is None or not row_weights.is_floating_point():
            expected = f"floating [Q], [B, Q] or [B, H, Q] with (B, H, Q) = {(B, H, Q)}"
            got = f"{row_weights.dtype} {tuple(row_weights.shape)}"
            shape_error("row_weights", expected, got)
        return row_weights.to(self.dtype).reshape(shape).expand(B, H, Q)


class TransposedMatrix:
    """A^T as an operator: `A.T @ R` sends [B, H, Q, D] to [B, H, K, D]."""

    def __init__(self, matrix: AttentionMatrix) -> None:
        self.matrix = matrix

    @property
    def T(self) -> AttentionMatrix:
        """The matrix itself."""
        return self.matrix

    def __matmul__(self, rows: torch.Tensor) -> torch.Tensor:
        B, H, Q, _ = self.matrix.shape
        if rows.dim() != 4 or tuple(rows.shape[:3]) != (B, H, Q):
            shape_error("right operand", f"[B, H, Q, D] with {(B, H, Q)}", tuple(rows.shape))
        if recompute.wants_gradient(self.matrix.inputs, rows):
            return recompute.transposed_product(self.matrix.inputs, rows)
        return streaming.transposed_product(self.matrix.inputs, rows)


def _bounded(name: str, wanted: slice, size: int) -> slice:
    if wanted.step not in (None, 1):
        option_error(name, "a slice with step 1", wanted)
    start, stop, _ = wanted.indices(size)
    return slice(start, max(start, stop))
