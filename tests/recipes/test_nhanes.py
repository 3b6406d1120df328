"""NHANES: no column that carries the answer is an input; the guideline signals are in the data."""

from pathlib import Path

import pandas as pd
import pytest

from zhuyi.errors import InputError
from zhuyi.recipes import nhanes

KNOWN_LEAKS = (
    *("bp_cat_meds_included", "bp_cat_meds_excluded", "bp_control_jnc7", "bp_uncontrolled_130_80"),
    *("bp_med_use", "bp_med_n_class", "bp_med_n_pills", "bp_med_combination", "htn_aware"),
    *("htn_jnc7", "htn_resistant_accaha_thz", "bp_med_recommended_jnc7", "bp_med_ccb_dh"),
    *("chol_med_use", "chol_med_use_sr", "chol_med_atorvastatin", "chol_med_addon_use"),
    *("chol_med_statin_recommended_ahaacc", "chol_med_recommended_ever", "chol_med_other"),
)


def header() -> list[str]:
    """A header of the right width: what we use, the known leaks, and the survey's own columns."""
    names = [*nhanes.INPUTS, *nhanes.ANTIHYPERTENSIVE, *nhanes.LIPID_LOWERING, *KNOWN_LEAKS]
    names += ["demo_race_black", "cc_cvd_ascvd"]
    return names + [f"svy_{number}" for number in range(nhanes.WIDTH - len(names))]


def people(folder: Path, rows: list[dict[str, str]], columns: list[str] | None = None) -> Path:
    names = columns or header()
    base = dict.fromkeys(names, "No") | dict.fromkeys(nhanes.MEASURED, "1.5")
    lines = [",".join(names)]
    lines += [",".join((base | row)[name] for name in names) for row in rows]
    path = folder / "nhanes_1999_2020.csv"
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


@pytest.mark.parametrize("column", KNOWN_LEAKS)
def test_known_leaks_are_named_as_such(column: str) -> None:
    assert nhanes.role(column) == "leakage"


def test_no_input_is_a_leak_by_any_pattern() -> None:
    for column in (*nhanes.INPUTS, *nhanes.ANTIHYPERTENSIVE, *nhanes.LIPID_LOWERING):
        assert nhanes.role(column) in ("input", "drug")
    for word in ("med", "htn", "control", "recommended", "risk"):
        assert not [column for column in nhanes.INPUTS if word in column]
    assert len(nhanes.ANTIHYPERTENSIVE) == 12


def test_a_column_that_nobody_judged_is_refused(tmp_path: Path) -> None:
    names = header()
    names[-1] = "bp_med_new_secret"
    with pytest.raises(InputError, match="'bp_med_new_secret' is in no list"):
        nhanes.load(people(tmp_path, [{}], names), rows=None)


def test_another_version_is_refused(tmp_path: Path) -> None:
    names = [name for name in header() if name != "cc_egfr"]
    with pytest.raises(InputError, match="got 115 and lacks cc_egfr"):
        nhanes.load(people(tmp_path, [{}], names), rows=None)
    with pytest.raises(InputError, match="must have 59,799 rows, got 1"):
        nhanes.load(people(tmp_path, [{}]))


def test_who_is_asked_about_which_drugs(tmp_path: Path) -> None:
    frame = nhanes.load(
        people(
            tmp_path,
            [
                {"bp_med_use": "Yes", "bp_med_ace": "Yes", "cc_bmi": ""},
                {"bp_med_use": "No", "chol_med_statin": "Yes"},
                {"bp_med_use": "Yes", "bp_med_ace": "", "chol_med_statin": ""},
                {"bp_med_use": "Yes", "bp_med_beta": "Yes", "bp_med_ace": ""},
                {"bp_med_use": "Yes"},
            ],
        ),
        rows=5,
    )
    pressure, lipids = nhanes.antihypertensive(frame), nhanes.lipid_lowering(frame)
    assert pressure.taken["bp_med_ace"].tolist() == [True]
    assert lipids.taken["chol_med_statin"].tolist() == [False, True, False, False]
    assert list(pressure.inputs) == list(lipids.inputs) == list(nhanes.INPUTS)
    assert pd.isna(pressure.inputs["cc_bmi"][0])
    assert pressure.inputs["cc_egfr"].tolist() == [1.5]


def test_signals_by_hand(tmp_path: Path) -> None:
    yes = {"bp_med_use": "Yes", "bp_med_ccb": "Yes"}
    rows = [
        yes | {"cc_cvd_hf": "Yes", "bp_med_diur_loop": "Yes"},
        yes | {"cc_cvd_hf": "Yes"},
        yes | {"bp_med_diur_loop": "Yes"},
        yes,
        yes,
        yes,
        yes | {"cc_cvd_hf": ""},
        {"cc_cvd_hf": "Yes", "bp_med_use": "No"},
    ]
    signal = nhanes.signals(nhanes.load(people(tmp_path, rows), rows=None))[0]
    assert (signal.drug, signal.condition) == ("bp_med_diur_loop", "cc_cvd_hf")
    assert (signal.without, signal.present, signal.counts) == (0.25, 0.5, (4, 2))


def test_the_real_table_and_its_signals(real_data: Path) -> None:
    frame = nhanes.load()
    assert frame.shape == (59_799, 116)
    pressure, lipids = nhanes.antihypertensive(frame), nhanes.lipid_lowering(frame)
    assert int((frame["bp_med_use"] == "Yes").sum()) == 14_690
    assert len(pressure.inputs) == 14_077, "one class at least on record"
    assert len(lipids.inputs) == 25_504
    assert int((frame["bp_med_ace"] == "Yes").sum()) == 7_061
    assert int(lipids.taken["chol_med_statin"].sum()) == 4_123
    assert not set(pressure.inputs) & {c for c in frame if nhanes.role(c) != "input"}
    # What makes the excluded columns leaks: all who take drugs "have hypertension" by definition.
    assert set(pressure.people["htn_jnc7"]) == {"Yes"}
    found = {(s.drug, s.condition): (s.without, s.present) for s in nhanes.signals(frame)}
    published = {
        ("bp_med_diur_loop", "cc_cvd_hf"): (0.07, 0.49),
        ("bp_med_beta", "cc_cvd_mi"): (0.335, 0.67),
        ("bp_med_ace", "cc_diabetes"): (0.39, 0.52),
        ("bp_med_ccb", "demo_race_black"): (0.295, 0.44),
        ("chol_med_statin", "cc_diabetes"): (0.12, 0.47),
        ("chol_med_statin", "cc_cvd_ascvd"): (0.13, 0.55),
    }
    overall = {"diur_loop": 0.11, "beta": 0.37, "ace": 0.43, "ccb": 0.34}
    for drug, share in overall.items():
        assert pressure.taken[f"bp_med_{drug}"].mean() == pytest.approx(share, abs=0.006), drug
    for key, (without, present) in published.items():
        assert found[key] == pytest.approx((without, present), abs=0.006), key
