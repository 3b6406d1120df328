"""What both parts of the scene stand on: the rows, and what every model said of them."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from zhuyi.recipes import stocknet
from zhuyi.recipes.data import data_folder, fetch
from zhuyi.recipes.finance.blocks import by_day, draw_days, over_days
from zhuyi.recipes.finance.market import BUY, HOLD, PAPER, Market, market
from zhuyi.recipes.finance.marks import Floats, Mark, counted
from zhuyi.recipes.finance.rivals import rivals
from zhuyi.recipes.finance.walking import Walked, walk, within
from zhuyi.recipes.intervals import Interval
from zhuyi.recipes.records import Options
from zhuyi.recipes.splits import Fold, WalkForward

Flags = npt.NDArray[np.bool_]


@dataclass(frozen=True, kw_only=True)
class Study:
    """Rows, decisions and how sure of them one can be.

    Args:
        market: the rows.
        walked: what every model said of those that were scored.
        folds: how they were cut.
        draws: samples of an interval.
        seed: of the draws.
    """

    market: Market
    walked: Walked
    folds: tuple[Fold, ...]
    draws: int
    seed: int

    @property
    def moved(self) -> Flags:
        """[n], scored rows whose next bar was no small change: those the literature keeps."""
        kept: Flags = self.market.labels[self.walked.rows] != HOLD
        return kept

    @property
    def in_paper(self) -> Flags:
        """[n], scored rows of the paper's test: its days, without small changes."""
        return self.moved & within(self.market.scored[self.walked.rows], PAPER)

    def three(self, model: str) -> Floats:
        """[n, 3, 3], buy, hold or sell."""
        return counted(self.market.labels[self.walked.rows], self.walked.decided(model), 3)

    def up(self, model: str) -> Floats:
        """[n, 2, 2], up or down."""
        truth = self.market.labels[self.walked.rows] == BUY
        return counted(truth.astype(np.int64), self.walked.ways(model), 2)

    def moving(self, model: str) -> Floats:
        """[n, 2, 2], more than a small change or not."""
        said = self.walked.decided(model) != HOLD
        return counted(self.moved.astype(np.int64), said.astype(np.int64), 2)

    def interval(self, mark: Mark, cells: Floats, kept: Flags | None = None) -> Interval:
        """A score of some rows, with an interval over days.

        Args:
            mark: of `marks`.
            cells: [n, ...], one count a row.
            kept: [n], which rows; None for all.
        """
        days = self.market.days[self.walked.rows]
        if kept is not None:
            cells, days = cells[kept], days[kept]
        daily = by_day(cells, days)
        drawn = draw_days(len(daily), draws=self.draws, seed=self.seed)
        return over_days(mark, daily, drawn)

    def lead(self, mark: Mark, one: Floats, other: Floats, kept: Flags | None = None) -> Interval:
        """How much better one model is than another on the same days, with an interval."""

        def difference(counts: Floats) -> Floats:
            return mark(counts[:, 0]) - mark(counts[:, 1])

        return self.interval(difference, np.stack([one, other], axis=1), kept)


_KEPT: dict[tuple[bool, int, Path | None], Study] = {}
"""The last study, as both parts of a run need the same one."""


def study(options: Options, part: str) -> Study:
    """Load, walk forward, and keep the result for the scene's other part.

    Args:
        options: of the run.
        part: who asks, for the listener.

    Raises: DataUnavailable: if prices or tweets cannot be had.
    Cost:   about a minute on one thread, in quick a quarter of it.
    """
    key = (options.quick, options.seed, data_folder())
    if key not in _KEPT:
        _KEPT.clear()
        _KEPT[key] = _made(options, part)
    return _KEPT[key]


def _made(options: Options, part: str) -> Study:
    rows = load(options)
    folds = splitter(quick=options.quick)(rows.days, rows.scored)
    models = rivals(quick=options.quick, seed=options.seed)
    walked = walk(
        rows, folds, models, lambda step, done, total: options.listener(part, step, done, total)
    )
    draws = 500 if options.quick else 2000
    return Study(market=rows, walked=walked, folds=folds, draws=draws, seed=options.seed)


def load(options: Options, *, same_day: bool = False) -> Market:
    """The rows, from the data set's two files."""
    prices = stocknet.prices(fetch("stocknet_prices", download=options.download))
    tweets = stocknet.tweets(fetch("stocknet_tweets", download=options.download))
    return market(prices, tweets, same_day=same_day)


def splitter(*, quick: bool) -> WalkForward:
    """All of the past to learn from; blocks of a quarter are scored, in quick two instead of four.

    Answers that reach into a block are purged, and five days more are left out before it.
    """
    return WalkForward(least=378 if quick else 252, test=63, embargo=5)
