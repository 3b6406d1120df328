"""The temperature that makes probabilities say how often they are right.

T = argmin_T mean_b loss(z_b / T, y_b) + (ln T / 0.5)^2 / 2 B
"""

import math
from collections.abc import Callable
from typing import Final

from torch import Tensor

from zhuyi.learn.objectives import Objective

_TEMPERATURES: Final = (0.2, 5.0)
_SPREAD: Final = 0.5  # of the logarithm of temperatures, before anything is seen


def best_temperature(
    logits: Tensor, target: Tensor, weights: Tensor, objective: Objective
) -> float:
    """By which logits are divided to make the validation rows' loss least.

    Args:
        logits: "B C" of the validation rows.
        target: of the same.
        weights: "B" of the rows' losses.
        objective: what is minimized.
    Ref: Guo et al. 2017, arXiv:1706.04599.
    """

    def loss(log_temperature: float) -> float:
        scaled = logits / math.exp(log_temperature)
        found = float((objective.losses(scaled, target).double() * weights.double()).mean())
        # where classes can be told apart without a mistake, no temperature is low enough: a normal
        # prior on its logarithm, worth little beside many rows, says where to stop
        return found + 0.5 * (log_temperature / _SPREAD) ** 2 / len(target)

    return math.exp(golden(loss, *map(math.log, _TEMPERATURES)))


def golden(function: Callable[[float], float], low: float, high: float) -> float:
    """Where a function with one valley is least, by golden-section search."""
    share = (math.sqrt(5.0) - 1.0) / 2.0
    while high - low > 1e-4:
        left, right = high - share * (high - low), low + share * (high - low)
        if function(left) < function(right):
            high = right
        else:
            low = left
    return (low + high) / 2.0
