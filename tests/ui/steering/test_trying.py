"""POST /try: every number against an independent run of the model and of the steering."""

import math
import runpy
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from tests.ui.steering.small import TEXT
from zhuyi.errors import InputError, OptionError, UnmatchedRule
from zhuyi.learn import AttentionClassifier, AttentionRegressor, load
from zhuyi.recipes.medicine.notes import load as load_notes
from zhuyi.steer.rules import Rules
from zhuyi.steer.selectors import Column
from zhuyi.steer.steering import steer
from zhuyi.trace.adapters.transformers_subject import TransformersSubject
from zhuyi.ui.server.turns import Superseded, Turn
from zhuyi.ui.steering.asking import Asked
from zhuyi.ui.steering.bench import Bench
from zhuyi.ui.steering.desk import Decision, Desk, Given
from zhuyi.ui.steering.notes_desk import FIRST, NotesDesk
from zhuyi.ui.steering.opening import open_desk
from zhuyi.ui.steering.ruling import Ruling
from zhuyi.ui.steering.table_desk import TableDesk
from zhuyi.ui.steering.trying import tried as answered
from zhuyi.ui.steering.trying import try_first

RULES = (
    {"id": "more", "boost": {"text": "高血压病史"}, "weight": 3.0},
    {"id": "never", "veto": {"text": "高血脂"}},
    {"id": "less", "damp": {"text": "糖尿病"}, "weight": 0.5},
)
SAME = Rules().boost("高血压病史", 3.0, id="more").veto("高血脂", id="never").damp(
    "糖尿病", 0.5, id="less"
)  # fmt: skip


def turn() -> Turn:
    return Turn("try", 60.0)


def tried(desk: Desk, given: Given, *rules: dict[str, Any], **asked: Any) -> dict[str, Any]:
    bench = Bench(desk, Ruling())
    return answered(bench, Asked(turn=7, given=given, rules=rules, **asked), turn())


@pytest.fixture(scope="module")
def notes() -> NotesDesk:
    return NotesDesk()


def test_decisions_and_effects_are_those_of_the_steered_model(notes: NotesDesk) -> None:
    found = tried(notes, Given(text=FIRST), *RULES, target=1)
    model = load_notes()
    before = model.predict_proba([FIRST])[0]
    runs = {}
    for name, rules in {"": SAME, **{one.id: SAME.without(one.id) for one in SAME}}.items():
        with steer(model, rules):
            runs[name] = model.predict_proba([FIRST])[0]
    assert found["turn"] == 7
    assert found["before"]["shares"] == pytest.approx(before.tolist(), abs=1e-6)
    assert found["after"]["shares"] == pytest.approx(runs[""].tolist(), abs=1e-6)
    assert found["before"]["index"] == int(before.argmax())
    assert found["before"]["shares"][1] > 0.99
    assert found["after"]["shares"][1] < 0.01
    for one in found["rules"]:
        apart = runs[""] - runs[one["id"]]
        assert one["effect"] == pytest.approx(float(apart[1]), abs=1e-6)
        assert one["effects"] == pytest.approx(apart.tolist(), abs=1e-6)
    assert [one["dose"] for one in found["rules"]] == [
        pytest.approx(math.log(3)), None, pytest.approx(math.log(0.5)),
    ]  # fmt: skip


def test_a_long_condition_is_no_reason_for_other_numbers(notes: NotesDesk) -> None:
    """Rules that cannot be told apart within a batch are left out one run at a time."""
    long = " or ".join(["age == 1"] * 80) + " or not age == 1"
    assert len(long) > 900
    short = tried(notes, Given(text=FIRST), *RULES, target=1)
    found = tried(notes, Given(text=FIRST), {**RULES[0], "when": long}, *RULES[1:], target=1)
    for one, other in zip(found["rules"], short["rules"], strict=True):
        assert one["effects"] == pytest.approx(other["effects"], abs=1e-6)


