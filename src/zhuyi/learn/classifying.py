"""What all glass-box classifiers share: classes, weights, thresholds, probabilities."""

from collections.abc import Mapping
from typing import Any, ClassVar, Final, Self

import numpy as np
import torch
from numpy.typing import NDArray
from sklearn.base import ClassifierMixin
from sklearn.metrics import precision_recall_curve
from sklearn.utils import Tags
from sklearn.utils.class_weight import compute_class_weight

from zhuyi.errors import OptionError
from zhuyi.learn.base import GlassBoxEstimator
from zhuyi.learn.objectives import Binary, Multiclass, Multilabel, Objective
from zhuyi.learn.observing import Task
from zhuyi.learn.targets import Classes, read_classes, read_groups, read_weights

BEST_F1: Final = "f1"


class GlassBoxClassifier(ClassifierMixin, GlassBoxEstimator):  # type: ignore[misc]
    """Two classes, several, or any number of labels at once."""

    class_weight: str | Mapping[Any, float] | None
    threshold: float | str | None

    own_state: ClassVar[tuple[str, ...]] = (
        *("classes_", "multilabel_"),
        *("positive_weights_", "threshold_"),
    )
    classes_: NDArray[Any]
    multilabel_: bool
    positive_weights_: tuple[float, ...] | None
    threshold_: float | None

    def fit(
        self,
        X: object,
        y: object = None,
        groups: object = None,
        sample_weight: object = None,
    ) -> Self:
        """Train on B inputs and their classes y "B", or labels "B C" of 0 and 1.

        Args:
            groups: "B", what each belongs to (a patient, an engine); the validation part is then
                made of whole groups.
            sample_weight: "B", how much each counts, 0 or more; None: all alike.
        Raises: InputError: one class only, too few rows, inputs that cannot be read. OptionError.
        """
        material = self._material(X)
        found = read_classes(y, self._count(material), type(self).__name__)
        self._check_threshold(found)
        self.classes_, self.multilabel_ = found.classes, found.many
        self.positive_weights_ = self._label_weights(found)
        weights = read_weights(sample_weight, len(found.target))
        if not found.many:
            weights = self._row_weights(found, weights)
        strata = None if found.many else found.target
        together = read_groups(groups, len(found.target))
        outputs = self._outputs()
        codes = self._learn(material, found.target, weights, strata, outputs, together)
        given = read_weights(sample_weight, len(found.target))
        self.threshold_ = self._chosen_threshold(codes, found.target, given)
        return self

    def predict_proba(self, X: object) -> NDArray[np.float64]:
        """Probabilities "B C"; of many labels, each label's own.

        Calibrated where 50 rows or more were kept back; with `class_weight` they are those of the
        classes as weighted.
        """
        return self._shares(X)

    def predict(self, X: object) -> NDArray[Any]:
        """Classes "B"; of many labels, flags "B C"."""
        shares = self._shares(X)
        if self.multilabel_:
            flags: NDArray[np.int64] = (shares > 0.5).astype(np.int64)
            return flags
        chosen = shares.argmax(1)
        if self.threshold_ is not None:
            chosen = (shares[:, 1] >= self.threshold_).astype(np.int64)
        found: NDArray[Any] = self.classes_[chosen]
        return found

    def decision_function(self, X: object) -> NDArray[np.float64]:
        """Logits: "B" for the second of two classes, else "B C". What contributions sum to."""
        logits = self._logits(X)
        return logits[:, 0] if self._binary() else logits

    @property
    def labels_(self) -> tuple[str, ...]:
        """Names of the classes, or of the labels."""
        return tuple(map(str, self.classes_.tolist()))

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        tags.classifier_tags.multi_label = True
        return tags

    def _binary(self) -> bool:
        return len(self.classes_) == 2 and not self.multilabel_

    def _outputs(self) -> int:
        return 1 if self._binary() else len(self.classes_)

    def _objective(self) -> Objective:
        if self.multilabel_:
            return Multilabel(self.positive_weights_)
        return Binary() if self._binary() else Multiclass()

    def _task(self) -> Task:
        return "labels" if self.multilabel_ else "classes"

    def _calibrated(self) -> bool:
        return True

    def _unit(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        return np.zeros(self._outputs()), np.ones(self._outputs())

    def _explained(self, logits: NDArray[np.float64]) -> list[list[int]]:
        if self.multilabel_:
            return [list(range(logits.shape[1]))] * len(logits)
        if self._binary():
            return [[1]] * len(logits)
        return [[label] for label in logits.argmax(1).tolist()]

    def _row_weights(self, found: Classes, given_rows: NDArray[np.float64]) -> NDArray[np.float64]:
        """One weight a row, 1 on average: its own times its class's."""
        given = self.class_weight
        if given is not None and not isinstance(given, Mapping) and given != "balanced":
            raise OptionError(f'class_weight must be None, "balanced" or a dict, got {given!r}')
        labels = found.classes[found.target]
        by_class = compute_class_weight(given, classes=found.classes, y=labels)
        if given == "balanced":
            held = np.bincount(found.target, weights=given_rows)
            by_class = held.mean() / np.maximum(held, 1e-12)
        weights: NDArray[np.float64] = by_class[found.target] * given_rows
        if not (weights >= 0).all() or not weights.sum() > 0:
            raise OptionError("class_weight must have weights >= 0, and one above 0 that occurs")
        weights /= weights.mean()
        return weights

    def _label_weights(self, found: Classes) -> tuple[float, ...] | None:
        """Of many labels: how much a row with the label counts against one without."""
        if not found.many or self.class_weight is None:
            return None
        if self.class_weight != "balanced":
            raise OptionError('class_weight must be None or "balanced" for many labels')
        positive = found.target.mean(0)
        return tuple(((1.0 - positive) / positive).tolist())

    def _check_threshold(self, found: Classes) -> None:
        given = self.threshold
        if given is None:
            return
        if found.many or len(found.classes) != 2:
            raise OptionError("threshold is for two classes: leave it None")
        if given == BEST_F1:
            return
        if isinstance(given, str) or not 0.0 < given < 1.0:
            raise OptionError(f'threshold must be None, "f1" or within (0, 1), got {given!r}')

    def _chosen_threshold(
        self, codes: torch.Tensor, target: NDArray[np.int64], weights: NDArray[np.float64]
    ) -> float | None:
        if self.threshold != BEST_F1:
            return None if self.threshold is None else float(self.threshold)
        rows = self.validation_rows_
        if not rows.size or len(np.unique(target[rows])) < 2:
            raise OptionError(
                'threshold="f1" needs 10 validation rows or more, of both classes: give more '
                "rows, or a larger validation_fraction"
            )
        shares = self._shares_of(codes[torch.from_numpy(rows)])[:, 1]
        precision, recall, cuts = precision_recall_curve(
            target[rows], shares, sample_weight=weights[rows]
        )
        f1 = 2 * precision * recall / np.maximum(precision + recall, 1e-12)
        best = int(f1[:-1].argmax())
        # halfway to the next lower share, so that a hair's breadth decides nothing
        below = cuts[best - 1] if best else 0.0
        return float((cuts[best] + below) / 2.0)
