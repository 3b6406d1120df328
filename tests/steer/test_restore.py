"""Leaving a block restores the model bit for bit: 1,000 random rule sets, some with an error."""

import copy
import threading
from collections.abc import Callable
from typing import Any

import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from torch import nn

from tests.trace.models import TimmAttention, noise, seeded
from tests.trace.test_watch import assert_same, nothing_left, snapshot
from zhuyi.core.record import Unit
from zhuyi.errors import NotSteerable, OptionError, RuleConflict
from zhuyi.steer.layers import LayerRange
from zhuyi.steer.reading import UnitReader
from zhuyi.steer.rule import Rule
from zhuyi.steer.rules import Rules
from zhuyi.steer.selectors import Column
from zhuyi.steer.steering import steer

NAMES = ("age", "sex", "bp", "ward")
UNITS = [Unit(label=name, positions=(place,)) for place, name in enumerate(NAMES)]


class Tabular(nn.Module):
    """Two layers over four columns; raises at a chosen place when asked to."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.second = TimmAttention(8, 2), TimmAttention(8, 2)
        self.head = nn.Linear(8, 3)
        self.failing = ""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        self.fail("before")
        x = x + self.first(x)
        self.fail("between")
        x = x + self.second(x)
        self.fail("after")
        return self.head(x.mean(1))

    def fail(self, place: str) -> None:
        if self.failing == place:
            raise KeyError(place)


def reader() -> UnitReader:
    return UnitReader(UNITS, layers=2)


def columns() -> st.SearchStrategy[tuple[Column, ...]]:
    return st.lists(st.sampled_from(NAMES), min_size=1, max_size=2, unique=True).map(
        lambda names: tuple(Column(name) for name in names)
    )


@st.composite
def rule_sets(draw: Callable[[Any], Any]) -> Rules:
    """Rules of every kind but links, complete or for some layers, heads and rows."""
    rules = []
    for number in range(draw(st.integers(1, 4))):
        action = draw(st.sampled_from(["boost", "damp", "veto", "share"]))
        strength: dict[str, Any] = {
            "boost": lambda: {"weight": draw(st.floats(1.0, 1e3))},
            "damp": lambda: {"weight": draw(st.floats(1e-3, 1.0))},
            "veto": dict,
            "share": lambda: {"at_least": draw(st.floats(0.05, 0.9))},
        }[action]()
        place: dict[str, Any] = {}
        if action == "veto" and draw(st.booleans()):
            place = {"guarantee": draw(st.sampled_from(["exact", "input"]))}
        else:
            depths = st.sampled_from(["0", "1", "0-1", "0.5-1.0"]).map(LayerRange)
            place["sender"] = draw(st.just(()) | columns())
            place["layers"] = draw(st.none() | depths)
            place["heads"] = draw(st.sampled_from([(), (0,), (1,), (0, 1)]))
        rules.append(
            Rule(
                id=f"r{number}",
                action=action,
                select=draw(columns()),
                **place,
                when=draw(st.sampled_from(["", "age > 3", "missing == 1"])),
                beyond=draw(st.booleans()),
                **strength,
            )
        )
    return Rules(tuple(rules))


MODEL = seeded(Tabular)
INPUT = noise(2, 4, 8)
with torch.no_grad():
    PLAIN = MODEL(INPUT)


def leaves_nothing(rules: Rules, failing: str, twice: bool) -> None:
    """One rule set, entered, run and left, with an exception at a place or without."""
    values = [{"age": 2.0}, {"age": 5.0}]
    wrong = failing == "reader"  # values of one row, where the model reads two
    given_reader = UnitReader(UNITS, layers=2, values=values[:1] if wrong else values)
    MODEL.failing = failing
    before = snapshot(MODEL)
    with torch.no_grad():
        try:
            with steer(MODEL, rules, reader=given_reader):
                assert bool(MODEL(INPUT).isfinite().all())
                if twice:
                    with steer(MODEL, rules, reader=reader()):
                        MODEL(INPUT)
        except KeyError as error:
            assert error.args == (failing,)  # noqa: PT017 - or none at all
        except ValueError as error:
            assert wrong or isinstance(error, RuleConflict)  # noqa: PT017
        assert_same(before, snapshot(MODEL))
        assert nothing_left(MODEL)
        MODEL.failing = ""
        assert torch.equal(MODEL(INPUT), PLAIN)


PLACES = st.sampled_from(["", "", "before", "between", "after", "reader"])
FIXED: dict[str, Any] = {
    "deadline": None,
    "suppress_health_check": list(HealthCheck),
    "database": None,
    "derandomize": True,
}


@settings(max_examples=120, **FIXED)
@given(rule_sets(), PLACES, st.booleans())
@pytest.mark.filterwarnings("ignore")
def test_random_rule_sets_leave_nothing(rules: Rules, failing: str, twice: bool) -> None:
    leaves_nothing(rules, failing, twice)


@pytest.mark.long
@settings(max_examples=1000, **FIXED)
@given(rule_sets(), PLACES, st.booleans())
@pytest.mark.filterwarnings("ignore")
def test_a_thousand_random_rule_sets_leave_nothing(rules: Rules, failing: str, twice: bool) -> None:
    leaves_nothing(rules, failing, twice)


def test_the_judge_sees_what_is_left() -> None:
    """The broken twin: a hook that stays, a number that changed."""
    model = copy.deepcopy(MODEL)
    before = snapshot(model)
    handle = model.register_forward_pre_hook(lambda *_: None)
    assert not nothing_left(model)
    with pytest.raises(AssertionError):
        assert_same(before, snapshot(model))
    handle.remove()
    with torch.no_grad():
        model.head.bias += 1e-7
    with pytest.raises(AssertionError):
        assert_same(before, snapshot(model))


def test_a_block_that_cannot_be_entered_leaves_nothing() -> None:
    model = copy.deepcopy(MODEL)
    before = snapshot(model)
    refused = pytest.raises(OptionError, match=r"'boost-1' names layer 7, and the model has 2")
    with refused, steer(model, Rules().boost(Column("age"), 2, layers="7"), reader=reader()):
        pass
    model.train()
    with pytest.raises(NotSteerable, match="training mode"), steer(model, Rules(), reader=reader()):
        pass
    model.eval()
    assert_same(before, snapshot(model))
    assert nothing_left(model)


def test_off_and_nested_blocks() -> None:
    model = copy.deepcopy(MODEL)
    one = Rules().boost(Column("age"), 3, id="a")
    two = Rules().damp(Column("sex"), 0.2, id="b")
    with torch.no_grad():
        plain = model(INPUT)
        with steer(model, one + two, reader=reader()):
            both = model(INPUT)
        with steer(model, one, reader=reader()) as outer:
            first = model(INPUT)
            with steer(model, two, reader=reader()) as inner:
                torch.testing.assert_close(model(INPUT), both, rtol=0, atol=1e-6)
                with inner.off():
                    assert torch.equal(model(INPUT), first)
                    with outer.off():
                        assert torch.equal(model(INPUT), plain)
                    assert torch.equal(model(INPUT), first)
            assert torch.equal(model(INPUT), first)
        assert torch.equal(model(INPUT), plain)
    assert not torch.allclose(first, plain, atol=1e-4)
    assert not torch.allclose(both, first, atol=1e-4)


def test_off_forgets_an_exception_and_an_empty_block_is_none() -> None:
    model = copy.deepcopy(MODEL)
    with steer(model, Rules().veto(Column("age")), reader=reader()) as steering:
        with pytest.raises(KeyError), steering.off():
            raise KeyError
        with torch.no_grad():
            model(INPUT)
    assert steering.matched["veto-1"].positions == 2
    with steer(model, Rules().veto(Column("age")), reader=reader()):
        pass
    assert nothing_left(model)


def test_a_part_of_the_model_is_not_silently_unsteered() -> None:
    model = copy.deepcopy(MODEL)
    refused = pytest.raises(NotSteerable, match="first ran by itself")
    with refused, steer(model, Rules().veto(Column("age")), reader=reader()):
        model.first(INPUT)
    assert nothing_left(model)


def test_a_call_in_another_thread_is_refused_and_one_with_its_own_block_is_right() -> None:
    model = copy.deepcopy(MODEL)
    found: dict[str, Any] = {}

    def bare() -> None:
        try:
            model(INPUT)
        except NotSteerable as wrong:
            found["bare"] = str(wrong)

    def own() -> None:
        with torch.no_grad(), steer(model, Rules().damp(Column("bp"), 0.1), reader=reader()):
            found["own"] = model(INPUT)

    with torch.no_grad():
        with steer(model, Rules().damp(Column("bp"), 0.1), reader=reader()):
            expected = model(INPUT)
        with steer(model, Rules().boost(Column("age"), 3), reader=reader()):
            mine = model(INPUT)
            for work in (bare, own):
                thread = threading.Thread(target=work)
                thread.start()
                thread.join()
            assert torch.equal(model(INPUT), mine)
    assert "another thread" in found["bare"]
    assert torch.equal(found["own"], expected)
    assert nothing_left(model)
