"""Sharpe ratios, and what is left of one after the search that found it."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import e, sqrt

import numpy as np
import numpy.typing as npt
from scipy import stats

from zhuyi._check import check_at_least
from zhuyi.errors import InputError

Floats = npt.NDArray[np.float64]

YEAR = 252
"""Days of trade in a year."""


@dataclass(frozen=True, kw_only=True)
class Returns:
    """What the deflated Sharpe ratio reads of a series of returns.

    Args:
        ratio: mean over standard deviation, per bar (not annualized).
        bars: how many there are.
        skewness: third standardized moment; 0 of a normal distribution.
        kurtosis: fourth standardized moment; 3 of a normal distribution.
    """

    ratio: float
    bars: int
    skewness: float = 0.0
    kurtosis: float = 3.0

    def __post_init__(self) -> None:
        check_at_least("bars", self.bars, 2)


def moments(returns: npt.ArrayLike) -> Returns:
    """The moments of a series of returns, one a bar.

    Raises: InputError: fewer than 3 returns, or all alike.
    """
    series = np.asarray(returns, dtype=np.float64)
    if series.ndim != 1 or len(series) < 3 or not np.isfinite(series).all() or not np.ptp(series):
        raise InputError("returns must be 3 finite numbers or more that are not all alike")
    return Returns(
        ratio=float(series.mean() / series.std(ddof=1)),
        bars=len(series),
        skewness=float(stats.skew(series)),
        kurtosis=float(stats.kurtosis(series, fisher=False)),
    )


def probabilistic_sharpe(found: Returns, *, above: float = 0.0) -> float:
    """How sure it is that the true ratio is above a bound, in [0, 1].

        Phi((SR - above) sqrt(T - 1) / sqrt(1 - g3 SR + (g4 - 1) / 4 SR^2))

    Args:
        found: ratio SR, bars T, skewness g3 and kurtosis g4.
        above: the bound, per bar.

    Ref: Bailey & Lopez de Prado 2012, The Sharpe ratio efficient frontier, eq. 11.

    Example:
        >>> round(probabilistic_sharpe(Returns(ratio=0.1, bars=253)), 4)
        0.9433
    """
    spread = 1.0 - found.skewness * found.ratio + (found.kurtosis - 1.0) / 4.0 * found.ratio**2
    if spread <= 0.0:
        raise InputError(f"skewness {found.skewness} and kurtosis {found.kurtosis} cannot be")
    return float(stats.norm.cdf((found.ratio - above) * sqrt((found.bars - 1) / spread)))


def expected_best(spread: float, trials: int) -> float:
    """The best ratio that so many worthless trials are expected to show.

        sqrt(V) ((1 - g) Phi^-1(1 - 1 / N) + g Phi^-1(1 - 1 / (N e))),   g = 0.5772 (Euler)

    Args:
        spread: standard deviation sqrt(V) of the ratios over the trials, per bar.
        trials: N; with 1 nothing was chosen, and 0 is expected.

    Raises: OptionError: trials below 1.
    Ref:    Bailey & Lopez de Prado 2014, The deflated Sharpe ratio, eq. 1.
    """
    check_at_least("trials", trials, 1)
    if trials == 1:
        return 0.0
    first, second = stats.norm.ppf([1.0 - 1.0 / trials, 1.0 - 1.0 / (trials * e)])
    return float(spread * ((1.0 - np.euler_gamma) * first + np.euler_gamma * second))


def deflated_sharpe(found: Returns, *, ratios: Sequence[float], trials: int | None = None) -> float:
    """How sure it is that a ratio is more than the luck of the best of many trials.

        PSR(above = expected best of N worthless trials)

    Args:
        found: the strategy that was chosen.
        ratios: of all trials whose ratio is known, the chosen one among them, per bar.
        trials: how many there were, known or not; None for as many as `ratios`.

    Returns: in [0, 1]; below 0.95 the ratio is no evidence.
    Raises:  InputError: no ratio, or fewer trials than ratios.
    Not:     a correction for trials that nobody wrote down, nor for the choice of the stocks.
    Ref:     Bailey & Lopez de Prado 2014, The deflated Sharpe ratio, eq. 2.

    Example:
        >>> one = Returns(ratio=0.1, bars=253)
        >>> deflated_sharpe(one, ratios=[0.1, 0.0, -0.1]) < probabilistic_sharpe(one)
        True
    """
    trials = len(ratios) if trials is None else trials
    if not ratios or trials < len(ratios):
        raise InputError(f"trials must be at least the {len(ratios)} ratios, got {trials}")
    spread = float(np.std(ratios, ddof=1)) if len(ratios) > 1 else 0.0
    return probabilistic_sharpe(found, above=expected_best(spread, trials))


def annual_sharpe(sums: Floats) -> Floats:
    """Annualized ratios of sums of (1, r, r^2), [S, 3] -> [S]; nan where r is constant."""
    count, total, squares = sums.T
    mean = total / count
    variance = (squares - count * mean**2) / (count - 1.0)
    sure = variance > 1e-18
    ratio: Floats = np.divide(mean, np.sqrt(np.where(sure, variance, 1.0)), where=sure,
                              out=np.full(len(sums), np.nan))  # fmt: skip
    return ratio * sqrt(YEAR)


def annual_mean(sums: Floats) -> Floats:
    """Mean return a year of the same sums, not compounded."""
    mean: Floats = sums[:, 1] / sums[:, 0] * YEAR
    return mean


def sums_of(returns: Floats) -> Floats:
    """(1, r, r^2) a day, [days, 3]."""
    return np.stack([np.ones_like(returns), returns, returns**2], axis=1)
