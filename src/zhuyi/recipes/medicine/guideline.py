"""What guidelines advise, as rules that a person can read: the baseline that learns nothing.

    score(person, class) = sum_r points_r [rule r holds for the person],  missing answers hold none

The rules follow the compelling indications of the blood pressure guidelines (JNC 7 and 8, ACC/AHA
2017) and the treatment groups of the cholesterol guideline (AHA/ACC 2018), put down here from
memory of these texts and far shorter than they are: a baseline for a ranking, nothing to treat by.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from zhuyi.errors import OptionError

if TYPE_CHECKING:
    import pandas as pd

Holds = Callable[["pd.DataFrame"], "pd.Series"]


@dataclass(frozen=True, kw_only=True)
class Rule:
    """A reason for a class of drugs.

    Args:
        said: in words.
        holds: rows -> where it applies, bool "B".
        points: what it adds; negative where it speaks against the class.
    """

    said: str
    holds: Holds
    points: float = 1.0


def _yes(column: str, said: str, points: float = 1.0) -> Rule:
    return Rule(said=said, holds=lambda rows: rows[column] == "Yes", points=points)


def _from(column: str, least: float, said: str, points: float = 1.0) -> Rule:
    return Rule(said=said, holds=lambda rows: rows[column] >= least, points=points)


def _below(column: str, most: float, said: str, points: float = 1.0) -> Rule:
    return Rule(said=said, holds=lambda rows: rows[column] < most, points=points)


def _any_yes(columns: Sequence[str], said: str, points: float = 1.0) -> Rule:
    names = list(columns)
    return Rule(said=said, holds=lambda rows: (rows[names] == "Yes").any(axis=1), points=points)


def _is(column: str, value: str, said: str, points: float = 1.0) -> Rule:
    return Rule(said=said, holds=lambda rows: rows[column] == value, points=points)


_BLACK = "Non-Hispanic Black"
_HEART_FAILURE = _yes("cc_cvd_hf", "heart failure")
_INFARCTION = _yes("cc_cvd_mi", "after a heart attack")
_CORONARY = _yes("cc_cvd_chd", "coronary heart disease")
_DIABETES = _yes("cc_diabetes", "diabetes")
_KIDNEY = _yes("cc_ckd", "chronic kidney disease")
_ALBUMIN = _from("cc_acr", 30.0, "albumin in the urine")
_ATHEROSCLEROSIS = _any_yes(
    ("cc_cvd_mi", "cc_cvd_chd", "cc_cvd_stroke"), "heart attack, coronary disease or stroke", 2.0
)
_RENIN_SYSTEM = (_HEART_FAILURE, _INFARCTION, _DIABETES, _KIDNEY, _ALBUMIN)
_RESISTANT = _from("bp_sys_mean", 160.0, "pressure high in spite of treatment")

RULES: Mapping[str, tuple[Rule, ...]] = MappingProxyType(
    {
        "bp_med_ace": _RENIN_SYSTEM,
        "bp_med_angioten": _RENIN_SYSTEM,
        "bp_med_aldo": (_HEART_FAILURE, _INFARCTION, _RESISTANT),
        "bp_med_alpha": (
            _is("demo_gender", "Men", "a man, for the prostate"),
            _from("demo_age_years", 60.0, "60 years or older"),
            _yes("cc_cvd_hf", "heart failure", -1.0),
        ),
        "bp_med_beta": (_INFARCTION, _CORONARY, _HEART_FAILURE),
        "bp_med_central": (_RESISTANT, _yes("demo_pregnant", "pregnant (methyldopa)"), _KIDNEY),
        "bp_med_ccb": (
            _is("demo_race", _BLACK, "a Black adult"),
            _from("demo_age_years", 60.0, "60 years or older"),
            _yes("cc_cvd_hf", "heart failure", -1.0),
        ),
        "bp_med_diur_Ksparing": (
            _below("cc_egfr", 45.0, "weak kidneys, which keep potassium", -1.0),
            _yes("cc_diabetes", "diabetes", -1.0),
        ),
        "bp_med_diur_loop": (
            _yes("cc_cvd_hf", "heart failure", 2.0),
            _below("cc_egfr", 30.0, "very weak kidneys, for which a thiazide does little", 2.0),
        ),
        "bp_med_diur_thz": (
            _is("demo_race", _BLACK, "a Black adult"),
            _below("cc_egfr", 30.0, "very weak kidneys", -2.0),
            _yes("cc_cvd_hf", "heart failure, where a loop diuretic is used", -1.0),
        ),
        "bp_med_renin_inhibitors": (_RESISTANT,),
        "bp_med_vasod": (
            _is("demo_race", _BLACK, "a Black adult"),
            _HEART_FAILURE,
            _RESISTANT,
            _below("cc_egfr", 30.0, "very weak kidneys"),
        ),
        "chol_med_statin": (
            _ATHEROSCLEROSIS,
            _from("chol_ldl", 190.0, "LDL of 190 or more", 2.0),
            _DIABETES,
            _from("demo_age_years", 40.0, "40 years or older"),
        ),
        "chol_med_ezetimibe": (_ATHEROSCLEROSIS, _from("chol_ldl", 190.0, "LDL of 190 or more")),
        "chol_med_pcsk9i": (_ATHEROSCLEROSIS, _from("chol_ldl", 190.0, "LDL of 190 or more")),
        "chol_med_bile": (_from("chol_ldl", 190.0, "LDL of 190 or more"),),
        "chol_med_fibric_acid": (
            _from("chol_trig", 200.0, "triglycerides of 200 or more"),
            _from("chol_trig", 500.0, "triglycerides of 500 or more"),
            _DIABETES,
        ),
    }
)
"""Class -> reasons for it, and against it."""


def scores(people: "pd.DataFrame", drugs: Sequence[str]) -> npt.NDArray[np.float64]:
    """Points of every person for every class, "B C"; nothing is learned.

    Args:
        people: rows with the input columns of `zhuyi.recipes.nhanes`.
        drugs: C columns of classes.

    Raises: OptionError: a class without rules.
    Not:    a treatment, and no guideline: a handful of their sentences.

    Example:
        >>> import pandas as pd
        >>> one = pd.DataFrame({"cc_cvd_hf": ["Yes"], "cc_egfr": [25.0]})
        >>> scores(one, ["bp_med_diur_loop"]).tolist()
        [[4.0]]
    """
    unknown = [drug for drug in drugs if drug not in RULES]
    if unknown:
        raise OptionError(f"there are no rules for {', '.join(unknown)}")
    points = np.zeros((len(people), len(drugs)))
    for place, drug in enumerate(drugs):
        for rule in RULES[drug]:
            points[:, place] += rule.points * rule.holds(people).to_numpy(dtype=bool)
    return points
