"""Intervals over days: blocks of neighboring days are drawn, with all stocks of a day together.

Stocks rise and fall together and volatile days follow each other. Rows are not independent, days
nearly are, weeks more so.
"""

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from zhuyi._check import check_at_least
from zhuyi.errors import InputError, OptionError
from zhuyi.recipes.intervals import Interval

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]


def draw_days(days: int, *, length: int = 5, draws: int = 2000, seed: int = 0) -> Integers:
    """Days drawn as blocks of neighbors, one row a draw.

    Blocks start anywhere and go on at the first day after the last one, so that every day is drawn
    equally often.

    Args:
        days: how many there are, in order.
        length: days of a block; 5 are a week.
        draws: how many samples.
        seed: of the draws. The same draws for two models give the interval of their difference.

    Returns: numbers of days, [draws, days].
    Raises:  OptionError: a number below 1, or a block longer than there are days.
    Ref:     Politis & Romano 1992, A circular block-resampling procedure for stationary data.

    Example:
        >>> draw_days(10, length=5, draws=3).shape
        (3, 10)
    """
    for name, value in (("days", days), ("length", length), ("draws", draws)):
        check_at_least(name, value, 1)
    if length > days:
        raise OptionError(f"length must be at most the {days} days there are, got {length}")
    generator = np.random.default_rng(seed)
    starts = generator.integers(0, days, (draws, -(-days // length)))
    drawn = (starts[:, :, None] + np.arange(length)) % days
    return drawn.reshape(draws, -1)[:, :days].astype(np.int64)


def by_day(values: Floats, days: npt.NDArray[np.datetime64]) -> Floats:
    """Sums over the rows of each day, in order of days: [N, ...] -> [days, ...]."""
    known, at = np.unique(days, return_inverse=True)
    sums = np.zeros((len(known), *values.shape[1:]))
    np.add.at(sums, at, values)
    return sums


def over_days(statistic: Callable[[Floats], Floats], daily: Floats, drawn: Integers) -> Interval:
    """A statistic of sums over days, with a percentile interval over drawn days.

    Args:
        statistic: from sums [draws, ...] to numbers [draws]; nan where it is not defined.
        daily: [days, ...], what is summed over days (counts, returns and their squares).
        drawn: of `draw_days`.

    Raises: InputError: if the statistic is not defined on the days as they are.
    """
    value = float(statistic(daily.sum(0, keepdims=True))[0])
    if np.isnan(value):
        raise InputError("the statistic is not defined on these days: too few, or all alike")
    found = statistic(np.stack([daily[days].sum(0) for days in drawn]))
    found = found[~np.isnan(found)]
    how = f"bootstrap of blocks of days, {len(found)} draws"
    if len(found) < 2:
        return Interval(value=value, lower=None, upper=None, how=how)
    lower, upper = np.quantile(found, (0.025, 0.975))
    return Interval(value=value, lower=float(lower), upper=float(upper), how=how)
