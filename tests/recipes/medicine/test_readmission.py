"""The readmission part: patients stay together, rare values are put together, nothing leaks."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from zhuyi.errors import DataUnavailable
from zhuyi.recipes import diabetes130
from zhuyi.recipes.diabetes130 import BACKGROUND, COUNTS, DRUGS, OF_STAY, Encounters
from zhuyi.recipes.medicine import readmission
from zhuyi.recipes.medicine import readmission_words as words
from zhuyi.recipes.medicine.out_of_fold import among, difference
from zhuyi.recipes.medicine.readmission_models import (
    BOOSTING,
    GLASS,
    Effort,
    Found,
    gathered,
    learned,
    some_patients,
)
from zhuyi.recipes.records import Options
from zhuyi.recipes.scoring import Auroc

SMALL = Effort(rows=None, folds=2, batch=64, epochs=8, mixed_epochs=1, verified=16, audited=16)


def invented(count: int = 900, *, insulin: bool = False, seed: int = 0) -> Encounters:
    """Stays in the year before decide on coming back, the HbA1c on insulin."""
    draw = np.random.default_rng(seed)
    inputs = pd.DataFrame({name: draw.integers(0, 9, count) for name in COUNTS})
    for name in BACKGROUND:
        inputs[name] = draw.choice(["a", "b", "c"], count)
    inputs["gender"] = draw.choice(["Female", "Male"], count)
    inputs["A1Cresult"] = draw.choice([">8", "None", "Norm"], count)
    inputs["number_inpatient"] = draw.integers(0, 3, count)
    often = (inputs["number_inpatient"] == 2).to_numpy() ^ (draw.random(count) < 0.1)
    treated = np.where(
        inputs["A1Cresult"] == ">8", "Up", draw.choice(["Down", "No", "Steady"], count)
    )
    patients = draw.integers(0, count // 2, count)
    if insulin:
        kept = inputs.drop(columns=["discharge_disposition_id", *OF_STAY])
        return Encounters(inputs=kept, target=treated.astype(str), patients=patients)
    return Encounters(inputs=inputs, target=often, patients=patients)


@pytest.fixture(scope="module")
def back() -> Found:
    return learned(invented(), words.BACK_LABELS, SMALL, Options(), words.BACK)


@pytest.fixture(scope="module")
def insulin() -> Found:
    rows = invented(insulin=True)
    return learned(rows, words.INSULIN_LABELS, SMALL, Options(), words.INSULIN)


def test_nobody_is_on_both_sides(back: Found) -> None:
    patients = invented().patients
    for fold in back.folds:
        assert not set(patients[fold.train]) & set(patients[fold.test])


def test_what_is_planted_is_told(back: Found, insulin: Found) -> None:
    scores = {name: one.measured.score.value for name, one in back.answered.items()}
    assert scores["base rate"] == 0.5
    assert min(scores[GLASS], scores[BOOSTING]) > 0.8
    treated = {name: one.measured.score.value for name, one in insulin.answered.items()}
    assert treated[GLASS] > 0.6
    assert insulin.answered[GLASS].said.shape == (900, 4)
    up = insulin.answers[:, 3]
    tested = np.concatenate([fold.test for fold in insulin.folds])
    said = insulin.answered[GLASS].said[tested]
    assert said[up[tested], 3].mean() > 0.7, "the columns of probabilities are those of the labels"
    assert max(back.gap[0], insulin.gap[0]) <= 1e-5


def test_labels_are_sorted_as_a_classifier_sorts_them() -> None:
    for labels in (words.BACK_LABELS, words.INSULIN_LABELS):
        assert list(labels) == sorted(labels)
        assert list(labels.values()) == sorted(labels.values())


def test_rare_values_are_put_together_without_the_answers() -> None:
    inputs = invented(300).inputs
    inputs["race"] = ["rare"] * 5 + ["a"] * 200 + ["b"] * 95
    inputs["gender"] = ["Male"] * 2 + ["Female"] * 298
    found = gathered(inputs, least=50)
    assert sorted(found["race"].unique()) == ["a", "b", words.RARE]
    assert "gender" not in found, "it hardly ever differs"
    assert inputs["race"].iloc[0] == "rare", "what was given stays as it was"
    numbers = [name for name in found if name in COUNTS]
    pd.testing.assert_frame_equal(found[numbers], inputs[numbers])


def test_patients_are_drawn_whole() -> None:
    rows = invented()
    some = some_patients(rows, 300, seed=1)
    assert 250 < len(some.patients) <= 300
    left = set(rows.patients) - set(some.patients)
    assert len(rows.patients) - len(some.patients) == int(np.isin(rows.patients, list(left)).sum())
    assert len(some.inputs) == len(some.target) == len(some.patients)
    again = some_patients(rows, 300, seed=1)
    assert np.array_equal(some.patients, again.patients)
    assert some_patients(rows, None, seed=1) is rows


def test_an_answer_among_the_inputs_is_found(insulin: Found) -> None:
    assert readmission._no_answer(insulin).held
    for column in (*DRUGS[:2], "change", "patient_nbr", "readmitted"):
        leaking = replace(insulin, inputs=insulin.inputs.assign(**{column: "No"}))
        assert not readmission._no_answer(leaking).held, column


def test_published_figures_say_where_they_stand() -> None:
    assert [score.value.value for score in words.PUBLISHED] == [0.667, 0.642, 0.630, 0.579]
    assert all("as reported" in score.source for score in words.PUBLISHED)


def test_decisions_and_tables(back: Found, insulin: Found) -> None:
    decisions = readmission._decisions(back, insulin, rows=6)
    assert [one.title.partition(" · ")[0] for one in decisions] == [
        "held-out stay 1", "held-out stay 2", "held-out stay 3",
    ]  # fmt: skip
    logits = [one.constant + sum(f.contribution for f in one.factors) for one in decisions[:2]]
    shares = [float(one.said.rstrip("%")) / 100 for one in decisions[:2]]
    assert shares == pytest.approx([1 / (1 + np.exp(-logit)) for logit in logits], abs=1e-3)
    assert shares[0] > shares[1]
    table = readmission._by_answer(insulin)
    assert sum(int(row[1].replace(",", "")) for row in table.rows) == sum(
        len(fold.test) for fold in insulin.folds
    )
    assert len(readmission._by_group(back).rows) >= 5


def test_differences_and_groups_by_hand(back: Found) -> None:
    ours, other = back.answered[GLASS], back.answered[BOOSTING]
    apart = difference(ours.measured, other.measured, back.folds)
    by_hand = np.mean(np.subtract(ours.measured.folds, other.measured.folds))
    assert apart.value == pytest.approx(float(by_hand))
    everybody = np.ones(len(back.answers), dtype=bool)
    told = among(ours, back.answers, back.folds, everybody, Auroc())
    assert told == str(ours.measured.score)
    assert among(ours, back.answers, back.folds, ~everybody, Auroc()) == "too few"


def test_without_data_it_says_so(bare: Path) -> None:
    with pytest.raises(DataUnavailable, match="diabetes130 cannot be had"):
        readmission.run(Options(download=False))


@pytest.mark.long
def test_on_real_stays(real_data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    effort = Effort(
        rows=12_000, folds=1, batch=128, epochs=5, mixed_epochs=1, verified=16, audited=16
    )
    monkeypatch.setattr(readmission, "QUICK", effort)
    part = readmission.run(Options(quick=True))
    values = {one.model: one.value.value for one in part.comparisons[0].scores}
    assert values[GLASS] > 0.6
    assert {"XGBoost", "deep neural network"} <= set(values)
    assert any("sum to the decision" in check.name.en and check.held for check in part.checks)
    assert part.audit is not None
    assert len(diabetes130.load()) == 101_766
