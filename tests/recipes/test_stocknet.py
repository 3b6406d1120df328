"""StockNet: features by hand, and that no feature moves when the future does."""

import gzip
import io
import json
import zipfile
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from zhuyi.errors import InputError, OptionError
from zhuyi.recipes import stocknet
from zhuyi.recipes.splits import WalkForward

HEADER = "Date,Ticker,Open,High,Low,Close,Adj Close,Volume"


def days(count: int) -> list[str]:
    return [str(d.date()) for d in pd.bdate_range("2015-01-01", periods=count)]


def market(count: int, tickers: tuple[str, ...] = ("AA", "BB"), seed: int = 0) -> pd.DataFrame:
    generator = np.random.default_rng(seed)
    parts = []
    for ticker in tickers:
        close = 50.0 * np.exp(np.cumsum(generator.normal(0.0, 0.01, count)))
        part = pd.DataFrame({"Date": pd.to_datetime(days(count)), "Ticker": ticker})
        for name in stocknet.PRICES[:-1]:
            part[name] = close
        part["Volume"] = generator.uniform(1e6, 2e6, count)
        parts.append(part)
    return pd.concat(parts, ignore_index=True)


def test_prices_from_both_forms_are_the_same(tmp_path: Path) -> None:
    rows = ["2015-01-02,AA,1,2,0.5,1.5,1.4,100", "2015-01-01,AA,1,2,0.5,1.5,1.4,90"]
    plain = tmp_path / "stocknet_prices.csv.gz"
    plain.write_bytes(gzip.compress("\n".join([HEADER, *rows]).encode()))
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        text = "\n".join([HEADER.replace("Ticker,", ""), *(r.replace("AA,", "") for r in rows)])
        archive.writestr("stocknet-dataset-master/price/raw/AA.csv", text)
        archive.writestr("stocknet-dataset-master/price/preprocessed/AA.txt", "other")
    archived = tmp_path / "stocknet.zip"
    archived.write_bytes(packed.getvalue())
    one, other = stocknet.prices(plain, rows=2), stocknet.prices(archived, rows=2)
    pd.testing.assert_frame_equal(one, other[list(one)])
    assert one["Volume"].tolist() == [90.0, 100.0], "in order of days"


@pytest.mark.parametrize(
    ("rows", "why"),
    [
        (["2015-01-02,AA,1,2,0.5,1.5,0,100"], "positive prices"),
        (["2015-01-02,AA,1,2,0.5,1.5,,100"], "positive prices"),
        (["2015-01-02,AA,1,2,1,1,1,9", "2015-01-02,AA,1,2,1,1,1,9"], "has one twice"),
        (["2015-01-02,AA,1,2,1,1,cheap,9"], "another type"),
    ],
)
def test_bad_prices_are_refused(tmp_path: Path, rows: list[str], why: str) -> None:
    path = tmp_path / "stocknet_prices.csv"
    path.write_text("\n".join([HEADER, *rows]))
    with pytest.raises(InputError, match=why):
        stocknet.prices(path, rows=None)


def test_a_day_without_any_number_is_left_out(tmp_path: Path) -> None:
    path = tmp_path / "stocknet_prices.csv"
    path.write_text("\n".join([HEADER, "2015-01-01,AA,,,,,,", "2015-01-02,AA,1,2,1,1,1,9"]))
    found = stocknet.prices(path, rows=2)
    assert found["Date"].dt.day.tolist() == [2]


def test_tweets_from_both_forms_are_the_same(tmp_path: Path) -> None:
    plain = tmp_path / "stocknet_tweets.jsonl"
    entry = {"ticker": "AA", "date": "2015-01-02", "tweets": ["a b", "c"]}
    plain.write_text(json.dumps(entry) + "\n")
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        lines = [json.dumps({"text": ["a", "b"]}), json.dumps({"text": ["c"]})]
        archive.writestr("x/tweet/preprocessed/AA/2015-01-02", "\n".join(lines) + "\n")
    archived = tmp_path / "stocknet.zip"
    archived.write_bytes(packed.getvalue())
    one, other = stocknet.tweets(plain, rows=1), stocknet.tweets(archived, rows=1)
    assert one["Tweets"][0] == other["Tweets"][0] == ("a b", "c")
    plain.write_text("{broken\n")
    with pytest.raises(InputError, match="line 1 must have ticker, date, tweets"):
        stocknet.tweets(plain, rows=None)


