"""What a text model's calls read, for rules: each piece with its place in the text.

The model's module is called with codes, which do not say what the text was: another word that
training never saw has the same code. So whoever turns texts into codes announces them, and a reader
finds each row of a call again among the texts announced last.
"""

import threading
from collections import deque
from collections.abc import Mapping, Sequence
from typing import Any, Final, Protocol
from weakref import WeakSet

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from zhuyi.errors import InputError
from zhuyi.learn.sources import Free
from zhuyi.learn.text.vocabulary import SPECIAL, Factors, Vocabulary
from zhuyi.steer.layout import Layout, Span
from zhuyi.steer.reading import Reading, Values, values_of


class Hearing(Protocol):
    """Whoever wants to know which texts are decided on."""

    @property
    def vocabulary(self) -> Vocabulary:
        """How they are read."""
        ...

    def hear(
        self, texts: Sequence[str], factors: Sequence[Factors], codes: Sequence[NDArray[np.int32]]
    ) -> None:
        """Texts that are about to be decided on."""
        ...


_READERS: "Final[WeakSet[Hearing]]" = WeakSet()
_GONE: Final = "\n"  # in the place of characters that were cut out: nothing is found across them


def listen(reader: Hearing) -> None:
    """Tell the reader, for as long as it lives, of texts that are announced."""
    _READERS.add(reader)


def announce(
    vocabulary: Vocabulary,
    texts: Sequence[str],
    factors: Sequence[Factors],
    codes: Sequence[NDArray[np.int32]] | None = None,
) -> None:
    """Say that these texts are about to be decided on, as these factors, in this order.

    Args:
        vocabulary: how they are read.
        texts: as they came.
        factors: of them.
        codes: those of the factors where a test has taken some away; None: as they are.
    """
    rows = [one.codes for one in factors] if codes is None else codes
    for reader in list(_READERS):
        if reader.vocabulary is vocabulary:
            reader.hear(texts, factors, rows)


class Heard:
    """The texts that were announced last, and which of them a row of codes is."""

    def __init__(self) -> None:
        self._texts: Sequence[str] = ()
        self._factors: Sequence[Factors] = ()
        self._places: dict[bytes, deque[int]] = {}

    def hear(
        self, texts: Sequence[str], factors: Sequence[Factors], codes: Sequence[NDArray[np.int32]]
    ) -> None:
        """Texts that are about to be decided on."""
        self._texts, self._factors, self._places = texts, factors, {}
        for place, row in enumerate(codes):
            self._places.setdefault(_used(row).tobytes(), deque()).append(place)

    def layout(
        self, row: NDArray[np.int32], values: Mapping[str, object], *, apart: bool, free: Free
    ) -> Layout:
        """What a row of codes "N" or "N G" is made of.

        Args:
            row: the codes.
            values: what `when` may ask of it.
            apart: whether each piece is found by itself.
            free: positions of a row in which another content is no other row.
        Raises: InputError: for codes of which the text is not known.
        """
        used = _used(row)
        places = self._places.get(used.tobytes())
        if places is not None:
            # Equal codes of different texts come in the order in which they were announced.
            place = places[0]
            places.rotate(-1)
            return self._laid(place, row, values, apart=apart)
        for place, factors in enumerate(self._factors):
            if _is_part(used, factors.codes):
                return self._laid(place, row, values, apart=apart)
        for place, factors in enumerate(self._factors):
            layout = self._laid(place, row, values, apart=apart)
            if _is_elsewhere(used, factors.codes, free(layout)):
                return layout
        raise InputError(
            "rules on texts need to know the text behind these codes: call the estimator or its "
            "subject, not its module"
        )

    def _laid(
        self, place: int, row: NDArray[np.int32], values: Mapping[str, object], *, apart: bool
    ) -> Layout:
        factors, width = self._factors[place], len(row)
        spans: list[Span | None] = [*_spans(factors), *(None,) * width][:width]
        there = row if row.ndim == 1 else row[:, 0]
        return Layout(
            length=width,
            text=_left(self._texts[place], factors),
            spans=tuple(spans),
            special=frozenset((factors.first < 0).nonzero()[0].tolist()),
            padding=frozenset((there == 0).nonzero()[0].tolist()),
            apart=apart,
            values=values,
        )


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
        self._thread = threading.get_ident()
        self._layers = layers
        self._values = values
        self._heard = Heard()
        listen(self)

    @property
    def layers(self) -> int:
        """Attention sites of a pass."""
        return self._layers

    def begin(self) -> None:
        """Forget what was announced."""
        self._heard = Heard()

    def hear(
        self, texts: Sequence[str], factors: Sequence[Factors], codes: Sequence[NDArray[np.int32]]
    ) -> None:
        """Texts that are about to be decided on; in another thread they are nothing to this one."""
        if self._thread == threading.get_ident():
            self._heard.hear(texts, factors, codes)

    def read(self, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> Reading:
        """The rows of codes "B N" or "B N G".

        Raises: InputError: for codes of which the text is not known.
        """
        codes = kwargs.get("codes", args[0] if args else None)
        if not isinstance(codes, Tensor) or codes.dim() not in (2, 3):
            raise InputError("rules on texts need the codes (B, N) as the first argument")
        rows: NDArray[np.int32] = codes.cpu().numpy()
        told = values_of(self._values, len(rows))
        apart = apart_in(self.vocabulary)
        layouts = tuple(
            self._heard.layout(row, values, apart=apart, free=nothing)
            for row, values in zip(rows, told, strict=True)
        )
        return Reading(layouts=layouts, new=codes.shape[1])


def apart_in(vocabulary: Vocabulary) -> bool:
    """Whether which pieces a text has does not depend on what one of them holds.

    In context a piece that is not known leaves a unit where a known one would go with it.
    """
    return not vocabulary.context


def nothing(layout: Layout) -> frozenset[int]:
    """No position may hold another content."""
    return frozenset()


def _is_part(row: NDArray[np.int32], whole: NDArray[np.int32]) -> bool:
    """Whether a row is a text some of whose units a test has removed in their place."""
    if len(row) > len(whole):
        return False
    same = (row == whole[: len(row)]) | (row == 0)
    if row.ndim == 2:
        same[:, 0] |= row[:, 0] == SPECIAL
    return bool(same.all())


def _is_elsewhere(row: NDArray[np.int32], whole: NDArray[np.int32], free: frozenset[int]) -> bool:
    """Whether a row is a text with another content where that decides nothing."""
    if not free or len(row) != len(_used(whole)):
        return False
    same = row == whole[: len(row)]
    same[[place for place in free if place < len(row)]] = True
    return bool(same.all())


def _used(row: NDArray[np.int32]) -> NDArray[np.int32]:
    """The codes of a row without the empty places at its end."""
    used = (row if row.ndim == 1 else row[:, 0]).nonzero()[0]
    return row[: int(used[-1]) + 1 if len(used) else 0]


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
