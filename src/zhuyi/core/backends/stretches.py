"""A bias that the CPU kernel adds itself, a stretch of rows at a time.

    softmax(scale Q K^T + bias) V,   rows a to b with bias[a] or bias[a:b] as [B|1, H|1, 1|b - a, K]

A row of numbers that holds for all rows of a stretch costs 4 % of a call, a block that all heads
share 5 to 10 %, and both may hold -inf; extra channels cost 15 to 30 %. Under a causal mask the
rows of a stretch see a rectangle of keys before them and a triangle of their own: two calls, which
their log-sum-exps join.
"""

from collections.abc import Iterator
from typing import Final, TypeAlias

import torch
from torch.nn import functional as F

from ..inputs import Inputs
from ..mask import CausalPart, PaddingPart
from ..recompute import wants_gradient

SHORTEST: Final = 768  # rows from which the kernel works in its widest blocks: worth a call
FEW: Final = 256  # where there are fewer anyway, and more calls leave out more of a triangle
MOST_RUNS: Final = 64  # beyond, looking for long ones among them is not worth it
CELLS: Final = 2**22  # numbers of a block, 16 MB

Stretch: TypeAlias = tuple[slice, slice]
"""Rows, and those of the bias that hold for them: all of these, or the first for all."""


def attend_in_stretches(inputs: Inputs, value: torch.Tensor) -> torch.Tensor | None:
    """The output [B, H, Q, Dv], or None where another way is cheaper or the only one."""
    stretches = _stretches(inputs)
    if stretches is None or not _masks_known(inputs):
        return None
    offset = _offset(inputs)
    at_once = offset is None or (len(stretches) == 1 and offset == 0)
    if not at_once and wants_gradient(inputs, value):
        return None  # the kernel's log-sum-exp has no gradient
    width = max(inputs.query.shape[3], value.shape[3])
    # unequal widths send PyTorch to its unfused kernel, so all three are padded with zeros
    query, key, wide = (_ready(one, width) for one in (inputs.query, inputs.key, value))
    outputs = []
    for rows, added in _added(inputs, stretches):
        part = query[:, :, rows]
        if offset is None:
            outputs.append(_kernel(part, key, wide, added, inputs.scale))
        else:
            outputs.append(_causal(part, key, wide, added, inputs.scale, rows.start + offset))
    output = outputs[0] if len(outputs) == 1 else torch.cat(outputs, 2)
    return output[..., : value.shape[3]]


