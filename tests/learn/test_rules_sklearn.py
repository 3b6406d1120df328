"""scikit-learn's own checks of estimators that are trained under rules and wishes."""

from collections.abc import Callable
from typing import Any

import pytest
from sklearn.utils.estimator_checks import parametrize_with_checks

from zhuyi.learn import AttentionClassifier, AttentionRegressor, Prior
from zhuyi.steer import Column, Rules

from .test_sklearn import EXPECTED

TOLD = Prior(rules=Rules().boost(Column("*"), 2), wishes=Rules().share(Column("*"), 0.1))


@pytest.mark.long
@pytest.mark.filterwarnings("ignore::zhuyi.learn.DataWarning")  # the checks' tables are odd
@parametrize_with_checks(
    [
        AttentionClassifier(rules=TOLD, max_epochs=25, width=16),
        AttentionRegressor(rules=TOLD, max_epochs=25, width=16),
    ],
    expected_failed_checks=lambda estimator: EXPECTED[type(estimator).__name__],
)
def test_scikit_learns_checks(estimator: Any, check: Callable[[Any], None]) -> None:
    check(estimator)
