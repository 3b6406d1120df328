"""Reading token ids: which characters each position stands for, also while a text is generated."""

import weakref
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import Any, Final, Protocol

import torch
from torch import Tensor

from zhuyi.errors import InputError, NotSteerable
from zhuyi.steer.layout import Layout, Span
from zhuyi.steer.reading import Reading, Values, values_of
from zhuyi.steer.roles import Roles, roles_of
from zhuyi.trace.known_ids import ids_of

_REMEMBERED: Final = 512  # rows
_WINDOWS: Final = 2**16
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


@dataclass(kw_only=True)
class _Text:
    """What is known of the rows that a cache holds.

    Args:
        ids: per row, the ids after the unknown positions.
        padding: per row and id, whether it is padding.
        prompt: ids of a row that were given, not generated.
        unknown: positions at the beginning that were in the cache before the rules.
        cache: the cache, or None.
        keys: its keys at these ids, of the first layer that has any; by them rows are recognized
            that a beam search has reordered.
    """

    ids: list[list[int]] = field(default_factory=list)
    padding: list[list[bool]] = field(default_factory=list)
    prompt: int = 0
    unknown: int = 0
    cache: "weakref.ref[Any] | None" = None
    keys: Tensor | None = None

    @property
    def length(self) -> int:
        return self.unknown + (len(self.ids[0]) if self.ids else 0)

    def holds(self, cache: Any, rows: int) -> bool:
        """Whether this is what the cache holds."""
        known = None if self.cache is None else self.cache()
        return known is not None and known is cache and len(self.ids) == rows

    def cut(self, length: int) -> None:
        """Forget positions that were taken out of the cache again."""
        kept = length - self.unknown
        self.ids = [row[:kept] for row in self.ids]
        self.padding = [row[:kept] for row in self.padding]


