"""Words: where a reader would cut a text, and tokens joined into those pieces."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zhuyi.trace.words import Token, join_tokens, locate_tokens, pieces


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("The quick brown fox.", ["The", "quick", "brown", "fox", "."]),
        ("don't we’ll 'quoted'", ["don't", "we’ll", "'", "quoted", "'"]),
        ("注意力 is all", ["注", "意", "力", "is", "all"]),
        ("カタカナとひらがな", list("カタカナとひらがな")),
        ("한국어 단어", ["한국어", "단어"]),
        ("3.14 and 1,000,000, ok", ["3.14", "and", "1,000,000", ",", "ok"]),
        ("हिन्दी भाषा", ["हिन्दी", "भाषा"]),
        ("cafe\u0301 naïve", ["cafe\u0301", "naïve"]),
        ("well-known e.g. a_b", ["well", "-", "known", "e", ".", "g", ".", "a_b"]),
        ("👩\u200d🔬 ❤️!", ["👩\u200d🔬", "❤️", "!"]),
        ("GPT4模型v2", ["GPT4", "模", "型", "v2"]),
        ("  \n\t ", []),
        ("", []),
    ],
)
def test_pieces(text: str, expected: list[str]) -> None:
    assert [text[start:end] for start, end in pieces(text)] == expected


@given(st.text(max_size=60))
def test_pieces_cover_everything_but_white_space(text: str) -> None:
    cuts = pieces(text)
    assert all(a < b for a, b in cuts)
    assert all(one[1] <= two[0] for one, two in itertools.pairwise(cuts))
    covered = {i for a, b in cuts for i in range(a, b)}
    assert {i for i in range(len(text)) if i not in covered} <= {
        i for i, c in enumerate(text) if c.isspace()
    }


def test_tokens_of_a_word_are_joined_and_special_ones_stand_apart() -> None:
    text = "jumping dog."
    tokens = [
        Token("[CLS]", 0, 0, True),
        Token("jump", 0, 4, False),
        Token("##ing", 4, 7, False),
        Token("dog", 8, 11, False),
        Token(".", 11, 12, False),
        Token("[SEP]", 0, 0, True),
    ]
    units = join_tokens(tokens, [text])
    assert [(u.label, u.positions, u.special, u.span) for u in units] == [
        ("[CLS]", (0,), True, None),
        ("jumping", (1, 2), False, (0, 7)),
        ("dog", (3,), False, (8, 11)),
        (".", (4,), False, (11, 12)),
        ("[SEP]", (5,), True, None),
    ]


def test_a_token_over_several_pieces_joins_them() -> None:
    units = join_tokens([Token("注意", 0, 2, False), Token("力", 2, 3, False)], ["注意力"])
    assert [(u.label, u.positions) for u in units] == [("注意", (0,)), ("力", (1,))]


def test_bytes_of_one_character_are_one_unit() -> None:
    tokens = [Token("a", 0, 1, False), Token("b", 0, 1, False), Token("c", 1, 2, False)]
    units = join_tokens(tokens, ["意x"])
    assert [(u.label, u.positions) for u in units] == [("意", (0, 1)), ("x", (2,))]


def test_tokens_without_text_go_to_their_neighbor() -> None:
    tokens = [Token("▁", 0, 0, False), Token("a", 0, 1, False), Token("▁", 1, 1, False)]
    units = join_tokens(tokens, ["a"])
    assert [(u.label, u.positions) for u in units] == [("a", (0, 1, 2))]


def test_white_space_tokens_are_visible() -> None:
    units = join_tokens([Token("a", 0, 1, False), Token("Ċ", 1, 2, False)], ["a\nb"])
    assert [u.label for u in units] == ["a", "⏎"]


def test_words_of_a_pair_do_not_mix() -> None:
    tokens = [Token("a", 0, 1, False, 0), Token("a", 0, 1, False, 1)]
    assert [u.positions for u in join_tokens(tokens, ["a", "a"])] == [(0,), (1,)]


@given(
    st.lists(
        st.tuples(st.integers(0, 12), st.integers(0, 12), st.booleans()), min_size=1, max_size=12
    )
)
def test_every_position_is_in_exactly_one_unit(spans: list[tuple[int, int, bool]]) -> None:
    text = "Ab 注意 c'd, e"
    tokens = [Token("t", min(a, b), max(a, b), special) for a, b, special in sorted(spans)]
    units = join_tokens(tokens, [text])
    assert sorted(p for u in units for p in u.positions) == list(range(len(tokens)))


@pytest.mark.parametrize(
    ("labels", "text", "expected"),
    [
        (["hello", "world"], "Hello, World", ["Hello", "World"]),
        (["uber", "[UNK]", "gut"], "Über 注意 gut", ["Über", " 注意 ", "gut"]),
        (["", "jump", "ing"], "jumping", ["", "jump", "ing"]),
        (["x"], "abc", ["abc"]),
    ],
)
def test_tokens_are_found_without_offsets(
    labels: list[str], text: str, expected: list[str]
) -> None:
    assert [text[a:b] for a, b in locate_tokens(labels, text)] == expected
