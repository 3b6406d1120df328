"""Expectations: kept with the rules, held or not by what is measured."""

import math

import pytest

from zhuyi.errors import OptionError
from zhuyi.steer.expect import Expect, Measures, Outcome, check, within
from zhuyi.steer.rules import Rules

RULES = Rules(
    expect=(
        Expect(rule="no-sex", invariant_to="swap"),
        Expect(rule="dx", effect=">=0.05", collateral_kl="<=0.02"),
    )
).boost("dx", 2, id="dx")
RULES = RULES.veto("sex", id="no-sex")


def test_all_hold() -> None:
    measures = Measures(
        invariant=lambda rule: rule.id == "no-sex",
        effect=lambda rule: 0.08,
        collateral_kl=lambda rule: 0.02,
    )
    assert check(RULES, measures) == (
        Outcome(rule="no-sex", expected="invariant to swap", found="bit-equal", held=True),
        Outcome(rule="dx", expected="effect >=0.05", found="0.08", held=True),
        Outcome(rule="dx", expected="collateral KL <=0.02", found="0.02", held=True),
    )


def test_broken_rules_are_found() -> None:
    measures = Measures(
        invariant=lambda rule: False, effect=lambda rule: -0.3, collateral_kl=lambda rule: math.nan
    )
    assert [one.held for one in check(RULES, measures)] == [False, False, False]


def test_what_is_not_measured_does_not_hold() -> None:
    outcomes = check(RULES, Measures())
    assert [(one.found, one.held) for one in outcomes] == [("not measured", False)] * 3


def test_nothing_expected() -> None:
    assert check(Rules().veto("a"), Measures()) == ()


def test_nobody_is_expected_of() -> None:
    with pytest.raises(OptionError, match="there is no rule 'x'"):
        check(Rules(expect=(Expect(rule="x", effect=">1"),)), Measures())


BOUNDS = {
    ">=0.05": (0.05, 0.049),
    ">.5": (0.6, 0.5),
    "<= -1e-3": (-0.001, 0.0),
    "<2": (1.9, 2.0),
}


@pytest.mark.parametrize("bound", BOUNDS)
def test_bounds(bound: str) -> None:
    inside, outside = BOUNDS[bound]
    assert within(inside, bound)
    assert not within(outside, bound)
    assert not within(math.nan, bound)


@pytest.mark.parametrize("bound", ["5", "=5", ">= x", "5>", ">=", ">=1;2"])
def test_no_bound(bound: str) -> None:
    with pytest.raises(OptionError, match="must be written as"):
        Expect(rule="a", effect=bound)


def test_nothing_is_no_expectation() -> None:
    with pytest.raises(OptionError, match="is missing"):
        Expect(rule="a")
    with pytest.raises(OptionError, match="must be 'swap'"):
        Expect(rule="a", invariant_to="twin")  # type: ignore[arg-type]
