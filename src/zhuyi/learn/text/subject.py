"""A fitted text classifier as a Subject: units are characters or words, with their places."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Final

import torch
from torch import Tensor

from zhuyi.core.record import Unit
from zhuyi.errors import InputError, ShapeError
from zhuyi.learn.glass_box import GlassBox
from zhuyi.learn.objectives import Objective
from zhuyi.learn.portions import decided
from zhuyi.learn.subject import GlassBoxSubject
from zhuyi.learn.text.embedding import TextEmbedding, without_units
from zhuyi.learn.text.reader import TextCalls, announce
from zhuyi.learn.text.reading import read_texts
from zhuyi.learn.text.vocabulary import SPECIAL, Factors, Vocabulary, padded
from zhuyi.steer.reading import Reader, Values
from zhuyi.trace.subject import Batch

LEFT_OUT: Final = "left out with every piece that touches it"
UNKNOWN: Final = "unknown in its place"
CLOSED: Final = "cut out, the text closed up"
_REMEMBERED: Final = 4096  # texts


class TextSubject(GlassBoxSubject):
    """Texts and the glass box that decides on them, as a Subject.

    A batch is a sequence of texts. Units are characters of scripts without spaces, and words,
    numbers and marks, each with its place in the text as it came. What a piece of several units
    contributes is shared among them evenly: that is its Shapley value where the piece counts only
    as a whole.

    Units can be removed in two ways. Without mixing layers: "left out with every piece that touches
    it" (nothing new appears) and "cut out, the text closed up" (what stood on both sides may form a
    new piece). With mixing layers: "unknown in its place" (as while training, where it was trained
    with dropout) and "cut out, the text closed up".

    Args:
        module: the fitted glass box.
        vocabulary: how texts are read.
        labels: names of the C decisions.
        objective: from logits to probabilities.

    Example:
        >>> from zhuyi.learn import TextAttentionClassifier
        >>> texts = ["很好 very good", "不好 not good"] * 20
        >>> model = TextAttentionClassifier(max_epochs=2, random_state=0).fit(texts, [1, 0] * 20)
        >>> [unit.label for unit in model.subject().units(["不好 not good"])[0]]
        ['不', '好', 'not', 'good']
    """

    def __init__(
        self,
        module: GlassBox,
        vocabulary: Vocabulary,
        labels: Sequence[str],
        objective: Objective,
    ) -> None:
        ways = (UNKNOWN, CLOSED) if vocabulary.context else (LEFT_OUT, CLOSED)
        super().__init__(module, labels, objective, ways)
        self.vocabulary = vocabulary
        self._known: dict[str, Factors] = {}

    def read(self, texts: object) -> list[str]:
        """A batch of texts from whatever holds them."""
        return list(read_texts(texts))

    def factors(self, batch: Batch) -> list[Factors]:
        """Each text as its factors; the last ones read are remembered."""
        if isinstance(batch, Tensor):
            raise InputError("batch must be a sequence of texts, got a tensor")
        found = []
        texts = read_texts(list(batch))
        for text in texts:
            if text not in self._known:
                if len(self._known) >= _REMEMBERED:
                    self._known.clear()
                self._known[text] = self.vocabulary.read(text)
            found.append(self._known[text])
        announce(self.vocabulary, texts, found)
        return found

    def reader(self, values: Values = None) -> Reader:
        """Pieces with their places in the text."""
        return TextCalls(self.vocabulary, layers=self._sites, values=values)

    def units(self, batch: Batch) -> tuple[tuple[Unit, ...], ...]:
        """Per text, its characters and words in reading order.

        A unit's positions are those of the pieces that touch it; a piece may touch several.
        """
        texts = read_texts(list(batch))
        pairs = zip(texts, self.factors(batch), strict=True)
        return tuple(_units(text, factors) for text, factors in pairs)

    def decide(self, batch: Batch, keep: Tensor | None = None) -> Tensor:
        """Probabilities "B C", with the units outside `keep` (bool "B N") removed."""
        texts = self.factors(batch)
        if keep is None:
            codes = torch.from_numpy(padded(texts))
        else:
            _check_keep(texts, keep)
            codes = self._reduced(batch, texts, keep)
        return self._objective.shares(decided(self.module, codes)).float()

    def gather(self, batch: Batch, values: Tensor) -> Tensor:
        """Per-piece values "B K" as per-unit values "B N": each shared evenly among its units."""
        texts = self.factors(batch)
        result = values.new_zeros(len(texts), max((len(one.units) for one in texts), default=0))
        for row, one in enumerate(texts):
            first, last = torch.from_numpy(one.first), torch.from_numpy(one.last)
            for size in range(1, int((last - first).max()) + 1 if len(first) else 1):
                places = ((last - first == size) & (first >= 0)).nonzero()[:, 0].to(values.device)
                share = values[row, places] / size
                for step in range(size):
                    result[row].index_add_(0, first.to(places.device)[places] + step, share)
        return result

    def contributions(self, batch: Batch, target: tuple[int, ...]) -> Tensor:
        """What each unit adds to the logit of the target, "B N"."""
        return self.gather(batch, super().contributions(batch, target))

    def baseline(self, batch: Batch) -> Tensor:
        """The tokens of a text that says nothing, "B N W".

        Zeros; with mixing layers unknown units in their places.
        """
        codes = self._codes(batch)
        if not self.vocabulary.context:
            return torch.zeros_like(self.embed(batch))
        unknown = torch.zeros_like(codes)
        unknown[..., 0] = SPECIAL * (codes[..., 0] > 0)
        with torch.no_grad():
            tokens: Tensor = self.module.factors(unknown)
        return tokens

    @contextmanager
    def nearby(self, batch: Batch, *, size: float, generator: torch.Generator) -> Iterator[Batch]:
        """The same texts, with every piece's entry off by Gaussian noise of its own.

        Of `size` standard deviations of the table; within the block the noise stays as drawn, and
        the table is as before after it, bit for bit.
        """
        factors = self.module.factors
        assert isinstance(factors, TextEmbedding)
        kept = factors.table.data
        noise = torch.randn(kept.shape, generator=generator, device=generator.device)
        factors.table.data = kept + size * kept.std() * noise.to(kept)
        try:
            yield batch
        finally:
            factors.table.data = kept

    def _codes(self, batch: Batch) -> Tensor:
        return torch.from_numpy(padded(self.factors(batch)))

    def _reduced(self, batch: Batch, texts: Sequence[Factors], keep: Tensor) -> Tensor:
        """Codes of the texts without the units outside `keep`."""
        kept = keep.cpu().numpy()
        if self._removal == CLOSED:
            left = [
                self.vocabulary.factors(
                    one.units.without(row[: len(one.units)].nonzero()[0].tolist())
                )
                for one, row in zip(texts, kept, strict=True)
            ]
            announce(self.vocabulary, read_texts(list(batch)), left)
            return torch.from_numpy(padded(left))
        codes = torch.from_numpy(padded(texts))
        if self._removal == UNKNOWN:
            gone = torch.zeros(codes.shape[:2], dtype=torch.bool)
            shared = min(codes.shape[1], keep.shape[1])
            gone[:, :shared] = ~keep[:, :shared].cpu()
            return self._told(batch, texts, without_units(codes, gone))
        for row, one in enumerate(texts):
            # of a piece nothing is gone where as many units are gone before its end as its start
            gone_before = torch.cat(
                [torch.zeros(1, dtype=torch.long), (~keep[row].cpu()).cumsum(0)]
            )
            first, last = torch.from_numpy(one.first), torch.from_numpy(one.last)
            touched = (first >= 0) & (gone_before[last] > gone_before[first])
            codes[row, : len(one.codes)][touched] = 0
        return self._told(batch, texts, codes)

    def _told(self, batch: Batch, texts: Sequence[Factors], codes: Tensor) -> Tensor:
        """The codes, of which it was said of which texts they are."""
        announce(self.vocabulary, read_texts(list(batch)), texts, list(codes.numpy()))
        return codes


def _units(text: str, factors: Factors) -> tuple[Unit, ...]:
    touching: list[list[int]] = [[] for _ in factors.units.keys]
    for place, (first, last) in enumerate(zip(factors.first, factors.last, strict=True)):
        for unit in range(max(first, 0), last):
            touching[unit].append(place)
    spans = factors.units.spans
    return tuple(
        Unit(label=text[start:end], positions=tuple(places), span=(start, end))
        for (start, end), places in zip(spans, touching, strict=True)
    )


def _check_keep(texts: Sequence[Factors], keep: Tensor) -> None:
    most = max((len(one.units) for one in texts), default=0)
    if (
        keep.dtype != torch.bool
        or keep.dim() != 2
        or len(keep) != len(texts)
        or (keep.shape[1] < most)
    ):
        raise ShapeError(
            f"keep must be bool (B, N) = ({len(texts)}, {most}), got {keep.dtype} "
            f"{tuple(keep.shape)}"
        )
