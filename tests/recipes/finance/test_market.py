"""Rows of the market: labels, factors, and that none of them knows the future."""

from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest

from tests.recipes.finance import markets
from zhuyi.errors import InputError
from zhuyi.recipes import stocknet
from zhuyi.recipes.finance.market import FACTORS, HOLD, labels, market

Build = Callable[[pd.DataFrame, pd.DataFrame], pd.DataFrame]
CUT = pd.Timestamp("2015-03-02")


def test_labels_at_the_papers_thresholds() -> None:
    ahead = np.array([-0.0051, -0.005, -0.0049, 0.0, 0.0055, 0.0056])
    assert labels(ahead).tolist() == [2, 2, HOLD, HOLD, HOLD, 0]


def test_rows_by_hand() -> None:
    frame = markets.prices()
    said = markets.tweets(frame)
    found = market(frame, said)
    assert tuple(found.inputs) == FACTORS
    assert (found.days >= np.datetime64("2014-01-02")).all()
    assert (found.scored <= np.datetime64("2015-12-31")).all()
    assert (np.diff(found.days.astype(np.int64)) >= 0).all(), "in order of days"
    row = 1234
    own = frame[frame["Ticker"] == found.tickers[row]].reset_index(drop=True)
    at = int(np.flatnonzero(own["Date"].to_numpy("datetime64[D]") == found.days[row])[0])
    close = own["Adj Close"].to_numpy()
    steps = np.diff(np.log(close[at - 5 : at + 1]))
    assert found.inputs["volatility 5"][row] == pytest.approx(np.sqrt(252 * np.mean(steps**2)))
    assert found.ahead[row] == pytest.approx(close[at + 1] / close[at] - 1.0)
    assert found.names[row] == ("buy", "hold", "sell")[found.labels[row]]
    table = found.closes
    assert table.loc[own["Date"][at], found.tickers[row]] == close[at]


def test_mood_is_of_the_tweets_before_the_close_and_missing_without_any() -> None:
    frame = markets.prices(tickers=("AA",))
    day = pd.Timestamp("2015-03-04")
    said = pd.DataFrame(
        {"Ticker": ["AA", "AA"], "Date": [day, day], "Tweets": [("strong",), ("weak", "fell")]}
    )
    found = market(frame, said)
    mood = pd.Series(found.inputs["mood"].to_numpy(), index=found.days)
    assert mood.dropna().index.tolist() == [np.datetime64("2015-03-05")]
    assert mood.dropna().tolist() == pytest.approx([-1 / 5])
    early = market(frame, said, same_day=True)
    assert early.days[early.inputs["mood"].notna()].tolist() == [day.date()]


def test_an_empty_period_is_an_error() -> None:
    frame = markets.prices("2016-01-01", "2016-12-31")
    with pytest.raises(InputError, match="no row lies between"):
        market(frame, markets.tweets(frame))


# --- the future ------------------------------------------------------------------------------


def foresight(build: Build) -> float:
    """How much inputs up to a day change when everything after it does; 0 for an honest builder."""
    frame = markets.prices()
    said = markets.tweets(frame)
    changed, generator = frame.copy(), np.random.default_rng(1)
    later = (changed["Date"] > CUT).to_numpy()
    numbers = list(stocknet.PRICES)
    changed.loc[later, numbers] = generator.permutation(changed.loc[later, numbers].to_numpy())
    others = said.copy()
    texts = others["Tweets"].to_numpy(copy=True)
    # What was written on the day itself is not known at its close either.
    unknown = (others["Date"] >= CUT).to_numpy()
    texts[unknown] = generator.permutation(texts[unknown])
    one, other = build(frame, said), build(changed, others.assign(Tweets=texts))
    past = one.index.get_level_values("day") <= CUT
    assert past.sum() > 1000
    return float(np.nanmax(np.abs(one[past].to_numpy() - other.loc[one.index[past]].to_numpy())))


def indexed(frame: pd.DataFrame, said: pd.DataFrame, *, same_day: bool = False) -> pd.DataFrame:
    found = market(frame, said, same_day=same_day)
    keys = [found.tickers, found.days.astype("datetime64[ns]")]
    return found.inputs.set_index(pd.MultiIndex.from_arrays(keys, names=("ticker", "day")))


def test_shuffling_the_future_changes_no_factor() -> None:
    assert foresight(indexed) == 0.0


def _scaled_on_all(frame: pd.DataFrame, said: pd.DataFrame) -> pd.DataFrame:
    found = indexed(frame, said)
    return (found - found.mean()) / found.std()


def _without_a_lag(frame: pd.DataFrame, said: pd.DataFrame) -> pd.DataFrame:
    found = indexed(frame, said)
    return found.groupby("ticker").shift(-1).dropna(subset="return 1")


def _tweets_of_the_evening(frame: pd.DataFrame, said: pd.DataFrame) -> pd.DataFrame:
    return indexed(frame, said, same_day=True)


@pytest.mark.parametrize("twin", [_scaled_on_all, _without_a_lag, _tweets_of_the_evening])
def test_a_leaky_twin_is_caught(twin: Build) -> None:
    assert foresight(twin) > 0.01
