"""Selectors that look once at a text: the same matches, and a place to stop."""

from dataclasses import dataclass, field

import pytest

from zhuyi.steer.layout import Layout
from zhuyi.steer.relations import Relation
from zhuyi.steer.rules import Rules
from zhuyi.steer.selectors import Matched, Text
from zhuyi.ui.server.turns import Superseded, Turn
from zhuyi.ui.steering.asking import Asked
from zhuyi.ui.steering.bench import Bench
from zhuyi.ui.steering.desk import Given
from zhuyi.ui.steering.notes_desk import FIRST, NotesDesk
from zhuyi.ui.steering.remembering import Matches
from zhuyi.ui.steering.ruling import Ruling
from zhuyi.ui.steering.trying import tried


@dataclass(frozen=True)
class Counting:
    """A selector that counts how often it looks."""

    text: str
    calls: list[int] = field(default_factory=list, repr=False, hash=False)

    def match(self, layout: Layout) -> Matched:
        self.calls.append(1)
        return Text(self.text).match(layout)


def layout(text: str) -> Layout:
    return Layout(length=len(text), text=text, spans=tuple((n, n + 1) for n in range(len(text))))


def test_equal_layouts_are_looked_at_once_and_others_anew() -> None:
    selector, matches = Counting("ab"), Matches(lambda: None)
    rules = matches.quick(Rules().damp(selector, 0.5))
    for _ in range(5):
        assert rules.rules[0].select[0].match(layout("x ab")).positions == {2, 3}
    assert len(selector.calls) == 1
    assert rules.rules[0].select[0].match(layout("ab")).positions == {0, 1}
    special = Layout(length=4, text="x ab", spans=layout("x ab").spans, special=frozenset({2}))
    assert rules.rules[0].select[0].match(special).positions == {3}
    assert len(selector.calls) == 3


def test_links_stay_what_they_are() -> None:
    rules = Rules().link(Relation(graph={"a": ["b"]}), 2.0)
    assert Matches(lambda: None).quick(rules) == rules


def test_a_try_looks_once_for_each_rule_and_stops_in_between(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    looked: list[str] = []
    match = Text.match

    def counted(self: Text, one: Layout) -> Matched:
        looked.append(self.text)
        if len(looked) == stop:
            turn.end()
        return match(self, one)

    bench, stop = Bench(NotesDesk(), Ruling()), -1
    bench.before(Given(text=FIRST))
    monkeypatch.setattr(Text, "match", counted)
    rules = tuple(
        {"id": word, "damp": {"text": word}, "weight": 0.5} for word in ("高血压", "高血脂", "无")
    )
    turn = Turn("try", 60.0)
    tried(bench, Asked(turn=1, given=Given(text=FIRST), rules=rules), turn)
    tried(bench, Asked(turn=2, given=Given(text=FIRST), rules=rules[:2]), turn)
    # in what the model reads (rows of one length are alike), and in the pieces where there are any
    assert all(looked.count(word) <= 2 for word in ("高血压", "高血脂", "无"))
    bench, stop = Bench(NotesDesk(), Ruling()), 2
    bench.before(Given(text=FIRST))
    looked.clear()
    with pytest.raises(Superseded):
        tried(bench, Asked(turn=3, given=Given(text=FIRST), rules=rules), turn)
    assert len(looked) == 2
