"""The pieces that a model knows, learned from its training texts, and texts as codes of them."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from functools import cached_property
from typing import Any, Final

import numpy as np
import torch
from numpy.typing import NDArray

from zhuyi.errors import InputError
from zhuyi.learn.embedding import Embedding
from zhuyi.learn.text.embedding import ContextEmbedding, PieceEmbedding
from zhuyi.learn.text.pieces import Piece, Units, pieces, read_units

NOTHING: Final = 0
"""The code where there is no piece."""
SPECIAL: Final = 1
"""In a glass box the rest, which takes weight and says nothing; in context an unknown unit."""
FIRST: Final = 2
"""The code of the first piece of the vocabulary."""

MOST_PIECES: Final = 1_000_000
_LONGEST_KEY: Final = 1_000  # characters
_TYPICAL: Final = 12  # pieces of a made-up text
RANGES: Final = {
    "characters": (1, 16),
    "words": (1, 16),
    "letters": (0, 16),
    "max_length": (1, 100_000),
}


@dataclass(frozen=True, eq=False)
class Factors:
    """One text as its factors.

    Args:
        units: of the text.
        codes: int32 "N", or in context "N G".
        first: per factor, the place of its first unit; -1 for the rest.
        last: per factor, the place after its last unit.
        keys: names of the factors.
        spans: start and end of each in the text as it came.
    """

    units: Units
    codes: NDArray[np.int32]
    first: NDArray[np.int64]
    last: NDArray[np.int64]
    keys: tuple[str, ...]
    spans: tuple[tuple[int, int], ...]

    @cached_property
    def known(self) -> bool:
        """Whether there is a piece that training saw."""
        return bool((self.codes >= FIRST).any())


@dataclass(frozen=True, kw_only=True)
class Vocabulary:
    """What a text model knows of its inputs.

    Args:
        known: keys of the pieces, the most frequent first.
        characters: most units of a piece of a script without spaces.
        words: most units of any other piece.
        letters: most letters of a part of a word; 0 for none.
        max_length: units of a text that are read.
        context: whether a factor is one unit (read in context by mixing layers) or one piece.
        dropout: share of factors that are hidden while training.
    """

    known: tuple[str, ...]
    characters: int = 3
    words: int = 2
    letters: int = 0
    max_length: int = 2000
    context: bool = False
    dropout: float = 0.0
    _codes: dict[str, int] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        codes = {key: place + FIRST for place, key in enumerate(self.known)}
        object.__setattr__(self, "_codes", codes)

    @property
    def groups(self) -> int:
        """G: how many codes a unit has in context, itself and the pieces that end with it."""
        return max(self.characters, self.words)

    def read(self, text: str) -> Factors:
        """A text as its factors."""
        return self.factors(read_units(text, self.max_length))

    def pieces(self, units: Units) -> list[Piece]:
        """All pieces of the units, known or not."""
        return pieces(units, self.characters, self.words, 0 if self.context else self.letters)

    def typical(self, count: int, *, seed: int = 0) -> list[str]:
        """Made-up texts of frequent pieces, each drawn by itself: none is a text of the training.

        A piece is drawn in proportion to 1 / (10 + its rank), as words of a language are.
        """
        whole = [key for key in self.known if "…" not in key]
        chances = 1.0 / (10.0 + np.arange(len(whole)))
        draw = np.random.default_rng(seed)
        places = draw.choice(len(whole), (count, _TYPICAL), p=chances / chances.sum())
        return [" ".join(whole[place] for place in row) for row in places.tolist()]

    def factors(self, units: Units) -> Factors:
        """Units as factors."""
        return self._in_context(units) if self.context else self._by_itself(units)

    def embedding(self, width: int, generator: torch.Generator | None) -> Embedding:
        """Each piece, or each unit with the pieces that end with it, embedded; see `Inputs`."""
        entries = len(self.known) + FIRST
        if self.context:
            return ContextEmbedding(entries, width, self.dropout, generator)
        return PieceEmbedding(entries, width, self.dropout, generator)

    def as_json(self) -> dict[str, Any]:
        """Plain JSON."""
        found = {one.name: getattr(self, one.name) for one in fields(self) if one.init}
        return {**found, "known": list(self.known)}

    @classmethod
    def from_json(cls, data: object) -> "Vocabulary":
        """The vocabulary of `as_json`.

        Raises: InputError: when it is not one.
        """
        names = {one.name for one in fields(cls) if one.init}
        if not isinstance(data, Mapping) or set(data) != names:
            raise InputError(f"a vocabulary must be an object of {sorted(names)}")
        known = data["known"]
        if not isinstance(known, list) or len(known) > MOST_PIECES:
            raise InputError(f"a vocabulary must be a list of at most {MOST_PIECES:,} pieces")
        if not all(isinstance(key, str) and 0 < len(key) <= _LONGEST_KEY for key in known):
            raise InputError(f"pieces must be texts of 1 to {_LONGEST_KEY} characters")
        if len(set(known)) != len(known):
            raise InputError("a vocabulary must name each piece once")
        for name, (least, most) in RANGES.items():
            value = data[name]
            if type(value) is not int or not least <= value <= most:
                raise InputError(f"{name} must be within [{least}, {most}], got {value!r}")
        if type(data["context"]) is not bool:
            raise InputError(f"context must be true or false, got {data['context']!r}")
        dropout = data["dropout"]
        if type(dropout) not in (int, float) or not 0.0 <= dropout < 1.0:
            raise InputError(f"dropout must be within [0, 1), got {dropout!r}")
        return cls(**{**data, "known": tuple(known), "dropout": float(dropout)})

    def _by_itself(self, units: Units) -> Factors:
        found = [piece for piece in self.pieces(units) if piece.key in self._codes]
        return Factors(
            units,
            np.array([SPECIAL, *(self._codes[piece.key] for piece in found)], np.int32),
            np.array([-1, *(piece.first for piece in found)], np.int64),
            np.array([-1, *(piece.last for piece in found)], np.int64),
            ("", *(piece.key for piece in found)),
            ((0, 0), *(piece.span for piece in found)),
        )

    def _in_context(self, units: Units) -> Factors:
        codes = np.zeros((len(units), self.groups), np.int32)
        codes[:, 0] = SPECIAL
        for piece in self.pieces(units):
            code = self._codes.get(piece.key)
            if code is not None:
                codes[piece.last - 1, piece.last - piece.first - 1] = code
        places = np.arange(len(units))
        return Factors(units, codes, places, places + 1, units.keys, units.spans)


def learn_vocabulary(
    texts: Sequence[Units], most: int, least: int, settings: Mapping[str, Any]
) -> Vocabulary:
    """The most frequent pieces of training texts.

    Args:
        texts: of training, as units.
        most: pieces that are kept.
        least: texts in which a piece must stand.
        settings: fields of the vocabulary other than `known`.
    Raises: InputError: when no piece stands in so many texts.
    """
    empty = Vocabulary(known=(), **settings)
    counts: Counter[str] = Counter()
    for units in texts:
        counts.update({piece.key for piece in empty.pieces(units)})
    kept = [key for key, count in counts.items() if count >= least and len(key) <= _LONGEST_KEY]
    if not kept:
        raise InputError(
            f"no piece stands in {least} texts of training or more: give more texts, or a smaller "
            "min_count"
        )
    # by frequency, then by the text, so that the order of the texts decides nothing
    kept.sort(key=lambda key: (-counts[key], key))
    return Vocabulary(known=tuple(kept[:most]), **settings)


def padded(texts: Sequence[Factors]) -> NDArray[np.int32]:
    """Codes of several texts side by side, "B N" or "B N G"; NOTHING where one is shorter."""
    longest = max((len(one.codes) for one in texts), default=0)
    tail = texts[0].codes.shape[1:] if texts else ()
    codes = np.zeros((len(texts), max(longest, 1), *tail), np.int32)
    for row, one in enumerate(texts):
        codes[row, : len(one.codes)] = one.codes
    return codes
