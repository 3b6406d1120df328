"""What one row of a batch is made of, position by position: what selectors are matched against."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

Span = tuple[int, int]


@dataclass(frozen=True, kw_only=True)
class Piece:
    """A named part of an input that is not text: a column, a stretch of a channel, a patch.

    Args:
        name: what a person calls it ("sex", "vib3", "(2, 5)").
        positions: the key positions that hold it, ascending.
        channel: name of the channel, for a series.
        times: first step and step after the last, for a series.
    """

    name: str
    positions: tuple[int, ...]
    channel: str | None = None
    times: Span | None = None


@dataclass(frozen=True, kw_only=True)
class Layout:
    """One row of a batch.

    Args:
        length: positions in use, padding included; keys beyond it are not known.
        text: the row as one text, "" where there is none.
        spans: per position the characters of `text` that it stands for, or None (padding, pieces
            that are no text). Two positions may share a character.
        special: positions that the model or its tokenizer added ([CLS], <s>, ...): rules pass
            them by unless they name them.
        padding: positions that hold nothing.
        roles: who speaks at each position ("system", "user", "assistant", ...), or ().
        apart: whether spans may share characters because every position is found by itself, so
            that which others there are does not depend on what one of them holds.
        pieces: named parts, where the input is not text.
        values: what `when` may ask of this row; layouts are equal without them.
    """

    length: int
    text: str = ""
    spans: tuple[Span | None, ...] = ()
    special: frozenset[int] = frozenset()
    padding: frozenset[int] = frozenset()
    roles: tuple[str, ...] = ()
    apart: bool = False
    pieces: tuple[Piece, ...] = ()
    values: Mapping[str, object] = field(default_factory=dict, compare=False)

    def covering(self, start: int, stop: int) -> frozenset[int]:
        """Positions that stand for any of the characters from `start` to `stop`."""
        held, empty = self._holders
        last = min(stop, len(held))
        return frozenset(
            [place for at in range(max(start, 0), last) for place in held[at]]
            + [place for at, place in empty if start < at < stop]
        )

    @cached_property
    def _holders(self) -> tuple[list[list[int]], list[tuple[int, int]]]:
        """Per character the positions that stand for it, and places of those that hold none.

        Made once, because a text may hold a thousand matches.
        """
        end = max((span[1] for span in self.spans if span is not None), default=0)
        held: list[list[int]] = [[] for _ in range(end)]
        empty = []
        for place, span in enumerate(self.spans):
            if span is not None and span[0] == span[1]:
                empty.append((span[0], place))
            elif span is not None:
                for at in range(*span):
                    held[at].append(place)
        return held, empty

    def cut_by(self, start: int, stop: int) -> frozenset[int]:
        """Positions that stand for these characters and for others beside them.

        A token that a tokenizer merged across the edge of what a rule names holds more than that.
        White space beside a word is nobody's content.
        """
        cut = set()
        for place in self.covering(start, stop):
            span = self.spans[place]
            assert span is not None
            outside = (
                self.text[span[0] : max(start, span[0])] + self.text[min(stop, span[1]) : span[1]]
            )
            if outside.strip():
                cut.add(place)
        return frozenset(cut)
