"""scikit-learn's own checks of both estimators."""

from collections.abc import Callable
from typing import Any

import pytest
from sklearn.utils.estimator_checks import parametrize_with_checks

from zhuyi.learn import AttentionClassifier, AttentionRegressor

_WEIGHTS = {
    "check_sample_weight_equivalence_on_dense_data": (
        "a row of weight 2 counts twice in the loss, but it is one row of a batch and of the split "
        "into training and validation, so random draws differ from those of two rows"
    )
}
EXPECTED: dict[str, dict[str, str]] = {
    "AttentionClassifier": _WEIGHTS,
    "AttentionRegressor": _WEIGHTS,
}
"""Checks that an estimator is allowed to fail, with the reason: at most three each."""


@pytest.mark.filterwarnings("ignore::zhuyi.learn.DataWarning")  # the checks' tables are odd
@parametrize_with_checks(
    [AttentionClassifier(max_epochs=25, width=16), AttentionRegressor(max_epochs=25, width=16)],
    expected_failed_checks=lambda estimator: EXPECTED[type(estimator).__name__],
)
def test_scikit_learns_checks(estimator: Any, check: Callable[[Any], None]) -> None:
    check(estimator)


def test_few_failures_are_expected() -> None:
    assert all(len(one) <= 3 for one in EXPECTED.values())
