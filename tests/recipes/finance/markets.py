"""A made-up market for tests: random walks, and tweets that follow them."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from zhuyi.recipes import stocknet

TICKERS = ("AA", "BB", "CC", "DD", "EE")


def prices(
    start: str = "2013-11-01",
    end: str = "2015-12-31",
    tickers: Sequence[str] = TICKERS,
    seed: int = 0,
) -> pd.DataFrame:
    """As `stocknet.prices` gives them."""
    generator, days = np.random.default_rng(seed), pd.bdate_range(start, end)
    parts = []
    for ticker in tickers:
        close = 50.0 * np.exp(np.cumsum(generator.normal(0.0, 0.01, len(days))))
        part = pd.DataFrame({"Date": days, "Ticker": ticker})
        for name in stocknet.PRICES[:-1]:
            part[name] = close
        part["Volume"] = generator.uniform(1e6, 2e6, len(days))
        parts.append(part)
    return pd.concat(parts, ignore_index=True)


def tweets(frame: pd.DataFrame, share: float = 0.5, seed: int = 0) -> pd.DataFrame:
    """On some days people say how it went."""
    generator = np.random.default_rng(seed)
    change = frame.groupby("Ticker")["Adj Close"].pct_change()
    kept = (generator.random(len(frame)) < share) & change.notna()
    said = ["stock is up", "stock is down"]
    return pd.DataFrame(
        {
            "Ticker": frame["Ticker"][kept],
            "Date": frame["Date"][kept],
            "Tweets": [(said[int(value < 0.0)],) for value in change[kept]],
        }
    ).reset_index(drop=True)
