"""Units and pieces of texts in many scripts, with their places."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zhuyi.learn.text.pieces import pieces, read_units


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("高血压5年，", ["高", "血", "压", "5", "年", ","]),
        ("Don't PANIC!", ["don't", "panic", "!"]),
        ("wo n't sit", ["wo", "n't", "sit"]),
        ("3.5mg B12 covid19", ["3.5", "mg", "b12", "covid19"]),
        ("ＡＢ① ﬁne", ["ab1", "fine"]),
        ("STRAẞE", ["strasse"]),
        ("한국어 かな", ["한", "국", "어", "か", "な"]),
        ("नमस्ते दुनिया", ["नमस्ते", "दुनिया"]),
        ("ไทย", ["ไ", "ท", "ย"]),
        ("مرحبا بكم", ["مرحبا", "بكم"]),
        ("well-known a_b 😀", ["well", "-", "known", "a", "_", "b", "😀"]),
        ("e\u0301te\u0301", ["\u00e9t\u00e9"]),
        ("", []),
        (" \n\t", []),
    ],
)
def test_units(text: str, expected: list[str]) -> None:
    assert list(read_units(text, 100).keys) == expected


@pytest.mark.parametrize(
    "text", ["Ｈｉ，高血压①年 ﬁne!", "e\u0301te\u0301 x", "plain text, 3 kg", "½ İstanbul ὈΔΥΣΣΕΎΣ"]
)
def test_spans_are_of_the_text_as_it_came(text: str) -> None:
    units = read_units(text, 100)
    for key, (start, end) in zip(units.keys, units.spans, strict=True):
        folded = unicodedata.normalize("NFKC", text[start:end]).casefold()
        assert key in folded


@given(st.text(max_size=40))
def test_any_text_is_read(text: str) -> None:
    units = read_units(text, 30)
    assert len(units) <= 30
    assert all(0 <= start < end <= len(text) for start, end in units.spans)
    assert all(key.strip() for key in units.keys)
    starts = [start for start, _ in units.spans]
    assert starts == sorted(starts)
    for piece in pieces(units, 3, 2, 6):
        assert 0 <= piece.first < piece.last <= len(units)
        assert 0 <= piece.span[0] < piece.span[1] <= len(text)


def test_pieces_are_runs_of_units() -> None:
    units = read_units("高血压5年 not good", 100)
    found = [(piece.key, piece.span) for piece in pieces(units, 3, 2)]
    assert found == [
        ("高", (0, 1)), ("高血", (0, 2)), ("高血压", (0, 3)),
        ("血", (1, 2)), ("血压", (1, 3)),
        ("压", (2, 3)), ("压5", (2, 4)),
        ("5", (3, 4)), ("5年", (3, 5)),
        ("年", (4, 5)), ("年not", (4, 9)),
        ("not", (6, 9)), ("not good", (6, 14)),
        ("good", (10, 14)),
    ]  # fmt: skip


def test_the_longest_piece_of_each_kind_of_script() -> None:
    units = read_units("高血压病史长", 100)
    for most in (1, 2, 4, 6):
        assert len(pieces(units, most, 9)) == sum(6 - size for size in range(most))
    assert max(one.last - one.first for one in pieces(read_units("a b c d", 9), 9, 3)) == 3


def test_parts_of_words_show_their_ends() -> None:
    units = read_units("unhappy 高", 100)
    parts = [(one.key, one.span) for one in pieces(units, 1, 1, 4) if "…" in one.key]
    assert parts == [
        ("unh…", (0, 3)), ("…unha…", (0, 4)), ("…nhap…", (1, 5)), ("…happ…", (2, 6)),
        ("…appy…", (3, 7)), ("…ppy", (4, 7)),
    ]  # fmt: skip
    assert not [one for one in pieces(units, 1, 1, 0) if "…" in one.key]
    assert not [one for one in pieces(read_units("…the 1234567", 9), 1, 1, 4) if len(one.key) > 7]


def test_the_end_of_a_long_text_is_told() -> None:
    assert read_units("一二三", 3).whole
    cut = read_units("一二三", 2)
    assert cut.keys == ("一", "二")
    assert not cut.whole
