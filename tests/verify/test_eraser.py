"""Deletion and its limits against the published definitions, recomputed by the oracle."""

from collections.abc import Sequence

import pytest
import torch
from torch import nn

from tests.oracle import faithfulness
from zhuyi.core.record import Attribution, Finding
from zhuyi.trace import ModuleSubject
from zhuyi.verify import Case, Deletion, Removals, limits

NAMES = tuple("abcdefghijklmnopqrst")
RESOLUTION = 1e-12  # both sides see the same float64 probabilities; only sums may differ


class Interacting(nn.Module):
    """Two classes from products of neighbors, so that orders differ and units are not additive."""

    def __init__(self, units: int, seed: int) -> None:
        super().__init__()
        generator = torch.Generator().manual_seed(seed)
        self.alone = nn.Parameter(torch.randn(units, generator=generator))
        self.pairs = nn.Parameter(torch.randn(units, units, generator=generator))

    def forward(self, inputs: torch.Tensor) -> torch.Tensor:
        score = inputs @ self.alone + torch.einsum("bi,ij,bj->b", inputs, self.pairs, inputs)
        return score[:, None]


def make_case(units: int, *, seed: int = 0, rows: int = 3) -> Case:
    """Random values for inputs of an interacting model."""
    subject = ModuleSubject(
        Interacting(units, seed), unit_names=NAMES[:units], labels=("no", "yes")
    )
    generator = torch.Generator().manual_seed(seed + 100)
    batch = torch.rand(rows, units, generator=generator)
    removals = Removals(subject, batch)
    attribution = Attribution(
        values=torch.rand(rows, units, generator=generator),
        units=removals.units,
        method="given",
        target=removals.targets,
        signed=False,
    )
    return Case(
        subject=subject, batch=batch, attribution=attribution, method=None, removals=removals
    )


def decision_of(case: Case, row: int) -> faithfulness.Decision:
    def p(removed: frozenset[int]) -> float:
        return case.removals.probabilities([(row, sum(1 << n for n in removed))])[0]

    return p


def areas(
    case: Case, row: int, shares: Sequence[float], order: Sequence[int]
) -> tuple[float, float]:
    p = decision_of(case, row)
    sizes = faithfulness.bin_sizes(len(order), shares)
    return (
        faithfulness.eraser_area(faithfulness.comprehensiveness_curve(p, order, sizes)),
        faithfulness.eraser_area(faithfulness.sufficiency_curve(p, order, sizes)),
    )


def detail(finding: Finding, name: str, row: int) -> float:
    value = finding.details[name][row]
    assert value is not None
    return value


@pytest.mark.parametrize("units", [5, 10, 20])
def test_bins_give_the_areas_of_eraser(units: int) -> None:
    case = make_case(units)
    finding = Deletion(shares=faithfulness.ERASER_SHARES, orders=1)(case)
    for row in range(3):
        order = faithfulness.order_of(case.values(row))
        expected = areas(case, row, faithfulness.ERASER_SHARES, order)
        assert detail(finding, "comprehensiveness", row) == pytest.approx(
            expected[0], abs=RESOLUTION
        )
        assert detail(finding, "sufficiency", row) == pytest.approx(expected[1], abs=RESOLUTION)
        # The broken twin: the reversed order has other areas, so agreement above means something.
        broken = areas(case, row, faithfulness.ERASER_SHARES, order[::-1])
        assert abs(detail(finding, "comprehensiveness", row) - broken[0]) > 1e-3
        assert abs(detail(finding, "sufficiency", row) - broken[1]) > 1e-3


def test_the_printed_formula_counts_an_empty_bin() -> None:
    case = make_case(10)
    p, order = decision_of(case, 0), faithfulness.order_of(case.values(0))
    curve = faithfulness.comprehensiveness_curve(
        p, order, faithfulness.bin_sizes(10, faithfulness.ERASER_SHARES)
    )
    printed = faithfulness.eraser_area(curve, empty_bin=0.0)
    assert printed == pytest.approx(faithfulness.eraser_area(curve) * 5 / 6, abs=RESOLUTION)


@pytest.mark.parametrize("units", [2, 3, 5, 6])
def test_limits_equal_brute_force_over_all_orders(units: int) -> None:
    case = make_case(units, seed=units)
    for row, found in enumerate(limits(case.removals, range(3))):
        lower, upper = faithfulness.limits(decision_of(case, row), units)
        assert found.exact
        assert found.worst == pytest.approx(lower, abs=RESOLUTION)
        assert found.best == pytest.approx(upper, abs=RESOLUTION)
        p = decision_of(case, row)
        assert faithfulness.aopc(p, found.best_order) == pytest.approx(upper, abs=RESOLUTION)
        assert faithfulness.aopc(p, found.worst_order) == pytest.approx(lower, abs=RESOLUTION)


def test_greedy_orders_are_not_the_limits() -> None:
    """The broken twin: the limits of single removals alone fail against brute force."""
    missed = 0
    for seed in range(6):
        case = make_case(6, seed=seed, rows=1)
        p = decision_of(case, 0)
        alone = [p(frozenset({n})) for n in range(6)]
        greedy = faithfulness.aopc(p, sorted(range(6), key=lambda n: alone[n]))
        missed += abs(greedy - faithfulness.limits(p, 6)[1]) > 1e-6
    assert missed > 0


@pytest.mark.parametrize("units", [3, 6])
def test_skill_is_the_normalized_area_less_that_of_the_reversed_order(units: int) -> None:
    case = make_case(units, seed=7)
    finding = Deletion(orders=1)(case)
    for row in range(3):
        p, order = decision_of(case, row), faithfulness.order_of(case.values(row))
        lower, upper = faithfulness.limits(p, units)
        assert detail(finding, "effect", row) == pytest.approx(upper - lower, abs=RESOLUTION)
        assert detail(finding, "comprehensiveness", row) == pytest.approx(
            faithfulness.aopc(p, order), abs=RESOLUTION
        )
        assert detail(finding, "sufficiency", row) == pytest.approx(
            faithfulness.aopc(p, order[::-1]), abs=RESOLUTION
        )
        own, mirrored = (
            faithfulness.normalized_aopc(p, order),
            faithfulness.normalized_aopc(p, order[::-1]),
        )
        assert detail(finding, "skill", row) == pytest.approx(own - mirrored, abs=1e-9)
        assert 0.0 <= own <= 1.0
        # The broken twin: not dividing by the limits is another number.
        assert abs(detail(finding, "skill", row) - (own - mirrored) * (upper - lower)) > 1e-3


def test_order_is_read_from_large_to_small() -> None:
    assert faithfulness.order_of([0.1, 0.9, 0.5]) == [1, 2, 0]
    assert faithfulness.bin_sizes(10, (0.01, 0.1, 0.11, 0.5)) == [1, 1, 2, 5]
