"""Texts and sentence pairs as a Hugging Face model reads them: ids, units, removal, embeddings."""

import copy
import functools
from collections.abc import Iterator, Mapping, Sequence, Sized
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any, Protocol

import torch
from torch import Tensor, nn

from zhuyi.core.record import Unit
from zhuyi.errors import InputError, ShapeError
from zhuyi.trace.adapters.text_rows import DELETION, MASK, Row, removal_of, text_removals
from zhuyi.trace.adapters.transformers_embeddings import blank_vector, embedding_table
from zhuyi.trace.adapters.transformers_nearby import jittered
from zhuyi.trace.known_ids import remember_ids
from zhuyi.trace.subject import Batch
from zhuyi.trace.words import Token, join_tokens, locate_tokens

Text = str | tuple[str, str]


class Tokenizer(Sized, Protocol):
    """The part of a Hugging Face tokenizer that is used here."""

    is_fast: bool
    model_max_length: int
    mask_token_id: int | None
    pad_token_id: int | None
    unk_token_id: int | None
    bos_token_id: int | None
    eos_token_id: int | None

    def __call__(self, text: str, text_pair: str | None = None, **options: Any) -> Any:
        """Encode one text or one pair."""
        ...

    def convert_ids_to_tokens(self, ids: Sequence[int]) -> list[str]:
        """Spell ids."""
        ...

    def convert_tokens_to_string(self, tokens: list[str]) -> str:
        """Join tokens into plain text."""
        ...


@dataclass(frozen=True)
class Encoded:
    """A batch as the model takes it, beside what a person sees of it.

    Args:
        inputs: the model's keyword arguments, each with B' rows.
        real: bool "B' T", False at padding and at what a padding mask hides.
        sequences: per sequence, its units.
        tokens: per sequence, its tokens' spelling, without padding.
    """

    inputs: Mapping[str, Tensor]
    real: Tensor
    sequences: tuple[tuple[Unit, ...], ...]
    tokens: tuple[tuple[str, ...], ...]


