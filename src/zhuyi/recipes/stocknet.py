"""StockNet: prices, volumes and tweets of 88 US stocks, as features that know no future."""

import io
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from zhuyi._check import check_at_least
from zhuyi.errors import InputError
from zhuyi.recipes.archive import LIMIT, read_file, read_folder
from zhuyi.recipes.data import fetch
from zhuyi.recipes.tables import check_columns, check_rows, read_table

if TYPE_CHECKING:
    import pandas as pd

PRICES = ("Open", "High", "Low", "Close", "Adj Close", "Volume")
FALL, RISE = -0.005, 0.0055
"""At most this, or more than that, counts as a movement in the paper; days between are dropped."""

FEATURES = ("return 1", "return 5", "return 20", "volume z", "volatility", "tweets")


@dataclass(frozen=True, kw_only=True)
class Bars:
    """Features and what follows them, one row a stock and day.

    Args:
        inputs: the columns of `FEATURES`, from what was known at the close of `days`.
        ahead: relative change of the adjusted close over the bar that is `lag` bars later.
        days: the day whose close the features have seen, as numpy days.
        scored: the day at whose close `ahead` is known.
        tickers: the stock.
    """

    inputs: "pd.DataFrame"
    ahead: npt.NDArray[np.float64]
    days: npt.NDArray[np.datetime64]
    scored: npt.NDArray[np.datetime64]
    tickers: npt.NDArray[np.str_]


def prices(path: Path | None = None, *, rows: int | None = 108_592) -> "pd.DataFrame":
    """Daily prices: Date, Ticker and the columns of `PRICES`, in order of ticker and day.

    Args:
        path: the .csv, .csv.gz or a .zip of the repository; None asks `fetch`.
        rows: how many rows there must be; None for any number.

    Returns: the frame, without the rows that have neither a price nor a volume (3 in the data).
    Raises:  InputError: if it is another table, a price is not positive, or a day stands twice.
    """
    import pandas as pd

    path = path or fetch("stocknet_prices")
    columns = ("Date", "Ticker", *PRICES)
    types = dict.fromkeys(PRICES, "float64")
    if path.suffix == ".zip":
        parts = []
        for name, data in read_folder(path, ("price", "raw")):
            part = read_table(data, name=name, columns=("Date", *PRICES), rows=None, types=types)
            parts.append(part.assign(Ticker=name.removesuffix(".csv")))
        if not parts:
            raise InputError(f"{path.name} must hold the folder price/raw, and does not")
        frame = pd.concat(parts, ignore_index=True)
        check_columns(frame, columns, path.name)
        check_rows(len(frame), rows, path.name)
    else:
        data = read_file(path, "stocknet_prices.csv")
        frame = read_table(data, name=path.name, columns=columns, rows=rows, types=types)
    frame["Date"] = pd.to_datetime(frame["Date"], format="%Y-%m-%d")
    frame = frame.dropna(subset=list(PRICES), how="all")
    if not (frame[list(PRICES[:-1])] > 0.0).all().all():
        raise InputError(f"{path.name} must have positive prices, and has others")
    if frame.duplicated(["Ticker", "Date"]).any():
        raise InputError(f"{path.name} must have a stock and day once, and has one twice")
    return frame.sort_values(["Ticker", "Date"], ignore_index=True)


def tweets(path: Path | None = None, *, rows: int | None = 25_711) -> "pd.DataFrame":
    """Tweets by stock and calendar day: Ticker, Date, Tweets (a tuple of texts).

    Args:
        path: the .jsonl, .jsonl.gz or a .zip of the repository; None asks `fetch`.
        rows: how many stock-days there must be; None for any number.

    Raises: InputError: if a line is not what it should be.
    """
    import pandas as pd

    path = path or fetch("stocknet_tweets")
    entries = list(_from_zip(path) if path.suffix == ".zip" else _from_lines(path))
    check_rows(len(entries), rows, path.name)
    frame = pd.DataFrame(entries, columns=["Ticker", "Date", "Tweets"])
    frame["Date"] = pd.to_datetime(frame["Date"], format="%Y-%m-%d")
    return frame.sort_values(["Ticker", "Date"], ignore_index=True)


def _from_lines(path: Path) -> Iterator[tuple[str, str, tuple[str, ...]]]:
    data = read_file(path, "stocknet_tweets.jsonl")
    for number, line in enumerate(io.BytesIO(data), start=1):
        try:
            entry = json.loads(line)
            yield str(entry["ticker"]), str(entry["date"]), tuple(map(str, entry["tweets"]))
        except (json.JSONDecodeError, UnicodeDecodeError, KeyError, TypeError):
            raise InputError(f"{path.name} line {number} must have ticker, date, tweets") from None


def _from_zip(path: Path) -> Iterator[tuple[str, str, tuple[str, ...]]]:
    for name, data in read_folder(path, ("tweet", "preprocessed"), limit=LIMIT):
        ticker, _, day = name.partition("/")
        try:
            texts = [json.loads(line)["text"] for line in data.splitlines() if line.strip()]
        except (json.JSONDecodeError, UnicodeDecodeError, KeyError, TypeError):
            raise InputError(f"{path.name}: {name} must have one tweet a line") from None
        yield ticker, day, tuple(t if isinstance(t, str) else " ".join(t) for t in texts)


