"""Sentences follow the intervals: no number can make them claim what its interval does not."""

import pytest

from zhuyi.core.record import Said
from zhuyi.recipes.finance import wording
from zhuyi.recipes.intervals import Interval


def around(value: float, half: float) -> Interval:
    return Interval(value=value, lower=value - half, upper=value + half, how="")


UNSURE, ABOVE, BELOW = around(0.0, 0.1), around(0.2, 0.1), around(-0.2, 0.1)


def test_where_a_number_stands() -> None:
    assert wording.stands(ABOVE, 0.0) == "above"
    assert wording.stands(BELOW, 0.0) == "below"
    assert wording.stands(UNSURE, 0.0) == "not told apart"
    assert wording.stands(around(0.5, 0.0), 0.5) == "not told apart"
    nothing = Interval(value=9.0, lower=None, upper=None, how="")
    assert wording.stands(nothing, 0.0) == "not told apart"


@pytest.mark.parametrize(
    ("paper", "en", "zh"),
    [
        (around(0.52, 0.03), "not told apart from a coin", "与抛硬币无法区分"),
        (around(0.58, 0.03), "better than a coin", "好于抛硬币"),
        (around(0.42, 0.03), "worse than a coin", "差于抛硬币"),
    ],
)
def test_direction_against_a_coin(paper: Interval, en: str, zh: str) -> None:
    said = wording.direction(paper, UNSURE, around(0.39, 0.02), UNSURE, UNSURE)
    assert en in said.en
    assert zh in said.zh
    others = {"not told apart from a coin", "better than a coin", "worse than a coin"} - {en}
    assert not [other for other in others if other in said.en]
    assert "not told apart from always saying the same" in said.en


@pytest.mark.parametrize(
    ("moving", "up", "en"),
    [
        (ABOVE, UNSURE, "not which way"),
        (UNSURE, UNSURE, "can tell neither"),
        (BELOW, BELOW, "can tell neither"),
        (UNSURE, ABOVE, "tells rises from falls a little"),
    ],
)
def test_what_it_tells(moving: Interval, up: Interval, en: str) -> None:
    assert en in wording.direction(around(0.5, 0.1), ABOVE, around(0.39, 0.02), moving, up).en


@pytest.mark.parametrize(("deflated", "en"), [(0.3, "not told apart from luck"), (0.97, "is more")])
def test_gains_and_luck(deflated: float, en: str) -> None:
    said = wording.trading(around(-0.02, 0.1), -0.011, 0.004, deflated)
    assert en in said.en
    assert "by -1.1 % after costs" in said.en
    assert "by +0.4 %" in said.en
    assert "-2.0 % (-12.0 to +8.0)" in said.en
    assert "not told apart from buying all stocks" in said.en
    assert "better than" in wording.trading(ABOVE, 0.1, 0.0, deflated).en


def test_shares_with_and_without_an_interval() -> None:
    assert wording.percent(around(0.5, 0.03)) == Said(
        en="50.0 % (47.0 to 53.0)", zh="50.0 %（47.0 至 53.0）"
    )
    assert wording.percent(Interval(value=0.5, lower=None, upper=None, how="")).en == "50.0 %"
