"""What the tables of docs/steering-truth.md claim, on seeds that are not in them."""

import math

import pytest

from zhuyi.testing.steering import (
    conflicting,
    decoy_patches,
    hidden_use,
    horn,
    sensor_channel,
    shortcut_column,
)
from zhuyi.testing.steering.record import Line

pytestmark = pytest.mark.long

SEED = 40


def at(lines: tuple[Line, ...], method: str, dose: float | None = None) -> dict[str, float]:
    """The numbers of a method; at the dose that was found, where it has doses and none is given."""
    fitting = [line for line in lines if line.method == method and dose in (None, line.dose)]
    chosen = [line for line in fitting if line.chosen]
    return dict((chosen or fitting)[0].numbers)


def test_a_weight_found_by_its_dose_curve_is_obeyed_and_does_no_harm() -> None:
    lines = conflicting.measure(41, inputs=150)  # seed 40 does not learn the task, and is refused
    assert at(lines, "no rule")["obedience"] == pytest.approx(0.5, abs=0.08)
    found = at(lines, "boost")
    assert found["obedience"] >= 0.95
    assert found["collateral"] <= 0.02
    # The broken twins: the same weight on random words, and one that is far too strong.
    assert at(lines, "boost of random words")["obedience"] < 0.65
    assert at(lines, "boost", 20.0)["collateral"] > 0.02
    assert at(lines, "other source deleted")["collateral"] > 0.2
    # Two published methods are rules of ours under another name.
    for dose in (2.0, 4.0):
        same = at(lines, "boost", dose)
        assert at(lines, "InstABoost", dose) == pytest.approx(same, abs=1e-5)
        assert at(lines, "PASTA, all heads", 1 / dose) == pytest.approx(same, abs=0.003)


def test_after_a_veto_accuracy_falls_to_the_deleted_level() -> None:
    lines = hidden_use.measure(SEED, kind="flip", hide=math.inf, steps=1400)
    plain, veto = at(lines, "no rule"), at(lines, "veto")
    assert plain["attention"] == 0.0
    assert plain["accuracy"] > 0.9
    assert veto["accuracy"] == pytest.approx(
        at(lines, "word replaced by another")["accuracy"], abs=0.02
    )
    assert veto["others"] > plain["others"] - 0.05
    # What only looks like a veto leaves the word in use.
    assert at(lines, "veto, outputs only")["accuracy"] > 0.9


def test_a_vetoed_shortcut_costs_where_it_held_and_helps_where_it_does_not() -> None:
    lines = shortcut_column.measure(SEED)
    plain, veto = at(lines, "no rule"), at(lines, "veto")
    assert (veto["leak"], veto["flipped"]) == (0.0, 0.0)
    assert veto["accuracy"] > plain["accuracy"]
    assert plain["flipped"] > 0.2
    assert veto["before"] < plain["before"]


def test_vetoed_corners_are_not_followed() -> None:
    lines = decoy_patches.measure(SEED, right=1.0)
    plain, veto = at(lines, "no rule"), at(lines, "veto")
    assert veto["leak"] == 0.0
    assert plain["followed"] > 0.3
    assert veto["followed"] == pytest.approx(0.1, abs=0.05)


def test_a_vetoed_rule_is_the_step_without_it_and_a_strong_boost_forgets() -> None:
    lines = horn.measure(SEED)
    assert at(lines, "no rule")["exact"] > 0.98
    assert at(lines, "veto")["without"] > 0.98
    doses = (2.0, 12.1825, 100.0)
    others = [at(lines, "damp or boost", dose)["others"] for dose in doses]
    assert others == sorted(others, reverse=True)
    assert others[-1] < 0.6
    assert at(lines, "damp or boost", 100.0)["own"] > 0.98


def test_what_normalization_carries_past_a_veto_is_not_certified() -> None:
    clean = sensor_channel.measure(SEED)
    assert at(clean, "no rule")["accuracy"] > 0.9
    assert at(clean, "veto of the sensor")["auc"] == pytest.approx(0.5, abs=0.06)
    assert at(clean, "veto of the sensor")["exact"] == 1.0
    leaking = sensor_channel.measure(SEED, norm="over the input")
    assert at(leaking, "veto of the sensor")["auc"] > 0.8
    assert at(leaking, "veto of the sensor")["exact"] == 0.0
