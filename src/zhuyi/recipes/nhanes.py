"""NHANES 1999-2020, compiled: people's history and measurements, and the drug classes they take."""

from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from zhuyi.errors import InputError
from zhuyi.recipes.archive import read_file
from zhuyi.recipes.data import fetch
from zhuyi.recipes.tables import read_table

if TYPE_CHECKING:
    import pandas as pd

MEASURED = (
    *("demo_age_years", "bp_sys_mean", "bp_dia_mean", "chol_total", "chol_hdl", "chol_trig"),
    *("chol_ldl", "cc_acr", "cc_egfr", "cc_hba1c"),
)
"""Numbers: years, mm Hg, mg/dL (cholesterol), mg/g (ACR), mL/min/1.73 m2 (eGFR), % (HbA1c)."""

HISTORY = (
    *("demo_race", "demo_gender", "demo_pregnant", "cc_smoke", "cc_bmi", "cc_diabetes", "cc_ckd"),
    *("cc_cvd_mi", "cc_cvd_chd", "cc_cvd_stroke", "cc_cvd_hf"),
)
"""Categories: who a person is and was told to have."""

INPUTS = (*MEASURED, *HISTORY)

ANTIHYPERTENSIVE = (
    *("bp_med_ace", "bp_med_aldo", "bp_med_alpha", "bp_med_angioten", "bp_med_beta"),
    *("bp_med_central", "bp_med_ccb", "bp_med_diur_Ksparing", "bp_med_diur_loop"),
    *("bp_med_diur_thz", "bp_med_renin_inhibitors", "bp_med_vasod"),
)
"""The 12 classes of drugs against high blood pressure."""

LIPID_LOWERING = (
    *("chol_med_statin", "chol_med_ezetimibe", "chol_med_pcsk9i", "chol_med_bile"),
    "chol_med_fibric_acid",
)
"""The 5 classes of drugs against high blood lipids."""

LEAKAGE = (
    # Say that, how many or which drugs are taken.
    *("bp_med_use", "bp_med_n_*", "bp_med_combination", "bp_med_pills_gteq_2", "bp_med_ccb_*"),
    *("chol_med_use*", "chol_med_?*statin", "chol_med_other", "chol_med_addon_use"),
    # Defined with the drugs: "taking antihypertensive medications" is one of the categories.
    *("bp_cat_meds_*", "bp_control_*", "bp_uncontrolled_*", "htn_*"),
    # What a guideline, or the person's physician, recommended.
    *("*_recommended_*", "ascvd_risk_vh_ahaacc", "chol_ldl_persistent"),
)
"""Columns that carry the answer, by pattern. Nothing here is ever an input."""

APART = (
    *("svy_*", "chol_measured_*"),
    *("demo_age_cat", "demo_race_black", "chol_total_gteq_*", "chol_hdl_low", "chol_trig_gteq_150"),
    *("chol_ldl_5cat", "chol_ldl_lt_*", "chol_ldl_gteq_*", "chol_nonhdl*"),
    *("cc_egfr_lt60", "cc_acr_gteq30", "cc_cvd_ascvd", "cc_cvd_any"),
)
"""The survey's design, and columns that only repeat an input more coarsely."""

WIDTH = 116


@dataclass(frozen=True, kw_only=True)
class Treated:
    """People with the classes of drugs they take.

    Args:
        inputs: the columns of `INPUTS`.
        taken: one boolean column a class.
        people: every column of the same rows, for signals and subgroups; never to learn from.
    """

    inputs: "pd.DataFrame"
    taken: "pd.DataFrame"
    people: "pd.DataFrame"


@dataclass(frozen=True, kw_only=True)
class Signal:
    """A difference that a guideline explains: how many take a class, without and with a condition.

    Args:
        drug: column of the class.
        condition: column of the condition.
        without, present: shares of people who take it, in [0, 1].
        counts: people without and with the condition.
    """

    drug: str
    condition: str
    without: float
    present: float
    counts: tuple[int, int]


