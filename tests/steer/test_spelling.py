"""Rules as Python: the expression makes equal rules."""

from hypothesis import given, settings

from tests.steer.rules_strategies import any_rules
from zhuyi.steer.concepts import Concept
from zhuyi.steer.expect import Expect
from zhuyi.steer.relations import Relation
from zhuyi.steer.rules import Rules
from zhuyi.steer.selectors import Channel, Column, Regex, Role, Text, Tokens
from zhuyi.steer.spacy_patterns import SpacyPattern
from zhuyi.steer.spans import Span
from zhuyi.steer.spelling import spelled
from zhuyi.steer.windows import Time

PUBLIC = (Rules, Expect, Text, Regex, Column, Channel, Tokens, Role, Time)
PUBLIC += (SpacyPattern, Concept, Relation, Span)


def made(expression: str) -> object:
    # Only here, and only with these names: the product never runs what it spells.
    return eval(expression, {"__builtins__": {}, **{one.__name__: one for one in PUBLIC}})


@given(any_rules())
@settings(max_examples=150, deadline=None)
def test_round_trip(rules: Rules) -> None:
    again = made(spelled(rules))
    assert again == rules
    assert isinstance(again, Rules)
    assert [one.why for one in again] == [one.why for one in rules]


def test_one_call_a_line_and_nothing_that_is_usual() -> None:
    rules = Rules().boost("diagnosis", 2).veto([Column("sex"), "she"], id="policy", why="7")
    assert spelled(rules) == (
        "(\n    Rules()\n    .boost('diagnosis', 2)\n"
        "    .veto([Column('sex'), 'she'], id='policy', why='7')\n)"
    )
    assert spelled(Rules()) == "Rules()"
    assert rules.to_python() == spelled(rules)


def test_a_text_cannot_end_the_expression() -> None:
    rules = Rules().boost("') or __import__('os').getcwd() or ('", 2, why='"\n\\')
    assert made(spelled(rules)) == rules
