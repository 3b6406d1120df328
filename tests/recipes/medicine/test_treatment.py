"""The treatment part: rules, signals, leakage, and that all models meet on the same folds."""

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest

from tests.recipes.medicine.bundles import bundle, condition, observation, patient
from tests.recipes.medicine.people import invented
from zhuyi.errors import DataUnavailable, InputError, OptionError
from zhuyi.learn import AttentionClassifier
from zhuyi.recipes import nhanes
from zhuyi.recipes.medicine import RECIPE, guideline, nhanes_treatment
from zhuyi.recipes.medicine.drugs import ATC, INGREDIENTS
from zhuyi.recipes.medicine.fhir import read_bundle
from zhuyi.recipes.medicine.names import CLASSES, COLUMNS, both
from zhuyi.recipes.medicine.nhanes_models import (
    BOOSTING,
    GLASS,
    MIXED,
    RULES,
    Effort,
    Found,
    check_inputs,
    fit_all,
    frequent,
    learned,
)
from zhuyi.recipes.medicine.nhanes_signals import SAYING, recovered
from zhuyi.recipes.medicine.nhanes_words import PRESSURE
from zhuyi.recipes.medicine.verdicts import Verdicts
from zhuyi.recipes.records import Options
from zhuyi.recipes.splits import Fold

SMALL = Effort(folds=2, epochs=60, mixed_epochs=1, verified=24, audited=16)
DRUGS = ("bp_med_diur_loop", "bp_med_beta")


@pytest.fixture(scope="module")
def found() -> Found:
    return learned(invented(), SMALL, Options(), PRESSURE)


def test_every_class_and_column_has_its_names_rules_and_drugs() -> None:
    drugs = {*nhanes.ANTIHYPERTENSIVE, *nhanes.LIPID_LOWERING}
    assert set(CLASSES) == set(guideline.RULES) == set(INGREDIENTS) == set(ATC) == drugs
    assert set(COLUMNS) == set(nhanes.INPUTS)
    named = {name for columns, _ in SAYING.values() for name in columns}
    assert named <= set(nhanes.INPUTS)
    assert {condition for _, condition in nhanes.SIGNALS} == set(SAYING)


def test_rules_add_up_and_missing_answers_hold_none() -> None:
    people = invented(3).inputs
    people[["cc_cvd_mi", "cc_cvd_chd", "cc_cvd_stroke", "cc_diabetes"]] = "No"
    people["demo_age_years"] = [39.0, 40.0, 70.0]
    people["chol_ldl"] = [190.0, np.nan, 189.0]
    people.loc[2, ["cc_cvd_stroke", "cc_diabetes"]] = "Yes"
    # 190 or more is 2 points; 40 years 1; a stroke 2, diabetes 1, 40 years 1
    assert guideline.scores(people, ["chol_med_statin"])[:, 0].tolist() == [2.0, 1.0, 4.0]
    people.loc[2, ["cc_cvd_stroke", "cc_diabetes"]] = None
    assert guideline.scores(people, ["chol_med_statin"])[2, 0] == 1.0
    with pytest.raises(OptionError, match="no rules for bp_med_magic"):
        guideline.scores(people, ["bp_med_magic"])


@pytest.mark.parametrize(
    "column",
    ["bp_med_n_pills", "htn_aware", "bp_med_use", "chol_med_simvastatin", "bp_cat_meds_included"],
)
def test_columns_that_carry_the_answer_are_refused_by_name(column: str) -> None:
    people = invented(40)
    leaking = replace(people, inputs=people.inputs.assign(**{column: people.taken[DRUGS[0]]}))
    with pytest.raises(InputError, match=rf"{column} \(leakage\) must not be an input"):
        learned(leaking, SMALL, Options(), PRESSURE)


def test_drugs_and_unknown_columns_are_refused_as_inputs() -> None:
    with pytest.raises(InputError, match=r"bp_med_ace \(drug\)"):
        check_inputs(["cc_egfr", "bp_med_ace"])
    with pytest.raises(InputError, match="is in no list"):
        check_inputs(["cc_egfr", "pills_in_the_bathroom"])
    check_inputs(nhanes.INPUTS)


