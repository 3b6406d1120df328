"""Requests as records."""

import pytest

from zhuyi.errors import InputError
from zhuyi.learn import AttentionClassifier, SeriesAttentionClassifier
from zhuyi.ui.steering.asking import CHARACTERS, RULES, Asked, check_rule, read_yaml, reading
from zhuyi.ui.steering.desk import Given
from zhuyi.ui.steering.notes_desk import NotesDesk
from zhuyi.ui.steering.series_desk import SeriesDesk
from zhuyi.ui.steering.table_desk import TableDesk

GOOD = {"turn": 1, "input": {"text": "x"}, "rules": [], "language": "zh"}


def test_a_request_is_read_as_it_is() -> None:
    rule = {"id": "a", "veto": {"text": "x"}}
    body = {**GOOD, "rules": [rule], "target": 2, "draws": 7}
    found = reading(NotesDesk(), draws=True)(body)
    assert found == Asked(
        turn=1, given=Given(text="x"), rules=(rule,), language="zh", target=2, draws=7
    )
    with pytest.raises(InputError, match="not known"):
        reading(NotesDesk())(body)  # only a control is drawn


def test_bounds_are_where_they_are_said_to_be() -> None:
    read = reading(NotesDesk())
    rule = {"id": "a", "veto": {"text": "x"}}
    assert read({**GOOD, "input": {"text": "x" * CHARACTERS}, "rules": [rule] * RULES})
    for wrong in ({"input": {"text": "x" * (CHARACTERS + 1)}}, {"rules": [rule] * (RULES + 1)}):
        with pytest.raises(InputError):
            read({**GOOD, **wrong})
    check_rule({"text": "x" * CHARACTERS, "list": ["x"] * 100})
    for part in ({"a": [{"b": "x" * 2001}]}, {"a": ["x"] * 101}, {"x" * 2001: 1}):
        with pytest.raises(InputError):
            check_rule(part)


def test_each_kind_takes_its_own_input_only(
    table: AttentionClassifier, series: SeriesAttentionClassifier
) -> None:
    record = {"dose": 5, "ward": "west", "smoker": True, "stage": None}
    found = reading(TableDesk(table, "wards"))({**GOOD, "input": {"record": record}})
    assert found.given.record == {"dose": 5.0, "ward": "west", "smoker": True, "stage": None}
    assert reading(SeriesDesk(series, "x"))({**GOOD, "input": {"series": 3}}).given.series == 3
    for desk, wrong in (
        (TableDesk(table, "wards"), {"text": "x"}),
        (TableDesk(table, "wards"), {"record": {"dose": [1]}}),
        (TableDesk(table, "wards"), {"record": {"ward": "x" * 501}}),
        (SeriesDesk(series, "x"), {"series": -1}),
        (SeriesDesk(series, "x"), {"series": "0"}),
    ):
        with pytest.raises(InputError):
            reading(desk)({**GOOD, "input": wrong})


def test_yaml_is_a_text() -> None:
    assert read_yaml({"yaml": "version: 1"}) == "version: 1"
    for body in ({}, {"yaml": 1}, {"yaml": "x", "more": 1}, {"yaml": "x" * 60_001}):
        with pytest.raises(InputError):
            read_yaml(body)
