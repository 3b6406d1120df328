"""How sure a score is: intervals over folds and by the bootstrap, as frozen records."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import stats

from zhuyi._check import check_at_least
from zhuyi.errors import InputError, ShapeError


@dataclass(frozen=True, kw_only=True)
class Interval:
    """A number with its interval at 95 %.

    Args:
        value: the number.
        lower, upper: the interval's ends; None where one cannot be computed.
        how: how it was computed, in words.
    """

    value: float
    lower: float | None
    upper: float | None
    how: str

    def __str__(self) -> str:
        if self.lower is None or self.upper is None:
            return f"{self.value:.3f}"
        return f"{self.value:.3f} ({self.lower:.3f} to {self.upper:.3f})"


def over_folds(values: Sequence[float], *, test_share: float) -> Interval:
    """The mean over folds with a t-interval corrected for folds that share training rows.

        mean +- t_(0.975, k - 1) s sqrt(1 / k + n_test / n_train)

    Args:
        values: one score a fold.
        test_share: n_test / n_train of a fold, 1 / (folds - 1) for plain folds.

    Raises: InputError: if there is no value.
    Not:    an interval for new data of another kind than these.
    Ref:    Nadeau & Bengio 2003, Inference for the Generalization Error, eq. 9.

    Example:
        >>> str(over_folds([0.5, 0.5, 0.5], test_share=0.5))
        '0.500 (0.500 to 0.500)'
    """
    scores = np.asarray(values, dtype=np.float64)
    if scores.size == 0:
        raise InputError("values must hold one score at least, got none")
    mean = float(scores.mean())
    if scores.size == 1:
        return Interval(value=mean, lower=None, upper=None, how="one fold")
    width = float(
        stats.t.ppf(0.975, scores.size - 1)
        * scores.std(ddof=1)
        * np.sqrt(1.0 / scores.size + test_share)
    )
    how = f"{scores.size} folds, corrected t"
    return Interval(value=mean, lower=mean - width, upper=mean + width, how=how)


def bootstrap(
    score: Callable[[npt.NDArray[np.int64]], float],
    rows: int,
    *,
    groups: npt.NDArray[np.generic] | None = None,
    draws: int = 1000,
    seed: int = 0,
) -> Interval:
    """The score of all rows with a percentile interval over rows drawn with replacement.

    Args:
        score: gets row numbers, gives the number; nan where it is not defined (one class only).
        rows: how many there are.
        groups: [rows]; whole groups are drawn (patients, engines, days), as rows of one group are
            not independent.
        draws: samples; those where the score is not defined are left out.
        seed: of the draws.

    Raises: InputError: if there are no rows; ShapeError: groups of another length.
    Cost:   `draws` calls of `score`.

    Example:
        >>> right = np.array([1.0, 1.0, 1.0, 0.0])
        >>> found = bootstrap(lambda drawn: float(right[drawn].mean()), 4, draws=100)
        >>> found.value, found.lower <= 0.75 <= found.upper
        (0.75, True)
    """
    check_at_least("draws", draws, 1)
    if rows < 1:
        raise InputError("a bootstrap needs one row at least, got none")
    value = float(score(np.arange(rows)))
    generator = np.random.default_rng(seed)
    pools: list[npt.NDArray[np.int64]] | None = None
    if groups is not None:
        if len(groups) != rows:
            raise ShapeError(f"groups must be [{rows}], got [{len(groups)}]")
        _, codes = np.unique(groups, return_inverse=True)
        order = np.argsort(codes, kind="stable")
        pools = np.split(order, np.cumsum(np.bincount(codes))[:-1])
    scores = []
    for _ in range(draws):
        if pools is None:
            drawn = generator.integers(0, rows, rows)
        else:
            chosen = generator.integers(0, len(pools), len(pools))
            drawn = np.concatenate([pools[group] for group in chosen])
        scores.append(float(score(drawn)))
    kept = np.asarray(scores)[~np.isnan(scores)]
    what = "rows" if pools is None else f"{len(pools)} groups"
    how = f"bootstrap of {what}, {len(kept)} draws"
    if len(kept) < 2:
        return Interval(value=value, lower=None, upper=None, how=how)
    lower, upper = np.quantile(kept, (0.025, 0.975))
    return Interval(value=value, lower=float(lower), upper=float(upper), how=how)
