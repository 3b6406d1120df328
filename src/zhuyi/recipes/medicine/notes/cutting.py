"""A note as phrases that a person would point at: conditions, durations, what is between.

高血压病史5年，父亲患糖尿病。 is 高血压病史 | 5年 | ， | 父亲患 | 糖尿病 | 。
"""

import re
from collections.abc import Sequence
from typing import Final

from zhuyi.recipes.medicine.notes.durations import find_durations
from zhuyi.recipes.medicine.notes.naming import find_names

Span = tuple[int, int]

_TAIL: Final = re.compile(r"病史|史|病|症")
_BETWEEN: Final = re.compile(r"[\u3400-\u9fff]+|[^\W_\u3400-\u9fff]+|\S")


def cut(text: str) -> tuple[Span, ...]:
    """Start and end of every phrase of a note, in reading order; white space is of none.

    Example:
        >>> text = "高血压病史5年，父亲患糖尿病。"
        >>> [text[a:b] for a, b in cut(text)]
        ['高血压病史', '5年', '，', '父亲患', '糖尿病', '。']
    """
    whole: list[Span] = []
    for name in find_names(text):
        tail = _TAIL.match(text, name.end)
        whole.append((name.start, tail.end() if tail else name.end))
    for one in find_durations(text):
        if all(one.end <= a or b <= one.start for a, b in whole):
            whole.append((one.start, one.end))
    found: list[Span] = []
    last = 0
    for start, end in sorted(whole):
        found += _between(text, last, start)
        found.append((start, end))
        last = end
    return (*found, *_between(text, last, len(text)))


def owners(units: Sequence[Span], phrases: Sequence[Span]) -> list[int]:
    """Per unit of a note, the phrase in which it begins."""
    found, place = [], 0
    for start, _ in units:
        while place + 1 < len(phrases) and phrases[place][1] <= start:
            place += 1
        found.append(place)
    return found


def _between(text: str, start: int, end: int) -> list[Span]:
    return [match.span() for match in _BETWEEN.finditer(text, start, end)]
