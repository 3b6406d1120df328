"""The metrics that recipes print, each a frozen object with its name."""

from dataclasses import dataclass
from typing import Any, ClassVar, Protocol

import numpy as np
import numpy.typing as npt
from sklearn.metrics import f1_score, roc_auc_score

from zhuyi.errors import InputError


class Metric(Protocol):
    """What a metric offers: its name, whether it reads probabilities, and the number."""

    @property
    def name(self) -> str: ...

    @property
    def probabilities(self) -> bool: ...

    def __call__(self, answers: npt.NDArray[Any], said: npt.NDArray[Any]) -> float: ...


@dataclass(frozen=True, kw_only=True)
class Accuracy:
    """Share of right answers, in [0, 1]."""

    name: ClassVar[str] = "accuracy"
    probabilities: ClassVar[bool] = False

    def __call__(self, answers: npt.NDArray[Any], said: npt.NDArray[Any]) -> float:
        return float(np.mean(answers == said))


@dataclass(frozen=True, kw_only=True)
class F1:
    """F1 of the class True: 2 TP / (2 TP + FP + FN); 0 where nothing is found.

    Args:
        threshold: probability from which True is said; None takes the model's own answers.
    """

    threshold: float | None = None
    name: ClassVar[str] = "F1"

    @property
    def probabilities(self) -> bool:
        return self.threshold is not None

    def __call__(self, answers: npt.NDArray[Any], said: npt.NDArray[Any]) -> float:
        found = said if self.threshold is None else said >= self.threshold
        return float(f1_score(answers, found, zero_division=0.0))


@dataclass(frozen=True, kw_only=True)
class Auroc:
    """Area under the ROC curve; nan where the answers are all alike."""

    name: ClassVar[str] = "AUROC"
    probabilities: ClassVar[bool] = True

    def __call__(self, answers: npt.NDArray[Any], said: npt.NDArray[Any]) -> float:
        if np.min(answers) == np.max(answers):
            return float("nan")
        return float(roc_auc_score(answers, said))


@dataclass(frozen=True, kw_only=True)
class MeanAuroc:
    """Mean of the classes' AUROC, over the classes that have both answers among the rows.

    Args:
        least: rows that each of the two answers needs for the class to count; below that an AUROC
            is mostly chance.

    Raises: InputError: if no class counts.
    """

    least: int = 1
    name: ClassVar[str] = "mean AUROC"
    probabilities: ClassVar[bool] = True

    def __call__(self, answers: npt.NDArray[Any], said: npt.NDArray[Any]) -> float:
        found = [
            float(roc_auc_score(answers[:, column], said[:, column]))
            for column in range(answers.shape[1])
            if self.least <= answers[:, column].sum() <= len(answers) - self.least
        ]
        if not found:
            raise InputError(f"no class has {self.least} rows of each answer to score it by")
        return float(np.mean(found))


@dataclass(frozen=True, kw_only=True)
class Rmse:
    """Root of the mean squared error, in the unit of the answers."""

    name: ClassVar[str] = "RMSE"
    probabilities: ClassVar[bool] = False

    def __call__(self, answers: npt.NDArray[Any], said: npt.NDArray[Any]) -> float:
        return float(np.sqrt(np.mean((answers - said) ** 2)))


@dataclass(frozen=True, kw_only=True)
class Matthews:
    """Matthews correlation of two classes, in [-1, 1]; 0 where one side is constant."""

    name: ClassVar[str] = "MCC"
    probabilities: ClassVar[bool] = False

    def __call__(self, answers: npt.NDArray[Any], said: npt.NDArray[Any]) -> float:
        one, other = np.asarray(answers, dtype=bool), np.asarray(said, dtype=bool)
        if one.min() == one.max() or other.min() == other.max():
            return 0.0
        return float(np.corrcoef(one, other)[0, 1])
