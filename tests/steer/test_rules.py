"""Rules as calls, and what becomes of them in a model: clamp, expiry, conflicts, no match."""

import math
import warnings
from datetime import date
from pathlib import Path

import pytest
import torch

from zhuyi.core.record import Unit
from zhuyi.errors import NotSteerable, OptionError, RuleConflict, UnmatchedRule
from zhuyi.steer.expect import Expect
from zhuyi.steer.layers import LayerRange
from zhuyi.steer.reading import UnitReader
from zhuyi.steer.relations import Relation
from zhuyi.steer.rule import Rule
from zhuyi.steer.rules import Rules
from zhuyi.steer.selectors import Column, Text
from zhuyi.steer.steering import Steering, steer
from zhuyi.trace import watch

NAMES = ("age", "sex", "dose", "ward")


def test_calls_make_rules_in_order() -> None:
    rules = Rules().boost("a", 2).damp(["b", Column("c")], 0.5, id="less", why="x").veto("d")
    assert [rule.id for rule in rules] == ["boost-1", "less", "veto-3"]
    assert rules["less"].select == (Text("b"), Column("c"))
    assert len(Rules()) == 0
    assert rules.without("less") + Rules().share("e", 0.2) == Rules(
        (
            *rules.without("less"),
            Rule(id="share-1", action="share", select=(Text("e"),), at_least=0.2),
        )
    )


def test_what_is_expected_of_a_rule_goes_with_it() -> None:
    rules = Rules(expect=(Expect(rule="x", effect=">0"), Expect(rule="y", effect=">0")))
    rules = rules.boost("a", 2, id="x").boost("a", 2, id="y").without("x")
    assert rules.expect == (Expect(rule="y", effect=">0"),)
    assert Rules.from_yaml(rules.to_yaml()) == rules


def test_weights_are_odds() -> None:
    rules = Rules().boost("a", 2).damp("a", 0.5).veto("a").share("a", 0.1).boost("a", 1)
    assert [rule.bias for rule in rules] == [math.log(2), math.log(0.5), -math.inf, 0, 0]


def test_a_bias_is_clamped_unless_asked() -> None:
    rules = Rules().boost("a", 100).damp("a", 0.001).boost("a", 100, beyond=True)
    assert [rule.bias for rule in rules] == [3.0, -3.0, math.log(100)]


def test_a_veto_says_what_it_can_claim() -> None:
    rules = Rules().veto("a").veto("a", layers="0-1").veto("a", heads=(0,)).veto("a", sender="b")
    assert [rule.guarantee for rule in rules] == ["exact", "direct", "direct", "direct"]
    with pytest.raises(OptionError, match="must hold in all layers"):
        Rules().veto("a", guarantee="exact", layers="0-1")
    with pytest.raises(OptionError, match="must hold in all layers"):
        Rules().veto("a", guarantee="input", sender="b")


WRONG = {
    "a weak boost": (lambda: Rules().boost("a", 0.5), "a weight of 1 or more"),
    "a strong damp": (lambda: Rules().damp("a", 2), "a weight of 1 or less"),
    "a damp to nothing": (lambda: Rules().damp("a", 0), "above 0"),
    "no number": (lambda: Rules().boost("a", math.nan), "finite number"),
    "a share of all": (lambda: Rules().share("a", 1), r"in \(0, 1\)"),
    "a share with a weight": (lambda: Rules().share("a", 0.5, weight=2), "no weight"),
    "a soft veto": (lambda: Rules().veto("a", weight=0.1), "a veto has no weight but 0"),
    "about nothing": (lambda: Rules().boost([], 2), "something it is about"),
    "about a number": (lambda: Rules().boost(3, 2), "got int"),  # type: ignore[arg-type]
    "twice an id": (lambda: Rules().boost("a", 2, id="x").veto("a", id="x"), "two rules"),
    "a head below 0": (lambda: Rules().boost("a", 2, heads=(-1,)), "numbered from 0"),
    "no layers": (lambda: Rules().boost("a", 2, layers="last"), "layers must be"),
    "nobody": (lambda: Rules().veto("a").without("b"), "no rule 'b'; there are: veto-1"),
}


@pytest.mark.parametrize("name", WRONG)
def test_refused(name: str) -> None:
    make, told = WRONG[name]
    with pytest.raises(OptionError, match=told):
        make()


def test_yaml_and_python_are_doors(tmp_path: Path) -> None:
    rules = Rules(expect=(Expect(rule="x", effect=">0"),)).boost("a", 2, id="x")
    path = tmp_path / "rules.yaml"
    path.write_text(rules.to_yaml(), encoding="utf-8")
    assert Rules.from_yaml(path) == Rules.from_yaml(rules.to_yaml()) == rules
    assert ".boost('a', 2, id='x')" in rules.to_python()


LAYERS = {
    ("2", 2): True,
    ("2", 3): False,
    ("0,3-5", 4): True,
    ("0,3-5", 1): False,
    ("0.3-0.5", 4): True,
    ("0.3-0.5", 3): False,
    ("0.0-1.0", 11): True,
}


@pytest.mark.parametrize("case", LAYERS)
def test_layers(case: tuple[str, int]) -> None:
    written, layer = case
    assert LayerRange(written).holds(layer, 12) == LAYERS[case]


@pytest.mark.parametrize(
    "written", ["", "a", "3-1", "-1", "1.5-0.3", "0.3-1.5", "1,,2", "nan", "inf-inf"]
)
def test_no_layers(written: str) -> None:
    with pytest.raises(OptionError, match="layers must be"):
        LayerRange(written)


# --- in a model -------------------------------------------------------------------------------


