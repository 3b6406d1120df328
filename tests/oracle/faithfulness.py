"""Faithfulness by its definitions, slowly. Units are 0 ... N-1; an order lists them, first to go.

`p` is the probability of the decision when a set of units is removed: p(frozenset()) is that of
the whole input.

Two areas are in use and both are written here. DeYoung et al. 2020 (ERASER, arXiv:1911.03429,
sec. 4.2) look at five bins and keep the first units alone for sufficiency; their formula divides
by |B| + 1 because it counts the empty bin, their published scorer divides by |B|. Edin et al. 2024
(arXiv:2408.08137, sec. 2 and 3) look at every size and remove the last units for sufficiency.
"""

from collections.abc import Callable, Sequence
from itertools import permutations
from math import ceil

import numpy as np

ERASER_SHARES = (0.01, 0.05, 0.1, 0.2, 0.5)

Decision = Callable[[frozenset[int]], float]


def order_of(values: Sequence[float]) -> list[int]:
    """Units by falling value."""
    return list(np.argsort(-np.asarray(values, dtype=np.float64), kind="stable"))


def bin_sizes(units: int, shares: Sequence[float]) -> list[int]:
    """How many units the top shares of them are, rounded up. [|B|]."""
    return [ceil(round(units * share, 9)) for share in shares]


def comprehensiveness_curve(p: Decision, order: Sequence[int], sizes: Sequence[int]) -> np.ndarray:
    """p(all) - p(all but the first k), k in sizes. [|B|]. ERASER eq. 1."""
    whole = p(frozenset())
    return np.array([whole - p(frozenset(order[:k])) for k in sizes])


def sufficiency_curve(p: Decision, order: Sequence[int], sizes: Sequence[int]) -> np.ndarray:
    """p(all) - p(the first k alone), k in sizes. [|B|]. ERASER eq. 2."""
    whole = p(frozenset())
    return np.array([whole - p(frozenset(order[k:])) for k in sizes])


def eraser_area(curve: np.ndarray, *, empty_bin: float | None = None) -> float:
    """Mean over the bins; with `empty_bin`, the curve's value at k = 0, as the formula prints it.

    k = 0 is 0 for comprehensiveness and p(all) - p(nothing) for sufficiency.
    """
    if empty_bin is None:
        return float(np.sum(curve) / len(curve))
    return float((empty_bin + np.sum(curve)) / (len(curve) + 1))


def aopc(p: Decision, order: Sequence[int]) -> float:
    """1/N sum over k = 1 ... N of p(all) - p(all but the first k). Edin et al., eq. 1."""
    return float(np.mean(comprehensiveness_curve(p, order, range(1, len(order) + 1))))


def limits(p: Decision, units: int) -> tuple[float, float]:
    """The smallest and the largest AOPC of all N! orders. Edin et al., eqs. 3 and 4."""
    areas = [aopc(p, order) for order in permutations(range(units))]
    return min(areas), max(areas)


def normalized_aopc(p: Decision, order: Sequence[int]) -> float:
    """(AOPC - lower) / (upper - lower): 1 for the best order, 0 for the worst. Eq. 2."""
    lower, upper = limits(p, len(order))
    return (aopc(p, order) - lower) / (upper - lower)


def infidelity(p: Decision, values: Sequence[float], subsets: Sequence[frozenset[int]]) -> float:
    """mean over subsets of (sum of their values - (p(all) - p(without them)))^2.

    Yeh et al. 2019, arXiv:1901.09392, eq. 2, with binary perturbations.
    """
    whole = p(frozenset())
    errors = [sum(values[n] for n in gone) - (whole - p(gone)) for gone in subsets]
    return float(np.mean(np.square(errors)))


def infidelity_scaled(
    p: Decision, values: Sequence[float], subsets: Sequence[frozenset[int]]
) -> float:
    """The smallest infidelity that any multiple of the values has, found by least squares."""
    whole = p(frozenset())
    sums = np.array([[sum(values[n] for n in gone)] for gone in subsets], dtype=np.float64)
    changes = np.array([whole - p(gone) for gone in subsets], dtype=np.float64)
    scale = np.linalg.lstsq(sums, changes, rcond=None)[0]
    return float(np.mean(np.square(sums @ scale - changes)))
