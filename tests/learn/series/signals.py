"""Small series with a known truth, for the tests of learn."""

import numpy as np


def last_of_one_channel(rows: int = 300, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Three channels of noise over 12 steps; the class is whether channel 2 ends above zero.

    Returns: series "rows 12 3" and classes; what counts is the mean of the last 4 steps.
    """
    X = np.random.default_rng(seed).normal(size=(rows, 12, 3))
    return X, (X[:, -4:, 1].mean(1) > 0).astype(int)


def shortened(X: np.ndarray, seed: int = 1) -> list[np.ndarray]:
    """The same series, each without its first steps: 4 to 12 steps are left."""
    cut = np.random.default_rng(seed).integers(0, X.shape[1] - 3, len(X))
    return [series[start:] for series, start in zip(X, cut, strict=True)]
