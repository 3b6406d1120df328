"""The fused backend: one file that knows PyTorch's fused attention kernels and their traps.

    softmax(scale Q K^T + bias) V without the L x L matrix in memory

Each fact used here has a contract test in tests/core/test_fused.py. What the kernels cannot do
(softcap, sink) `supports` refuses, with the reason; the streaming backend does it.
"""

from dataclasses import replace
from typing import Final

import torch
from torch.nn import functional as F

from ..bias import Bias
from ..bias_terms import BiasTerm, PerKeyTerm
from ..inputs import Inputs
from ..mask import CausalPart, Mask, PaddingPart
from .stretches import attend_in_stretches

NAME = "fused"
CHUNK_ROWS: Final = 1024  # rows whose mask block is stored at a time
MOST_CHANNELS: Final = 32  # beyond, extra channels cost more than adding a block of the bias
HALF_LIMIT: Final = 8e3  # a bias divided by the scale may be this large in float16,
FLOAT_LIMIT: Final = 1e35  # and this large in the others, without overflow
VETOED: Final = -1e30  # beside any score exp(VETOED - score) is exactly 0, in float32 as well
EXACT: Final = (torch.float32, torch.float64)
SPLIT_PAIRS: Final = tuple((i, j) for i in range(3) for j in range(3 - i))


def refusal(inputs: Inputs) -> str | None:
    """Why the fused kernels cannot run this call, or None when they can."""
    if inputs.softcap is not None:
        return "softcap is not available in fused kernels"
    if inputs.sink is not None:
        return "sink logits are not available in fused kernels"
    return None


