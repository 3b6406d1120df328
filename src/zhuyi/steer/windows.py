"""Windows of time by the clock: "-24h:" with the length of a step."""

import math
import re
from dataclasses import dataclass
from typing import Final

from zhuyi.errors import OptionError
from zhuyi.steer.layout import Layout
from zhuyi.steer.selectors import Channel, Matched

_SECONDS: Final = {"ms": 0.001, "s": 1, "min": 60, "h": 3600, "d": 86400, "w": 604800}
_LENGTH: Final = re.compile(r"\s*([+-]?\d+(?:\.\d+)?)\s*([a-z]*)\s*")


@dataclass(frozen=True)
class Time:
    """A stretch of time of one or all channels of a series.

    Args:
        window: "-24h:" (the last day), "0:30min", "-48h:-24h", or steps as "-24:"; negative times
            count from the end. Units: ms, s, min, h, d, w.
        step: how long one step lasts ("1h"); not needed for steps.
        channel: a name, or a pattern with * and ?.
    Raises: OptionError: for a window that cannot be read or holds nothing.

    Example:
        >>> Time("-1d:", step="1h").bounds
        (-24, None)
    """

    window: str
    step: str = ""
    channel: str = "*"

    def __post_init__(self) -> None:
        start, stop = self.bounds
        same_end = start is not None and stop is not None and (start < 0) == (stop < 0)
        if stop == 0 or (same_end and start >= stop):  # type: ignore[operator]
            raise OptionError(f"the window {self.window!r} holds no time: write it as 'from:to'")

    @property
    def bounds(self) -> tuple[int | None, int | None]:
        """First step and step after the last; every step that the window touches is in it."""
        start, colon, stop = self.window.partition(":")
        if not colon:
            raise OptionError(
                f"a window of time is written 'from:to', as '-24h:', got {self.window!r}"
            )
        return self._steps(start, up=False), self._steps(stop, up=True)

    def match(self, layout: Layout) -> Matched:
        """Positions of the stretches that overlap the window."""
        return Channel(self.channel, *self.bounds).match(layout)

    def _steps(self, written: str, *, up: bool) -> int | None:
        if not written.strip():
            return None
        number, unit = _length(written)
        if not unit:
            if (self.step and number) or number != int(number):
                raise OptionError(
                    f"{written!r} of the window {self.window!r} must have a unit, as 24h, where a "
                    "step is given, and be a whole number of steps where none is"
                )
            return int(number)
        if not self.step:
            raise OptionError(
                f"the window {self.window!r} needs the length of a step: add step, as '1h'"
            )
        step, step_unit = _length(self.step)
        if not step_unit or step <= 0:
            raise OptionError(
                f"a step must have a length above 0 and a unit, as 1h, got {self.step!r}"
            )
        # Rounded first: 0.3 s in steps of 0.1 s are three steps, not 2.9999999999999996.
        steps = round(number * _SECONDS[unit] / (step * _SECONDS[step_unit]), 9)
        return math.ceil(steps) if up else math.floor(steps)


def _length(written: str) -> tuple[float, str]:
    match = _LENGTH.fullmatch(written)
    if match is None or (match[2] and match[2] not in _SECONDS):
        units = ", ".join(_SECONDS)
        raise OptionError(f"a time must be a number with one of the units {units}, got {written!r}")
    return float(match[1]), match[2]
