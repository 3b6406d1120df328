"""One question a note and class, as a Subject: does this note call for this class, or not?

The model answers three questions of each note at once; an audit explains one decision an input. So
a note stands in an audit once for each class that is asked about.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Self

import torch
from torch import Tensor, nn

from zhuyi.core.record import Unit
from zhuyi.errors import InputError
from zhuyi.recipes.medicine.notes.cutting import cut, owners
from zhuyi.recipes.medicine.notes.phrases import CLASSES
from zhuyi.trace.keep import Keep
from zhuyi.trace.subject import Batch
from zhuyi.trace.tape import Tape

if TYPE_CHECKING:
    from zhuyi.learn import TextAttentionClassifier, TextSubject

NO: Final = "not called for"
YES: Final = "called for"


@dataclass(frozen=True)
class Question:
    """Whether a note calls for a class.

    Args:
        text: the note.
        label: index in `CLASSES`.
    """

    text: str
    label: int


class QuestionSubject:
    """The model of notes as a Subject whose inputs are questions.

    Its units are phrases (`cutting.cut`): a name of a condition, a duration, what is between. A
    single character of 高血压 is nothing that a person would point at, nor one that the model,
    which reads characters in their context, could be without.

    Args:
        inner: the subject of the model itself.

    Example:
        >>> from zhuyi.recipes.medicine.notes import load
        >>> subject = QuestionSubject.of(load())
        >>> shares = subject.decide([Question("糖尿病2年。", 2), Question("否认糖尿病。", 2)])
        >>> [subject.labels[place] for place in shares.argmax(1).tolist()]
        ['called for', 'not called for']
    """

    def __init__(self, inner: "TextSubject") -> None:
        self.inner = inner

    @classmethod
    def of(cls, model: "TextAttentionClassifier") -> Self:
        """The subject of a fitted model of notes."""
        return cls(model.subject())

    @property
    def labels(self) -> tuple[str, ...]:
        """The two answers."""
        return (NO, YES)

    @property
    def removal(self) -> str:
        """How a unit is removed, in words."""
        return self.inner.removal

    @property
    def removals(self) -> tuple[str, ...]:
        """All ways, the one in use first."""
        return self.inner.removals

    def removing(self, how: str) -> "QuestionSubject":
        """The same subject, whose units are removed the way named `how`."""
        return QuestionSubject(self.inner.removing(how))

    @property
    def model(self) -> nn.Module:
        """The module that decides."""
        return self.inner.model

    def units(self, batch: Batch) -> tuple[tuple[Unit, ...], ...]:
        """Per question, the phrases of its note."""
        texts = _texts(batch)
        return tuple(
            _phrases(text, units)
            for text, units in zip(texts, self.inner.units(texts), strict=True)
        )

    def decide(self, batch: Batch, keep: Tensor | None = None) -> Tensor:
        """Probabilities "B 2" of no and yes, without the phrases outside `keep`."""
        texts = _texts(batch)
        inner = None if keep is None else self._inner_keep(texts, keep)
        yes = _picked(self.inner.decide(texts, inner), batch)
        return torch.stack([1.0 - yes, yes], 1)

    def watch(self, batch: Batch, keep: Keep | None = None, *, gradient: bool = False) -> Tape:
        """The same run under observation; see `Subject.watch`."""
        tape = self.inner.watch(_texts(batch), keep, gradient=gradient)
        if tape.logits is not None:
            tape.logits = _against(_picked(tape.logits, batch))
        return tape

    def readout(self, tape: Tape) -> Tensor:
        """Weights of the query rows that feed the decision."""
        return self.inner.readout(tape)

    def gather(self, batch: Batch, values: Tensor) -> Tensor:
        """Per-position values as per-phrase values."""
        return self._by_phrase(_texts(batch), self.inner.gather(_texts(batch), values))

    def contributions(self, batch: Batch, target: tuple[int, ...]) -> Tensor:
        """What each phrase adds to the logit of the answer, "B N"."""
        texts, labels = _texts(batch), tuple(one.label for one in _questions(batch))
        found = self._by_phrase(texts, self.inner.contributions(texts, labels))
        signs = torch.tensor([1.0 if answer else -1.0 for answer in target])
        return found * signs[:, None]

    def embed(self, batch: Batch) -> Tensor:
        """The vectors that enter the model."""
        return self.inner.embed(_texts(batch))

    def baseline(self, batch: Batch) -> Tensor:
        """The vectors of notes that say nothing."""
        return self.inner.baseline(_texts(batch))

    def decide_embedded(self, batch: Batch, embeddings: Tensor) -> Tensor:
        """Logits "B 2" of the questions with their notes' vectors replaced."""
        logits = self.inner.decide_embedded(_texts(batch), embeddings)
        return _against(_picked(logits, batch))

    @contextmanager
    def nearby(self, batch: Batch, *, size: float, generator: torch.Generator) -> Iterator[Batch]:
        """The same questions with small noise on the entries of the model's table."""
        with self.inner.nearby(_texts(batch), size=size, generator=generator):
            yield batch

    def _owners(self, texts: Sequence[str]) -> list[list[int]]:
        """Per text and inner unit, the phrase that it is of."""
        return [
            owners([unit.span or (0, 0) for unit in units], cut(text))
            for text, units in zip(texts, self.inner.units(texts), strict=True)
        ]

    def _by_phrase(self, texts: Sequence[str], values: Tensor) -> Tensor:
        """Values of inner units "B M" summed to values of phrases "B N"."""
        owned = self._owners(texts)
        result = values.new_zeros(len(texts), max(len(cut(text)) for text in texts))
        for row, places in enumerate(owned):
            index = torch.tensor(places, dtype=torch.long)
            result[row].index_add_(0, index, values[row, : len(places)])
        return result

    def _inner_keep(self, texts: Sequence[str], keep: Tensor) -> Tensor:
        """Which inner units stay "B M", where phrases "B N" do."""
        owned = self._owners(texts)
        result = torch.ones(len(texts), max(map(len, owned), default=0), dtype=torch.bool)
        for row, places in enumerate(owned):
            result[row, : len(places)] = keep[row, torch.tensor(places, dtype=torch.long)]
        return result


def _phrases(text: str, units: Sequence[Unit]) -> tuple[Unit, ...]:
    spans = cut(text)
    owned = owners([unit.span or (0, 0) for unit in units], spans)
    positions: list[list[int]] = [[] for _ in spans]
    for unit, place in zip(units, owned, strict=True):
        positions[place] += unit.positions
    return tuple(
        Unit(label=text[a:b], positions=tuple(found), span=(a, b))
        for (a, b), found in zip(spans, positions, strict=True)
    )


def _questions(batch: Batch) -> list[Question]:
    found = []
    for one in batch:
        if not isinstance(one, Question) or not 0 <= one.label < len(CLASSES):
            raise InputError(f"batch must hold questions, got {type(one).__name__}")
        found.append(one)
    return found


def _texts(batch: Batch) -> list[str]:
    return [one.text for one in _questions(batch)]


def _picked(found: Tensor, batch: Batch) -> Tensor:
    """Of "B 3" the column that each question asks about, "B"."""
    labels = torch.tensor([one.label for one in _questions(batch)], dtype=torch.long)
    return found.gather(1, labels.to(found.device)[:, None])[:, 0]


def _against(logits: Tensor) -> Tensor:
    """Logits "B 2" whose softmax is the sigmoid of one logit."""
    return torch.stack([-logits, logits], 1) / 2.0
