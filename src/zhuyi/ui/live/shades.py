"""Small pictures in fewer shades, which is what lets a thousand looks fit into one file."""

from dataclasses import replace
from typing import Final

import numpy as np
import numpy.typing as npt

from zhuyi.ui.looked import Looked

_PICTURE: Final = 22
_RECEIVED: Final = 16


def coarser(looked: Looked) -> Looked:
    """The look with pictures in fewer shades, so that a thousand of them stay small.

    A step of a small picture's shade is a factor of 1.4 in weight at 128 keys; received attention
    is shown as a token's background, where more shades could not be told apart.
    """
    heads = tuple(
        replace(
            head,
            thumbnail=_shades(head.thumbnail, _PICTURE),
            received=_shades(head.received, _RECEIVED),
        )
        for head in looked.heads
    )
    return replace(looked, heads=heads)


def _shades(codes: npt.NDArray[np.uint8], count: int) -> npt.NDArray[np.uint8]:
    """The nearest of `count` shades from 0 to 255; what was not 0 stays so."""
    level = np.round(codes / 255 * (count - 1))
    level = np.where(codes > 0, np.maximum(level, 1), 0)
    return np.round(level * 255 / (count - 1)).astype(np.uint8)
