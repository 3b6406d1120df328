"""A text as units and pieces, in any script and without a segmenter.

A unit is what a person would point at: a character where a script writes no spaces (Chinese,
Japanese, Korean, Thai, ...), else a word; a number, a mark or a symbol is a unit too. A piece is
one unit or a few side by side. All is compared as NFKC and case-folded; spans count characters of
the text as it came.
"""

import re
import unicodedata
from dataclasses import dataclass
from functools import lru_cache
from typing import Final, NamedTuple

# Han, kana, Hangul and their neighbors; Thai and Lao; Tibetan; Burmese; Khmer.
_DENSE: Final = (
    "\u0e00-\u0eff\u0f00-\u0fff\u1000-\u109f\u1780-\u17ff"
    "\u2e80-\u2fdf\u3005-\u3007\u3021-\u3029\u3031-\u30ff\u3130-\u31bf\u31f0-\u31ff"
    "\u3400-\u4dbf\u4e00-\u9fff\ua960-\ua97f\uac00-\ud7ff\uf900-\ufaff\U00020000-\U0003ffff"
)
# Vowel signs and accents belong to the letter before them, and are no letters for `re`.
_MARKS: Final = "".join(
    chr(code) for code in range(0x300, 0x10000) if unicodedata.category(chr(code))[0] == "M"
)
_LETTER: Final = rf"[^\W\d_{_DENSE}]"
_UNIT: Final = re.compile(
    rf"[{_DENSE}][{_MARKS}]*|\d+(?:\.\d+)?"
    rf"|{_LETTER}(?:[^\W_{_DENSE}]|[{_MARKS}]|'(?={_LETTER}))*|\S"
)
_SHORTEST_PART: Final = 4
_HAS_MARKS: Final = re.compile(rf"[{_MARKS}]")
_IS_DENSE: Final = re.compile(rf"[{_DENSE}]")


@dataclass(frozen=True, slots=True)
class Units:
    """The units of one text, in reading order.

    Args:
        keys: what each is compared by, normalized.
        spans: start and end of each in the text as it came.
        dense: whether it is of a script without spaces.
        whole: whether these are all, and not the first ones of a long text.
        cut: spans of units that were cut out; None where none were.
    """

    keys: tuple[str, ...]
    spans: tuple[tuple[int, int], ...]
    dense: tuple[bool, ...]
    whole: bool = True
    cut: tuple[tuple[int, int], ...] | None = None

    def __len__(self) -> int:
        return len(self.keys)

    def without(self, kept: list[int]) -> "Units":
        """The units of these places only, as if they stood side by side."""
        there = set(kept)
        gone = (span for place, span in enumerate(self.spans) if place not in there)
        return Units(
            tuple(self.keys[n] for n in kept),
            tuple(self.spans[n] for n in kept),
            tuple(self.dense[n] for n in kept),
            self.whole,
            (*(self.cut or ()), *gone),
        )


class Piece(NamedTuple):
    """One unit, a few side by side, or a part of a word.

    Args:
        key: what it is compared by.
        first: place of its first unit.
        last: place after its last unit.
        span: start and end in the text as it came.
    """

    key: str
    first: int
    last: int
    span: tuple[int, int]


def read_units(text: str, most: int) -> Units:
    """The first `most` units of a text.

    Cost: linear in the characters.
    """
    folded, places = _folded(text)
    keys: list[str] = []
    spans: list[tuple[int, int]] = []
    dense: list[bool] = []
    whole = True
    for match in _UNIT.finditer(folded):
        if len(keys) == most:
            whole = False
            break
        start, end = match.span()
        if places is not None:
            start, end = places[start][0], places[end - 1][1]
        keys.append(match.group())
        spans.append((start, end))
        dense.append(_IS_DENSE.match(match.group()) is not None)
    return Units(tuple(keys), tuple(spans), tuple(dense), whole)


def pieces(units: Units, characters: int, words: int, letters: int = 0) -> list[Piece]:
    """All pieces of a text, by where they begin, shorter ones first.

    Args:
        units: of one text.
        characters: most units of a piece of which each is of a script without spaces.
        words: most units of any other piece.
        letters: most letters of a part of a word (from 4 on; its ends count as letters); less than
            4 for none.
    """
    found: list[Piece] = []
    keys, spans, dense, count = units.keys, units.spans, units.dense, len(units.keys)
    longest = max(characters, words)
    for first in range(count):
        key, all_dense, last_dense = "", True, True
        for last in range(first, min(first + longest, count)):
            all_dense = all_dense and dense[last]
            size = last - first + 1
            if size > words and not all_dense:
                break
            between = "" if size == 1 or last_dense or dense[last] else " "
            key = f"{key}{between}{keys[last]}"
            last_dense = dense[last]
            if size <= (characters if all_dense else words):
                found.append(Piece(key, first, last + 1, (spans[first][0], spans[last][1])))
        if letters >= _SHORTEST_PART and not dense[first] and keys[first].isalpha():
            found += _parts(keys[first], first, spans[first], letters)
    return found


def _parts(word: str, place: int, span: tuple[int, int], letters: int) -> list[Piece]:
    """Parts of a word: "unha…" begins one, "…ppy" ends one, "…happ…" stands anywhere in one.

    The ends of a word count as a letter each.
    """
    found: list[Piece] = []
    size, (start, end) = len(word), span
    exact = end - start == size  # else its letters are not those of the text
    for length in range(_SHORTEST_PART, letters + 1):
        for low in range(-1, size + 2 - length):
            left, right = max(low, 0), min(low + length, size)
            begins, ends = low < 0, low + length > size
            if begins and ends:
                continue  # the whole word is a piece already
            key = f"{'' if begins else '…'}{word[left:right]}{'' if ends else '…'}"
            own = (start + left, start + right) if exact else span
            found.append(Piece(key, place, place + 1, own))
    return found


def _folded(text: str) -> tuple[str, list[tuple[int, int]] | None]:
    """NFKC and case-folded; per character of that the span it came from, None: itself."""
    if text.isascii():
        return text.casefold(), None
    if _HAS_MARKS.search(text) is None:
        spans = [(place, place + 1) for place in range(len(text))]
        parts = [_fold(character) for character in text]
    else:
        spans = _clusters(text)
        parts = [_fold(text[start:end]) for start, end in spans]
    folded = "".join(parts)
    if len(spans) == len(text) and all(len(part) == 1 for part in parts):
        return folded, None
    return folded, [span for span, part in zip(spans, parts, strict=True) for _ in part]


def _clusters(text: str) -> list[tuple[int, int]]:
    """Each character with its accents, which are one character once composed."""
    starts = [n for n, one in enumerate(text) if not n or not unicodedata.combining(one)]
    return list(zip(starts, [*starts[1:], len(text)], strict=True))


@lru_cache(maxsize=1 << 16)
def _fold(text: str) -> str:
    return unicodedata.normalize("NFKC", text).casefold().replace("’", "'")
