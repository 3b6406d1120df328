"""Intervals and p-values by drawing again, from a generator of the caller's."""

from collections.abc import Sequence

import torch
from torch import Tensor


def ratio_interval(
    above: Tensor, below: Tensor, generator: torch.Generator, *, draws: int = 2000
) -> tuple[float, float]:
    """Bootstrap interval at 95 % of sum(above) / sum(below), over inputs.

    Args:
        above, below: one number an input, float64 "B"; `below` positive.
        generator: of the draws.
        draws: how many.
    Returns: the 2.5 % and the 97.5 % quantile.
    Ref:     Efron & Tibshirani 1993, ch. 13.
    """
    count = len(above)
    index = torch.randint(count, (draws, count), generator=generator)
    ratios = above[index].sum(1) / below[index].sum(1)
    ends = ratios.quantile(torch.tensor([0.025, 0.975], dtype=torch.float64))
    return float(ends[0]), float(ends[1])


def mean_interval(
    values: Tensor, generator: torch.Generator, *, draws: int = 2000
) -> tuple[float, float]:
    """Bootstrap interval at 95 % of the mean of "B" numbers."""
    return ratio_interval(values.double(), torch.ones_like(values.double()), generator, draws=draws)


def chance(
    observed: Tensor,
    random: Sequence[Sequence[float]],
    generator: torch.Generator,
    *,
    draws: int = 4999,
) -> float:
    """How often random orders, one an input, reach the observed mean: a one-sided p-value.

    Args:
        observed: one number an input, float64 "B".
        random: per input, the numbers of random orders; each stands for its negative too.
        generator: of the draws.
        draws: how many sets of one random order an input.
    Returns: (1 + draws that reach it) / (1 + draws), at least 1 / (1 + combinations of orders there
        are): one input of 16 known orders can never be surer than 1 / 17.
    Ref:     Phipson & Smyth 2010, on p-values that are never zero.
    """
    total = torch.zeros(draws, dtype=torch.float64)
    for numbers in random:
        known = torch.tensor(numbers, dtype=torch.float64)
        signed = torch.cat((known, -known))
        total += signed[torch.randint(len(signed), (draws,), generator=generator)]
    reached = int((total >= float(observed.sum()) - 1e-12).sum())
    combinations = 1.0
    for numbers in random:
        combinations = min(combinations * 2 * len(numbers), 1e9)
    return max((1 + reached) / (1 + draws), 1 / (1 + combinations))
