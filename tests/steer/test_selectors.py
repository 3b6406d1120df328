"""Selectors on layouts written by hand: which positions, what is shown, what is cut."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zhuyi.errors import OptionError
from zhuyi.steer.layout import Layout, Piece
from zhuyi.steer.selectors import Channel, Column, Matched, Regex, Role, Selector, Text, Tokens
from zhuyi.steer.windows import Time


def cut_at(text: str, *pieces: str, special: int = 0) -> Layout:
    """A text whose tokens are these pieces, in order; the first positions stand for nothing."""
    spans: list[tuple[int, int] | None] = [None] * special
    at = 0
    for piece in pieces:
        at = text.index(piece, at)
        spans.append((at, at + len(piece)))
        at += len(piece)
    return Layout(
        length=len(spans), text=text, spans=tuple(spans), special=frozenset(range(special))
    )


NOTE = cut_at(
    "The agent's age: 65. Her AGE rose.",
    *("The", " agent", "'s", " age", ":", " 65", ".", " Her", " AG", "E", " rose", "."),
    special=1,
)
TEXTS: dict[str, tuple[Selector, set[int], tuple[str, ...]]] = {
    "all occurrences, whole words": (Text("age"), {4, 9, 10}, ("age", "AGE")),
    "as written": (Text("age", ignore_case=False), {4}, ("age",)),
    "parts of words": (Text("age", whole_words=False), {2, 4, 9, 10}, ("age", "age", "AGE")),
    "several words": (Text("her age"), {8, 9, 10}, ("Her AGE",)),
    "a sign at the edge": (Text("age:"), {4, 5}, ("age:",)),
    "special signs are plain": (Text("."), {7, 12}, (".", ".")),
    "nothing": (Text("diagnosis"), set(), ()),
    "a pattern": (Regex(r"\b(her|his)\b", "i"), {8}, ("Her",)),
    "a pattern with case": (Regex("her"), set(), ()),
    "an empty match": (Regex("x*"), set(), ()),
}


@pytest.mark.parametrize("name", TEXTS)
def test_texts(name: str) -> None:
    selector, positions, shown = TEXTS[name]
    found = selector.match(NOTE)
    assert (found.positions, found.shown) == (positions, shown)


def test_a_token_across_the_edge_is_cut() -> None:
    merged = cut_at("not(allergic)", "not", "(all", "ergic", ")")
    assert Text("allergic").match(merged) == Matched(
        positions=frozenset({1, 2}), shown=("allergic",), cut=frozenset({1})
    )
    # White space beside a word is nobody's content.
    assert not Text("age").match(NOTE).cut


def test_white_space_in_a_phrase_is_any_white_space() -> None:
    assert Text("in JSON").match(cut_at("in\n  JSON", "in", "JSON")).positions == {0, 1}


CHINESE = cut_at("患者无糖尿病，查CT正常", *"患者无糖尿病，查", "CT", "正", "常")


def test_chinese_words_have_no_spaces_around_them() -> None:
    assert Text("糖尿病").match(CHINESE).positions == {3, 4, 5}
    assert Text("CT").match(CHINESE).positions == {8}
    assert Text("ct正常").match(CHINESE).positions == {8, 9, 10}
    assert not Text("C").match(CHINESE).positions


def test_pieces_of_words_that_no_rule_can_mean() -> None:
    assert not Text("ge").match(NOTE).positions
    with pytest.raises(OptionError, match="at least one character"):
        Text(" ")
    with pytest.raises(OptionError, match="is no regular expression"):
        Regex("(")
    with pytest.raises(OptionError, match="letters of 'ims'"):
        Regex("a", "x")


@given(
    st.text(alphabet="ab c\u7cd6", max_size=30),
    st.text(alphabet="ab\u7cd6", min_size=1, max_size=3),
)
def test_every_occurrence_is_found(text: str, phrase: str) -> None:
    layout = Layout(length=len(text), text=text, spans=tuple((i, i + 1) for i in range(len(text))))
    found = Text(phrase, whole_words=False).match(layout).positions
    expected, at = set(), text.find(phrase)
    while at >= 0:  # as `re` goes on: behind the last match
        expected |= set(range(at, at + len(phrase)))
        at = text.find(phrase, at + len(phrase))
    assert found == expected


TABLE = Layout(
    length=6,
    special=frozenset({0}),
    pieces=(
        Piece(name="age", positions=(1,)),
        Piece(name="profile/city", positions=(2,)),
        Piece(name="profile/job", positions=(3, 4)),
        Piece(name="x[0]", positions=(5,)),
    ),
)


def test_columns() -> None:
    assert Column("age").match(TABLE) == Matched(positions=frozenset({1}), shown=("age",))
    assert Column("profile/*").match(TABLE).positions == {2, 3, 4}
    assert Column("?ge").match(TABLE).positions == {1}
    assert Column("x[0]").match(TABLE).positions == {5}
    assert not Column("AGE").match(TABLE).positions
    assert not Column("[a]ge").match(TABLE).positions
    assert not Column("x0").match(TABLE).positions


SERIES = Layout(
    length=8,
    pieces=tuple(
        Piece(
            name=f"{channel} {start}-{start + 10}",
            positions=(place * 4 + part,),
            channel=channel,
            times=(start, start + 10),
        )
        for place, channel in enumerate(("heat", "vib3"))
        for part, start in enumerate((0, 10, 20, 30))
    ),
)
WINDOWS: dict[str, tuple[Selector, set[int]]] = {
    "one channel": (Channel("vib3"), {4, 5, 6, 7}),
    "all channels from a step": (Channel(start=30), {3, 7}),
    "up to a step": (Channel("heat", stop=10), {0}),
    "a stretch that is touched": (Channel("heat", 15, 21), {1, 2}),
    "from the end": (Channel("heat", -10), {3}),
    "touching the one before": (Channel("heat", -11), {2, 3}),
    "between two ends": (Channel("heat", -20, -10), {2}),
    "longer than the series": (Channel("heat", -1000), {0, 1, 2, 3}),
    "behind the end": (Channel("heat", 40), set()),
    "a pattern": (Channel("v*", stop=5), {4}),
    "time in steps": (Time("-10:"), {3, 7}),
    "time by the clock": (Time("-1h:", step="6min", channel="vib3"), {7}),
    "time between": (Time("0:30min", step="1min", channel="heat"), {0, 1, 2}),
    "part of a step": (Time("-61min:", step="6min", channel="heat"), {2, 3}),
    "up to a time": (Time(":1h", step="6min", channel="heat"), {0}),
}


@pytest.mark.parametrize("name", WINDOWS)
def test_windows(name: str) -> None:
    selector, positions = WINDOWS[name]
    assert selector.match(SERIES).positions == positions


def test_bounds_of_time() -> None:
    assert Time("-24h:", "1h").bounds == (-24, None)
    assert Time("-1d:-2h", "30min").bounds == (-48, -4)
    assert Time("0.3s:", "100ms").bounds == (3, None)
    assert Time("0.35s:0.41s", "100ms").bounds == (3, 5)
    assert Time(":", "1h").bounds == (None, None)


WRONG_TIMES = {
    "no colon": (("-24h", "1h"), "written 'from:to'"),
    "no step": (("-24h:",), "needs the length of a step"),
    "no unit": (("-24:", "1h"), "must have a unit"),
    "half a step": (("-2.5:",), "whole number of steps"),
    "an unknown unit": (("-2y:", "1h"), "one of the units"),
    "no number": (("yesterday:", "1h"), "one of the units"),
    "a step of nothing": (("-2h:", "0h"), "a length above 0"),
    "a step without unit": (("-2h:", "3"), "a length above 0 and a unit"),
    "turned around": (("5:2",), "holds no time"),
    "nothing before the start": ((":0",), "holds no time"),
}


@pytest.mark.parametrize("name", WRONG_TIMES)
def test_wrong_times(name: str) -> None:
    given_, told = WRONG_TIMES[name]
    with pytest.raises(OptionError, match=told):
        Time(*given_)


PADDED = Layout(
    length=7,
    special=frozenset({2, 6}),
    padding=frozenset({0, 1}),
    roles=("", "", "", "user", "user", "assistant", "assistant"),
)
PLACES: dict[str, tuple[Selector, set[int]]] = {
    "the first, behind the padding": (Tokens(0, 2), {3}),
    "special ones by name": (Tokens(0, 2, special=True), {2, 3}),
    "the last": (Tokens(-2), {5}),
    "all": (Tokens(), {3, 4, 5}),
    "none": (Tokens(20), set()),
    "a side": (Role("user"), {3, 4}),
    "a side without what the template added": (Role("assistant"), {5}),
    "nobody": (Role("system"), set()),
}


@pytest.mark.parametrize("name", PLACES)
def test_places(name: str) -> None:
    selector, positions = PLACES[name]
    found = selector.match(PADDED)
    assert found.positions == positions
    assert bool(found.shown) == bool(positions)