class TextReader:
    """Turns texts into model inputs, and units into positions.

    Every text is encoded by itself and padded on the right here, so that a tokenizer's padding
    side or a missing padding token makes no difference.

    Args:
        tokenizer: a Hugging Face tokenizer, fast or slow.
        limit: most tokens the model takes, or None.
        per_input: 1, or 2 when the two texts of a pair are read as two sequences.
        accepts: names of the model's keyword arguments.
    """

    def __init__(
        self, tokenizer: Tokenizer, *, limit: int | None, per_input: int, accepts: frozenset[str]
    ) -> None:
        self.tokenizer = tokenizer
        self.limit = limit
        self.per_input = per_input
        self._accepts = accepts
        self._how = DELETION if tokenizer.mask_token_id is None else MASK
        # Occlusion reads the same texts again and again.
        self._row = functools.lru_cache(maxsize=256)(self._read)

    @property
    def removal(self) -> str:
        """How units are removed; at first by the mask token where there is one, else deleted."""
        return self._how

    def removals(self, model: nn.Module) -> tuple[str, ...]:
        """All ways to remove a unit that the model takes, the one in use first."""
        ways = text_removals(model, self.tokenizer.mask_token_id, self._accepts)
        return (self._how, *(way for way in ways if way != self._how))

    def removing(self, how: str) -> "TextReader":
        """The same reader, which removes units another way and shares what was read."""
        other = copy.copy(self)
        other._how = how
        return other

    def encode(self, batch: Batch, device: torch.device) -> Encoded:
        """Model inputs and units of a batch of texts or pairs."""
        return self._padded(self._rows(batch), device)

    def remove(self, batch: Batch, keep: Tensor, device: torch.device) -> Encoded:
        """The same with the units outside `keep` (bool "B N") removed, special ones never."""
        rows = self._rows(batch)
        widths = [
            sum(len(row.units) for row in rows[i : i + self.per_input])
            for i in range(0, len(rows), self.per_input)
        ]
        expected = (len(widths), max(widths, default=0))
        if keep.dtype != torch.bool or tuple(keep.shape) != expected:
            raise ShapeError(
                f"keep must be bool (B, N) = {expected}, got {keep.dtype} {tuple(keep.shape)}"
            )
        flags: list[list[bool]] = keep.tolist()
        without = removal_of(self._how, self.tokenizer.mask_token_id)
        reduced: list[Row] = []
        first = 0
        for number, row in enumerate(rows):
            first = 0 if number % self.per_input == 0 else first
            mine = flags[number // self.per_input][first : first + len(row.units)]
            first += len(row.units)
            gone = frozenset(
                p
                for unit, kept in zip(row.units, mine, strict=True)
                if not kept and not unit.special
                for p in unit.positions
            )
            reduced.append(self._never_empty(without(row, gone)))
        return self._padded(reduced, device)

    def embed(self, model: nn.Module, encoded: Encoded) -> Tensor:
        """Input embeddings "B' T E", detached."""
        with torch.no_grad():
            vectors: Tensor = embedding_table(model)(encoded.inputs["input_ids"])
            return vectors.detach()

    def baseline(self, model: nn.Module, encoded: Encoded) -> Tensor:
        """Embeddings of a text that says nothing: special tokens stay, others become the mask.

        Without a mask token the padding token stands in, then the unknown, the end and the start
        token, then the vocabulary's mean. One whose embedding is zero (often the padding token) is
        passed over: a model that normalizes by length jumps there, and no integral along the way
        is complete.
        """
        ids = encoded.inputs["input_ids"]
        table = embedding_table(model)
        spoken = torch.zeros(ids.shape, dtype=torch.bool)
        for row, units in enumerate(encoded.sequences):
            for unit in units:
                if not unit.special:
                    spoken[row, list(unit.positions)] = True
        spoken = spoken.to(ids.device)
        with torch.no_grad():
            return torch.where(
                spoken[..., None], blank_vector(table, self._blanks()), table(ids)
            ).detach()

    def _blanks(self) -> tuple[int | None, ...]:
        known = self.tokenizer
        return (
            *(known.mask_token_id, known.pad_token_id, known.unk_token_id),
            *(known.eos_token_id, known.bos_token_id),
        )

    @contextmanager
    def nearby(
        self, model: nn.Module, batch: Batch, size: float, generator: torch.Generator
    ) -> Iterator[Batch]:
        """The same texts; within the block every token's embedding is off by a fixed vector."""
        with jittered(model, size, generator):
            yield batch

    def with_embeddings(self, encoded: Encoded, embeddings: Tensor) -> dict[str, Tensor]:
        """The model's keyword arguments with embeddings in the place of ids."""
        inputs = {name: value for name, value in encoded.inputs.items() if name != "input_ids"}
        remember_ids(embeddings, encoded.inputs["input_ids"])
        return {**inputs, "inputs_embeds": embeddings}

    def _rows(self, batch: Batch) -> list[Row]:
        rows: list[Row] = []
        for number, item in enumerate(_texts(batch, pairs_only=self.per_input == 2)):
            parts: tuple[Text, ...] = item if self.per_input == 2 else (item,)  # type: ignore[assignment]
            for part in parts:
                try:
                    rows.append(self._row(part))
                except InputError as wrong:
                    raise InputError(f"input {number + 1} {wrong}") from None
        return rows

    def _read(self, text: Text) -> Row:
        texts = (text,) if isinstance(text, str) else text
        for part in texts:
            if not part.strip():
                raise InputError("is an empty text: pass at least one word")
        encoding = self.tokenizer(
            texts[0],
            texts[1] if len(texts) == 2 else None,
            add_special_tokens=True,
            return_special_tokens_mask=True,
            return_offsets_mapping=self.tokenizer.is_fast,
            verbose=False,  # too long a text is our error below, not a log line
        )
        ids = tuple(encoding["input_ids"])
        if self.limit is not None and len(ids) > self.limit:
            raise InputError(
                f"has {len(ids)} tokens, the model takes at most {self.limit}: shorten the text"
            )
        tokens = self._tokens(encoding, ids, texts)
        types = encoding.get("token_type_ids")
        units = join_tokens(tokens, texts)
        if all(unit.special for unit in units):
            raise InputError("has no text that the tokenizer knows: nothing is left to explain")
        return Row(
            ids=ids,
            types=None if types is None or "token_type_ids" not in self._accepts else tuple(types),
            units=units,
            tokens=tuple(token.label for token in tokens),
        )

    def _tokens(self, encoding: Any, ids: tuple[int, ...], texts: Sequence[str]) -> list[Token]:
        labels = self.tokenizer.convert_ids_to_tokens(list(ids))
        special = [bool(flag) for flag in encoding["special_tokens_mask"]]
        if self.tokenizer.is_fast:
            owners = encoding.sequence_ids(0)
            spans = [tuple(span) for span in encoding["offset_mapping"]]
        else:
            if len(texts) == 2:
                raise InputError("is a pair, which needs a fast tokenizer: pass one text")
            owners = [0] * len(ids)
            plain = [
                "" if flag else self.tokenizer.convert_tokens_to_string([label])
                for label, flag in zip(labels, special, strict=True)
            ]
            spans = [tuple(span) for span in locate_tokens(plain, texts[0])]
        return [
            Token(label, start, end, flag, owner or 0)
            for label, (start, end), flag, owner in zip(labels, spans, special, owners, strict=True)
        ]

    def _never_empty(self, row: Row) -> Row:
        """A model needs one token: a text of which nothing is left becomes its start token."""
        if not row.empty:
            return row
        known = self.tokenizer
        alone = _first_of(
            known.bos_token_id, known.eos_token_id, known.pad_token_id, known.unk_token_id
        )
        if alone is None:
            raise InputError("every unit was removed and the tokenizer has no token to stand alone")
        types = None if row.types is None else (0,)
        return replace(row, ids=(alone,), types=types, unseen=frozenset())

    def _padded(self, rows: Sequence[Row], device: torch.device) -> Encoded:
        width = max((len(row.ids) for row in rows), default=0)
        filler = self.tokenizer.pad_token_id or 0
        ids = torch.full((len(rows), width), filler, dtype=torch.long)
        types = torch.zeros(len(rows), width, dtype=torch.long)
        real = torch.zeros(len(rows), width, dtype=torch.bool)
        for number, row in enumerate(rows):
            length = len(row.ids)
            ids[number, :length] = torch.tensor(row.ids)
            real[number, :length] = True
            real[number, sorted(row.unseen)] = False
            if row.types is not None:
                types[number, :length] = torch.tensor(row.types)
        inputs = {"input_ids": ids.to(device), "attention_mask": real.long().to(device)}
        if any(row.types is not None for row in rows):
            inputs["token_type_ids"] = types.to(device)
        return Encoded(
            inputs=inputs,
            real=real.to(device),
            sequences=tuple(row.units for row in rows),
            tokens=tuple(row.tokens for row in rows),
        )


def _texts(batch: Batch, *, pairs_only: bool) -> tuple[Text, ...]:
    """The batch as texts and pairs, or an `InputError` that says what came instead."""
    wanted = "pairs of texts" if pairs_only else "texts"
    if isinstance(batch, str | Tensor) or not isinstance(batch, Sequence):
        raise InputError(f"expected a list of {wanted}, got {type(batch).__name__}: pass [...]")
    if not batch:
        raise InputError(f"expected a list of {wanted}, got an empty list")
    result: list[Text] = []
    for number, item in enumerate(batch):
        if isinstance(item, str) and not pairs_only:
            result.append(item)
        elif _is_pair(item):
            result.append((item[0], item[1]))  # type: ignore[index]
        else:
            raise InputError(f"input {number + 1} must be one of {wanted}, got {_kind(item)}")
    return tuple(result)


def _is_pair(item: object) -> bool:
    return (
        isinstance(item, tuple | list)
        and len(item) == 2
        and all(isinstance(part, str) for part in item)
    )


def _kind(item: object) -> str:
    return "one text" if isinstance(item, str) else type(item).__name__


def _first_of(*choices: int | None) -> int | None:
    return next((choice for choice in choices if choice is not None), None)
