"""Diabetes-130: what is missing and what is not, what each question may know, who is whom."""

import io
import zipfile
from pathlib import Path

import pytest

from zhuyi.errors import InputError
from zhuyi.recipes import diabetes130
from zhuyi.recipes.splits import GroupedFolds

COLUMNS = diabetes130._ALL


def table(folder: Path, rows: list[dict[str, str]], columns: tuple[str, ...] = COLUMNS) -> Path:
    base = dict.fromkeys(columns, "No") | dict.fromkeys(diabetes130.COUNTS, "1")
    base |= {name: "1" for name in columns if name.endswith(("_id", "_nbr"))}
    base |= {"diag_1": "250.83", "diag_2": "?", "diag_3": "V45", "A1Cresult": "None"}
    base |= {"weight": "?", "readmitted": "NO"}
    lines = [",".join(columns)]
    lines += [",".join((base | row)[name] for name in columns) for row in rows]
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("dataset_diabetes/diabetic_data.csv", "\n".join(lines) + "\n")
        archive.writestr("dataset_diabetes/IDs_mapping.csv", "x")
        archive.writestr("__MACOSX/dataset_diabetes/._diabetic_data.csv", "junk")
    path = folder / "diabetes130.zip"
    path.write_bytes(packed.getvalue())
    return path


def test_none_is_a_category_and_a_question_mark_is_missing(tmp_path: Path) -> None:
    frame = diabetes130.load(table(tmp_path, [{}]), rows=1)
    assert frame["A1Cresult"][0] == "None"
    assert frame[["weight", "diag_2"]].isna().all(axis=None)
    assert frame["diag_1"][0] == "250.83"


def test_readmission_leaves_out_who_cannot_come_back(tmp_path: Path) -> None:
    rows = [
        {"readmitted": "<30", "patient_nbr": "7"},
        {"readmitted": ">30", "patient_nbr": "7"},
        {"readmitted": "NO", "discharge_disposition_id": "11"},
    ]
    found = diabetes130.readmission(diabetes130.load(table(tmp_path, rows), rows=None))
    assert found.target.tolist() == [True, False]
    assert found.patients.tolist() == [7, 7]
    assert not set(found.inputs) & {"readmitted", "encounter_id", "patient_nbr", "weight"}
    assert found.inputs["diag_1"].tolist() == ["diabetes"] * 2
    assert found.inputs["diag_2"].isna().all()
    assert found.inputs["admission_type_id"].tolist() == ["1", "1"], "a code, not a quantity"


def test_insulin_knows_no_other_drug_and_no_future(tmp_path: Path) -> None:
    rows = [{"insulin": "Up"}, {"insulin": "Steady"}]
    found = diabetes130.insulin(diabetes130.load(table(tmp_path, rows), rows=None))
    assert found.target.tolist() == ["Up", "Steady"]
    forbidden = {*diabetes130.DRUGS, "change", "diabetesMed", "readmitted"}
    forbidden |= {"discharge_disposition_id", *diabetes130.IDENTIFIERS}
    forbidden |= {"num_medications", "time_in_hospital"}  # counts of the whole stay, drugs too
    assert not set(found.inputs) & forbidden
    assert len(diabetes130.DRUGS) == 23


@pytest.mark.parametrize(
    ("code", "name"),
    [
        ("389", "other"), ("390", "circulatory"), ("459.9", "circulatory"), ("785", "circulatory"),
        ("460", "respiratory"), ("787", "digestive"), ("250", "diabetes"), ("999", "injury"),
        ("E909", "other"), ("239", "neoplasms"), ("240", "other"), ("710", "musculoskeletal"),
    ],
)  # fmt: skip
def test_chapters_by_hand(code: str, name: str) -> None:
    assert diabetes130.chapter(code) == name


def test_another_version_is_refused(tmp_path: Path) -> None:
    short = tuple(name for name in COLUMNS if name != "insulin")
    with pytest.raises(InputError, match="50 columns of its documentation; it lacks insulin"):
        diabetes130.load(table(tmp_path, [{}], short))
    with pytest.raises(InputError, match="must have 101,766 rows, got 1"):
        diabetes130.load(table(tmp_path, [{}]))


def test_the_real_table_splits_by_patient(real_data: Path) -> None:
    frame = diabetes130.load()
    assert frame.shape == (101_766, 50)
    assert frame["patient_nbr"].nunique() == 71_518
    assert int((frame["readmitted"] == "<30").sum()) == 11_357
    assert int((frame["insulin"] != "No").sum()) == 54_383
    assert int((frame["metformin"] != "No").sum()) == 19_988
    found = diabetes130.readmission(frame)
    for fold in GroupedFolds(folds=5)(found.patients):
        assert not set(found.patients[fold.train]) & set(found.patients[fold.test])
        assert len(fold.test) / len(found.target) == pytest.approx(0.2, abs=0.005)
        assert found.target[fold.test].mean() == pytest.approx(found.target.mean(), abs=0.01)
