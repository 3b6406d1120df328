"""The models to beat or to admit: trivial ones and strong simple ones, scored alike.

Every model is a scikit-learn estimator that has learned nothing yet. Scaling, filling in and
encoding are inside of it, so they are fitted on the training rows of each fold only.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from time import perf_counter
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
from sklearn.base import BaseEstimator, clone
from sklearn.compose import ColumnTransformer
from sklearn.dummy import DummyClassifier, DummyRegressor
from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression, RidgeCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, OrdinalEncoder, StandardScaler

from zhuyi.errors import InputError
from zhuyi.recipes.intervals import Interval, over_folds
from zhuyi.recipes.scoring import Metric
from zhuyi.recipes.splits import Fold

if TYPE_CHECKING:
    import pandas as pd

_RARE = 20  # rows a category needs for a column of its own
_MOST = 255  # categories that boosting can tell apart; rarer ones are one


@dataclass(frozen=True, kw_only=True)
class Measured:
    """One model's score.

    Args:
        model: its name.
        metric: the metric's name.
        score: the mean over the folds with its interval.
        folds: each fold's own score.
        seconds: for fitting and predicting all folds.
    """

    model: str
    metric: str
    score: Interval
    folds: tuple[float, ...]
    seconds: float


def base_rate() -> DummyClassifier:
    """Say the shares of the labels to everything."""
    return DummyClassifier(strategy="prior")


def mean_answer() -> DummyRegressor:
    """Say the mean to everything."""
    return DummyRegressor()


def logistic(frame: "pd.DataFrame", *, strength: float = 1.0) -> BaseEstimator:
    """Logistic regression on standardized numbers and one column a category.

    Args:
        frame: the inputs, for the kinds of their columns; nothing is learned from them.
        strength: inverse of the penalty, C of scikit-learn.
    """
    return make_pipeline(_encoded(frame), LogisticRegression(C=strength, max_iter=2000))


def linear(frame: "pd.DataFrame") -> BaseEstimator:
    """Ridge regression, its penalty chosen by leave-one-out within the training rows."""
    return make_pipeline(_encoded(frame), RidgeCV(alphas=np.logspace(-2, 4, 13)))


def boosted_classifier(frame: "pd.DataFrame", *, seed: int = 0) -> BaseEstimator:
    """Histogram gradient boosting as scikit-learn sets it, with categories as such."""
    encode, categories = _ordinal(frame)
    model = HistGradientBoostingClassifier(categorical_features=categories, random_state=seed)
    return make_pipeline(encode, model)


def boosted_regressor(frame: "pd.DataFrame", *, seed: int = 0) -> BaseEstimator:
    """The same for numbers."""
    encode, categories = _ordinal(frame)
    model = HistGradientBoostingRegressor(categorical_features=categories, random_state=seed)
    return make_pipeline(encode, model)


def words(*, strength: float = 10.0) -> BaseEstimator:
    """TF-IDF of words and pairs of words, then logistic regression."""
    tfidf = TfidfVectorizer(ngram_range=(1, 2), sublinear_tf=True, token_pattern=r"\S+")
    return make_pipeline(tfidf, LogisticRegression(C=strength, max_iter=2000))


def characters(*, longest: int = 3, strength: float = 10.0) -> BaseEstimator:
    """TF-IDF of 1 to `longest` characters, then logistic regression; needs no segmenter."""
    tfidf = TfidfVectorizer(
        analyzer="char", ngram_range=(1, longest), min_df=2, sublinear_tf=True, dtype=np.float32
    )
    return make_pipeline(tfidf, LogisticRegression(C=strength, max_iter=2000))


def measure(
    name: str,
    model: BaseEstimator,
    inputs: "pd.DataFrame | Sequence[str] | npt.NDArray[np.float64]",
    answers: npt.NDArray[Any],
    folds: Sequence[Fold],
    metric: Metric,
) -> Measured:
    """Fit and score a fresh copy of a model on every fold.

    Args:
        name: of the model, for the record.
        model: unfitted; it stays so.
        inputs: [N] rows.
        answers: [N]; or [N, classes] of booleans, then one copy is fitted for each class.
        folds: of `zhuyi.recipes.splits`.
        metric: of `zhuyi.recipes.scoring`.

    Returns: Measured, with the interval corrected for shared training rows.
    Raises:  InputError: if there is no fold, or a fold has no training row.
    """
    begun = perf_counter()
    scores = []
    for number, fold in enumerate(folds, start=1):
        if not len(fold.train) or not len(fold.test):
            raise InputError(f"fold {number} must have rows to train and to test, and has not")
        said = predicted(model, inputs, answers, fold, probabilities=metric.probabilities)
        scores.append(metric(answers[fold.test], said))
    if not scores:
        raise InputError("folds must hold one fold at least, got none")
    share = float(np.mean([len(fold.test) / len(fold.train) for fold in folds]))
    return Measured(
        model=name,
        metric=metric.name,
        score=over_folds(scores, test_share=share),
        folds=tuple(scores),
        seconds=perf_counter() - begun,
    )


def predicted(
    model: BaseEstimator,
    inputs: "pd.DataFrame | Sequence[str] | npt.NDArray[np.float64]",
    answers: npt.NDArray[Any],
    fold: Fold,
    *,
    probabilities: bool,
) -> npt.NDArray[Any]:
    """What a fresh copy of a model says of a fold's test rows, [n] or [n, classes]."""
    train, test = _rows(inputs, fold.train), _rows(inputs, fold.test)
    if answers.ndim == 1:
        return _said(_fitted(model, train, answers[fold.train]), test, probabilities)
    columns = []
    for column in answers[fold.train].T:
        if column.min() == column.max():  # nothing to learn: the one answer there is
            columns.append(np.full(len(fold.test), float(column[0])))
        else:
            columns.append(_said(_fitted(model, train, column), test, probabilities))
    return np.stack(columns, axis=1)


