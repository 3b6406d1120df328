"""Fitting and asking a glass box on a table of 10,000 x 6: how long, beside gradient boosting?"""

import statistics
import time
import warnings

import numpy as np
import pandas as pd
from sklearn.ensemble import HistGradientBoostingClassifier

from benchmarks.measure import Row, save
from zhuyi.errors import DataUnavailable
from zhuyi.learn import AttentionClassifier
from zhuyi.recipes import ai4i

QUESTION = "a glass box on AI4I (10,000 rows, 6 columns): seconds to fit and to predict"
NOTE = (
    "Default settings without mixing layers, and the settings that did best on held-out folds with "
    "two. Seconds of the whole call, all cores torch takes; the last row is the ratio to gradient "
    "boosting, which is far faster. Without the data set a made-up table of this size stands in."
)
ROUNDS = 3


def rows() -> tuple[pd.DataFrame, np.ndarray]:
    """AI4I, or numbers of the same shape where it cannot be had."""
    try:
        found = ai4i.load()
    except DataUnavailable:
        draw = np.random.default_rng(0)
        frame = pd.DataFrame({f"x{n}": draw.normal(size=10_000) for n in range(6)})
        return frame, (frame["x0"] + frame["x1"] * frame["x2"] > 2.5).to_numpy()
    return found.inputs, np.asarray(found.failed)


def seconds(call) -> float:
    """One call."""
    started = time.perf_counter()
    call()
    return time.perf_counter() - started


def main() -> None:
    """Measure and keep."""
    warnings.simplefilter("ignore")
    inputs, failed = rows()
    kinds = {
        "glass box": {},
        "with 2 mixing layers": {"mixing_layers": 2, "bins": 8, "dropout": 0.1},
    }
    kept, fits = [], {}
    for name, options in kinds.items():
        models = [AttentionClassifier(random_state=turn, **options) for turn in range(ROUNDS)]
        took = [seconds(lambda model=model: model.fit(inputs, failed)) for model in models]
        asked = [seconds(lambda model=model: model.predict(inputs)) for model in models]
        fits[name] = statistics.median(took)
        for what, times, bar in (("fit", took, 60.0), ("predict 10,000 rows", asked, 1.0)):
            kept.append(
                Row(
                    case=f"{what}, {name}", figure=statistics.median(times), bar=bar, unit="s",
                    low=min(times), high=max(times),
                )
            )  # fmt: skip
    numbers = pd.get_dummies(inputs).to_numpy(dtype=float)
    boosted = [
        seconds(lambda: HistGradientBoostingClassifier(random_state=0).fit(numbers, failed))
        for _ in range(ROUNDS)
    ]
    kept.append(
        Row(
            case="fit, glass box against gradient boosting",
            figure=fits["glass box"] / statistics.median(boosted),
        )
    )
    save("learning", QUESTION, kept, NOTE)


if __name__ == "__main__":
    main()
