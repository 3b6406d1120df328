"""Wishes of a prior: what training makes of them, and that what was not met is told."""

import json
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch

import zhuyi
from zhuyi.errors import InputError, NotSteerable, OptionError, UnmatchedRule
from zhuyi.learn import (
    AttentionClassifier,
    AttentionRegressor,
    DataWarning,
    Monotone,
    Prior,
    PriorCheck,
    load,
)
from zhuyi.learn.sources import with_cells
from zhuyi.steer import Column, Rules
from zhuyi.steer.penalty import Hinge, Mass, Says

DRAW = np.random.default_rng(1)
ROWS = 150
TABLE = pd.DataFrame(DRAW.normal(size=(ROWS, 4)), columns=list("abcd"))
YES = (TABLE.a + 0.5 * TABLE.b + DRAW.normal(size=ROWS) > 0).to_numpy()
KINDS = TABLE.assign(c=np.where(TABLE.c > 0, "x", "y"))


def fitted(prior: Any, *, epochs: int = 20, layers: int = 0, **options: Any) -> AttentionClassifier:
    model = AttentionClassifier(
        rules=prior, max_epochs=epochs, random_state=0, mixing_layers=layers, width=16, **options
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DataWarning)
        return model.fit(TABLE, YES)


RISES = Prior(monotone=(Monotone(column="a"), Monotone(column="c", falls=True)), strength=5.0)


def worst(model: AttentionClassifier, column: str, sign: float) -> float:
    """The largest step back along a fine grid, by `decision_function` alone."""
    grid = np.linspace(TABLE[column].min(), TABLE[column].max(), 60)
    rows = TABLE[:40]
    odds = np.stack([model.decision_function(rows.assign(**{column: v})) for v in grid]) * sign
    return float((np.maximum.accumulate(odds) - odds).max())


def test_a_direction_is_learned_and_looked_at() -> None:
    model, free = fitted(RISES), fitted(None)
    assert worst(model, "a", 1.0) < 0.02
    assert worst(model, "c", -1.0) < 0.02
    assert max(worst(free, "a", 1.0), worst(free, "c", -1.0)) > 0.1  # the broken twin
    told = {one.column: one for one in model.prior_checks_}
    assert told["a"].largest < 0.02
    assert told["c"].what == "'c' falls"


def test_a_direction_that_data_contradict_is_told_to_be_broken() -> None:
    against = Prior(monotone=(Monotone(column="a", falls=True),), strength=0.001)
    with pytest.warns(DataWarning, match="not met: 'a' falls: not in 100.0% of 150 rows, by"):
        model = AttentionClassifier(rules=against, max_epochs=10, random_state=0).fit(TABLE, YES)
    (check,) = model.prior_checks_
    # what it says is what a person finds who tries
    grid = np.array(model.schema_.columns[0].edges)
    odds = np.stack([model.decision_function(TABLE.assign(a=value)) for value in grid])
    lost = (odds - np.minimum.accumulate(odds)).max(0)
    assert check.broken == 1.0
    assert check.largest == pytest.approx(lost.max(), rel=1e-3)


def test_directions_of_one_of_several_and_of_a_number() -> None:
    three = np.array(["low", "mid", "high"])[np.digitize(TABLE.a, [-0.4, 0.4])]
    prior = Prior(monotone=(Monotone(column="a", label="high"),), strength=5.0)
    model = AttentionClassifier(rules=prior, max_epochs=16, random_state=0, width=16)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DataWarning)
        model.fit(TABLE, three)
        number = AttentionRegressor(
            rules=Prior(monotone=(Monotone(column="a"),), strength=5.0), max_epochs=16, width=16,
            random_state=0,
        ).fit(TABLE, TABLE.a)  # fmt: skip
    assert model.prior_checks_[0].largest < 0.05
    assert model.prior_checks_[0].what == "'a' rises for 'high'"
    assert number.prior_checks_[0].largest < 0.05


