"""scikit-learn's own checks of both estimators."""

from collections.abc import Callable
from typing import Any

import pytest
from sklearn.utils.estimator_checks import parametrize_with_checks

from zhuyi.learn import AttentionClassifier, AttentionRegressor

EXPECTED: dict[str, dict[str, str]] = {
    "AttentionClassifier": {},
    "AttentionRegressor": {},
}
"""Checks that an estimator is allowed to fail, with the reason: at most three each."""


@pytest.mark.filterwarnings("ignore::zhuyi.learn.DataWarning")  # the checks' tables are odd
@parametrize_with_checks(
    [AttentionClassifier(max_epochs=40, width=16), AttentionRegressor(max_epochs=40, width=16)],
    expected_failed_checks=lambda estimator: EXPECTED[type(estimator).__name__],
)
def test_scikit_learns_checks(estimator: Any, check: Callable[[Any], None]) -> None:
    check(estimator)


def test_few_failures_are_expected() -> None:
    assert all(len(one) <= 3 for one in EXPECTED.values())