def _fitted(model: BaseEstimator, inputs: Any, answers: npt.NDArray[Any]) -> Any:
    return clone(model).fit(inputs, answers)


def _said(model: Any, inputs: Any, probabilities: bool) -> npt.NDArray[Any]:
    if not probabilities:
        return np.asarray(model.predict(inputs))
    shares = np.asarray(model.predict_proba(inputs))
    return shares[:, 1] if shares.shape[1] == 2 else shares


def _rows(inputs: Any, rows: npt.NDArray[np.int64]) -> Any:
    import pandas as pd

    if isinstance(inputs, pd.DataFrame):
        return inputs.iloc[rows]
    if isinstance(inputs, np.ndarray):
        return inputs[rows]
    return [inputs[row] for row in rows]


def _kinds(frame: "pd.DataFrame") -> tuple[list[str], list[str]]:
    """Names of the columns that are numbers, and of the others."""
    from pandas.api.types import is_bool_dtype, is_numeric_dtype

    numbers = [
        c for c in frame if is_numeric_dtype(frame[c].dtype) and not is_bool_dtype(frame[c].dtype)
    ]
    return numbers, [c for c in frame if c not in numbers]


def _encoded(frame: "pd.DataFrame") -> ColumnTransformer:
    numbers, categories = _kinds(frame)
    fill = SimpleImputer(strategy="median", add_indicator=True)
    columns = OneHotEncoder(handle_unknown="infrequent_if_exist", min_frequency=_RARE)
    return ColumnTransformer(
        [
            ("numbers", make_pipeline(fill, StandardScaler()), numbers),
            ("categories", columns, categories),
        ]
    )


def _ordinal(frame: "pd.DataFrame") -> tuple[ColumnTransformer, list[int]]:
    """Numbers as they are, categories as codes; boosting reads missing values by itself."""
    numbers, categories = _kinds(frame)
    codes = OrdinalEncoder(
        handle_unknown="use_encoded_value",
        unknown_value=np.nan,
        encoded_missing_value=np.nan,
        max_categories=_MOST,
    )
    encode = ColumnTransformer(
        [("numbers", "passthrough", numbers), ("categories", codes, categories)]
    )
    places = list(range(len(numbers), len(numbers) + len(categories)))
    return encode, places
