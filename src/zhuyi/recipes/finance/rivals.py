"""The models that are compared: two trivial, two simple, and ours with and without mixing."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Self

import numpy as np
import numpy.typing as npt
from sklearn.base import BaseEstimator, ClassifierMixin

from zhuyi.learn import AttentionClassifier
from zhuyi.recipes.baselines import base_rate, boosted_classifier, logistic
from zhuyi.recipes.finance.market import CLASSES, labels
from zhuyi.recipes.records import Role

if TYPE_CHECKING:
    import pandas as pd

MAJORITY: Final = "majority"
LAST: Final = "last return"
LOGISTIC: Final = "logistic regression"
BOOSTING: Final = "gradient boosting"
GLASS: Final = "glass box"
MIXED: Final = "glass box, 1 mixing layer"


@dataclass(frozen=True, kw_only=True)
class Rival:
    """A model before it has seen anything.

    Args:
        name: as pages show it.
        role: trivial, simple or ours.
        make: gives an estimator whose scaling and filling in are inside of it, so that they are
            fitted with it, on the rows of its own window.
    """

    name: str
    role: Role
    make: Callable[["pd.DataFrame"], Any]


class LastReturn(ClassifierMixin, BaseEstimator):  # type: ignore[misc]
    """Says that the next bar will be as the last one was; learns nothing."""

    def fit(self, inputs: "pd.DataFrame", answers: npt.NDArray[np.str_]) -> Self:
        self.classes_ = np.asarray(CLASSES)
        return self

    def predict_proba(self, inputs: "pd.DataFrame") -> npt.NDArray[np.float64]:
        """1 for the class of "return 1", 0 for the others."""
        return np.eye(len(CLASSES))[labels(inputs["return 1"].to_numpy())]


def rivals(*, quick: bool, seed: int) -> tuple[Rival, ...]:
    """All models, trivial ones first.

    Their settings were written down once and never changed by a result on the days that are
    scored: markets are so close to chance that any search would find luck.

    Args:
        quick: fewer epochs for ours.
        seed: of what is random in them.
    """

    def ours(mixing_layers: int) -> Callable[["pd.DataFrame"], Any]:
        return lambda frame: AttentionClassifier(
            mixing_layers=mixing_layers,
            width=16,
            max_epochs=4 if quick else 20,
            patience=4,
            batch_size=512,
            learning_rate=2e-3,
            weight_decay=1e-2,
            random_state=seed,
        )

    return (
        Rival(name=MAJORITY, role="trivial", make=lambda frame: base_rate()),
        Rival(name=LAST, role="trivial", make=lambda frame: LastReturn()),
        Rival(name=LOGISTIC, role="simple", make=logistic),
        Rival(
            name=BOOSTING, role="simple", make=lambda frame: boosted_classifier(frame, seed=seed)
        ),
        Rival(name=GLASS, role="ours", make=ours(0)),
        Rival(name=MIXED, role="ours", make=ours(1)),
    )
