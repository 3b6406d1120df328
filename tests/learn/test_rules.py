"""Rules that are a part of a table's model: trained under them, decided by, explained, saved."""

import copy
import json
import tempfile
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from sklearn.base import clone

import zhuyi
from zhuyi.errors import InputError, NotSteerable, OptionError, RuleConflict, UnmatchedRule
from zhuyi.explain import Occlusion
from zhuyi.learn import AttentionClassifier, AttentionRegressor, load
from zhuyi.steer import Channel, Column, Regex, Rules, certify, steer

DRAW = np.random.default_rng(0)
ROWS = 160
TABLE = pd.DataFrame(
    {
        "age": DRAW.normal(60, 10, ROWS),
        "sex": DRAW.choice(["F", "M"], ROWS),
        "bp": DRAW.normal(size=ROWS),
        "dose": DRAW.normal(size=ROWS),
    }
)
ILL = (TABLE.age / 10 + (TABLE.sex == "F") * 2 + TABLE.dose > 7).to_numpy()
NO_SEX = Rules().veto(Column("sex"), id="no-sex", why="policy 7")
SWAPPED = TABLE.assign(sex=np.where(TABLE.sex == "F", "M", "F"))


def fitted(rules: Any, layers: int = 0, epochs: int = 4, **options: Any) -> AttentionClassifier:
    model = AttentionClassifier(
        rules=rules, max_epochs=epochs, random_state=0, mixing_layers=layers, **options
    )
    return model.fit(TABLE, ILL)


@pytest.fixture(scope="module", params=[0, 1], ids=["glass box", "mixing"])
def without_sex(request: pytest.FixtureRequest) -> AttentionClassifier:
    return fitted(NO_SEX, request.param)


def test_a_vetoed_column_reaches_nothing(without_sex: AttentionClassifier) -> None:
    model = without_sex
    np.testing.assert_array_equal(model.predict_proba(TABLE), model.predict_proba(SWAPPED))
    free = fitted(None, model.mixing_layers)
    moved = np.abs(free.predict_proba(TABLE) - free.predict_proba(SWAPPED))
    assert moved.max() > 0.02  # the broken twin
    subject = model.subject()
    codes = subject.read(TABLE[:20])
    tokens = model.module_.factors(codes).detach().requires_grad_()
    model.module_(codes, tokens).sum().backward()
    assert tokens.grad is not None
    assert bool((tokens.grad[:, 1] == 0).all())
    assert bool((tokens.grad[:, [0, 2, 3]] != 0).any())
    assert float(Occlusion()(subject, codes[:2]).values[:, 1].abs().max()) == 0.0
    (check,) = model.prior_checks_
    assert check.told == "'sex' does not matter: held in 160 rows"


def test_nothing_is_learned_from_a_vetoed_column() -> None:
    """The bits of the decision are the same whatever stood there while training."""
    answers = {}
    for rules in (Rules().veto(Column("dose")), None):
        for name, dose in (("own", TABLE.dose), ("other", TABLE.dose[::-1].to_numpy() * 7 + 1)):
            model = AttentionClassifier(rules=rules, max_epochs=4, random_state=0, mixing_layers=1)
            answers[rules, name] = model.fit(TABLE.assign(dose=dose), ILL).predict_proba(TABLE)
    rules = Rules().veto(Column("dose"))
    np.testing.assert_array_equal(answers[rules, "own"], answers[rules, "other"])
    assert np.abs(answers[None, "own"] - answers[None, "other"]).max() > 1e-3  # the broken twin


def test_a_boost_is_the_formula_in_what_was_trained() -> None:
    model = fitted(Rules().boost(Column("bp"), 5, when="age >= 60 and sex == 'F'"))
    told = model.explain(TABLE)
    weights = told.pivot_table(index="row", columns="factor", values="weight")
    meant = ((TABLE.age >= 60) & (TABLE.sex == "F")).to_numpy()
    ruling, model.module_.ruling = model.module_.ruling, None
    plain = model.explain(TABLE).pivot_table(index="row", columns="factor", values="weight")
    model.module_.ruling = ruling
    plain.loc[meant, "bp"] *= 5
    expected = plain.div(plain.sum(axis=1), axis=0)
    np.testing.assert_allclose(weights.to_numpy(), expected.to_numpy(), rtol=0, atol=1e-6)
    logits = told.groupby("row").contribution.sum() + model.constants_["True"]
    np.testing.assert_allclose(logits, model.decision_function(TABLE), rtol=0, atol=1e-9)
    # the explanation says which rule meant what, row by row
    marked = told[told.rules != ""]
    assert set(marked.rules) == {"boost-1 (boost)"}
    assert set(marked.factor) == {"bp"}
    assert marked.row.tolist() == np.flatnonzero(meant).tolist()


