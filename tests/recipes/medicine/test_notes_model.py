"""The shipped model: the article's sentence, what must not count, others' notes, its phrases."""

import json
from importlib.resources import files
from pathlib import Path

import numpy as np
import pytest
import torch

from zhuyi.errors import InputError
from zhuyi.learn import TextAttentionClassifier
from zhuyi.recipes.medicine.notes import CLASSES, load, read
from zhuyi.recipes.medicine.notes.asking import NO, YES, Question, QuestionSubject
from zhuyi.recipes.medicine.notes.cutting import cut, owners
from zhuyi.recipes.medicine.notes.judging import judge, read_truth
from zhuyi.recipes.medicine.notes.reading import Said, attended
from zhuyi.recipes.medicine.notes.rules import by_cues
from zhuyi.recipes.medicine.notes.sentence import SENTENCE
from zhuyi.recipes.medicine.notes.shipped import LARGEST
from zhuyi.trace.randomized import randomized

HERE = Path(__file__).parent
NOT_OWN = (
    "否认高血压。",
    "否认高血压、糖尿病、高血脂病史。",
    "无糖尿病史。",
    "父亲患高血压。",
    "父亲患高血压10年，母亲有糖尿病。",
    "未见异常。",
    "血压、血糖、血脂未见异常。",
    "Denies hypertension and diabetes.",
    "Father has diabetes.",
    "No history of high cholesterol.",
)
OWN = {
    "高血压5年，否认糖尿病。": {"antihypertensive": 5.0},
    "父亲患高血压10年，本人有糖尿病2年。": {"glucose-lowering": 2.0},
    "无高血压、糖尿病病史，高血脂半年。": {"lipid-lowering": 0.5},
    "高血压病史10余年，吸烟20年。": {"antihypertensive": 10.0},
    "患三高。": dict.fromkeys(CLASSES),
    "Hypertension for 5 years, no diabetes.": {"antihypertensive": 5.0},
    "Mother has diabetes. The patient has had high cholesterol for 3 years.": {
        "lipid-lowering": 3.0
    },
}


@pytest.fixture(scope="module")
def model() -> TextAttentionClassifier:
    return load()


def test_the_sentence_of_the_article() -> None:
    found = {one.label: one for one in read(SENTENCE)}
    assert {name: (one.phrase, one.years) for name, one in found.items()} == {
        "antihypertensive": ("高血压", 5.0),
        "lipid-lowering": ("高血脂", 3.0),
        "glucose-lowering": ("糖尿病", 2.0),
    }
    for one in found.values():
        assert SENTENCE[one.start : one.end] == one.phrase
        assert one.probability > 0.9
        assert one.attended is not None
        assert one.attended[0] < one.end
        assert one.attended[1] > one.start


@pytest.mark.parametrize("note", NOT_OWN)
def test_what_is_not_the_patients_own_does_not_count(note: str) -> None:
    assert read(note) == ()


@pytest.mark.parametrize("note", OWN)
def test_own_conditions_among_others(note: str) -> None:
    assert {one.label: one.years for one in read(note)} == OWN[note]


def held_out(name: str) -> float:
    lines = (HERE / name).read_text(encoding="utf-8").splitlines()
    return float(judge(load(), read_truth([json.loads(line) for line in lines])).right.mean())


def test_notes_that_somebody_else_wrote() -> None:
    assert held_out("held_out_notes.jsonl") >= 0.95


def test_english_notes_that_somebody_else_wrote() -> None:
    assert held_out("held_out_notes_en.jsonl") >= 0.8


def test_a_model_that_forgot_what_it_learned_is_not_right(model: TextAttentionClassifier) -> None:
    lines = (HERE / "held_out_notes.jsonl").read_text(encoding="utf-8").splitlines()
    notes = read_truth([json.loads(line) for line in lines])[:60]
    with randomized(model.module_, 1.0, torch.Generator().manual_seed(0)):
        assert judge(model, notes).right.mean() < 0.6
    assert judge(model, notes).right.mean() > 0.9


