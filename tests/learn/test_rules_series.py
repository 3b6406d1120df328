"""Rules that are a part of a series' model: trained under them, decided by, explained, saved."""

import copy
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from sklearn.base import clone

import zhuyi
from zhuyi.errors import InputError, NotSteerable, OptionError, UnmatchedRule
from zhuyi.learn import (
    Monotone,
    Prior,
    SeriesAttentionClassifier,
    SeriesAttentionRegressor,
    load,
)
from zhuyi.steer import Channel, Column, Rules, certify, steer
from zhuyi.steer.penalty import Mass

from .series.signals import last_of_one_channel, shortened

X, Y = last_of_one_channel(160)
NO_SECOND = Rules().veto(Channel("channel 2"), id="no-2", why="broken sensor")
NO_END = Rules().veto(Channel(start=-4), id="no-end")
OTHER = X.copy()
OTHER[:, :, 1] = X[::-1, :, 1] * 5 - 1
LATE = X.copy()
LATE[:, -4:] = X[::-1, -4:] * 5 - 1


def fitted(rules: Any, layers: int = 0, epochs: int = 4, **options: Any) -> Any:
    model = SeriesAttentionClassifier(
        rules=rules, max_epochs=epochs, random_state=0, mixing_layers=layers, stretches=3, width=16,
        **options,
    )  # fmt: skip
    return model.fit(X, Y)


@pytest.fixture(scope="module", params=[0, 1], ids=["glass box", "mixing"])
def without_second(request: pytest.FixtureRequest) -> Any:
    return fitted(NO_SECOND, request.param)


def test_a_vetoed_channel_reaches_nothing(without_second: Any) -> None:
    model = without_second
    np.testing.assert_array_equal(model.predict_proba(X), model.predict_proba(OTHER))
    missing = X.copy()
    missing[:, :, 1] = np.nan
    np.testing.assert_array_equal(model.predict_proba(X), model.predict_proba(missing))
    free = fitted(None, model.mixing_layers)
    assert np.abs(free.predict_proba(X) - free.predict_proba(OTHER)).max() > 0.02  # broken twin
    codes = model.subject().read(X[:20])
    tokens = model.module_.factors(codes).detach().requires_grad_()
    model.module_(codes, tokens).sum().backward()
    assert tokens.grad is not None
    assert bool((tokens.grad[:, 1::3] == 0).all())
    assert bool((tokens.grad[:, 0::3] != 0).any())
    told = model.explain(X[:5])
    assert (told[told.rules == "no-2 (veto)"].weight == 0).all()
    assert set(told[told.rules == "no-2 (veto)"].factor) == set(model.factors_[1::3])
    assert set(told.rules) == {"", "no-2 (veto)"}
    assert len(model.prior_checks_) == 3
    assert all(not check.broken and check.asked == "vetoed" for check in model.prior_checks_)


@pytest.mark.parametrize("layers", [0, 1])
def test_a_vetoed_window_of_time_reaches_nothing(layers: int) -> None:
    model, free = fitted(NO_END, layers), fitted(None, layers)
    np.testing.assert_array_equal(model.predict_proba(X), model.predict_proba(LATE))
    assert np.abs(free.predict_proba(X) - free.predict_proba(LATE)).max() > 0.02
    told = model.explain(X[:2])
    assert set(told[told.rules != ""].factor) == set(model.factors_[:3])
    # one channel of that window alone
    some = fitted(Rules().veto(Channel("channel 2", start=-4)), layers)
    other = X.copy()
    other[:, -4:, 1] += 3
    np.testing.assert_array_equal(some.predict_proba(X), some.predict_proba(other))
    assert np.abs(some.predict_proba(X) - some.predict_proba(LATE)).max() > 1e-4


