"""Word ids as texts: what rules are matched against."""

from collections.abc import Mapping, Sequence
from typing import Any

from torch import Tensor

from zhuyi.errors import InputError
from zhuyi.steer.layout import Layout
from zhuyi.steer.reading import Reading


class WordReader:
    """A reader of rows of word ids: each row is the text of its words, with spaces between.

    Args:
        vocabulary: the words by their ids.
        leading: positions that the model puts before the words itself.
        trailing: positions that it puts behind them.
        layers: attention sites of a pass.
    """

    def __init__(
        self,
        vocabulary: Sequence[str],
        *,
        leading: int = 0,
        trailing: int = 0,
        layers: int | None = None,
    ) -> None:
        self._vocabulary = tuple(vocabulary)
        self._leading, self._trailing = leading, trailing
        self._layers = layers

    @property
    def layers(self) -> int | None:
        """Attention sites of a pass, if known."""
        return self._layers

    def begin(self) -> None:
        """Nothing to forget."""

    def read(self, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> Reading:
        """The rows of ids. Raises: InputError: if there are none."""
        ids = args[0] if args else None
        if not isinstance(ids, Tensor) or ids.dim() != 2 or ids.is_floating_point():
            raise InputError("the model must be called with word ids 'B L'")
        layouts = tuple(self._layout(row) for row in ids.tolist())
        return Reading(layouts=layouts, new=layouts[0].length)

    def _layout(self, ids: list[int]) -> Layout:
        words = [self._vocabulary[number] for number in ids]
        spans, start = [], 0
        for word in words:
            spans.append((start, start + len(word)))
            start += len(word) + 1
        length = self._leading + len(words) + self._trailing
        own = frozenset(range(self._leading)) | frozenset(range(length - self._trailing, length))
        return Layout(
            length=length,
            text=" ".join(words),
            spans=((None,) * self._leading + tuple(spans) + (None,) * self._trailing),
            special=own,
        )
