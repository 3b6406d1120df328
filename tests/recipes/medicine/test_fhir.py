"""FHIR bundles become rows: what counts, what does not, and what is refused."""

import json
from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from tests.recipes.medicine.bundles import (
    ICD,
    LOINC,
    SNOMED,
    bundle,
    concept,
    condition,
    observation,
    patient,
    statement,
)
from zhuyi.errors import InputError
from zhuyi.recipes.medicine.fhir import read_bundle, read_patient
from zhuyi.recipes.medicine.fhir_codes import ATC
from zhuyi.recipes.medicine.fhir_measured import filtration
from zhuyi.recipes.nhanes import HISTORY, INPUTS, MEASURED

HL7 = "http://hl7.org/fhir/CodeSystem/"


def cell(frame: pd.DataFrame, column: str) -> object:
    return frame[column].iloc[0]


def test_a_whole_patient_in_the_models_columns(tmp_path: Path) -> None:
    found = bundle(
        patient(),
        condition("I50.9"),
        condition("E11.9"),
        observation("8480-6", 150, "mm[Hg]"),
        observation("2093-3", 5.0, "mmol/L"),
        observation("4548-4", 53, "mmol/mol"),
        observation("39156-5", 31.2, "kg/m2"),
        statement("furosemide 40 mg"),
    )
    path = tmp_path / "bundle.json"
    path.write_text(json.dumps(found), encoding="utf-8")
    frame = read_bundle(path)
    assert tuple(frame.columns) == INPUTS
    assert len(frame) == 1
    assert cell(frame, "demo_age_years") == 70.0, "on the day of the timestamp"
    assert cell(frame, "demo_gender") == "Women"
    assert cell(frame, "bp_sys_mean") == 150.0
    assert cell(frame, "chol_total") == pytest.approx(193.35)
    assert cell(frame, "cc_hba1c") == pytest.approx(7.0004, abs=1e-4)
    assert cell(frame, "cc_bmi") == "30 to <35"
    flags = ["cc_cvd_hf", "cc_diabetes", "cc_cvd_mi", "cc_cvd_stroke", "demo_pregnant"]
    assert frame[flags].iloc[0].tolist() == ["Yes", "Yes", "No", "No", "No"]
    assert pd.isna(cell(frame, "cc_smoke"))
    assert pd.isna(cell(frame, "cc_egfr"))
    assert all(frame[name].dtype == np.float64 for name in MEASURED)


def test_drugs_are_told_apart_and_never_an_input() -> None:
    plain = bundle(patient(), condition("I50.9"))
    treated = bundle(
        patient(),
        condition("I50.9"),
        statement("Furosemide 40 MG Oral Tablet", id="m1"),
        statement("hydrochlorothiazide / lisinopril", id="m2"),
        {**statement("x", id="m3"), "medication": {"concept": concept(ATC, "C10AA05")}},
        statement("metformin", id="m4"),
        statement(
            "amlodipine",
            id="m5",
            adherence={"code": concept(f"{HL7}medication-statement-adherence", "not-taking")},
        ),
    )  # fmt: skip
    found = read_patient(treated)
    assert found.taken == ("bp_med_ace", "bp_med_diur_loop", "bp_med_diur_thz", "chol_med_statin")
    pd.testing.assert_frame_equal(found.inputs, read_bundle(plain))
    assert not set(found.inputs.columns) & set(found.taken)
    assert any("not taken now" in line for line in found.ignored)


@pytest.mark.parametrize("status", ["completed", "stopped", "not-taken", "entered-in-error"])
def test_r4_statements_count_only_while_active(status: str) -> None:
    now = read_patient(bundle(patient(), statement("ramipril", r5=False)))
    assert (now.version, now.taken) == ("R4B", ("bp_med_ace",))
    past = read_patient(bundle(patient(), statement("ramipril", r5=False, status=status)))
    assert past.taken == ()


