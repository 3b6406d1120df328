"""Scores of confusion counts are those of scikit-learn."""

import numpy as np
import pytest
from sklearn.metrics import accuracy_score, balanced_accuracy_score, matthews_corrcoef

from zhuyi.recipes.finance.marks import accuracy, balanced_accuracy, counted, matthews


@pytest.mark.parametrize("classes", [2, 3])
def test_scores_are_those_of_scikit_learn(classes: int) -> None:
    generator = np.random.default_rng(classes)
    truth = generator.integers(0, classes, 300)
    said = np.where(generator.random(300) < 0.3, truth, generator.integers(0, classes, 300))
    cells = counted(truth, said, classes)
    assert cells.shape == (300, classes, classes)
    sums = cells.sum(0, keepdims=True)
    for ours, theirs in (
        (accuracy, accuracy_score),
        (balanced_accuracy, balanced_accuracy_score),
        (matthews, matthews_corrcoef),
    ):
        assert ours(sums)[0] == pytest.approx(theirs(truth, said), abs=1e-12)


def test_constant_answers_and_missing_classes() -> None:
    always = counted(np.array([0, 1, 2]), np.array([1, 1, 1]), 3).sum(0, keepdims=True)
    assert matthews(always)[0] == 0.0
    assert balanced_accuracy(always)[0] == pytest.approx(1 / 3)
    missing = counted(np.array([0, 1]), np.array([0, 1]), 3).sum(0, keepdims=True)
    assert np.isnan(balanced_accuracy(missing)[0])
    assert accuracy(missing)[0] == 1.0


def test_many_samples_at_once() -> None:
    generator = np.random.default_rng(0)
    sums = generator.integers(1, 50, (7, 3, 3)).astype(np.float64)
    for mark in (accuracy, balanced_accuracy, matthews):
        each = [float(mark(one[None])[0]) for one in sums]
        assert mark(sums) == pytest.approx(each)