def test_pieces_sum_to_the_logit_and_a_vetoed_one_counts_for_nothing(notes: NotesDesk) -> None:
    found = tried(notes, Given(text=FIRST), *RULES, target=1)
    model = load_notes()
    constant = list(model.constants_.values())[1]
    logit = float(model.decision_function([FIRST])[0, 1])
    with steer(model, SAME):
        steered = float(model.decision_function([FIRST])[0, 1])
    for when, whole in (("before", logit), ("after", steered)):
        assert sum(one[when] for one in found["pieces"]) + constant == pytest.approx(
            whole, abs=1e-4
        )
    by_name = {one["name"]: one for one in found["pieces"]}
    assert by_name["高血脂"]["after"] == 0.0
    assert by_name["高血脂"]["before"] > 1.0
    assert by_name["高血脂"]["rules"] == ["never"]
    assert by_name["高血压病史"]["rules"] == ["more"]
    assert "".join(FIRST[one["start"] : one["end"]] for one in found["pieces"]) == FIRST


def test_the_note_is_read_in_words(notes: NotesDesk) -> None:
    found = tried(notes, Given(text=FIRST), *RULES)
    assert [one["zh"] for one in found["before"]["lines"]] == [
        "降压药：高血压，5 年",
        "降脂药：高血脂，3 年",
        "控制血糖的药物：糖尿病，2 年",
    ]
    assert len(found["after"]["lines"]) == 2
    assert not any("高血脂" in one["zh"] for one in found["after"]["lines"])


def test_every_piece_brings_the_rule_that_means_it_alone(notes: NotesDesk) -> None:
    for example in (notes.examples[0], notes.examples[3]):
        plain = tried(notes, example.given)
        for place, piece in enumerate(plain["pieces"]):
            rule = {"id": "x", "damp": piece["select"], "weight": 0.5}
            found = tried(notes, example.given, rule)
            meant = [n for n, one in enumerate(found["pieces"]) if one["rules"]]
            assert meant == [place], (example.name, piece)
            assert found["rules"][0]["matched"] == 1
            assert found["rules"][0]["shown"] == [piece["name"]]


def test_a_word_that_stands_twice_can_be_meant_once_or_everywhere(bert_folder: Path) -> None:
    desk = open_desk(str(bert_folder))
    found = tried(desk, Given(text=TEXT))
    articles = [n for n, one in enumerate(found["pieces"]) if one["name"] == "the"]
    assert len(articles) == 2
    for place in articles:
        piece = found["pieces"][place]
        one = tried(desk, Given(text=TEXT), {"id": "x", "damp": piece["select"], "weight": 0.5})
        every = tried(
            desk, Given(text=TEXT), {"id": "x", "damp": piece["everywhere"], "weight": 0.5}
        )
        assert [n for n, p in enumerate(one["pieces"]) if p["rules"]] == [place]
        assert [n for n, p in enumerate(every["pieces"]) if p["rules"]] == articles
    special = [one for one in found["pieces"] if one["special"]]
    assert special
    assert not any("select" in one for one in special)
    assert not any("everywhere" in one for one in found["pieces"] if one["name"] == "fox")


def test_attention_of_a_transformer_is_the_share_received(bert_folder: Path) -> None:
    rules = (
        {"id": "b", "boost": {"text": "fox"}, "weight": 4.0},
        {"id": "v", "veto": {"text": "dog"}},
    )
    found = tried(open_desk(str(bert_folder)), Given(text=TEXT), *rules)
    subject = TransformersSubject.load(str(bert_folder))
    for when, chosen in (("before", None), ("after", Rules().boost("fox", 4.0).veto("dog"))):
        if chosen is None:
            tape, shares = subject.watch([TEXT]), subject.decide([TEXT])[0]
        else:
            with steer(subject, chosen):
                tape, shares = subject.watch([TEXT]), subject.decide([TEXT])[0]
        dense = torch.stack([one.matrix.weights()[0] for one in tape]).mean((0, 1))  # Q K
        columns = subject.gather([TEXT], dense.sum(0)[None])[0]
        expected = (columns / columns.sum()).tolist()
        assert [one[when] for one in found["pieces"]] == pytest.approx(expected, abs=1e-5)
        assert found[when]["shares"] == pytest.approx(shares.tolist(), abs=1e-6)
    dog = next(one for one in found["pieces"] if one["name"] == "dog")
    assert dog["after"] == 0.0


