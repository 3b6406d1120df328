"""Numbers into a page and back: typed arrays, deflated, as base64 text that no parser can mistake.

A chunk is one deflate stream holding several arrays, each at a multiple of 8 bytes. float16 is
stored as two byte planes (all high bytes, then all low bytes): the exponents repeat, so deflate
takes about 15 % more off.
"""

import base64
import json
import zlib
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from zhuyi.errors import ShapeError

Array = npt.NDArray[np.generic]

_NAMES = {"uint8": "u8", "int8": "i8", "int32": "i32", "float16": "f16", "float32": "f32"}
_DTYPES = {name: np.dtype(dtype) for dtype, name in _NAMES.items()}
# "</script>" must not end the data block, and U+2028/9 are line ends in older script parsers.
_ESCAPES = {ord(c): f"\\u{ord(c):04x}" for c in "<>&\u2028\u2029"}


@dataclass(frozen=True, kw_only=True)
class Chunk:
    """One deflate stream as base64 text.

    Args:
        text: base64 of the deflated bytes.
        layout: per array its name, type, shape and byte offset in the inflated bytes.
    """

    text: str
    layout: tuple[tuple[str, str, tuple[int, ...], int], ...]

    def manifest(self) -> list[list[object]]:
        """The layout as JSON values."""
        return [[name, kind, list(shape), offset] for name, kind, shape, offset in self.layout]


def encode(arrays: Mapping[str, Array]) -> Chunk:
    """Pack arrays of uint8, int8, int32, float16 or float32 into one chunk.

    Raises:
        ShapeError: for another dtype.
    """
    parts: list[bytes] = []
    layout: list[tuple[str, str, tuple[int, ...], int]] = []
    offset = 0
    for name, array in arrays.items():
        kind = _NAMES.get(array.dtype.name)
        if kind is None:
            raise ShapeError(f"{name} must be one of {', '.join(_NAMES)}, got {array.dtype.name}")
        raw = np.ascontiguousarray(array).tobytes()
        if kind == "f16":
            raw = raw[1::2] + raw[0::2]
        layout.append((name, kind, array.shape, offset))
        padded = raw + bytes(-len(raw) % 8)
        parts.append(padded)
        offset += len(padded)
    packed = zlib.compress(b"".join(parts), 9)
    return Chunk(text=base64.b64encode(packed).decode("ascii"), layout=tuple(layout))


def decode(chunk: Chunk) -> dict[str, Array]:
    """The arrays of a chunk, bit for bit as they went in."""
    data = zlib.decompress(base64.b64decode(chunk.text))
    arrays: dict[str, Array] = {}
    for name, kind, shape, offset in chunk.layout:
        dtype = _DTYPES[kind]
        count = int(np.prod(shape, dtype=np.int64))
        raw = data[offset : offset + count * dtype.itemsize]
        if kind == "f16":
            planes = np.frombuffer(raw, dtype=np.uint8).reshape(2, count)
            raw = planes[::-1].T.tobytes()
        arrays[name] = np.frombuffer(raw, dtype=dtype).reshape(shape)
    return arrays


def to_json(value: object) -> str:
    """JSON that may stand inside a script element whatever text it carries."""
    text = json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    # A lone surrogate (half an emoji cut by a tokenizer) cannot be written as UTF-8.
    text = text.encode("utf-8", "replace").decode("utf-8")
    return text.translate(_ESCAPES)
