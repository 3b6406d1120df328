"""Layouts: which positions stand for some characters, against the definition."""

from hypothesis import given
from hypothesis import strategies as st

from zhuyi.steer.layout import Layout

SPANS = st.lists(
    st.none() | st.tuples(st.integers(0, 12), st.integers(0, 4)).map(lambda p: (p[0], p[0] + p[1])),
    max_size=12,
)


@given(SPANS, st.integers(0, 20), st.integers(0, 20))
def test_positions_of_characters_are_those_that_overlap_them(
    spans: list[tuple[int, int] | None], start: int, size: int
) -> None:
    stop = start + size
    expected = {
        place
        for place, span in enumerate(spans)
        if span is not None and span[0] < stop and span[1] > start and size
    }
    layout = Layout(length=len(spans), text="x" * 20, spans=tuple(spans))
    assert layout.covering(start, stop) == expected


def test_characters_beyond_the_text_are_nobodys_and_cost_nothing() -> None:
    layout = Layout(length=2, text="ab", spans=((0, 1), (1, 2)))
    assert layout.covering(1, 10**15) == {1}
    assert layout.covering(10**15, 10**15 + 5) == frozenset()


def test_layouts_are_equal_by_what_they_hold() -> None:
    first, second = (Layout(length=1, text="a", spans=((0, 1),)) for _ in range(2))
    first.covering(0, 1)
    assert first == second