class TokenReader:
    """For models that read token ids, also from call to call with a cache.

    A cache that was filled before the block is not known: its positions match nothing. Rows that a
    beam search reorders are recognized by the keys in the cache. With a cache, what was computed
    stays: a match that only a later token completes ("fo", then "x") holds from that token on.

    Args:
        tokenizer: the model's.
        layers: attention sites of a pass, if known.
        values: what `when` may ask, of all rows or row by row.
    """

    def __init__(
        self, tokenizer: Tokenizer, *, layers: int | None = None, values: Values = None
    ) -> None:
        self._tokenizer = tokenizer
        self._special = frozenset(tokenizer.all_special_ids)
        self._layers = layers
        self._values = values
        self._roles: Roles | None = None
        self._text = _Text()
        # Every step of a generation spells what was there before once more.
        self._decoded = lru_cache(maxsize=_WINDOWS)(self._decode_anew)
        self._known: OrderedDict[tuple[tuple[int, ...], tuple[bool, ...], int], Layout]
        self._known = OrderedDict()

    @property
    def layers(self) -> int | None:
        """Attention sites of a pass, if known."""
        return self._layers

    def begin(self) -> None:
        """Forget the text that was read so far."""
        self._text = _Text()

    def read(self, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> Reading:
        """The rows of ids, with what earlier calls of this block put into the cache."""
        ids = kwargs.get("input_ids", args[0] if args else None)
        vectors = kwargs.get("inputs_embeds")
        if ids is None and isinstance(vectors, Tensor):
            ids = ids_of(vectors)
            if ids is None:
                raise InputError(
                    "rules on texts need the token ids, and this call has vectors whose text is "
                    "not known: pass input_ids, or ask a TransformersSubject"
                )
        if not isinstance(ids, Tensor) or ids.dim() != 2 or ids.is_floating_point():
            raise InputError(
                "rules on texts need the token ids: call the model with input_ids 'B L', got "
                f"{sorted(kwargs)}"
            )
        rows: list[list[int]] = ids.tolist()
        cache = kwargs.get("past_key_values")
        past = filled(cache)
        if past == 0:
            self._begin_text(rows)
        elif self._text.holds(cache, len(rows)) and self._text.unknown < past <= self._text.length:
            self._text.cut(past)
            self._go_on(rows, cache)
        else:
            nobody: list[list[bool]] = [[False] * len(row) for row in rows]
            self._text = _Text(ids=rows, padding=nobody, unknown=past)
        self._pad(kwargs.get("attention_mask"))
        self._text.cache = None if cache is None else weakref.ref(cache)
        text = self._text
        told = values_of(self._values, len(rows))
        layouts = tuple(
            replace(self._layout(tuple(row), tuple(padding), text.prompt), values=values)
            for row, padding, values in zip(text.ids, text.padding, told, strict=True)
        )
        if text.unknown:
            layouts = tuple(_after(one, text.unknown) for one in layouts)
        return Reading(
            layouts=layouts,
            new=len(rows[0]) if rows else 0,
            unknown=text.unknown,
            cached=cache is not None,
        )

    def follow(self, kwargs: Mapping[str, Any], output: object) -> None:
        """Remember the cache that a call filled, and the keys by which rows are recognized."""
        cache = kwargs.get("past_key_values")
        if cache is None:
            cache = getattr(output, "past_key_values", None)
        if cache is None or not filled(cache):
            return
        self._text.cache = weakref.ref(cache)
        if len(self._text.ids) > 1:
            keys = _keys(cache, self._text.length)
            self._text.keys = None if keys is None else keys.detach().clone()

    def _begin_text(self, rows: list[list[int]]) -> None:
        """A call without earlier positions: a new text, or the same one with a token more."""
        old = self._text
        grown = (
            old.cache is None
            and len(old.ids) == len(rows)
            and all(row[:-1] == before for row, before in zip(rows, old.ids, strict=True))
        )
        prompt = old.prompt if grown else len(rows[0]) if rows else 0
        self._text = _Text(ids=rows, padding=[[False] * len(row) for row in rows], prompt=prompt)

    def _go_on(self, rows: list[list[int]], cache: Any) -> None:
        """Add what this call reads to the rows as they stand in the cache now."""
        text = self._text
        order: Sequence[int] = range(len(rows))
        if len(rows) > 1:
            order = self._order(_keys(cache, text.length))
        text.ids = [[*text.ids[old], *more] for old, more in zip(order, rows, strict=True)]
        text.padding = [
            [*text.padding[old], *[False] * len(more)]
            for old, more in zip(order, rows, strict=True)
        ]

    def _order(self, now: Tensor | None) -> Sequence[int]:
        """Which of the rows read before stands in each row of the cache now.

        Raises: NotSteerable: if that cannot be seen.
        """
        before = self._text.keys
        if now is None or before is None or now.shape != before.shape:
            raise NotSteerable(
                "rows of a cache may have been reordered (a beam search), and its keys cannot be "
                "read: pass texts one by one, or use_cache=False"
            )
        if torch.equal(now, before):
            return range(len(now))
        found = []
        for row in now:
            same = (before == row).flatten(1).all(1).nonzero()[:, 0].tolist()
            if not same:
                raise NotSteerable(
                    "a row of the cache is none of those that were read: leave the cache alone "
                    "within the block, or begin with an empty one"
                )
            found.append(int(same[0]))
        return found

    def _pad(self, mask: Any) -> None:
        """Padding, where the call declares it in two dimensions."""
        text = self._text
        rows = len(text.ids)
        if not isinstance(mask, Tensor) or mask.dim() != 2 or mask.shape[0] != rows:
            return
        if mask.shape[1] == text.length:
            kept: list[list[bool]] = mask[:, text.unknown :].bool().tolist()
            text.padding = [[not one for one in row] for row in kept]

    def _layout(self, ids: tuple[int, ...], padding: tuple[bool, ...], prompt: int) -> Layout:
        known = self._known.get((ids, padding, prompt))
        if known is None:
            text, spans, raw = self._spelled(ids, padding)
            places = range(len(ids))
            if self._roles is None:
                self._roles = roles_of(self._tokenizer, self._raw)
            said = self._roles.of(raw) if self._roles.known else [""] * len(ids)
            known = Layout(
                length=len(ids),
                text=text,
                spans=spans,
                special=frozenset(p for p in places if ids[p] in self._special and not padding[p]),
                padding=frozenset(p for p in places if padding[p]),
                roles=tuple("assistant" if p >= prompt else said[p] for p in places),
            )
            self._known[ids, padding, prompt] = known
            if len(self._known) > _REMEMBERED:
                self._known.popitem(last=False)
        return known

    def _raw(self, ids: Sequence[int]) -> tuple[str, ...]:
        """Per position what it adds to the text; a special token is one private character."""
        return self._spelled(tuple(ids), (False,) * len(ids))[2]

    def _spelled(
        self, ids: tuple[int, ...], padding: tuple[bool, ...]
    ) -> tuple[str, tuple[Span | None, ...], tuple[str, ...]]:
        """The row's text, per position the characters that it adds, and what it adds in all.

        Special tokens end a line: nothing is found across them. A character made of several tokens
        belongs to each of them.
        """
        text, spans = "", list[Span | None]([None] * len(ids))
        raw = [""] * len(ids)
        run: list[int] = []  # positions since the last special token
        waiting: list[int] = []  # positions whose character is not complete
        for place, token in enumerate(ids):
            if padding[place] or token in self._special:
                text += "\n" if run else ""
                run, waiting = [], []
                raw[place] = "" if padding[place] else private(token)
                continue
            before = [ids[p] for p in run[-_WINDOW:]]
            old = self._decode(before)
            whole = self._decode([*before, token])
            run.append(place)
            waiting.append(place)
            if whole.endswith(_BROKEN):
                continue
            clean = old.rstrip(_BROKEN)
            if waiting[:-1] and whole.startswith(old):  # those before never became a character
                for one in waiting[:-1]:
                    spans[one] = (len(text), len(text) + len(old) - len(clean))
                raw[waiting[-2]] = old[len(clean) :]
                text += old[len(clean) :]
                waiting, clean = [place], old
            added = whole[len(clean) :] if whole.startswith(clean) else self._decode([token])
            for one in waiting:
                spans[one] = (len(text), len(text) + len(added))
            text += added
            raw[place] = added
            waiting = []
        return text, tuple(spans), tuple(raw)

    def _decode(self, ids: Sequence[int]) -> str:
        return self._decoded(tuple(ids)) if ids else ""

    def _decode_anew(self, ids: tuple[int, ...]) -> str:
        return self._tokenizer.decode(
            list(ids), skip_special_tokens=False, clean_up_tokenization_spaces=False
        )


def private(token: int) -> str:
    """A character of no script for a special token, so that no text can spell it."""
    return chr(0xF0000 + token % 0x10000)


def filled(cache: Any) -> int:
    """Positions that a cache holds."""
    length = getattr(cache, "get_seq_length", None)
    if cache is None:
        return 0
    if length is not None:
        return int(length())
    return int(cache[0][0].shape[2]) if len(cache) else 0


def _keys(cache: Any, length: int) -> Tensor | None:
    """Keys [B, G, n, D] of the first layer of a cache that has any, of the last n <= `length`."""
    for layer in getattr(cache, "layers", ()):
        keys = getattr(layer, "keys", None)
        if isinstance(keys, Tensor) and keys.dim() == 4 and keys.shape[2]:
            return keys[:, :, :length]
    return None


def _after(layout: Layout, unknown: int) -> Layout:
    """A layout behind positions of which nothing is known."""
    return replace(
        layout,
        length=unknown + layout.length,
        spans=(*(None,) * unknown, *layout.spans),
        special=frozenset(place + unknown for place in layout.special),
        padding=frozenset(place + unknown for place in layout.padding),
        roles=(*("",) * unknown, *layout.roles),
    )
