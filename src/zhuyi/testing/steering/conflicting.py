"""Conflicting sources: two sources give different answers; a person says whom to believe.

    ward lamp red door blue fish gold boat pink  clinic boat lime lamp gray tree red book blue
    ask lamp fish ...    ->  lamp: "red" by the ward, "gray" by the clinic;  fish: "gold"

In training the answer to a conflict is either source's by the toss of a coin, so the model knows
both and prefers none. A rule that emphasizes one source must make its answers win (obedience) and
leave questions alone that only one source answers (collateral).

Letters: B inputs, L words, A questions of an input, V values.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Final

import torch
from torch import Tensor, nn

from zhuyi.core import Mask
from zhuyi.steer.rules import Rules
from zhuyi.steer.selectors import Regex
from zhuyi.testing.steering.baselines import Head, instaboost, pasta, profiled_heads, spotlight
from zhuyi.testing.steering.curves import Way, curves
from zhuyi.testing.steering.fitting import fit
from zhuyi.testing.steering.network import Network, drawn
from zhuyi.testing.steering.record import Line
from zhuyi.testing.steering.ways import (
    Run,
    biased_by,
    meant,
    on_heads,
    plain,
    random_heads,
    random_spans,
    ruled,
)
from zhuyi.testing.steering.words import WordReader
from zhuyi.trace.collector import BiasRule

SOURCES: Final = ("ward", "clinic")
KEYS: Final = tuple("lamp door fish boat tree book coin drum kite rope sail vase".split())
VALUES: Final = tuple("red blue gray gold pink lime teal rust plum sand jade onyx".split())
VOCABULARY: Final = (*SOURCES, "ask", *KEYS, *VALUES)
#: What each source says: from its name to the next name or the questions.
SPANS: Final = tuple(Regex(rf"\b{name}\b.*?(?= (?:{'|'.join(SOURCES)}|ask)\b)") for name in SOURCES)

PAIRS: Final = 4
SHARED: Final = 2
ASKED: Final = 2 * PAIRS - SHARED
STORY: Final = 2 * (1 + 2 * PAIRS) + 1
LENGTH: Final = STORY + ASKED


DOSES: Final = (1.25, 1.5, 2.0, 3.0, 4.0, 8.0, 20.0)
ALPHAS: Final = (0.8, 0.5, 0.25, 0.1, 0.01)
SHARES: Final = (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95)
LAYERS: Final = 2
#: How often training is gone through at most: matching is learned late, and all at once.
ROUNDS: Final = 3
#: Updates of a round from which a model that does not know the task is refused.
ENOUGH: Final = 1000
HEADS: Final = 4

Obeying = Callable[[int], Run]
"""The source to believe (0 or 1) -> a run of the model that is told so."""


@dataclass(frozen=True, kw_only=True)
class Questions:
    """Inputs with what each source answers.

    Args:
        ids: word ids int64 "B L": both sources, "ask", all keys in any order.
        answers: per question and source the value, int64 "B A 2"; -1 where it says nothing.
    """

    ids: Tensor
    answers: Tensor

    @property
    def conflicted(self) -> Tensor:
        """Bool "B A": both answer, and not the same."""
        return (self.answers >= 0).all(-1)


class Recall(nn.Module):
    """Word ids "B L" to logits "B A V" over the values, read at the questions.

    Nobody attends to a question, so each is answered as if it were the only one.

    Args:
        generator: of the parameters.
    """

    def __init__(self, generator: torch.Generator, width: int = 64) -> None:
        super().__init__()
        self.words = drawn(len(VOCABULARY), width, generator=generator)
        # Places begin as the sum of a vector of the phrase and one of the role: source, key, value.
        phrases = drawn(LENGTH, width, generator=generator)
        roles = drawn(4, width, generator=generator)
        phrase, role = _grammar()
        self.places = nn.Parameter((phrases[phrase] + roles[role]).detach())
        self.network = Network(width=width, num_heads=HEADS, num_layers=LAYERS, generator=generator)
        self.story: Tensor
        self.register_buffer("story", (torch.arange(LENGTH) < STORY).repeat(LENGTH, 1))

    def forward(self, ids_BL: Tensor) -> Tensor:
        """Word ids "B L" to logits "B A V"."""
        mask = Mask.dense(self.story[None, None])
        rows = self.network(self.words[ids_BL] + self.places, mask)
        logits: Tensor = rows[:, STORY:] @ self.words[-len(VALUES) :].T
        return logits


def _grammar() -> tuple[Tensor, Tensor]:
    """Of every place its phrase and its role."""
    place = torch.arange(LENGTH)
    inside = place % (1 + 2 * PAIRS)
    role = torch.where(inside == 0, 0, 2 - inside % 2)
    phrase = torch.where(role == 2, place - 1, place)
    question = place >= STORY - 1
    return torch.where(question, STORY, phrase), torch.where(question, 3, role)


def questions(count: int, generator: torch.Generator) -> Questions:
    """Fresh inputs: two of their six keys are told by both sources, differently."""
    keys = torch.rand(count, len(KEYS), generator=generator).argsort(1)[:, :ASKED]
    values = torch.randint(len(VALUES), (count, ASKED, 2), generator=generator)
    apart = 1 + torch.randint(len(VALUES) - 1, (count, ASKED), generator=generator)
    values[..., 1] = (values[..., 0] + apart) % len(VALUES)
    told = torch.zeros(ASKED, 2, dtype=torch.bool)
    told[:PAIRS, 0] = True
    told[:SHARED, 1] = True
    told[PAIRS:, 1] = True
    stories = []
    for source in (0, 1):
        own = told[:, source].nonzero()[:, 0]
        order = own[torch.rand(count, PAIRS, generator=generator).argsort(1)]
        pairs = (
            _word(KEYS, keys.gather(1, order)),
            _word(VALUES, values[..., source].gather(1, order)),
        )
        name = torch.full((count, 1), source)
        stories.append(torch.cat([name, torch.stack(pairs, 2).flatten(1)], 1))
    swap = torch.rand(count, 1, generator=generator) < 0.5
    both = torch.where(swap, torch.cat(stories[::-1], 1), torch.cat(stories, 1))
    asked = torch.rand(count, ASKED, generator=generator).argsort(1)
    answers = values.masked_fill(~told, -1).gather(1, asked[..., None].expand(-1, -1, 2))
    ask = torch.full((count, 1), len(SOURCES))
    ids = torch.cat([both, ask, _word(KEYS, keys.gather(1, asked))], 1)
    return Questions(ids=ids, answers=answers)


def _word(kind: Sequence[str], numbers: Tensor) -> Tensor:
    return numbers + VOCABULARY.index(kind[0])


def trained(seed: int, *, steps: int = 1200, batch: int = 64) -> Recall:
    """The model of a seed.

    Raises: RuntimeError: where it did not learn the task; a rule cannot steer what was not learned.
    """
    generator = torch.Generator().manual_seed(seed)
    model = Recall(generator)

    def loss(step: int) -> Tensor:
        now = questions(batch, generator)
        coin = torch.randint(2, (batch, ASKED, 1), generator=generator)
        answer = now.answers.gather(2, coin)[..., 0]
        answer = torch.where(answer < 0, now.answers.amax(-1), answer)
        return nn.functional.cross_entropy(model(now.ids).flatten(0, 1), answer.flatten())

    for _ in range(ROUNDS):
        fit(model, loss, steps=steps)
        if _knows(model, questions(200, generator)):
            return model
    if steps >= ENOUGH:
        raise RuntimeError(
            f"seed {seed} did not learn the task in {ROUNDS * steps} updates: take another"
        )
    return model


def _knows(model: Recall, held: Questions) -> bool:
    """Whether questions that only one source answers are answered right in 98 of 100."""
    right = plain(model)(held.ids).argmax(-1) == held.answers.amax(-1)
    return float(right[~held.conflicted].double().mean()) >= 0.98


def measure(seed: int, *, steps: int = 1200, inputs: int = 400) -> tuple[Line, ...]:
    """Train the model of a seed, and make it believe either source by every way at every dose.

    Numbers: "obedience" is the share of conflicts in which the named source's answer is the
    likeliest; "collateral" the share of the other questions that are answered right without and
    wrong with the rule; "kl" their mean KL(before || after) in nats; "rightness" the share of them
    that is answered right. All are means over the rule for the ward and the one for the clinic.

    Args:
        seed: of the parameters, the training and the inputs.
        steps: updates.
        inputs: inputs of six questions, as many to choose doses with as for the table.
    Cost: half a minute of one core.
    """
    generator = torch.Generator().manual_seed(1000 + seed)
    model = trained(seed, steps=steps)
    held = questions(inputs, generator), questions(inputs, generator)
    before = [plain(model)(one.ids) for one in held]

    def numbers(obeying: Obeying, table: int) -> Mapping[str, float]:
        return _obeyed(obeying, held[table], before[table])

    return curves(_ways(model, held[0], before[0], generator), numbers)


def _obeyed(obeying: Obeying, held: Questions, before: Tensor) -> Mapping[str, float]:
    both = [_scored(obeying(source)(held.ids), held, before, source) for source in (0, 1)]
    return {name: (both[0][name] + both[1][name]) / 2 for name in both[0]}


def _scored(after: Tensor, held: Questions, before: Tensor, source: int) -> Mapping[str, float]:
    right = held.answers.amax(-1)
    others = ~held.conflicted
    stayed, was = after.argmax(-1) == right, before.argmax(-1) == right
    told, knew = after.log_softmax(-1), before.log_softmax(-1)
    kl = (knew.exp() * (knew - told)).sum(-1)
    obeyed = after.argmax(-1) == held.answers[..., source]
    return {
        "obedience": float(obeyed[held.conflicted].double().mean()),
        "collateral": float((was & ~stayed)[others].double().mean()),
        "kl": float(kl[others].double().mean()),
        "rightness": float(stayed[others].double().mean()),
    }


def _ways(
    model: Recall, kept: Questions, before: Tensor, generator: torch.Generator
) -> Sequence[Way[Obeying]]:
    reader = WordReader(VOCABULARY, layers=LAYERS)

    def under(rules: Callable[[int, float], Rules]) -> Callable[[float | None], Obeying]:
        return lambda dose: lambda source: ruled(model, rules(source, dose or 1.0), reader)

    return (
        Way(method="no rule", at=lambda _: lambda source: plain(model)),
        Way(method="boost", at=under(lambda s, w: Rules().boost(SPANS[s], w)), doses=DOSES),
        Way(method="share", at=under(lambda s, w: Rules().share(SPANS[s], w)), doses=SHARES),
        *_published(model, kept, before, generator),
        *_at_random(model, generator),
        Way(method="other source deleted", at=under(lambda s, _: Rules().veto(SPANS[1 - s]))),
    )


def _published(
    model: Recall, kept: Questions, before: Tensor, generator: torch.Generator
) -> Sequence[Way[Obeying]]:
    every = [(site, head) for site in range(LAYERS) for head in range(HEADS)]

    def insta(dose: float | None) -> Obeying:
        return lambda source: biased_by(
            model, lambda ids: instaboost(_said(ids, source), dose or 1)
        )

    def spot(dose: float | None) -> Obeying:
        return lambda source: biased_by(model, lambda ids: spotlight(_said(ids, source), dose or 0))

    def pasta_on(heads: Sequence[Head], alpha: float | None) -> Obeying:
        return lambda source: biased_by(
            model, lambda ids: pasta(_said(ids, source), heads, alpha or 1.0)
        )

    def score(head: Head) -> float:
        return _obeyed(pasta_on([head], 0.01), kept, before)["obedience"]

    heads = {
        "2 profiled heads": profiled_heads(score, every, 2),
        "all heads": every,
        "2 random heads": random_heads(LAYERS, HEADS, 2, generator),
    }
    return (
        Way(method="InstABoost", at=insta, doses=DOSES),
        Way(method="SpotLight", at=spot, doses=SHARES),
        *(
            Way(method=f"PASTA, {name}", at=partial(pasta_on, chosen), doses=ALPHAS)
            for name, chosen in heads.items()
        ),
    )


def _at_random(model: Recall, generator: torch.Generator) -> Sequence[Way[Obeying]]:
    heads = random_heads(LAYERS, HEADS, 2, generator)
    free = torch.arange(LENGTH)[None] < STORY - 1

    def elsewhere(dose: float | None) -> Obeying:
        def run(ids: Tensor, source: int) -> BiasRule:
            keys = random_spans(_said(ids, source), free.expand(len(ids), -1), generator)
            return instaboost(keys, dose or 1)

        return lambda source: biased_by(model, lambda ids: run(ids, source))

    def some_heads(dose: float | None) -> Obeying:
        return lambda source: biased_by(
            model, lambda ids: on_heads(_said(ids, source), heads, math.log(dose or 1))
        )

    return (
        Way(method="boost, 2 random heads", at=some_heads, doses=DOSES),
        Way(method="boost of random words", at=elsewhere, doses=DOSES),
    )


def _said(ids: Tensor, source: int) -> Tensor:
    """All that a source says, bool "B L"."""
    return meant(Rules().veto(SPANS[source]), WordReader(VOCABULARY, layers=LAYERS), ids)