def test_a_decoder_tells_of_its_likeliest_tokens(llama_folder: Path) -> None:
    desk = open_desk(str(llama_folder))
    found = tried(desk, Given(text=TEXT), {"id": "b", "boost": {"text": "fox"}, "weight": 9.0})
    subject = TransformersSubject.load(str(llama_folder))
    shares = subject.decide([TEXT])[0]
    assert desk.labels == ()
    assert found["before"]["label"] == subject.labels[int(shares.argmax())]
    assert found["labels"][found["before"]["index"]] == found["before"]["label"]
    assert found["labels"][found["target"]] == found["before"]["label"]
    told = dict(zip(found["labels"], found["before"]["shares"], strict=True))
    for index in shares.topk(8).indices.tolist():
        assert told[subject.labels[index]] == pytest.approx(float(shares[index]), abs=1e-6)


def test_a_table_is_steered_by_its_columns(table: AttentionClassifier) -> None:
    desk = TableDesk(table, "wards")
    given = desk.examples[1].given
    rules = (
        {"id": "v", "veto": {"column": "dose"}},
        {"id": "b", "boost": {"column": "ward"}, "weight": 5},
    )
    found = tried(desk, given, *rules)
    subject = table.subject()
    codes = desk.batch(given)
    with steer(subject, Rules().veto(Column("dose")).boost(Column("ward"), 5.0)):
        after = subject.decide(codes)[0].tolist()
    assert found["after"]["shares"] == pytest.approx(after, abs=1e-6)
    assert [one["name"] for one in found["pieces"]] == list(table.schema_.names)
    assert found["pieces"][0]["after"] == 0.0
    assert [one["rules"] for one in found["pieces"][:2]] == [["v"], ["b"]]


def test_conditions_ask_for_the_cells_of_a_row(table: AttentionClassifier) -> None:
    desk = TableDesk(table, "wards")
    rule = {"id": "v", "veto": {"column": "dose"}, "when": "ward == 'west'"}
    record = dict(desk.examples[0].given.record or {})
    west = tried(desk, Given(record={**record, "ward": "west"}), rule)
    south = tried(desk, Given(record={**record, "ward": "south"}), rule)
    assert (west["rules"][0]["matched"], south["rules"][0]["matched"]) == (1, 0)
    assert south["before"]["shares"] == south["after"]["shares"]


def test_a_number_is_told_in_its_unit(number: AttentionRegressor) -> None:
    desk = TableDesk(number, "wear")
    given = Given(record={"x0": 1.5, "x1": -0.5})
    found = tried(desk, given, {"id": "b", "boost": {"column": "x0"}, "weight": 3.0})
    plain = float(number.predict(np.array([[1.5, -0.5]]))[0])
    with steer(number, Rules().boost(Column("x0"), 3.0)):
        steered = float(number.predict(np.array([[1.5, -0.5]]))[0])
    assert found["before"]["value"] == pytest.approx(plain, abs=1e-4)
    assert found["after"]["value"] == pytest.approx(steered, abs=1e-4)
    assert found["rules"][0]["effect"] == pytest.approx(steered - plain, abs=1e-4)
    constant = next(iter(number.constants_.values()))
    total = sum(one["before"] for one in found["pieces"]) + constant
    assert total == pytest.approx(plain, abs=1e-3)


def test_without_rules_nothing_changes(notes: NotesDesk) -> None:
    found = tried(notes, Given(text=FIRST))
    assert found["before"] == found["after"]
    assert all(one["before"] == one["after"] for one in found["pieces"])
    assert (found["rules"], found["told"]) == ([], [])


def test_what_is_copied_gives_the_same_rules(notes: NotesDesk, tmp_path: Path) -> None:
    found = tried(notes, Given(text=FIRST), *RULES)
    assert Rules.from_yaml(found["yaml"]) == SAME
    pasted = tmp_path / "pasted.py"
    pasted.write_text(found["python"], encoding="utf-8")
    assert runpy.run_path(str(pasted))["rules"] == SAME


