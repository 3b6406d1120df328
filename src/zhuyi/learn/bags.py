"""A text cell of a table as a bag of pieces: which pieces a column knows, and those of a cell.

A piece is a word, a number, a mark, or one or two characters of a script without spaces. Each
counts once a cell, wherever it stands: a whole text is one factor of the table. (Which words of a
text decide is told by `TextAttentionClassifier`.)
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from zhuyi.errors import InputError

MOST_PIECES: Final = 20_000  # a column
LONGEST: Final = 256  # known pieces of a cell that are read, the first ones
_MOST_UNITS: Final = 2_000
_CELLS: Final = 2  # in which a piece must stand
_LONGEST_KEY: Final = 100  # characters


def pieces_of(text: str) -> list[str]:
    """The distinct pieces of a text, in reading order."""
    # here, as the package of texts reads the core of `learn`, which reads this
    from zhuyi.learn.text.pieces import pieces, read_units

    found = pieces(read_units(text, _MOST_UNITS), characters=2, words=1)
    return list(dict.fromkeys(piece.key for piece in found if len(piece.key) <= _LONGEST_KEY))


def learn_pieces(name: str, texts: Sequence[str | None]) -> tuple[tuple[str, ...], int]:
    """The pieces of a column, the most frequent first, and how many a cell of it has at most.

    Args:
        name: of the column, for messages.
        texts: its cells.
    Raises: InputError: when no piece stands in two cells.
    """
    cells = [pieces_of(text) for text in texts if text is not None]
    counts = Counter(key for cell in cells for key in cell)
    kept = [key for key, count in counts.items() if count >= _CELLS]
    if not kept:
        raise InputError(
            f"column {name!r} is read as text, and no word of it stands in {_CELLS} rows: leave it "
            f'out, or say columns={{{name!r}: "categorical"}}'
        )
    kept = sorted(kept, key=lambda key: (-counts[key], key))[:MOST_PIECES]
    known = set(kept)
    longest = max(sum(key in known for key in cell) for cell in cells)
    return tuple(kept), min(longest, LONGEST)


def bag(text: str, places: Mapping[str, int], longest: int) -> NDArray[np.float64]:
    """Codes of the first known pieces of a text, counted from 1; 0 where there are no more."""
    codes = np.zeros(longest)
    found = [places[key] + 1 for key in pieces_of(text) if key in places][:longest]
    codes[: len(found)] = found
    return codes
