"""Rules between the page and steer: nothing is lost, and strangers may not name everything."""

from datetime import date
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings

from tests.steer.rules_strategies import any_rules
from zhuyi.errors import InputError
from zhuyi.steer.rules import Rules
from zhuyi.steer.selectors import Column, Regex, Text, Tokens
from zhuyi.steer.spans import Span
from zhuyi.ui.steering.ruling import Ruling, as_python, entries_of, read_strange_yaml

OWN = (
    Rules()
    .boost([Regex("高.压", "i"), "糖尿病"], 2.0, id="own", why="guideline")
    .veto(Column("sex"), id="no-sex", sender=Regex("x"))
)


def test_entries_are_plain_json_of_the_yaml() -> None:
    rules = Rules().damp("x", 0.5, id="a", expires=date(2027, 1, 2), why="y", when="age > 3")
    assert entries_of(rules) == [
        {
            "id": "a", "damp": {"text": "x"}, "weight": 0.5, "when": "age > 3",
            "expires": "2027-01-02", "why": "y",
        }
    ]  # fmt: skip
    assert Ruling().read(entries_of(rules)) == rules


@settings(suppress_health_check=[HealthCheck.too_slow], max_examples=40, deadline=None)
@given(any_rules())
def test_own_rules_come_back_as_they_were(rules: Rules) -> None:
    ruling = Ruling(Rules(rules.rules))
    assert ruling.read(ruling.entries).rules == rules.rules


@pytest.mark.parametrize(
    "odd", ["\x7f", "\x85", "\xa0", "\u2028", "\ufeff", "\t\n", "🙂", "'\"\\/"]
)
def test_odd_characters_come_back_as_they_were(odd: str) -> None:
    entry = {"id": f"a{odd}", "boost": {"text": f"x{odd}y"}, "weight": 2.0, "why": odd}
    found = Ruling().read([entry])
    assert (found.rules[0].id, found.rules[0].select) == (f"a{odd}", (Text(f"x{odd}y"),))
    assert found.rules[0].why == odd


def test_a_stranger_may_name_the_patterns_that_the_owner_gave_and_no_others() -> None:
    ruling = Ruling(OWN)
    entries: list[dict[str, Any]] = ruling.entries
    assert ruling.read(entries) == OWN
    other = [{**entries[0], "weight": 3.5, "id": "mine"}, entries[1]]
    found = ruling.read(other)
    assert (found["mine"].weight, found["mine"].select) == (3.5, OWN["own"].select)
    moved = {"id": "m", "veto": {"regex": "x"}}
    assert ruling.read([moved])["m"].select == (Regex("x"),)
    for form in ({"regex": "高.压"}, {"regex": "高.压", "flags": "im"}, {"regex": "y"}):
        with pytest.raises(InputError, match="may take forever"):
            ruling.read([{"id": "m", "veto": form}])
    with pytest.raises(InputError, match="may take forever"):
        Ruling().read(entries)


def test_marks_cannot_be_guessed_and_never_show() -> None:
    ruling = Ruling(OWN)
    found = ruling.read(ruling.entries)
    written = found.to_yaml() + as_python(found)
    for mark, _ in ruling._own.values():
        assert len(mark) == 32
        assert mark not in written


def test_yaml_of_strangers() -> None:
    assert read_strange_yaml("version: 1\nrules: [{id: a, veto: {text: x}}]") == [
        {"id": "a", "veto": {"text": "x"}, "guarantee": "exact"}
    ]
    for yaml in ("version: 1\nrules: [{boost: {regex: x}, weight: 2}]", "nonsense", "{"):
        with pytest.raises(InputError):
            read_strange_yaml(yaml)


def test_python_brings_its_imports() -> None:
    rules = Rules().boost([Span(0, 1, "ab"), "x"], 2).veto(Tokens(0, 2), sender=Column("c"))
    head = as_python(rules).partition("\n\n")[0].splitlines()
    assert head == [
        "from zhuyi.steer.rules import Rules",
        "from zhuyi.steer.selectors import Column",
        "from zhuyi.steer.selectors import Tokens",
        "from zhuyi.steer.spans import Span",
    ]