def test_a_drug_behind_a_reference_is_found() -> None:
    drug = {"resourceType": "Medication", "id": "d", "code": {"text": "atorvastatin"}}
    told = {**statement("x", r5=False), "medicationReference": {"reference": "Medication/d"}}
    del told["medicationCodeableConcept"]
    assert read_patient(bundle(patient(), drug, told)).taken == ("chol_med_statin",)


@pytest.mark.parametrize("certainty", ["refuted", "entered-in-error"])
def test_denied_conditions_do_not_count(certainty: str) -> None:
    found = read_patient(bundle(patient(), condition("I50.9", certainty=certainty)))
    assert cell(found.inputs, "cc_cvd_hf") == "No"
    assert found.ignored == (f"Condition/c-I50-9: {certainty}",)
    # what is refuted is known not to be, what was entered in error is not known at all
    partly = read_bundle(bundle(patient(), condition("I50.9", certainty=certainty)), complete=False)
    assert (cell(partly, "cc_cvd_hf") == "No") == (certainty == "refuted")
    assert pd.isna(cell(partly, "cc_cvd_mi"))


def test_a_confirmed_condition_outweighs_a_refuted_one() -> None:
    refuted = condition("I50.1", certainty="refuted")
    for pair in ((refuted, condition("I50.9")), (condition("I50.9"), refuted)):
        assert cell(read_bundle(bundle(patient(), *pair)), "cc_cvd_hf") == "Yes"


@pytest.mark.parametrize("certainty", ["provisional", "differential", "unconfirmed"])
def test_a_suspicion_is_neither_yes_nor_no(certainty: str) -> None:
    frame = read_bundle(bundle(patient(), condition("I50.9", certainty=certainty)))
    assert pd.isna(cell(frame, "cc_cvd_hf"))


@pytest.mark.parametrize("course", ["resolved", "remission", "inactive"])
def test_what_is_over_counts_where_having_had_it_counts(course: str) -> None:
    frame = read_bundle(
        bundle(
            patient(),
            condition("I21.4", clinical=course),
            condition("E11.9", clinical=course),
        )
    )
    assert cell(frame, "cc_cvd_mi") == "Yes"
    assert cell(frame, "cc_diabetes") == "No"


def test_relatives_never_count() -> None:
    relative = {
        "resourceType": "FamilyMemberHistory",
        "id": "f",
        "status": "completed",
        "patient": {"reference": "Patient/p"},
        "relationship": concept("http://terminology.hl7.org/CodeSystem/v3-RoleCode", "FTH"),
        "condition": [{"code": concept(ICD, "I50.9")}],
    }
    found = read_patient(bundle(patient(), relative, condition("Z83.3")))
    assert cell(found.inputs, "cc_cvd_hf") == "No"
    assert cell(found.inputs, "cc_diabetes") == "No"
    assert any("FamilyMemberHistory/f" in line for line in found.ignored)


def test_codes_of_snomed_and_of_both_kinds_of_icd_10() -> None:
    for code, system, column in (
        ("84114007", SNOMED, "cc_cvd_hf"),
        ("I25.2", "http://hl7.org/fhir/sid/icd-10", "cc_cvd_mi"),
        ("I63.9", ICD, "cc_cvd_stroke"),
        ("n18.3", ICD, "cc_ckd"),
    ):
        frame = read_bundle(bundle(patient(), condition(code, system=system)))
        assert cell(frame, column) == "Yes", code
    other = read_bundle(bundle(patient(), condition("84114007", system=ICD)))
    assert cell(other, "cc_cvd_hf") == "No", "a code means nothing outside of its system"


def test_a_condition_in_words_leaves_the_rest_open() -> None:
    words = condition("x")
    words["code"] = {"text": "heart failure"}
    found = read_patient(bundle(patient(), words, condition("E11.9")))
    assert cell(found.inputs, "cc_diabetes") == "Yes"
    assert pd.isna(cell(found.inputs, "cc_cvd_hf"))
    assert any("no code" in line for line in found.ignored)


