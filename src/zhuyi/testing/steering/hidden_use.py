"""Attention that is kept low, and content that is used all the same: sequences to be rewritten.

    w1 w2 w3 w4 ...   ->   w2 w1 w4 w3 ... (bigram flip),  w1 w2 ... (copy),  ... w2 w1 (reverse)

Every output has one word that decides it, and it is known which. A model is trained to give that
word no attention, and goes on using it: its neighbors carry it. A veto of the word must take the
accuracy of its output down to what it is without the word, and leave the other outputs alone.

Ref: Pruthi et al. 2020, arXiv:1909.07913 (there LSTMs; here a transformer that writes all outputs
at once).

Letters: B inputs, W words (and as many outputs).
"""

import math
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Final, Literal

import torch
from torch import Tensor, nn

from zhuyi.core import AttentionMatrix, Mask
from zhuyi.steer.rules import Rules
from zhuyi.steer.selectors import Tokens
from zhuyi.testing.steering.baselines import instaboost, pasta, spotlight
from zhuyi.testing.steering.fitting import fit
from zhuyi.testing.steering.network import Network, drawn
from zhuyi.testing.steering.record import Line
from zhuyi.testing.steering.ways import Run, biased_by, plain, ruled
from zhuyi.testing.steering.words import WordReader
from zhuyi.trace.collector import BiasRule

Kind = Literal["flip", "copy", "reverse"]
WORDS: Final = 16
KINDS: Final[tuple[Kind, ...]] = ("flip", "copy", "reverse")
LAYERS: Final = 2
#: Nats below which a task counts as known.
KNOWN: Final = 0.2
HEADS: Final = 4


class Rewriter(nn.Module):
    """Word ids "B W" to logits "B W V": W outputs, each a row of its own behind the words.

    Rows attend to words only, so outputs know nothing of each other.

    Args:
        vocabulary: words V.
        generator: of the parameters.
        blind: per output the word that it may never attend to, int64 "W"; None for none.
    """

    def __init__(
        self,
        vocabulary: int,
        generator: torch.Generator,
        *,
        blind: Tensor | None = None,
        width: int = 64,
    ) -> None:
        super().__init__()
        self.words = drawn(vocabulary, width, generator=generator)
        self.places = drawn(WORDS, width, generator=generator)
        self.outputs = drawn(WORDS, width, generator=generator)
        self.network = Network(width=width, num_heads=HEADS, num_layers=LAYERS, generator=generator)
        seen = (torch.arange(2 * WORDS) < WORDS).repeat(2 * WORDS, 1)
        if blind is not None:
            seen[torch.arange(WORDS, 2 * WORDS), blind] = False
        self.seen: Tensor
        self.register_buffer("seen", seen)

    def forward(self, ids_BW: Tensor) -> Tensor:
        """Word ids "B W" to logits "B W V"."""
        return self.read(ids_BW)[0]

    def read(self, ids_BW: Tensor) -> tuple[Tensor, Sequence[AttentionMatrix]]:
        """The logits, and the attention matrix of every layer."""
        words = self.words[ids_BW] + self.places
        rows = torch.cat([words, self.outputs.expand_as(words)], 1)
        mask = Mask.dense(self.seen[None, None])
        rows, matrices = self.network.read(rows, mask)
        return rows[:, WORDS:] @ self.words.T, matrices


def source_of(kind: Kind) -> Tensor:
    """Per output the place of the word that decides it, int64 "W"."""
    place = torch.arange(WORDS)
    if kind == "copy":
        return place
    return place.flip(0) if kind == "reverse" else place + 1 - 2 * (place % 2)


def mass_on_source(matrices: Sequence[AttentionMatrix], kind: Kind) -> Tensor:
    """Every output's attention to its deciding word, "layers B H W"."""
    outputs = slice(WORDS, 2 * WORDS)
    at = source_of(kind)[None, None, :, None]
    return torch.stack(
        [
            one.weights(rows=outputs).gather(3, at.expand(*one.shape[:2], -1, -1))[..., 0]
            for one in matrices
        ]
    )


def trained(
    kind: Kind, seed: int, *, steps: int, hide: float = 0.0, vocabulary: int = 1000
) -> Rewriter:
    """The model of a seed.

        loss = cross-entropy - hide * mean log(1 - attention of an output to its deciding word)

    An infinite penalty forbids that attention by a mask, in every layer and head. A finite one
    grows with every update while the task is known: else nothing but hiding would be learned.
    """
    known = 0
    generator = torch.Generator().manual_seed(seed)
    source = source_of(kind)
    forbidden = math.isinf(hide)
    model = Rewriter(vocabulary, generator, blind=source if forbidden else None)

    def loss(step: int) -> Tensor:
        ids = torch.randint(vocabulary, (32, WORDS), generator=generator)
        logits, matrices = model.read(ids)
        found = nn.functional.cross_entropy(logits.flatten(0, 1), ids[:, source].flatten())
        if not hide or forbidden:
            return found
        nonlocal known
        known += float(found.detach()) < KNOWN
        mass = mass_on_source(matrices, kind).clamp_max(1 - 1e-6)
        return found - hide * known / steps * torch.log1p(-mass).mean()

    fit(model, loss, steps=steps)
    return model


