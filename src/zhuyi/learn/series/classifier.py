"""`SeriesAttentionClassifier`: classes of time series by a glass box."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from zhuyi.learn.classifying import GlassBoxClassifier
from zhuyi.learn.prior import Prior
from zhuyi.learn.series.estimator import SeriesEstimator
from zhuyi.learn.training import Progress
from zhuyi.steer.rules import Rules


class SeriesAttentionClassifier(GlassBoxClassifier, SeriesEstimator):
    """Classes of time series, decided by an attention that a person can follow.

    A factor is one channel in one stretch of time, counted from the end ("sensor 4, last 5 steps").
    Each is embedded by itself (its values, what is missing of them, its mean and slope), one
    attention per class reads all of them, and the decision is exactly a sum over factors plus a
    constant (binary targets have one attention, for the second class):

        z_c = b_c + sum_n w_cn e_cn,   w_cn = softmax_n(q_c . k_n / sqrt(d))

    Series are an array n x time x channel, or n x time (one channel; also a data frame), or a list
    of arrays of unequal lengths; they are aligned by their last step. NaN is a missing value; steps
    in front at which all channels are missing count as before the series began. Give y "B C" of 0
    and 1 for many labels.

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
        validation_fraction: share of series, of each class, kept back to stop early, calibrate and
            choose the threshold; without 10 such series all epochs are run. Give `fit` groups to
            keep back whole groups.
        class_weight: None, "balanced", or weights by class (binary and multiclass).
        threshold: of binary decisions: None: the likelier class; a number in (0, 1); or "f1": the
            one with the best F1 of the second class on the validation part.
        strict: whether problems of the data (constant channels, too few series) are errors instead
            of warnings.
        progress: called with a `Progress` after each epoch.
        checkpoint: folder for the state of the training; `fit` goes on from it to the same result.
        random_state: a seed, a generator, or None for fresh entropy. Global generators are neither
            read nor changed.

    Attributes: classes_, factors_, n_features_in_ (steps of a table, else channels), inputs_,
        module_, temperature_, threshold_, n_epochs_, history_, validation_rows_, constants_,
        explanation_, prior_, prior_checks_.
    Raises:  InputError: from `fit`, for data that nothing can be learned from; OptionError.
    Cost:    O(epochs B N F d) time, N channels times stretches, F about twice the steps of a
        stretch plus twice `bins`.
    Not:     a reader of order within a stretch beyond its values, mean and slope; a proof of what
        causes what; and with mixing layers no explanation by construction.
    Ref:     Gorishniy et al. 2022, arXiv:2203.05556 (numbers); Guo et al. 2017, arXiv:1706.04599
        (temperature).

    Example:
        >>> X = np.random.default_rng(0).normal(size=(200, 6, 2))
        >>> y = X[:, -2:, 1].mean(1) > 0
        >>> model = SeriesAttentionClassifier(stretches=3, max_epochs=20, random_state=0).fit(X, y)
        >>> frame = model.explain(X[:1])
        >>> str(frame.loc[frame["contribution"].abs().idxmax(), "factor"])
        'channel 2, last 2 steps'
    """

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
        class_weight: str | Mapping[Any, float] | None = None,
        threshold: float | str | None = None,
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
        self.class_weight = class_weight
        self.threshold = threshold
        self.strict = strict
        self.progress = progress
        self.checkpoint = checkpoint
        self.random_state = random_state
