"""The treatment table from transport files, on files written here with the CDC's names."""

from collections.abc import Sequence
from pathlib import Path

import pandas as pd
import pytest

from tests.recipes.xport import xport
from zhuyi.errors import DataUnavailable, InputError
from zhuyi.recipes import nhanes
from zhuyi.recipes.medicine.fhir_measured import filtration
from zhuyi.recipes.medicine.nhanes_files import build, components
from zhuyi.recipes.nhanes_cdc import Component, file_of

Columns = dict[str, Sequence[float | str | None]]
PEOPLE = [1.0, 2.0, 3.0, 4.0]

FILES: dict[str, Columns] = {
    "DEMO": {
        "SEQN": PEOPLE,
        "RIAGENDR": [1.0, 2.0, 2.0, 1.0],
        "RIDAGEYR": [70.0, 30.0, 85.0, 12.0],
        "RIDRETH1": [4.0, 5.0, 3.0, 1.0],
        "RIDRETH3": [4.0, 6.0, 3.0, 1.0],
        "RIDEXPRG": [None, 1.0, None, None],
    },
    "BPQ": {"SEQN": PEOPLE[:3], "BPQ020": [1.0, 2.0, 1.0], "BPQ050A": [1.0, None, 2.0]},
    "DIQ": {"SEQN": PEOPLE[:3], "DIQ010": [2.0, 2.0, 1.0], "DIQ050": [2.0, 2.0, 2.0]},
    "MCQ": {
        "SEQN": PEOPLE[:3],
        "MCQ160B": [1.0, 2.0, 9.0],
        "MCQ160C": [2.0, 2.0, 2.0],
        "MCQ160E": [1.0, 2.0, 2.0],
        "MCQ160F": [2.0, 2.0, 2.0],
    },
    "BPX": {
        "SEQN": PEOPLE[:2],
        "BPXSY1": [150.0, 118.0],
        "BPXSY2": [140.0, 122.0],
        "BPXSY3": [None, 120.0],
        "BPXDI1": [80.0, 0.0],
        "BPXDI2": [90.0, 70.0],
        "BPXDI3": [None, 74.0],
    },
    "SMQ": {"SEQN": PEOPLE[:3], "SMQ020": [1.0, 2.0, 1.0], "SMQ040": [3.0, None, 1.0]},
    "TCHOL": {"SEQN": PEOPLE[:3], "LBXTC": [200.0, 180.0, 240.0]},
    "HDL": {"SEQN": PEOPLE[:3], "LBDHDD": [40.0, 60.0, 50.0]},
    "TRIGLY": {"SEQN": PEOPLE[:2], "LBXTR": [150.0, None], "LBDLDL": [130.0, None]},
    "GHB": {"SEQN": PEOPLE[:3], "LBXGH": [6.5, 5.2, 6.0]},
    "ALB_CR": {"SEQN": PEOPLE[:3], "URXUMA": [6.0, 5.0, 45.0], "URXUCR": [100.0, 100.0, 150.0]},
    "BIOPRO": {"SEQN": PEOPLE[:3], "LBXSCR": [1.0, 0.6, 0.8]},
    "BMX": {"SEQN": PEOPLE[:3], "BMXBMI": [30.0, 24.9, 35.0]},
    "RXQ_RX": {
        "SEQN": [1.0, 1.0, 1.0, 2.0],
        "RXDDRUG": ["FUROSEMIDE", "LISINOPRIL; HYDROC", "ATORVASTATIN", ""],
    },
}


def written(folder: Path, files: dict[str, Columns], cycle: int) -> None:
    for component in components(cycle):
        path = folder / file_of(component, cycle).file
        path.write_bytes(xport(files[component.name]))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    written(tmp_path, FILES, 2017)
    return tmp_path


def found_in(folder: Path) -> pd.DataFrame:
    return build(cycles=(2017,), find=lambda one, cycle: folder / file_of(one, cycle).file)


