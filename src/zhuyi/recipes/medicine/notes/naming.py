"""Where the three conditions are named in a text, by the names that the notes are written with."""

import re
from dataclasses import dataclass
from functools import cache
from typing import Final

from zhuyi.recipes.medicine.notes.chinese import CHINESE
from zhuyi.recipes.medicine.notes.durations import folded
from zhuyi.recipes.medicine.notes.english import ENGLISH
from zhuyi.recipes.medicine.notes.phrases import CLASSES

_ALL: Final = tuple(range(len(CLASSES)))


@dataclass(frozen=True, kw_only=True)
class Name:
    """A name in a text; whose condition it is, and whether it is there at all, is not said.

    Args:
        labels: indices in `CLASSES`: one, or all three for 三高.
        start, end: characters.
    """

    labels: tuple[int, ...]
    start: int
    end: int


@cache
def _pattern() -> tuple[re.Pattern[str], dict[str, tuple[int, ...]]]:
    known: dict[str, tuple[int, ...]] = {}
    for phrases in (CHINESE, ENGLISH):
        for label in _ALL:
            for name in (*phrases.names[label], *phrases.states[label]):
                known[folded(name)] = (label,)
        for name in phrases.all_three:
            known[folded(name)] = _ALL
    ordered = sorted(known, key=len, reverse=True)
    parts = [
        rf"(?<![a-z0-9]){re.escape(name)}(?![a-z])" if name.isascii() else re.escape(name)
        for name in ordered
    ]
    # 高血压病史 is 高血压 and 病史
    parts = [
        rf"{part}(?!史)" if name[-1] == "病" and name[:-1] in known else part
        for name, part in zip(ordered, parts, strict=True)
    ]
    return re.compile("|".join(parts)), known


def find_names(text: str) -> tuple[Name, ...]:
    """Every name of one of the three conditions, in the order they stand.

    Example:
        >>> [(name.labels, name.start) for name in find_names("无高血压，母亲糖尿病")]
        [((0,), 1), ((2,), 7)]
    """
    pattern, known = _pattern()
    return tuple(
        Name(labels=known[match.group()], start=match.start(), end=match.end())
        for match in pattern.finditer(folded(text))
    )
