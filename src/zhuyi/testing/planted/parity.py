"""The parity of two marked bits among twelve.

    0 1 1 *0 1 0 0 1 *1 0 0 1   ->  odd

Each marked bit alone says nothing of the answer; both together say all.
"""

import torch

from zhuyi.testing.planted.record import Planted
from zhuyi.testing.planted.subject import COMMON
from zhuyi.testing.planted.training import Examples, Recipe
from zhuyi.testing.planted.word_task import WordTask

LENGTH = 12


def parity(seed: int = 0, *, inputs: int = 64) -> Planted:
    """The parity of two marked bits among twelve.

    Causal: the two marked bits. Decoys: the unmarked bits next to them.

    Args:
        seed: of the parameters, the training and the inputs.
        inputs: number of held-out inputs.
    Cost: about two seconds of one core.
    """
    return WordTask(
        name="parity",
        words=("0", "1", "*0", "*1"),
        labels=("even", "odd"),
        length=LENGTH,
        draw=draw,
        recipe=Recipe(cool=250, show=0.3),
    ).plant(seed, inputs)


def draw(count: int, generator: torch.Generator) -> Examples:
    """Examples: random bits, two random places marked."""
    rows = torch.arange(count)
    bits = torch.randint(2, (count, LENGTH), generator=generator)
    places = torch.rand(count, LENGTH, generator=generator).argsort(1)[:, :2]
    causal = torch.zeros(count, LENGTH, dtype=torch.bool)
    causal[rows[:, None], places] = True
    beside = torch.zeros_like(causal)
    beside[rows[:, None], torch.where(places > 0, places - 1, places + 1)] = True
    return Examples(
        inputs=len(COMMON) + bits + 2 * causal,
        labels=(bits * causal).sum(1) % 2,
        causal=causal,
        decoys=beside & ~causal,
    )
