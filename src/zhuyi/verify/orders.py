"""Orders of removal, as the sets that they pass through.

A set of removed units is a whole number, bit i for the i-th removable unit. An order is the units'
indices, the first to be removed first.
"""

from collections.abc import Sequence
from itertools import accumulate

import torch


def grid(units: int, steps: int) -> tuple[int, ...]:
    """Sizes at which an order is looked at: at most `steps`, evenly spaced, the last is all.

    Example:
        >>> grid(4, 10), grid(20, 5)
        ((1, 2, 3, 4), (4, 8, 12, 16, 20))
    """
    if units <= steps:
        return tuple(range(1, units + 1))
    return tuple(sorted({round(units * (step + 1) / steps) for step in range(steps)}))


def bins(units: int, shares: Sequence[float]) -> tuple[int, ...]:
    """Sizes of the first units that make up these shares of all, rounded up.

    Example:
        >>> bins(10, (0.01, 0.5))
        (1, 5)
    """
    # The subtraction keeps 0.1 * 10 at 1 where binary fractions make it a hair more.
    return tuple(min(units, max(1, -int(-(units * share - 1e-9) // 1))) for share in shares)


def sets(order: Sequence[int], sizes: Sequence[int]) -> list[int]:
    """The sets of removed units after the first so many of an order."""
    grown = [0, *accumulate((1 << unit for unit in order), lambda one, other: one | other)]
    return [grown[size] for size in sizes]


def ranked(values: Sequence[float], generator: torch.Generator) -> tuple[list[list[int]], bool]:
    """Orders by falling value; where values tie, a random one and its mirror image.

    The mean over the two is what a tie deserves: neither unit comes first.

    Returns: one order, or two; and whether there were ties.
    """
    lots = torch.rand(len(values), generator=generator).tolist()
    units = range(len(values))
    if len(set(values)) == len(values):
        return [sorted(units, key=lambda unit: -values[unit])], False
    return [
        sorted(units, key=lambda unit: (-values[unit], lots[unit])),
        sorted(units, key=lambda unit: (-values[unit], -lots[unit])),
    ], True


def shuffled(units: int, count: int, generator: torch.Generator) -> list[list[int]]:
    """Random orders."""
    return [torch.randperm(units, generator=generator).tolist() for _ in range(count)]
