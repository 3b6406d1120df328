"""POST /control: the same rules elsewhere, against steering by hand."""

import warnings
from dataclasses import replace
from statistics import fmean
from typing import Any

import pytest

from zhuyi.errors import UnmatchedRule
from zhuyi.recipes.medicine.notes import load
from zhuyi.steer.reporting import Elsewhere
from zhuyi.steer.rules import Rules
from zhuyi.steer.steering import steer
from zhuyi.ui.server.turns import Superseded, Turn
from zhuyi.ui.steering.asking import Asked
from zhuyi.ui.steering.bench import Bench
from zhuyi.ui.steering.controlling import controlled
from zhuyi.ui.steering.desk import Given
from zhuyi.ui.steering.notes_desk import FIRST, NotesDesk
from zhuyi.ui.steering.ruling import Ruling

VETO = {"id": "never", "veto": {"text": "高血脂"}}
DAMP = {"id": "less", "damp": {"text": "糖尿病"}, "weight": 0.1}


@pytest.fixture(scope="module")
def bench() -> Bench:
    return Bench(NotesDesk(), Ruling())


def asked(*rules: dict[str, Any], draws: int = 4, text: str = FIRST) -> Asked:
    return Asked(turn=3, given=Given(text=text), rules=rules, target=1, draws=draws)


def strength(rules: Rules) -> float:
    model = load()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UnmatchedRule)  # a random place may be the other rule's
        with steer(model, rules):
            return float(model.predict_proba([FIRST])[0, 1])


def test_a_rule_is_compared_with_itself_on_random_words(bench: Bench) -> None:
    found = controlled(bench, asked(VETO, DAMP), Turn("control", 60.0))
    rules = Rules().veto("高血脂", id="never").damp("糖尿病", 0.1, id="less")
    after, without = strength(rules), strength(rules.without("never"))
    sizes = []
    for draw in range(4):
        elsewhere = replace(rules["never"], select=(Elsewhere(rules["never"].select, draw),))
        sizes.append(abs(strength(Rules((elsewhere, rules["less"]))) - without))
    one = found["rules"][0]
    assert (found["turn"], one["id"], one["draws"]) == (3, "never", 4)
    assert one["own"] == pytest.approx(abs(after - without), abs=1e-6)
    assert one["own"] > 0.9
    assert one["mean"] == pytest.approx(fmean(sizes), abs=1e-6)
    assert one["mean"] < 0.1
    assert one["as_large"] == 0.0
    assert len(found["whole"]["draws"]) == 4
    assert found["whole"]["own"] == pytest.approx(
        abs(after - float(load().predict_proba([FIRST])[0, 1])), abs=1e-6
    )


def test_the_same_draws_come_again(bench: Bench) -> None:
    first, second = (
        controlled(bench, asked(DAMP, draws=3), Turn("control", 60.0)) for _ in range(2)
    )
    assert first == second
    fresh = controlled(Bench(NotesDesk(), Ruling()), asked(DAMP, draws=3), Turn("control", 60.0))
    assert fresh == first


def test_a_rule_that_means_nothing_or_everything_has_no_control(bench: Bench) -> None:
    gone = {"id": "gone", "boost": {"text": "没有"}, "weight": 2}
    everything = {"id": "all", "damp": {"tokens": "0:"}, "weight": 0.5}
    for rule in (gone, everything):
        found = controlled(bench, asked(rule), Turn("control", 60.0))
        one = found["rules"][0]
        assert (one["mean"], one["as_large"], one["draws"]) == (None, None, 0)
        assert found["whole"]["draws"] == []


def test_draws_that_another_rule_does_not_allow_are_left_out(bench: Bench) -> None:
    share = {"id": "share", "share": {"text": "2年"}, "at_least": 0.1}
    found = controlled(bench, asked(VETO, share, draws=20), Turn("control", 60.0))
    one = found["rules"][1]
    assert 0 < one["draws"] < 20, "some of the random places were vetoed"


def test_it_ends_when_it_is_overtaken(bench: Bench) -> None:
    turn = Turn("control", 60.0)
    turn.end()
    with pytest.raises(Superseded):
        controlled(bench, asked(VETO), turn)
