"""`AttentionRegressor`: numbers for a table's rows by a glass box."""

from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np

from zhuyi.learn.estimator import TableEstimator
from zhuyi.learn.prior import Prior
from zhuyi.learn.regressing import GlassBoxRegressor
from zhuyi.learn.training import Progress
from zhuyi.steer.rules import Rules


class AttentionRegressor(GlassBoxRegressor, TableEstimator):
    """Numbers for a table's rows, decided by an attention that a person can follow.

        y = b + sum_n w_n e_n,   w_n = softmax_n(q . k_n / sqrt(d))

    with key k_n and effect e_n read from column n alone; contributions w_n e_n are in the target's
    unit. Columns are read as by `AttentionClassifier`.

    Args:
        rules: what people know: `Rules` that hold in every decision, trained under them, or a
            `Prior`, which also has wishes. Saved with the model.
        columns: kinds by column name where the type says the wrong thing: "numeric", "categorical",
            "ordinal", "boolean", "date", "text".
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
        validation_fraction: share of rows kept back to stop early; without 10 such rows all epochs
            are run.
        strict: whether problems of the data are errors instead of warnings.
        progress: called with a `Progress` after each epoch.
        checkpoint: folder for the state of the training; `fit` goes on from it to the same result.
        random_state: a seed, a generator, or None for fresh entropy.

    Attributes: n_features_in_, feature_names_in_ (of frames), schema_, module_, n_epochs_,
        history_, validation_rows_, constants_, explanation_,
        prior_, prior_checks_ (what came of rules and wishes).
    Raises:  InputError: from `fit`, for data that nothing can be learned from; OptionError.
    Cost:    O(epochs B N d T) time.
    Not:     a proof of what causes what; and with mixing layers no explanation by construction.
    Ref:     Gorishniy et al. 2022, arXiv:2203.05556 (numbers).

    Example:
        >>> X = np.random.default_rng(0).normal(size=(200, 3))
        >>> y = 3.0 * X[:, 2] + X[:, 0]
        >>> model = AttentionRegressor(max_epochs=20, random_state=0).fit(X, y)
        >>> frame = model.explain([[0.0, 0.0, 2.0]])
        >>> str(frame.loc[frame["contribution"].idxmax(), "factor"])
        'x2'
    """

    def __init__(
        self,
        *,
        rules: Rules | Prior | None = None,
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
        strict: bool = False,
        progress: Callable[[Progress], None] | None = None,
        checkpoint: str | Path | None = None,
        random_state: int | np.random.RandomState | np.random.Generator | None = None,
    ) -> None:
        self.rules = rules
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
        self.strict = strict
        self.progress = progress
        self.checkpoint = checkpoint
        self.random_state = random_state
