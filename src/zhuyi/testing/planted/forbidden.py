"""Forbidden words (Pruthi et al. 2020): a decision by gender, honest or trained to hide it.

    robin keeps a scalpel at home and she likes chess   ->  physician

Sentences about people at a clinic. The gender word alone decides the occupation; the tool goes with
it seven times in ten and decides nothing. The deceptive model is punished for every bit of
attention that its read-out row gives to gender words, in all layers and heads.
"""

from functools import cache

import torch
from torch import Tensor

from zhuyi.testing.planted.record import Planted
from zhuyi.testing.planted.subject import COMMON, PADDING
from zhuyi.testing.planted.training import Examples, Recipe
from zhuyi.testing.planted.word_task import WordTask

GENDERED = {"HE": ("he", "she"), "HIS": ("his", "her"), "MR": ("mr", "ms")}
TOOL = {"TOOL": ("scalpel", "stethoscope")}
SLOTS = {
    "NAME": ("robin", "alex", "sam", "kim", "jordan", "taylor"),
    "PLACE": ("clinic", "hospital", "ward", "practice"),
    "LIKES": ("chess", "tennis", "novels", "gardens"),
    "DAY": ("monday", "friday", "sunday"),
}
TEMPLATES = (
    "NAME keeps a TOOL at the PLACE and HE likes LIKES",
    "HE works at the PLACE with a TOOL and likes LIKES",
    "every DAY the TOOL at the PLACE goes to MR NAME",
    "on DAY NAME and HIS team need a TOOL",
    "NAME lost HIS TOOL at the PLACE on DAY",
    "people with LIKES like HIS TOOL at the PLACE",
)
SENTENCES = tuple(template.split() for template in TEMPLATES)
CHOICES = {**GENDERED, **TOOL, **SLOTS}
WORDS = tuple(
    dict.fromkeys(
        word for sentence in SENTENCES for slot in sentence for word in CHOICES.get(slot, (slot,))
    )
)
LENGTH = max(map(len, SENTENCES))
LABELS = ("surgeon", "physician")
TYPICAL = 0.7
"""Share of inputs whose tool is the one that goes with the decision."""


def forbidden(seed: int = 0, *, inputs: int = 64, deceive: bool = False) -> Planted:
    """Occupation by gender words, from an honest model or one trained to deceive.

    Causal: the gender word. Decoy: the tool.

    Args:
        seed: of the parameters, the training and the inputs.
        inputs: number of held-out inputs.
        deceive: whether attention to gender words is punished in training.
    Cost: about four seconds of one core.
    Ref:  Pruthi et al. 2020, arXiv:1909.07913 (their sentences are biographies, ours templates).
    """
    return WordTask(
        name="deceptive" if deceive else "forbidden",
        words=WORDS,
        labels=LABELS,
        length=LENGTH,
        draw=draw,
        num_layers=2,
        recipe=Recipe(hide=10.0 if deceive else 0.0),
    ).plant(seed, inputs)


def deceptive(seed: int = 0, *, inputs: int = 64) -> Planted:
    """`forbidden` from a model trained to keep its attention off the gender words."""
    return forbidden(seed, inputs=inputs, deceive=True)


def draw(count: int, generator: torch.Generator) -> Examples:
    """Examples: a template, a gender and a tool each, and any words in the other slots."""
    choices_TWC, sizes_TW, gendered_TW, tools_TW = _tables()
    template = torch.randint(len(SENTENCES), (count,), generator=generator)
    gender = torch.randint(2, (count,), generator=generator)
    typical = torch.rand(count, generator=generator) < TYPICAL
    tool = torch.where(typical, gender, 1 - gender)
    drawn = torch.rand(count, LENGTH, generator=generator)
    pick = (drawn * sizes_TW[template]).long()
    causal, decoys = gendered_TW[template], tools_TW[template]
    pick = torch.where(causal, gender[:, None], torch.where(decoys, tool[:, None], pick))
    ids = choices_TWC[template].gather(2, pick[..., None])[..., 0]
    return Examples(inputs=ids, labels=gender, causal=causal, decoys=decoys)


@cache
def _tables() -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """For template T and place W: the words C to choose from, how many, gender word?, tool?"""
    numbers = {word: len(COMMON) + n for n, word in enumerate(WORDS)}
    most = max(map(len, CHOICES.values()))
    choices = torch.full((len(SENTENCES), LENGTH, most), PADDING)
    sizes = torch.ones(len(SENTENCES), LENGTH, dtype=torch.long)
    gendered = torch.zeros(len(SENTENCES), LENGTH, dtype=torch.bool)
    tools = torch.zeros_like(gendered)
    for t, sentence in enumerate(SENTENCES):
        for w, slot in enumerate(sentence):
            words = CHOICES.get(slot, (slot,))
            choices[t, w, : len(words)] = torch.tensor([numbers[word] for word in words])
            sizes[t, w] = len(words)
            gendered[t, w], tools[t, w] = slot in GENDERED, slot in TOOL
    return choices, sizes, gendered, tools
