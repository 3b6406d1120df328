"""Many phrases found in a text at once: the names of an ontology are thousands."""

import re
from collections.abc import Iterable
from typing import Final

from zhuyi.steer.selectors import UNSPACED

Found = tuple[int, int, str]

#: A word, a character of a script that does not part its words by spaces, or a sign.
_UNIT: Final = re.compile(rf"[{UNSPACED}]|[^\W{UNSPACED}]+|[^\w\s]")


class Phrases:
    """A set of phrases, found as whole words, whatever their case and white space.

    Args:
        phrases: what to look for; those without a letter, digit or sign are passed by.

    Cost: reading the text once, plus the phrases that begin with a word of it.

    Example:
        >>> Phrases(["heart", "heart failure"]).longest("Chronic heart  failure; heartless")
        [(8, 22, 'heart failure')]
    """

    def __init__(self, phrases: Iterable[str]) -> None:
        self._by_first: dict[str, list[tuple[tuple[str, ...], str]]] = {}
        for phrase in dict.fromkeys(phrases):
            units = tuple(match.group().casefold() for match in _UNIT.finditer(phrase))
            if units:
                self._by_first.setdefault(units[0], []).append((units, phrase))

    def all(self, text: str) -> list[Found]:
        """Every occurrence of every phrase: first character, character after the last, phrase."""
        places = [(match.start(), match.end()) for match in _UNIT.finditer(text)]
        units = [text[start:stop].casefold() for start, stop in places]
        found = []
        for first, unit in enumerate(units):
            for wanted, phrase in self._by_first.get(unit, ()):
                last = first + len(wanted)
                if tuple(units[first:last]) == wanted:
                    found.append((places[first][0], places[last - 1][1], phrase))
        return found

    def longest(self, text: str) -> list[Found]:
        """Occurrences that are not inside a longer one: "heart failure" there is no "heart"."""
        found = self.all(text)
        kept, reach = list[Found](), 0
        for start, stop, phrase in sorted(found, key=lambda one: (one[0], -one[1])):
            if stop > reach or any((start, stop) == other[:2] for other in kept[-8:]):
                kept.append((start, stop, phrase))
                reach = max(reach, stop)
        return kept
