"""The models of machine failures, unfitted, and what they are called."""

from typing import TYPE_CHECKING, Final

from sklearn.base import BaseEstimator

from zhuyi.learn import AttentionClassifier
from zhuyi.recipes import baselines
from zhuyi.recipes.records import Options

if TYPE_CHECKING:
    import pandas as pd

GLASS_BOX: Final = "glass box"
MIXED: Final = "with 2 mixing layers"
BOOSTING: Final = "gradient boosting"
RULES: Final = "the published rules"


def glass_box(options: Options) -> AttentionClassifier:
    """Our model of machine failures, unfitted: each column by itself.

    Args:
        options: quick takes fewer epochs.
    """
    return AttentionClassifier(max_epochs=_epochs(options), random_state=options.seed)


def mixed(options: Options) -> AttentionClassifier:
    """The same with two layers that mix the columns first; its explanation is then evidence.

    Fewer pieces of a number and some dropout were chosen on folds of another seed.
    """
    return AttentionClassifier(
        mixing_layers=2,
        bins=8,
        dropout=0.1,
        max_epochs=_epochs(options),
        random_state=options.seed,
    )


def _epochs(options: Options) -> int:
    return 40 if options.quick else 100


def boosting(rows: "pd.DataFrame", options: Options) -> BaseEstimator:
    """Gradient boosting, unfitted."""
    return baselines.boosted_classifier(rows, seed=options.seed)
