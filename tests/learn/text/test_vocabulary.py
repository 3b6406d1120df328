"""What a text model knows, and texts as codes of it."""

import json
from typing import Any

import numpy as np
import pytest

from zhuyi.errors import InputError
from zhuyi.learn.text.pieces import read_units
from zhuyi.learn.text.vocabulary import FIRST, Vocabulary, padded
from zhuyi.learn.text.vocabulary import learn_vocabulary as learned

SETTINGS: dict[str, Any] = {"characters": 2, "words": 1, "max_length": 9}


def learn_vocabulary(
    texts: list[str], most: int, least: int, settings: dict[str, Any]
) -> Vocabulary:
    units = [read_units(text, settings["max_length"]) for text in texts]
    return learned(units, most, least, settings)


def test_the_most_frequent_pieces_are_kept() -> None:
    texts = ["甲甲乙", "甲乙", "甲", "丙 word", "word"]
    found = learn_vocabulary(texts, 10, 2, SETTINGS)
    # in 3, 2, 2 and 2 texts; of equals the order of the characters decides
    assert found.known == ("甲", "word", "乙", "甲乙")
    assert learn_vocabulary(texts[::-1], 2, 2, SETTINGS).known == ("甲", "word")
    with pytest.raises(InputError, match="stands in 4 texts"):
        learn_vocabulary(texts, 10, 4, SETTINGS)


def test_each_piece_is_a_factor_wherever_it_stands() -> None:
    vocabulary = learn_vocabulary(["甲乙", "甲乙", "word", "word"], 10, 2, SETTINGS)
    code = {key: place + FIRST for place, key in enumerate(vocabulary.known)}
    one = vocabulary.read("Word甲乙?甲")
    assert one.codes.tolist() == [1, *(code[k] for k in ("word", "甲", "甲乙", "乙", "甲"))]
    assert list(zip(one.first, one.last, strict=True)) == [
        (-1, -1), (0, 1), (1, 2), (1, 3), (2, 3), (4, 5)
    ]  # fmt: skip
    assert one.known
    assert not vocabulary.read("?!").known


def test_in_context_each_unit_is_a_factor_with_the_pieces_that_end_with_it() -> None:
    vocabulary = Vocabulary(known=("甲", "甲乙", "乙"), characters=2, words=1, context=True)
    assert vocabulary.read("丙甲乙").codes.tolist() == [[1, 0], [2, 0], [4, 3]]


def test_made_up_texts_hold_known_pieces_and_no_training_text() -> None:
    texts = ["甲乙 丙", "甲 乙 word word", "丙 甲乙 word"] * 5
    vocabulary = learn_vocabulary(texts, 10, 2, {**SETTINGS, "letters": 4, "max_length": 99})
    made = vocabulary.typical(20)
    assert made == vocabulary.typical(20)
    assert len({*made} - {*texts}) > 10
    assert all(key in vocabulary.known for text in made for key in text.split())


def test_shorter_texts_are_padded() -> None:
    vocabulary = Vocabulary(known=("a", "b"))
    codes = padded([vocabulary.read("a b a"), vocabulary.read(""), vocabulary.read("b")])
    assert codes.tolist() == [[1, 2, 3, 2], [1, 0, 0, 0], [1, 3, 0, 0]]
    assert codes.dtype == np.int32


def test_a_vocabulary_survives_json() -> None:
    vocabulary = Vocabulary(known=("甲", "\u2028", '"'), dropout=0.5, context=True)
    assert Vocabulary.from_json(json.loads(json.dumps(vocabulary.as_json()))) == vocabulary


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"known": "ab"}, "a list of at most"),
        ({"known": ["a", 1]}, "must be texts of 1"),
        ({"known": ["a", ""]}, "must be texts of 1"),
        ({"known": ["a" * 1001]}, "must be texts of 1"),
        ({"known": ["a", "a"]}, "each piece once"),
        ({"characters": 0}, "characters must be within"),
        ({"words": 10**9}, "words must be within"),
        ({"max_length": True}, "max_length must be within"),
        ({"context": 1}, "context must be true or false"),
        ({"dropout": 1.0}, "dropout must be within"),
        ({"dropout": "half"}, "dropout must be within"),
        ({"more": 1}, "must be an object of"),
    ],
)
def test_what_is_no_vocabulary_is_refused(change: dict[str, object], said: str) -> None:
    data = Vocabulary(known=("a",)).as_json()
    with pytest.raises(InputError, match=said):
        Vocabulary.from_json({**data, **change})
    with pytest.raises(InputError, match="must be an object of"):
        Vocabulary.from_json(["a"])
