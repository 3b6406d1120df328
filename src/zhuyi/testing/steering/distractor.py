"""A sentence and a distractor: a model that gives the sentence no attention and decides by it.

    [START] a film review, 20 words | a sentence of something else, 16 words   ->   praise or not

The read-out is kept from looking at the review, by a penalty or by a mask, and learns to read it in
the distractor's rows. A veto of the review must take the accuracy down to what it is without it.

Ref: Pruthi et al. 2020, arXiv:1909.07913, table 3 ("SST + Wiki").

Letters: B inputs, W words.
"""

import math
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Final

import torch
from torch import Tensor, nn

from zhuyi.core import AttentionMatrix, Mask
from zhuyi.steer.rules import Rules
from zhuyi.steer.selectors import Tokens
from zhuyi.testing.steering.baselines import instaboost, pasta, spotlight
from zhuyi.testing.steering.fitting import fit
from zhuyi.testing.steering.network import Network, drawn, linear
from zhuyi.testing.steering.record import Line
from zhuyi.testing.steering.ways import Run, biased_by, plain, random_spans, ruled
from zhuyi.testing.steering.words import WordReader
from zhuyi.trace.collector import BiasRule

REVIEW: Final = 20
OTHER: Final = 16
LENGTH: Final = 1 + REVIEW + OTHER
LAYERS: Final = 2
HEADS: Final = 4
BLANK, UNKNOWN = "_", "?"
#: Share of words replaced by UNKNOWN in training.
DROPPED: Final = 0.2


@dataclass(frozen=True, kw_only=True)
class Corpus:
    """Reviews with distractors, as word ids.

    Args:
        vocabulary: the words by their ids, BLANK and UNKNOWN first.
        train, test: ids int64 "B W" of review and distractor.
        train_labels, test_labels: int64 "B", 1 praises.
    """

    vocabulary: tuple[str, ...]
    train: Tensor
    train_labels: Tensor
    test: Tensor
    test_labels: Tensor


class TwoSentences(nn.Module):
    """Word ids "B W" to logits "B 2", read at a leading row.

    Args:
        words: size of the vocabulary.
        blind: whether the leading row may never attend to the review.
        generator: of the parameters.
    """

    def __init__(
        self, words: int, generator: torch.Generator, *, blind: bool = False, width: int = 48
    ) -> None:
        super().__init__()
        self.words = nn.Parameter(0.2 * drawn(words, width, generator=generator).detach())
        self.places = drawn(REVIEW + OTHER, width, generator=generator)
        self.start = drawn(1, width, generator=generator)
        self.network = Network(width=width, num_heads=HEADS, num_layers=LAYERS, generator=generator)
        self.head = linear(width, 2, generator)
        seen = torch.ones(LENGTH, LENGTH, dtype=torch.bool)
        seen[0, 1 : 1 + REVIEW] = not blind
        self.seen: Tensor
        self.register_buffer("seen", seen)

    def forward(self, ids_BW: Tensor) -> Tensor:
        """Word ids to logits."""
        return self.read(ids_BW)[0]

    def read(self, ids_BW: Tensor) -> tuple[Tensor, Sequence[AttentionMatrix]]:
        """The logits, and the attention matrix of every layer."""
        words = self.words[ids_BW] + 0.3 * self.places
        rows = torch.cat([self.start.expand(len(words), 1, -1), words], 1)
        rows, matrices = self.network.read(rows, Mask.dense(self.seen[None, None]))
        logits: Tensor = self.head(rows[:, 0])
        return logits, matrices


def corpus(
    train: Sequence[tuple[str, int]],
    test: Sequence[tuple[str, int]],
    distractors: Sequence[str],
    generator: torch.Generator,
    *,
    words: int = 4000,
) -> Corpus:
    """Word ids of reviews with a label each, every one beside a distractor drawn at random.

    Args:
        train, test: (review, 1 for praise), words parted by spaces.
        distractors: sentences of something else.
        generator: of the distractors' places.
        words: size of the vocabulary, the most frequent words of the training reviews and the
            distractors.
    """
    counts = Counter(word for text, _ in train for word in text.lower().split())
    counts.update(word for text in distractors for word in text.lower().split())
    vocabulary = (BLANK, UNKNOWN, *(word for word, _ in counts.most_common(words - 2)))
    known = {word: number for number, word in enumerate(vocabulary)}

    def ids(text: str, length: int) -> list[int]:
        found = [known.get(word, 1) for word in text.lower().split()[:length]]
        return found + [0] * (length - len(found))

    def rows(reviews: Sequence[tuple[str, int]]) -> tuple[Tensor, Tensor]:
        picks = torch.randint(len(distractors), (len(reviews),), generator=generator).tolist()
        pairs = [
            ids(text, REVIEW) + ids(distractors[pick], OTHER)
            for (text, _), pick in zip(reviews, picks, strict=True)
        ]
        return torch.tensor(pairs), torch.tensor([label for _, label in reviews])

    (one, one_labels), (two, two_labels) = rows(train), rows(test)
    return Corpus(
        vocabulary=vocabulary, train=one, train_labels=one_labels, test=two, test_labels=two_labels
    )


