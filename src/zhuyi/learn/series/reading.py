"""Series of any kind as one array: n x time x channel, n x time, or a list of unequal lengths."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from sklearn.utils import check_array

from zhuyi.errors import InputError, OptionError

MOST_NUMBERS: Final = 2**31  # of one array: some 16 GB


@dataclass(frozen=True)
class Series:
    """B series as they came, aligned by their last step.

    Args:
        values: "B T C", NaN where missing and in front of a series that began later.
        flat: whether they came as a table, one channel, a column a step.
    """

    values: NDArray[np.float64]
    flat: bool

    def __len__(self) -> int:
        return len(self.values)

    @property
    def there(self) -> NDArray[np.bool_]:
        """Bool "B T": False at the steps in front at which all channels are missing."""
        known = ~np.isnan(self.values).all(2)
        return np.asarray(np.maximum.accumulate(known, 1))


def read_series(given: object) -> Series:
    """Series as one array.

    Args:
        given: an array "B T C" or "B T" (one channel), a data frame (a row a series, a column a
            step), or a sequence of arrays "T C" or "T" of unequal lengths. Missing values are NaN;
            steps in front at which every channel is missing count as before the series began.
    Raises: InputError: series of other numbers of channels, or without a step. ValueError: what
        scikit-learn says of infinite numbers, text, or arrays that are empty.
    Cost:   O(B T C).
    """
    if _is_ragged(given):
        assert isinstance(given, Sequence | np.ndarray)
        return Series(_joined(given), False)
    array = check_array(given, dtype=np.float64, ensure_all_finite="allow-nan", allow_nd=True)
    if array.ndim > 3:
        raise InputError(
            f"series must be (n, time, channel) or (n, time), got {array.shape}: join the channels"
        )
    if array.ndim == 2:
        return Series(array[:, :, None], True)
    for count, what in zip(array.shape, ("series", "steps", "channels"), strict=True):
        if not count:
            raise InputError(f"series of shape {array.shape} have no {what}: leave empty ones out")
    return Series(array, False)


def fitted_to(values: NDArray[np.float64], steps: int) -> NDArray[np.float64]:
    """The last `steps` steps of each series; in front of shorter ones there are none (NaN)."""
    rows, found, channels = values.shape
    if found >= steps:
        return values[:, found - steps :]
    front = np.full((rows, steps - found, channels), np.nan)
    return np.concatenate([front, values], 1)


def channel_names(asked: Sequence[str] | None, count: int) -> tuple[str, ...]:
    """Names of the channels: as asked, "" for one, else "channel 1", "channel 2", ...

    Raises: OptionError: another number of names, names that are no texts or come twice.
    """
    if asked is None:
        return ("",) if count == 1 else tuple(f"channel {n + 1}" for n in range(count))
    names = tuple(asked)
    if isinstance(asked, str) or not all(isinstance(name, str) and name for name in names):
        raise OptionError(f"channels must be names, one a channel, got {asked!r}")
    if len(names) != count or len(set(names)) != count:
        raise OptionError(f"channels must be {count} different names, got {list(names)}")
    return names


def _is_ragged(given: object) -> bool:
    """Whether it is a sequence of series of unequal lengths."""
    if isinstance(given, np.ndarray):
        if given.dtype != object or given.ndim != 1:
            return False
    elif not isinstance(given, list | tuple):
        return False
    assert isinstance(given, Sequence | np.ndarray)
    if not len(given) or not all(isinstance(one, list | tuple | np.ndarray) for one in given):
        return False
    return isinstance(given, np.ndarray) or len({len(one) for one in given}) > 1


def _joined(given: "Sequence[Any] | NDArray[Any]") -> NDArray[np.float64]:
    parts = [_one(place, series) for place, series in enumerate(given)]
    counts = {part.shape[1] for part in parts}
    if len(counts) > 1:
        raise InputError(f"every series must have the same channels, got {sorted(counts)} of them")
    steps, channels = max(map(len, parts)), counts.pop()
    if len(parts) * steps * channels > MOST_NUMBERS:
        raise InputError(
            f"{len(parts)} series of up to {steps} steps do not fit into memory: cut long ones"
        )
    values = np.full((len(parts), steps, channels), np.nan)
    for row, part in enumerate(parts):
        values[row, steps - len(part) :] = part
    return values


def _one(place: int, series: object) -> NDArray[np.float64]:
    array = np.asarray(series)
    if array.ndim not in (1, 2) or not array.size:
        raise InputError(
            f"series {place + 1} must be (time, channel) or (time,) with one step or more, got "
            f"{array.shape}"
        )
    columns = array[:, None] if array.ndim == 1 else array
    checked: NDArray[np.float64] = check_array(
        columns, dtype=np.float64, ensure_all_finite="allow-nan"
    )
    return checked
