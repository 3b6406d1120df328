"""A SAS transport file (version 5) written by hand, for a test of the reader."""

import math
import struct
from collections.abc import Mapping, Sequence


def _padded(data: bytes) -> bytes:
    return data + b" " * (-len(data) % 80)


def _header(kind: str, rest: str) -> bytes:
    return f"HEADER RECORD*******{kind:<8}HEADER RECORD!!!!!!!{rest}".encode().ljust(80)


def ibm_float(value: float | None) -> bytes:
    """A number as IBM/360 wrote it: sign, exponent of 16 in excess 64, 56 bits of fraction."""
    if value is None:
        return b"." + b"\0" * 7
    if value == 0.0:
        return b"\0" * 8
    exponent = math.floor(math.log(abs(value), 16)) + 1
    fraction = round(abs(value) / 16.0**exponent * 2**56)
    return bytes([(128 if value < 0 else 0) | (64 + exponent)]) + fraction.to_bytes(7, "big")


def xport(columns: Mapping[str, Sequence[float | str | None]]) -> bytes:
    """The file's bytes. Texts are 20 characters wide."""
    day = "01JAN20:00:00:00"
    out = _header("LIBRARY ", "000000000000000000000000000000  ")
    out += f"{'SAS':<8}{'SAS':<8}{'SASLIB':<8}{'9.4':<8}{'OS':<8}{'':24}{day}".encode()
    out += _padded(day.encode())
    out += _header("MEMBER  ", "000000000000000001600000000140  ")
    out += _header("DSCRPTR ", "000000000000000000000000000000  ")
    out += f"{'SAS':<8}{'SET':<8}{'SASDATA':<8}{'9.4':<8}{'OS':<8}{'':24}{day}".encode()
    out += f"{day}{'':16}{'':40}{'':8}".encode()
    out += _header("NAMESTR ", f"000000{len(columns):04d}00000000000000000000  ")
    described, position = b"", 0
    for number, (name, values) in enumerate(columns.items(), start=1):
        text = isinstance(values[0], str)
        width = 20 if text else 8
        described += struct.pack(
            ">hhhh8s40s8shhh2s8shhl52s",
            *(2 if text else 1, 0, width, number, name.encode().ljust(8), b" " * 40, b" " * 8),
            *(0, 0, 0, b"\0\0", b" " * 8, 0, 0, position, b"\0" * 52),
        )
        position += width
    out += _padded(described)
    out += _header("OBS     ", "000000000000000000000000000000  ")
    rows = b""
    for row in zip(*columns.values(), strict=True):
        for value in row:
            rows += value.encode().ljust(20) if isinstance(value, str) else ibm_float(value)
    return out + _padded(rows)
