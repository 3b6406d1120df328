"""Honest splits: groups stay together, folds are repeated, the future never trains the past."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from zhuyi._check import check_at_least
from zhuyi.errors import InputError, OptionError, ShapeError

Integers = npt.NDArray[np.int64]


@dataclass(frozen=True, kw_only=True)
class Fold:
    """Row numbers of one split.

    Args:
        train: rows to learn from.
        test: rows to be scored; none of them is in `train`.
    """

    train: Integers
    test: Integers


@dataclass(frozen=True, kw_only=True)
class StratifiedFolds:
    """Every fold has about the same share of each label; repeated with other shuffles.

    Args:
        folds: parts the rows are cut into; each is tested once a repeat.
        repeats: how often.
        seed: of the shuffles.

    Raises: OptionError: folds below 2, repeats below 1.

    Example:
        >>> split = StratifiedFolds(folds=2)
        >>> [len(fold.test) for fold in split(np.array([0, 0, 1, 1]))]
        [2, 2]
    """

    folds: int = 5
    repeats: int = 1
    seed: int = 0

    def __post_init__(self) -> None:
        check_at_least("folds", self.folds, 2)
        check_at_least("repeats", self.repeats, 1)

    def __call__(self, labels: npt.NDArray[np.generic]) -> tuple[Fold, ...]:
        """Cut the rows.

        Args:
            labels: [N], one a row; or [N, classes] of booleans, then rows are only shuffled: with
                many labels no cut is fair to all.

        Raises: InputError: if a label has fewer rows than there are folds.
        """
        labels = np.asarray(labels)
        generator = np.random.default_rng(self.seed)
        if labels.ndim == 1:
            _, codes = np.unique(labels, return_inverse=True)
            least = int(np.bincount(codes).min())
            if least < self.folds:
                raise InputError(
                    f"every label needs {self.folds} rows for {self.folds} folds, one has {least}"
                )
        else:
            codes = np.zeros(len(labels), dtype=np.int64)
        found: list[Fold] = []
        for _ in range(self.repeats):
            found += _folds(_dealt(codes, self.folds, generator), self.folds)
        return tuple(found)


@dataclass(frozen=True, kw_only=True)
class GroupedFolds:
    """All rows of a group (a patient, an engine) are on one side of every split.

    Groups are shuffled and dealt out the largest first, so that folds are of like size.

    Args:
        folds: parts the groups are cut into; each is tested once a repeat.
        repeats: how often.
        seed: of the shuffles.

    Raises: OptionError: folds below 2, repeats below 1.

    Example:
        >>> fold = GroupedFolds(folds=2)(np.array([7, 7, 8, 8]))[0]
        >>> len(fold.train), len(fold.test)
        (2, 2)
    """

    folds: int = 5
    repeats: int = 1
    seed: int = 0

    def __post_init__(self) -> None:
        check_at_least("folds", self.folds, 2)
        check_at_least("repeats", self.repeats, 1)

    def __call__(self, groups: npt.NDArray[np.generic]) -> tuple[Fold, ...]:
        """Cut the rows by their group, [N].

        Raises: InputError: if there are fewer groups than folds.
        """
        _, codes, sizes = np.unique(groups, return_inverse=True, return_counts=True)
        if len(sizes) < self.folds:
            raise InputError(f"{self.folds} folds need as many groups, got {len(sizes)}")
        generator = np.random.default_rng(self.seed)
        found: list[Fold] = []
        for _ in range(self.repeats):
            shuffled = generator.permutation(len(sizes))
            order = shuffled[np.argsort(-sizes[shuffled], kind="stable")]
            homes = np.empty(len(sizes), dtype=np.int64)
            # There and back again: the first fold does not get the largest group of every round.
            turn = np.concatenate([np.arange(self.folds), np.arange(self.folds)[::-1]])
            homes[order] = np.resize(turn, len(sizes))
            found += _folds(homes[codes], self.folds)
        return tuple(found)


@dataclass(frozen=True, kw_only=True)
class WalkForward:
    """Train on the past, test on the next block of days, move on.

    A row is trained on only if its answer was known `embargo` + 1 days of trade or more before the
    first day that is tested: that drops the rows whose answers overlap the test block (the purge),
    whatever the lag, and those so near that they share its news (the embargo).

    Args:
        train: days of trade to look back; None for all the past.
        test: days of trade in a block.
        embargo: days of trade left out before a block besides the purge.
        least: days of trade that the first training must have.

    Raises: OptionError: a number out of range.

    Example:
        >>> days = np.arange("2020-01-01", "2020-01-11", dtype="datetime64[D]")
        >>> folds = WalkForward(test=2, least=4, embargo=1)(days, days + 1)
        >>> folds[0].train.tolist(), folds[0].test.tolist()
        ([0, 1], [4, 5])
    """

    train: int | None = None
    test: int = 63
    embargo: int = 5
    least: int = 252

    def __post_init__(self) -> None:
        if self.train is not None:
            check_at_least("train", self.train, 1)
        check_at_least("test", self.test, 1)
        check_at_least("embargo", self.embargo, 0)
        check_at_least("least", self.least, 1)
        if self.train is not None and self.train < self.least:
            raise OptionError(f"train must be at least least = {self.least}, got {self.train}")

    def __call__(
        self, days: npt.NDArray[np.datetime64], scored: npt.NDArray[np.datetime64]
    ) -> tuple[Fold, ...]:
        """Cut the rows by time.

        Args:
            days: [N], the day at whose end a row's features are known.
            scored: [N], the day at whose end its answer is known; after `days`.

        Raises: ShapeError, InputError: if they do not fit, or there are too few days.
        """
        if days.shape != scored.shape or days.ndim != 1:
            raise ShapeError(f"days and scored must be [N], got {days.shape} and {scored.shape}")
        if not (scored > days).all():
            raise InputError("every row must be scored after the day that its features have seen")
        calendar, at = np.unique(days, return_inverse=True)
        # An answer known on a day beyond the calendar is later than all of it.
        known = np.searchsorted(calendar, scored, side="left")
        if len(calendar) <= self.least:
            raise InputError(
                f"walking forward needs more than {self.least} days, got {len(calendar)}"
            )
        return tuple(self._blocks(at, known, len(calendar)))

    def _blocks(self, at: Integers, known: Integers, days: int) -> Iterator[Fold]:
        for start in range(self.least, days, self.test):
            past = known < start - self.embargo
            if self.train is not None:
                past &= at >= start - self.train
            tested = (at >= start) & (at < start + self.test)
            yield Fold(train=np.flatnonzero(past), test=np.flatnonzero(tested))


def _dealt(codes: Integers, folds: int, generator: np.random.Generator) -> Integers:
    """A fold for each row, dealt out within each label, going on where the last label stopped."""
    order = generator.permutation(len(codes))
    order = order[np.argsort(codes[order], kind="stable")]
    homes = np.empty(len(codes), dtype=np.int64)
    homes[order] = np.arange(len(codes)) % folds
    return homes


def _folds(homes: Integers, folds: int) -> list[Fold]:
    return [
        Fold(train=np.flatnonzero(homes != fold), test=np.flatnonzero(homes == fold))
        for fold in range(folds)
    ]