def test_nothing_is_learned_from_a_vetoed_channel() -> None:
    answers = {}
    for rules in (NO_SECOND, None):
        for name, series in (("own", X), ("other", OTHER)):
            model = SeriesAttentionClassifier(
                rules=rules, max_epochs=3, random_state=0, mixing_layers=1, stretches=2, width=16
            )
            answers[rules, name] = model.fit(series, Y).predict_proba(X)
    np.testing.assert_array_equal(answers[NO_SECOND, "own"], answers[NO_SECOND, "other"])
    assert np.abs(answers[None, "own"] - answers[None, "other"]).max() > 1e-3  # the broken twin


RULES = {
    "veto": NO_SECOND,
    "window": NO_END,
    "boost": Rules().boost(Channel("channel 1"), 4).damp(Channel("channel 3", stop=8), 0.2),
    "share": Rules().share(Channel("channel 3"), 0.7, beyond=True),
    "layer": Rules().veto(Channel("channel 3"), layers="0", guarantee="direct"),
    "column": Rules().boost(Column("channel 1, last 4 steps"), 6),
}


@pytest.mark.parametrize("name", RULES)
@pytest.mark.parametrize("layers", [0, 1])
def test_it_is_what_steering_the_same_parameters_gives(name: str, layers: int) -> None:
    model = fitted(RULES[name], layers, epochs=2)
    ragged = shortened(X[:40])
    within, of_ragged = model.decision_function(X), model.decision_function(ragged)
    weights = model.explain(X[:5]).weight
    ruling, model.module_.ruling = model.module_.ruling, None
    plain = model.decision_function(X)
    with steer(model, RULES[name]):
        np.testing.assert_allclose(model.decision_function(X), within, rtol=0, atol=1e-6)
        np.testing.assert_allclose(model.decision_function(ragged), of_ragged, rtol=0, atol=1e-6)
        np.testing.assert_allclose(model.explain(X[:5]).weight, weights, rtol=0, atol=1e-6)
    model.module_.ruling = ruling
    assert np.abs(plain - within).max() > 1e-4  # the broken twin


def test_contributions_add_up_and_a_series_left_with_nothing_has_the_constant() -> None:
    model = fitted(Rules().veto(Channel(start=-4)).boost(Channel("channel 1", stop=8), 2))
    ragged = [*shortened(X[:20]), X[0, -3:]]  # the last of them has no more than is vetoed
    told = model.explain(ragged)
    total = told.groupby("row").contribution.sum() + model.constants_["1"]
    np.testing.assert_allclose(total, model.decision_function(ragged), rtol=0, atol=1e-9)
    assert total.iloc[-1] == model.constants_["1"]
    assert set(model.explain(X[:2], verify=True).columns) >= {"verdict", "rules"}
    with steer(model, Rules().veto(Channel("channel 1"))):
        other = X.copy()
        other[:, :, 0] = 7.0
        other[:, -4:] = 9.0
        np.testing.assert_array_equal(model.predict_proba(X), model.predict_proba(other))


def test_it_is_certified_and_saved(without_second: Any, tmp_path: Path) -> None:
    model = without_second
    assert certify(model, NO_SECOND, list(X[:3]), swaps=3)["no-2"].level == "exact"
    model.save(tmp_path)
    again = load(tmp_path)
    assert again.rules == NO_SECOND
    assert again.rules["no-2"].why == "broken sensor"
    np.testing.assert_array_equal(again.predict_proba(OTHER), model.predict_proba(X))
    assert again.explain(X[:3]).equals(model.explain(X[:3]))
    assert again.prior_checks_ == model.prior_checks_
    assert clone(model).rules == NO_SECOND
    twin = copy.deepcopy(model)
    np.testing.assert_array_equal(twin.predict_proba(OTHER), model.predict_proba(X))


@pytest.mark.parametrize(
    ("rules", "told"),
    [
        ("version: 1\nrules: [{veto: {regex: a}}]", "not trusted: use text instead"),
        ("version: 1\nrules: [{veto: {channel: '*'}}]", "every stretch"),
        ("version: 1\nrules: [{veto: {channel: a}, when: 'x > 1'}]", "rules that cannot be"),
        (7, "prior of other entries"),
    ],
)
def test_rules_in_a_file_from_elsewhere_are_refused(
    without_second: Any, tmp_path: Path, rules: object, told: str
) -> None:
    without_second.save(tmp_path)
    facts = json.loads((tmp_path / "model.json").read_text())
    facts["more"]["prior"]["rules"] = rules
    (tmp_path / "model.json").write_text(json.dumps(facts))
    with pytest.raises(InputError, match=told):
        load(tmp_path)