def test_every_column_of_the_recipe_is_there_and_right(folder: Path) -> None:
    table = found_in(folder)
    assert len(table) == 3, "children are left out"
    first, second, third = (table.iloc[row] for row in range(3))
    assert first["demo_age_years"] == 70.0
    assert third["demo_age_years"] == 80.0
    assert table["demo_race"].tolist() == [
        "Non-Hispanic Black", "Non-Hispanic Asian", "Non-Hispanic White",
    ]  # fmt: skip
    assert table["demo_pregnant"].tolist() == ["No", "Yes", "No"]
    assert (first["bp_sys_mean"], first["bp_dia_mean"]) == (145.0, 85.0)
    assert second["bp_dia_mean"] == 72.0, "a pressure of 0 is none"
    assert table["cc_smoke"].tolist() == ["Former", "Never", "Current"]
    assert table["cc_bmi"].tolist() == ["30 to <35", "<25", "35+"]
    assert first["cc_acr"] == pytest.approx(6.0)
    assert first["cc_egfr"] == pytest.approx(filtration(1.0, 70.0, woman=False))
    assert second["cc_egfr"] == pytest.approx(filtration(0.6, 30.0, woman=True))
    assert table["cc_diabetes"].tolist() == ["Yes", "No", "Yes"], "HbA1c counts, and being told"
    assert table["cc_ckd"].tolist() == ["No", "No", "Yes"]
    assert table["cc_cvd_hf"].fillna("-").tolist() == ["Yes", "No", "-"]
    assert table["cc_cvd_ascvd"].tolist() == ["Yes", "No", "No"]
    assert table["chol_total"].notna().tolist() == [True, False, False], "of the fasting ones"


def test_classes_of_drugs_by_person(folder: Path) -> None:
    table = found_in(folder)
    takes = {name for name in table if str(name).startswith(("bp_med_", "chol_med_"))}
    yes = {name for name in takes if table[name].iloc[0] == "Yes"}
    assert yes == {"bp_med_use", "bp_med_diur_loop", "bp_med_ace", "chol_med_statin"}
    assert table["bp_med_ace"].fillna("-").tolist() == ["Yes", "No", "-"], "not asked is missing"


def test_the_loaders_of_the_compilation_read_it(folder: Path) -> None:
    table = found_in(folder)
    pressure, lipids = nhanes.antihypertensive(table), nhanes.lipid_lowering(table)
    assert (len(pressure.inputs), len(lipids.inputs)) == (1, 1)
    assert bool(pressure.taken["bp_med_diur_loop"].iloc[0])
    assert {nhanes.role(str(name)) for name in table} <= {"input", "drug", "leakage", "apart"}


def test_earlier_cycles_have_other_names_of_files(tmp_path: Path) -> None:
    names = [one.name for one in components(2003)]
    assert names[6:12] == ["L13", "L13", "L13AM", "L10", "L16", "L40"]
    old = {**FILES}
    lipids = {"LBXTC": FILES["TCHOL"]["LBXTC"], "LBDHDL": FILES["HDL"]["LBDHDD"]}
    old["LAB13"] = {"SEQN": PEOPLE[:3], **lipids}
    for name, earlier in (("TRIGLY", "LAB13AM"), ("GHB", "LAB10"), ("ALB_CR", "LAB16"),
                          ("BIOPRO", "LAB18")):  # fmt: skip
        old[earlier] = FILES[name]
    written(tmp_path, old, 1999)
    table = build(cycles=(1999,), find=lambda one, cycle: tmp_path / file_of(one, cycle).file)
    assert table["chol_hdl"].iloc[0] == 40.0
    # creatinine of 1999 is put on today's scale
    assert table["cc_egfr"].iloc[0] == pytest.approx(filtration(1.16, 70.0, woman=False))


def test_a_file_without_its_variable_is_refused(folder: Path) -> None:
    (folder / "GHB_J.XPT").write_bytes(xport({"SEQN": PEOPLE}))
    with pytest.raises(InputError, match="must have LBXGH"):
        found_in(folder)


def test_nothing_is_fetched_when_that_was_not_allowed(bare: Path) -> None:
    with pytest.raises(DataUnavailable, match=r"DEMO\.XPT cannot be had"):
        build(cycles=(1999,), download=False)


def test_each_component_is_read_once_a_cycle() -> None:
    seen: list[Component] = list(components(2017))
    assert len(seen) == len({one.name for one in seen}) == 14
