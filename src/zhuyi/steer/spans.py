"""Characters by number, also where a tokenizer gives back another text than it was given."""

import re
import unicodedata
from dataclasses import dataclass
from functools import lru_cache

from zhuyi.errors import OptionError
from zhuyi.steer.layout import Layout
from zhuyi.steer.selectors import Matched, spanned


@dataclass(frozen=True)
class Span:
    """Characters by number.

    Args:
        start, stop: first character and the one after the last.
        of: the text whose characters are counted, found within what the model reads, whatever its
            case, white space and accents; "" for what the model reads itself.
    Raises: OptionError: for a stretch that holds nothing.
    """

    start: int
    stop: int
    of: str = ""

    def __post_init__(self) -> None:
        if not 0 <= self.start < self.stop or (self.of and self.stop > len(self.of)):
            within = f" of {len(self.of)} characters" if self.of else ""
            raise OptionError(
                f"a span must hold characters{within}, got {self.start} to {self.stop}"
            )

    def match(self, layout: Layout) -> Matched:
        """Tokens of these characters, where the text stands for the first time."""
        if not self.of:
            return spanned(layout, [(self.start, self.stop)])
        (wanted, _), (given, places) = _bare(self.of), _bare(layout.text)
        meant = _bare(self.of[self.start : self.stop])[0]
        before = len(_bare(self.of[: self.start])[0])
        first = given.find(wanted)
        if first >= 0:
            start = first + before
        else:
            # A tokenizer may not give back all of a text: marks of pieces, words it does not know.
            # Then the same occurrence is meant, where there are as many as there were, and most of
            # the words are there: in another text it is not.
            asked, found = _occurrences(meant, wanted), _occurrences(meant, given)
            words = [_bare(word)[0] in given for word in self.of.split()]
            if len(asked) != len(found) or before not in asked or sum(words) <= len(words) / 2:
                return Matched()
            start = found[asked.index(before)]
        if not meant:
            return Matched()
        return spanned(layout, [(places[start], places[start + len(meant) - 1] + 1)])


def _occurrences(phrase: str, text: str) -> list[int]:
    """Where a phrase begins, overlapping occurrences too."""
    return [match.start() for match in re.finditer(f"(?={re.escape(phrase)})", text)]


@lru_cache(maxsize=256)
def _bare(text: str) -> tuple[str, tuple[int, ...]]:
    """A text without white space, case and accents, and where each of its characters was.

    A tokenizer that lower-cases, or writes spaces between signs, gives back another text than it
    was given.
    """
    bare: list[str] = []
    places: list[int] = []
    for place, letter in enumerate(text):
        for one in unicodedata.normalize("NFKD", letter).casefold():
            if not one.isspace() and not unicodedata.combining(one):
                bare.append(one)
                places.append(place)
    return "".join(bare), tuple(places)
