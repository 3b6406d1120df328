"""The search finds orders that are as good as they say; test_eraser.py has the truth."""

from itertools import permutations

import pytest
import torch

from tests.verify.models import Jointly, columns_of
from zhuyi.verify import Removals, limits
from zhuyi.verify.limits import area
from zhuyi.verify.orders import bins, grid, ranked, sets


def removals_of(columns: int, *, seed: int = 0, count: int = 2) -> Removals:
    inputs = torch.rand(count, columns, generator=torch.Generator().manual_seed(seed)).double()
    return Removals(columns_of(Jointly(columns, seed).double(), columns), inputs)


@pytest.mark.parametrize("columns", [1, 2, 4, 6, 8])
def test_exact_limits_are_those_of_all_orders(columns: int) -> None:
    removals = removals_of(columns, seed=columns)
    for row, found in enumerate(limits(removals, [0, 1])):
        areas = {order: area(removals, row, order) for order in permutations(range(columns))}
        assert found.exact
        assert found.best == pytest.approx(max(areas.values()), abs=1e-12)
        assert found.worst == pytest.approx(min(areas.values()), abs=1e-12)
        assert areas[found.best_order] == pytest.approx(found.best, abs=1e-12)
        assert areas[found.worst_order] == pytest.approx(found.worst, abs=1e-12)


@pytest.mark.parametrize("columns", [9, 12, 23])
@pytest.mark.parametrize("width", [1, 4])
def test_searched_orders_reach_the_limits_they_claim(columns: int, width: int) -> None:
    removals = removals_of(columns, seed=columns)
    for row, found in enumerate(limits(removals, [0, 1], steps=8, width=width)):
        assert not found.exact
        assert sorted(found.best_order) == list(range(columns))
        for order, claimed in ((found.best_order, found.best), (found.worst_order, found.worst)):
            assert area(removals, row, order, steps=8) == pytest.approx(claimed, abs=1e-12)
        generator = torch.Generator().manual_seed(1)
        for _ in range(50):
            order = torch.randperm(columns, generator=generator).tolist()
            assert found.worst <= area(removals, row, order, steps=8) <= found.best


def test_a_wider_beam_is_never_worse_here_and_comes_near_the_truth() -> None:
    removals = removals_of(9, seed=3)
    steps = 9
    chances = removals.probabilities([(0, gone) for gone in range(2**9)])
    # The truth by dynamic programming over all sets, written out once more.
    least = [0.0] * 2**9
    for gone in range(1, 2**9):
        before = [gone & ~(1 << unit) for unit in range(9) if gone >> unit & 1]
        least[gone] = chances[gone] + min(least[one] for one in before)
    best = removals.whole[0] - least[-1] / 9
    narrow = limits(removals, [0], steps=steps, width=1)[0].best
    wide = limits(removals, [0], steps=steps, width=8)[0].best
    assert narrow <= wide + 1e-12 <= best + 2e-12
    assert wide == pytest.approx(best, abs=0.01)


def test_orders_and_sizes() -> None:
    assert grid(3, 10) == (1, 2, 3)
    assert grid(40, 10) == tuple(range(4, 41, 4))
    assert grid(11, 10)[-1] == 11
    assert bins(20, (0.01, 0.05, 0.1, 0.2, 0.5)) == (1, 1, 2, 4, 10)
    assert bins(10, (0.1, 0.3)) == (1, 3), "0.1 * 10 is not a hair more than 1"
    assert sets([2, 0, 1], [1, 3]) == [0b100, 0b111]


def test_ties_are_ordered_both_ways_and_only_ties_are() -> None:
    generator = torch.Generator().manual_seed(0)
    orders, tied = ranked([1.0, 5.0, 1.0, 1.0], generator)
    assert tied
    assert orders[0][0] == orders[1][0] == 1
    assert orders[0][1:] == orders[1][1:][::-1]
    assert ranked([1.0, 3.0, 2.0], generator) == ([[1, 2, 0]], False)
