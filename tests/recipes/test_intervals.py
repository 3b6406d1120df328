"""Intervals against hand-computed numbers, and that they cover as often as they say."""

import numpy as np
import pytest

from zhuyi.errors import InputError, ShapeError
from zhuyi.recipes.intervals import bootstrap, over_folds


def test_over_folds_by_hand() -> None:
    # mean 0.8, s = 0.1, t(0.975, 2) = 4.302653, sqrt(1/3 + 1/2) = 0.912871
    found = over_folds([0.7, 0.8, 0.9], test_share=0.5)
    width = 4.302653 * 0.1 * 0.912871
    assert found.value == pytest.approx(0.8)
    assert (found.lower, found.upper) == pytest.approx((0.8 - width, 0.8 + width), abs=1e-6)
    one = over_folds([0.7], test_share=0.5)
    assert (one.value, one.lower, one.upper, str(one)) == (0.7, None, None, "0.700")
    with pytest.raises(InputError, match="got none"):
        over_folds([], test_share=0.5)


def test_the_bootstrap_of_a_mean_is_its_standard_error() -> None:
    values = np.random.default_rng(0).normal(size=400)
    found = bootstrap(lambda rows: float(values[rows].mean()), 400, draws=2000)
    half = 1.96 * values.std() / 20.0
    assert found.value == pytest.approx(values.mean())
    assert found.lower == pytest.approx(values.mean() - half, abs=0.012)
    assert found.upper == pytest.approx(values.mean() + half, abs=0.012)


def test_groups_that_agree_widen_the_interval() -> None:
    """50 copies of 8 numbers are 8 numbers; drawing rows would claim 400 of them."""
    values = np.repeat(np.random.default_rng(1).normal(size=8), 50)
    groups = np.repeat(np.arange(8), 50)

    def width(chosen: np.ndarray | None) -> float:
        found = bootstrap(lambda rows: float(values[rows].mean()), 400, groups=chosen)
        assert found.lower is not None
        assert found.upper is not None
        return found.upper - found.lower

    assert width(groups) / width(None) == pytest.approx(np.sqrt(50.0), rel=0.25)


def test_draws_without_a_score_are_left_out() -> None:
    answers = np.array([0, 0, 0, 1])

    def score(rows: np.ndarray) -> float:
        return float("nan") if len(set(answers[rows])) < 2 else 0.5

    found = bootstrap(score, 4, draws=200)
    assert found.how.startswith("bootstrap of rows, ")
    assert 100 < int(found.how.split(", ")[1].split()[0]) < 180
    with pytest.raises(ShapeError, match=r"groups must be \[4\]"):
        bootstrap(score, 4, groups=np.zeros(3))
    with pytest.raises(InputError, match="got none"):
        bootstrap(score, 0)
