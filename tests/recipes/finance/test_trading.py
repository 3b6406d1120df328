"""Trading: weights by hand, bt against a plain computation, and a lag that lets nothing pass."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from tests.recipes.finance import markets
from zhuyi.errors import InputError, OptionError
from zhuyi.recipes.finance.market import BUY, HOLD, SELL, Floats, Integers, Market, market
from zhuyi.recipes.finance.trading import Terms, buy_and_hold, closes, targets, trade

FREE = Terms(commission=0.0, slippage=0.0)


@pytest.fixture(scope="module")
def rows() -> Market:
    frame = markets.prices("2014-11-03", "2015-12-31", seed=3)
    return market(frame, markets.tweets(frame))


def everything(rows: Market) -> Integers:
    return np.arange(len(rows))


def plain(weights: pd.DataFrame, table: pd.DataFrame, rate: float) -> tuple[Floats, float]:
    """Daily returns after costs, and the costs: twenty lines that know nothing of bt."""
    prices = table.to_numpy()
    worth, cash, paid = np.zeros(prices.shape[1]), 1.0, 0.0
    values = [1.0]
    for day in range(len(prices)):
        if day:
            worth = worth * prices[day] / prices[day - 1]
        value = worth.sum() + cash
        change = weights.to_numpy()[day] * value - worth
        # What is to be bought for an amount is bought with its costs out of that amount.
        change = np.where(change > 0.0, change / (1.0 + rate), change)
        costs = rate * np.abs(change).sum()
        worth, cash, paid = worth + change, cash - change.sum() - costs, paid + costs
        values.append(worth.sum() + cash)
    return np.diff(values) / np.array(values[:-1]), paid


@pytest.mark.parametrize("cost", [0.0, 0.0005, 0.01])
def test_bt_and_the_plain_computation_agree(rows: Market, cost: float) -> None:
    decided = np.random.default_rng(0).choice([BUY, HOLD, SELL], len(rows))
    table = closes(rows, everything(rows))
    weights = targets(rows, everything(rows), decided, table, 1)
    found = trade("random", weights, table, Terms(commission=cost, slippage=cost))
    expected, paid = plain(weights, table, 2 * cost)
    # bt sells, pays, and then buys for what is left of the value: a second-order difference.
    near = 1e-9 + 0.2 * (2 * cost) ** 2
    np.testing.assert_allclose(found.returns, expected, rtol=0.0, atol=near)
    assert found.total == pytest.approx(np.prod(1.0 + expected) - 1.0, abs=100 * near)
    peak = np.maximum.accumulate(np.cumprod(1.0 + np.append(0.0, expected)))
    assert found.drawdown == pytest.approx(
        (np.cumprod(1.0 + np.append(0.0, expected)) / peak - 1.0).min(), abs=100 * near
    )
    assert found.fees == pytest.approx(paid, abs=100 * near)
    assert found.owned == pytest.approx(float((weights > 0).to_numpy().mean()))


def test_weights_by_hand(rows: Market) -> None:
    days = np.unique(rows.days)[:4]
    mine = np.flatnonzero((rows.tickers == "AA") & (rows.days <= days[3]))
    table = closes(rows, mine)[["AA", "BB"]]
    decided = np.array([SELL, HOLD, BUY, HOLD])
    now, late = (targets(rows, mine, decided, table, lag)["AA"].tolist() for lag in (0, 1))
    assert now == [0.0, 0.0, 0.5, 0.5, 0.5], "what was decided last still holds on the last day"
    assert late == [0.5, 0.0, 0.0, 0.5, 0.5]
    assert targets(rows, mine, decided, table, 1)["BB"].tolist() == [0.5] * 5


def test_buy_and_hold_is_the_mean_of_all_stocks(rows: Market) -> None:
    table = closes(rows, everything(rows))
    grown = (table.iloc[-1] / table.iloc[0]).mean()
    assert buy_and_hold(table, FREE).total == pytest.approx(grown - 1.0, abs=1e-9)
    paid = buy_and_hold(table, Terms())
    assert paid.total == pytest.approx(grown / 1.001 - 1.0, abs=1e-6)
    assert paid.turnover == pytest.approx(1.0, abs=2e-3)
    assert paid.fees == pytest.approx(0.001, rel=2e-3)


def test_tomorrows_return_earns_nothing_with_the_lag_and_a_fortune_without(rows: Market) -> None:
    """The broken twin is the same with lag 0: it trades at the close that it was made from."""
    known = np.where(rows.ahead > 0.0, BUY, SELL)
    table = closes(rows, everything(rows))
    totals = {
        lag: trade("known", targets(rows, everything(rows), known, table, lag), table, FREE).total
        for lag in (0, 1)
    }
    held = buy_and_hold(table, FREE).total
    assert totals[0] > held + 1.0
    assert abs(totals[1] - held) < 0.15


def test_a_stock_without_all_its_closes_is_left_out(rows: Market) -> None:
    holes = rows.closes.copy()
    holes.loc[holes.index[100], "CC"] = np.nan
    table = closes(replace(rows, closes=holes), everything(rows))
    assert list(table.columns) == ["AA", "BB", "DD", "EE"]


def test_terms_and_weights_that_cannot_be(rows: Market) -> None:
    for wrong in ({"commission": -0.1}, {"slippage": float("nan")}, {"lag": -1}):
        with pytest.raises(OptionError):
            Terms(**wrong)  # type: ignore[arg-type]
    table = closes(rows, everything(rows))
    weights = targets(rows, everything(rows), np.full(len(rows), HOLD), table, 1)
    with pytest.raises(InputError, match="at most 1"):
        trade("much", weights * 1.1, table, FREE)
    with pytest.raises(InputError, match="days and stocks"):
        trade("others", weights.rename(columns={"AA": "ZZ"}), table, FREE)