def _stretches(inputs: Inputs) -> list[Stretch] | None:
    """Long runs of rows that the bias treats alike, and blocks of all rows between them."""
    bias, (_, _, Q, K) = inputs.bias, inputs.shape
    if bias is None or inputs.device.type != "cpu" or min(inputs.shape) == 0:
        return None
    if torch.is_grad_enabled() and any(tensor.requires_grad for tensor in bias.tensors):
        return None  # the kernel gives none for what it adds
    runs = bias.runs(Q, MOST_RUNS) or []
    batch, heads = bias.block(slice(0, 1), slice(0, 1)).shape[:2]
    size = max(1, CELLS // (K * batch))
    least = FEW if Q < SHORTEST and _offset(inputs) is not None else SHORTEST
    found: list[Stretch] = []
    start = 0  # of the rows that wait for a block
    for run in runs:
        if run.stop - run.start >= least or len(runs) == 1:
            found += _blocks(start, run.start, size)
            found.append((run, slice(run.start, run.start + 1)))
            start = run.stop
    found += _blocks(start, Q, size)
    if heads > 1 and any(chosen.stop - chosen.start > 1 for _, chosen in found):
        return None  # a block for every head is read as slowly as channels are made
    return found


def _blocks(start: int, stop: int, size: int) -> list[Stretch]:
    parts = [slice(one, min(one + size, stop)) for one in range(start, stop, size)]
    return [(part, part) for part in parts]


def _masks_known(inputs: Inputs) -> bool:
    parts = () if inputs.mask is None else inputs.mask.parts
    causal = [part for part in parts if isinstance(part, CausalPart)]
    padding = [part for part in parts if type(part) is PaddingPart]
    known = len(causal) + len(padding) == len(parts)
    return known and len(causal) < 2 and all(part.offset >= 0 for part in causal)


def _offset(inputs: Inputs) -> int | None:
    """How many keys before its own a causal row sees more than its number; None if all see all."""
    parts = () if inputs.mask is None else inputs.mask.parts
    return next((part.offset for part in parts if isinstance(part, CausalPart)), None)


def _added(inputs: Inputs, stretches: list[Stretch]) -> Iterator[tuple[slice, torch.Tensor]]:
    """Each stretch, and what is added to its scores: [B|1, H|1, 1 | rows, K], -inf for padding."""
    assert inputs.bias is not None
    cols = slice(0, inputs.shape[3])
    gone = None
    for part in () if inputs.mask is None else inputs.mask.parts:
        if type(part) is PaddingPart:
            one = ~part.block(slice(0, 1), cols, inputs.device)
            gone = one if gone is None else gone | one
    for rows, chosen in stretches:
        block = inputs.bias.block(chosen, cols).to(inputs.dtype)
        yield rows, block if gone is None else block.masked_fill(gone, float("-inf"))


def _kernel(
    query: torch.Tensor, key: torch.Tensor, value: torch.Tensor, added: torch.Tensor, scale: float
) -> torch.Tensor:
    return F.scaled_dot_product_attention(
        query,
        key,
        value,
        attn_mask=added.expand(*added.shape[:2], query.shape[2], key.shape[2]),
        scale=scale,
        enable_gqa=query.shape[1] != key.shape[1],
    )


def _causal(
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    added: torch.Tensor,
    scale: float,
    before: int,
) -> torch.Tensor:
    """Rows that see the first `before` keys, and row i of them i + 1 more."""
    # F.scaled_dot_product_attention refuses a mask beside is_causal; the kernel takes both.
    kernel = torch.ops.aten._scaled_dot_product_flash_attention_for_cpu
    K, Q = key.shape[2], query.shape[2]
    split, stop = min(before, K), min(before + Q, K)
    parts = []
    for start, end, causal in ((0, split, False), (split, stop, True)):
        if start < end:
            cols = slice(start, end)
            part = added[..., cols].expand(-1, -1, -1, end - start)
            keys, values = key[:, :, cols], value[:, :, cols]
            output, lse = kernel(query, keys, values, 0.0, causal, attn_mask=part, scale=scale)
            parts.append((output, lse, part, causal))
    if len(parts) == 1:
        first: torch.Tensor = parts[0][0]
        return first
    one_lse, two_lse = (_blinded(lse, part, causal) for _, lse, part, causal in parts)
    weight = torch.sigmoid(two_lse - one_lse).nan_to_num(0.0)[..., None]
    one, two = (output.to(weight.dtype) for output, _, _, _ in parts)
    return torch.lerp(one, two, weight).to(query.dtype)


def _blinded(lse: torch.Tensor, added: torch.Tensor, causal: bool) -> torch.Tensor:
    """The log-sum-exp, -inf where a row sees nothing: there the kernel says 0."""
    gone = torch.isneginf(added)
    if not bool(gone.any()):
        return lse
    blind = gone.all(-1)
    if causal and gone.shape[2] == 1:  # row i sees the first i + 1 keys, and the last ones see all
        first = gone[:, :, 0].long().cumprod(-1).bool()
        more = blind.expand(-1, -1, lse.shape[2] - first.shape[2])
        blind = torch.cat([first, more], -1)
    elif causal:
        later = torch.ones(gone.shape[2:], dtype=torch.bool).triu(1)
        blind = (gone | later).all(-1)
    return lse.masked_fill(blind, float("-inf"))


def _ready(tensor: torch.Tensor, width: int) -> torch.Tensor:
    """Padded to a width, with its last dimension dense in memory: the kernel reads it so."""
    missing = width - tensor.shape[3]
    if missing:
        return F.pad(tensor, (0, missing))
    return tensor if tensor.stride(-1) == 1 else tensor.contiguous()
