"""Repair, replace or run on: every number computed by hand."""

import numpy as np
import pytest

from zhuyi.errors import InputError, OptionError, ShapeError
from zhuyi.recipes.costs import (
    Costs,
    best_age,
    by_age,
    cost_of,
    cost_rate,
    decide,
    outcome,
    with_errors,
)

PRICES = Costs(stop=2.0, wasted=0.5, repair=6.0, restored=10.0, failure=100.0, horizon=20.0)


def test_costs_of_known_lives() -> None:
    lives = [5.0, 10.0, 10.5, 20.0, 21.0, 80.0]
    assert cost_of("run on", lives, PRICES).tolist() == [100, 100, 100, 100, 0, 0]
    assert cost_of("repair", lives, PRICES).tolist() == [106, 106, 6, 6, 6, 6]
    assert cost_of("replace", lives, PRICES).tolist() == [4.5, 7.0, 7.25, 12.0, 12.5, 42.0]
    with pytest.raises(OptionError, match="run on, repair, replace, got 'pray'"):
        cost_of("pray", lives, PRICES)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("samples", "action", "expected", "risk"),
    [
        ([80.0, 90.0], "run on", (0.0, 6.0, 44.5), 0.0),
        ([15.0, 60.0], "repair", (50.0, 6.0, 20.75), 0.5),
        ([2.0, 4.0], "replace", (100.0, 106.0, 3.5), 1.0),
        ([-3.0], "replace", (100.0, 106.0, 2.0), 1.0),
    ],
)
def test_the_cheapest_is_chosen(
    samples: list[float], action: str, expected: tuple[float, ...], risk: float
) -> None:
    choice = decide(samples, PRICES)
    assert choice.action == action
    found = (choice.expected["run on"], choice.expected["repair"], choice.expected["replace"])
    assert found == pytest.approx(expected)
    assert choice.risk == risk


def test_at_equal_cost_the_engine_is_left_alone() -> None:
    free = Costs(stop=0.0, wasted=0.0, repair=0.0, restored=0.0, failure=0.0)
    assert decide([1.0], free).action == "run on"


def test_an_uncertain_prediction_is_more_careful_than_its_mean() -> None:
    sure, unsure = with_errors([30.0, 30.0], [0.0]), with_errors([30.0], [-25.0, 0.0, 25.0])
    assert decide(sure[0], PRICES).action == "run on"
    assert unsure.tolist() == [[5.0, 30.0, 55.0]]
    # run on 33.3, repair 6 + 33.3, replace 2 + 0.5 * 30 = 17
    assert decide(unsure[0], PRICES).action == "replace"
    assert with_errors([3.0], [-5.0]).tolist() == [[0.0]]


def test_an_outcome_by_hand() -> None:
    found = outcome("mine", ["run on", "run on", "repair", "repair", "replace"],
                    [5.0, 50.0, 9.0, 15.0, 8.0], PRICES)  # fmt: skip
    assert found.total == 100.0 + 0.0 + 106.0 + 6.0 + 6.0
    assert (found.failures, found.wasted) == (2, 8.0)
    assert found.actions == {"run on": 2, "repair": 2, "replace": 1}
    with pytest.raises(ShapeError, match=r"remaining must be \[1\]"):
        outcome("mine", ["run on"], [1.0, 2.0], PRICES)


def test_fixed_schedules_by_hand() -> None:
    assert by_age([10, 20, 30], 20) == ("run on", "replace", "replace")
    # Replaced at 90 of 100: 2 + 5 over 90; at 100 it has failed: 100 over 100.
    assert cost_rate([100.0], [90.0], PRICES) == pytest.approx(7.0 / 90.0)
    assert cost_rate([100.0], [100.0], PRICES) == pytest.approx(1.0)
    assert cost_rate([50.0, 100.0], [60.0, 60.0], PRICES) == pytest.approx((100 + 22) / (50 + 60))


def test_the_best_age_is_the_cheapest_of_all() -> None:
    lives = np.array([55.0, 90.0, 130.0, 145.0])
    ages = np.arange(20.0, 200.0, 20.0)
    rates = [cost_rate(lives, np.full(4, age), PRICES) for age in ages]
    assert best_age(lives, PRICES) == ages[int(np.argmin(rates))] == 80.0
    # Where a failure costs nothing, no engine is ever replaced in time.
    assert best_age(lives, Costs(failure=0.0)) >= lives.max()


@pytest.mark.parametrize("name", ["stop", "wasted", "repair", "restored", "failure"])
@pytest.mark.parametrize("value", [-1.0, float("nan"), float("inf")])
def test_prices_that_are_none_are_refused(name: str, value: float) -> None:
    with pytest.raises(OptionError, match=f"{name} must be a number >= 0"):
        Costs(**{name: value})


def test_what_cannot_be_decided_is_refused() -> None:
    with pytest.raises(OptionError, match="horizon"):
        Costs(horizon=0.5)
    for samples in ([], [float("nan")]):
        with pytest.raises(InputError, match="samples must be numbers"):
            decide(samples, PRICES)
    with pytest.raises(InputError, match="lives must be positive"):
        best_age([0.0], PRICES)
