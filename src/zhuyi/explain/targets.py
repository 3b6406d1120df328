"""Which decision of each input is explained."""

from collections.abc import Sequence
from typing import TypeAlias

from torch import Tensor

from zhuyi.errors import OptionError

Target: TypeAlias = int | Sequence[int] | None
"""One decision for all inputs, one for each, or None for the most likely of each."""


def chosen(scores: Tensor, target: Target) -> tuple[int, ...]:
    """The explained decision of each input.

    Args:
        scores: logits or probabilities "B C"; their largest is taken where `target` is None.
        target: see `Target`.
    Returns: B indices below C.
    Raises:  OptionError: if an index is out of range or there are not B of them.
    """
    inputs, classes = scores.shape
    if target is None:
        return tuple(scores.argmax(1).tolist())
    indices = (target,) * inputs if isinstance(target, int) else tuple(int(t) for t in target)
    if len(indices) != inputs:
        raise OptionError(f"target must be one index or {inputs}, one an input, got {len(indices)}")
    for index in indices:
        if not 0 <= index < classes:
            raise OptionError(f"target must be one of the {classes} decisions from 0, got {index}")
    return indices


def of_targets(scores: Tensor, target: Sequence[int]) -> Tensor:
    """The explained decision's score of each input: "B" from "B C"."""
    index = scores.new_tensor(target, dtype=None).long()[:, None]
    return scores.gather(1, index).squeeze(1)
