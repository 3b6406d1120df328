"""Every row answered by a model that did not learn from it, for simple models and ours alike."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from time import perf_counter
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
from sklearn.base import BaseEstimator, clone

from zhuyi.errors import InputError
from zhuyi.recipes.baselines import Measured, predicted
from zhuyi.recipes.intervals import Interval, over_folds
from zhuyi.recipes.scoring import Metric
from zhuyi.recipes.showing import largest_gap, taken
from zhuyi.recipes.splits import Fold

if TYPE_CHECKING:
    import pandas as pd

Answer = Callable[[Fold], npt.NDArray[Any]]
"""A fold -> what is said of its test rows, "n" or "n C"."""

Heard = Callable[[str, int], None]
"""Called with a model's name and the number of the fold, from 1, before it is answered."""


@dataclass(frozen=True, kw_only=True)
class Answered:
    """What a model said of all rows that were tested.

    Args:
        measured: its score over the folds.
        said: "N" or "N C"; nan in rows that no fold tested.
    """

    measured: Measured
    said: npt.NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class Fitting:
    """Fits a fresh copy of an estimator of `zhuyi.learn` on each fold, and keeps the copies.

    Args:
        model: unfitted; it stays so.
        inputs: "N" rows.
        answers: "N" classes, or a frame "N C" of 0 and 1 whose columns name the labels.
        groups: "N", whom each row is about; early stopping then looks at other people than
            training does. None: rows are on their own.
        fits: the fitted copies with their folds, in order.
    """

    model: BaseEstimator
    inputs: "pd.DataFrame"
    answers: Any
    groups: npt.NDArray[np.int64] | None = None
    fits: list[tuple[Fold, Any]] = field(default_factory=list)

    def __call__(self, fold: Fold) -> npt.NDArray[np.float64]:
        """Probabilities of a fold's test rows: of two classes the second's, "n", else "n C"."""
        rows, right = taken(self.inputs, fold.train), taken(self.answers, fold.train)
        groups = None if self.groups is None else self.groups[fold.train]
        copy: Any = clone(self.model).fit(rows, right, groups=groups)
        self.fits.append((fold, copy))
        shares = np.asarray(copy.predict_proba(taken(self.inputs, fold.test)), dtype=np.float64)
        return shares[:, 1] if len(copy.constants_) == 1 else shares


def simple(model: BaseEstimator, inputs: "pd.DataFrame", answers: npt.NDArray[Any]) -> Answer:
    """Answers by fresh copies of a model of `baselines`; of many labels one copy a label."""
    return lambda fold: predicted(model, inputs, answers, fold, probabilities=True)


def out_of_fold(
    name: str,
    answer: Answer,
    answers: npt.NDArray[Any],
    folds: Sequence[Fold],
    metric: Metric,
    heard: Heard,
) -> Answered:
    """Ask a model about every fold's test rows and score it.

    Args:
        name: of the model.
        answer: gives what the model says of a fold's test rows.
        answers: the truth, "N" or "N C".
        folds: of `zhuyi.recipes.splits`.
        metric: one that reads probabilities.
        heard: hears of each fold.
    """
    begun, scores = perf_counter(), []
    said: npt.NDArray[np.float64] | None = None
    for number, fold in enumerate(folds, start=1):
        heard(name, number)
        found = np.asarray(answer(fold), dtype=np.float64)
        if said is None:
            said = np.full((len(answers), *found.shape[1:]), np.nan)
        said[fold.test] = found
        scores.append(metric(answers[fold.test], found))
    assert said is not None, "folds are never empty"
    measured = Measured(
        model=name,
        metric=metric.name,
        score=over_folds(scores, test_share=_share(folds)),
        folds=tuple(scores),
        seconds=perf_counter() - begun,
    )
    return Answered(measured=measured, said=said)


def ask_all(
    models: Mapping[str, Answer],
    answers: npt.NDArray[Any],
    folds: Sequence[Fold],
    metric: Metric,
    told: Callable[[str, int, int], None],
) -> dict[str, Answered]:
    """Ask every model about the same folds.

    Args:
        models: by their names.
        answers: the truth, "N" or "N C".
        folds: of `zhuyi.recipes.splits`.
        metric: one that reads probabilities.
        told: called with a model's name, how many answers there are and how many there will be.
    """
    names = list(models)

    def heard(name: str, number: int) -> None:
        told(name, names.index(name) * len(folds) + number - 1, len(names) * len(folds))

    return {
        name: out_of_fold(name, answer, answers, folds, metric, heard)
        for name, answer in models.items()
    }


def gap_of(fits: Sequence[tuple[Fold, Any]], inputs: "pd.DataFrame") -> tuple[float, int]:
    """How far contributions are from decisions at most, and on how many decisions that was seen."""
    gap = max(largest_gap(model, inputs.iloc[fold.test]) for fold, model in fits)
    return gap, sum(len(fold.test) * len(model.constants_) for fold, model in fits)


def difference(one: Measured, other: Measured, folds: Sequence[Fold]) -> Interval:
    """How much better one model is than another on the same folds, with its interval."""
    apart = [a - b for a, b in zip(one.folds, other.folds, strict=True)]
    return over_folds(apart, test_share=_share(folds))


def among(
    one: Answered,
    answers: npt.NDArray[Any],
    folds: Sequence[Fold],
    members: npt.NDArray[np.bool_],
    metric: Metric,
) -> str:
    """A model's score among some of the rows, over the folds; "too few" where it has none.

    Args:
        one: what the model said of all rows.
        answers: the truth, "N" or "N C".
        folds: as they were tested.
        members: "N", which rows count.
        metric: one that reads probabilities.
    """
    values = []
    for fold in folds:
        rows = fold.test[members[fold.test]]
        if len(np.unique(answers[rows], axis=0)) < 2:
            return "too few"
        try:
            values.append(metric(answers[rows], one.said[rows]))
        except InputError:  # no class has enough rows of each answer
            return "too few"
    return str(over_folds(values, test_share=_share(folds)))


def _share(folds: Sequence[Fold]) -> float:
    return float(np.mean([len(fold.test) / len(fold.train) for fold in folds]))