def test_the_latest_day_counts_and_its_readings_are_averaged() -> None:
    frame = read_bundle(
        bundle(
            patient(),
            observation("8480-6", 120, "mm[Hg]", on="2019-01-01", id="a"),
            observation("8480-6", 150, "mm[Hg]", on="2020-01-01T08:00:00Z", id="b"),
            observation("8480-6", 160, "mm[Hg]", on="2020-01-01T09:00:00+01:00", id="c"),
        )
    )
    assert cell(frame, "bp_sys_mean") == 155.0


def test_a_panel_of_pressures_is_read_by_its_components() -> None:
    panel = {
        **observation("85354-9", 1, "1"),
        "component": [
            {"code": concept(LOINC, "8480-6"), "valueQuantity": {"value": 20.0, "code": "kPa"}},
            {"code": concept(LOINC, "8462-4"), "valueQuantity": {"value": 80, "unit": "mmHg"}},
        ],
    }
    del panel["valueQuantity"]
    frame = read_bundle(bundle(patient(), panel))
    assert cell(frame, "bp_sys_mean") == pytest.approx(150.0124)
    assert cell(frame, "bp_dia_mean") == 80.0


@pytest.mark.parametrize(
    ("code", "value", "unit", "column", "expected"),
    [
        ("2571-8", 2.0, "mmol/L", "chol_trig", 177.14),
        ("9318-7", 3.0, "mg/mmol", "cc_acr", 26.52),
        ("13457-7", 1.3, "g/L", "chol_ldl", 130.0),
        ("62238-1", 55.0, "mL/min/{1.73_m2}", "cc_egfr", 55.0),
    ],
)
def test_units_are_converted(
    code: str, value: float, unit: str, column: str, expected: float
) -> None:
    frame = read_bundle(bundle(patient(), observation(code, value, unit)))
    assert cell(frame, column) == pytest.approx(expected)


@pytest.mark.parametrize(
    ("value", "unit", "told"),
    [
        (5.0, "mEq/L", "total cholesterol in 'mEq/L' cannot be read"),
        (5.0, "mg/dL", "must be within 30 and 1500"),
        (5.0, "", "cannot be read"),
    ],
)
def test_units_that_are_not_known_or_cannot_be_are_refused(
    value: float, unit: str, told: str
) -> None:
    one = observation("2093-3", value, unit)
    if not unit:
        one["valueQuantity"] = {"value": value}
    with pytest.raises(InputError, match=told):
        read_bundle(bundle(patient(), one))


def test_observations_that_do_not_count_are_told() -> None:
    bound = observation("9318-7", 5, "mg/g", id="bound")
    bound["valueQuantity"]["comparator"] = "<"
    found = read_patient(
        bundle(
            patient(),
            observation("2093-3", 5.0, "mmol/L", status="preliminary", id="early"),
            observation("2085-9", 1.0, "mmol/L", focus=[{"display": "the child"}], id="child"),
            bound,
        )
    )
    assert found.inputs[list(MEASURED)].iloc[0].notna().sum() == 1, "the age alone"
    assert [line.partition(":")[0] for line in found.ignored] == [
        "Observation/early", "Observation/child", "Observation/bound",
    ]  # fmt: skip


def test_smoking_pregnancy_and_race_as_the_survey_groups_them() -> None:
    us = "http://hl7.org/fhir/us/core/StructureDefinition/us-core-"
    race = {
        "url": f"{us}race",
        "extension": [
            {"url": "ombCategory", "valueCoding": {"system": "urn:oid:2.16.840.1.113883.6.238",
                                                   "code": "2054-5"}},
            {"url": "text", "valueString": "Black"},
        ],
    }  # fmt: skip
    smoking, pregnant = observation("72166-2", 1, "1"), observation("82810-3", 1, "1")
    for one, answer in ((smoking, "8517006"), (pregnant, "77386006")):
        one["valueCodeableConcept"] = concept(SNOMED, answer)
        del one["valueQuantity"]
    young = patient(birthDate="1990-01-01", extension=[race])
    frame = read_bundle(bundle(young, smoking, pregnant))
    told = frame[["demo_race", "cc_smoke", "demo_pregnant"]].iloc[0].tolist()
    assert told == ["Non-Hispanic Black", "Former", "Yes"]
    assert pd.isna(cell(read_bundle(bundle(young)), "demo_pregnant"))
    assert cell(read_bundle(bundle(patient(gender="male"))), "demo_pregnant") == "No"


