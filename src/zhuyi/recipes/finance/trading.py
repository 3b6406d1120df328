"""Decisions as a portfolio: what following them would have earned after costs, through bt."""

import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from zhuyi._check import check_at_least
from zhuyi.errors import InputError, OptionError
from zhuyi.recipes.finance.market import BUY, SELL, Integers, Market

if TYPE_CHECKING:
    import pandas as pd

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class Terms:
    """On what terms one trades.

    Args:
        commission: share of a trade's value that the broker takes.
        slippage: share of a trade's value by which its price is worse than the close.
        lag: closes from the one that a decision has seen to the one that it is carried out at. With
            0 it would be carried out at the very close that it was made from.

    Raises: OptionError: a negative or infinite number.
    """

    commission: float = 0.0005
    slippage: float = 0.0005
    lag: int = 1

    def __post_init__(self) -> None:
        for name in ("commission", "slippage"):
            value = getattr(self, name)
            if not (np.isfinite(value) and 0.0 <= value < 1.0):
                raise OptionError(f"{name} must be within [0, 1), got {value!r}")
        check_at_least("lag", self.lag, 0)

    @property
    def cost(self) -> float:
        """Of a trade, as a share of its value."""
        return self.commission + self.slippage


@dataclass(frozen=True, kw_only=True)
class Traded:
    """What a portfolio did.

    Args:
        name: of the model, or of the benchmark.
        days: [T], the days of trade.
        returns: [T], relative change of its value on each day, after costs; the first is the price
            of getting in.
        total: over all days.
        drawdown: the largest fall from a peak, 0 or below.
        sharpe: mean over standard deviation of the daily returns, annualized, as bt gives it.
        turnover: how many times its value was bought or sold, over all days; 1 for getting in.
        fees: costs, as a share of what it began with.
        owned: mean share of the stocks that were owned.
    """

    name: str
    days: npt.NDArray[np.datetime64]
    returns: Floats
    total: float
    drawdown: float
    sharpe: float
    turnover: float
    fees: float
    owned: float


def closes(market: Market, rows: Integers) -> "pd.DataFrame":
    """Closes from the first decision to the last bar foretold, of stocks that were there all along.

    Args:
        market: with the closes.
        rows: numbers of the rows that were decided on.
    """
    first, last = market.days[rows].min(), market.scored[rows].max()
    table = market.closes.loc[np.datetime64(first, "ns") : np.datetime64(last, "ns")]
    return table.dropna(axis=1)


def targets(
    market: Market, rows: Integers, decided: Integers, table: "pd.DataFrame", lag: int
) -> "pd.DataFrame":
    """Weights to hold from each close on: one equal slot a stock, the rest is cash.

    One begins with all stocks. "buy" fills a stock's slot, "sell" empties it, "hold" leaves it.

    Args:
        market: whose rows they are.
        rows: [n], numbers of the rows that were decided on.
        decided: [n], numbers of `CLASSES`.
        table: of `closes`.
        lag: closes that a decision waits before it is carried out.

    Returns: one row a close and one column a stock, each 0 or 1 / stocks.
    """
    import pandas as pd

    said = pd.DataFrame(
        {
            "day": market.days[rows].astype("datetime64[ns]"),
            "ticker": market.tickers[rows],
            "owned": np.select([decided == BUY, decided == SELL], [1.0, 0.0], default=np.nan),
        }
    ).pivot(index="day", columns="ticker", values="owned")
    owned = said.reindex(index=table.index, columns=table.columns).ffill()
    return owned.shift(lag).fillna(1.0) / len(table.columns)


def trade(name: str, weights: "pd.DataFrame", table: "pd.DataFrame", terms: Terms) -> Traded:
    """Rebalance to the weights at every close, and pay for it.

    Args:
        name: of the portfolio.
        weights: [days, stocks] of `targets`; with fewer rows there is no trade between them, so
            that one row buys and holds.
        table: [days, stocks] of `closes`.
        terms: costs; the lag is in the weights.

    Raises: InputError: other stocks, days that are none of the table's, or weights above 1 in all.
    Cost:   about a second a year of 87 stocks.
    """
    if list(weights.columns) != list(table.columns) or not weights.index.isin(table.index).all():
        raise InputError("weights must be for the days and stocks of the table of closes")
    if (weights < 0.0).any().any() or (weights.sum(axis=1) > 1.0 + 1e-9).any():
        raise InputError("weights must be 0 or more, and at most 1 in all")
    found, run = _run(name, weights, table, terms.cost)
    prices, stats = found.prices[name], found.stats[name]
    strategy = run.strategy
    bought = run.security_weights.reindex(index=table.index, columns=table.columns, fill_value=0.0)
    return Traded(
        name=name,
        days=table.index.to_numpy(dtype="datetime64[D]"),
        returns=prices.pct_change().dropna().to_numpy(dtype=np.float64),
        total=float(stats["total_return"]),
        drawdown=float(stats["max_drawdown"]),
        sharpe=float(stats["daily_sharpe"]),
        turnover=float((strategy.outlays.abs().sum(axis=1) / strategy.values).sum()),
        fees=float(strategy.fees.sum() / run.initial_capital),
        owned=float((bought > 0.0).to_numpy().mean()),
    )


def _run(name: str, weights: "pd.DataFrame", table: "pd.DataFrame", cost: float) -> tuple[Any, Any]:
    """bt's result, and the backtest that it is of."""
    import bt

    steps = [bt.algos.WeighTarget(weights), bt.algos.Rebalance()]
    run = bt.Backtest(
        bt.Strategy(name, steps),
        table,
        integer_positions=False,
        commissions=_commission(cost),
        progress_bar=False,
    )
    with warnings.catch_warnings():
        # ffn asks pandas 3.1 for a frequency that only its name is read of (ffn 1.4.1).
        warnings.filterwarnings("ignore", message="A future version of pandas will return a BaseO")
        return bt.run(run, progress_bar=False), run


def buy_and_hold(table: "pd.DataFrame", terms: Terms) -> Traded:
    """The benchmark: equal amounts of all stocks at the first close, and nothing after."""
    import pandas as pd

    names = table.columns
    once = pd.DataFrame([[1.0 / len(names)] * len(names)], index=table.index[:1], columns=names)
    return trade("buy and hold", once, table, terms)


def _commission(rate: float) -> Callable[[float, float], float]:
    """What bt asks for: the cost of `quantity` pieces at `price`."""
    return lambda quantity, price: abs(quantity) * price * rate
