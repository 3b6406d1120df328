"""Columns that say almost by themselves what a model is to find out.

Each column alone guesses the target: a number by its rank and by its place among up to 64 equally
full pieces, a category by the other rows of the same category. What is scored has not seen its own
row, so that a column of rare categories does not look like one that knows.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from zhuyi.ui.estimators.ranks import Numbers, auroc, ranked

AUROC: Final = 0.995
"""From here a column alone tells a class too well."""
R2: Final = 0.999
"""From here a column alone tells a number too well."""

_PIECES: Final = 64
_LEAST: Final = 20  # rows
_LEAST_OF_A_CLASS: Final = 5
_HALVES: Final = 2
_FEW_VALUES: Final = 20  # different values of a column that is looked at value by value
_RARELY: Final = 0.25  # share of a class that is not expected to fill _LEAST rows by chance


def tells(kind: str, values: Sequence[object], answers: NDArray[Any], *, numbers: bool) -> float:
    """How well a column alone tells the target: AUROC of a class or R2 of a number, the best.

    Args:
        kind: of the column.
        values: its cells, None where missing.
        answers: "B" classes or numbers, or "B C" of 0 and 1.
        numbers: whether the answers are numbers.
    Returns: in [0, 1]; 0 where there are too few rows to say.
    Cost:    O(B log B) a class.

    Example:
        >>> wear = list(range(100))
        >>> tells("numeric", wear, np.array([n > 50 for n in wear]), numbers=False)
        1.0
    """
    if len(values) < _LEAST:
        return 0.0
    codes, ranks = _codes(kind, values)
    if numbers:
        answers = answers.astype(np.float64)
        # a straight line would do, and so would any rising one
        told = [_r2(answers, _guesses(codes, answers)), _square(ranks, answers)]
        return max(*told, _square(ranks, ranked(answers)))
    flags = answers.T if answers.ndim == 2 else [answers == one for one in np.unique(answers)]
    best = 0.0
    for flag in flags:
        held = np.asarray(flag, np.float64)
        if min(held.sum(), len(held) - held.sum()) < _LEAST_OF_A_CLASS:
            continue
        by_rank = auroc(held, ranks)
        best = max(best, by_rank, 1.0 - by_rank, auroc(held, _guesses(codes, held)))
    return best


def gives_away(
    kind: str, values: Sequence[object], answers: NDArray[Any]
) -> tuple[str, int, Any, float] | None:
    """A value of a column at which a class always holds that hardly holds elsewhere.

    So do parts of the answer: a machine whose flag "heat failure" is up has failed.

    Args:
        kind, values: of the column.
        answers: "B" classes, or "B" flags of one label.
    Returns: the value, its rows, the class, and the class's share of all rows; None where there is
        none. The value that most rows have.
    """
    texts = np.array(["" if value is None else f"{value:g}" if isinstance(value, float)
                      else str(value) for value in values])  # fmt: skip
    found, codes, counts = np.unique(texts, return_inverse=True, return_counts=True)
    if len(found) > _FEW_VALUES or kind in ("date", "text"):
        return None
    classes, index = np.unique(answers, return_inverse=True)
    shares = np.bincount(index) / len(index)
    for place in np.argsort(-counts, kind="stable").tolist():
        held = np.unique(index[codes == place])
        if (
            counts[place] >= _LEAST
            and len(held) == 1
            and shares[held[0]] <= _RARELY
            and found[place]
        ):
            value = classes[held[0]].item()
            return str(found[place]), int(counts[place]), value, float(shares[held[0]])
    return None


def _codes(kind: str, values: Sequence[object]) -> tuple[NDArray[np.int64], Numbers]:
    """A piece for every row, and its rank; rows without a value are a piece by themselves."""
    gone = np.array([value is None for value in values])
    if kind in ("categorical", "ordinal", "text"):
        texts = np.array(["" if value is None else str(value) for value in values])
        codes = np.unique(texts, return_inverse=True)[1].astype(np.int64) + 1
        return np.where(gone, 0, codes), np.zeros(len(values))
    plain = np.array([_plain(value) for value in values])
    ranks = ranked(plain)
    edges = np.quantile(plain[~gone], np.linspace(0, 1, _PIECES + 1)[1:-1]) if (~gone).any() else []
    codes = np.searchsorted(edges, plain, side="right").astype(np.int64) + 1
    return np.where(gone, 0, codes), np.where(gone, float(ranks.mean()), ranks)


def _plain(value: Any) -> float:
    if value is None:
        return 0.0
    if isinstance(value, bool | int | float):
        return float(value)
    zone = value.tzinfo
    return float((value - datetime(1970, 1, 1, tzinfo=zone)).total_seconds())


def _guesses(codes: NDArray[np.int64], answers: Numbers) -> Numbers:
    """The mean answer of the piece's rows in the other half of the table."""
    half = np.arange(len(codes)) % _HALVES
    draw = np.random.default_rng(0)  # rows may come in order
    half = draw.permutation(half)
    found = np.empty(len(codes))
    pieces = int(codes.max()) + 1
    for side in range(_HALVES):
        other = half != side
        sums = np.bincount(codes[other], answers[other], minlength=pieces)
        counts = np.bincount(codes[other], minlength=pieces)
        means = np.where(counts > 0, sums / np.maximum(counts, 1), answers[other].mean())
        found[half == side] = means[codes[half == side]]
    return found


def _square(one: Numbers, other: Numbers) -> float:
    if one.std() == 0.0 or other.std() == 0.0:
        return 0.0
    return float(np.corrcoef(one, other)[0, 1] ** 2)


def _r2(answers: Numbers, guesses: Numbers) -> float:
    spread = float(((answers - answers.mean()) ** 2).sum())
    return 1.0 - float(((answers - guesses) ** 2).sum()) / spread if spread else 0.0