def test_the_rule_with_cues_is_no_worse_than_it_was() -> None:
    lines = (HERE / "held_out_notes.jsonl").read_text(encoding="utf-8").splitlines()
    notes = read_truth([json.loads(line) for line in lines])
    said = by_cues([note.text for note in notes])
    assert (said == np.array([note.called for note in notes])).all(1).mean() > 0.6


def test_it_is_small_and_opens_without_a_network(model: TextAttentionClassifier) -> None:
    folder = files("zhuyi.recipes.medicine.notes").joinpath("model")
    sizes = [
        len(folder.joinpath(name).read_bytes()) for name in ("weights.safetensors", "model.json")
    ]
    assert sum(sizes) < LARGEST
    assert model.labels_ == CLASSES
    assert model.explanation_ == "evidence"


def test_factors_sum_to_the_decision(model: TextAttentionClassifier) -> None:
    logits = model.decision_function([SENTENCE])[0]
    for one in read(SENTENCE, model, least=0.0):
        total = model.constants_[one.label] + sum(factor.contribution for factor in one.factors)
        assert total == pytest.approx(logits[CLASSES.index(one.label)], abs=1e-5)
        assert "".join(factor.name for factor in one.factors) == SENTENCE


def test_what_is_no_note_is_refused() -> None:
    for wrong in ("", "  ", None):
        with pytest.raises(InputError, match="text must be a note"):
            read(wrong)  # type: ignore[arg-type]


def test_phrases_cover_a_note_and_own_its_units() -> None:
    text = "否认高血压， type 2 diabetes for 5 years"
    spans = cut(text)
    assert [text[a:b] for a, b in spans] == [
        *("否认", "高血压", "，", "type 2 diabetes", "for", "5 years")
    ]
    assert owners([(0, 1), (1, 2), (2, 3), (3, 4), (5, 6), (7, 11)], spans) == [0, 0, 1, 1, 2, 3]


def test_the_run_with_the_largest_sum_is_attended() -> None:
    units = [Said(n, n + 1, 0.0, c) for n, c in enumerate((1.0, 0.9, 0.0, 1.5, 0.1))]
    assert attended(units) == (0, 2)
    assert attended([Said(0, 1, 0.5, -1.0)]) is None
    assert attended([]) is None


# --- questions as a subject -------------------------------------------------------------------


def test_questions_decide_as_the_model_does(model: TextAttentionClassifier) -> None:
    texts = [SENTENCE, "否认高血压，父亲患糖尿病。"]
    asked = [Question(text, label) for text in texts for label in range(3)]
    subject = QuestionSubject.of(model)
    shares = subject.decide(asked)
    assert subject.labels == (NO, YES)
    assert torch.allclose(shares.sum(1), torch.ones(6))
    expected = model.predict_proba(texts).reshape(-1)
    assert shares[:, 1].numpy() == pytest.approx(expected, abs=1e-6)
    everything = torch.ones(6, max(map(len, subject.units(asked))), dtype=torch.bool)
    assert torch.equal(subject.decide(asked, everything), shares)


def test_contributions_of_questions_sum_to_their_logits(model: TextAttentionClassifier) -> None:
    subject = QuestionSubject.of(model)
    asked = [Question(SENTENCE, label) for label in range(3)]
    found = subject.contributions(asked, (1, 1, 0)).sum(1)
    logits = torch.from_numpy(model.decision_function([SENTENCE])[0])
    constants = torch.tensor([model.constants_[name] for name in CLASSES])
    signs = torch.tensor([1.0, 1.0, -1.0])
    assert torch.allclose(found, signs * (logits - constants), atol=1e-5)


def test_removing_a_phrase_removes_all_of_it(model: TextAttentionClassifier) -> None:
    subject = QuestionSubject.of(model)
    asked = [Question("糖尿病2年。", 2)]
    keep = torch.tensor([[False, True, True]])
    assert subject.decide(asked)[0, 1] > 0.9
    assert subject.decide(asked, keep)[0, 1] < 0.5
    with pytest.raises(InputError, match="must hold questions"):
        subject.decide(["糖尿病2年。"])
