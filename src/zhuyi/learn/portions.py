"""Any number of inputs in portions that fit into memory, inputs of similar length together."""

from typing import Final

import torch
from torch import Tensor

from zhuyi.learn.embedding import Embedding
from zhuyi.learn.glass_box import GlassBox

ROWS: Final = 8192  # at a time
_FACTORS: Final = 2**18  # at a time, where inputs have unequal numbers of them


def decided(module: GlassBox, codes: Tensor) -> Tensor:
    """Logits "B C" of any number of inputs, without gradients.

    Cost: as one forward pass; memory for 8,192 inputs or 262,144 factors at a time.
    """
    lengths = module.factors.lengths(codes)
    with torch.no_grad():
        if lengths is None:
            return torch.cat([module(part) for part in torch.split(codes, ROWS)])
        order = lengths.argsort(stable=True)
        parts = [
            module(trimmed(module.factors, codes[order[start:end]]))
            for start, end in _portions(lengths[order].tolist())
        ]
        return torch.cat(parts)[order.argsort()]


def trimmed(factors: Embedding, codes: Tensor) -> Tensor:
    """The codes, without places that no input of them uses."""
    lengths = factors.lengths(codes)
    if lengths is None or not len(codes):
        return codes
    return codes[:, : max(int(lengths.max()), 1)]


def alike(rows: Tensor, lengths: Tensor, size: int, generator: torch.Generator) -> list[Tensor]:
    """Batches of `size` rows of similar length, in random order.

    Args:
        rows: in random order.
        lengths: of each row of the whole.
        size: of a batch.
        generator: of the order of the batches.
    """
    found: list[Tensor] = []
    for pool in torch.split(rows, size * 16):
        found += torch.split(pool[lengths[pool].argsort(stable=True)], size)
    return [found[place] for place in torch.randperm(len(found), generator=generator).tolist()]


def _portions(lengths: list[int]) -> list[tuple[int, int]]:
    """Starts and ends of portions of ascending lengths."""
    bounds, start = [], 0
    for end in range(1, len(lengths) + 1):
        last = end == len(lengths)
        if last or end - start == ROWS or (end - start + 1) * lengths[end] > _FACTORS:
            bounds.append((start, end))
            start = end
    return bounds
