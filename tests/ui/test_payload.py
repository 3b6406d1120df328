"""What goes into a page comes out bit for bit, and no text can break out of it."""

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from zhuyi.errors import ShapeError
from zhuyi.ui.report.payload import decode, encode, to_json


@pytest.mark.parametrize("dtype", ["uint8", "int8", "int32", "float16", "float32"])
def test_arrays_come_back_bit_for_bit(dtype: str) -> None:
    generator = np.random.default_rng(0)
    first = (generator.normal(size=(7, 3)) * 50).astype(dtype)
    second = np.arange(5, dtype=np.uint8)
    back = decode(encode({"first": first, "second": second}))
    assert back["first"].dtype == first.dtype
    assert back["first"].tobytes() == first.tobytes()
    assert back["first"].shape == (7, 3)
    assert back["second"].tolist() == [0, 1, 2, 3, 4]


def test_float16_keeps_infinities_and_subnormals() -> None:
    values = np.array([-np.inf, np.inf, 6e-8, -0.0, 65504.0], dtype=np.float16)
    back = decode(encode({"x": values}))["x"]
    assert back.tobytes() == values.tobytes()


def test_empty_arrays() -> None:
    back = decode(encode({"a": np.zeros((0, 2), np.int32), "b": np.zeros(0, np.float32)}))
    assert back["a"].shape == (0, 2)
    assert back["b"].shape == (0,)


def test_offsets_are_multiples_of_eight() -> None:
    chunk = encode({"a": np.zeros(3, np.uint8), "b": np.zeros(1, np.float32)})
    assert [offset for *_, offset in chunk.layout] == [0, 8]


def test_other_types_are_refused() -> None:
    with pytest.raises(ShapeError, match="x must be one of uint8, .* got float64"):
        encode({"x": np.zeros(1)})


@given(st.text())
def test_json_is_inert_and_faithful(text: str) -> None:
    written = to_json({"text": text})
    assert not set(written) & set("<>&\u2028\u2029")
    assert json.loads(written)["text"] == text.encode("utf-8", "replace").decode("utf-8")


def test_json_of_half_an_emoji() -> None:
    assert json.loads(to_json("a\ud83d")) == "a?"
