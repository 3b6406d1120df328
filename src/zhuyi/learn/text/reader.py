"""What a text model's calls read, for rules: each piece with its place in the text.

The model's module is called with codes, which do not say what the text was: another word that
training never saw has the same code. So whoever turns texts into codes announces them, and a reader
finds each row of a call again among the texts announced last.
"""

import threading
from collections import deque
from collections.abc import Mapping, Sequence
from typing import Any, Final
from weakref import WeakSet

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from zhuyi.errors import InputError
from zhuyi.learn.text.vocabulary import SPECIAL, Factors, Vocabulary
from zhuyi.steer.layout import Layout, Span
from zhuyi.steer.reading import Reading, Values, values_of

_READERS: "Final[WeakSet[TextCalls]]" = WeakSet()
_GONE: Final = "\n"  # in the place of characters that were cut out: nothing is found across them


def announce(vocabulary: Vocabulary, texts: Sequence[str], factors: Sequence[Factors]) -> None:
    """Say that these texts are about to be decided on, as these factors, in this order."""
    for reader in list(_READERS):
        if reader.vocabulary is vocabulary and reader.thread == threading.get_ident():
            reader.hear(texts, factors)


class TextCalls:
    """Every piece is one position, with its span of the text; the rest is a special one.

    In context a unit's position also holds the pieces that end with it, so its span begins where
    the longest of them begins.

    Args:
        vocabulary: how texts are read.
        layers: attention sites of a pass.
        values: what `when` may ask, of all texts or row by row.
    """

    def __init__(self, vocabulary: Vocabulary, *, layers: int, values: Values = None) -> None:
        self.vocabulary = vocabulary
        self.thread = threading.get_ident()
        self._layers = layers
        self._values = values
        self._texts: Sequence[str] = ()
        self._factors: Sequence[Factors] = ()
        self._places: dict[bytes, deque[int]] = {}
        _READERS.add(self)

    @property
    def layers(self) -> int:
        """Attention sites of a pass."""
        return self._layers

    def begin(self) -> None:
        """Forget what was announced."""
        self._texts, self._factors, self._places = (), (), {}

    def hear(self, texts: Sequence[str], factors: Sequence[Factors]) -> None:
        """Texts that are about to be decided on."""
        self._texts, self._factors, self._places = texts, factors, {}
        for place, one in enumerate(factors):
            self._places.setdefault(one.codes.tobytes(), deque()).append(place)

    def read(self, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> Reading:
        """The rows of codes "B N" or "B N G".

        Raises: InputError: for codes of which the text is not known.
        """
        codes = kwargs.get("codes", args[0] if args else None)
        if not isinstance(codes, Tensor) or codes.dim() not in (2, 3):
            raise InputError("rules on texts need the codes (B, N) as the first argument")
        rows: NDArray[np.int32] = codes.cpu().numpy()
        told = values_of(self._values, len(rows))
        layouts = tuple(self._layout(row, values) for row, values in zip(rows, told, strict=True))
        return Reading(layouts=layouts, new=codes.shape[1])

    def _layout(self, row: NDArray[np.int32], values: Mapping[str, object]) -> Layout:
        place = self._place(row)
        factors, width = self._factors[place], len(row)
        spans: list[Span | None] = [*_spans(factors), *(None,) * width][:width]
        there = row if row.ndim == 1 else row[:, 0]
        return Layout(
            length=width,
            text=_left(self._texts[place], factors),
            spans=tuple(spans),
            special=frozenset((factors.first < 0).nonzero()[0].tolist()),
            padding=frozenset((there == 0).nonzero()[0].tolist()),
            # In context a piece that is not known leaves a unit where a known one would go with it.
            apart=not self.vocabulary.context,
            values=values,
        )

    def _place(self, row: NDArray[np.int32]) -> int:
        """Which of the announced texts a row is of."""
        used = (row if row.ndim == 1 else row[:, 0]).nonzero()[0]
        length = int(used[-1]) + 1 if len(used) else 0
        places = self._places.get(row[:length].tobytes())
        if places is not None:
            place = places[0]
            # Equal codes of different texts come in the order in which they were announced.
            places.rotate(-1)
            return place
        for place, factors in enumerate(self._factors):
            if _is_part(row[:length], factors.codes):
                return place
        raise InputError(
            "rules on texts need to know the text behind these codes: call the estimator or its "
            "subject, not its module"
        )


def _is_part(row: NDArray[np.int32], whole: NDArray[np.int32]) -> bool:
    """Whether a row is a text some of whose units a test has removed in their place."""
    if len(row) > len(whole):
        return False
    same = (row == whole[: len(row)]) | (row == 0)
    if row.ndim == 2:
        same[:, 0] |= row[:, 0] == SPECIAL
    return bool(same.all())


def _spans(factors: Factors) -> list[Span | None]:
    """Per position the characters of which it holds something."""
    if factors.codes.ndim == 1:
        pairs = zip(factors.first, factors.spans, strict=True)
        return [None if first < 0 else span for first, span in pairs]
    found: list[Span | None] = []
    for place, (codes, span) in enumerate(zip(factors.codes, factors.spans, strict=True)):
        longest = int(codes[1:].nonzero()[0].max(initial=-1)) + 1
        found.append((factors.spans[max(place - longest, 0)][0], span[1]))
    return found


def _left(text: str, factors: Factors) -> str:
    """The text, without what is between units that did not stand side by side."""
    if factors.units.cut is None:
        return text
    kept = np.zeros(len(text), bool)
    for start, end in factors.units.cut:
        kept[start:end] = True
    return "".join(_GONE if gone else one for one, gone in zip(text, kept, strict=True))