def test_features_by_hand() -> None:
    frame = market(40, ("AA",))
    found = stocknet.bars(frame, window=5)
    row = 3
    at = int(np.flatnonzero(frame["Date"].to_numpy("datetime64[D]") == found.days[row])[0])
    close, volume = frame["Adj Close"].to_numpy(), frame["Volume"].to_numpy()
    inputs = found.inputs.iloc[row]
    assert inputs["return 1"] == pytest.approx(close[at] / close[at - 1] - 1.0)
    assert inputs["return 20"] == pytest.approx(close[at] / close[at - 20] - 1.0)
    before = volume[at - 5 : at]
    assert inputs["volume z"] == pytest.approx((volume[at] - before.mean()) / before.std(ddof=1))
    steps = np.diff(np.log(close[at - 5 : at + 1]))
    assert inputs["volatility"] == pytest.approx(np.sqrt(252.0 * np.mean(steps**2)))
    assert found.ahead[row] == pytest.approx(close[at + 1] / close[at] - 1.0)
    assert found.scored[row] == frame["Date"].to_numpy("datetime64[D]")[at + 1]


def test_a_longer_lag_skips_bars() -> None:
    frame = market(40, ("AA",))
    near, far = stocknet.bars(frame, lag=1), stocknet.bars(frame, lag=2)
    np.testing.assert_array_equal(far.ahead, near.ahead[1:])
    assert (far.scored > far.days + 1).all()
    with pytest.raises(OptionError, match="lag"):
        stocknet.bars(frame, lag=0)


def test_no_feature_changes_with_the_future() -> None:
    frame = market(60)
    said = pd.DataFrame(
        {
            "Ticker": "AA",
            "Date": frame["Date"][:60],
            "Tweets": [("a",) * (1 + i % 3) for i in range(60)],
        }
    )
    before = stocknet.bars(frame, said)
    cut = frame["Date"].unique()[40]
    changed = frame.copy()
    later = changed["Date"] > cut
    changed.loc[later, list(stocknet.PRICES)] *= 7.0
    said_less = said[said["Date"] <= cut]
    after = stocknet.bars(changed, said_less)
    past = before.days <= np.datetime64(cut, "D")
    assert past.sum() > 30
    np.testing.assert_array_equal(
        before.inputs.to_numpy()[past],
        after.inputs.to_numpy()[after.days <= np.datetime64(cut, "D")],
    )


@pytest.mark.parametrize(("same_day", "counts"), [(True, [3, 0]), (False, [2, 1])])
def test_a_tweet_counts_for_the_first_close_after_it(same_day: bool, counts: list[int]) -> None:
    """Two on Sunday, one on Monday: the data do not say whether Monday's came after the close."""
    frame = market(40, ("AA",))
    monday = frame["Date"][frame["Date"].dt.day_of_week == 0].iloc[-2]
    said = pd.DataFrame(
        {
            "Ticker": ["AA", "AA", "AA", "ZZ"],
            "Date": [monday - pd.Timedelta(days=1), monday, pd.Timestamp("2030-01-01"), monday],
            "Tweets": [("a", "b"), ("c",), ("d",) * 9, ("e",)],
        }
    )
    found = stocknet.bars(frame, said, same_day=same_day)
    counted = np.expm1(found.inputs["tweets"].to_numpy())
    day = np.datetime64(monday, "D")
    expected = [counted[found.days == day + later][0] for later in (0, 1)]
    assert expected == pytest.approx(counts)
    assert counted.sum() == pytest.approx(3.0)


def test_the_real_market(real_data: Path) -> None:
    frame = stocknet.prices()
    assert (len(frame), frame["Ticker"].nunique()) == (108_589, 88)
    assert (str(frame["Date"].min().date()), str(frame["Date"].max().date())) == (
        "2012-09-04",
        "2017-09-01",
    )
    close = frame.groupby("Ticker")["Adj Close"]
    change = (close.shift(0) / close.shift(1) - 1.0).to_numpy()
    years = frame["Date"].dt.year.isin([2014, 2015]).to_numpy() & ~np.isnan(change)
    found = stocknet.movement(change[years])
    assert [int((found == way).sum()) for way in (1, -1, 0)] == pytest.approx(
        [13_368, 13_253, 16_821], abs=60
    )
    said = stocknet.tweets()
    assert (len(said), said["Ticker"].nunique()) == (25_711, 87)
    rows = stocknet.bars(frame, said)
    folds = WalkForward(least=504, test=126, embargo=5)(rows.days, rows.scored)
    for fold in folds:
        assert rows.scored[fold.train].max() < rows.days[fold.test].min()
