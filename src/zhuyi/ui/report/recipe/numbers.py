"""Numbers as a person reads them, and the round numbers of an axis."""

import math
from collections.abc import Iterable

from zhuyi.recipes.intervals import Interval

_TICKS = 4


def shown(value: float) -> str:
    """Three decimals below ten, fewer above; a true minus sign.

    Example:
        >>> shown(0.81234), shown(-14.93), shown(1234.5)
        ('0.812', '−14.93', '1,234')
    """
    size = abs(value)
    digits = 3 if size < 10 else 2 if size < 100 else 1 if size < 1000 else 0
    return f"{value:,.{digits}f}".replace("-", "−")


def signed(value: float) -> str:
    """A number with its sign, also where it is above zero."""
    text = shown(value)
    return text if text.startswith("−") else f"+{text}"


def ends(one: Interval) -> str:
    """The interval's ends, or "" where it has none."""
    if one.lower is None or one.upper is None:
        return ""
    return f"{shown(one.lower)} … {shown(one.upper)}"


def ticks(values: Iterable[float]) -> tuple[float, ...]:
    """Round numbers evenly spaced, the first not above and the last not below all values.

    Example:
        >>> ticks([0.593, 0.824])
        (0.5, 0.6, 0.7, 0.8, 0.9)
    """
    found = list(values)
    low, high = min(found), max(found)
    if high - low < 1e-9 * max(abs(low), abs(high), 1e-9):
        low, high = low - 0.5, high + 0.5
    rough = (high - low) / _TICKS
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(power * one for one in (1.0, 2.0, 2.5, 5.0, 10.0) if power * one >= rough * 0.999)
    first, last = math.floor(low / step + 1e-9), math.ceil(high / step - 1e-9)
    return tuple(round(step * one, 10) for one in range(first, last + 1))
