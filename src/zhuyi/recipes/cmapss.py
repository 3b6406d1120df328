"""C-MAPSS FD001: simulated turbofan engines run to failure, and their remaining life."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from zhuyi._check import check_at_least
from zhuyi.errors import InputError
from zhuyi.recipes.archive import read_file
from zhuyi.recipes.data import fetch
from zhuyi.recipes.tables import check_rows, read_table

if TYPE_CHECKING:
    import pandas as pd

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]

SETTINGS = ("setting 1", "setting 2", "setting 3")
SENSORS = tuple(f"sensor {number}" for number in range(1, 22))
INFORMATIVE = tuple(f"sensor {n}" for n in (2, 3, 4, 7, 8, 9, 11, 12, 13, 14, 15, 17, 20, 21))
"""The 14 sensors that move in FD001, as in the literature; the other seven are constant or nearly
so."""

CAP = 125
"""Cycles of remaining life beyond which all engines count as equally new; the usual choice."""


@dataclass(frozen=True, kw_only=True)
class Engines:
    """The benchmark as published.

    Args:
        train: one row a cycle of engines run to failure: "unit", "cycle", settings, sensors.
        test: the same, cut off before the failure.
        remaining: true cycles left after the last test row of unit 1, 2, ...
    """

    train: "pd.DataFrame"
    test: "pd.DataFrame"
    remaining: Floats


@dataclass(frozen=True, kw_only=True)
class Windows:
    """Stretches of equal length.

    Args:
        values: [N, time, channel]; missing (NaN) in front where the engine is younger.
        units: the engine of each.
        cycles: the cycle of each one's last row.
        channels: names of the channels.
    """

    values: Floats
    units: Integers
    cycles: Integers
    channels: tuple[str, ...]


def load(
    train: Path | None = None,
    test: Path | None = None,
    remaining: Path | None = None,
    *,
    rows: tuple[int, int, int] | None = (20_631, 13_096, 100),
) -> Engines:
    """Load FD001.

    Args:
        train, test, remaining: the three files (.txt, .txt.gz or NASA's .zip); None asks `fetch`.
        rows: how many rows each must have; None for any number.

    Raises: InputError: if a file is not what it should be. Re-split copies of FD001 with other row
        counts are in circulation.
    """
    expected: tuple[int | None, ...] = rows if rows is not None else (None, None, None)
    left = _table(remaining, "RUL_FD001", ("left",), expected[2])
    found = Engines(
        train=_read(train, "train_FD001", expected[0]),
        test=_read(test, "test_FD001", expected[1]),
        remaining=left["left"].to_numpy(),
    )
    check_rows(found.test["unit"].nunique(), len(found.remaining), "test_FD001.txt (engines)")
    return found


def _table(
    path: Path | None, name: str, columns: tuple[str, ...], rows: int | None
) -> "pd.DataFrame":
    data = read_file(path or fetch(name), f"{name}.txt")
    # The lines end in blanks, which would be taken for more columns.
    tidy = b"\n".join(line.rstrip() for line in data.splitlines())
    types = {c: "int64" if c in ("unit", "cycle") else "float64" for c in columns}
    return read_table(
        tidy,
        name=f"{name}.txt",
        columns=columns,
        rows=rows,
        separator=r"\s+",
        header=False,
        types=types,
    )


def _read(path: Path | None, name: str, rows: int | None) -> "pd.DataFrame":
    columns = ("unit", "cycle", *SETTINGS, *SENSORS)
    frame = _table(path, name, columns, rows)
    if frame.isna().any().any():
        raise InputError(f"{name}.txt must have {len(columns)} numbers a line: it is cut off")
    steps = frame.groupby("unit")["cycle"].diff().dropna()
    if not (steps == 1).all() or (frame.groupby("unit")["cycle"].first() != 1).any():
        raise InputError(
            f"{name}.txt must have the cycles 1, 2, 3, ... of every engine: it has not"
        )
    return frame


def remaining_life(frame: "pd.DataFrame", *, cap: int | None = CAP) -> Floats:
    """Cycles left at each row of engines that ran to failure.

        min(last cycle of the engine - cycle, cap)

    Example:
        >>> import pandas as pd
        >>> remaining_life(pd.DataFrame({"unit": [1, 1, 2], "cycle": [1, 2, 1]})).tolist()
        [1.0, 0.0, 0.0]
    """
    last = frame.groupby("unit")["cycle"].transform("max")
    left: Floats = (last - frame["cycle"]).to_numpy(dtype=np.float64)
    return left if cap is None else np.minimum(left, float(cap))


def windows(
    frame: "pd.DataFrame",
    *,
    length: int = 30,
    stride: int = 1,
    channels: tuple[str, ...] = INFORMATIVE,
    last_only: bool = False,
) -> Windows:
    """Cut the engines into windows that end at every `stride`-th cycle, the last included.

    Args:
        frame: rows of `Engines`.
        length: cycles in a window.
        stride: cycles from one end to the next, counted from the engine's last cycle backwards.
        channels: columns to take.
        last_only: only the window at the end of each engine, as the benchmark's test asks.

    Raises: OptionError: length or stride below 1.
    """
    check_at_least("length", length, 1)
    check_at_least("stride", stride, 1)
    cut, units, cycles = [], [], []
    for unit, rows in frame.groupby("unit", sort=True):
        values = rows[list(channels)].to_numpy(dtype=np.float64)
        front = np.full((length - 1, len(channels)), np.nan)
        slid = np.lib.stride_tricks.sliding_window_view(np.vstack([front, values]), length, axis=0)
        ends = np.arange(len(values) - 1, -1, -stride)[::-1]
        if last_only:
            ends = ends[-1:]
        cut.append(slid[ends].transpose(0, 2, 1))
        units.append(np.full(len(ends), unit, dtype=np.int64))
        cycles.append(rows["cycle"].to_numpy(dtype=np.int64)[ends])
    return Windows(
        values=np.concatenate(cut),
        units=np.concatenate(units),
        cycles=np.concatenate(cycles),
        channels=channels,
    )


def statistics(found: Windows) -> "pd.DataFrame":
    """What a tree can read of a window: per channel last, mean, deviation and slope; and the age.

    Missing cycles in front are left out of every statistic; the slope of one cycle is 0. Slopes are
    by least squares, per cycle.
    """
    import pandas as pd

    values = found.values
    known = ~np.isnan(values)
    count = known.sum(axis=1)
    zeroed = np.where(known, values, 0.0)
    mean = zeroed.sum(axis=1) / count
    apart = np.where(known, values - mean[:, None, :], 0.0)
    times = np.arange(values.shape[1], dtype=np.float64)[None, :, None] * known
    middle = times.sum(axis=1) / count
    offset = np.where(known, times - middle[:, None, :], 0.0)
    spread = (offset**2).sum(axis=1)
    slope = (offset * apart).sum(axis=1) / np.where(spread > 0.0, spread, 1.0)
    parts = {
        "last": values[:, -1, :],
        "mean": mean,
        "deviation": np.sqrt((apart**2).sum(axis=1) / count),
        "slope": slope,
    }
    columns = {
        f"{channel} {name}": part[:, index]
        for name, part in parts.items()
        for index, channel in enumerate(found.channels)
    }
    return pd.DataFrame({"age": found.cycles.astype(np.float64), **columns})