def test_a_share_is_had_in_every_layer_and_row() -> None:
    model = fitted(Rules().share(Column("bp"), 0.6, beyond=True), layers=1)
    codes = model.subject().read(TABLE)
    with zhuyi.watch(model.module_) as tape, torch.no_grad():
        model.module_(codes)
    assert len(tape) == 2
    shares = [sighting.matrix.weights()[..., 2] for sighting in tape if sighting.matrix]
    assert min(float(one.min()) for one in shares) >= 0.6 - 1e-6
    plain = fitted(None, layers=1)
    with zhuyi.watch(plain.module_) as tape, torch.no_grad():
        plain.module_(codes)
    assert min(float(one.matrix.weights()[..., 2].min()) for one in tape if one.matrix) < 0.4


def test_rules_by_row_and_of_rows_decide_alone_as_together() -> None:
    rules = Rules().veto(Column("bp"), when="sex == 'F'").boost(Column("age"), 2, layers="0")
    model = fitted(rules, layers=1)
    together = model.predict_proba(TABLE[:12])
    alone = np.concatenate([model.predict_proba(TABLE[n : n + 1]) for n in range(12)])
    np.testing.assert_allclose(alone, together, rtol=0, atol=1e-12)
    other = model.predict_proba(TABLE[:12].assign(bp=9.0))
    women = (TABLE.sex[:12] == "F").to_numpy()
    np.testing.assert_array_equal(other[women], together[women])
    assert (np.abs(other[~women] - together[~women]).max(1) > 1e-6).all()
    subject = model.subject()
    keep = torch.ones(12, 4, dtype=torch.bool)
    keep[:, 2] = False
    gone = subject.decide(subject.read(TABLE[:12]), keep).numpy()
    np.testing.assert_allclose(gone[women], together[women], rtol=0, atol=1e-6)
    assert set(model.explain(TABLE[:2], verify=True).columns) >= {"verdict", "rules"}


def test_a_row_of_which_nothing_is_left_is_decided_by_the_constant() -> None:
    model = fitted(Rules().veto(Column("*"), when="sex == 'F'"))
    odds, women = model.decision_function(TABLE), (TABLE.sex == "F").to_numpy()
    assert np.isfinite(odds).all()
    np.testing.assert_array_equal(odds[women], odds[women][0])
    assert len(np.unique(odds[~women])) > 20
    told = model.explain(TABLE[women][:1])
    assert told.contribution.sum() == 0.0


def test_more_rules_can_be_laid_over_a_model_that_has_some(without_sex: Any) -> None:
    plain = without_sex.predict_proba(TABLE)
    with steer(without_sex, Rules().boost(Column("sex"), 9).veto(Column("bp"))):
        moved = without_sex.predict_proba(TABLE)
        np.testing.assert_array_equal(moved, without_sex.predict_proba(SWAPPED))
        np.testing.assert_array_equal(moved, without_sex.predict_proba(TABLE.assign(bp=3.0)))
    assert np.abs(moved - plain).max() > 1e-6
    np.testing.assert_array_equal(without_sex.predict_proba(TABLE), plain)


def test_what_was_trained_under_a_veto_is_certified(without_sex: Any) -> None:
    found = certify(without_sex, NO_SEX, TABLE[:3], swaps=3)
    assert found["no-sex"].level == "exact"


def test_a_saved_model_has_its_rules(without_sex: Any, tmp_path: Path) -> None:
    without_sex.save(tmp_path)
    again = load(tmp_path)
    assert again.rules == NO_SEX
    assert again.rules["no-sex"].why == "policy 7"
    np.testing.assert_array_equal(again.predict_proba(TABLE), without_sex.predict_proba(TABLE))
    np.testing.assert_array_equal(again.predict_proba(SWAPPED), without_sex.predict_proba(TABLE))
    assert again.explain(TABLE[:3]).equals(without_sex.explain(TABLE[:3]))
    assert again.prior_checks_ == without_sex.prior_checks_
    assert "no-sex" in (tmp_path / "model.json").read_text()


