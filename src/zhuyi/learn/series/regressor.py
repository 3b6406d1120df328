"""`SeriesAttentionRegressor`: numbers for time series by a glass box, with an interval."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import ClassVar

import numpy as np
import torch
from numpy.typing import NDArray

from zhuyi.learn.prior import Prior
from zhuyi.learn.regressing import GlassBoxRegressor
from zhuyi.learn.series.estimator import SeriesEstimator
from zhuyi.learn.series.interval import Errors, learn_errors
from zhuyi.learn.training import Progress
from zhuyi.steer.rules import Rules


class SeriesAttentionRegressor(GlassBoxRegressor, SeriesEstimator):
    """Numbers for time series, decided by an attention that a person can follow.

        y = b + sum_n w_n e_n,   w_n = softmax_n(q . k_n / sqrt(d))

    with key k_n and effect e_n read from one channel in one stretch of time alone; contributions
    w_n e_n are in the target's unit. Series are read as by `SeriesAttentionClassifier`.

    Args:
        rules: what holds from the training on, as `zhuyi.Rules` (a vetoed channel or stretch of
            time is neither learned from nor decided by), or a `Prior` with wishes and logic beside.
            Named by `Channel`; step 0 is the first that is read, -1 the last.
        channels: names of the channels, one each; None: "channel 1", "channel 2", ...
        stretches: how many stretches time is cut into, of nearly equal length; None: the root of
            the number of steps, at most 8. Fewer average more noise away, more tell better when.
        steps: how many of the last steps are read; None: as many as the longest training series
            has.
        mixing_layers: transformer layers among stretches before they are read. They see
            interactions; explanations are then evidence and need a verdict.
        width: d of keys and values, divisible by 4.
        max_epochs: most passes over the series.
        patience: epochs without a better validation loss after which training stops.
        batch_size: series a step; None: n / 32 as a power of two within [16, 512].
        learning_rate: its peak; it warms up and falls along a cosine.
        weight_decay: of AdamW.
        dropout: in mixing layers, while training, in [0, 1).
        bins: pieces of the piecewise-linear encodings of a stretch's mean and slope.
        validation_fraction: share of series kept back to stop early and to measure errors for
            `predict_interval`; without 10 such series all epochs are run. Give `fit` groups to keep
            back whole groups.
        strict: whether problems of the data are errors instead of warnings.
        progress: called with a `Progress` after each epoch.
        checkpoint: folder for the state of the training; `fit` goes on from it to the same result.
        random_state: a seed, a generator, or None for fresh entropy.

    Attributes: factors_, n_features_in_ (steps of a table, else channels), inputs_, module_,
        errors_, n_epochs_, history_, validation_rows_, constants_, explanation_,
        prior_, prior_checks_.
    Raises:  InputError: from `fit`, for data that nothing can be learned from; OptionError.
    Cost:    O(epochs B N F d) time, N channels times stretches, F about twice the steps of a
        stretch plus twice `bins`.
    Not:     a proof of what causes what; and with mixing layers no explanation by construction.
    Ref:     Gorishniy et al. 2022, arXiv:2203.05556 (numbers); Lei et al. 2018, arXiv:1604.04173
        (split-conformal intervals).

    Example:
        >>> X = np.random.default_rng(0).normal(size=(300, 6, 2))
        >>> y = 10.0 + 3.0 * X[:, -2:, 1].mean(1)
        >>> model = SeriesAttentionRegressor(stretches=3, max_epochs=20, random_state=0).fit(X, y)
        >>> low, high = model.predict_interval(X[:1], level=0.9)[0]
        >>> bool(low < model.predict(X[:1])[0] < high)
        True
    """

    own_state: ClassVar[tuple[str, ...]] = ("error_edges_", "judged_", "missed_by_")
    error_edges_: tuple[float, ...]
    judged_: tuple[float, ...]
    missed_by_: tuple[float, ...]

    def __init__(
        self,
        *,
        rules: Rules | Prior | None = None,
        channels: Sequence[str] | None = None,
        stretches: int | None = None,
        steps: int | None = None,
        mixing_layers: int = 0,
        width: int = 32,
        max_epochs: int = 100,
        patience: int = 20,
        batch_size: int | None = None,
        learning_rate: float = 5e-3,
        weight_decay: float = 1e-4,
        dropout: float = 0.0,
        bins: int = 12,
        validation_fraction: float = 0.15,
        strict: bool = False,
        progress: Callable[[Progress], None] | None = None,
        checkpoint: str | Path | None = None,
        random_state: int | np.random.RandomState | np.random.Generator | None = None,
    ) -> None:
        self.rules = rules
        self.channels = channels
        self.stretches = stretches
        self.steps = steps
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
        self.strict = strict
        self.progress = progress
        self.checkpoint = checkpoint
        self.random_state = random_state

    def predict_interval(self, X: object, level: float = 0.9) -> NDArray[np.float64]:
        """Lower and upper ends "B 2" between which the truth lies with the probability `level`.

            [f(x) + q_low, f(x) + q_high]

        with q the conformal quantiles of truth - prediction on the validation part, among rows
        whose prediction is in the same quarter as f(x) (of all rows where those are too few).

        Args:
            X: series.
            level: within (0, 1).
        Raises: InputError: too few validation rows for the level. OptionError: another level.
        Not:    a promise for each series. It promises that, of new series that are like those of
            training (exchangeable with the validation part), at least the share `level` falls
            inside, on average over trainings. The validation part also told when to stop the
            training, and rows of one group are alike, so it may be a little less: measure it.
        Ref:    Lei et al. 2018, arXiv:1604.04173; Vovk 2012, arXiv:1209.2673 (by bands).
        """
        predictions = self.predict(X)
        ends = self.errors_.ends(predictions, level)
        return predictions[:, None] + np.stack(ends, 1)

    @property
    def errors_(self) -> Errors:
        """Errors on the validation part, by size of prediction."""
        return Errors(self.error_edges_, np.array(self.judged_), np.array(self.missed_by_))

    def _learned(self, codes: torch.Tensor, numbers: NDArray[np.float64]) -> None:
        predictions = self._decided(codes).numpy()[:, 0] * self.scale_ + self.center_
        found = learn_errors(predictions, numbers, self.validation_rows_)
        self.error_edges_ = found.edges
        self.judged_ = tuple(found.predictions.tolist())
        self.missed_by_ = tuple(found.errors.tolist())
