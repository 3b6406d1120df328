"""`Steering.report`: every number against one that is computed here from plain runs."""

import json
import math
from typing import Any

import numpy as np
import pytest
import torch

from tests.steer.test_restore import NAMES, Tabular, reader
from tests.trace.models import noise, seeded
from tests.trace.test_watch import assert_same, nothing_left, snapshot
from zhuyi.core.record import Said
from zhuyi.errors import OptionError
from zhuyi.steer.certify import Certificate, RuleCertificate
from zhuyi.steer.layout import Layout
from zhuyi.steer.report import Leak, SteeringReport
from zhuyi.steer.reporting import Elsewhere
from zhuyi.steer.rules import Rules
from zhuyi.steer.selectors import Column, Tokens
from zhuyi.steer.steering import steer
from zhuyi.trace import ModuleSubject, watch

INPUTS = noise(6, 4, 8, seed=3)
OTHERS = noise(2, 4, 8, seed=4)
FAR = Rules().boost(Column("age"), 100.0, id="age", why="guideline").veto(Column("sex"), id="sex")


def subject() -> ModuleSubject:
    model = seeded(Tabular)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.mul_(3.0)
    return ModuleSubject(model, unit_names=NAMES, labels=("a", "b", "c"))


def reported(rules: Rules, **options: Any) -> tuple[SteeringReport, ModuleSubject]:
    known = subject()
    with steer(known, rules) as steering:
        found = steering.report(INPUTS, **options)
    assert nothing_left(known.model)
    return found, known


def test_effect_obedience_and_collateral_are_those_of_plain_runs() -> None:
    found, known = reported(FAR, others=OTHERS, target=1, draws=0)
    before, others = known.decide(INPUTS).double(), known.decide(OTHERS).double()
    with steer(known, FAR):
        after, moved = known.decide(INPUTS).double(), known.decide(OTHERS).double()
    with steer(known, FAR.without("age")):
        without = known.decide(INPUTS).double()
    change = (after - before)[:, 1]
    np.testing.assert_allclose(found.effect.inputs, change.numpy(), rtol=0, atol=1e-6)
    assert found.effect.mean == pytest.approx(float(change.mean()), abs=1e-6)
    assert found.effect.low is not None
    assert found.effect.high is not None
    assert found.effect.low <= found.effect.mean <= found.effect.high
    assert found.effect.low < found.effect.high
    flips = (after.argmax(1) != before.argmax(1)).double().mean()
    assert found.effect.flipped == pytest.approx(float(flips))
    own = (after - without)[:, 1]
    np.testing.assert_allclose(found["age"].effect.inputs, own.numpy(), rtol=0, atol=1e-6)
    assert found.obedience is not None
    assert found.obedience.before == pytest.approx(float((before.argmax(1) == 1).double().mean()))
    assert found.obedience.after == pytest.approx(float((after.argmax(1) == 1).double().mean()))
    assert found.obedience.probability_after == pytest.approx(float(after[:, 1].mean()), abs=1e-6)
    none, far = found.collateral
    assert (none.where, none.inputs, none.kl_mean) == ("no match", 0, None)
    apart = (others * (others / moved).log()).sum(1)
    assert (far.where, far.inputs, far.matched) == ("others", 2, 2)
    assert far.kl_mean == pytest.approx(float(apart.mean()), abs=1e-6)
    assert far.kl_most == pytest.approx(float(apart.max()), abs=1e-6)


def test_what_matched_the_dose_and_the_clamp() -> None:
    leak = Leak(source="other inputs", auc=0.7, low=0.6, high=0.8, rows=40, said=Said(en="", zh=""))
    part = RuleCertificate(
        rule="sex", asked="exact", level="exact", offered=None, items=(), leaks=(leak,), positions=6
    )
    certificate = Certificate(
        model="M", architecture="m", rows=6, swaps=1, seed=0, rules=(part,), versions={}
    )
    found, _ = reported(FAR, draws=0, certificate=certificate)
    age, sex = found["age"], found["sex"]
    assert (age.inputs, age.offered, age.positions, age.shown) == (6, 6, 6, ("age",))
    assert age.asked == pytest.approx(math.log(100))
    assert age.dose == pytest.approx(3.0)
    assert age.clamped
    assert age.why == "guideline"
    assert (age.guarantee, age.certified) == ("steer", False)
    assert (sex.guarantee, sex.certified, sex.asked, sex.clamped) == ("exact", True, None, False)
    assert (age.leaks, sex.leaks) == ((), (leak,))
    assert found.as_json()["rules"][1]["leaks"][0]["auc"] == 0.7
    with pytest.raises(KeyError):
        found["nobody"]


def test_shares_before_and_after_are_those_on_the_tapes() -> None:
    rules = FAR + Rules().share(Column("bp"), 0.6, id="bp", layers="1", beyond=True)
    found, known = reported(rules, draws=0)

    def attended(column: int, layers: slice) -> float:
        with torch.no_grad(), watch(known.model) as tape:
            known.decide(INPUTS)
        weights = torch.stack([one.matrix.materialize() for one in tape][layers])
        return float(weights[..., column].double().mean())

    every, last = slice(0, 2), slice(1, 2)
    for rule, column, layers in (("age", 0, every), ("sex", 1, every), ("bp", 2, last)):
        assert found[rule].share_before == pytest.approx(attended(column, layers), abs=1e-6)
        with steer(known, rules):
            assert found[rule].share_after == pytest.approx(attended(column, layers), abs=1e-6)
    assert found["sex"].share_after == 0.0
    assert found["bp"].share_after is not None
    assert found["bp"].share_after >= 0.6 - 1e-5
    assert found["bp"].reached == 1.0
    clamped = Rules().share(Column("bp"), 0.999, id="bp")
    assert reported(clamped, draws=0)[0]["bp"].reached == pytest.approx(0.0, abs=0.5)


