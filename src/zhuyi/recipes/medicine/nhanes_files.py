"""The treatment table from the CDC's own files: which component holds what, cycle by cycle.

It gives the columns that the recipe learns from and asks for, with the compilation's names, so that
`nhanes.antihypertensive` and `nhanes.lipid_lowering` read both. Names of files and variables are
those of the CDC's code books as remembered; a variable that is not there is an error, never a
guess. Never run on the CDC's files so far: the tests write their own of the same form.
"""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

import numpy as np

from zhuyi.errors import InputError
from zhuyi.recipes.data import fetch_file
from zhuyi.recipes.medicine.drugs import classes_of_name
from zhuyi.recipes.nhanes import ANTIHYPERTENSIVE, INPUTS, LIPID_LOWERING
from zhuyi.recipes.nhanes_cdc import BPQ, CYCLES, DIQ, MCQ, RXQ, Component, file_of, read

if TYPE_CHECKING:
    import pandas as pd

Find = Callable[[Component, int], Path]
"""A component of a cycle -> its file."""

_PRESSURES: Final = tuple(f"BPX{which}{turn}" for which in ("SY", "DI") for turn in (1, 2, 3))
DEMO: Final = Component(
    name="DEMO",
    needed={"RIAGENDR": "1 man, 2 woman", "RIDAGEYR": "years of age", "RIDRETH1": "group"},
    offered={"RIDRETH3": "group, with Asian apart", "RIDEXPRG": "1 pregnant, 2 not, 3 not known"},
)
PRESSURE: Final = Component(
    name="BPX", needed=dict.fromkeys(_PRESSURES, "mm Hg, one reading of three")
)
BODY: Final = Component(name="BMX", needed={"BMXBMI": "kg/m2"})
SMOKING: Final = Component(
    name="SMQ", needed={"SMQ020": "100 cigarettes in life", "SMQ040": "now: 1, 2 yes, 3 no"}
)
LABORATORY: Mapping[str, tuple[Component, tuple[str, str, str]]] = MappingProxyType(
    {
        "total": (
            Component(name="TCHOL", needed={"LBXTC": "total cholesterol, mg/dL"}),
            ("LAB13", "L13", "L13"),
        ),
        "hdl": (
            Component(
                name="HDL",
                needed={"LBDHDD": "HDL cholesterol, mg/dL"},
                older={"LBDHDD": ("LBDHDL", "LBXHDD")},
            ),
            ("LAB13", "L13", "L13"),
        ),
        "fasting": (
            Component(
                name="TRIGLY",
                needed={"LBXTR": "triglycerides, mg/dL", "LBDLDL": "LDL cholesterol, mg/dL"},
            ),
            ("LAB13AM", "L13AM", "L13AM"),
        ),
        "hba1c": (Component(name="GHB", needed={"LBXGH": "HbA1c, %"}), ("LAB10", "L10", "L10")),
        "urine": (
            Component(
                name="ALB_CR",
                needed={"URXUMA": "albumin, ug/mL", "URXUCR": "creatinine, mg/dL"},
            ),
            ("LAB16", "L16", "L16"),
        ),
        "serum": (
            Component(
                name="BIOPRO",
                needed={"LBXSCR": "creatinine, mg/dL"},
                older={"LBXSCR": ("LBDSCR",)},
            ),
            ("LAB18", "L40", "L40"),
        ),
    }
)
"""Laboratory files, with what they are called in the cycles from 1999, 2001 and 2003."""

# creatinine of these cycles was measured otherwise: standard = shift + factor * value
_CREATININE: Mapping[int, tuple[float, float]] = MappingProxyType(
    {1999: (0.147, 1.013), 2005: (-0.016, 0.978)}
)
_RACES: Final = {1.0: "Hispanic", 2.0: "Hispanic", 3.0: "Non-Hispanic White",
                 4.0: "Non-Hispanic Black", 5.0: "Other", 6.0: "Non-Hispanic Asian",
                 7.0: "Other"}  # fmt: skip
