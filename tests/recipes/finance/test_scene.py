"""The whole scene: on a made-up market, and on the real one."""

from pathlib import Path

import numpy as np
import pytest

from tests.recipes.finance import markets
from zhuyi.errors import DataUnavailable, OptionError
from zhuyi.recipes.finance import (
    RECIPE,
    backtest,
    direction,
    mood_and_price,
    standings,
    study,
    timing,
    wording,
)
from zhuyi.recipes.finance.market import Market, market
from zhuyi.recipes.finance.rivals import GLASS, MAJORITY, MIXED
from zhuyi.recipes.finance.timing import late
from zhuyi.recipes.finance.trading import Traded
from zhuyi.recipes.finance.trials import TRIED_BEFORE, Trials, trials
from zhuyi.recipes.records import ROLES, Options, RecipeReport

KEPT: dict[object, object] = {}  # one study for all tests on the made-up market


def made_up(options: Options, *, same_day: bool = False) -> Market:
    frame = markets.prices(tickers=markets.TICKERS[:3])
    return market(frame, markets.tweets(frame), same_day=same_day)


@pytest.fixture
def on_made_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(study, "load", made_up)
    monkeypatch.setattr(mood_and_price, "load", made_up)
    monkeypatch.setattr(timing, "load", made_up)
    monkeypatch.setattr(study, "_KEPT", KEPT)
    monkeypatch.setattr(direction, "AUDITED", {True: 20})


def check_whole(report: RecipeReport) -> None:
    first, second = report.parts
    assert (first.name, second.name) == ("direction", "backtest")
    for part in report.parts:
        assert part.limits
        for comparison in part.comparisons:
            roles = [ROLES.index(score.role) for score in comparison.scores]
            assert roles == sorted(roles), "in the order of roles"
            for score in comparison.scores:
                value = score.value
                if score.role == "published":
                    assert "as reported" in score.source
                elif value.lower is not None and value.upper is not None:
                    assert value.lower <= value.upper
    weights = [float(row[1]) for row in first.tables[2].rows]
    assert len(weights) == 8
    assert sum(weights) == pytest.approx(1.0, abs=0.005)
    assert {check.held for check in first.checks[:2]} == {True}, first.checks
    assert first.audit is not None
    assert {one.label for one in first.decisions} <= {"buy", "hold", "sell"}
    for one in first.decisions:
        assert len(one.factors) == 8
        assert sum(factor.weight for factor in one.factors) == pytest.approx(1.0)


def test_the_scene_on_a_made_up_market(on_made_up: None) -> None:
    steps: set[str] = set()
    options = Options(quick=True, listener=lambda part, step, done, total: steps.add(part))
    report = RECIPE.run(options)
    check_whole(report)
    assert steps == {"direction", "backtest"}
    assert report.quick
    first, second = report.parts
    # Random walks: nothing may be claimed of their direction.
    assert "a coin" in first.answer.en
    assert "not told apart from luck" in second.answer.en
    table = second.tables[1]
    assert f"{5 + TRIED_BEFORE} trials" in table.note.en
    assert MAJORITY not in [row[0] for row in table.rows]


def test_the_literatures_timing_is_a_walk_of_its_own(on_made_up: None) -> None:
    options = Options(quick=True)
    found = late(options, study.study(options, "direction"))
    assert [row[:2] for row in found.rows[:2]] == [
        ("logistic regression", "first close after its day"),
        ("logistic regression", "its own day's close"),
    ]
    assert found.rows[0][2:] != found.rows[1][2:], "other tweets, other decisions"


def test_mood_goes_with_the_day_it_is_of(on_made_up: None) -> None:
    """The made-up tweets say how their day went; the walk does not know of them."""
    honest, early = (made_up(Options(), same_day=early) for early in (False, True))
    same = mood_and_price.apart(early, early.inputs["return 1"].to_numpy(), 500, 0)
    # Half of a normal distribution of 1 % has the mean 0.8 %, on either side of 0.
    assert same.value == pytest.approx(2 * 0.798 * 0.01, rel=0.05)
    assert wording.stands(same, 0.0) == "above"
    after = mood_and_price.apart(honest, honest.ahead, 500, 0)
    assert wording.stands(after, 0.0) == "not told apart"


def test_one_study_serves_both_parts(on_made_up: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(study, "_KEPT", {})
    made: list[str] = []
    sentinel = object()
    monkeypatch.setattr(study, "_made", lambda options, part: made.append(part) or sentinel)
    for part in ("direction", "backtest"):
        assert study.study(Options(quick=True), part) is sentinel
    assert made == ["direction"]
    study.study(Options(quick=True, seed=1), "backtest")
    assert made == ["direction", "backtest"], "another seed is another study"


def test_trials_leave_the_majority_out_and_remember_what_was_tried() -> None:
    generator = np.random.default_rng(0)

    def one(name: str) -> Traded:
        returns = generator.normal(0.0, 0.01, 250)
        return Traded(
            name=name, days=np.arange(250).astype("datetime64[D]"), returns=returns,
            total=0.0, drawdown=0.0, sharpe=0.0, turnover=0.0, fees=0.0, owned=1.0,
        )  # fmt: skip

    held = one("held")
    found = trials({name: one(name) for name in (MAJORITY, GLASS, MIXED)}, held)
    assert set(found.found) == {GLASS, MIXED}
    assert found.count == 2 + TRIED_BEFORE
    alone = Trials(found=found.found, before=0)
    assert found.deflated(found.best) < alone.deflated(found.best)


def test_without_data_nothing_runs(bare: Path) -> None:
    with pytest.raises(DataUnavailable, match="no part of finance can run"):
        RECIPE.run(Options(quick=True, download=False))
    with pytest.raises(OptionError, match="direction, backtest"):
        RECIPE.run(Options(parts=("futures",)))


def test_every_model_has_its_role() -> None:
    names = {one.name for one in study.rivals(quick=True, seed=0)}
    assert names == set(standings.ROLE_OF)
    assert backtest.NAME in RECIPE.parts


@pytest.mark.long
def test_the_scene_on_the_real_market(real_data: Path) -> None:
    report = RECIPE.run(Options(quick=True))
    check_whole(report)
    assert all(check.held for part in report.parts for check in part.checks)
    rows = report.parts[0].checks[2]
    assert rows.measured.startswith("3,720 movements, 1,908 up")