def test_rare_classes_are_left_out() -> None:
    assert frequent(invented().taken) == DRUGS
    assert len(frequent(invented().taken, least=1)) == 3


def test_all_models_meet_on_the_same_rows(found: Found) -> None:
    assert found.drugs == DRUGS
    tested = np.concatenate([fold.test for fold in found.folds])
    assert len(tested) == len(set(tested.tolist()))
    for name, one in found.answered.items():
        assert np.isfinite(one.said[tested]).all(), name
        others = np.setdiff1d(np.arange(len(one.said)), tested)
        assert np.isnan(one.said[others]).all(), name
        assert len(one.measured.folds) == 2
    scores = {name: one.measured.score.value for name, one in found.answered.items()}
    assert scores["base rate"] == 0.5
    assert min(scores[RULES], scores[BOOSTING], scores[GLASS]) > 0.8, "the rules are planted"


def test_contributions_sum_on_every_scored_row(found: Found) -> None:
    gap, decisions = found.gap
    assert gap <= 1e-5
    assert decisions == 2 * sum(len(fold.test) for fold in found.folds) * len(DRUGS)
    fold, model = found.glass[0]
    rows = found.people.inputs.iloc[fold.test[:5]]
    frame = model.explain(rows)
    sums = frame.groupby(["row", "label"], sort=False)["contribution"].sum().to_numpy()
    starts = np.tile([model.constants_[both(CLASSES[drug])] for drug in DRUGS], 5)
    assert np.abs(starts + sums - model.decision_function(rows).reshape(-1)).max() <= 1e-5


def test_planted_signals_are_recovered(found: Found) -> None:
    by_drug = {signal.drug: signal for signal in found.signals}
    assert set(by_drug) == set(DRUGS)
    for signal in by_drug.values():
        assert signal.moved > 1.0
        assert signal.rank == 1
        assert signal.check().held


class Stub:
    """Explains every row by the same rule: `up` logits for Yes in one column, else 0."""

    def __init__(self, column: str, up: float) -> None:
        self.column, self.up = column, up

    def explain(self, rows: pd.DataFrame, labels: list[str]) -> pd.DataFrame:
        told = np.zeros((len(rows), len(rows.columns)))
        place = list(rows.columns).index(self.column)
        told[:, place] = np.where(rows[self.column] == "Yes", self.up, 0.0)
        return pd.DataFrame({"contribution": told.reshape(-1)})


@pytest.mark.parametrize(
    ("column", "up", "moved", "held"),
    [
        ("cc_cvd_hf", 1.5, 1.5, True),
        ("cc_cvd_hf", -1.5, -1.5, False),  # the broken twins: the wrong way round,
        ("cc_smoke", 1.5, 0.0, False),  # and another column
    ],
)
def test_signals_are_differences_of_means(column: str, up: float, moved: float, held: bool) -> None:
    people = invented(200)
    fold = Fold(train=np.arange(100), test=np.arange(100, 200))
    fits: list[tuple[Fold, Any]] = [(fold, Stub(column, up))]
    (signal,) = recovered(fits, people.inputs, people.people, DRUGS[:1])
    assert signal.moved == pytest.approx(moved, abs=1e-12)
    yes = int((people.inputs["cc_cvd_hf"].iloc[100:] == "Yes").sum())
    assert signal.people == (100 - yes, yes)
    assert signal.check().held is held


def test_records_of_a_part(found: Found) -> None:
    comparison = nhanes_treatment._comparison(found, PRESSURE)
    assert [score.role for score in comparison.scores] == [
        *("trivial", "simple", "simple", "simple", "simple", "ours", "ours"),
    ]
    bars = nhanes_treatment._bars(found, PRESSURE)
    ours, boosting = (found.answered[name].measured.score.value for name in (MIXED, BOOSTING))
    assert bars[1].held == (ours >= boosting), "one epoch is hardly enough"
    table = nhanes_treatment._by_class(found, PRESSURE)
    assert [row[0] for row in table.rows] == [both(CLASSES[drug]) for drug in DRUGS]
    assert all(len(row) == len(table.header) for row in table.rows)
    groups = nhanes_treatment._by_group(found, PRESSURE)
    assert {row[1] for row in groups.rows} >= {"Men", "Women", "60 years or older"}
    tested = nhanes_treatment._verdicts(found, SMALL)
    assert [one.rows for one in tested] == [24, 6]
    assert len(nhanes_treatment._believed(tested, tested).rows) == 4


