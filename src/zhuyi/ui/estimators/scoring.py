"""Held-out rows: a model beside saying nothing, a straight line, and boosted trees."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from time import perf_counter
from typing import Any, Final, Literal

import numpy as np
from numpy.typing import NDArray

from zhuyi.recipes.baselines import (
    base_rate,
    boosted_classifier,
    boosted_regressor,
    characters,
    linear,
    logistic,
    mean_answer,
    predicted,
)
from zhuyi.recipes.intervals import Interval, bootstrap
from zhuyi.recipes.scoring import F1, Accuracy, Rmse
from zhuyi.recipes.splits import Fold
from zhuyi.ui.estimators.ranks import auroc
from zhuyi.ui.estimators.splitting import Split
from zhuyi.ui.estimators.target import Target, Task

Role = Literal["trivial", "simple", "ours"]
_DRAWS: Final = 200
_LARGE: Final = 20_000  # held-out rows from which fewer draws are enough
Metric = Callable[[NDArray[Any], NDArray[Any]], float]


@dataclass(frozen=True, kw_only=True)
class Scored:
    """One model on the held-out rows.

    Args:
        model: its name.
        role: "trivial", "simple" or "ours".
        metric: name of the metric that counts.
        score: it, with its interval at 95 %.
        others: further metrics by name.
        seconds: for fitting and predicting.
    """

    model: str
    role: Role
    metric: str
    score: Interval
    others: Mapping[str, float]
    seconds: float


def scored(
    model: str,
    role: Role,
    said: NDArray[Any],
    target: Target,
    split: Split,
    *,
    groups: Sequence[object] | None,
    seconds: float,
    threshold: float = 0.5,
) -> Scored:
    """What a model said of the held-out rows, in numbers.

    Args:
        said: probabilities "n" of the second of two classes, "n C" of several, or numbers "n".
        target: of all rows.
        split: of them.
        groups: of all rows; whole groups are drawn for the interval.
        model, role, seconds: for the record.
        threshold: of binary decisions.
    """
    answers = coded(target)[split.test]
    name, metric, others = _metrics(target.task, len(target.counts), threshold)
    drawn = None if groups is None else np.array([str(groups[p]) for p in split.test.tolist()])
    interval = bootstrap(
        lambda rows: metric(answers[rows], said[rows]),
        len(answers),
        groups=drawn,
        draws=_DRAWS if len(answers) <= _LARGE else _DRAWS // 4,
    )
    return Scored(
        model=model,
        role=role,
        metric=name,
        score=interval,
        others={other: value(answers, said) for other, value in others.items()},
        seconds=seconds,
    )


def baselines(
    inputs: Any, target: Target, split: Split, *, groups: Sequence[object] | None, seed: int
) -> tuple[Scored, ...]:
    """The trivial and the strong simple models, fitted and scored alike.

    Args:
        inputs: the frame of all rows for baselines, or their texts.
        target, split, groups: see `scored`.
        seed: of the boosted trees.
    """
    fold = Fold(train=split.train, test=split.test)
    classes = target.task != "number"
    answers = coded(target)
    if not isinstance(inputs, list):  # a column that is empty in training says nothing
        there = [name for name in inputs if inputs[name].iloc[split.train].notna().any()]
        inputs = inputs[there]
    found = []
    for role, name, make in _makers(inputs, classes=classes, seed=seed):
        begun = perf_counter()
        said = predicted(make(), inputs, answers, fold, probabilities=classes)
        seconds = perf_counter() - begun
        one = scored(name, role, said, target, split, groups=groups, seconds=seconds)
        found.append(one)
    return tuple(found)


def coded(target: Target) -> NDArray[Any]:
    """Answers as class indices, flags or numbers."""
    if target.task == "classes":
        return np.unique(target.values, return_inverse=True)[1].astype(np.int64)
    return target.values


def is_better(ours: Scored, trivial: Scored) -> bool:
    """Whether a model is better than saying nothing by more than chance."""
    lower, upper = ours.score.lower, ours.score.upper
    if ours.metric == "RMSE":
        return (ours.score.value if upper is None else upper) < trivial.score.value
    return (ours.score.value if lower is None else lower) > trivial.score.value


def _makers(inputs: Any, *, classes: bool, seed: int) -> list[tuple[Role, str, Callable[[], Any]]]:
    if isinstance(inputs, list):
        return [
            ("trivial", "trivial: shares of classes", base_rate),
            ("simple", "characters, logistic", characters),
        ]
    if classes:
        return [
            ("trivial", "trivial: shares of classes", base_rate),
            ("simple", "logistic regression", lambda: logistic(inputs)),
            ("simple", "gradient boosting", lambda: boosted_classifier(inputs, seed=seed)),
        ]
    return [
        ("trivial", "trivial: always the mean", mean_answer),
        ("simple", "linear regression", lambda: linear(inputs)),
        ("simple", "gradient boosting", lambda: boosted_regressor(inputs, seed=seed)),
    ]


def _metrics(task: Task, classes: int, threshold: float) -> tuple[str, Metric, dict[str, Metric]]:
    """The metric that counts, and others."""
    if task == "number":
        return "RMSE", Rmse(), {"R²": r2}
    if task == "labels":
        return "mean AUROC", mean_auroc, {"all labels right": _all_right}
    if classes == 2:
        return "AUROC", auroc, {
            "F1": F1(threshold=threshold),
            "accuracy": lambda answers, said: Accuracy()(answers, said >= threshold),
        }  # fmt: skip
    return "accuracy", _accuracy, {"mean AUROC": _one_against_rest}


def mean_auroc(answers: NDArray[Any], said: NDArray[Any]) -> float:
    """Of the labels that can be scored among these rows; nan where none can."""
    found = [auroc(flags, shares) for flags, shares in zip(answers.T, said.T, strict=True)]
    known = [one for one in found if not np.isnan(one)]
    return float(np.mean(known)) if known else float("nan")


def _accuracy(answers: NDArray[Any], said: NDArray[Any]) -> float:
    return Accuracy()(answers, said.argmax(1))


def _one_against_rest(answers: NDArray[Any], said: NDArray[Any]) -> float:
    return mean_auroc((answers[:, None] == np.arange(said.shape[1])).astype(np.int64), said)


def _all_right(answers: NDArray[Any], said: NDArray[Any]) -> float:
    return float(((said >= 0.5) == (answers == 1)).all(1).mean())


def r2(answers: NDArray[Any], said: NDArray[Any]) -> float:
    """Share of the numbers' variation that is told; nan where there is none."""
    spread = float(((answers - answers.mean()) ** 2).sum())
    return 1.0 - float(((answers - said) ** 2).sum()) / spread if spread else float("nan")
