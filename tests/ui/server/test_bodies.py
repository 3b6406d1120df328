"""Bodies: plain JSON is read as it is, everything else is refused without being repeated."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zhuyi.errors import InputError
from zhuyi.ui.server.bodies import (
    DEEPEST,
    MOST_PARTS,
    an_object,
    fields_of,
    objects,
    one_of,
    read_body,
    text,
    whole,
)

_TEXTS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=9)
_PARTS = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**15), 10**15) | st.floats(-1e15, 1e15) | _TEXTS,
    lambda one: st.lists(one, max_size=4) | st.dictionaries(_TEXTS, one, max_size=4),
    max_leaves=20,
)


@given(st.dictionaries(_TEXTS, _PARTS, max_size=4))
def test_plain_objects_are_read_as_they_are(data: dict[str, object]) -> None:
    assert read_body(json.dumps(data).encode()) == data
    assert read_body(json.dumps(data, ensure_ascii=False).encode()) == data


@given(st.binary(max_size=60))
def test_noise_is_refused_and_nothing_else_happens(noise: bytes) -> None:
    try:
        found = read_body(noise)
    except InputError:
        return
    assert isinstance(found, dict)


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b"", "no JSON"),
        (b"[]", "JSON object"),
        (b'{"a": 1, "a": 1}', "twice"),
        (b'{"a": {"b": 1, "b": 2}}', "twice"),
        (b'{"a": NaN}', "NaN"),
        (b'{"a": -Infinity}', "NaN"),
        (b'{"a": 1e999}', "too large"),
        (b'{"a": 1e16}', "too large"),
        (b'{"a": ' + b"9" * 5000 + b"}", "too long"),
        (b'{"a": "\\ud800"}', "half a character"),
        (b'{"\\udfff": 1}', "half a character"),
        (b'{"a": "\\u0000"}', "null character"),
        (b'{"a": "\xff"}', "UTF-8"),
        (b"[" * 100_000, "deeply"),
    ],
)
def test_what_is_not_taken(body: bytes, said: str) -> None:
    with pytest.raises(InputError, match=said):
        read_body(body)


def nested(depth: int) -> bytes:
    return b'{"a":' * (depth - 1) + b"{}" + b"}" * (depth - 1)


def test_depth_and_number_of_parts_are_bounded_exactly() -> None:
    assert read_body(nested(DEEPEST))
    with pytest.raises(InputError, match="deeply"):
        read_body(nested(DEEPEST + 1))
    most = MOST_PARTS - 3  # the object, its key and the list are parts too
    assert read_body(json.dumps({"a": [0] * most}).encode())
    with pytest.raises(InputError, match="too many"):
        read_body(json.dumps({"a": [0] * (most + 1)}).encode())


def test_fields_are_all_there_all_known_and_of_their_kind() -> None:
    needed = {"n": whole(1, 3), "t": text(2), "w": one_of("en", "zh")}
    good = {"n": 3, "t": "ab", "w": "en"}
    assert fields_of(good, needed) == good
    for field, wrong in (("n", 4), ("n", 0), ("n", True), ("n", 1.0), ("t", "abc"), ("t", 1),
                         ("w", "fr"), ("w", ["en"]), ("w", None)):  # fmt: skip
        with pytest.raises(InputError, match=f"'{field}' is not"):
            fields_of({**good, field: wrong}, needed)
    for field in good:
        with pytest.raises(InputError, match=f"'{field}' is missing"):
            fields_of({name: one for name, one in good.items() if name != field}, needed)
    with pytest.raises(InputError, match="not known") as wrong:
        fields_of({**good, "<secret>": 1}, needed)
    assert "secret" not in str(wrong.value)
    assert fields_of({**good, "o": {}}, needed, {"o": an_object})["o"] == {}


def test_lists_of_objects() -> None:
    check = objects(2)
    assert check([{}, {"a": 1}])
    assert not any(map(check, ([{}] * 3, [1], {}, None, "x", [None], [[]])))
