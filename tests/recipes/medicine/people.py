"""Invented people with the columns of NHANES, whose drugs follow rules that are known."""

import numpy as np
import pandas as pd

from zhuyi.recipes.nhanes import HISTORY, INPUTS, MEASURED, Treated


def invented(count: int = 800, seed: int = 0) -> Treated:
    """Heart failure decides on a loop diuretic, a heart attack on a beta blocker; noise besides."""
    draw = np.random.default_rng(seed)
    inputs = pd.DataFrame({name: draw.normal(100.0, 15.0, count) for name in MEASURED})
    inputs["demo_age_years"] = draw.integers(30, 80, count).astype(float)
    inputs.loc[draw.random(count) < 0.2, "chol_ldl"] = np.nan
    for name in HISTORY:
        inputs[name] = np.where(draw.random(count) < 0.4, "Yes", "No")
    inputs["demo_gender"] = np.where(draw.random(count) < 0.5, "Men", "Women")
    inputs["demo_race"] = np.where(draw.random(count) < 0.5, "Non-Hispanic Black", "Other")
    noise = draw.random(count) < 0.1
    taken = pd.DataFrame(
        {
            "bp_med_diur_loop": (inputs["cc_cvd_hf"] == "Yes") ^ noise,
            "bp_med_beta": (inputs["cc_cvd_mi"] == "Yes") ^ noise,
            "bp_med_renin_inhibitors": draw.random(count) < 0.01,
        }
    )
    people = inputs.assign(
        demo_race_black=np.where(inputs["demo_race"] == "Other", "No", "Yes"),
        **{name: np.where(taken[name], "Yes", "No") for name in taken},
    )
    return Treated(inputs=inputs[list(INPUTS)], taken=taken, people=people)