Vetoed = Callable[[int], Run]
"""The place of a word -> a run of the model that is told not to use it."""


def measure(
    seed: int,
    *,
    kind: Kind = "flip",
    hide: float = 100.0,
    steps: int = 1200,
    inputs: int = 40,
    vocabulary: int = 1000,
) -> tuple[Line, ...]:
    """Train the model of a seed to hide what it uses, and take each word from it by every way.

    Numbers: "accuracy" of the output that the word decides, "others" that of all other outputs,
    "attention" the output's largest mean attention to its word over the layers, without a rule.
    The word is each of the 16 in turn.

    Args:
        seed: of the parameters, the training and the inputs.
        kind: what is to be written.
        hide: how strongly attention is penalized; 0 trains a model that hides nothing.
        steps: updates.
        inputs: inputs for each place of a word.
        vocabulary: different words; a guess is right once in so many.
    Cost: half a minute of one core.
    """
    model = trained(kind, seed, steps=steps, hide=hide, vocabulary=vocabulary)
    generator = torch.Generator().manual_seed(1000 + seed)
    ids = torch.randint(vocabulary, (WORDS, inputs, WORDS), generator=generator)
    return tuple(
        Line(method=method, dose=dose, numbers=_taken(model, vetoed, ids, kind))
        for method, dose, vetoed in _ways(model, vocabulary, generator)
    )


def _taken(model: Rewriter, vetoed: Vetoed, ids: Tensor, kind: Kind) -> Mapping[str, float]:
    source = source_of(kind)
    own, others = 0.0, 0.0
    for place in range(WORDS):
        right = vetoed(place)(ids[place]).argmax(-1) == ids[place][:, source]
        output = source == place
        own += float(right[:, output].double().mean()) / WORDS
        others += float(right[:, ~output].double().mean()) / WORDS
    with torch.no_grad():
        _, matrices = model.read(ids[0])
        mass = mass_on_source(matrices, kind)
    return {"accuracy": own, "others": others, "attention": float(mass.mean((1, 2, 3)).max())}


def _ways(
    model: Rewriter, vocabulary: int, generator: torch.Generator
) -> Sequence[tuple[str, float | None, Vetoed]]:
    reader = WordReader([f"w{n}" for n in range(vocabulary)], trailing=WORDS, layers=LAYERS)
    outputs = Tokens(WORDS, 2 * WORDS, special=True)
    every = [(site, head) for site in range(LAYERS) for head in range(HEADS)]

    def word(place: int) -> Tokens:
        return Tokens(place, place + 1)

    def rules(make: Callable[[Tokens], Rules]) -> Vetoed:
        return lambda place: ruled(model, make(word(place)), reader)

    def elsewhere(place: int) -> Run:
        other = int(torch.randint(1, WORDS, (1,), generator=generator))
        return ruled(model, Rules().veto(word((place + other) % WORDS)), reader)

    def keys(place: int, ids: Tensor, *, others: bool) -> Tensor:
        hit = torch.zeros(len(ids), 2 * WORDS, dtype=torch.bool)
        hit[:, :WORDS] = others
        hit[:, place] = not others
        return hit

    def replaced(place: int) -> Run:
        def run(ids: Tensor) -> Tensor:
            changed = ids.clone()
            changed[:, place] = torch.randint(vocabulary, (len(ids),), generator=generator)
            return plain(model)(changed)

        return run

    def damp(weight: float) -> Vetoed:
        return rules(lambda one: Rules().damp(one, weight, beyond=True))

    def baseline(make: Callable[[Tensor], BiasRule], others: bool) -> Vetoed:
        return lambda place: biased_by(model, lambda ids: make(keys(place, ids, others=others)))

    return (
        ("no rule", None, lambda place: plain(model)),
        ("veto", None, rules(lambda one: Rules().veto(one))),
        ("word replaced by another", None, replaced),
        *(("damp", weight, damp(weight)) for weight in (0.5, 0.05, 1e-3, 1e-6)),
        ("veto, outputs only", None, rules(lambda one: Rules().veto(one, sender=outputs))),
        ("veto, last layer only", None, rules(lambda one: Rules().veto(one, layers="1"))),
        ("veto, first layer only", None, rules(lambda one: Rules().veto(one, layers="0"))),
        ("veto, 2 of 4 heads", None, rules(lambda one: Rules().veto(one, heads=(0, 1)))),
        ("veto of another word", None, elsewhere),
        ("InstABoost", 0.05, baseline(partial(instaboost, multiplier=0.05), False)),
        ("SpotLight on the others", 0.95, baseline(partial(spotlight, share=0.95), True)),
        ("PASTA on the others", 0.01, baseline(partial(pasta, heads=every), True)),
    )
