"""Remaining life: windows and answers, decisions by cost, and the part as a whole."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from zhuyi.recipes import cmapss
from zhuyi.recipes.costs import Costs
from zhuyi.recipes.manufacturing import life_costs, life_models, remaining_life
from zhuyi.recipes.records import Options


def made_up(engines: int = 12, *, seed: int = 0) -> cmapss.Engines:
    """Engines whose sensors drift towards the failure, the test ones cut off before it."""
    draw = np.random.default_rng(seed)
    train, test, remaining = [], [], []
    for place in range(2 * engines):
        life = int(draw.integers(130, 220))
        left = int(draw.integers(3, 100)) if place >= engines else 0
        frame = pd.DataFrame({"unit": place % engines + 1, "cycle": np.arange(1, life - left + 1)})
        for name in (*cmapss.SETTINGS, *cmapss.SENSORS):
            drift = np.exp((frame["cycle"] - life) / 30.0)
            frame[name] = 5.0 * drift + draw.normal(0.0, 0.3, len(frame))
        if place < engines:
            train.append(frame)
        else:
            test.append(frame)
            remaining.append(float(left))
    return cmapss.Engines(
        train=pd.concat(train, ignore_index=True),
        test=pd.concat(test, ignore_index=True),
        remaining=np.array(remaining),
    )


def test_windows_carry_the_cycles_left_at_their_own_end() -> None:
    engines = made_up(3)
    data = life_models.cut(engines, stride=7)
    lives = dict(enumerate(data.lives, start=1))
    expected = [
        min(lives[unit] - cycle, cmapss.CAP)
        for unit, cycle in zip(data.train.units, data.train.cycles, strict=True)
    ]
    np.testing.assert_array_equal(data.left, expected)
    assert data.train.values.shape[1:] == (30, 14)
    assert (data.capped <= 125.0).all()


def test_a_policy_is_charged_by_the_truth() -> None:
    truth = np.array([5.0, 60.0])
    told = life_models.Told(
        model="sure",
        role="ours",
        said=truth,
        errors=(np.zeros(3), np.zeros(3)),
        seconds=0.0,
    )
    costs = Costs(stop=1.0, wasted=0.1, repair=4.0, failure=50.0, horizon=20.0)
    found = life_costs.by_model(told, truth, costs)
    assert found.actions == ("replace", "run on")
    np.testing.assert_allclose(found.each, [1.5, 0.0])  # a stop and five cycles; nothing
    blind = life_costs._charged("", ["run on", "run on"], truth, costs)
    np.testing.assert_allclose(blind.each, [50.0, 0.0])
    assert life_costs.saved(found, blind, draws=50).value == pytest.approx(48.5 / 2)


def test_the_schedule_of_hindsight_is_never_dearer() -> None:
    data = life_models.cut(made_up(), stride=7)
    by_name = {one.name: one.outcome.total for one in life_costs.fixed(data, Costs())}
    schedule = next(cost for name, cost in by_name.items() if name.endswith("cycles on"))
    assert by_name["knowing the future"] <= by_name["best age in hindsight"] <= schedule
    assert by_name["best age in hindsight"] <= by_name["run on, always"]


def test_errors_come_from_engines_that_were_not_learned_from() -> None:
    data = life_models.cut(made_up(), stride=7)
    told = life_models.ours("box", life_models.glass_box(Options(quick=True)), data)
    assert told.fitted is not None
    held = np.unique(data.train.units[told.fitted.validation_rows_])
    rows = np.flatnonzero(np.isin(data.train.units, held))
    np.testing.assert_array_equal(rows, told.fitted.validation_rows_)
    missed = data.left.to_numpy()[rows] - told.fitted.predict(data.train.values[rows])
    np.testing.assert_allclose(told.fitted.errors_.errors, missed, atol=1e-9)
    assert all(set(errors) <= set(told.fitted.missed_by_) for errors in told.errors)


def test_the_part_holds_together(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(remaining_life, "fetch", lambda name, download: Path(name))
    monkeypatch.setattr(cmapss, "load", lambda *_: made_up(10))
    monkeypatch.setattr(remaining_life, "audited", lambda *_, **__: None)
    heard: list[str] = []
    part = remaining_life.run(
        Options(quick=True, listener=lambda name, step, done, total: heard.append(step))
    )
    assert heard[0] == "windows"
    assert heard[-1] == "audit"
    assert all(check.held for check in part.checks if "sum to" in check.name.en)
    assert len(part.decisions) == 3
    for one in part.decisions:
        total = one.constant + sum(factor.contribution for factor in one.factors)
        assert f"{total:.4g} cycles" in one.said
        assert len(one.factors) == 14
        assert one.label in ("run on", "repair", "replace")
    roles = [score.role for score in part.comparisons[0].scores]
    assert roles == ["trivial", "simple", "simple", "ours", "ours", "ours"] + ["published"] * 3
    policies = part.tables[0]
    assert [row[0] for row in policies.rows][:1] == ["glass box"]
    assert len(policies.rows) == 6 + 5
    assert all(said.en and said.zh for said in (part.title, part.answer, part.data, *part.limits))


@pytest.mark.long
def test_fd001_reaches_its_bars(real_data: Path) -> None:
    part = remaining_life.run(Options(quick=True))
    held = {check.name.en: check for check in part.checks}
    assert part.audit is not None
    for name, check in held.items():
        if "intervals" not in name:  # of one short training; see the full run
            assert check.held, check
