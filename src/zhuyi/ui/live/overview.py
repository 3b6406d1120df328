"""All heads in one small picture, for loggers that show images: a row a layer, a column a head."""

import functools
import math
import struct
import zlib
from collections.abc import Sequence
from typing import Final

import numpy as np
import numpy.typing as npt

from zhuyi.ui.live.sinks import Rgb
from zhuyi.ui.looked import HeadPicture

# The light ramp of the view: lightness, chroma and hue (degrees) in OKLab, evenly spaced, so that
# equal steps of weight look equal and darker is more for an eye that sees no colors.
_STOPS: Final = (
    (0.985, 0.006, 95), (0.88, 0.05, 195), (0.68, 0.10, 230), (0.47, 0.13, 265), (0.25, 0.09, 285),
)  # fmt: skip
_PAPER: Final = 255
_GAP: Final = 3  # dots between heads
_CELL: Final = 32  # dots of a head's side, at least


@functools.cache
def light_ramp() -> npt.NDArray[np.uint8]:
    """256 colors from paper to ink: uint8 [256, 3]."""
    stops = np.array(_STOPS, dtype=np.float64)
    place = np.linspace(0, len(stops) - 1, 256)
    lightness, chroma, hue = (
        np.interp(place, np.arange(len(stops)), stops[:, k]) for k in range(3)
    )
    a, b = chroma * np.cos(np.radians(hue)), chroma * np.sin(np.radians(hue))
    x = (lightness + 0.3963377774 * a + 0.2158037573 * b) ** 3
    y = (lightness - 0.1055613458 * a - 0.0638541728 * b) ** 3
    z = (lightness - 0.0894841775 * a - 1.2914855480 * b) ** 3
    linear = np.stack(
        [
            4.0767416621 * x - 3.3077115913 * y + 0.2309699292 * z,
            -1.2684380046 * x + 2.6097574011 * y - 0.3413193965 * z,
            -0.0041960863 * x - 0.7034186147 * y + 1.7076147010 * z,
        ],
        axis=1,
    ).clip(0, 1)
    curved = np.where(linear <= 0.0031308, 12.92 * linear, 1.055 * linear ** (1 / 2.4) - 0.055)
    colors = np.floor(255 * curved + 0.5).astype(np.uint8)
    colors.flags.writeable = False
    return colors


def overview(heads: Sequence[HeadPicture]) -> Rgb:
    """The small pictures of all heads, a row for each layer.

    Args:
        heads: of one input, as `draw` gives them.
    Returns: uint8 [rows, columns, 3]; white where a layer has fewer heads than another.
    Cost:    O(dots).
    """
    rows: dict[tuple[int, int], list[HeadPicture]] = {}
    for head in heads:
        rows.setdefault((head.keys, head.layer), []).append(head)
    side = max((max(head.thumbnail.shape) for head in heads), default=1)
    cell = side * max(1, math.ceil(_CELL / side))
    pitch = cell + _GAP
    columns = max((len(row) for row in rows.values()), default=0)
    shape = (len(rows) * pitch + _GAP, columns * pitch + _GAP, 3)
    picture = np.full(shape, _PAPER, dtype=np.uint8)
    for down, row in enumerate(rows.values()):
        for right, head in enumerate(row):
            dots = light_ramp()[_stretched(head.thumbnail, cell)]
            top, left = down * pitch + _GAP, right * pitch + _GAP
            picture[top : top + cell, left : left + cell] = dots
    return picture


def png_of(rgb: Rgb) -> bytes:
    """A picture as PNG, without another library.

    Args:
        rgb: uint8 [rows, columns, 3].
    """
    rows, columns, _ = rgb.shape
    lines = np.zeros((rows, 1 + 3 * columns), dtype=np.uint8)  # each begins with its filter, none
    lines[:, 1:] = rgb.reshape(rows, -1)
    header = struct.pack(">IIBBBBB", columns, rows, 8, 2, 0, 0, 0)
    parts = ((b"IHDR", header), (b"IDAT", zlib.compress(lines.tobytes(), 9)), (b"IEND", b""))
    body = b"".join(
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        for kind, data in parts
    )
    return b"\x89PNG\r\n\x1a\n" + body


def _stretched(thumbnail: npt.NDArray[np.uint8], cell: int) -> npt.NDArray[np.uint8]:
    """The picture with `cell` dots a side, nearest neighbor."""
    rows = np.arange(cell) * thumbnail.shape[0] // cell
    columns = np.arange(cell) * thumbnail.shape[1] // cell
    stretched: npt.NDArray[np.uint8] = thumbnail[np.ix_(rows, columns)]
    return stretched
