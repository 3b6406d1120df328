"""`AttentionClassifier`: classes of a table's rows by a glass box."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, ClassVar, Final, Self

import numpy as np
import torch
from numpy.typing import NDArray
from sklearn.base import ClassifierMixin
from sklearn.metrics import precision_recall_curve
from sklearn.utils import Tags
from sklearn.utils.class_weight import compute_class_weight

from zhuyi.errors import OptionError
from zhuyi.learn.estimator import TableEstimator
from zhuyi.learn.objectives import Binary, Multiclass, Multilabel, Objective
from zhuyi.learn.targets import Classes, read_classes
from zhuyi.learn.training import Progress

BEST_F1: Final = "f1"


class AttentionClassifier(ClassifierMixin, TableEstimator):  # type: ignore[misc]
    """Classes of a table's rows, decided by an attention that a person can follow.

    Each column is embedded by itself, one attention per class reads the columns, and the decision
    is exactly a sum over columns plus a constant (binary targets have one attention, for the second
    class):

        z_c = b_c + sum_n w_cn e_cn,   w_cn = softmax_n(q_c . k_n / sqrt(d))

    Arrays, pandas and polars frames; numbers, truth values, categories, ordered categories and
    dates by their type; a missing value is a value of its own. Give y "B C" of 0 and 1 for many
    labels.

    Args:
        columns: kinds by column name where the type says the wrong thing: "numeric", "categorical",
            "ordinal", "boolean", "date".
        mixing_layers: transformer layers among columns before they are read. They see interactions;
            explanations are then evidence and need a verdict.
        width: d of keys and values, divisible by 4.
        max_epochs: most passes over the rows.
        patience: epochs without a better validation loss after which training stops.
        batch_size: rows a step; None: n / 32 as a power of two within [16, 512].
        learning_rate: its peak; it warms up and falls along a cosine.
        weight_decay: of AdamW.
        dropout: in mixing layers, while training, in [0, 1).
        bins: most pieces of a number's piecewise-linear encoding.
        validation_fraction: share of rows, of each class, kept back to stop early, calibrate and
            choose the threshold; without 10 such rows all epochs are run.
        class_weight: None, "balanced", or weights by class (binary and multiclass).
        threshold: of binary decisions: None: the likelier class; a number in (0, 1); or "f1": the
            one with the best F1 of the second class on the validation rows.
        strict: whether problems of the data (constant columns, a column that tells the target, too
            few rows) are errors instead of warnings.
        progress: called with a `Progress` after each epoch.
        checkpoint: folder for the state of the training; `fit` goes on from it to the same result.
        random_state: a seed, a generator, or None for fresh entropy. Global generators are neither
            read nor changed.

    Attributes: classes_, n_features_in_, feature_names_in_ (of frames), schema_, module_,
        temperature_, threshold_, n_epochs_, history_, validation_rows_, constants_, explanation_.
    Raises:  InputError: from `fit`, for data that nothing can be learned from; OptionError.
    Cost:    O(epochs B N d (T + C)) time.
    Not:     a proof of what causes what; and with mixing layers no explanation by construction.
    Ref:     Gorishniy et al. 2022, arXiv:2203.05556 (numbers); Guo et al. 2017, arXiv:1706.04599
        (temperature).

    Example:
        >>> X = np.random.default_rng(0).normal(size=(200, 3))
        >>> model = AttentionClassifier(max_epochs=20, random_state=0).fit(X, X[:, 1] > 0)
        >>> frame = model.explain([[0.0, 2.0, 0.0]])
        >>> str(frame.loc[frame["contribution"].idxmax(), "factor"])
        'x1'
    """

    own_state: ClassVar[tuple[str, ...]] = (
        *("classes_", "multilabel_"),
        *("positive_weights_", "threshold_"),
    )
    classes_: NDArray[Any]
    threshold_: float | None

    def __init__(
        self,
        *,
        columns: Mapping[str, str] | None = None,
        mixing_layers: int = 0,
        width: int = 32,
        max_epochs: int = 100,
        patience: int = 20,
        batch_size: int | None = None,
        learning_rate: float = 5e-3,
        weight_decay: float = 1e-4,
        dropout: float = 0.0,
        bins: int = 24,
        validation_fraction: float = 0.15,
        class_weight: str | Mapping[Any, float] | None = None,
        threshold: float | str | None = None,
        strict: bool = False,
        progress: Callable[[Progress], None] | None = None,
        checkpoint: str | Path | None = None,
        random_state: int | np.random.RandomState | np.random.Generator | None = None,
    ) -> None:
        self.columns = columns
        self.mixing_layers = mixing_layers
        self.width = width
        self.max_epochs = max_epochs
        self.patience = patience
        self.batch_size = batch_size
        self.learning_rate = learning_rate
        self.weight_decay = weight_decay
        self.dropout = dropout
        self.bins = bins
        self.validation_fraction = validation_fraction
        self.class_weight = class_weight
        self.threshold = threshold
        self.strict = strict
        self.progress = progress
        self.checkpoint = checkpoint
        self.random_state = random_state

    def fit(self, X: object, y: object = None) -> Self:
        """Train on rows X "B N" and their classes y "B", or labels "B C" of 0 and 1.

        Raises: InputError: one class only, too few rows, cells that cannot be read. OptionError.
        """
        cells = self._table(X)
        found = read_classes(y, len(cells[0]), type(self).__name__)
        self._check_threshold(found)
        self.classes_, self.multilabel_ = found.classes, found.many
        self.positive_weights_ = self._label_weights(found)
        weights = np.ones(len(found.target)) if found.many else self._row_weights(found)
        groups = None if found.many else found.target
        self._learn(cells, found.target, weights, groups, self._outputs())
        self.threshold_ = self._chosen_threshold(cells, found.target)
        return self

    def predict_proba(self, X: object) -> NDArray[np.float64]:
        """Calibrated probabilities "B C"; of many labels, each label's own."""
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

    def _row_weights(self, found: Classes) -> NDArray[np.float64]:
        """One weight a row, 1 on average."""
        given = self.class_weight
        if given is not None and not isinstance(given, Mapping) and given != "balanced":
            raise OptionError(f'class_weight must be None, "balanced" or a dict, got {given!r}')
        labels = found.classes[found.target]
        by_class = compute_class_weight(given, classes=found.classes, y=labels)
        weights: NDArray[np.float64] = by_class[found.target]
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

    def _chosen_threshold(self, cells: tuple[Any, ...], target: NDArray[np.int64]) -> float | None:
        if self.threshold != BEST_F1:
            return None if self.threshold is None else float(self.threshold)
        rows = self.validation_rows_
        if not rows.size:
            raise OptionError(
                'threshold="f1" needs 10 validation rows or more: give more rows, or a larger '
                "validation_fraction"
            )
        codes = torch.from_numpy(self.schema_.encode(cells)[0][rows])
        shares = self._shares_of(codes)[:, 1]
        precision, recall, cuts = precision_recall_curve(target[rows], shares)
        f1 = 2 * precision * recall / np.maximum(precision + recall, 1e-12)
        best = int(f1[:-1].argmax())
        # halfway to the next lower share, so that a hair's breadth decides nothing
        below = cuts[best - 1] if best else 0.0
        return float((cuts[best] + below) / 2.0)
