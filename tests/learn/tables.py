"""Small tables with a known truth, for the tests of learn."""

import datetime

import numpy as np
import pandas as pd


def mixed_frame(rows: int = 240, seed: int = 0) -> tuple[pd.DataFrame, np.ndarray]:
    """Every kind of column, some cells missing; the class follows `dose` and `ward` alone."""
    draw = np.random.default_rng(seed)
    dose = draw.normal(50.0, 12.0, rows)
    ward = draw.choice(["north", "south", "west"], rows)
    start = datetime.datetime(2020, 1, 1)
    frame = pd.DataFrame(
        {
            "dose": dose,
            "ward": ward,
            "smoker": draw.random(rows) > 0.5,
            "stage": pd.Categorical(
                draw.choice(["low", "mid", "high"], rows), ["low", "mid", "high"], ordered=True
            ),
            "seen": [start + datetime.timedelta(days=int(d)) for d in draw.integers(0, 700, rows)],
            "count": draw.integers(0, 9, rows),
        }
    )
    y = np.where((dose > 50.0) | (ward == "west"), "treat", "wait")
    frame.loc[::7, "dose"] = np.nan
    frame.loc[3::11, "ward"] = None
    return frame, y


def one_column_decides(rows: int = 400, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Four columns of noise; the class is whether the third is above zero."""
    X = np.random.default_rng(seed).normal(size=(rows, 4))
    return X, (X[:, 2] > 0).astype(int)