def test_the_control_is_the_same_rule_on_other_columns() -> None:
    found, known = reported(Rules().veto(Column("age"), id="age"), draws=3, target=0)
    control = found["age"].control
    assert control is not None
    assert (control.draws, control.inputs) == (3, 6)
    before = known.decide(INPUTS)[:, 0].double()
    sizes = {}
    for name in NAMES:
        with steer(known, Rules().veto(Column(name))):
            sizes[name] = float((known.decide(INPUTS)[:, 0].double() - before).abs().mean())
    assert control.own == pytest.approx(sizes["age"], abs=1e-6)
    # Rows of a module subject are alike, so a draw vetoes one of the other columns in all inputs.
    others = [sizes[name] for name in NAMES if name != "age"]
    assert min(others) - 1e-6 <= control.mean <= max(others) + 1e-6
    nowhere, _ = reported(Rules().veto(Column("*"), id="all"), draws=2)
    assert nowhere["all"].control is None  # no column is left to try it at


def test_elsewhere_is_as_many_other_positions() -> None:
    layout = Layout(
        length=8,
        text="abcdef",
        spans=(None, *((n, n + 1) for n in range(6)), None),
        special=frozenset({0}),
        padding=frozenset({7}),
    )
    drawn = set()
    assert Elsewhere((Column("x"),), 0).match(layout).positions == frozenset()
    for seed in range(40):
        found = Elsewhere((Tokens(1, 3),), seed).match(layout)
        assert found == Elsewhere((Tokens(1, 3),), seed).match(layout)
        assert len(found.positions) == 2
        assert found.positions <= {3, 4, 5, 6}
        drawn |= found.positions
    assert drawn == {3, 4, 5, 6}
    assert Elsewhere((Tokens(1, 6),), 0).match(layout).positions == frozenset()


def test_inputs_without_a_match_are_left_alone_and_said_to_be() -> None:
    known = subject()
    values = [{"old": n % 2 == 0} for n in range(6)]
    rules = Rules().boost(Column("age"), 9, when="old", id="age")
    with steer(known, rules, values=values) as steering:
        found = steering.report(INPUTS, draws=1)
    none = found.collateral[0]
    assert (none.inputs, none.kl_mean, none.kl_most, none.flipped) == (3, 0.0, 0.0, 0.0)
    assert found["age"].inputs == 3
    assert found.effect.inputs[1::2] == (0.0, 0.0, 0.0)
    assert max(map(abs, found.effect.inputs[::2])) > 1e-3


def test_a_report_changes_nothing_and_can_be_asked_at_any_time() -> None:
    known = subject()
    before = snapshot(known.model)
    with steer(known, FAR) as steering:
        first = known.decide(INPUTS)
        matched = dict(steering.matched)
        inside = steering.report(INPUTS, draws=2)
        assert torch.equal(known.decide(INPUTS), first)
        with steering.off():
            assert steering.report(INPUTS, draws=2) == inside
    after = steering.report(INPUTS, draws=2)
    assert after == inside
    assert steering.matched["age"].offered == 2 * matched["age"].offered
    assert_same(before, snapshot(known.model))
    assert nothing_left(known.model)
    nested = Rules().damp(Column("bp"), 0.1)
    with steer(known, nested), steer(known, FAR) as inner:
        assert inner.report(INPUTS, draws=0).effect != inside.effect


def test_the_record_is_plain_json() -> None:
    found, _ = reported(FAR, draws=2, target=[0, 1, 2, 0, 1, 2], others=OTHERS)
    told = json.loads(json.dumps(found.as_json(), allow_nan=False))
    assert told["inputs"] == 6
    assert told["labels"] == ["a", "b", "c"]
    assert [rule["id"] for rule in told["rules"]] == ["age", "sex"]
    assert told["rules"][1]["dose"] is None
    assert told["told"] == []


def test_a_rule_that_means_nothing_says_so() -> None:
    found, _ = reported(Rules().boost(Column("zzz"), 2, id="none"), draws=2)
    one = found["none"]
    assert (one.inputs, one.share_before, one.control) == (0, None, None)
    assert found.effect.mean == 0.0
    assert found.told == ("rule 'none' means nothing in what the model read",)


def test_a_bare_module_needs_to_be_told_how_it_decides() -> None:
    model = seeded(Tabular)
    with steer(model, FAR, reader=reader()) as steering:
        with pytest.raises(OptionError, match="needs decide="):
            steering.report(INPUTS)

        def decide(batch: Any) -> torch.Tensor:
            with torch.no_grad():
                return model(batch).softmax(1)

        found = steering.report(INPUTS, decide=decide, draws=0)
        with pytest.raises(OptionError, match="target must be a decision below 3"):
            steering.report(INPUTS, decide=decide, target=3)
        with pytest.raises(OptionError, match="at least one input"):
            steering.report(INPUTS[:0], decide=decide)
    assert found.labels == ()
    assert found.effect.mean != 0.0
