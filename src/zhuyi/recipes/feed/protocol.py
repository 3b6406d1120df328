"""Two ways to hold films back, and one way to score: a full ranking of all films not known.

NDCG@k = sum over the k first of [held back] / log2(place + 1), over the best that is possible
HR@k   = whether one of the k first was held back
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from zhuyi._check import check_at_least
from zhuyi.errors import InputError, ShapeError
from zhuyi.recipes.feed.movielens import Integers
from zhuyi.recipes.intervals import Interval, bootstrap

Floats = npt.NDArray[np.float64]
Scorer = Callable[[Sequence[Integers]], npt.NDArray[np.floating]]
"""Histories of U people -> a score for every film, [U, films]."""

AT = 10


@dataclass(frozen=True, kw_only=True)
class Split:
    """What is known of each person, and what is held back.

    Args:
        films: how many there are.
        train: per person what a model may learn from, in the order of time.
        valid: per person what choices are made by.
        test: per person what is scored once, at the end.
        how: in words.
    """

    films: int
    train: tuple[Integers, ...]
    valid: tuple[Integers, ...]
    test: tuple[Integers, ...]
    how: str

    def known(self) -> tuple[Integers, ...]:
        """What is known at the time of the test: train, then valid."""
        return tuple(
            np.concatenate([one, two]) for one, two in zip(self.train, self.valid, strict=True)
        )


@dataclass(frozen=True, kw_only=True)
class Ranked:
    """Scores of a ranking, one a person who had something held back.

    Args:
        ndcg: [U], NDCG@10.
        hit: [U], 0.0 or 1.0.
    """

    ndcg: Floats
    hit: Floats

    def intervals(self, *, draws: int = 1000) -> tuple[Interval, Interval]:
        """Means of both, with intervals over people drawn with replacement."""
        return _interval(self.ndcg, draws), _interval(self.hit, draws)


def _interval(values: Floats, draws: int) -> Interval:
    return bootstrap(lambda drawn: float(values[drawn].mean()), len(values), draws=draws)


def leave_one_out(histories: Sequence[Integers], films: int) -> Split:
    """Each person's last film is the test, the one before it the validation.

    Raises: InputError: if a person has fewer than three films.

    Example:
        >>> split = leave_one_out([np.array([3, 1, 2, 0])], 4)
        >>> split.train[0].tolist(), split.valid[0].tolist(), split.test[0].tolist()
        ([3, 1], [2], [0])
    """
    short = next((place for place, one in enumerate(histories) if len(one) < 3), None)
    if short is not None:
        raise InputError(
            f"leave-one-out needs three films of everybody, person {short} has "
            f"{len(histories[short])}: leave such people out"
        )
    return Split(
        films=films,
        train=tuple(one[:-2] for one in histories),
        valid=tuple(one[-2:-1] for one in histories),
        test=tuple(one[-1:] for one in histories),
        how="each person's last film in time is the test, the one before it the validation",
    )


def random_split(
    histories: Sequence[Integers],
    films: int,
    *,
    seed: int = 0,
    shares: tuple[float, float] = (0.1, 0.1),
) -> Split:
    """Of each person's films 80 % are learned from, 10 % validate, 10 % are the test, at random.

    Not: a test of foresight: what is held back lies between what is known, in time.

    Example:
        >>> split = random_split([np.arange(20)], 20)
        >>> len(split.train[0]), len(split.valid[0]), len(split.test[0])
        (16, 2, 2)
    """
    generator = np.random.default_rng(seed)
    parts: tuple[list[Integers], list[Integers], list[Integers]] = ([], [], [])
    for history in histories:
        count = len(history)
        # never nothing where a share of a person's films is less than one of them
        valid, test = (max(int(share * count), min(1, count - 1)) for share in shares)
        order = generator.permutation(count)
        cuts = (order[valid + test :], order[:valid], order[valid : valid + test])
        for part, chosen in zip(parts, cuts, strict=True):
            part.append(history[np.sort(chosen)])
    return Split(
        films=films,
        train=tuple(parts[0]),
        valid=tuple(parts[1]),
        test=tuple(parts[2]),
        how="80 / 10 / 10 of each person's films at random",
    )


def ranked(
    scores: npt.NDArray[np.floating],
    known: Sequence[Integers],
    held: Sequence[Integers],
    *,
    at: int = AT,
) -> Ranked:
    """Score a ranking of all films that are not known.

    Args:
        scores: [U, films], higher is better; equal ones are ranked by number.
        known: per person the films that are not offered again.
        held: per person the films that were held back; people without any are left out.
        at: how many places count.

    Raises: ShapeError: if these are of different numbers of people.

    Example:
        >>> found = ranked(np.array([[3.0, 2.0, 1.0]]), [np.array([0])], [np.array([2])])
        >>> found.ndcg.round(4).tolist(), found.hit.tolist()
        ([0.6309], [1.0])
    """
    check_at_least("at", at, 1)
    if not len(scores) == len(known) == len(held):
        raise ShapeError(
            f"scores, known and held must be of the same people, got {len(scores)}, {len(known)} "
            f"and {len(held)}"
        )
    gains = 1.0 / np.log2(np.arange(2, at + 2))
    ndcg, hit = [], []
    for row, seen, wanted in zip(scores, known, held, strict=True):
        if len(wanted) == 0:
            continue
        first = best(row, seen, at)
        found = np.isin(first, wanted)
        ndcg.append(float((gains[: len(first)] * found).sum() / gains[: len(wanted)].sum()))
        hit.append(float(found.any()))
    return Ranked(ndcg=np.array(ndcg), hit=np.array(hit))


def best(scores: npt.NDArray[np.floating], out: Integers, at: int) -> Integers:
    """The `at` best films that are not in `out` and whose score is no -inf, best first."""
    left = np.array(scores, dtype=np.float64)
    left[out] = -np.inf
    order = np.argsort(-left, kind="stable")[:at]
    return order[np.isfinite(left[order])]


def tested(scorer: Scorer, split: Split) -> Ranked:
    """A model's test score: it is asked with all that is known then."""
    known = split.known()
    return ranked(scorer(known), known, split.test)


def validated(scorer: Scorer, split: Split) -> float:
    """A model's mean NDCG@10 on the validation films: what choices are made by."""
    return float(ranked(scorer(split.train), split.train, split.valid).ndcg.mean())
