"""Pieces and rules: which pieces a rule means, and which selector means just one of them."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from zhuyi.steer.layout import Layout
from zhuyi.steer.reading import Reader, Reading
from zhuyi.steer.rule import Rule
from zhuyi.steer.selectors import Channel, Column, Role, Selector, Text, Tokens
from zhuyi.steer.spans import Span
from zhuyi.steer.when import holds
from zhuyi.ui.steering.desk import Piece
from zhuyi.ui.steering.remembering import Matches

_AROUND = (0, 2, 4, 8, 16, 32, 64, 128)  # characters on both sides that tell occurrences apart


class Listening:
    """A reader that remembers what the last call read.

    Args:
        inner: the model's own.
    """

    def __init__(self, inner: Reader) -> None:
        self._inner = inner
        self.reading: Reading | None = None

    @property
    def layers(self) -> int | None:
        """Attention sites of a pass."""
        return self._inner.layers

    def begin(self) -> None:
        """Forget earlier calls; the last reading stays."""
        self._inner.begin()

    def read(self, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> Reading:
        """The call with these arguments."""
        self.reading = self._inner.read(args, kwargs)
        return self.reading


@dataclass(frozen=True, kw_only=True)
class Places:
    """Where the pieces of an input are.

    A position of the model may hold more than one piece, as where each character is read with those
    before it. So what a rule means is looked for twice: in what the model reads, and in the pieces
    themselves, each a position of its own.

    Args:
        layout: the input as the model reads it.
        pieces: its pieces.
        matches: what selectors meant.
        text: the input as the person wrote it, "" where it is no text.
    """

    layout: Layout
    pieces: tuple[Piece, ...]
    matches: Matches
    text: str = ""

    @cached_property
    def _by_piece(self) -> Layout | None:
        """The text with a position a piece."""
        if not self.text:
            return None
        spans = [
            None if one.start is None or one.end is None else (one.start, one.end)
            for one in self.pieces
        ]
        special = frozenset(n for n, one in enumerate(self.pieces) if one.special)
        return Layout(
            length=len(spans), text=self.text, spans=tuple(spans), special=special,
            values=self.layout.values,
        )  # fmt: skip

    def meant(self, rule: Rule) -> tuple[int, ...]:
        """Places of the pieces that a rule means."""
        if rule.when and not holds(rule.when, self.layout.values):
            return ()
        return tuple(sorted({place for one in rule.select for place in self.of(one)}))

    def of(self, selector: Selector) -> tuple[int, ...]:
        """Places of the pieces that a selector means."""
        positions = self.matches.of(selector, self.layout).positions
        some = {
            place
            for place, piece in enumerate(self.pieces)
            if not piece.special and positions.intersection(piece.positions)
        }
        if some and self._by_piece is not None and not isinstance(selector, Tokens | Role):
            some = (some & self.matches.of(selector, self._by_piece).positions) or some
        return tuple(sorted(some))


class Selecting:
    """For each piece the selector that a click on it puts into a rule.

    Args:
        places: of the pieces.
    """

    def __init__(self, places: Places) -> None:
        self._places = places
        self._pieces, self._text = places.pieces, places.text
        self._by_text: dict[str, tuple[int, ...]] = {}

    def only(self, place: int) -> Selector | None:
        """A selector that means this piece and no other; None for what rules pass by."""
        if self._pieces[place].special:
            return None
        for selector in self._candidates(place):
            if self._meant(selector) == (place,):
                return selector
        return None

    def everywhere(self, place: int) -> Selector | None:
        """A selector of all pieces that read like this one, where there are several."""
        piece = self._pieces[place]
        if piece.start is None or piece.special or not piece.name.strip():
            return None
        found = self._meant(Text(piece.name))
        return Text(piece.name) if place in found and len(found) > 1 else None

    def _candidates(self, place: int) -> Iterator[Selector]:
        piece = self._pieces[place]
        if piece.start is not None and piece.end is not None:
            if piece.name.strip():
                yield Text(piece.name)
            yield from self._spans(piece.start, piece.end)
        else:
            yield from self._named(piece)
        first, last = piece.positions[0], piece.positions[-1]
        yield Tokens(first, last + 1)

    def _spans(self, start: int, end: int) -> Iterator[Selector]:
        """The characters, within more and more of what stands around them."""
        for around in _AROUND:
            first, last = max(start - around, 0), min(end + around, len(self._text))
            within = self._text[first:last]
            if within.strip():
                yield Span(start - first, end - first, within)
        yield Span(start, end, self._text)

    def _named(self, piece: Piece) -> Iterator[Selector]:
        for one in self._places.layout.pieces:
            if one.positions == piece.positions:
                if one.times is not None:
                    yield Channel(one.channel or "*", *self._from_end(one.times))
                yield Column(one.name)

    def _from_end(self, times: tuple[int, int]) -> tuple[int, int | None]:
        last = max(
            (piece.times[1] for piece in self._places.layout.pieces if piece.times), default=0
        )
        return times[0] - last, None if times[1] == last else times[1] - last

    def _meant(self, selector: Selector) -> tuple[int, ...]:
        if not isinstance(selector, Text):
            return self._places.of(selector)
        key = selector.text.casefold()
        if key not in self._by_text:
            self._by_text[key] = self._places.of(selector)
        return self._by_text[key]


def written(selector: Selector) -> dict[str, Any]:
    """A selector as it stands in a rule."""
    from zhuyi.steer.schema import written as in_yaml

    found = in_yaml(selector)
    assert found is not None, "the selectors made here all have a form"
    return found
