"""Key-value recall with a distractor copy.

    lamp red  door blue  fish blue  boat red  door   ->  blue

Pairs of a key and its value, then a key to look up. Another key has the same value, so that the
answer stands in the input twice and only one of the two places is the reason for it. The other
value stands there twice as well: a model must not be able to tell the answer by its having a copy.
"""

import torch

from zhuyi.testing.planted.record import Planted
from zhuyi.testing.planted.subject import COMMON
from zhuyi.testing.planted.training import Examples, Recipe
from zhuyi.testing.planted.word_task import WordTask

KEYS = ("lamp", "door", "fish", "book", "tree", "boat")
VALUES = ("red", "blue", "gray", "gold", "pink", "lime")
PAIRS = 4


def recall(seed: int = 0, *, inputs: int = 64) -> Planted:
    """Key-value recall: the value of the queried key, which another key has too.

    Causal: the query, the matching key, its value. Decoys: the other key and its copy of the value.

    Args:
        seed: of the parameters, the training and the inputs.
        inputs: number of held-out inputs.
    Cost: about three seconds of one core.
    Ref:  the induction task of Olsson et al. 2022, arXiv:2209.11895.
    """
    return WordTask(
        name="recall",
        words=(*KEYS, *VALUES),
        labels=VALUES,
        length=2 * PAIRS + 1,
        draw=draw,
        num_layers=2,
        num_heads=4,
        roles=2,
        recipe=Recipe(show=1.0),
    ).plant(seed, inputs)


def draw(count: int, generator: torch.Generator) -> Examples:
    """Examples: distinct keys, two values twice each, all pairs anywhere."""
    rows = torch.arange(count)
    keys = torch.rand(count, len(KEYS), generator=generator).argsort(1)[:, :PAIRS]
    two = torch.rand(count, len(VALUES), generator=generator).argsort(1)[:, :2]
    order = torch.rand(count, PAIRS, generator=generator).argsort(1)
    match, copy = order[:, 0], order[:, 1]
    values = torch.zeros_like(keys).scatter(1, order, two[:, (0, 0, 1, 1)])
    first_key, first_value = len(COMMON), len(COMMON) + len(KEYS)
    pairs = torch.stack([keys + first_key, values + first_value], 2).flatten(1)
    query = keys[rows, match] + first_key
    ids = torch.cat([pairs, query[:, None]], 1)
    causal, decoys = (
        torch.zeros_like(ids, dtype=torch.bool),
        torch.zeros_like(ids, dtype=torch.bool),
    )
    for half in (0, 1):
        causal[rows, 2 * match + half] = True
        decoys[rows, 2 * copy + half] = True
    causal[:, -1] = True
    return Examples(inputs=ids, labels=values[rows, match], causal=causal, decoys=decoys)
