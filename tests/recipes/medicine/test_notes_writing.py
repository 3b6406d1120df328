"""Written notes: the same by seed, true to what they say of themselves, rich in kinds."""

from collections import Counter

import numpy as np
import pytest

from zhuyi.recipes.medicine.notes.composing import Person
from zhuyi.recipes.medicine.notes.examples import examples, made_up, written
from zhuyi.recipes.medicine.notes.judging import of_note, read_truth, same, truth_line
from zhuyi.recipes.medicine.notes.naming import find_names
from zhuyi.recipes.medicine.notes.rules import by_cues, by_name
from zhuyi.recipes.medicine.notes.spans import Draft, chinese_number
from zhuyi.recipes.medicine.notes.writing import Note, answers, people, write_notes

ALL = Person(has=(True, True, True), age=60, male=True)
NONE = Person(has=(False, False, False), age=30, male=False)


@pytest.fixture(scope="module")
def notes() -> tuple[Note, ...]:
    return write_notes(made_up(), 1500, seed=3)


def test_the_same_seed_writes_the_same_notes(notes: tuple[Note, ...]) -> None:
    assert write_notes(made_up(), 50, seed=3) == notes[:50]
    assert write_notes(made_up(), 50, seed=4) != notes[:50]


def test_labels_are_those_of_the_mentions(notes: tuple[Note, ...]) -> None:
    for note in notes:
        labels = {one.label for one in note.mentions}
        assert tuple(place in labels for place in range(3)) == note.called
        for one in note.mentions:
            said = note.text[one.start : one.end]
            known = [name for name in find_names(said) if one.label in name.labels]
            assert known, (note.text, said)  # punctuation may differ, the place must be the name's


def test_every_name_in_a_note_of_the_well_is_somebody_elses(notes: tuple[Note, ...]) -> None:
    well = write_notes([NONE], 300, seed=5)
    assert not any(note.mentions or any(note.called) for note in well)
    assert by_name([note.text for note in well]).any(1).mean() > 0.5  # and still they are named


def test_notes_are_of_every_kind(notes: tuple[Note, ...]) -> None:
    kinds = Counter(kind for note in notes for kind in note.kinds)
    assert min(kinds[kind] for kind in ("own", "negated", "family", "normal", "maybe", "trap")) > 20
    assert 0.2 < np.mean([note.language == "en" for note in notes]) < 0.4
    assert len({note.text for note in notes}) > 1450
    shares = answers(notes).mean(0)
    assert (shares > 0.25).all()
    assert (shares < 0.6).all()


def test_the_ill_are_said_to_be_ill() -> None:
    told = write_notes([ALL], 200, seed=1)
    assert all(any(note.called) for note in told)
    assert sum(any(years is not None for years in note.years()) for note in told) > 100


def test_cues_do_better_than_names_and_worse_than_the_truth(notes: tuple[Note, ...]) -> None:
    texts, truth = [note.text for note in notes], answers(notes)
    named, cued = ((rule(texts) == truth).all(1).mean() for rule in (by_name, by_cues))
    assert 0.2 < named < cued - 0.2 < 0.8


def test_examples_are_as_the_generator_writes_them() -> None:
    from importlib.resources import files

    kept = files("zhuyi.recipes.medicine.notes").joinpath("examples.jsonl").read_text("utf-8")
    assert kept == written()
    assert len(examples()) == 40
    assert Counter(sum(one.called) for one in examples())[0] >= 5


def test_a_truth_survives_its_line(notes: tuple[Note, ...]) -> None:
    for note in notes[:100]:
        truth = of_note(note)
        (back,) = read_truth([truth_line(truth)])
        assert (back.text, back.called) == (truth.text, truth.called)
        assert all(same(a, b) for a, b in zip(back.years, truth.years, strict=True))


def test_people_are_read_from_nhanes_columns() -> None:
    import pandas as pd

    frame = pd.DataFrame(
        {
            "chol_med_use": ["No", "Yes", None, "No"],
            "htn_aware": ["Yes", "No", "Yes", "No"],
            "bp_med_use": ["No", "No", "No", "Yes"],
            "chol_total": [250.0, 150.0, 300.0, 239.0],
            "cc_diabetes": ["No", "Yes", "Yes", "No"],
            "demo_age_years": [40.0, 50.0, 60.0, 70.0],
            "demo_gender": ["Men", "Women", "Men", "Women"],
        }
    )
    assert people(frame) == (
        Person(has=(True, True, False), age=40, male=True),
        Person(has=(False, True, True), age=50, male=False),
        Person(has=(True, False, False), age=70, male=False),
    )


def test_a_draft_keeps_places_when_it_is_appended() -> None:
    draft, other = Draft("无"), Draft("患")
    other.mention("高血压", (0,), 5.0)
    draft.append(other)
    (one,) = draft.mentions
    assert draft.text[one.start : one.end] == "高血压"
    assert [chinese_number(n) for n in (0, 9, 10, 19, 20, 99)] == [
        *("零", "九", "十", "十九", "二十", "九十九")
    ]
