"""The numbers of every step of a track as one pack, so that a view can draw their course at once.

steps        i32 [S]
statistics   f32 or f16 [S, E, n], E heads in the track's order, n = STATISTICS; -1: not there
probability  f32 [S] of what was decided; -1: it is none
values       f32 [S, N], how much each unit counts; 0 where a step has none
verdicts     u8 [S]: 0 not tested, 1 trusted, 2 doubtful, 3 refuted
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from zhuyi.errors import InputError
from zhuyi.ui.view.pack import Array, pack, unpack
from zhuyi.ui.view.pictures import STATISTICS

VERDICTS: Final = (None, "trusted", "doubtful", "refuted")
_ABSENT: Final = -1.0
_MOST_HEADS: Final = 1 << 16


@dataclass(frozen=True, kw_only=True)
class SeriesRow:
    """What the series keeps of one moment: far less than the moment, so that it may be held.

    Args:
        step: of the moment.
        probability: of what was decided, -1 for none.
        values: float32 [N].
        verdict: index into `VERDICTS`.
        entries: int32 [e], places of the heads in the track.
        statistics: [e, n] of those heads, float16 or float32.
    """

    step: int
    probability: float
    values: npt.NDArray[np.float32]
    verdict: int
    entries: npt.NDArray[np.int32]
    statistics: Array


def series_row(step: int, packs: Sequence[bytes]) -> SeriesRow:
    """One moment's row.

    Args:
        step: of the moment.
        packs: the moment's own pack and those of its layers, as `view.pack.split` gives them.
    Raises: InputError: if they are no moment.
    Cost:   the packs are inflated once.
    """
    opened = [unpack(one) for one in packs]
    heads = [header for header, _ in opened if header.get("kind") == "moment"]
    if len(heads) != 1:
        raise InputError(f"step {step} must have one pack of kind 'moment', got {len(heads)}")
    chance, verdict = heads[0].get("probability"), heads[0].get("verdict")
    layers = [(header, arrays) for header, arrays in opened if header.get("kind") == "layer"]
    tables = [arrays["statistics"] for _, arrays in layers if "statistics" in arrays]
    none = np.zeros((0, len(STATISTICS)), np.float32)
    try:
        row = SeriesRow(
            step=step,
            probability=_ABSENT if chance is None else float(chance),
            values=np.array(heads[0].get("values", []), dtype=np.float32).reshape(-1),
            verdict=0 if verdict is None else VERDICTS.index(verdict["label"]),
            entries=np.array([x for head, _ in layers for x in head["entries"]], dtype=np.int32),
            statistics=np.concatenate(tables) if tables else none,
        )
    except (KeyError, TypeError, ValueError, OverflowError) as error:
        raise InputError(f"step {step} is damaged ({error})") from None
    return _checked(row)


def _checked(row: SeriesRow) -> SeriesRow:
    """The row, if its parts fit together: it may come from a file of anybody."""
    expected = (len(row.entries), len(STATISTICS))
    if row.statistics.shape != expected:
        raise InputError(
            f"step {row.step} must have {expected} numbers of its heads, got {row.statistics.shape}"
        )
    if row.entries.min(initial=0) < 0 or row.entries.max(initial=0) >= _MOST_HEADS:
        raise InputError(f"step {row.step} names heads beyond 0 to {_MOST_HEADS - 1}")
    return row


def series_of_rows(rows: Iterable[SeriesRow]) -> bytes:
    """The pack of some rows, in the order of their steps."""
    ordered = sorted(rows, key=lambda row: row.step)
    count = max((int(row.entries.max(initial=-1)) + 1 for row in ordered), default=0)
    units = max((len(row.values) for row in ordered), default=0)
    halves = all(row.statistics.dtype == np.float16 for row in ordered)
    real = np.float16 if ordered and halves else np.float32
    statistics = np.full((len(ordered), count, len(STATISTICS)), _ABSENT, dtype=real)
    values = np.zeros((len(ordered), units), dtype=np.float32)
    for place, row in enumerate(ordered):
        statistics[place, row.entries] = row.statistics
        values[place, : len(row.values)] = row.values
    arrays: dict[str, Array] = {
        "steps": np.array([row.step for row in ordered], dtype=np.int32),
        "statistics": statistics,
        "probability": np.array([row.probability for row in ordered], dtype=np.float32),
        "values": values,
        "verdicts": np.array([row.verdict for row in ordered], dtype=np.uint8),
    }
    return pack({"kind": "series"}, arrays)


def series_pack(moments: Iterable[tuple[int, list[bytes]]]) -> bytes:
    """The series of some moments.

    Args:
        moments: steps, each with the packs of its moment.
    Raises: InputError: if one is no moment.
    Cost:   every moment is inflated once; hold `series_row`s to add to a series step by step.
    """
    return series_of_rows(series_row(step, packs) for step, packs in moments)