def test_rules_that_mean_nothing_say_so_by_their_number_and_warn_nobody(notes: NotesDesk) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error", UnmatchedRule)
        found = tried(
            notes, Given(text=FIRST), {"id": "gone", "boost": {"text": "没有"}, "weight": 2}
        )
    assert found["told"] == [], "its number says it, in every language"
    assert found["rules"][0]["matched"] == 0
    assert found["rules"][0]["effect"] == 0.0


def test_rules_that_work_against_each_other_are_told(notes: NotesDesk) -> None:
    found = tried(
        notes, Given(text=FIRST), RULES[2], {"id": "b", "boost": {"text": "糖尿病"}, "weight": 2}
    )
    assert len(found["told"]) == 1
    assert "rules 'less' and 'b' raise and lower the same keys" in found["told"][0]


def test_a_word_is_meant_without_its_neighbors(notes: NotesDesk) -> None:
    """The model reads each word with those before it, so a rule reaches positions beside it."""
    text = "Type 2 diabetes for 10 years; her mother has hypertension. No lipid disorder."
    words = ("hypertension", "mother", "diabetes", "lipid disorder")
    rules = tuple(
        {"id": f"r{n}", "damp": {"text": word}, "weight": 0.5} for n, word in enumerate(words)
    )
    found = tried(notes, Given(text=text), *rules)
    shown = [" ".join(one["shown"]) for one in found["rules"]]
    assert shown[:2] == ["hypertension", "mother"]
    assert all(word in told for word, told in zip(words, shown, strict=True))
    assert not any("." in told or "has" in told or "for" in told for told in shown)


def test_faults_name_what_is_wrong(notes: NotesDesk) -> None:
    with pytest.raises(OptionError, match="names layer 9"):
        tried(notes, Given(text=FIRST), {**RULES[0], "layers": "9"})
    with pytest.raises(InputError, match="may take forever"):
        tried(notes, Given(text=FIRST), {"boost": {"regex": "x"}, "weight": 2})


class Counting:
    """A desk that counts decisions, and ends the turn after so many."""

    def __init__(self, desk: Desk, turn: Turn, most: int) -> None:
        self.inner, self.turn, self.most, self.count = desk, turn, most, 0

    def __getattr__(self, name: str) -> Any:
        return getattr(self.inner, name)

    def decide(self, batch: Any) -> list[Decision]:
        self.count += 1
        if self.count == self.most:
            self.turn.end()
        return self.inner.decide(batch)


def test_an_overtaken_try_stops_between_calls_of_the_model(notes: NotesDesk) -> None:
    mine = turn()
    desk = Counting(notes, mine, 2)
    bench = Bench(desk, Ruling())
    asked = Asked(turn=1, given=Given(text=FIRST), rules=RULES)
    with pytest.raises(Superseded):
        answered(bench, asked, mine)
    assert desk.count == 2
    assert notes.decide([FIRST])[0].shares[1] > 0.99, "and the model is as it was"


def test_what_was_found_is_not_computed_again(notes: NotesDesk) -> None:
    mine = turn()
    desk = Counting(notes, mine, -1)
    bench = Bench(desk, Ruling())
    for weight, calls in ((2.0, 3), (3.0, 1), (3.0, 1)):
        rules = ({**RULES[0], "weight": weight}, RULES[1], RULES[2])
        desk.count = 0
        answered(bench, Asked(turn=1, given=Given(text=FIRST), rules=rules), mine)
        # once the input and its layout; always the rules and the rules without each, together
        assert desk.count == calls, weight


def test_every_kind_answers_a_first_time(bert_folder: Path, table: AttentionClassifier) -> None:
    try_first(open_desk(str(bert_folder)))
    try_first(TableDesk(table, "wards"))


def test_saved_models_open_as_what_they_are(tmp_path: Path, number: AttentionRegressor) -> None:
    number.save(tmp_path / "wear")
    desk = open_desk(str(tmp_path / "wear"))
    found = tried(desk, Given(record={"x0": 1.0, "x1": 0.0}))
    loaded = load(tmp_path / "wear")
    assert found["after"]["value"] == pytest.approx(
        float(loaded.predict(np.array([[1.0, 0.0]]))[0]), abs=1e-4
    )
