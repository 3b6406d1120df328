"""Intervals over days: as wide as independence allows, and no narrower for many stocks a day."""

import numpy as np
import pandas as pd
import pytest

from zhuyi.errors import InputError, OptionError
from zhuyi.recipes.finance.blocks import Floats, by_day, draw_days, over_days

DAYS = np.arange("2015-01-01", "2016-01-01", dtype="datetime64[D]")


def mean(sums: Floats) -> Floats:
    return np.divide(sums[:, 1], sums[:, 0], out=np.full(len(sums), np.nan), where=sums[:, 0] > 0)


def counts(values: Floats) -> Floats:
    return np.stack([np.ones_like(values), values], axis=1)


def width(daily: Floats, length: int) -> float:
    drawn = draw_days(len(daily), length=length, draws=2000)
    found = over_days(mean, daily, drawn)
    assert found.lower is not None
    assert found.upper is not None
    return found.upper - found.lower


def test_blocks_are_neighbors_and_every_day_is_drawn_alike() -> None:
    drawn = draw_days(20, length=5, draws=4000, seed=1)
    steps = (np.diff(drawn, axis=1) % 20) == 1
    assert steps[:, [i for i in range(19) if i % 5 != 4]].all(), "within a block"
    share = np.bincount(drawn.ravel(), minlength=20) / drawn.size
    assert share == pytest.approx(np.full(20, 0.05), abs=0.003)
    np.testing.assert_array_equal(drawn, draw_days(20, length=5, draws=4000, seed=1))


@pytest.mark.parametrize(("days", "length"), [(0, 1), (3, 4), (3, 0)])
def test_blocks_that_cannot_be(days: int, length: int) -> None:
    with pytest.raises(OptionError):
        draw_days(days, length=length)


def test_the_width_is_that_of_theory_for_independent_days() -> None:
    values = np.random.default_rng(0).normal(size=len(DAYS))
    expected = 2 * 1.96 * values.std() / np.sqrt(len(DAYS))
    assert width(counts(values), 1) == pytest.approx(expected, rel=0.06)
    assert width(counts(values), 5) == pytest.approx(expected, rel=0.2)


def test_days_that_follow_each_other_widen_it() -> None:
    noise = np.random.default_rng(0).normal(size=(300, len(DAYS)))
    series = np.zeros_like(noise)
    for day in range(1, len(DAYS)):
        series[:, day] = 0.8 * series[:, day - 1] + noise[:, day]
    truth = 2 * 1.96 * series.mean(1).std()
    found = {length: width(counts(series[0]), length) for length in (1, 20)}
    assert found[1] < 0.5 * truth, "single days claim too much"
    assert found[20] == pytest.approx(truth, rel=0.4)


def test_a_hundred_stocks_that_move_together_make_no_narrower_interval() -> None:
    values = np.random.default_rng(0).normal(size=len(DAYS))
    one = by_day(counts(values), DAYS)
    many = by_day(counts(np.repeat(values, 100)), np.repeat(DAYS, 100))
    assert width(many, 5) == pytest.approx(width(one, 5))
    # The broken twin draws rows: it takes a hundred copies for a hundred facts.
    assert width(counts(np.repeat(values, 100)[:36_500:7]), 1) < 0.5 * width(one, 5)


def test_sums_of_a_day_are_those_of_pandas() -> None:
    generator = np.random.default_rng(0)
    days = generator.choice(DAYS[:9], 200)
    values = generator.normal(size=(200, 2, 3))
    expected = pd.DataFrame(values.reshape(200, 6)).groupby(days).sum().to_numpy()
    np.testing.assert_allclose(by_day(values, days).reshape(-1, 6), expected)


def test_draws_without_a_value_are_left_out() -> None:
    daily = np.array([[1.0, 2.0], [0.0, 0.0], [0.0, 0.0]])
    found = over_days(mean, daily, draw_days(3, length=1, draws=50))
    assert (found.value, found.lower, found.upper) == (2.0, 2.0, 2.0)
    assert "50 draws" not in found.how
    with pytest.raises(InputError, match="not defined"):
        over_days(mean, daily * 0.0, draw_days(3, length=1, draws=50))