def attend(inputs: Inputs, value: torch.Tensor, dropout: float) -> torch.Tensor:
    """The output [B, H, Q, Dv] in value's dtype; differentiable."""
    query, key = inputs.query, inputs.key
    stretched = None if dropout else attend_in_stretches(inputs, value)
    if stretched is not None:
        return stretched
    inputs, value = _vetoes_on_channels(inputs, value)
    bias, dense = _split_bias(inputs.bias, query, inputs.scale)
    if bias is not None:
        query, key = _with_channels(inputs, bias)
        if key.shape[1] != value.shape[1]:  # per-head channels gave every query head its own key
            value = value.repeat_interleave(key.shape[1] // value.shape[1], 1)
    width = max(query.shape[3], value.shape[3])
    # unequal widths send PyTorch to its unfused kernel, so all three are padded with zeros
    query, key, wide = (_padded(tensor, width) for tensor in (query, key, value))
    output = _masked_attend(inputs, query, key, wide, dense, dropout)
    return output[..., : value.shape[3]]


def attend_with_lse(
    inputs: Inputs, value: torch.Tensor
) -> tuple[torch.Tensor, torch.Tensor] | None:
    """Output and lse [B, H, Q] from the CPU kernel that gives both, or None when it does not apply.

    The kernel gives the natural log, in float32 (float64 for float64); it has no mask with
    booleans and no unequal widths, so only plain and causal calls are served.
    """
    causal = is_plain_causal(inputs.mask)
    applies = (
        inputs.device.type == "cpu"
        and inputs.bias is None
        and (inputs.mask is None or causal)
        and value.shape[3] == inputs.query.shape[3]
        and min(inputs.shape) > 0
        # the kernel takes the last dimension for dense in memory, and reads beyond it if it is not
        and all(one.stride(-1) == 1 for one in (inputs.query, inputs.key, value))
    )
    if not applies:
        return None
    output, lse = torch.ops.aten._scaled_dot_product_flash_attention_for_cpu(
        inputs.query, inputs.key, value, 0.0, causal, scale=inputs.scale
    )
    return output, lse


def is_plain_causal(mask: Mask | None) -> bool:
    """Whether the mask is exactly the kernels' own `is_causal`: key j <= query i, from the left."""
    return mask is not None and mask.parts == (CausalPart(0),)


def _vetoes_on_channels(inputs: Inputs, value: torch.Tensor) -> tuple[Inputs, torch.Tensor]:
    """Causal calls with -inf for some keys, so that the kernel's own causal mask stays.

    A channel cannot hold -inf. `VETOED` in its place gives a weight of exactly 0 beside any other
    key, and where a row sees no other the vetoed values are zeros, so the row is 0 as it has to be.
    """
    bias = inputs.bias
    if bias is None or not is_plain_causal(inputs.mask) or inputs.query.dtype not in EXACT:
        return inputs, value
    terms: list[BiasTerm] = []
    for term in bias.terms:
        if isinstance(term, PerKeyTerm) and term.values.shape[1] == 1:
            gone_B1K = torch.isneginf(term.values)
            if not term.values.requires_grad and bool(gone_B1K.any()):
                term = PerKeyTerm(term.values.masked_fill(gone_B1K, VETOED))
                value = value.masked_fill(gone_B1K[..., None].to(value.device), 0.0)
        terms.append(term)
    return replace(inputs, bias=Bias(tuple(terms))), value


def _split_bias(
    bias: Bias | None, query: torch.Tensor, scale: float
) -> tuple[Bias | None, Bias | None]:
    """The part that rides on extra channels, and the part added as dense blocks."""
    if bias is None:
        return None, None
    copies = 1 if query.dtype in EXACT else len(SPLIT_PAIRS)
    low, dense = [], []
    channels = 0
    for term in bias.terms:
        rank = term.rank
        if (
            rank is None
            or channels + rank * copies > MOST_CHANNELS
            or not _carries(term, query, scale)
        ):
            dense.append(term)
        else:
            channels += rank * copies
            low.append(term)
    return (Bias(tuple(low)) if low else None), (Bias(tuple(dense)) if dense else None)


def _carries(term: BiasTerm, query: torch.Tensor, scale: float) -> bool:
    """Whether channels can hold the term divided by the scale: no -inf, nothing that overflows."""
    if scale == 0.0:
        return False
    largest = HALF_LIMIT if query.dtype == torch.float16 else FLOAT_LIMIT
    largest *= abs(scale)
    return all(bool((tensor.abs() <= largest).all()) for tensor in term.tensors)


def _with_channels(inputs: Inputs, bias: Bias) -> tuple[torch.Tensor, torch.Tensor]:
    """Query and key widened so that their product carries the bias: [q, u / scale] . [k, v]."""
    query, key = inputs.query, inputs.key
    B, H, Q, K = inputs.shape
    factors = bias.factors(Q, K)
    if factors is None:
        raise AssertionError("a bias on channels must have factors")
    u, v = (factor.to(query.device, inputs.dtype) for factor in factors)
    u, v = _precise(u / inputs.scale, v, query.dtype)
    u = u.expand(B, H, Q, -1)
    if v.shape[1] != 1 and key.shape[1] != H:
        key = key.repeat_interleave(H // key.shape[1], 1)
    v = v.expand(B, key.shape[1], K, -1)
    query, key = torch.cat([query, u], -1), torch.cat([key, v], -1)
    if query.device.type == "cpu":
        return query, key
    width = -(-query.shape[3] // 8) * 8  # accelerators want widths in eights
    return _padded(query, width), _padded(key, width)


def _precise(
    u: torch.Tensor, v: torch.Tensor, dtype: torch.dtype
) -> tuple[torch.Tensor, torch.Tensor]:
    """The factors in the kernel's dtype; below float32 both are split in parts that add up.

    bfloat16 holds 8 bits, so a bias of 5 would be off by 0.02. Three parts of each factor bring
    the product back to float32's precision: u v = sum over i + j <= 2 of u_i v_j.
    """
    if dtype in EXACT:
        return u.to(dtype), v.to(dtype)
    u_parts, v_parts = _three_parts(u, dtype), _three_parts(v, dtype)
    u_all = torch.cat([u_parts[i] for i, _ in SPLIT_PAIRS], -1)
    return u_all, torch.cat([v_parts[j] for _, j in SPLIT_PAIRS], -1)


def _three_parts(exact: torch.Tensor, dtype: torch.dtype) -> list[torch.Tensor]:
    parts = []
    rest = exact
    for _ in range(3):
        part = rest.to(dtype)
        parts.append(part)
        rest = rest - part.to(rest.dtype)
    return parts


def _masked_attend(
    inputs: Inputs,
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    dense: Bias | None,
    dropout: float,
) -> torch.Tensor:
    """Run the kernel whole when it knows the mask, else in row chunks with their mask blocks."""
    mask = inputs.mask
    if dense is None and (mask is None or is_plain_causal(mask)):
        return _kernel(query, key, value, None, inputs.scale, dropout, mask is not None)
    if dense is None and mask is not None and all(type(p) is PaddingPart for p in mask.parts):
        keep = mask.block(slice(0, inputs.shape[2]), slice(0, inputs.shape[3]), query.device)
        return _kernel(query, key, value, keep, inputs.scale, dropout, False)
    B, H, Q, K = inputs.shape
    chunks = []
    for start in range(0, Q, CHUNK_ROWS):
        stop = min(start + CHUNK_ROWS, Q)
        low, high = (0, K) if mask is None else mask.column_range(start, stop, K)
        if low == high:
            chunks.append(value.new_zeros(B, H, stop - start, value.shape[3]))
            continue
        rows, cols = slice(start, stop), slice(low, high)
        block = _additive_block(mask, dense, rows, cols, query)
        chunks.append(
            _kernel(
                query[:, :, rows],
                key[:, :, cols],
                value[:, :, cols],
                block,
                inputs.scale,
                dropout,
                False,
            )
        )
    if not chunks:
        return value.new_zeros(B, H, Q, value.shape[3])
    return chunks[0] if len(chunks) == 1 else torch.cat(chunks, 2)


def _additive_block(
    mask: Mask | None, dense: Bias | None, rows: slice, cols: slice, query: torch.Tensor
) -> torch.Tensor:
    """The block the kernel wants: bool when only masked, else float with -inf where masked."""
    keep = None if mask is None else mask.block(rows, cols, query.device)
    if dense is None:
        if keep is None:
            raise AssertionError("a block needs a mask or a bias")
        return keep
    block = dense.block(rows, cols).to(query.device, query.dtype)
    if keep is not None:
        block = block.masked_fill(~keep, float("-inf"))
    return block


def _kernel(
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    block: torch.Tensor | None,
    scale: float,
    dropout: float,
    causal: bool,
) -> torch.Tensor:
    if block is not None:
        # fewer than two dimensions of real size are fine, but the last two must not broadcast
        # against keys: PyTorch's kernels want [.., Q, K] blocks
        block = block.expand(*block.shape[:2], query.shape[2], key.shape[2])
    return F.scaled_dot_product_attention(
        query,
        key,
        value,
        attn_mask=block,
        dropout_p=dropout,
        is_causal=causal,
        scale=scale,
        enable_gqa=query.shape[1] != key.shape[1],
    )


def _padded(tensor: torch.Tensor, width: int) -> torch.Tensor:
    missing = width - tensor.shape[3]
    return F.pad(tensor, (0, missing)) if missing else tensor