@pytest.mark.parametrize(
    ("rules", "told"),
    [
        ("version: 1\nrules: [{veto: {regex: a}}]", "not trusted: use text instead"),
        ("version: 1\nrules: [{veto: {column: sex}, expires: 2030-01-01}]", "rules that cannot be"),
        ("version: 1\nrules: [{veto: {column: '*'}}]", "nothing is left"),
        ("version: 1\nrules: [{veto: {column: sex}, layers: 7, guarantee: direct}]", "layer 7"),
        ("nonsense: [", "YAML|line"),
        (7, "prior of other entries"),
    ],
)
def test_rules_in_a_file_from_elsewhere_are_refused(
    without_sex: Any, tmp_path: Path, rules: object, told: str
) -> None:
    without_sex.save(tmp_path)
    facts = json.loads((tmp_path / "model.json").read_text())
    facts["more"]["prior"]["rules"] = rules
    (tmp_path / "model.json").write_text(json.dumps(facts))
    with pytest.raises(InputError, match=told):
        load(tmp_path)


@pytest.mark.parametrize("more", [7, {}, {"prior": {}, "checks": []}, {"checks": [{}]}])
def test_facts_that_are_none_are_refused(without_sex: Any, tmp_path: Path, more: object) -> None:
    without_sex.save(tmp_path)
    facts = json.loads((tmp_path / "model.json").read_text())
    (tmp_path / "model.json").write_text(json.dumps({**facts, "more": more}))
    with pytest.raises(InputError, match=r"model\.json has"):
        load(tmp_path)


def test_parameters_set_after_the_fit_take_no_rule_away(tmp_path: Path) -> None:
    model = fitted(NO_SEX, epochs=2)
    model.set_params(rules=None, mixing_layers=3).save(tmp_path)
    again = load(tmp_path)
    assert again.rules == NO_SEX
    np.testing.assert_array_equal(again.predict_proba(SWAPPED), model.predict_proba(TABLE))
    # nor does a file that hides what it is from a version that knows no rules
    facts = json.loads((tmp_path / "model.json").read_text())
    assert facts["version"] == 2
    (tmp_path / "model.json").write_text(json.dumps({**facts, "version": 1}))
    with pytest.raises(InputError, match="has version 1"):
        load(tmp_path)


def test_a_regressor_with_rules(tmp_path: Path) -> None:
    table = TABLE[["age", "bp", "dose"]]
    model = AttentionRegressor(rules=Rules().veto(Column("dose")), max_epochs=3, random_state=0)
    model.fit(table, table.age + table.dose)
    np.testing.assert_array_equal(model.predict(table), model.predict(table.assign(dose=9.0)))
    model.save(tmp_path)
    np.testing.assert_array_equal(load(tmp_path).predict(table), model.predict(table))


def test_without_rules_nothing_is_new(tmp_path: Path) -> None:
    model = fitted(None, epochs=2)
    np.testing.assert_array_equal(
        model.predict_proba(TABLE), fitted(Rules(), epochs=2).predict_proba(TABLE)
    )
    assert "rules" not in model.explain(TABLE[:1])
    model.save(tmp_path)
    assert "more" not in json.loads((tmp_path / "model.json").read_text())


def test_copies_keep_the_rules(without_sex: Any) -> None:
    assert clone(without_sex).rules == NO_SEX
    twin = copy.deepcopy(without_sex)
    np.testing.assert_array_equal(twin.predict_proba(SWAPPED), without_sex.predict_proba(TABLE))


def test_a_training_goes_on_under_its_own_rules_alone(tmp_path: Path) -> None:
    one = fitted(NO_SEX, epochs=3, checkpoint=tmp_path).predict_proba(TABLE)
    np.testing.assert_array_equal(fitted(NO_SEX, epochs=3).predict_proba(TABLE), one)
    again = fitted(NO_SEX, epochs=3, checkpoint=tmp_path)
    np.testing.assert_array_equal(again.predict_proba(TABLE), one)
    with pytest.raises(OptionError, match="checkpoint of other data or settings"):
        fitted(Rules().veto(Column("bp")), epochs=3, checkpoint=tmp_path)


