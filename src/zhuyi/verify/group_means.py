"""Means by group, drawn again: what groups of inputs give by chance."""

from collections.abc import Mapping
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

Numbers: TypeAlias = NDArray[np.float64]
"""One number an input; NaN where there is none."""

Codes: TypeAlias = NDArray[np.intp]
"""The group of each input, from 0."""


def means_of(numbers: Numbers, codes: Codes, groups: int) -> Numbers:
    """Mean of each group's known numbers; NaN where it has none.

    Example:
        >>> means_of(np.array([1.0, 2.0, np.nan]), np.array([0, 0, 1]), 2).tolist()
        [1.5, nan]
    """
    known = ~np.isnan(numbers)
    count = np.bincount(codes[known], minlength=groups)
    total = np.bincount(codes[known], weights=numbers[known], minlength=groups)
    return np.where(count > 0, total / np.maximum(count, 1), np.nan)


def drawn_means(
    table: Mapping[str, Numbers], codes: Codes, groups: int, *, draws: int, seed: int
) -> dict[str, Numbers]:
    """Means "draws groups" of inputs drawn with replacement from all groups together.

    These are the draws of fairlearn's `MetricFrame(n_boot=draws, random_state=seed)`, without the
    data frames it builds for each (25 ms a draw); tests/verify/test_subgroups.py holds the two
    equal.

    Args:
        table: metric -> one number an input.
        codes: the group of each input.
        groups: how many.
        draws: how many.
        seed: of the draws.
    Returns: metric -> means; NaN where a draw has no number of a group.
    Cost:    O(draws B) for every metric.
    """
    seeds = np.random.default_rng(seed).integers(
        0, np.iinfo(np.uint32).max, size=draws, dtype=np.uint32
    )
    drawn = {name: np.empty((draws, groups)) for name in table}
    for draw, own_seed in enumerate(seeds if table else ()):
        index = np.random.RandomState(own_seed).choice(len(codes), len(codes))
        for name, numbers in table.items():
            drawn[name][draw] = means_of(numbers[index], codes[index], groups)
    return drawn


def chance_apart(
    numbers: Numbers, codes: Codes, groups: int, apart: float, *, draws: int, seed: int
) -> float:
    """How often the farthest two of randomly dealt groups are `apart` or more: a p-value.

    Returns: (1 + draws that reach it) / (1 + draws); never 0.
    Ref:     Phipson & Smyth 2010.
    """
    known = ~np.isnan(numbers)
    numbers, codes = numbers[known], codes[known]
    generator = np.random.default_rng([seed, 1])
    reached = 0
    for _ in range(draws):
        means = means_of(numbers, generator.permutation(codes), groups)
        reached += bool(np.nanmax(means) - np.nanmin(means) >= apart - 1e-12)
    return (1 + reached) / (1 + draws)


def holm(chances: Mapping[str, float]) -> dict[str, float]:
    """P-values for all together: the i-th smallest of M times M - i + 1, never falling.

    Ref: Holm 1979.

    Example:
        >>> holm({"a": 0.01, "b": 0.5, "c": 0.02})
        {'a': 0.03, 'c': 0.04, 'b': 0.5}
    """
    adjusted: dict[str, float] = {}
    largest = 0.0
    for place, name in enumerate(sorted(chances, key=lambda name: chances[name])):
        largest = max(largest, min(1.0, chances[name] * (len(chances) - place)))
        adjusted[name] = largest
    return adjusted
