"""How alike two explanations of one input order its units: Spearman's rank correlation."""

import math
from collections.abc import Sequence

import torch
from torch import Tensor

_SAME = 1e-6  # of the largest value: below it two runs differ by rounding only


def ranks(values: Sequence[float]) -> Tensor:
    """Ranks from 1, equal values sharing the mean of theirs: float64, as long as `values`.

    Example:
        >>> ranks([10.0, 30.0, 10.0, 20.0]).tolist()
        [1.5, 4.0, 1.5, 3.0]
    """
    numbers = torch.tensor(values, dtype=torch.float64)
    _, place, counts = torch.unique(numbers, return_inverse=True, return_counts=True)
    last = counts.cumsum(0).double()
    shared: Tensor = last - (counts.double() - 1.0) / 2.0
    return shared[place]


def rank_correlation(one: Sequence[float], other: Sequence[float]) -> float | None:
    """Spearman's correlation: Pearson's of the ranks, equal values sharing theirs.

        rho = cov(rank one, rank other) / (std(rank one) std(rank other))

    Args:
        one, other: values of the same units.
    Returns: in [-1, 1]; None where it is not defined: fewer than two values, all values equal on
        one side, or a value that is not finite.
    Cost:    O(N log N).
    Ref:     Spearman 1904; ties as in Kendall & Gibbons 1990, ch. 3.

    Example:
        >>> rank_correlation([1.0, 2.0, 3.0], [1.0, 20.0, 300.0])
        1.0
        >>> rank_correlation([1.0, 2.0, 3.0], [5.0, 5.0, 5.0]) is None
        True
    """
    if len(one) < 2 or not _finite(one, other):
        return None
    a, b = (part - part.mean() for part in (ranks(one), ranks(other)))
    # One root of the product: equal ranks give 1 and not a last digit less.
    below = math.sqrt(float(a @ a) * float(b @ b))
    return float(a @ b) / below if below > 0.0 else None


def unchanged(before: Sequence[float], after: Sequence[float]) -> bool:
    """Whether two explanations have the same values, but for rounding."""
    pairs = list(zip(before, after, strict=True))
    largest = max((abs(value) for value in before), default=0.0)
    return all(abs(one - other) <= _SAME * largest for one, other in pairs)


def likeness(before: Sequence[float], after: Sequence[float]) -> float | None:
    """The rank correlation, with an answer where a constant explanation leaves it undefined.

    Values that did not change are alike (1), also when they are all equal. A constant that became
    something else, or the reverse, has no order in common with it (0).

    Returns: in [-1, 1]; None where a value is not finite.
    """
    if not _finite(before, after):
        return None
    if unchanged(before, after):
        return 1.0
    found = rank_correlation(before, after)
    return 0.0 if found is None else found


def _finite(one: Sequence[float], other: Sequence[float]) -> bool:
    return bool(torch.tensor([*one, *other], dtype=torch.float64).isfinite().all())
