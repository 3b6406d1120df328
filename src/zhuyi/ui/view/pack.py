"""Numbers on their way to a picture: a header and typed arrays as one small run of bytes.

    pack    = "zyp1" + deflate(header length uint32 + header JSON + arrays)
    packs   = for each pack its length (uint32) and the pack

Arrays begin at multiples of 8 bytes. float16 is stored as two byte planes (all high bytes, then
all low bytes): the exponents repeat, so deflate takes about 15 % more off. Nothing is unpickled:
a pack is JSON and numbers, and what it may inflate to is bounded.
"""

import json
import math
import struct
import zlib
from collections.abc import Iterable, Mapping
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from zhuyi.errors import InputError, ShapeError

Array = npt.NDArray[np.generic]
Header = dict[str, Any]

_MAGIC: Final = b"zyp1"
_LARGEST: Final = 1 << 29  # bytes that one pack may inflate to
# RecursionError: JSON that is nested too deeply.
_DAMAGES: Final = (
    zlib.error, struct.error, ValueError, KeyError, TypeError, AttributeError, OverflowError,
    RecursionError,
)  # fmt: skip
_NAMES: Final = {
    "uint8": "u8", "int8": "i8", "uint16": "u16", "int32": "i32", "float16": "f16",
    "float32": "f32",
}  # fmt: skip
_DTYPES: Final = {name: np.dtype(dtype) for dtype, name in _NAMES.items()}
# "</script>" must not end the data block, and U+2028/9 are line ends in older script parsers.
_ESCAPES: Final = {ord(c): f"\\u{ord(c):04x}" for c in "<>&\u2028\u2029"}


def pack(header: Mapping[str, object], arrays: Mapping[str, Array] | None = None) -> bytes:
    """One pack.

    Args:
        header: JSON values, without the key "layout".
        arrays: uint8, int8, uint16, int32, float16 or float32, by name.
    Raises: ShapeError: for another dtype.
    Cost:   O(bytes), deflate at its best level.
    """
    parts: list[bytes] = []
    layout: list[tuple[str, str, tuple[int, ...], int]] = []
    offset = 0
    for name, array in (arrays or {}).items():
        kind = _NAMES.get(array.dtype.name)
        if kind is None:
            raise ShapeError(f"{name} must be one of {', '.join(_NAMES)}, got {array.dtype.name}")
        raw = np.ascontiguousarray(array, dtype=array.dtype.newbyteorder("<")).tobytes()
        if kind == "f16":
            raw = raw[1::2] + raw[0::2]
        layout.append((name, kind, array.shape, offset))
        parts.append(raw + bytes(-len(raw) % 8))
        offset += len(parts[-1])
    head = to_json({**header, "layout": layout}).encode()
    head += b" " * (-(len(head) + 4) % 8)
    return _MAGIC + zlib.compress(struct.pack("<I", len(head)) + head + b"".join(parts), 9)


def unpack(data: bytes) -> tuple[Header, dict[str, Array]]:
    """The header (without its layout) and the arrays, bit for bit as they went in.

    Raises: InputError: if the bytes are no pack, damaged or too large.
    """
    if data[:4] != _MAGIC:
        raise InputError("these bytes are no zhuyi pack")
    inflater = zlib.decompressobj()
    try:
        body = inflater.decompress(data[4:], _LARGEST)
        if not inflater.eof:
            raise InputError(f"the pack is cut off, or larger than {_LARGEST:,} bytes")
        (length,) = struct.unpack_from("<I", body)
        header = json.loads(body[4 : 4 + length])
        arrays = dict(_array(body, 4 + length, *one) for one in header.pop("layout"))
    except _DAMAGES as error:
        if isinstance(error, InputError):
            raise
        raise InputError(f"the pack is damaged ({error})") from None
    return header, arrays


def _array(
    body: bytes, start: int, name: str, kind: str, shape: list[int], offset: int
) -> tuple[str, Array]:
    dtype, count = _DTYPES[kind], math.prod(shape)
    at = start + offset
    raw = body[at : at + count * dtype.itemsize]
    if min([count, offset, *shape]) < 0 or len(raw) != count * dtype.itemsize:
        raise InputError(f"the pack is damaged: {name} does not fit")
    if kind == "f16":
        raw = np.frombuffer(raw, dtype=np.uint8).reshape(2, count)[::-1].T.tobytes()
    return str(name), np.frombuffer(raw, dtype=dtype.newbyteorder("<")).reshape(shape)


def join(packs: Iterable[bytes]) -> bytes:
    """Several packs as one run of bytes."""
    return b"".join(struct.pack("<I", len(one)) + one for one in packs)


def split(data: bytes) -> list[bytes]:
    """The packs of `join`.

    Raises: InputError: if a length does not fit.
    """
    packs, at = [], 0
    while at < len(data):
        if at + 4 > len(data):
            raise InputError("the packs are cut off")
        (length,) = struct.unpack_from("<I", data, at)
        at += 4 + length
        if at > len(data):
            raise InputError("the packs are cut off")
        packs.append(data[at - length : at])
    return packs


def to_json(value: object) -> str:
    """JSON that may stand inside a script element whatever text it carries."""
    text = json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    # A lone surrogate (half an emoji cut by a tokenizer) cannot be written as UTF-8.
    text = text.encode("utf-8", "replace").decode("utf-8")
    return text.translate(_ESCAPES)