def test_what_should_not_matter_matters_less() -> None:
    asked, free = fitted(Prior(unused=("a",), strength=20.0)), fitted(None)
    other = TABLE.assign(a=TABLE.a[::-1].to_numpy())

    def moved(model: AttentionClassifier) -> float:
        return float(np.abs(model.decision_function(TABLE) - model.decision_function(other)).mean())

    assert moved(asked) < 0.05 * moved(free)
    (check,) = asked.prior_checks_
    # the check is the largest change by any of eight typical values
    assert check.asked == "unused"
    codes = asked.subject().read(TABLE)
    draws = torch.from_numpy(asked.schema_.spread(8))
    with torch.no_grad():
        apart = [
            (asked.module_(with_cells(codes, 0, row[0].expand(ROWS, -1))) - asked.module_(codes))
            .abs()
            .max()
            for row in draws
        ]
    assert check.largest == pytest.approx(float(max(apart)))


@pytest.mark.parametrize("layers", [0, 1])
def test_attention_follows_a_wish(layers: int) -> None:
    prior = Prior(wishes=Rules().share(Column("d"), 0.7), strength=5.0)
    share = {}
    for name, one in (("wish", prior), ("free", None)):
        model = fitted(one, epochs=15, layers=layers)
        with zhuyi.watch(model.module_) as tape, torch.no_grad():
            model.module_(model.subject().read(TABLE))
        matrices = [sighting.matrix for sighting in tape if sighting.matrix]
        assert len(matrices) == layers + 1
        share[name] = min(float(one.weights()[..., 3].mean()) for one in matrices)
    assert share["wish"] > 0.55
    assert share["free"] < 0.4


def test_low_attention_is_not_no_use() -> None:
    """A wish of low attention in the last layer leaves the effect; a veto takes it."""

    def effect(prior: Any) -> tuple[float, float]:
        model = fitted(prior, epochs=15, layers=1)
        codes = model.subject().read(TABLE)
        with zhuyi.watch(model.module_) as tape, torch.no_grad():
            before = model.module_(codes)
        after = model.module_(with_cells(codes, 0, codes.flip(0)[:, 0]))
        last = tape[1].matrix
        assert last is not None
        return float(last.weights()[..., 0].mean()), float((before - after).abs().mean())

    free = effect(None)
    hidden = effect(Prior(wishes=Rules().veto(Column("a"), layers="1"), strength=10.0))
    gone = effect(Rules().veto(Column("a")))
    assert hidden[0] < 0.02
    assert hidden[1] > 0.5 * free[1]
    assert gone == (0.0, 0.0)


def test_logic_moves_attention_and_decision() -> None:
    name = Rules().boost(Column("d"), 1, id="d")
    looked = fitted(Prior(wishes=name, logic=(Mass("d"),), strength=5.0), epochs=10)
    weight = looked.explain(TABLE).query("factor == 'd'").weight.mean()
    assert weight > 0.7
    said = fitted(Prior(logic=(Says("True"),), strength=5.0), epochs=8)
    assert (
        said.predict_proba(TABLE)[:, 1].mean()
        > fitted(None, epochs=8).predict_proba(TABLE)[:, 1].mean()
    )


def test_the_same_seed_gives_the_same_bits_and_a_stopped_training_too(tmp_path: Path) -> None:
    prior = Prior(
        rules=Rules().damp(Column("b"), 0.5, when="a > 0"), wishes=Rules().share(Column("d"), 0.4),
        monotone=(Monotone(column="a"),), unused=("c",), strength=0.5,
        logic=(Mass("share-1") >> Says("True"),), supervision=Hinge(),
    )  # fmt: skip

    def odds(epochs: int, **options: Any) -> np.ndarray:
        model = AttentionClassifier(
            rules=prior, max_epochs=epochs, random_state=0, width=8, mixing_layers=1, **options
        )
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DataWarning)
            return np.asarray(model.fit(TABLE[:60], YES[:60]).decision_function(TABLE))

    seen = 0

    def die(progress: Any) -> None:
        nonlocal seen
        seen += 1
        if seen == 6:  # one after a state was kept
            raise KeyboardInterrupt

    state = torch.random.get_rng_state()
    whole = odds(7)
    assert torch.equal(torch.random.get_rng_state(), state)
    np.testing.assert_array_equal(odds(7), whole)
    with pytest.raises(KeyboardInterrupt):
        odds(7, checkpoint=tmp_path, progress=die)
    assert list(tmp_path.iterdir())
    np.testing.assert_array_equal(odds(7, checkpoint=tmp_path), whole)


