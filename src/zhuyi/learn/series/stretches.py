"""How a series is cut: stretches of time counted from its end, each channel by itself.

Factor n = s C + c is channel c in stretch s, the newest stretch first, so that a series that began
later lacks the last factors of this order and no others.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import Final

import numpy as np
from numpy.typing import NDArray

from zhuyi.learn.columns import KNOWN, MISSING

ABSENT: Final = 2  # state of a step before the series began, beside KNOWN and MISSING
MOST_STRETCHES: Final = 8  # that are chosen where a person names no number


@dataclass(frozen=True)
class Stretches:
    """Stretches of a series of at most T steps, of nearly equal length; the oldest are the longest.

    Args:
        steps: T.
        count: S of them, at most T.
    """

    steps: int
    count: int

    @cached_property
    def bounds(self) -> tuple[tuple[int, int], ...]:
        """First and last step of each, counted from the end: (1, 5) is the last five."""
        edges = [stretch * self.steps // self.count for stretch in range(self.count + 1)]
        return tuple((start + 1, stop) for start, stop in pairwise(edges))

    @property
    def longest(self) -> int:
        """L, steps of the longest stretch."""
        return max(stop - start + 1 for start, stop in self.bounds)

    def names(self, channels: tuple[str, ...]) -> tuple[str, ...]:
        """Names of the N = S C factors, in order; "" names the one channel of plain series."""
        return tuple(
            f"{channel}, {_said(start, stop)}" if channel else _said(start, stop)
            for start, stop in self.bounds
            for channel in channels
        )

    def cut(
        self, values: NDArray[np.float64], there: NDArray[np.bool_]
    ) -> Iterator[tuple[NDArray[np.float64], NDArray[np.float64]]]:
        """Per stretch its values and states, both "B C L"; absent steps fill short ones in front.

        Args:
            values: "B T C", NaN where missing.
            there: "B T", False at steps before a series began.
        """
        rows, _, channels = values.shape
        state = np.where(np.isnan(values), float(MISSING), float(KNOWN))
        state[~there] = ABSENT
        for start, stop in self.bounds:
            own = slice(self.steps - stop, self.steps - start + 1)
            numbers = np.zeros((rows, channels, self.longest))
            states = np.full((rows, channels, self.longest), float(ABSENT))
            length = stop - start + 1
            numbers[:, :, -length:] = np.nan_to_num(values[:, own]).transpose(0, 2, 1)
            states[:, :, -length:] = state[:, own].transpose(0, 2, 1)
            yield numbers, states


def chosen_count(steps: int, asked: int | None) -> int:
    """How many stretches: what was asked, or the root of the number of steps, at most 8."""
    if asked is not None:
        return min(asked, steps)
    return max(1, min(MOST_STRETCHES, round(math.sqrt(steps))))


def _said(start: int, stop: int) -> str:
    if start == 1:
        return "last step" if stop == 1 else f"last {stop} steps"
    return f"step {start} from the end" if start == stop else f"steps {start}-{stop} from the end"