@pytest.mark.parametrize(
    ("rules", "told"),
    [
        ("no rules", "rules must be Rules, a Prior or None, got str"),
        (Rules().boost(Column("age"), 2, expires="2030-01-01"), "expires.*part of it"),
        (Rules().veto(Column("*")), "veto every column"),
        (Rules().boost(Column("age"), 2, layers="1"), "names layer 1, and the model has 1"),
        (
            NO_SEX.boost(Column("age"), 2, when="bp > 0 and sex == 'F'"),
            "'boost-2' holds by what 'sex' is",
        ),
    ],
)
def test_rules_that_cannot_be_part_of_a_model(rules: Any, told: str) -> None:
    with pytest.raises(OptionError, match=told):
        fitted(rules)


def test_a_text_in_a_condition_is_no_column() -> None:
    fitted(NO_SEX.boost(Column("age"), 2, when="bp == 'sex' or age > 0"), epochs=1)


def test_what_means_nothing_is_told() -> None:
    with pytest.warns(UnmatchedRule, match="'veto-1' means nothing in the training rows"):
        fitted(Rules().veto(Column("sexx")), epochs=1)
    with pytest.raises(NotSteerable, match="'boost-1' means nothing.*age, sex, bp, dose"):
        fitted(Rules().boost(Channel("vib"), 2), epochs=1, strict=True)
    with pytest.warns(UnmatchedRule, match="'veto-1' and 'boost-2' meet on the same keys"):
        fitted(Rules().veto(Column("sex")).boost(Column("sex"), 2), epochs=1)
    with pytest.raises(RuleConflict, match="asks for a share of what rule"):
        fitted(Rules().veto(Column("sex")).share(Column("sex"), 0.5), epochs=1)


def test_a_rule_that_yaml_has_no_words_for_is_not_saved_silently(tmp_path: Path) -> None:
    with pytest.warns(UnmatchedRule):
        model = fitted(Rules().boost(Regex("a"), 2), epochs=1)
    model.save(tmp_path)  # a pattern is written, and refused from whoever it comes
    with pytest.raises(InputError):
        load(tmp_path)


NAMES = ("age", "bp", "dose")
ACTIONS = st.lists(
    st.tuples(
        st.sampled_from(["boost", "damp", "veto", "share"]),
        st.sampled_from(NAMES),
        st.sampled_from(["", "bp > 0", "age < 60"]),
    ),
    min_size=1,
    max_size=4,
    unique_by=lambda one: one[1],  # so that none contradicts another
)


@settings(max_examples=8, deadline=None)
@given(actions=ACTIONS, layers=st.sampled_from([0, 1]))
def test_any_rules_keep_what_a_glass_box_promises(
    actions: list[tuple[str, str, str]], layers: int
) -> None:
    rules, gone = Rules(), []
    for action, name, when in actions:
        if action == "boost":
            rules = rules.boost(Column(name), 3, when=when)
        elif action == "damp":
            rules = rules.damp(Column(name), 0.2, when=when)
        elif action == "share":
            rules = rules.share(Column(name), 0.2, when=when)
        elif not any(name in other[2] for other in actions):
            rules, gone = rules.veto(Column(name)), [*gone, name]
    assume(rules.rules and len(gone) < 3)
    table = TABLE.loc[:59, list(NAMES)]
    model = AttentionClassifier(
        rules=rules, max_epochs=1, random_state=0, mixing_layers=layers, width=8
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UnmatchedRule)
        model.fit(table, ILL[:60])
    told = model.explain(table)
    logits = told.groupby("row").contribution.sum() + model.constants_["True"]
    np.testing.assert_allclose(logits, model.decision_function(table), rtol=0, atol=1e-9)
    other = table.assign(**{name: table[name].to_numpy()[::-1] for name in gone})
    np.testing.assert_array_equal(model.decision_function(other), model.decision_function(table))
    assert (told[told.factor.isin(gone)].weight == 0).all()
    with tempfile.TemporaryDirectory() as folder:
        model.save(folder)
        again = load(folder)
    np.testing.assert_array_equal(again.decision_function(table), model.decision_function(table))
