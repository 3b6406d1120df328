"""POST /verdict: the verdict on the explanation, and what a veto may claim."""

from pathlib import Path
from typing import Any

import pytest

from tests.ui.steering.small import TEXT
from zhuyi.learn import AttentionClassifier, SeriesAttentionClassifier, TextAttentionClassifier
from zhuyi.steer.certify import certify
from zhuyi.steer.rules import Rules
from zhuyi.steer.selectors import Column
from zhuyi.ui.server.turns import Superseded, Turn
from zhuyi.ui.steering.asking import Asked
from zhuyi.ui.steering.bench import Bench, turn_checked
from zhuyi.ui.steering.desk import Desk, Given
from zhuyi.ui.steering.judging import judged
from zhuyi.ui.steering.notes_desk import FIRST, NotesDesk
from zhuyi.ui.steering.opening import open_desk
from zhuyi.ui.steering.ruling import Ruling
from zhuyi.ui.steering.series_desk import SeriesDesk
from zhuyi.ui.steering.table_desk import TableDesk
from zhuyi.ui.steering.text_desk import TextDesk

LEVELS = ("trusted", "doubtful", "refuted")


def told(desk: Desk, given: Given, *rules: dict[str, Any], **more: Any) -> dict[str, Any]:
    asked = Asked(turn=5, given=given, rules=rules, **more)
    return judged(Bench(desk, Ruling()), asked, Turn("verdict", 60.0))


def test_the_articles_sentence_is_explained_as_tests_find() -> None:
    found = told(NotesDesk(), Given(text=FIRST), target=0)
    assert found["verdict"]["level"] == "trusted"
    assert "skill" in found["verdict"]["reasons"][0]["en"]
    assert found["certificate"] == []
    assert "untested" not in found


def test_why_something_is_not_called_for_is_not_judged() -> None:
    rule = {"id": "v", "veto": {"text": "高血脂"}}
    found = told(NotesDesk(), Given(text=FIRST), rule, target=1)
    assert found["verdict"] is None
    assert set(found["untested"]) == {"en", "zh"}


def test_a_veto_on_a_note_claims_no_more_than_it_may() -> None:
    """Each character is read with those before it: the next word still holds some of it."""
    desk = NotesDesk()
    found = told(desk, Given(text=FIRST), {"id": "v", "veto": {"text": "高血脂"}}, target=0)
    one = found["certificate"][0]
    expected = certify(desk.steered, Rules().veto("高血脂", id="v"), desk.beside([FIRST]), swaps=5)[
        "v"
    ]
    assert (one["id"], one["asked"], one["level"]) == ("v", "exact", expected.level)
    assert one["kept"] == expected.kept
    states = {item["name"]: item["state"] for item in one["items"]}
    assert states == {item.name: item.state for item in expected.items}
    assert {states[name] for name in ("swaps", "gradient", "attention")} == {"held"}
    assert set(one["claim"]) == {"en", "zh"}


def test_a_veto_of_a_column_is_exact_and_its_leak_is_told(table: AttentionClassifier) -> None:
    desk = TableDesk(table, "wards")
    given = desk.examples[1].given
    found = told(desk, given, {"id": "v", "veto": {"column": "dose"}})
    assert found["verdict"]["level"] in LEVELS
    one = found["certificate"][0]
    assert (one["level"], one["kept"]) == ("exact", True)
    assert [leak["source"] for leak in one["leaks"]] == ["read-out", "other inputs"]
    for leak in one["leaks"]:
        assert leak["low"] <= leak["auc"] <= leak["high"]
    steered = certify(
        desk.steered, Rules().veto(Column("dose"), id="v"), desk.beside(desk.batch(given)), swaps=5
    )
    assert one["leaks"][0]["auc"] == steered["v"].leaks[0].auc


def test_every_kind_is_judged(
    series: SeriesAttentionClassifier, texts: TextAttentionClassifier, bert_folder: Path
) -> None:
    cases: list[tuple[Desk, Given]] = [
        (SeriesDesk(series, "engines"), Given(series=0)),
        (TextDesk(texts, "reviews"), Given(text="房间很脏，very good")),
        (open_desk(str(bert_folder)), Given(text=TEXT)),
    ]
    for desk, given in cases:
        found = told(desk, given)
        assert found["verdict"]["level"] in LEVELS, desk.model
        assert found["verdict"]["reasons"]


@pytest.mark.parametrize("after", [5, 25, 60])
def test_it_ends_in_the_midst_of_a_test_or_a_certificate(after: int) -> None:
    desk, turn = NotesDesk(), Turn("verdict", 60.0)
    calls = list[int]()

    def counted(*_: object) -> None:
        calls.append(1)
        if len(calls) == after:
            turn.end()

    hook = desk.steered.model.factors.register_forward_pre_hook(counted)
    rule = {"id": "v", "veto": {"text": "高血脂"}}
    asked = Asked(turn=1, given=Given(text=FIRST), rules=(rule,), target=0)
    try:
        with pytest.raises(Superseded), turn_checked(turn):
            judged(Bench(desk, Ruling()), asked, turn)
        assert len(calls) == after
        if after == 5:  # the broken twin: nobody asks in between, and all the calls are made
            with pytest.raises(Superseded):
                judged(Bench(desk, Ruling()), asked, Turn("verdict", 60.0))
                turn.check()
            assert len(calls) > 65
    finally:
        hook.remove()
    assert desk.decide([FIRST])[0].shares[1] > 0.99, "and no rule is left behind"


def test_it_ends_when_it_is_overtaken() -> None:
    turn = Turn("verdict", 60.0)
    turn.end()
    asked = Asked(turn=1, given=Given(text=FIRST), rules=())
    with pytest.raises(Superseded):
        judged(Bench(NotesDesk(), Ruling()), asked, turn)