def test_a_regressor_with_rules_and_its_interval(tmp_path: Path) -> None:
    model = SeriesAttentionRegressor(
        rules=NO_SECOND, max_epochs=3, random_state=0, stretches=2, width=16
    )
    model.fit(X, X[:, -1, 0] + X[:, -1, 1])
    np.testing.assert_array_equal(model.predict(X), model.predict(OTHER))
    np.testing.assert_array_equal(model.predict_interval(X), model.predict_interval(OTHER))
    model.save(tmp_path)
    np.testing.assert_array_equal(load(tmp_path).predict(OTHER), model.predict(X))


@pytest.mark.parametrize("layers", [0, 1])
def test_attention_follows_a_wish(layers: int, tmp_path: Path) -> None:
    prior = Prior(wishes=Rules().share(Channel("channel 3"), 0.7), strength=20.0)
    share = {}
    for name, one in (("wish", prior), ("free", None)):
        model = fitted(one, layers, epochs=12)
        with zhuyi.watch(model.module_) as tape, torch.no_grad():
            model.module_(model.subject().read(X))
        matrices = [sighting.matrix for sighting in tape if sighting.matrix]
        assert len(matrices) == layers + 1
        share[name] = min(float(m.weights()[..., 2::3].sum(-1).mean()) for m in matrices)
        if one is not None:
            model.save(tmp_path)
            assert load(tmp_path).rules == prior
            assert "rules" not in model.explain(X[:1])  # a wish is no rule
    assert share["wish"] > 0.55
    assert share["free"] < 0.45


def test_logic_moves_attention() -> None:
    name = Rules().boost(Channel("channel 1"), 1, id="one")
    model = fitted(Prior(wishes=name, logic=(Mass("one"),), strength=5.0), epochs=10)
    told = model.explain(X)
    assert told[told.factor.str.startswith("channel 1")].groupby("row").weight.sum().mean() > 0.7


@pytest.mark.parametrize(
    ("rules", "told"),
    [
        ("no rules", "rules must be Rules, a Prior or None, got str"),
        (Rules().boost(Channel("channel 1"), 2, expires="2030-01-01"), "expires.*part of it"),
        (Rules().veto(Channel("*")), "veto every stretch"),
        (Rules().boost(Channel("channel 1"), 2, layers="1"), "layer 1, and the model has 1"),
        (Rules().veto(Channel("channel 1"), when="age > 3"), "'veto-1' holds when.*no values"),
        (Prior(wishes=Rules().veto(Channel("*"), when="a > 3")), "'veto-1' holds when"),
        (Prior(monotone=(Monotone(column="channel 1"),)), "monotone.*columns of a table.*series"),
        (Prior(unused=("channel 1",)), "unused.*columns of a table"),
    ],
)
def test_what_does_not_apply_is_refused(rules: Any, told: str) -> None:
    with pytest.raises(OptionError, match=told):
        fitted(rules)


def test_what_means_nothing_is_told() -> None:
    with pytest.warns(UnmatchedRule, match="'veto-1' means nothing in the training rows"):
        fitted(Rules().veto(Channel("chanel 1")), epochs=1)
    with pytest.raises(NotSteerable, match="'channel 1', 'channel 2', 'channel 3' over 12 steps"):
        fitted(Rules().veto(Channel("chanel 1")), epochs=1, strict=True)


def test_without_rules_nothing_is_new(tmp_path: Path) -> None:
    model = fitted(None, epochs=1)
    np.testing.assert_array_equal(
        model.predict_proba(X), fitted(Rules(), epochs=1).predict_proba(X)
    )
    assert "rules" not in model.explain(X[:1])
    model.save(tmp_path)
    assert "more" not in json.loads((tmp_path / "model.json").read_text())