def bars(
    frame: "pd.DataFrame",
    said: "pd.DataFrame | None" = None,
    *,
    window: int = 20,
    lag: int = 1,
    same_day: bool = False,
) -> Bars:
    """Features of each day's close and the change that follows.

        return k    = p_t / p_(t-k) - 1                       (adjusted close)
        volume z    = (v_t - mean) / deviation of v over the `window` days before t
        volatility  = sqrt(252 mean(r^2)) over the `window` days up to t, r = log p_t / p_(t-1)
        tweets      = log(1 + tweets since the close before, by `at_close`)
        ahead       = p_(t+lag) / p_(t+lag-1) - 1

    So a decision made after the close of day t earns the bar that ends `lag` days later: with 1 it
    trades at that close itself, with 2 it waits one more bar for the fill.

    Args:
        frame: of `prices`.
        said: of `tweets`, or None: then "tweets" is 0.
        window: days that volume and volatility look back; at least 2.
        lag: bars from the last one that the features have seen to the one scored; at least 1.
        same_day: as in `at_close`; True looks ahead by some hours.

    Returns: rows whose features and change are all known.
    Raises:  OptionError: window below 2, lag below 1.
    Not:     free of survivorship: the 88 stocks were picked because they were still there.
    """
    import pandas as pd

    check_at_least("window", window, 2)
    check_at_least("lag", lag, 1)
    counts = _counts(frame, said, same_day)
    parts = []
    for ticker, own in frame.groupby("Ticker", sort=True):
        part = _features(own, window)
        keys = [(str(ticker), day) for day in own["Date"]]
        part["tweets"] = np.log1p([float(counts.get(key, 0)) for key in keys])
        close = own["Adj Close"]
        part["ahead"] = (close.shift(-lag) / close.shift(1 - lag) - 1.0).to_numpy()
        part["day"], part["scored"] = own["Date"].to_numpy(), own["Date"].shift(-lag).to_numpy()
        part["ticker"] = str(ticker)
        parts.append(part.dropna())
    whole = pd.concat(parts, ignore_index=True)
    return Bars(
        inputs=whole[list(FEATURES)],
        ahead=whole["ahead"].to_numpy(dtype=np.float64),
        days=whole["day"].to_numpy(dtype="datetime64[D]"),
        scored=whole["scored"].to_numpy(dtype="datetime64[D]"),
        tickers=whole["ticker"].to_numpy(dtype=str),
    )


def _counts(
    frame: "pd.DataFrame", said: "pd.DataFrame | None", same_day: bool
) -> dict[tuple[str, Any], int]:
    """(stock, day of trade) -> tweets that its close is the first to know."""
    if said is None:
        return {}
    known = at_close(frame, said, same_day=same_day)
    counts = known["Tweets"].map(len).groupby([known["Ticker"], known["Close"]]).sum()
    return {(str(ticker), day): int(count) for (ticker, day), count in counts.items()}


def _features(own: "pd.DataFrame", window: int) -> "pd.DataFrame":
    import pandas as pd

    own = own.reset_index(drop=True)
    close, volume = own["Adj Close"], own["Volume"]
    step = np.log(close / close.shift(1))
    before = volume.shift(1).rolling(window)
    spread = before.std()
    return pd.DataFrame(
        {
            "return 1": close / close.shift(1) - 1.0,
            "return 5": close / close.shift(5) - 1.0,
            "return 20": close / close.shift(20) - 1.0,
            "volume z": (volume - before.mean()) / spread.mask(spread == 0.0),
            "volatility": np.sqrt(252.0 * (step**2).rolling(window).mean()),
        }
    )


def at_close(
    frame: "pd.DataFrame", said: "pd.DataFrame", *, same_day: bool = False
) -> "pd.DataFrame":
    """Tweets with the day of trade, "Close", by whose close they were surely known.

    The data give a tweet's day and not its hour, so a tweet may be later than its own day's close:
    it counts for the first close after its day.

    Args:
        frame: of `prices`.
        said: of `tweets`.
        same_day: count it for its own day's close, or the next one there is, as the literature
            does. What was said after the close then foretells the next bar: no one could trade it.

    Returns: `said` with the column, without tweets of unknown stocks or after the last close.
    """
    closes = {
        ticker: own["Date"].to_numpy(dtype="datetime64[ns]")
        for ticker, own in frame.groupby("Ticker")
    }
    known = said[said["Ticker"].isin(closes)]
    found = np.full(len(known), np.datetime64("NaT"), dtype="datetime64[ns]")
    for ticker, rows in known.groupby("Ticker").indices.items():
        days = known["Date"].to_numpy(dtype="datetime64[ns]")[rows]
        at = np.searchsorted(closes[ticker], days, side="left" if same_day else "right")
        there = at < len(closes[ticker])
        found[rows[there]] = closes[ticker][at[there]]
    return known.assign(Close=found).dropna(subset="Close")


def movement(ahead: npt.NDArray[np.float64]) -> npt.NDArray[np.int64]:
    """1 up, -1 down, 0 for the small changes that the paper drops (and an honest score keeps).

    Example:
        >>> movement(np.array([0.01, 0.0, -0.005])).tolist()
        [1, 0, -1]
    """
    return np.where(ahead > RISE, 1, np.where(ahead <= FALL, -1, 0)).astype(np.int64)
