"""scikit-learn's own checks of both series estimators, on tables read as one channel."""

from collections.abc import Callable
from typing import Any

import pytest
from sklearn.utils.estimator_checks import parametrize_with_checks

from zhuyi.learn import SeriesAttentionClassifier, SeriesAttentionRegressor

_WEIGHTS = {
    "check_sample_weight_equivalence_on_dense_data": (
        "a series of weight 2 counts twice in the loss, but it is one series of a batch and of the "
        "split into training and validation, so random draws differ from those of two"
    )
}
EXPECTED: dict[str, dict[str, str]] = {
    "SeriesAttentionClassifier": _WEIGHTS,
    "SeriesAttentionRegressor": _WEIGHTS,
}
"""Checks that an estimator is allowed to fail, with the reason: at most three each."""


@pytest.mark.filterwarnings("ignore::zhuyi.learn.DataWarning")  # the checks' tables are odd
@parametrize_with_checks(
    [
        SeriesAttentionClassifier(max_epochs=15, width=16),
        SeriesAttentionRegressor(max_epochs=15, width=16),
    ],
    expected_failed_checks=lambda estimator: EXPECTED[type(estimator).__name__],
)
def test_scikit_learns_checks(estimator: Any, check: Callable[[Any], None]) -> None:
    check(estimator)


def test_few_failures_are_expected() -> None:
    assert all(len(one) <= 3 for one in EXPECTED.values())
