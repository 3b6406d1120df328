"""Rows held out from training to be scored on, and rows that stand on both sides."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from zhuyi.errors import InputError, OptionError

Places = NDArray[np.int64]


@dataclass(frozen=True)
class Split:
    """Places of rows.

    Args:
        train: to learn from, ascending.
        test: to be scored on, ascending; empty when nothing was held out.
    """

    train: Places
    test: Places


def split_rows(
    rows: int,
    share: float,
    seed: int,
    *,
    classes: NDArray[Any] | None = None,
    groups: Sequence[object] | None = None,
) -> Split:
    """Hold out a share of the rows: of every class alike, or whole groups.

    Args:
        rows: how many there are.
        share: of them to hold out, in [0, 1); 0 holds out none.
        seed: of the draw.
        classes: "B"; a class of one row stays in training. Not used where there are groups.
        groups: "B", rows of one group stay together.
    Raises: OptionError: a share out of range. InputError: fewer than two groups, or so few rows
        that none would be held out.

    Example:
        >>> split_rows(4, 0.5, 0, groups=["a", "a", "b", "b"]).test.tolist() in ([0, 1], [2, 3])
        True
    """
    if not 0.0 <= share < 1.0:
        raise OptionError(f"--test-share must be within [0, 1), got {share}")
    everything = np.arange(rows)
    if share == 0.0:
        return Split(everything, np.empty(0, np.int64))
    draw = np.random.default_rng(seed)
    if groups is not None:
        test = _whole_groups(groups, share, draw)
    else:
        codes = np.zeros(rows, np.int64)
        if classes is not None:
            codes = np.unique(classes, return_inverse=True)[1]
        chosen = []
        for code in np.unique(codes):
            members = draw.permutation(np.flatnonzero(codes == code))
            chosen.append(members[: min(round(share * len(members)), len(members) - 1)])
        test = np.sort(np.concatenate(chosen))
    if not test.size:
        raise InputError(
            f"{rows} rows are too few to hold out {share:.0%} of them: say --test-share 0 to train "
            "on all, without a score"
        )
    return Split(np.setdiff1d(everything, test), test)


def copies(cells: Sequence[Sequence[object]], split: Split) -> Places:
    """Places of held-out rows that stand in training too, cell by cell.

    Args:
        cells: columns of the table, the target's among them.
        split: of its rows.
    """
    rows = list(zip(*cells, strict=True))
    known = {rows[place] for place in split.train.tolist()}
    return np.array([p for p in split.test.tolist() if rows[p] in known], np.int64)


def _whole_groups(groups: Sequence[object], share: float, draw: np.random.Generator) -> Places:
    names = np.array([str(group) for group in groups])
    _, codes, sizes = np.unique(names, return_inverse=True, return_counts=True)
    if len(sizes) < 2:
        raise InputError("a split by group needs two groups or more, got one")
    taken = np.zeros(len(sizes), bool)
    wanted = share * len(names)
    for group in draw.permutation(len(sizes)).tolist():
        held = float(sizes[taken].sum())
        # a group goes out only where that comes nearer to the share
        nearer = abs(held + sizes[group] - wanted) < abs(held - wanted)
        if nearer and (~taken).sum() > 1:
            taken[group] = True
    if not taken.any():
        taken[int(sizes.argmin())] = True
    return np.flatnonzero(taken[codes])
