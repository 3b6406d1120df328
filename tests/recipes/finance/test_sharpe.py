"""The deflated Sharpe ratio: the published example, integrals, and worlds where truth is known."""

from math import sqrt

import numpy as np
import pytest
from scipy import integrate, stats

from zhuyi.errors import InputError, OptionError
from zhuyi.recipes.finance.sharpe import (
    YEAR,
    Returns,
    annual_mean,
    annual_sharpe,
    deflated_sharpe,
    expected_best,
    moments,
    probabilistic_sharpe,
    sums_of,
)

# Bailey & Lopez de Prado 2014, the worked example: five years of 250 daily returns, an annual
# ratio of 2.5, skewness -3, kurtosis 10, and a variance of 1/2 among the trials' annual ratios.
FOUND = Returns(ratio=2.5 / sqrt(250), bars=1250, skewness=-3.0, kurtosis=10.0)
SPREAD = sqrt(0.5 / 250)


def test_the_published_example() -> None:
    luck = expected_best(SPREAD, 100)
    assert luck == pytest.approx(0.1132, abs=5e-5)
    assert probabilistic_sharpe(FOUND, above=luck) == pytest.approx(0.9004, abs=5e-5)
    few = expected_best(SPREAD, 46)
    assert probabilistic_sharpe(FOUND, above=few) == pytest.approx(0.9505, abs=5e-5)
    normal = Returns(ratio=FOUND.ratio, bars=1250)
    assert probabilistic_sharpe(normal, above=expected_best(SPREAD, 88)) == pytest.approx(
        0.9505, abs=5e-4
    )


def test_by_hand_with_nothing_of_ours() -> None:
    ratios = [0.02, -0.05, 0.11, 0.04]
    gamma = 0.5772156649015329
    normal = stats.norm
    spread = np.sqrt(np.sum((np.array(ratios) - np.mean(ratios)) ** 2) / 3)
    luck = spread * (
        (1 - gamma) * normal.ppf(1 - 1 / 9) + gamma * normal.ppf(1 - 1 / (9 * np.exp(1)))
    )
    z = (0.11 - luck) * np.sqrt(299) / np.sqrt(1 + 0.5 * 0.11 + (6 - 1) / 4 * 0.11**2)
    one = Returns(ratio=0.11, bars=300, skewness=-0.5, kurtosis=6.0)
    assert deflated_sharpe(one, ratios=ratios, trials=9) == pytest.approx(normal.cdf(z), abs=1e-12)


@pytest.mark.parametrize("trials", [5, 20, 100, 1000])
def test_the_best_of_many_is_the_integral(trials: int) -> None:
    """E max of N normals is the integral of x d(Phi^N); the formula is its asymptote."""
    exact, _ = integrate.quad(
        lambda x: x * trials * stats.norm.pdf(x) * stats.norm.cdf(x) ** (trials - 1), -10, 10
    )
    assert expected_best(1.0, trials) == pytest.approx(exact, rel=0.035)


def test_nothing_was_chosen_from_one_trial() -> None:
    assert expected_best(3.0, 1) == 0.0
    one = Returns(ratio=0.1, bars=253)
    assert deflated_sharpe(one, ratios=[0.1]) == probabilistic_sharpe(one)
    with pytest.raises(OptionError, match="trials"):
        expected_best(1.0, 0)
    with pytest.raises(InputError, match="at least the 2 ratios"):
        deflated_sharpe(one, ratios=[0.1, 0.2], trials=1)


def test_luck_passes_as_often_as_it_may_and_skill_passes() -> None:
    """In worlds without skill the best of 20 is "sure" almost never; without deflating, mostly."""
    generator = np.random.default_rng(0)
    alone = deflated = 0
    for _ in range(100):
        found = [moments(series) for series in generator.normal(0.0, 0.01, (20, 250))]
        best = max(found, key=lambda one: one.ratio)
        alone += probabilistic_sharpe(best) > 0.95
        deflated += deflated_sharpe(best, ratios=[one.ratio for one in found]) > 0.95
    assert alone > 50, "the broken twin: it forgets that there were 20"
    assert deflated <= 5
    skilled = moments(generator.normal(0.004, 0.01, 250))
    assert deflated_sharpe(skilled, ratios=[skilled.ratio, 0.0, 0.02, -0.05]) > 0.95


def test_moments_are_those_of_scipy() -> None:
    series = np.random.default_rng(0).gamma(2.0, size=500)
    found = moments(series)
    assert found.ratio == pytest.approx(np.mean(series) / np.std(series, ddof=1))
    centered = (series - series.mean()) / series.std()
    assert found.skewness == pytest.approx((centered**3).mean())
    assert found.kurtosis == pytest.approx((centered**4).mean())
    for wrong in ([1.0, 1.0, 1.0], [1.0, 2.0], [1.0, np.nan, 2.0]):
        with pytest.raises(InputError, match="returns"):
            moments(wrong)


def test_annual_numbers_of_sums() -> None:
    returns = np.random.default_rng(0).normal(0.001, 0.01, 251)
    sums = sums_of(returns).sum(0, keepdims=True)
    assert annual_mean(sums)[0] == pytest.approx(returns.mean() * YEAR)
    assert annual_sharpe(sums)[0] == pytest.approx(
        returns.mean() / returns.std(ddof=1) * sqrt(YEAR)
    )
    assert np.isnan(annual_sharpe(sums_of(np.zeros(5)).sum(0, keepdims=True))[0])
