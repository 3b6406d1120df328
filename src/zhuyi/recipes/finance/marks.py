"""Scores of decisions as functions of their confusion counts, for many samples at once."""

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Mark = Callable[[Floats], Floats]


def counted(truth: npt.NDArray[np.int64], said: npt.NDArray[np.int64], classes: int) -> Floats:
    """One cell of 1 a row, [N, truth, said]: summed over rows it is the confusion matrix."""
    cells: Floats = np.eye(classes * classes)[truth * classes + said]
    return cells.reshape(-1, classes, classes)


def accuracy(counts: Floats) -> Floats:
    """Share of right decisions, [S, C, C] -> [S]."""
    right: Floats = np.trace(counts, axis1=1, axis2=2) / counts.sum((1, 2))
    return right


def balanced_accuracy(counts: Floats) -> Floats:
    """Mean over classes of the share found; nan where a class does not occur."""
    found = np.diagonal(counts, axis1=1, axis2=2)
    there = counts.sum(2)
    shares = np.divide(found, there, out=np.full(found.shape, np.nan), where=there > 0)
    mean: Floats = shares.mean(1)
    return mean


def matthews(counts: Floats) -> Floats:
    """Matthews correlation for any number of classes; 0 where one side is constant.

        (c s - sum_k p_k t_k) / sqrt((s^2 - sum_k p_k^2) (s^2 - sum_k t_k^2))

    with c right of s rows, t_k rows of class k, and p_k that were said to be.

    Ref: Gorodkin 2004, Comparing two K-category assignments by a K-category correlation
        coefficient.
    """
    truth, said = counts.sum(2), counts.sum(1)
    rows = truth.sum(1)
    above = np.trace(counts, axis1=1, axis2=2) * rows - (truth * said).sum(1)
    below = np.sqrt((rows**2 - (said**2).sum(1)) * (rows**2 - (truth**2).sum(1)))
    found: Floats = np.divide(above, below, out=np.zeros_like(above), where=below > 0)
    return found