def mass_on_review(matrices: Sequence[AttentionMatrix]) -> Tensor:
    """The leading row's attention to the review, "layers B H"."""
    return torch.stack(
        [one.weights(rows=slice(0, 1))[:, :, 0, 1 : 1 + REVIEW].sum(-1) for one in matrices]
    )


def trained(
    seed: int, data: Corpus, *, steps: int, hide: float = 0.0, without: bool = False
) -> TwoSentences:
    """The model of a seed.

        loss = cross-entropy - hide * mean log(1 - attention of the read-out to the review)

    An infinite penalty forbids that attention by a mask. `without`, blanks stand for every review.
    """
    generator = torch.Generator().manual_seed(seed)
    forbidden = math.isinf(hide)
    model = TwoSentences(len(data.vocabulary), generator, blind=forbidden)

    def loss(step: int) -> Tensor:
        pick = torch.randint(len(data.train), (64,), generator=generator)
        ids = data.train[pick]
        gone = torch.rand(ids.shape, generator=generator) < DROPPED
        ids = ids.masked_fill(gone, 1)
        logits, matrices = model.read(blanked(ids) if without else ids)
        found = nn.functional.cross_entropy(logits, data.train_labels[pick])
        if not hide or forbidden:
            return found
        mass = mass_on_review(matrices).clamp_max(1 - 1e-6)
        return found - hide * min(1.0, 2 * step / steps) * torch.log1p(-mass).mean()

    fit(model, loss, steps=steps, rate=5e-3)
    return model


def blanked(ids_BW: Tensor) -> Tensor:
    """The same with blanks in the review's place."""
    ids_BW = ids_BW.clone()
    ids_BW[:, :REVIEW] = 0
    return ids_BW


def measure(
    seed: int, *, data: Corpus, hide: float = math.inf, steps: int = 600
) -> tuple[Line, ...]:
    """Train the model of a seed to hide what it uses, and take the review from it by every way.

    Numbers: "accuracy" on the test reviews; "attention" the read-out's largest mean attention to
    the review over the layers, of the model without a rule.

    Args:
        seed: of the parameters and the training.
        data: reviews with distractors.
        hide: how strongly attention is penalized; infinite forbids it.
        steps: updates.
    Cost: half a minute of one core.
    """
    model = trained(seed, data, steps=steps, hide=hide)
    never = trained(seed, data, steps=steps // 2, without=True)
    generator = torch.Generator().manual_seed(1000 + seed)
    ways = [*_ways(model, data, generator), ("trained without it", None, _blank(never))]
    with torch.no_grad():
        mass = float(mass_on_review(model.read(data.test[:500])[1]).mean((1, 2)).max())
    return tuple(
        Line(
            method=method,
            dose=dose,
            numbers={"accuracy": _accuracy(run, data), "attention": mass},
        )
        for method, dose, run in ways
    )


def _accuracy(run: Run, data: Corpus) -> float:
    said = torch.cat([run(part).argmax(1) for part in torch.split(data.test, 500)])
    return float((said == data.test_labels).double().mean())


def _blank(model: nn.Module) -> Run:
    return lambda ids: plain(model)(blanked(ids))


def _ways(
    model: TwoSentences, data: Corpus, generator: torch.Generator
) -> Sequence[tuple[str, float | None, Run]]:
    reader = WordReader(data.vocabulary, leading=1, layers=LAYERS)
    review, start = Tokens(1, 1 + REVIEW), Tokens(0, 1, special=True)
    every = [(site, head) for site in range(LAYERS) for head in range(HEADS)]
    hit = torch.zeros(1, LENGTH, dtype=torch.bool)
    hit[:, 1 : 1 + REVIEW] = True
    free = torch.ones_like(hit)
    free[:, 0] = False

    def under(rules: Rules) -> Run:
        return ruled(model, rules, reader)

    def baseline(make: Callable[[Tensor], BiasRule], *, others: bool) -> Run:
        return biased_by(model, lambda ids: make((hit ^ others).expand(len(ids), -1)))

    def elsewhere(ids: Tensor) -> Tensor:
        spans = random_spans(hit.expand(len(ids), -1), free.expand(len(ids), -1), generator)
        return biased_by(model, lambda _: instaboost(spans, 1e-9))(ids)

    return (
        ("no rule", None, plain(model)),
        ("veto", None, under(Rules().veto(review))),
        ("review replaced by blanks", None, _blank(model)),
        *(
            ("damp", weight, under(Rules().damp(review, weight, beyond=True)))
            for weight in (0.5, 0.05, 1e-3, 1e-6)
        ),
        ("veto, read-out only", None, under(Rules().veto(review, sender=start))),
        ("veto, last layer only", None, under(Rules().veto(review, layers="1"))),
        ("veto, 2 of 4 heads", None, under(Rules().veto(review, heads=(0, 1)))),
        ("veto of as many random words", None, elsewhere),
        ("veto of the distractor", None, under(Rules().veto(Tokens(1 + REVIEW, LENGTH)))),
        ("InstABoost", 0.05, baseline(partial(instaboost, multiplier=0.05), others=False)),
        ("SpotLight on the others", 0.95, baseline(partial(spotlight, share=0.95), others=True)),
        ("PASTA on the others", 0.01, baseline(partial(pasta, heads=every), others=True)),
    )