def test_a_prior_is_saved_and_read_back(tmp_path: Path) -> None:
    prior = Prior(
        rules=Rules().veto(Column("c"), why="policy"), wishes=Rules().share(Column("d"), 0.4),
        monotone=(Monotone(column="a", label="True"),), unused=("b",), strength=2.0,
        logic=(Mass("share-1") & ~Says("True") | Says(0) >> Mass("veto-1"),), supervision=Hinge(),
    )  # fmt: skip
    model = fitted(prior, epochs=2)
    model.save(tmp_path)
    again = load(tmp_path)
    assert again.rules == prior
    assert again.prior_checks_ == model.prior_checks_
    assert [one.asked for one in model.prior_checks_] == ["monotone", "unused", "vetoed"]
    np.testing.assert_array_equal(again.decision_function(TABLE), model.decision_function(TABLE))


@pytest.mark.parametrize(
    ("prior", "told"),
    [
        (Prior(monotone=(Monotone(column="z"),)), "no column 'z'"),
        (Prior(unused=("z",)), "no column 'z'"),
        (Prior(monotone=(Monotone(column="c"),)), "'c' is categorical, which has no direction"),
        (Prior(monotone=(Monotone(column="a", label="z"),)), "no decision 'z'"),
        (Prior(logic=(Mass("z"),)), "rule 'z'; there are: none"),
        (Prior(logic=(Says("z"),)), "decision 'z'; there are: False, True"),
    ],
)
def test_what_is_not_there_is_named(prior: Prior, told: str) -> None:
    with pytest.raises(OptionError, match=told):
        AttentionClassifier(rules=prior, max_epochs=1, random_state=0).fit(KINDS, YES)


def test_of_several_decisions_one_must_be_named() -> None:
    three = np.digitize(TABLE.a, [-0.4, 0.4])
    many = np.stack([TABLE.a > 0, TABLE.b > 0], 1).astype(int)
    for target in (three, many):
        with pytest.raises(OptionError, match="of which decision"):
            AttentionClassifier(rules=RISES, max_epochs=1).fit(TABLE, target)


def test_wishes_that_mean_nothing_are_told() -> None:
    with pytest.warns(UnmatchedRule, match="'share-1' means nothing in the training rows"):
        fitted(Prior(wishes=Rules().share(Column("z"), 0.5)), epochs=1)
    with pytest.raises(NotSteerable, match="'share-1' means nothing"):
        fitted(Prior(wishes=Rules().share(Column("z"), 0.5)), epochs=1, strict=True)
    with pytest.raises(OptionError, match="names layer 4, and the model has 1"):
        fitted(Prior(wishes=Rules().veto(Column("a"), layers="4")), epochs=1)


def test_a_prior_that_cannot_be() -> None:
    with pytest.raises(OptionError, match="strength must be"):
        Prior(strength=-1.0)
    with pytest.raises(OptionError, match="two rules are called 'x'"):
        Prior(rules=Rules().veto("a", id="x"), wishes=Rules().veto("b", id="x"))


GOOD = json.loads(json.dumps(Prior(unused=("a",)).as_json()))


@pytest.mark.parametrize(
    "change",
    [
        {"strength": -1.0}, {"strength": "1"}, {"unused": [1]}, {"monotone": [["a"]]},
        {"monotone": [["a", 1, None]]}, {"logic": ["x"]}, {"supervision": "eval"},
        {"wishes": "version: 2"}, {"rules": None},
    ],
)  # fmt: skip
def test_a_prior_from_elsewhere_is_checked(change: dict[str, Any]) -> None:
    assert Prior.from_json(GOOD) == Prior(unused=("a",))
    with pytest.raises(InputError):
        Prior.from_json({**GOOD, **change})


@pytest.mark.parametrize("data", [None, {}, {"asked": "else"}])
def test_a_check_from_elsewhere_is_checked(data: object) -> None:
    with pytest.raises(InputError, match="check of a prior"):
        PriorCheck.from_json(data)
