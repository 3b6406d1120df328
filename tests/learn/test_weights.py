"""Rows that count more than others, classes that do, and temperatures that know where to stop."""

from pathlib import Path

import numpy as np
import pytest
from sklearn import config_context
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV

from zhuyi.errors import InputError
from zhuyi.learn import AttentionClassifier, AttentionRegressor, load

from .tables import one_column_decides


def noise(rows: int = 600) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Classes that nothing tells, 3 to 1; rows of the second are of two kinds."""
    draw = np.random.default_rng(0)
    y = (draw.random(rows) < 0.25).astype(int)
    return draw.normal(size=(rows, 2)), y, draw


def test_a_row_of_weight_three_counts_three_times() -> None:
    X, y, _ = noise()
    for weight in (1.0, 3.0):
        weights = np.where(y == 1, weight, 1.0)
        model = AttentionClassifier(max_epochs=15, patience=5, random_state=0)
        share = model.fit(X, y, sample_weight=weights).predict_proba(X)[:, 1].mean()
        assert share == pytest.approx(np.average(y, weights=weights), abs=0.04)


def test_class_weights_and_row_weights_are_multiplied() -> None:
    X, y, _ = noise()
    weights = np.where(y == 1, 5.0, 1.0)
    options = {"max_epochs": 15, "patience": 5, "random_state": 0}
    balanced = AttentionClassifier(class_weight="balanced", **options)  # type: ignore[arg-type]
    # balanced after the rows' own weights: they change nothing between the classes
    share = balanced.fit(X, y, sample_weight=weights).predict_proba(X)[:, 1].mean()
    assert share == pytest.approx(0.5, abs=0.05)
    named = AttentionClassifier(class_weight={0: 1.0, 1: 2.0}, **options)  # type: ignore[arg-type]
    share = named.fit(X, y, sample_weight=weights).predict_proba(X)[:, 1].mean()
    assert share == pytest.approx(np.average(y, weights=np.where(y == 1, 10.0, 1.0)), abs=0.05)


def test_a_regressor_weighs_rows_too() -> None:
    X, y, draw = noise()
    numbers = np.where(y == 1, 10.0, 0.0)
    weights = np.where(y == 1, 3.0, 1.0)
    model = AttentionRegressor(max_epochs=10, random_state=0)
    model.fit(X, numbers, sample_weight=weights)
    assert model.center_ == pytest.approx(np.average(numbers, weights=weights))
    assert model.predict(X).mean() == pytest.approx(model.center_, abs=1.0)


@pytest.mark.parametrize(
    ("weights", "said"),
    [
        (np.zeros(40), "not all of them zero"),
        (-np.ones(40), "zero or more"),
        (np.ones(39), "inconsistent"),
        (np.ones((40, 2)), "must be 1D"),
        (np.full(40, np.nan), "NaN"),
    ],
)
def test_weights_that_are_none_are_refused(weights: np.ndarray, said: str) -> None:
    X, y = one_column_decides(40)
    with pytest.raises(ValueError, match=said):
        AttentionClassifier(max_epochs=1).fit(X, y, sample_weight=weights)
    assert issubclass(InputError, ValueError)


def test_weights_and_groups_are_routed_by_scikit_learn() -> None:
    X, y = one_column_decides(60)
    with config_context(enable_metadata_routing=True):
        model = AttentionClassifier(max_epochs=1, random_state=0)
        model.set_fit_request(sample_weight=True, groups=False).set_score_request(
            sample_weight=True
        )
        search = GridSearchCV(model, {"width": [8]}, cv=2)
        search.fit(X, y, sample_weight=np.ones(60))
    assert search.best_params_ == {"width": 8}


@pytest.mark.parametrize("weights", [{0: 1.0, 1: 3.5}, {"no": 1, "yes": 2}, {False: 1, True: 2}])
def test_class_weights_of_any_keys_are_saved(tmp_path: Path, weights: dict[object, float]) -> None:
    X, y = one_column_decides(60)
    names = np.array(list(weights))
    model = AttentionClassifier(max_epochs=1, class_weight=weights, random_state=0)
    model.fit(X, names[y]).save(tmp_path)
    assert load(tmp_path).get_params()["class_weight"] == weights
    assert list(load(tmp_path).get_params()["class_weight"]) == list(weights)


def test_a_temperature_stays_off_its_bound_where_classes_are_separable() -> None:
    draw = np.random.default_rng(0)
    y = np.arange(400) % 2
    X = (4.0 * y + draw.normal(0.0, 0.3, 400)).reshape(-1, 1)
    model = AttentionClassifier(max_epochs=5, random_state=0).fit(X, y)
    assert model.score(X, y) == 1.0
    assert 0.21 < model.temperature_ < 1.0


def test_probabilities_are_those_of_a_calibrated_model_with_many_rows() -> None:
    """The prior on the temperature is worth little beside the rows."""
    draw = np.random.default_rng(1)
    X = draw.normal(size=(3000, 2))
    y = (X[:, 0] + draw.logistic(size=3000) > 0).astype(int)
    model = AttentionClassifier(max_epochs=15, random_state=0).fit(X, y)
    told = model.decision_function(X).reshape(-1, 1)
    slope = LogisticRegression(C=1e6).fit(told, y).coef_[0, 0]
    assert slope == pytest.approx(1.0, abs=0.15)