@pytest.fixture
def layer() -> torch.nn.Module:
    made = torch.nn.TransformerEncoderLayer(8, 2, batch_first=True).eval()
    generator = torch.Generator().manual_seed(0)
    with torch.no_grad():
        for parameter in made.parameters():
            parameter.copy_(torch.randn(parameter.shape, generator=generator) * 0.5)
    return made


INPUTS = torch.randn(2, 4, 8, generator=torch.Generator().manual_seed(1))


def weights(layer: torch.nn.Module, rules: Rules, **options: object) -> torch.Tensor:
    """Attention weights [B, H, Q, K] under rules."""
    units = [Unit(label=name, positions=(place,)) for place, name in enumerate(NAMES)]
    steering: Steering = steer(layer, rules, reader=UnitReader(units), **options)  # type: ignore[arg-type]
    with torch.no_grad(), steering, watch(layer) as tape:
        layer(INPUTS)
    return tape[0].matrix.weights()


def reweighted(plain: torch.Tensor, factors: list[float]) -> torch.Tensor:
    """Odds multiplied by factors of each key, by the definition."""
    changed = plain.double() * torch.tensor(factors, dtype=torch.float64)
    return (changed / changed.sum(-1, keepdim=True)).float()


ODDS = {
    "boost": (Rules().boost(Column("sex"), 2), [1, 2, 1, 1]),
    "damp": (Rules().damp(Column("dose"), 0.25), [1, 1, 0.25, 1]),
    "veto": (Rules().veto(Column("sex")), [1, 0, 1, 1]),
    "rules multiply": (Rules().boost(Column("*e"), 2).boost(Column("age"), 3), [6, 1, 2, 1]),
    "the clamp": (Rules().boost(Column("sex"), 1e5), [1, math.exp(3), 1, 1]),
    "beyond": (Rules().boost(Column("sex"), 1e5, beyond=True), [1, 1e5, 1, 1]),
    "the clamp is of each rule": (
        Rules().boost(Column("sex"), 30).boost(Column("sex"), 30),
        [1, math.exp(6), 1, 1],
    ),
    "a union counts once": (Rules().boost([Column("sex"), Column("s*")], 2), [1, 2, 1, 1]),
}


@pytest.mark.parametrize("name", ODDS)
@pytest.mark.filterwarnings("ignore::zhuyi.errors.UnmatchedRule")
def test_a_weight_multiplies_odds(layer: torch.nn.Module, name: str) -> None:
    rules, factors = ODDS[name]
    plain = weights(layer, Rules())
    torch.testing.assert_close(weights(layer, rules), reweighted(plain, factors))


def test_a_link_joins_pairs(layer: torch.nn.Module) -> None:
    # A table has no text: the relation means nothing there, and says so.
    rules = Rules().link(Relation(graph={"age": ["dose"]}), 2)
    with pytest.warns(UnmatchedRule, match="'link-1' means nothing"):
        linked = weights(layer, rules)
    torch.testing.assert_close(linked, weights(layer, Rules()))


def test_an_expired_rule_does_nothing_and_says_so(layer: torch.nn.Module) -> None:
    rules = Rules().veto(Column("sex"), id="old", expires="2027-01-01")
    plain = weights(layer, Rules())
    held = weights(layer, rules, today=date(2027, 1, 1))
    assert float(held[..., 1].max()) == 0
    with pytest.warns(UnmatchedRule, match="rule 'old' expired on 2027-01-01"):
        after = weights(layer, rules, today=date(2027, 1, 2))
    torch.testing.assert_close(after, plain)


def test_a_rule_that_means_nothing(layer: torch.nn.Module) -> None:
    rules = Rules().boost(Column("income"), 2, id="rich")
    with pytest.warns(UnmatchedRule, match="rule 'rich' means nothing"):
        weights(layer, rules)
    with pytest.raises(NotSteerable, match="rule 'rich' means nothing"):
        weights(layer, rules, strict=True)


CONFLICTS = {
    "a share of a veto": (
        Rules().share(Column("sex"), 0.3, id="more").veto(Column("s*"), id="never"),
        "rule 'more' asks for a share of what rule 'never' vetoes",
    ),
    "more than all": (
        Rules().share(Column("sex"), 0.6, id="a").share(Column("age"), 0.5, id="b"),
        "rules 'a' and 'b' together ask for 1.1",
    ),
}


@pytest.mark.parametrize("name", CONFLICTS)
def test_contradictions_name_both(layer: torch.nn.Module, name: str) -> None:
    rules, told = CONFLICTS[name]
    with pytest.raises(RuleConflict, match=told):
        weights(layer, rules)


def test_a_share_of_part_of_a_veto_is_no_contradiction(layer: torch.nn.Module) -> None:
    rules = Rules().share(Column("*e"), 0.5, beyond=True).veto(Column("age"))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UnmatchedRule)
        got = weights(layer, rules)
    assert float(got[..., 0].max()) == 0
    assert float(got[..., 2].min()) >= 0.5 - 1e-4


TOLD = {
    "up and down": (
        Rules().boost(Column("sex"), 2, id="a").damp(Column("sex"), 0.5, id="b"),
        "rules 'a' and 'b' raise and lower the same keys",
    ),
    "a veto holds": (
        Rules().boost(Column("sex"), 2, id="a").veto(Column("sex"), id="b"),
        "rules 'a' and 'b' meet on the same keys: the veto holds",
    ),
}


@pytest.mark.parametrize("name", TOLD)
def test_rules_that_work_against_each_other_are_told(layer: torch.nn.Module, name: str) -> None:
    rules, told = TOLD[name]
    with pytest.warns(UnmatchedRule, match=told):
        weights(layer, rules)