_HEART: Final = (
    *(("cc_cvd_hf", "MCQ160B"), ("cc_cvd_chd", "MCQ160C"), ("cc_cvd_mi", "MCQ160E")),
    ("cc_cvd_stroke", "MCQ160F"),
)
_LIPIDS: Final = ("chol_total", "chol_hdl", "chol_trig", "chol_ldl")


def components(cycle: int) -> tuple[Component, ...]:
    """What is read of a cycle, DEMO first and the drugs last, under that cycle's names of files.

    Example:
        >>> [one.name for one in components(1999)][6:9]
        ['LAB13', 'LAB13', 'LAB13AM']
    """
    place = {1999: 0, 2001: 1, 2003: 2}.get(cycle)
    laboratory = [
        one if place is None else Component(name=names[place], needed=one.needed, older=one.older)
        for one, names in LABORATORY.values()
    ]
    return (DEMO, BPQ, DIQ, MCQ, PRESSURE, SMOKING, *laboratory, BODY, RXQ)


def build(
    *, cycles: Sequence[int] = tuple(CYCLES), download: bool = True, find: Find | None = None
) -> "pd.DataFrame":
    """The table of all adults of some cycles.

    Args:
        cycles: first years of the cycles, of `nhanes_cdc.CYCLES`.
        download: whether files that are not here may be fetched from the CDC.
        find: where a component's file is; None: in ZHUYI_DATA, the cache, or the CDC's address.

    Returns: one row a person of 18 years or more, with the columns of `nhanes.INPUTS`, the classes
        of drugs ("Yes", "No", missing), bp_med_use, demo_race_black and cc_cvd_ascvd.
    Raises:  DataUnavailable: if a file cannot be had. InputError: if one is not what it should be.
    Cost:    14 files a cycle, some 25 MB.
    Not:     the compilation: that has the years to 2020, and may grade or average otherwise.
    """
    import pandas as pd

    def fetched(component: Component, cycle: int) -> Path:
        return fetch_file(file_of(component, cycle), download=download)

    where = fetched if find is None else find
    return pd.concat([_cycle(cycle, where) for cycle in cycles], ignore_index=True)


def _cycle(cycle: int, find: Find) -> "pd.DataFrame":
    *single, drugs = (read(one, cycle, find(one, cycle)) for one in components(cycle))
    whole = single[0]
    for part in single[1:]:
        whole = whole.merge(part, on="SEQN", how="left", validate="one_to_one")
    whole = whole[whole["RIDAGEYR"] >= 18.0].reset_index(drop=True)
    if whole.empty:
        raise InputError(f"the files of {cycle} have no adult in common")
    table = _measured(whole, cycle).join(_said(whole))
    table = table.join(_defined(table, whole))[list(INPUTS)]
    table["demo_race_black"] = _yes_no(table["demo_race"] == "Non-Hispanic Black")
    heart = table[["cc_cvd_mi", "cc_cvd_chd", "cc_cvd_stroke"]]
    table["cc_cvd_ascvd"] = _yes_no((heart == "Yes").any(axis=1), known=heart.notna().any(axis=1))
    table["bp_med_use"] = whole.get("BPQ050A", whole["BPQ020"].map({"No": "No"})).fillna("No")
    return table.join(_taken(whole["SEQN"], drugs, fasting=table["chol_trig"].notna()))


def _measured(whole: "pd.DataFrame", cycle: int) -> "pd.DataFrame":
    import pandas as pd

    shift, factor = _CREATININE.get(cycle, (0.0, 1.0))
    diastolic = whole[list(_PRESSURES[3:])]
    diastolic = diastolic.where(diastolic >= 1.0)  # 0 says that none was heard, and reads as 5e-79
    found = pd.DataFrame(
        {
            "demo_age_years": whole["RIDAGEYR"].clip(upper=80.0),
            "bp_sys_mean": whole[list(_PRESSURES[:3])].mean(axis=1),
            "bp_dia_mean": diastolic.mean(axis=1),
            "chol_total": whole["LBXTC"],
            "chol_hdl": whole["LBDHDD"],
            "chol_trig": whole["LBXTR"],
            "chol_ldl": whole["LBDLDL"],
            "cc_acr": 100.0 * whole["URXUMA"] / whole["URXUCR"],
            "cc_egfr": _filtration(shift + factor * whole["LBXSCR"], whole),
            "cc_hba1c": whole["LBXGH"],
        }
    )
    fasting = found[list(_LIPIDS)].notna().all(axis=1)
    found[list(_LIPIDS)] = found[list(_LIPIDS)].where(fasting)
    return found


