"""Rows of two years of StockNet: factors known at a close, and what the next bar did."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
import numpy.typing as npt

from zhuyi.errors import InputError
from zhuyi.recipes import stocknet
from zhuyi.recipes.finance.mood import mood

if TYPE_CHECKING:
    import pandas as pd

Integers = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
Days = npt.NDArray[np.datetime64]

FACTORS: Final = (
    *("return 1", "return 5", "return 20", "volume z"),
    *("volatility 5", "volatility 20", "tweets", "mood"),
)
"""Columns that models read; 8, so that every set of them can be tried in the audit."""

CLASSES: Final = ("buy", "hold", "sell")
"""In the order that scikit-learn gives classes: the alphabet's."""

BUY, HOLD, SELL = range(3)

PERIOD: Final = (np.datetime64("2014-01-02"), np.datetime64("2015-12-31"))
"""First close that features have seen, and last close that is foretold: the days with tweets."""

PAPER: Final = (np.datetime64("2015-10-01"), np.datetime64("2015-12-31"))
"""Days that the paper foretells in its test."""


@dataclass(frozen=True, kw_only=True)
class Market:
    """Rows to learn from and to be scored, one a stock and day, in order of days.

    Args:
        inputs: [N, 8], the columns of `FACTORS`; mood is missing where nobody wrote.
        labels: [N], numbers of `CLASSES`: what the next bar turned out to be.
        ahead: [N], relative change over that bar.
        days: [N], the day whose close the inputs have seen.
        scored: [N], the day at whose close `ahead` is known.
        tickers: [N].
        closes: adjusted closes, one row a day of trade and one column a stock, for the backtest.
    """

    inputs: "pd.DataFrame"
    labels: Integers
    ahead: Floats
    days: Days
    scored: Days
    tickers: npt.NDArray[np.str_]
    closes: "pd.DataFrame"

    def __len__(self) -> int:
        return len(self.labels)

    @property
    def names(self) -> npt.NDArray[np.str_]:
        """[N], labels by name."""
        return np.asarray(CLASSES)[self.labels]


def market(
    frame: "pd.DataFrame",
    said: "pd.DataFrame",
    *,
    period: tuple[np.datetime64, np.datetime64] = PERIOD,
    same_day: bool = False,
) -> Market:
    """Rows of a period.

        buy    if the next bar rises by more than 0.55 %
        sell   if it falls by 0.5 % or more
        hold   otherwise

    Args:
        frame: of `stocknet.prices`; what is before the period serves the windows.
        said: of `stocknet.tweets`.
        period: first day of features, last day foretold.
        same_day: as in `stocknet.at_close`; True looks ahead by some hours.

    Returns: rows whose numbers are all known, but mood.
    Raises:  InputError: if there is no row in the period.
    """
    import pandas as pd

    bars = stocknet.bars(frame, said, window=20, same_day=same_day)
    keys = pd.MultiIndex.from_arrays([bars.tickers, bars.days.astype("datetime64[ns]")])
    moods = _moods(stocknet.at_close(frame, said, same_day=same_day))
    inputs = bars.inputs.rename(columns={"volatility": "volatility 20"}).assign(
        **{
            "volatility 5": _volatility(frame, 5).reindex(keys).to_numpy(),
            "mood": [moods.get(key, np.nan) for key in keys],
        }
    )
    kept = np.flatnonzero((bars.days >= period[0]) & (bars.scored <= period[1]))
    if not len(kept):
        raise InputError(f"no row lies between {period[0]} and {period[1]}: give other prices")
    kept = kept[np.lexsort((bars.tickers[kept], bars.days[kept]))]
    ahead = bars.ahead[kept]
    return Market(
        inputs=inputs[list(FACTORS)].iloc[kept].reset_index(drop=True),
        labels=labels(ahead),
        ahead=ahead,
        days=bars.days[kept],
        scored=bars.scored[kept],
        tickers=bars.tickers[kept],
        closes=frame.pivot(index="Date", columns="Ticker", values="Adj Close").sort_index(),
    )


def labels(ahead: Floats) -> Integers:
    """Numbers of `CLASSES` for relative changes.

    Example:
        >>> labels(np.array([0.01, 0.001, -0.005])).tolist()
        [0, 1, 2]
    """
    return (1 - stocknet.movement(ahead)).astype(np.int64)


def _volatility(frame: "pd.DataFrame", window: int) -> "pd.Series[float]":
    """By stock and day, sqrt(252 mean(r^2)) over the `window` days up to it."""
    close = frame["Adj Close"]
    squares = np.log(close / close.groupby(frame["Ticker"]).shift(1)) ** 2
    mean = squares.groupby(frame["Ticker"]).rolling(window).mean().droplevel(0)
    found = np.sqrt(252.0 * mean)
    return found.set_axis(frame.set_index(["Ticker", "Date"]).index)


def _moods(known: "pd.DataFrame") -> Mapping[tuple[str, object], float]:
    """(stock, day of trade) -> mood of all tweets that its close is the first to know."""
    together = known.groupby(["Ticker", "Close"])["Tweets"].agg(
        lambda days: mood([tweet for day in days for tweet in day])
    )
    return {(str(ticker), day): value for (ticker, day), value in together.items()}
