"""Which positions of a sequence are padding, as the caller of the running modules said."""

from typing import Any

import torch

from zhuyi.trace.collector import Frame
from zhuyi.trace.kinds import bound_arguments


def declared_padding(
    frames: list[Frame], batch: int, length: int
) -> tuple[torch.Tensor | None, bool]:
    """The innermost `attention_mask` [B, length] that a running module was called with.

    Only `attention_mask` is asked, whose meaning (1 = real) every library shares; a mask of that
    shape under another name may mean the opposite.

    Returns:
        The mask as bool, or None; and whether the outermost one that was given has more than two
        dimensions, so that a user wrote it by hand.
    """
    given: Any = None
    for frame in reversed(frames):
        arguments = bound_arguments(frame)
        if "attention_mask" not in arguments:
            continue
        given = arguments["attention_mask"]
        if isinstance(given, torch.Tensor) and tuple(given.shape) == (batch, length):
            # A float mask may be additive (0 = real); to look into it would cost a transfer.
            return (None, True) if given.is_floating_point() else (given.bool(), False)
    return None, isinstance(given, torch.Tensor) and given.dim() > 2
