"""Targets as they come, checked and turned into what a model is trained on."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.utils import check_array, check_consistent_length
from sklearn.utils.multiclass import check_classification_targets, type_of_target
from sklearn.utils.validation import column_or_1d

from zhuyi.errors import InputError


@dataclass(frozen=True)
class Classes:
    """A classifier's target.

    Args:
        classes: sorted class labels, or names of the labels of a multilabel target.
        target: "B" class indices, or "B C" flags.
        many: whether any number of labels can hold at once.
    """

    classes: NDArray[Any]
    target: NDArray[np.int64]
    many: bool


def read_classes(y: object, rows: int, name: str) -> Classes:
    """Class labels, or an indicator matrix of many.

    Args:
        y: "B", or "B C" of 0 and 1.
        rows: how many rows the table has.
        name: of the estimator, for messages.
    Raises: InputError: no target, one class only, missing values. ValueError: what scikit-learn
        says of targets that are no classes.
    """
    _check_there(y, name)
    _check_finite(y)  # first: infinity has no class, and looking for one overflows
    check_classification_targets(y)
    if type_of_target(y, input_name="y") == "multilabel-indicator":
        return _flags(y, rows)
    labels = column_or_1d(y, warn=True)
    _check_length(labels, rows)
    classes, target = np.unique(labels, return_inverse=True)
    if len(classes) < 2:
        raise InputError(
            f"the target has one class only, {classes[0]!s}: a classifier needs rows of 2 classes "
            "or more"
        )
    return Classes(classes, target.astype(np.int64), False)


def read_numbers(y: object, rows: int, name: str) -> NDArray[np.float64]:
    """A regressor's target, float64 "B".

    Raises: InputError: no target. ValueError: what scikit-learn says of missing or infinite ones.
    """
    _check_there(y, name)
    array = check_array(y, ensure_2d=False, dtype=np.float64, input_name="y")
    numbers: NDArray[np.float64] = column_or_1d(array, warn=True)
    _check_length(numbers, rows)
    return numbers


def read_groups(groups: object, rows: int) -> NDArray[np.int64] | None:
    """Which rows belong together, as integers "B"; None where nothing is said of it.

    Raises: InputError: one group only. ValueError: another number of rows.
    """
    if groups is None:
        return None
    given = column_or_1d(groups)
    _check_length(given, rows)
    names, together = np.unique(given, return_inverse=True)
    if len(names) < 2:
        raise InputError("groups must name two groups or more: leave it out, or name them")
    return together.astype(np.int64)


def read_weights(weights: object, rows: int) -> NDArray[np.float64]:
    """How much each row counts, 1 on average; ones where nothing is said of it.

    Raises: InputError: a weight below 0, or none above. ValueError: what scikit-learn says of
        another number of weights, or of those that are no numbers.
    """
    if weights is None:
        return np.ones(rows)
    array = check_array(weights, ensure_2d=False, dtype=np.float64, input_name="sample_weight")
    if array.ndim != 1:
        raise InputError(f"Sample weights must be 1D array or scalar, got {array.ndim}D array")
    _check_length(array, rows)
    if not (array >= 0.0).all() or not array.sum() > 0.0:
        raise InputError("sample_weight must hold weights of zero or more, not all of them zero")
    found: NDArray[np.float64] = array / array.mean()
    return found


def target_name(y: object) -> str:
    """What a regressor's target is called: the name of its series, else "y"."""
    found = getattr(y, "name", None)
    return found if isinstance(found, str) and found else "y"


def _flags(y: object, rows: int) -> Classes:
    names = getattr(y, "columns", None)
    flags = check_array(y, accept_sparse=False, dtype=np.int64, input_name="y")
    _check_length(flags, rows)
    if not np.isin(flags, (0, 1)).all():
        raise InputError(f"many labels must be 0 or 1, got {np.unique(flags)[:5].tolist()}")
    count = flags.shape[1]
    classes = np.arange(count) if names is None else np.array([str(n) for n in names])
    single = [str(classes[n]) for n in range(count) if len(np.unique(flags[:, n])) < 2]
    if single:
        raise InputError(f"the labels {single} have one class only: leave them out")
    return Classes(classes, flags, True)


def _check_there(y: object, name: str) -> None:
    if y is None:
        raise InputError(
            f"This {name} estimator requires y to be passed, but the target y is None."
        )


def _check_finite(y: object) -> None:
    array = np.asarray(y)
    if array.dtype.kind == "f":
        check_array(array, ensure_2d=False, input_name="y")
    elif (
        array.dtype == object
        and array.ndim
        and any(cell is None or cell != cell for cell in array.ravel())
    ):
        raise InputError("Input y contains NaN: leave rows without a target out")


def _check_length(y: NDArray[Any], rows: int) -> None:
    check_consistent_length(np.empty(rows), y)