def test_verdicts_that_could_not_be_tested_are_not_trusted() -> None:
    good = Verdicts(trusted=19, doubtful=1, refuted=0, untested=0, by_probability=18).check(
        PRESSURE
    )
    assert good.held
    assert good.measured.startswith("95% of 20 rows trusted; 1 doubtful")
    bad = Verdicts(trusted=18, doubtful=2, refuted=0, untested=2, by_probability=10).check(PRESSURE)
    assert not bad.held, "18 of 18 testable is still 90 % of all"
    assert "2 of them because nothing changes" in bad.measured
    assert "probability instead of its logit: 50% trusted" in bad.measured


def test_what_the_models_read_is_asked_of_them(found: Found) -> None:
    frame = pd.DataFrame(columns=[*nhanes.INPUTS, "bp_med_ace", "htn_aware", "svy_id"])
    check = nhanes_treatment._nothing_leaks(frame, [found])
    assert check.held
    assert check.measured.startswith("4 models read 21 columns, 0 of them wrongly; 1 columns")
    spy = SimpleNamespace(feature_names_in_=np.array(["cc_egfr", "htn_aware"], dtype=object))
    leaking = replace(found, mixed=[(found.folds[0], spy)])
    assert not nhanes_treatment._nothing_leaks(frame, [leaking]).held


def test_without_any_data_both_reasons_are_told(bare: Path) -> None:
    with pytest.raises(DataUnavailable, match="Nor from the CDC's own files"):
        nhanes_treatment.run(Options(download=False))


def test_the_scene_names_its_parts_and_what_it_is_not_for() -> None:
    assert RECIPE.parts == ("treatment", "readmission", "notes", "dialogue")
    assert all(said.en and said.zh for said in RECIPE.forbidden)
    assert "prescription" in RECIPE.forbidden[0].en


@pytest.mark.long
def test_on_real_people(real_data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    effort = Effort(folds=1, epochs=8, mixed_epochs=1, verified=8, audited=16)
    monkeypatch.setattr(nhanes_treatment, "QUICK", effort)
    heard: list[str] = []
    part = nhanes_treatment.run(
        Options(quick=True, listener=lambda part, step, done, total: heard.append(step))
    )
    assert len(part.comparisons) == 2
    values = [{one.model: one.value.value for one in c.scores} for c in part.comparisons]
    assert values[0][GLASS] > 0.66
    assert values[1][GLASS] > 0.84
    by_name = {check.name.en: check for check in part.checks}
    assert by_name["Contributions sum to the decision, on every scored row"].held
    assert by_name["No column that says which drugs are taken is an input"].held
    recovered = [check.held for name, check in by_name.items() if "recover a guideline" in name]
    assert len(recovered) == 6
    assert sum(recovered) >= 5
    assert len(part.decisions) == 3
    assert part.audit is not None
    assert any("glass box" in step for step in heard)


def test_a_model_reads_a_bundle(tmp_path: Path) -> None:
    """A user's way from a bundle to a decision, on a model of the same columns."""
    fit_all(invented()).save(tmp_path / "model")
    model = AttentionClassifier.load(tmp_path / "model")
    ill = read_bundle(bundle(patient(), condition("I50.9"), observation("8480-6", 100, "mm[Hg]")))
    well = read_bundle(bundle(patient(), condition("I50.9", certainty="refuted")))
    loop = [float(model.predict_proba(row)[0, 0]) for row in (ill, well)]
    assert loop[0] > 0.6 > 0.4 > loop[1]
    frame = model.explain(ill, labels=[DRUGS[0]])
    top = frame.loc[frame["contribution"].idxmax()]
    assert (top["factor"], top["value"]) == ("cc_cvd_hf", "Yes")
