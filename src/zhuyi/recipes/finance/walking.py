"""Walk forward: every model learns from the past, decides on the next days, and moves on."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from time import perf_counter
from typing import Any

import numpy as np
import numpy.typing as npt

from zhuyi.errors import InputError
from zhuyi.recipes.finance.market import BUY, CLASSES, SELL, Days, Integers, Market
from zhuyi.recipes.finance.rivals import GLASS, Rival
from zhuyi.recipes.showing import largest_gap, taken
from zhuyi.recipes.splits import Fold

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class Walked:
    """What every model said of every row that was scored.

    Args:
        rows: [n], numbers of rows of the market, in order of days.
        shares: by model, probabilities of `CLASSES` "n 3".
        seconds: by model, for fitting and deciding on all blocks.
        blocks: of days, each scored by models that were fitted before it.
        gap: by model of ours, how far contributions were from its decisions at most.
        last: the glass box that was fitted last, and the rows that it was scored on.
    """

    rows: Integers
    shares: Mapping[str, Floats]
    seconds: Mapping[str, float]
    blocks: int
    gap: Mapping[str, float]
    last: tuple[Any, Integers]

    def decided(self, model: str) -> Integers:
        """[n], the likeliest of `CLASSES`."""
        likeliest: Integers = self.shares[model].argmax(1)
        return likeliest

    def ways(self, model: str) -> Integers:
        """[n], 1 where a rise is likelier than a fall; as likely counts as a rise."""
        shares = self.shares[model]
        return (shares[:, BUY] >= shares[:, SELL]).astype(np.int64)


@dataclass
class _Notes:
    """What is collected on the way."""

    shares: dict[str, list[Floats]] = field(default_factory=dict)
    seconds: dict[str, float] = field(default_factory=dict)
    gap: dict[str, float] = field(default_factory=dict)
    last: tuple[Any, Integers] | None = None


def walk(
    market: Market,
    folds: Sequence[Fold],
    models: Sequence[Rival],
    heard: Callable[[str, int, int], None] = lambda step, done, total: None,
) -> Walked:
    """Fit and ask every model on every block.

    Args:
        market: the rows.
        folds: of `splits.WalkForward`.
        models: to compare; the glass box must be among them.
        heard: called before each fit with its name, and how many of how many are done.

    Raises: InputError: without a fold, or without the glass box.
    """
    if not folds or GLASS not in [model.name for model in models]:
        raise InputError(f"a walk needs a fold at least, and {GLASS!r} among the models")
    notes, total = _Notes(), len(folds) * len(models)
    for done, (fold, model) in enumerate((fold, model) for fold in folds for model in models):
        heard(f"{model.name}, block {done // len(models) + 1}", done, total)
        _one(market, fold, model, notes)
    assert notes.last is not None
    return Walked(
        rows=np.concatenate([fold.test for fold in folds]),
        shares={name: np.concatenate(parts) for name, parts in notes.shares.items()},
        seconds=notes.seconds,
        blocks=len(folds),
        gap=notes.gap,
        last=notes.last,
    )


def _one(market: Market, fold: Fold, model: Rival, notes: _Notes) -> None:
    begun = perf_counter()
    train, test = taken(market.inputs, fold.train), taken(market.inputs, fold.test)
    fitted = model.make(train).fit(train, market.names[fold.train])
    shares = np.asarray(fitted.predict_proba(test), dtype=np.float64)
    spent = perf_counter() - begun
    if list(fitted.classes_) != list(CLASSES):
        raise InputError(f"{model.name} must have learned {CLASSES}, got {fitted.classes_}")
    notes.shares.setdefault(model.name, []).append(shares)
    notes.seconds[model.name] = notes.seconds.get(model.name, 0.0) + spent
    if model.role == "ours":
        gap = largest_gap(fitted, test)
        notes.gap[model.name] = max(notes.gap.get(model.name, 0.0), gap)
    if model.name == GLASS:
        notes.last = (fitted, fold.test)


def within(days: Days, period: tuple[np.datetime64, np.datetime64]) -> npt.NDArray[np.bool_]:
    """Which days lie in a period, its ends included."""
    inside: npt.NDArray[np.bool_] = (days >= period[0]) & (days <= period[1])
    return inside
