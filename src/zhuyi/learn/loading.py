"""`load`: a saved estimator of whichever class, by a list of those that there are."""

from pathlib import Path
from typing import Final, TypeAlias

from zhuyi.learn import saving
from zhuyi.learn.classifier import AttentionClassifier
from zhuyi.learn.regressor import AttentionRegressor
from zhuyi.learn.series import SeriesAttentionClassifier, SeriesAttentionRegressor
from zhuyi.learn.text import TextAttentionClassifier

Estimator: TypeAlias = (
    AttentionClassifier
    | AttentionRegressor
    | SeriesAttentionClassifier
    | SeriesAttentionRegressor
    | TextAttentionClassifier
)
CLASSES: Final = (
    *(AttentionClassifier, AttentionRegressor),
    *(SeriesAttentionClassifier, SeriesAttentionRegressor),
    TextAttentionClassifier,
)


def load(folder: str | Path) -> Estimator:
    """The fitted estimator that `save` wrote to a folder.

    Args:
        folder: that holds weights.safetensors and model.json.
    Returns: the estimator; its decisions are those of the saved one bit for bit.
    Raises:  InputError: files that are missing, too large, links, of another format or version, of
        a class that is not ours, or whose numbers do not fit each other.
    Cost:    reads the files once; nothing is allocated before sizes are known to fit.
    Not:     a proof of who wrote the folder.

    Example:
        >>> import tempfile
        >>> import numpy as np
        >>> X = np.random.default_rng(0).normal(size=(50, 2))
        >>> model = AttentionRegressor(max_epochs=2, random_state=0).fit(X, X[:, 0] * 2 + X[:, 1])
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     model.save(folder)
        ...     bool((load(folder).predict(X) == model.predict(X)).all())
        True
    """
    found = saving.load(Path(folder), {kind.__name__: kind for kind in CLASSES})
    assert isinstance(found, CLASSES)
    return found
