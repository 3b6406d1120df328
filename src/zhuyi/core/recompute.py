"""Questions to the matrix that carry gradients: each row block is recomputed in the backward pass.

So a gradient costs O(L) memory too, at the price of a second look at each block.
"""

from collections.abc import Callable, Iterator

import torch
from torch.utils.checkpoint import checkpoint

from .inputs import Inputs
from .tile import weight_tile

ROWS = 256


def wants_gradient(inputs: Inputs, *others: torch.Tensor | None) -> bool:
    """Whether autograd is on and something the answer depends on requires a gradient."""
    if not torch.is_grad_enabled():
        return False
    tensors = [inputs.query, inputs.key, *others]
    if inputs.bias is not None:
        tensors.extend(inputs.bias.tensors)
    if inputs.sink is not None:
        tensors.append(inputs.sink)
    return any(tensor is not None and tensor.requires_grad for tensor in tensors)


def _row_slices(inputs: Inputs) -> Iterator[slice]:
    Q = inputs.shape[2]
    for start in range(0, Q, ROWS):
        yield slice(start, min(start + ROWS, Q))


def _block(function: Callable[[], torch.Tensor]) -> torch.Tensor:
    result: torch.Tensor = checkpoint(function, use_reentrant=False, preserve_rng_state=False)
    return result


def received(inputs: Inputs, row_weights: torch.Tensor | None) -> torch.Tensor:
    """r^T A with gradients, [B, H, K]; row_weights [B|1, H|1, Q] or None for ones."""
    B, H, _, K = inputs.shape
    total = inputs.zeros(B, H, K)
    for rows in _row_slices(inputs):

        def part(rows: slice = rows) -> torch.Tensor:
            weights, _ = weight_tile(inputs, rows)
            if row_weights is None:
                return weights.sum(2)
            row_BHr1 = row_weights[..., rows].to(inputs.dtype)[..., None]
            return (row_BHr1 * weights).sum(2)

        total = total + _block(part)
    return total


def product(inputs: Inputs, columns: torch.Tensor) -> torch.Tensor:
    """A X with gradients: X [B, G or H, K, D] -> [B, H, Q, D]."""
    n = inputs.shape[1] // columns.shape[1]
    wide = columns.to(inputs.dtype)
    parts = []
    for rows in _row_slices(inputs):

        def part(rows: slice = rows) -> torch.Tensor:
            weights, _ = weight_tile(inputs, rows)
            grouped = torch.unflatten(weights, 1, (-1, n)).flatten(2, 3)
            return torch.unflatten(grouped @ wide, 2, (n, -1)).flatten(1, 2)

        parts.append(_block(part))
    if not parts:
        B, H, Q, _ = inputs.shape
        return wide.new_zeros(B, H, Q, wide.shape[3])
    return torch.cat(parts, 2)


def transposed_product(inputs: Inputs, rows_in: torch.Tensor) -> torch.Tensor:
    """A^T R with gradients: R [B, H, Q, D] -> [B, H, K, D]."""
    B, H, _, K = inputs.shape
    wide = rows_in.to(inputs.dtype)
    total = wide.new_zeros(B, H, K, wide.shape[3])
    for rows in _row_slices(inputs):

        def part(rows: slice = rows) -> torch.Tensor:
            weights, _ = weight_tile(inputs, rows)
            return weights.transpose(-1, -2) @ wide[:, :, rows]

        total = total + _block(part)
    return total


def entropy(inputs: Inputs) -> torch.Tensor:
    """Row entropies in nats with gradients, [B, H, Q]."""
    parts = []
    for rows in _row_slices(inputs):

        def part(rows: slice = rows) -> torch.Tensor:
            weights, _ = weight_tile(inputs, rows)
            # ln of exact zeros is never taken, so neither value nor gradient turns NaN
            safe = torch.where(weights > 0, weights, 1.0)
            return -(weights * safe.log()).sum(-1)

        parts.append(_block(part))
    if not parts:
        return inputs.zeros(*inputs.shape[:3])
    return torch.cat(parts, 2)
