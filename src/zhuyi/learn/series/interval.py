"""Intervals by split-conformal prediction: errors on the validation part, by size of prediction.

[f(x) + q_low, f(x) + q_high],   q = the conformal quantiles of y - f on validation rows
                                 whose prediction lies in the same band as f(x)
"""

import math
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from zhuyi.errors import InputError, OptionError

_BANDS: Final = 4  # predictions are parted at their quartiles over the training part
_FEWEST: Final = 10  # errors outside of each end that a band of its own must be able to show


@dataclass(frozen=True)
class Errors:
    """Errors of a fitted regressor on rows that it did not train on.

    Args:
        edges: ascending predictions at which one band ends and the next begins.
        predictions: "M" of the validation rows.
        errors: "M", truth - prediction.
    """

    edges: tuple[float, ...]
    predictions: NDArray[np.float64]
    errors: NDArray[np.float64]

    def ends(
        self, predictions: NDArray[np.float64], level: float
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """What to add to each prediction for its lower and upper end, "B" each.

        Raises: OptionError: a level outside (0, 1). InputError: too few validation rows for it.
        """
        if not 0.0 < level < 1.0:
            raise OptionError(f"level must be within (0, 1), got {level!r}")
        needed = math.ceil(2.0 / (1.0 - level)) - 1
        if len(self.errors) < needed:
            raise InputError(
                f"an interval at the level {level:g} needs {needed} validation rows, there are "
                f"{len(self.errors)}: fit on more rows, or with a larger validation_fraction"
            )
        low, high = np.empty(len(predictions)), np.empty(len(predictions))
        own, asked = self._band(self.predictions), self._band(predictions)
        for band in np.unique(asked):
            errors = self.errors[own == band]
            if len(errors) < _FEWEST * needed / 2:
                errors = self.errors  # too few of their own
            low[asked == band], high[asked == band] = _quantiles(errors, level)
        return low, high

    def near(self, prediction: float) -> NDArray[np.float64]:
        """The errors of validation rows in a prediction's band; of all where there are few."""
        own = self._band(self.predictions) == self._band(np.array([prediction]))[0]
        return self.errors[own] if own.sum() >= 10 * _FEWEST else self.errors

    def _band(self, predictions: NDArray[np.float64]) -> NDArray[np.int64]:
        return np.searchsorted(self.edges, predictions, side="right")


def learn_errors(
    predictions: NDArray[np.float64], truth: NDArray[np.float64], judged: NDArray[np.int64]
) -> Errors:
    """Errors of the validation rows.

    Args:
        predictions: "B" of all rows.
        truth: "B".
        judged: which of them are validation rows.
    """
    trained = np.delete(predictions, judged)
    edges = np.quantile(trained, np.arange(1, _BANDS) / _BANDS)
    said = predictions[judged]
    return Errors(tuple(np.unique(edges).tolist()), said, truth[judged] - said)


def _quantiles(errors: NDArray[np.float64], level: float) -> tuple[float, float]:
    """The k-th smallest and the k-th largest error, k = floor((M + 1) (1 - level) / 2)."""
    ordered = np.sort(errors)
    rank = max(1, math.floor((len(ordered) + 1) * (1.0 - level) / 2.0 + 1e-9))
    return float(ordered[rank - 1]), float(ordered[-rank])
