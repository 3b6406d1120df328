"""Rank correlation against a slow oracle."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zhuyi.verify.ranks import likeness, rank_correlation, ranks, unchanged

SMALL = st.integers(-3, 3).map(float)
PAIRS = st.integers(2, 9).flatmap(
    lambda n: st.tuples(*[st.lists(SMALL, min_size=n, max_size=n)] * 2)
)


def slow_ranks(values: list[float]) -> list[float]:
    """1 + how many are smaller + half of the others that are equal."""
    return [
        1 + sum(v < own for v in values) + (sum(v == own for v in values) - 1) / 2 for own in values
    ]


def slow_correlation(one: list[float], other: list[float]) -> float | None:
    a, b = slow_ranks(one), slow_ranks(other)
    mean = (len(a) + 1) / 2
    above = sum((x - mean) * (y - mean) for x, y in zip(a, b, strict=True))
    below = math.sqrt(sum((x - mean) ** 2 for x in a) * sum((y - mean) ** 2 for y in b))
    return above / below if below else None


@given(PAIRS)
def test_against_the_oracle(pair: tuple[list[float], list[float]]) -> None:
    one, other = pair
    assert ranks(one).tolist() == slow_ranks(one)
    found, wanted = rank_correlation(one, other), slow_correlation(one, other)
    assert (found is None) == (wanted is None)
    if found is not None:
        assert found == pytest.approx(wanted, abs=1e-12)
        assert abs(found) <= 1.0 + 1e-12


def test_a_textbook_case() -> None:
    """IQ and hours of television, the usual example: rho = -29 / 165."""
    iq = [86.0, 97, 99, 100, 101, 103, 106, 110, 112, 113]
    hours = [2.0, 20, 28, 27, 50, 29, 7, 17, 6, 12]
    assert rank_correlation(iq, hours) == pytest.approx(-29 / 165, abs=1e-12)


def test_where_it_is_not_defined() -> None:
    assert rank_correlation([], []) is None
    assert rank_correlation([1.0], [2.0]) is None
    assert rank_correlation([1.0, 1.0, 1.0], [1.0, 2.0, 3.0]) is None
    assert rank_correlation([1.0, 2.0, math.nan], [1.0, 2.0, 3.0]) is None
    assert rank_correlation([1.0, 2.0, 4.0], [1.0, 2.0, math.inf]) is None


def test_likeness_answers_for_constants() -> None:
    assert likeness([2.0, 2.0, 2.0], [2.0, 2.0, 2.0]) == 1.0
    assert likeness([0.0, 0.0, 0.0], [0.0, 0.0, 0.0]) == 1.0
    assert likeness([2.0, 2.0, 2.0], [1.0, 2.0, 3.0]) == 0.0
    assert likeness([1.0, 2.0, 3.0], [2.0, 2.0, 2.0]) == 0.0
    assert likeness([1.0, 2.0, 3.0], [3.0, 2.0, 1.0]) == -1.0
    assert likeness([1.0, 2.0, 3.0], [1.0, math.nan, 1.0]) is None


def test_rounding_is_no_change() -> None:
    assert unchanged([1.0, 1e-9, 0.5], [1.0 + 1e-7, 0.0, 0.5])
    assert not unchanged([1.0, 0.0, 0.5], [1.0 + 1e-5, 0.0, 0.5])
    assert not unchanged([0.0, 0.0, 0.0], [0.0, 0.0, 1e-30])
    assert not unchanged([1.0, math.nan], [1.0, math.nan])
