"""What goes into a pack comes out bit for bit; damaged and hostile packs are refused."""

import json
import struct
import tracemalloc
import zlib
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from zhuyi.errors import InputError, ShapeError
from zhuyi.ui.view.pack import join, pack, split, to_json, unpack


def forged(header: object, body: bytes = b"") -> bytes:
    """A pack as another program would write it: any header, any bytes."""
    head = header if isinstance(header, bytes) else json.dumps(header).encode()
    return b"zyp1" + zlib.compress(struct.pack("<I", len(head)) + head + body)


@pytest.mark.parametrize("dtype", ["uint8", "int8", "uint16", "int32", "float16", "float32"])
def test_arrays_come_back_bit_for_bit(dtype: str) -> None:
    generator = np.random.default_rng(0)
    first = (np.abs(generator.normal(size=(7, 3))) * 50).astype(dtype)
    second = np.arange(5, dtype=np.uint8)
    header, back = unpack(pack({"kind": "x", "n": 3}, {"first": first, "second": second}))
    assert header == {"kind": "x", "n": 3}
    assert back["first"].dtype == first.dtype
    assert back["first"].tobytes() == first.tobytes()
    assert back["first"].shape == (7, 3)
    assert back["second"].tolist() == [0, 1, 2, 3, 4]


def test_float16_keeps_infinities_and_subnormals() -> None:
    values = np.array([-np.inf, np.inf, 6e-8, -0.0, 65504.0], dtype=np.float16)
    _, back = unpack(pack({}, {"x": values}))
    assert back["x"].tobytes() == values.tobytes()


def test_empty_arrays_and_no_arrays() -> None:
    _, back = unpack(pack({}, {"a": np.zeros((0, 2), np.int32), "b": np.zeros(0, np.float32)}))
    assert back["a"].shape == (0, 2)
    assert back["b"].shape == (0,)
    assert unpack(pack({"text": "词"})) == ({"text": "词"}, {})


def test_arrays_begin_at_multiples_of_eight() -> None:
    """As the view needs it: a Float32Array cannot begin at an odd byte."""
    body = zlib.decompress(pack({}, {"a": np.zeros(3, np.uint8), "b": np.ones(1, np.float32)})[4:])
    (length,) = struct.unpack_from("<I", body)
    assert (4 + length) % 8 == 0
    layout = json.loads(body[4 : 4 + length])["layout"]
    assert [(name, offset) for name, _, _, offset in layout] == [("a", 0), ("b", 8)]
    assert body[4 + length + 8 :][:4] == struct.pack("<f", 1.0)


def test_other_types_are_refused() -> None:
    with pytest.raises(ShapeError, match="x must be one of uint8, .* got float64"):
        pack({}, {"x": np.zeros(1)})


def test_packs_are_joined_and_split() -> None:
    packs = [pack({"i": i}) for i in range(3)]
    assert split(join(packs)) == packs
    assert split(b"") == []
    whole = join(packs)
    for cut in (1, 3, 4, 9, len(whole) - 1):
        with pytest.raises(InputError, match="cut off"):
            split(whole[:cut])
    with pytest.raises(InputError, match="cut off"):
        split(struct.pack("<I", 2**32 - 1) + b"x")


GOOD: dict[str, Any] = {"layout": [["a", "u8", [4], 0]]}
HOSTILE: dict[str, object] = {
    "no layout": {},
    "a list": [1],
    "a number": 7,
    "not JSON": b"{",
    "not UTF-8": b'{"\xff": 1}',
    "deeply nested": b"[" * 200_000,
    "layout of nothing": {"layout": None},
    "an entry too short": {"layout": [["a", "u8", [4]]]},
    "an entry too long": {"layout": [["a", "u8", [4], 0, 0]]},
    "an unknown kind": {"layout": [["a", "object", [4], 0]]},
    "a kind that is a list": {"layout": [["a", ["u8"], [4], 0]]},
    "a name that is a list": {"layout": [[["a"], "u8", [5], 0]]},
    "too large": {"layout": [["a", "u8", [5], 0]]},
    "far too large": {"layout": [["a", "f32", [2**62, 2**62], 0]]},
    "nothing times far too much": {"layout": [["a", "u8", [0, 10**30], 0]]},
    "less than nothing": {"layout": [["a", "u8", [-4], 0]]},
    "twice less than nothing": {"layout": [["a", "u8", [-2, -2], 0]]},
    "before the start": {"layout": [["a", "u8", [4], -4]]},
    "behind the end": {"layout": [["a", "u8", [4], 10**30]]},
    "half a byte": {"layout": [["a", "u8", [2.5], 0]]},
    "a shape of words": {"layout": [["a", "u8", ["4"], 0]]},
    "no shape": {"layout": [["a", "u8", None, 0]]},
    "many dimensions": {"layout": [["a", "u8", [1] * 70, 0]]},
}


@pytest.mark.parametrize("what", HOSTILE)
def test_hostile_packs_are_refused(what: str) -> None:
    with pytest.raises(InputError, match="pack is damaged"):
        unpack(forged(HOSTILE[what], b"abcd"))


def test_the_forger_can_write_a_good_pack() -> None:
    """The broken twin of the test above: what it refuses is the header, not the forging."""
    assert unpack(forged(GOOD, b"abcd"))[1]["a"].tolist() == [97, 98, 99, 100]


def test_a_pack_that_inflates_without_end_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("zhuyi.ui.view.pack._LARGEST", 1 << 20)
    bomb = forged(GOOD, bytes(1 << 26))
    assert len(bomb) < 100_000
    tracemalloc.start()
    with pytest.raises(InputError, match="cut off, or larger than 1,048,576 bytes"):
        unpack(bomb)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 8 << 20


def test_damaged_bytes_are_refused() -> None:
    good = pack({"kind": "x"}, {"a": np.arange(40, dtype=np.float32)})
    with pytest.raises(InputError, match="no zhuyi pack"):
        unpack(b"PK\x03\x04" + good[4:])
    with pytest.raises(InputError, match="no zhuyi pack"):
        unpack(b"")
    for cut in range(4, len(good)):
        with pytest.raises(InputError):
            unpack(good[:cut])


@given(st.integers(min_value=4), st.binary(min_size=1, max_size=4))
def test_no_change_of_a_byte_crashes(at: int, written: bytes) -> None:
    good = bytearray(pack({"kind": "x"}, {"a": np.arange(40, dtype=np.float16)}))
    place = 4 + at % (len(good) - 4)
    good[place : place + len(written)] = written
    try:
        header, arrays = unpack(bytes(good))
    except InputError:
        return
    assert isinstance(header, dict)
    assert set(arrays) <= {"a"}


@given(st.text())
def test_json_is_inert_and_faithful(text: str) -> None:
    written = to_json({"text": text})
    assert not set(written) & set("<>&\u2028\u2029")
    assert json.loads(written)["text"] == text.encode("utf-8", "replace").decode("utf-8")


def test_json_of_half_an_emoji() -> None:
    assert json.loads(to_json("a\ud83d")) == "a?"
