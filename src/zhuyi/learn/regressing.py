"""What all glass-box regressors share: a number in its own unit."""

from typing import ClassVar, Self

import numpy as np
import torch
from numpy.typing import NDArray
from sklearn.base import RegressorMixin

from zhuyi.learn.base import GlassBoxEstimator
from zhuyi.learn.objectives import Objective, Squares
from zhuyi.learn.observing import Task
from zhuyi.learn.targets import read_groups, read_numbers, read_weights, target_name


class GlassBoxRegressor(RegressorMixin, GlassBoxEstimator):  # type: ignore[misc]
    """One number for each input; trained on it standardized."""

    own_state: ClassVar[tuple[str, ...]] = ("target_name_", "center_", "scale_")
    target_name_: str
    center_: float
    scale_: float

    def fit(
        self,
        X: object,
        y: object = None,
        groups: object = None,
        sample_weight: object = None,
    ) -> Self:
        """Train on B inputs and their numbers y "B".

        Args:
            groups: "B", what each belongs to (a patient, an engine); the validation part is then
                made of whole groups.
            sample_weight: "B", how much each counts, 0 or more; None: all alike.
        Raises: InputError: too few rows, inputs that cannot be read. OptionError.
        """
        material = self._material(X)
        numbers = read_numbers(y, self._count(material), type(self).__name__)
        self.target_name_ = target_name(y)
        weights = read_weights(sample_weight, len(numbers))
        self.center_ = float(np.average(numbers, weights=weights))
        spread = np.average((numbers - self.center_) ** 2, weights=weights)
        self.scale_ = float(np.sqrt(spread)) or 1.0
        standard = ((numbers - self.center_) / self.scale_)[:, None]
        together = read_groups(groups, len(numbers))
        codes = self._learn(material, standard, weights, None, 1, together)
        self._learned(codes, numbers)
        return self

    def _learned(self, codes: torch.Tensor, numbers: NDArray[np.float64]) -> None:
        """Look at the training rows once more, for what a class keeps of them."""

    def predict(self, X: object) -> NDArray[np.float64]:
        """Predicted numbers "B", in the target's unit."""
        return self._logits(X)[:, 0] * self.scale_ + self.center_

    @property
    def labels_(self) -> tuple[str, ...]:
        """The target's name, alone."""
        return (self.target_name_,)

    def _objective(self) -> Objective:
        return Squares()

    def _task(self) -> Task:
        return "number"

    def _unit(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        return np.array([self.center_]), np.array([self.scale_])

    def _explained(self, logits: NDArray[np.float64]) -> list[list[int]]:
        return [[0]] * len(logits)
