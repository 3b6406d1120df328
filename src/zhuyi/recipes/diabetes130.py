"""Diabetes 130-US hospitals: encounters, the glucose-lowering drugs given, and readmission."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from zhuyi.recipes.archive import read_file
from zhuyi.recipes.data import fetch
from zhuyi.recipes.tables import read_table

if TYPE_CHECKING:
    import pandas as pd

DRUGS = (
    *("metformin", "repaglinide", "nateglinide", "chlorpropamide", "glimepiride"),
    *("acetohexamide", "glipizide", "glyburide", "tolbutamide", "pioglitazone", "rosiglitazone"),
    *("acarbose", "miglitol", "troglitazone", "tolazamide", "examide", "citoglipton", "insulin"),
    *("glyburide-metformin", "glipizide-metformin", "glimepiride-pioglitazone"),
    *("metformin-rosiglitazone", "metformin-pioglitazone"),
)
"""The 23 drugs; each "No", "Steady", "Up" or "Down"."""

COUNTS = (
    *("time_in_hospital", "num_lab_procedures", "num_procedures", "num_medications"),
    *("number_outpatient", "number_emergency", "number_inpatient", "number_diagnoses"),
)
"""Numbers: days, and counts of this stay and of the year before it."""

OF_STAY = ("time_in_hospital", "num_lab_procedures", "num_procedures", "num_medications")
"""Known only when a patient leaves; the drugs counted are the answer on insulin, too."""

BACKGROUND = (
    *("race", "gender", "age", "admission_type_id", "discharge_disposition_id"),
    *("admission_source_id", "medical_specialty", "diag_1", "diag_2", "diag_3"),
    *("max_glu_serum", "A1Cresult"),
)
"""Categories; the three codes are no quantities, and the diagnoses are ICD-9 chapters."""

IDENTIFIERS = ("encounter_id", "patient_nbr")
UNUSED = ("weight", "payer_code")
"""Missing in 97 % of the rows; and who pays, which is no medical reason."""

_ALL = (
    *(*IDENTIFIERS, "race", "gender", "age", "weight", "admission_type_id"),
    *("discharge_disposition_id", "admission_source_id", "time_in_hospital", "payer_code"),
    *("medical_specialty", "num_lab_procedures", "num_procedures", "num_medications"),
    *("number_outpatient", "number_emergency", "number_inpatient", "diag_1", "diag_2", "diag_3"),
    *("number_diagnoses", "max_glu_serum", "A1Cresult", *DRUGS, "change", "diabetesMed"),
    "readmitted",
)
_GONE = (11, 13, 14, 19, 20, 21)  # discharged to a hospice, or dead: cannot be readmitted


@dataclass(frozen=True, kw_only=True)
class Encounters:
    """Rows to learn from.

    Args:
        inputs: what is known before the answer.
        target: the answer, one a row.
        patients: whom each row is about; a patient is never on both sides of a split.
    """

    inputs: "pd.DataFrame"
    target: npt.NDArray[np.str_] | npt.NDArray[np.bool_]
    patients: npt.NDArray[np.int64]


def load(path: Path | None = None, *, rows: int | None = 101_766) -> "pd.DataFrame":
    """Load all encounters with all 50 columns.

    "?" is missing; "None" in A1Cresult and max_glu_serum says that the test was not made, and is a
    category.

    Args:
        path: the .zip; None asks `fetch`.
        rows: how many rows it must have; None for any number.

    Raises: InputError: if the file is not this table.
    """
    data = read_file(path or fetch("diabetes130"), "diabetic_data.csv")
    types = dict.fromkeys((*IDENTIFIERS, *COUNTS), "int64")
    types |= dict.fromkeys(("diag_1", "diag_2", "diag_3"), "str")
    codes = ("admission_type_id", "discharge_disposition_id", "admission_source_id")
    types |= dict.fromkeys(codes, "int64")
    return read_table(
        data, name="diabetic_data.csv", columns=_ALL, rows=rows, missing=("?",), types=types
    )


def readmission(frame: "pd.DataFrame") -> Encounters:
    """Whether a patient comes back within 30 days of leaving; the drugs given are inputs.

    Patients who died or went to a hospice are left out: they cannot come back.
    """
    stayed = frame[~frame["discharge_disposition_id"].isin(_GONE)].reset_index(drop=True)
    inputs = _inputs(stayed, (*COUNTS, *BACKGROUND, *DRUGS, "change", "diabetesMed"))
    target = (stayed["readmitted"] == "<30").to_numpy(dtype=bool)
    return Encounters(inputs=inputs, target=target, patients=stayed["patient_nbr"].to_numpy())


def insulin(frame: "pd.DataFrame") -> Encounters:
    """What was done with insulin: "No", "Steady", "Up" or "Down".

    No other drug, `change` or `diabetesMed` is an input (they are the same decision), nor the
    counts of the stay (the drugs among them), where the patient went afterwards or whether they
    came back.
    """
    late = (*OF_STAY, "discharge_disposition_id")
    kept = tuple(c for c in (*COUNTS, *BACKGROUND) if c not in late)
    whole = frame.reset_index(drop=True)
    target: npt.NDArray[np.str_] = whole["insulin"].to_numpy(dtype=str)
    return Encounters(
        inputs=_inputs(whole, kept), target=target, patients=whole["patient_nbr"].to_numpy()
    )


def chapter(code: str) -> str:
    """The group of an ICD-9 code that Strack et al. use.

    Example:
        >>> chapter("250.83"), chapter("428"), chapter("V45")
        ('diabetes', 'circulatory', 'other')
    """
    if code[:1] in ("E", "V") or not code:
        return "other"
    if code.startswith("250"):
        return "diabetes"
    number = int(float(code))
    for name, spans in _CHAPTERS.items():
        if any(low <= number <= high for low, high in spans):
            return name
    return "other"


_CHAPTERS = {
    "circulatory": ((390, 459), (785, 785)),
    "respiratory": ((460, 519), (786, 786)),
    "digestive": ((520, 579), (787, 787)),
    "injury": ((800, 999),),
    "musculoskeletal": ((710, 739),),
    "genitourinary": ((580, 629), (788, 788)),
    "neoplasms": ((140, 239),),
}


def _inputs(frame: "pd.DataFrame", columns: tuple[str, ...]) -> "pd.DataFrame":
    inputs = frame[list(columns)].copy()
    for name in ("diag_1", "diag_2", "diag_3"):
        inputs[name] = inputs[name].map(chapter, na_action="ignore")
    for name in BACKGROUND:
        if name in inputs and name.endswith("_id"):
            inputs[name] = inputs[name].astype("str")
    return inputs