def test_filtration_from_creatinine_against_published_values() -> None:
    # by hand: 142 (1.2 / 0.9)^-1.2 0.9938^50 and 142 (0.6 / 0.7)^-0.241 0.9938^50 1.012
    assert filtration(1.2, 50.0, woman=False) == pytest.approx(
        142 * (4 / 3) ** -1.2 * 0.9938**50, rel=1e-12
    )
    assert filtration(0.6, 50.0, woman=True) == pytest.approx(
        142 * (6 / 7) ** -0.241 * 0.9938**50 * 1.012, rel=1e-12
    )
    frame = read_bundle(bundle(patient(), observation("14682-9", 88.42, "umol/L")))
    assert cell(frame, "cc_egfr") == pytest.approx(filtration(1.0, 70.0, woman=True))
    weak = read_bundle(bundle(patient(), observation("2160-0", 2.5, "mg/dL")))
    assert cell(weak, "cc_ckd") == "Yes", "the survey defines it so"


def test_people_above_80_are_80_as_in_the_survey() -> None:
    frame = read_bundle(bundle(patient(birthDate="1920")), on=date(2020, 1, 1))
    assert cell(frame, "demo_age_years") == 80.0


@pytest.mark.parametrize(
    ("source", "told"),
    [
        (patient(), "a FHIR Bundle is needed, got resourceType 'Patient'"),
        ({"resourceType": "Bundle", "type": "history"}, "type 'history' cannot be read"),
        (bundle(), "about one patient, got 0"),
        (bundle(patient(), patient(id="q")), "about one patient, got 2"),
        (bundle(patient(), condition("I50.9", subject={"reference": "Patient/q"})),
         "Condition/c-I50-9 is about somebody else"),
        (bundle(patient(birthDate="2015-01-01")), "models are of adults"),
        (bundle({"resourceType": "Patient", "id": "p"}), "no birthDate"),
        (bundle(patient(), {"resourceType": "Nonsense"}), "unknown type 'Nonsense'"),
        (bundle(patient(), condition("I50.9", subject=None)), "not valid FHIR.*subject"),
        (bundle(patient(), condition("I50.9", subject={"display": "her"})), "must refer to"),
    ],
)  # fmt: skip
def test_what_cannot_be_read_is_refused(source: dict[str, object], told: str) -> None:
    with pytest.raises(InputError, match=told):
        read_bundle(source)


def test_messages_never_quote_a_person() -> None:
    secret = patient(gender=["Mallory"])
    with pytest.raises(InputError) as caught:
        read_bundle(bundle(secret))
    assert "Mallory" not in str(caught.value)
    assert "gender" in str(caught.value)


def test_files_that_are_no_json(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="cannot be read"):
        read_bundle(tmp_path / "none.json")
    path = tmp_path / "x.json"
    for content in (b"<Bundle/>", b"[1]", b"\xff\xfe"):
        path.write_bytes(content)
        with pytest.raises(InputError):
            read_bundle(path)


def test_subjects_by_url_and_by_version_are_the_patient() -> None:
    found = bundle(patient(), condition("I50.9", subject={"reference": "urn:uuid:1"}))
    found["entry"][0]["fullUrl"] = "urn:uuid:1"
    assert cell(read_bundle(found), "cc_cvd_hf") == "Yes"
    for name in ("https://x.org/fhir/Patient/p", "Patient/p/_history/3"):
        one = bundle(patient(), condition("I50.9", subject={"reference": name}))
        assert cell(read_bundle(one), "cc_cvd_hf") == "Yes"


def test_every_history_column_is_text_or_missing() -> None:
    frame = read_bundle(bundle(patient()), complete=False)
    for name in HISTORY:
        assert frame[name].dtype == object
        assert cell(frame, name) is None or isinstance(cell(frame, name), str)
