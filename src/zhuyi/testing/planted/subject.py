"""A Subject of one's own, written out: a model over words, its inputs tuples of words.

What is special here is only how words become vectors and how one is removed; looking at the
attention is left to `ModuleSubject`.
"""

import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Final

import torch
from torch import Tensor, nn

from zhuyi.core.record import Unit
from zhuyi.errors import InputError, OptionError, ShapeError
from zhuyi.testing.planted.reader import Reader
from zhuyi.trace.keep import Keep
from zhuyi.trace.module_subject import ModuleSubject
from zhuyi.trace.readout import FirstRow
from zhuyi.trace.subject import Batch
from zhuyi.trace.tape import Tape

PADDING: Final = 0
BLANK: Final = 1
FILLERS: Final = (2, 3, 4)
COMMON: Final = ("", "____", "um", "er", "hm")
"""The words that every vocabulary begins with: padding, the blank, fillers."""

REMOVALS: Final = ("blank word", "random filler word")
START: Final = Unit(label="[START]", positions=(0,), special=True)


class PlantedSubject:
    """A trained `Reader` and its vocabulary, as a Subject whose inputs are tuples of words.

    Each word is a unit; the model's leading row comes before them as a special one. A removed word
    is replaced by the blank, or by a filler drawn from the input and the place: the model has read
    both in training, where they stood for nothing, so reduced inputs are no news to it.

    Args:
        model: reads word vectors "B W E", decides at its leading row.
        vocabulary: the words by number; it begins with `COMMON`.
        length: most words of an input.
        labels: names of the C decisions.
        how: the way of removal, one of `REMOVALS`.

    Raises: OptionError: if the vocabulary does not begin with `COMMON` or repeats a word, or there
        is no such way of removal.

    Example:
        >>> words = (*COMMON, "to", "be")
        >>> draw = torch.Generator().manual_seed(0)
        >>> model = Reader(words=7, length=4, classes=2, generator=draw)
        >>> subject = PlantedSubject(model, vocabulary=words, length=4, labels=("no", "yes"))
        >>> [unit.label for unit in subject.units([("to", "be")])[0]]
        ['[START]', 'to', 'be']
    """

    def __init__(
        self,
        model: Reader,
        *,
        vocabulary: Sequence[str],
        length: int,
        labels: Sequence[str],
        how: str = REMOVALS[0],
    ) -> None:
        if tuple(vocabulary[: len(COMMON)]) != COMMON or len(set(vocabulary)) != len(vocabulary):
            raise OptionError(f"vocabulary must be different words that begin with {COMMON}")
        if how not in REMOVALS:
            raise OptionError(f"how must be one of {REMOVALS}, got {how!r}")
        self._model, self._how = model, how
        self._vocabulary, self._length = tuple(vocabulary), length
        self._numbers = {word: number for number, word in enumerate(vocabulary)}
        self._noise: Tensor | None = None
        self._vectors_subject = ModuleSubject(
            model,
            unit_names=[f"word {n}" for n in range(1, length + 1)],
            labels=labels,
            readout=FirstRow(),
            leading=(START.label,),
        )

    @property
    def labels(self) -> tuple[str, ...]:
        """Names of the decisions."""
        return self._vectors_subject.labels

    @property
    def model(self) -> nn.Module:
        """The trained model."""
        return self._model

    @property
    def removal(self) -> str:
        """What a removed word is replaced by."""
        return self._how

    @property
    def removals(self) -> tuple[str, ...]:
        """All ways to remove a word, the one that `decide` uses first."""
        return (self._how, *(how for how in REMOVALS if how != self._how))

    def removing(self, how: str) -> "PlantedSubject":
        """The same model, with words removed the other way."""
        other = PlantedSubject(
            self._model,
            vocabulary=self._vocabulary,
            length=self._length,
            labels=self.labels,
            how=how,
        )
        other._noise = self._noise
        return other

    def units(self, batch: Batch) -> tuple[tuple[Unit, ...], ...]:
        """Per input, the model's leading row and the words."""
        return tuple(
            (START, *(Unit(label=word, positions=(n,)) for n, word in enumerate(words, start=1)))
            for words in self._read(batch)
        )

    def decide(self, batch: Batch, keep: Tensor | None = None) -> Tensor:
        """Probabilities "B C", with the words outside `keep` (bool "B N") replaced."""
        ids_BW = self._ids(batch)
        if keep is not None:
            ids_BW = self._reduced(batch, ids_BW, keep)
        return self._vectors_subject.decide(self._embedded(ids_BW))

    def watch(self, batch: Batch, keep: Keep | None = None, *, gradient: bool = False) -> Tape:
        """The same run under observation."""
        return self._vectors_subject.watch(self._vectors(batch), keep, gradient=gradient)

    def readout(self, tape: Tape) -> Tensor:
        """The leading row: "B Q" with a one at its place."""
        return self._vectors_subject.readout(tape)

    def gather(self, batch: Batch, values: Tensor) -> Tensor:
        """Per-position values "B K" as per-unit values "B N"."""
        longest = max(map(len, self.units(batch)))
        return self._vectors_subject.gather(self._vectors(batch), values)[:, :longest]

    def embed(self, batch: Batch) -> Tensor:
        """The words' vectors "B T E"; the leading row has zeros."""
        return self._vectors_subject.embed(self._vectors(batch))

    def baseline(self, batch: Batch) -> Tensor:
        """The same with a blank for every word."""
        ids_BW = self._ids(batch)
        blanks = torch.where(ids_BW == PADDING, PADDING, BLANK)
        return self._vectors_subject.embed(self._embedded(blanks))

    def decide_embedded(self, batch: Batch, embeddings: Tensor) -> Tensor:
        """Logits "B C" of the batch with its vectors replaced by `embeddings` "B T E"."""
        return self._vectors_subject.decide_embedded(self._vectors(batch), embeddings)

    @contextmanager
    def nearby(self, batch: Batch, *, size: float, generator: torch.Generator) -> Iterator[Batch]:
        """Within the block every word's vector is a little different; the words stay."""
        table = self._model.words.detach()
        before = self._noise
        drawn = torch.randn(table.shape, generator=generator)
        self._noise = size * table.std() * drawn.to(table)
        try:
            yield batch
        finally:
            self._noise = before

    def _read(self, batch: Batch) -> list[tuple[str, ...]]:
        if isinstance(batch, Tensor):
            raise InputError("expected a sequence of tuples of words, got a tensor")
        return [self._words(row, words) for row, words in enumerate(batch)]

    def _words(self, row: int, words: object) -> tuple[str, ...]:
        if not isinstance(words, tuple) or not 0 < len(words) <= self._length:
            raise InputError(f"input {row} must be a tuple of 1 to {self._length} words: {words!r}")
        for word in words:
            if not word or word not in self._numbers:
                raise InputError(f"input {row}: {word!r} is not a word of the vocabulary")
        return words

    def _ids(self, batch: Batch) -> Tensor:
        """Numbers of the words, int64 "B W"."""
        read = self._read(batch)
        rows = [[self._numbers[word] for word in words] for words in read]
        padded = [row + [PADDING] * (self._length - len(row)) for row in rows]
        return torch.tensor(padded, dtype=torch.long).reshape(len(read), self._length)

    def _vectors(self, batch: Batch) -> Tensor:
        return self._embedded(self._ids(batch))

    @torch.no_grad()
    def _embedded(self, ids_BW: Tensor) -> Tensor:
        ids_BW = ids_BW.to(self._model.start.device)
        vectors = self._model.vectors(ids_BW)
        if self._noise is not None:
            vectors = vectors + self._noise[ids_BW] * (ids_BW != PADDING)[..., None]
        return vectors

    def _reduced(self, batch: Batch, ids_BW: Tensor, keep: Tensor) -> Tensor:
        longest = int((ids_BW != PADDING).sum(1).max()) + 1
        if keep.dtype != torch.bool or keep.dim() != 2 or len(keep) != len(ids_BW):
            raise ShapeError(
                f"keep must be bool (B, N) = {(len(ids_BW), longest)}, got {keep.dtype} "
                f"{tuple(keep.shape)}"
            )
        if keep.shape[1] < longest:
            raise ShapeError(f"keep must have N = {longest} units, got {keep.shape[1]}")
        gone = torch.zeros_like(ids_BW, dtype=torch.bool)
        gone[:, : longest - 1] = ~keep[:, 1:longest].cpu()
        gone &= ids_BW != PADDING
        return torch.where(gone, self._replacements(batch, ids_BW), ids_BW)

    def _replacements(self, batch: Batch, ids_BW: Tensor) -> Tensor:
        """What stands in for each word when it is removed, int64 "B W"."""
        if self._how == REMOVALS[0]:
            return torch.full_like(ids_BW, BLANK)
        return torch.stack([_fillers(words, self._length) for words in self._read(batch)])


def _fillers(words: tuple[str, ...], length: int) -> Tensor:
    """A filler for every place of an input: the same whenever this input is read."""
    seed = zlib.crc32("\0".join(words).encode())
    picks = torch.randint(len(FILLERS), (length,), generator=torch.Generator().manual_seed(seed))
    return torch.tensor(FILLERS)[picks]