def _filtration(creatinine: "pd.Series", whole: "pd.DataFrame") -> "pd.Series":
    """CKD-EPI 2021, as `fhir_measured.filtration` has it for one person."""
    woman = whole["RIAGENDR"] == 2.0
    k, a = np.where(woman, 0.7, 0.9), np.where(woman, -0.241, -0.302)
    ratio = creatinine / k
    low, high = ratio.clip(upper=1.0), ratio.clip(lower=1.0)
    return 142.0 * low**a * high**-1.2 * 0.9938 ** whole["RIDAGEYR"] * np.where(woman, 1.012, 1.0)


def _said(whole: "pd.DataFrame") -> "pd.DataFrame":
    import pandas as pd

    race = whole["RIDRETH3"] if "RIDRETH3" in whole else whole["RIDRETH1"]
    gender = whole["RIAGENDR"].map({1.0: "Men", 2.0: "Women"})
    now = whole["SMQ040"].map({1.0: "Current", 2.0: "Current", 3.0: "Former"})
    asked = whole["RIDEXPRG"] if "RIDEXPRG" in whole else pd.Series(np.nan, index=whole.index)
    pregnant = asked.map({1.0: "Yes", 2.0: "No"})
    out = (gender == "Men") | (whole["RIDAGEYR"] >= 60.0)
    grades = pd.cut(
        whole["BMXBMI"],
        [-np.inf, 25.0, 30.0, 35.0, np.inf],
        right=False,
        labels=["<25", "25 to <30", "30 to <35", "35+"],
    )
    return pd.DataFrame(
        {
            "demo_race": race.map(_RACES),
            "demo_gender": gender,
            "demo_pregnant": pregnant.mask(out | asked.isna(), "No"),
            "cc_smoke": now.mask(whole["SMQ020"] == 2.0, "Never"),
            "cc_bmi": grades.astype("object"),
            **{column: whole[variable] for column, variable in _HEART},
        }
    )


def _defined(table: "pd.DataFrame", whole: "pd.DataFrame") -> "pd.DataFrame":
    """Diabetes and kidney disease as the compilation defines them."""
    import pandas as pd

    glucose = [name for name in ("DIQ050", "DIQ070") if name in whole]
    diabetes = (
        (whole["DIQ010"] == "Yes")
        | (table["cc_hba1c"] >= 6.5)
        | (whole[glucose] == "Yes").any(axis=1)
    )
    kidney = (table["cc_egfr"] < 60.0) | (table["cc_acr"] >= 30.0)
    return pd.DataFrame({"cc_diabetes": _yes_no(diabetes), "cc_ckd": _yes_no(kidney)})


def _yes_no(holds: "pd.Series", known: "pd.Series | None" = None) -> "pd.Series":
    said = holds.map({True: "Yes", False: "No"})
    return said if known is None else said.where(known)


def _taken(people: "pd.Series", drugs: "pd.DataFrame", *, fasting: "pd.Series") -> "pd.DataFrame":
    """Classes by person; missing for those who were not asked about drugs."""
    import pandas as pd

    named = drugs["RXDDRUG"].astype("object").fillna("").map(str)
    classes = {text: classes_of_name(text) for text in named.unique()}
    columns = {}
    for drug in (*ANTIHYPERTENSIVE, *LIPID_LOWERING):
        takes = set(drugs["SEQN"][named.map(lambda text, d=drug: d in classes[text])])
        known = people.isin(set(drugs["SEQN"]))
        if drug in LIPID_LOWERING:
            known &= fasting
        columns[drug] = _yes_no(people.isin(takes), known=known)
    return pd.DataFrame(columns)
