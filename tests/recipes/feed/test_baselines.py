"""Baselines against their definitions, and on people whose taste is known."""

import numpy as np
import pytest
import torch

from tests.recipes.feed.made_up import FILMS, rounds
from zhuyi.errors import InputError
from zhuyi.recipes.feed import protocol
from zhuyi.recipes.feed.baselines import (
    BprPlan,
    Popularity,
    bpr,
    chosen,
    ease,
    item_neighbors,
    table_of,
)
from zhuyi.recipes.feed.protocol import Split, random_split, validated

HISTORIES = [np.array(one) for one in ([0, 1, 2], [1, 2], [0, 3], [2, 3, 1], [0])]


def tastes() -> Split:
    """Half of the people watch the first half of the films only, half the second."""
    generator = np.random.default_rng(0)
    histories = [generator.permutation(30)[:20] + 30 * (person % 2) for person in range(60)]
    return random_split(histories, 60)


def test_popularity_counts_people() -> None:
    found = Popularity.fit(HISTORIES, 4)
    assert found.counts.tolist() == [3, 3, 3, 2]
    assert found(HISTORIES).shape == (5, 4)


def test_neighbors_are_cosines() -> None:
    table = table_of(HISTORIES, 4)
    weights = item_neighbors(HISTORIES, 4, 4).weights
    for one in range(4):
        for other in range(4):
            a, b = table[:, one], table[:, other]
            cosine = a @ b / np.linalg.norm(a) / np.linalg.norm(b)
            assert weights[one, other] == pytest.approx(0.0 if one == other else cosine)
    few = item_neighbors(HISTORIES, 4, 1).weights
    assert ((few > 0).sum(0) >= 1).all()
    assert (few.max(0) == weights.max(0)).all()


def test_ease_is_the_minimum_of_its_loss() -> None:
    """Where the loss is smallest, its slope is 0 for every weight that is free."""
    table = torch.tensor(table_of(HISTORIES, 4))
    weights = torch.tensor(ease(HISTORIES, 4, 2.0).weights, requires_grad=True)
    loss = (table - table @ weights).square().sum() + 2.0 * weights.square().sum()
    (slope,) = torch.autograd.grad(loss, weights)
    free = ~torch.eye(4, dtype=torch.bool)
    assert slope[free].abs().max() < 1e-10
    assert slope[~free].abs().max() > 0.1  # the twin that may not move
    assert (weights.diagonal() == 0).all()


def test_all_find_a_taste_that_popularity_cannot_see() -> None:
    split = tastes()
    films, known = split.films, split.known()
    popular = protocol.tested(Popularity.fit(known, films), split).ndcg.mean()
    # everybody's other half of ten known-to-be-liked films: by chance 2 of 10 places hit
    assert popular < 0.3
    for model in (item_neighbors(known, films, 10), ease(known, films, 10.0)):
        assert protocol.tested(model, split).ndcg.mean() > popular + 0.05
    plan = BprPlan(width=8, epochs=60, batch=64, rate=0.02, patience=60)
    found = bpr(split, plan)
    assert protocol.tested(found, split).ndcg.mean() > popular + 0.05
    again = bpr(split, plan)
    assert (found.films == again.films).all()
    with pytest.raises(InputError, match="its own 60 people"):
        found(known[:2])


def test_the_choice_is_by_validation() -> None:
    split = random_split(rounds().histories, FILMS)
    options = (1, 5, 20)

    def make(option: float) -> object:
        return item_neighbors(split.train, FILMS, int(option))

    best = chosen(make, options, split)  # type: ignore[arg-type]
    scores = {one: validated(make(one), split) for one in options}  # type: ignore[arg-type]
    assert scores[best] == max(scores.values())


def test_global_generators_are_not_touched() -> None:
    before = torch.get_rng_state()
    bpr(tastes(), BprPlan(width=4, epochs=1))
    assert torch.equal(before, torch.get_rng_state())