SIGNALS: tuple[tuple[str, str], ...] = (
    ("bp_med_diur_loop", "cc_cvd_hf"),
    ("bp_med_beta", "cc_cvd_mi"),
    ("bp_med_ace", "cc_diabetes"),
    ("bp_med_ccb", "demo_race_black"),
    ("chol_med_statin", "cc_diabetes"),
    ("chol_med_statin", "cc_cvd_ascvd"),
)
"""(class, condition): what guidelines advise, and an explanation ought to find."""


def load(path: Path | None = None, *, rows: int | None = 59_799) -> "pd.DataFrame":
    """Load the compiled table, all columns.

    Args:
        path: the .csv or .csv.gz; None asks `fetch`.
        rows: how many rows it must have; None for any number.

    Raises: InputError: if a column is unknown or missing.
    Not:    for redistribution: the compilation is GPL-3 (`zhuyi.recipes.nhanes_cdc` reads the
        CDC's own files). Not for prescribing: it shows what people took, with pressures and lipids
        measured under treatment.
    """
    import pandas as pd

    data = read_file(path or fetch("nhanes_1999_2020"), "nhanes_1999_2020.csv")
    header = data.partition(b"\n")[0].decode("utf-8-sig").strip().split(",")
    roles = {column: role(column) for column in header}
    absent = [c for c in (*INPUTS, *ANTIHYPERTENSIVE, *LIPID_LOWERING) if c not in roles]
    if absent or len(header) != WIDTH:
        raise InputError(
            f"nhanes_1999_2020.csv must have {WIDTH} columns, got {len(header)}"
            f"{' and lacks ' + ', '.join(absent) if absent else ''}: it is another version"
        )
    frame = read_table(data, name="nhanes_1999_2020.csv", columns=header, rows=rows)
    for column in MEASURED:
        frame[column] = pd.to_numeric(frame[column])
    return frame


def role(column: str) -> str:
    """What a column is to a learner: "input", "drug", "leakage" or "apart".

    Raises: InputError: for a column that nobody has judged, which could carry the answer.

    Example:
        >>> role("htn_aware"), role("cc_egfr")
        ('leakage', 'input')
    """
    if column in INPUTS:
        return "input"
    if column in (*ANTIHYPERTENSIVE, *LIPID_LOWERING):
        return "drug"
    for patterns, name in ((LEAKAGE, "leakage"), (APART, "apart")):
        if any(fnmatchcase(column, pattern) for pattern in patterns):
            return name
    raise InputError(f"column {column!r} is in no list: judge whether it leaks before it is used")


def antihypertensive(frame: "pd.DataFrame") -> Treated:
    """Adults under treatment for blood pressure, with the 12 classes; which ones, not whether.

    People who say they take a drug for it and of whom one class at least is on record. That drugs
    are taken at all follows from the definition of hypertension in these data, so it is not asked.
    """
    says = frame["bp_med_use"] == "Yes"
    recorded = (frame[list(ANTIHYPERTENSIVE)] == "Yes").any(axis=1)
    return _treated(frame[says & recorded], ANTIHYPERTENSIVE)


def lipid_lowering(frame: "pd.DataFrame") -> Treated:
    """Adults with lipid data, treated or not, with the 5 classes; one or none."""
    return _treated(frame, LIPID_LOWERING)


def _treated(frame: "pd.DataFrame", classes: tuple[str, ...]) -> Treated:
    people = frame[frame[list(classes)].notna().all(axis=1)].reset_index(drop=True)
    return Treated(
        inputs=people[list(INPUTS)].copy(), taken=people[list(classes)] == "Yes", people=people
    )


def signals(frame: "pd.DataFrame") -> tuple[Signal, ...]:
    """The differences of `SIGNALS`, unweighted; blood pressure among the treated only."""
    sources = {"bp": antihypertensive(frame), "chol": lipid_lowering(frame)}
    found = []
    for drug, condition in SIGNALS:
        source = sources[drug.partition("_")[0]]
        takes: npt.NDArray[np.bool_] = source.taken[drug].to_numpy()
        said = source.people[condition]
        groups = [takes[(said == answer).to_numpy()] for answer in ("No", "Yes")]
        shares = [float(group.mean()) if len(group) else float("nan") for group in groups]
        found.append(
            Signal(
                drug=drug,
                condition=condition,
                without=shares[0],
                present=shares[1],
                counts=(len(groups[0]), len(groups[1])),
            )
        )
    return tuple(found)
