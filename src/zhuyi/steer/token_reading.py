"""Reading token ids: which characters each position stands for, also while a text is generated."""

from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Final, Protocol

from torch import Tensor

from zhuyi.errors import InputError
from zhuyi.steer.layout import Layout, Span
from zhuyi.steer.reading import Reading

_REMEMBERED: Final = 512  # rows
_WINDOW: Final = 8  # tokens before one that may change how it is written
_BROKEN: Final = "\ufffd"  # what half a character decodes to


class Tokenizer(Protocol):
    """What is asked of a tokenizer."""

    @property
    def all_special_ids(self) -> list[int]:
        """Ids of the tokens that stand for no text."""
        ...

    def decode(self, ids: Sequence[int], **options: Any) -> str:
        """The text of ids."""
        ...


class TokenReader:
    """For models that read token ids.

    Args:
        tokenizer: the model's.
        layers: attention sites of a pass, if known.
        values: what `when` may ask, the same for all rows.
    """

    def __init__(
        self,
        tokenizer: Tokenizer,
        *,
        layers: int | None = None,
        values: Mapping[str, object] | None = None,
    ) -> None:
        self._tokenizer = tokenizer
        self._special = frozenset(tokenizer.all_special_ids)
        self._layers = layers
        self._values = dict(values or {})
        self._rows: list[list[int]] = []
        self._padding: list[list[bool]] = []
        self._prompt = 0
        self._known: OrderedDict[tuple[tuple[int, ...], tuple[bool, ...]], Layout] = OrderedDict()

    @property
    def layers(self) -> int | None:
        """Attention sites of a pass, if known."""
        return self._layers

    def begin(self) -> None:
        """Forget the text that was read so far."""
        self._rows, self._padding, self._prompt = [], [], 0

    def read(self, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> Reading:
        """The rows of ids, with what earlier calls of this block put into the cache."""
        ids = kwargs.get("input_ids", args[0] if args else None)
        if not isinstance(ids, Tensor) or ids.dim() != 2 or ids.is_floating_point():
            raise InputError(
                "rules on texts need the token ids: call the model with input_ids 'B L', got "
                f"{sorted(kwargs)}"
            )
        new = ids.shape[1]
        past = _filled(kwargs.get("past_key_values"))
        rows = ids.tolist()
        if past == 0:
            self._rows = rows
            self._padding = _padding(kwargs.get("attention_mask"), len(rows), new)
            self._prompt = new
        elif len(self._rows) == len(rows) and len(self._rows[0]) == past:
            self._rows = [[*old, *more] for old, more in zip(self._rows, rows, strict=True)]
            self._padding = [[*old, *[False] * new] for old in self._padding]
        else:
            return self._after_unknown(rows, past)
        layouts = tuple(
            self._layout(tuple(row), tuple(padding))
            for row, padding in zip(self._rows, self._padding, strict=True)
        )
        return Reading(layouts=layouts, new=new)

    def _after_unknown(self, rows: list[list[int]], past: int) -> Reading:
        """Rows that go on from a cache which was filled before the rules."""
        layouts = []
        for row in rows:
            one = self._layout(tuple(row), (False,) * len(row))
            layouts.append(
                replace(
                    one,
                    length=past + one.length,
                    spans=(*(None,) * past, *one.spans),
                    special=frozenset(place + past for place in one.special),
                    roles=(),
                )
            )
        return Reading(layouts=tuple(layouts), new=len(rows[0]), unknown=past)

    def _layout(self, ids: tuple[int, ...], padding: tuple[bool, ...]) -> Layout:
        known = self._known.get((ids, padding))
        if known is None:
            text, spans = self._spelled(ids, padding)
            places = range(len(ids))
            known = Layout(
                length=len(ids),
                text=text,
                spans=spans,
                special=frozenset(p for p in places if ids[p] in self._special and not padding[p]),
                padding=frozenset(p for p in places if padding[p]),
                roles=tuple("assistant" if p >= self._prompt else "" for p in places),
                values=self._values,
            )
            self._known[ids, padding] = known
            if len(self._known) > _REMEMBERED:
                self._known.popitem(last=False)
        return known

    def _spelled(
        self, ids: tuple[int, ...], padding: tuple[bool, ...]
    ) -> tuple[str, tuple[Span | None, ...]]:
        """The row's text, and per position the characters that it adds to it.

        Special tokens end a line: nothing is found across them. A character made of several tokens
        belongs to each of them.
        """
        text, spans = "", list[Span | None]([None] * len(ids))
        run: list[int] = []  # positions since the last special token
        waiting: list[int] = []  # positions whose character is not complete
        for place, token in enumerate(ids):
            if padding[place] or token in self._special:
                text += "\n" if run else ""
                run, waiting = [], []
                continue
            before = [ids[p] for p in run[-_WINDOW:]]
            # A window that begins in the middle of a character would spell it wrongly.
            start = len(waiting) and max(0, len(before) - _WINDOW)
            old = self._decode(before[start:])
            whole = self._decode([*before[start:], token])
            run.append(place)
            waiting.append(place)
            if whole.endswith(_BROKEN):
                continue
            clean = old.rstrip(_BROKEN)
            added = whole[len(clean) :] if whole.startswith(clean) else self._decode([token])
            for one in waiting:
                spans[one] = (len(text), len(text) + len(added))
            text += added
            waiting = []
        return text, tuple(spans)

    def _decode(self, ids: Sequence[int]) -> str:
        if not ids:
            return ""
        return self._tokenizer.decode(
            list(ids), skip_special_tokens=False, clean_up_tokenization_spaces=False
        )


def _filled(cache: Any) -> int:
    """Positions that a cache holds."""
    length = getattr(cache, "get_seq_length", None)
    if cache is None:
        return 0
    if length is not None:
        return int(length())
    return int(cache[0][0].shape[2]) if len(cache) else 0


def _padding(mask: Any, rows: int, length: int) -> list[list[bool]]:
    if isinstance(mask, Tensor) and mask.dim() == 2 and mask.shape == (rows, length):
        return [[not kept for kept in row] for row in mask.bool().tolist()]
    return [[False] * length for _ in range(rows)]
