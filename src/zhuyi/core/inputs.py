"""What one attention call is made of, checked once: everything else in core reads it."""

from dataclasses import dataclass
from math import sqrt

import torch

from .._check import check_query_key, option_error, shape_error
from .bias import Bias
from .mask import Index, Mask, pick


@dataclass(frozen=True, eq=False)
class Inputs:
    """Query, key and everything that shapes the scores; checked against each other.

    Args:
        query: [B, H, Q, D].
        key: [B, G, K, D].
        bias: added to the scores.
        mask: which keys each query may see.
        scale: factor on Q K^T.
        softcap: c > 0 replaces scores s by c tanh(s / c), or None.
        sink: [H] logits of a key without value, or None.
    """

    query: torch.Tensor
    key: torch.Tensor
    bias: Bias | None
    mask: Mask | None
    scale: float
    softcap: float | None
    sink: torch.Tensor | None
    shape: tuple[int, int, int, int]

    @staticmethod
    def checked(
        query: torch.Tensor,
        key: torch.Tensor,
        bias: Bias | None,
        mask: Mask | None,
        scale: float | None,
        softcap: float | None,
        sink: torch.Tensor | None,
    ) -> "Inputs":
        """Check shapes, dtypes and ranges; scale None becomes 1 / sqrt(D)."""
        shape = check_query_key(query, key)
        if softcap is not None and not softcap > 0:
            option_error("softcap", "a positive number or None", softcap)
        if sink is not None and tuple(sink.shape) != (shape[1],):
            shape_error("sink", f"[H] = [{shape[1]}]", tuple(sink.shape))
        if mask is not None:
            mask.check(shape)
        if bias is not None:
            bias.check(shape)
        factor = 1.0 / sqrt(max(1, query.shape[3])) if scale is None else float(scale)
        return Inputs(query, key, bias, mask, factor, softcap, sink, shape)

    @property
    def dtype(self) -> torch.dtype:
        """The dtype of answers: float64 for float64 inputs, else float32."""
        return torch.float64 if self.query.dtype == torch.float64 else torch.float32

    @property
    def device(self) -> torch.device:
        """Where query and key live."""
        return self.query.device

    def zeros(self, *size: int) -> torch.Tensor:
        """Zeros of the answers' dtype, on the inputs' device."""
        return torch.zeros(size, dtype=self.dtype, device=self.device)

    def select(self, batch: Index, heads: Index) -> "Inputs":
        """The inputs of chosen batch entries and query heads; each head brings its own key head."""
        query = pick_exact(pick_exact(self.query, 0, batch), 1, heads)
        key = pick_exact(self.key, 0, batch)
        sink = self.sink
        if heads is not None:
            n = self.shape[1] // self.key.shape[1]
            chosen = [heads] if isinstance(heads, int) else list(heads)
            key = pick_exact(key, 1, [head // n for head in chosen])
            sink = None if sink is None else pick_exact(sink, 0, heads)
        return Inputs(
            query,
            key,
            None if self.bias is None else self.bias.select(batch, heads),
            None if self.mask is None else self.mask.select(batch, heads),
            self.scale,
            self.softcap,
            sink,
            (query.shape[0], query.shape[1], *self.shape[2:]),
        )

    def to(self, device: torch.device | str) -> "Inputs":
        """The inputs with their tensors on `device`."""
        return Inputs(
            self.query.to(device),
            self.key.to(device),
            None if self.bias is None else self.bias.to(device),
            None if self.mask is None else self.mask.to(device),
            self.scale,
            self.softcap,
            None if self.sink is None else self.sink.to(device),
            self.shape,
        )


def pick_exact(tensor: torch.Tensor, dim: int, index: Index) -> torch.Tensor:
    """Like `pick`, for tensors whose dimension of size 1 is a real one and may be repeated."""
    if index is None:
        return tensor
    size = tensor.shape[dim]
    chosen = [index] if isinstance(index, int) else list(index)
    wrong = [i for i in chosen if not 0 <= i < size]
    if wrong:
        shape_error("index", f"in 0..{size - 1}", wrong[0])
    if len(chosen) == 1:
        return tensor.narrow(dim, chosen[0], 1)
    if size > 1:
        return pick(tensor, dim, chosen)
    sizes = [len(chosen) if d == dim else -1 for d in range(tensor.dim())]
    return tensor.expand(sizes)
