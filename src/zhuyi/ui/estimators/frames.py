"""Typed columns as the data frames that estimators and baselines take."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import numpy as np

from zhuyi.ui.estimators.cells import Asked

if TYPE_CHECKING:
    import pandas as pd

Typed = Mapping[str, tuple[str, Sequence[object]]]
"""Column -> kind and values, as `zhuyi.ui.estimators.cells.typed` gives them."""


def frame(columns: Typed, asked: Mapping[str, Asked]) -> "pd.DataFrame":
    """Columns by their type, for `zhuyi.learn`; ordered ones whose levels were said keep them."""
    import pandas as pd

    found: dict[str, Any] = {}
    for name, (kind, values) in columns.items():
        levels = asked[name].levels if name in asked else ()
        if levels:
            order = pd.CategoricalDtype(list(levels), ordered=True)
            found[name] = pd.Series(list(values), dtype=order)
        elif kind == "numeric":
            found[name] = np.array([np.nan if v is None else v for v in values], np.float64)
        elif kind == "date":
            found[name] = pd.Series([_plain(value) for value in values], dtype="datetime64[us]")
        else:
            found[name] = pd.Series(list(values), dtype=object)
    return pd.DataFrame(found)


def plain_frame(columns: Typed, asked: Mapping[str, Asked]) -> "pd.DataFrame":
    """The same for baselines, which know numbers and categories only.

    Truth values are 0 and 1, dates days since 1970, levels their rank.
    """
    import pandas as pd

    found: dict[str, Any] = {}
    for name, (kind, values) in columns.items():
        levels = asked[name].levels if name in asked else ()
        if levels:
            found[name] = _numbers([None if v is None else levels.index(str(v)) for v in values])
        elif kind in ("numeric", "boolean"):
            found[name] = _numbers(values)
        elif kind == "date":
            moments = [_plain(value) for value in values]
            found[name] = _numbers([None if m is None else days(m) for m in moments])
        else:
            found[name] = pd.Series(list(values), dtype=object)
    return pd.DataFrame(found)


def _numbers(values: Sequence[Any]) -> Any:
    return np.array([np.nan if value is None else float(value) for value in values], np.float64)


def days(moment: datetime) -> float:
    """Days since 1970 of a moment without a zone, in any year."""
    return (moment - datetime(1970, 1, 1)).total_seconds() / 86400.0


def _plain(value: object) -> datetime | None:
    """A moment without its zone, in UTC."""
    if not isinstance(value, datetime):
        return None
    return value if value.tzinfo is None else value.astimezone(UTC).replace(tzinfo=None)
