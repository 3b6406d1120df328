"""What a rule speaks about: texts, patterns, columns, channels, ranges, roles, concepts.

A selector looks at the layout of one row and names the key positions it means. One new selector is
one new class here or in a file beside, and a line in `form.py` for its YAML.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Final, Protocol, runtime_checkable

from zhuyi.errors import OptionError
from zhuyi.steer.layout import Layout

#: Characters of scripts that do not part words by spaces: Chinese and Japanese.
UNSPACED: Final = "\u3040-\u30ff\u4e00-\u9fff"
#: What makes a longer word of a word: in "查CT" the sign before CT does not.
_LETTER: Final = rf"[^\W{UNSPACED}]"


@dataclass(frozen=True, kw_only=True)
class Matched:
    """What a selector means in one row.

    Args:
        positions: key positions.
        shown: the texts or names that matched, in order, for the report.
        cut: those of the positions that also hold something else (a token merged across the
            edge of a match).
    """

    positions: frozenset[int] = frozenset()
    shown: tuple[str, ...] = ()
    cut: frozenset[int] = frozenset()

    def __or__(self, other: "Matched") -> "Matched":
        return Matched(
            positions=self.positions | other.positions,
            shown=(*self.shown, *other.shown),
            cut=self.cut | other.cut,
        )


@runtime_checkable
class Selector(Protocol):
    """Whatever names positions of a row."""

    def match(self, layout: Layout) -> Matched:
        """The positions meant in this row; special ones only where they are named."""
        ...


@dataclass(frozen=True)
class Text:
    """Every occurrence of a phrase.

    Args:
        text: the phrase.
        ignore_case: whether "JSON" also means "json".
        whole_words: whether "age" leaves "agent" alone. A phrase that begins or ends with
            something that is no letter or digit, or is written without spaces, has no such edge.
    """

    text: str
    ignore_case: bool = True
    whole_words: bool = True

    def __post_init__(self) -> None:
        if not self.text.strip():
            raise OptionError("a text selector must hold at least one character, got an empty text")

    def match(self, layout: Layout) -> Matched:
        """Tokens of all occurrences."""
        flags = re.IGNORECASE if self.ignore_case else 0
        return _found(layout, re.compile(self._pattern(), flags))

    def _pattern(self) -> str:
        # White space between words may be any white space: a line may have been broken there.
        pattern = r"\s+".join(re.escape(part) for part in self.text.split())
        if self.whole_words:
            if _spaced(self.text.strip()[0]):
                pattern = f"(?<!{_LETTER})" + pattern
            if _spaced(self.text.strip()[-1]):
                pattern += f"(?!{_LETTER})"
        return pattern


@dataclass(frozen=True)
class Regex:
    """Every match of a regular expression.

    Args:
        pattern: of Python's `re`.
        flags: letters of "ims".
    """

    pattern: str
    flags: str = ""

    def __post_init__(self) -> None:
        if set(self.flags) - set("ims"):
            raise OptionError(f"flags must be letters of 'ims', got {self.flags!r}")
        try:
            re.compile(self.pattern)
        except re.error as wrong:
            raise OptionError(f"{self.pattern!r} is no regular expression: {wrong}") from None

    def match(self, layout: Layout) -> Matched:
        """Tokens of all matches."""
        flags = 0
        for letter in self.flags:
            flags |= {"i": re.IGNORECASE, "m": re.MULTILINE, "s": re.DOTALL}[letter]
        return _found(layout, re.compile(self.pattern, flags))


@dataclass(frozen=True)
class Column:
    """Pieces by name: columns of a table, channels without regard to time, patches "(2, 5)".

    Args:
        name: a name, or a pattern with * and ? ("profile/*").
    """

    name: str

    def match(self, layout: Layout) -> Matched:
        """Positions of all pieces of that name."""
        return _pieces(layout, [piece.name for piece in layout.pieces], self.name)


@dataclass(frozen=True)
class Channel:
    """Stretches of a series' channel.

    Args:
        name: a name, or a pattern with * and ?.
        start, stop: steps of time; negative ones count from the end; None for no bound.
    """

    name: str = "*"
    start: int | None = None
    stop: int | None = None

    def match(self, layout: Layout) -> Matched:
        """Positions of the stretches that overlap the window."""
        last = max((piece.times[1] for piece in layout.pieces if piece.times), default=0)
        start, stop = (
            None if bound is None else bound + last if bound < 0 else bound
            for bound in (self.start, self.stop)
        )
        found = Matched()
        for piece in layout.pieces:
            if piece.channel is None or piece.times is None:
                continue
            late = stop is not None and piece.times[0] >= stop
            early = start is not None and piece.times[1] <= start
            if not late and not early and _named(piece.channel, self.name):
                found |= Matched(positions=frozenset(piece.positions), shown=(piece.name,))
        return found


@dataclass(frozen=True)
class Tokens:
    """Positions by number.

    Args:
        start: first position; negative ones count from the end of the row.
        stop: position after the last, None for the end.
        special: whether positions that the tokenizer added are meant as well.
    """

    start: int = 0
    stop: int | None = None
    special: bool = False

    def match(self, layout: Layout) -> Matched:
        """The positions, padding left out."""
        used = [place for place in range(layout.length) if place not in layout.padding]
        chosen = frozenset(used[self.start : self.stop])
        if not self.special:
            chosen -= layout.special
        last = "" if self.stop is None else self.stop
        shown = (f"tokens {self.start}:{last}",) if chosen else ()
        return Matched(positions=chosen, shown=shown)


@dataclass(frozen=True)
class Role:
    """All that one side of a conversation says.

    Args:
        name: "system", "user", "assistant", as the chat template calls it.
    """

    name: str

    def match(self, layout: Layout) -> Matched:
        """Positions of that side."""
        chosen = frozenset(
            place for place, role in enumerate(layout.roles) if role == self.name
        ) - (layout.special | layout.padding)
        return Matched(positions=chosen, shown=(f"role {self.name}",) if chosen else ())


def spanned(layout: Layout, spans: Iterable[tuple[int, int]]) -> Matched:
    """Positions that stand for stretches of a layout's text, special ones left out."""
    keys, cut, shown = set[int](), set[int](), list[str]()
    for start, stop in spans:
        positions = layout.covering(start, stop) - layout.special
        if start < stop and positions:
            keys |= positions
            cut |= layout.cut_by(start, stop) & positions
            shown.append(layout.text[start:stop])
    return Matched(positions=frozenset(keys), shown=tuple(shown), cut=frozenset(cut))


def _found(layout: Layout, pattern: re.Pattern[str]) -> Matched:
    return spanned(layout, (match.span() for match in pattern.finditer(layout.text)))


def _pieces(layout: Layout, names: list[str], wanted: str) -> Matched:
    found = Matched()
    for name, piece in zip(names, layout.pieces, strict=True):
        if _named(name, wanted):
            found |= Matched(positions=frozenset(piece.positions), shown=(piece.name,))
    return found


def _named(name: str, wanted: str) -> bool:
    """Whether a name is the wanted one, or fits it with its * and ?."""
    return name == wanted or fnmatchcase(name, wanted.replace("[", "[[]"))


def _spaced(letter: str) -> bool:
    """Whether a letter has an edge where a word ends."""
    return re.match(_LETTER, letter) is not None
