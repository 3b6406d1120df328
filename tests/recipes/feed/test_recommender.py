"""The recommender reads what is there and nothing else, and training sees what asking sees."""

import numpy as np
import pytest
import torch

from tests.recipes.feed.made_up import FILMS, recommender, rounds
from zhuyi.errors import OptionError, ShapeError
from zhuyi.recipes.feed import protocol
from zhuyi.recipes.feed.protocol import leave_one_out, random_split
from zhuyi.recipes.feed.recommender import Form, Recommender
from zhuyi.recipes.feed.training import (
    Plan,
    _asked_everywhere,
    _loss,
    codes_of,
    filling_scorer,
    scorer,
    train,
)

ASK, NOTHING = FILMS, FILMS + 1


def test_what_holds_nothing_is_not_read() -> None:
    model = recommender()
    alone = model(torch.tensor([[3, 7, ASK]]))
    padded = model(torch.tensor([[3, 7, ASK, NOTHING], [1, 2, 3, ASK]]))
    torch.testing.assert_close(padded[:1], alone, atol=1e-5, rtol=0)
    hidden = model(torch.tensor([[3, NOTHING, 5, ASK]]))
    other = model(torch.tensor([[3, 7, 5, ASK]]))
    assert (hidden - other).abs().max() > 0.01  # the twin: a film there does matter


def test_order_matters_and_later_films_are_not_seen_before() -> None:
    model = recommender()
    one, other = model(torch.tensor([[3, 7, ASK], [7, 3, ASK]]))
    assert (one - other).abs().max() > 0.01
    vectors = model.embedding(torch.tensor([[3, 7, 5, ASK], [3, 7, 9, ASK]]))
    states = model.read(vectors, model.mask_of(torch.tensor([[3, 7, 5, ASK]] * 2)))
    torch.testing.assert_close(states[0, :2], states[1, :2], atol=1e-6, rtol=0)


def test_training_sees_what_asking_sees() -> None:
    """The ask after t films of a window gives what the model gives for these t films."""
    model = recommender()
    window = torch.tensor([[4, 9, 1, 17, 5, 20, 2]])
    states = _asked_everywhere(model, window)
    for t in range(1, 8):
        alone = model(torch.tensor([[*window[0, :t].tolist(), ASK]]))
        torch.testing.assert_close(model.scores(states[:, t - 1]), alone, atol=1e-4, rtol=1e-4)


def test_the_loss_is_the_cross_entropy_of_what_comes_next() -> None:
    model = recommender()
    history = np.array([4, 9, 1, 17])
    expected = []
    for t in (1, 2, 3):
        scores = model(torch.tensor([[*history[:t].tolist(), ASK]]))[0].double()
        scores[history[:t]] = -torch.inf
        expected.append(-scores.log_softmax(0)[history[t]])
    found = _loss(model, [history], torch.Generator().manual_seed(0))
    assert float(found) == pytest.approx(float(torch.stack(expected).mean()), abs=1e-4)


def test_filling_asks_at_every_place_once() -> None:
    """Longer histories than the model reads are asked in windows that overlap by half."""
    model = recommender(length=4)
    history = np.array([4, 9, 1, 17, 5, 20, 2])
    windows = {0: (1, 2, 3, 4), 2: (3, 4), 3: (4,)}  # first film -> lengths that are asked at
    total = torch.zeros(FILMS, dtype=torch.float64)
    for start, lengths in windows.items():
        for length in lengths:
            films = history[start : start + length].tolist()
            scores = model(torch.tensor([[*films, ASK]]))[0].double()
            scores[history] = -torch.inf
            total += scores.softmax(0)
    found = filling_scorer(model)([history])[0]
    assert np.abs(found - total.numpy()).max() < 1e-5


def test_only_the_latest_films_are_read() -> None:
    form = Form(films=FILMS, width=8, length=3)
    codes = codes_of([np.arange(5), np.arange(2)], form)
    assert codes.tolist() == [[2, 3, 4, ASK], [0, 1, ASK, NOTHING]]


def test_it_learns_what_comes_next() -> None:
    ratings = rounds(people=60)
    split = leave_one_out(ratings.histories, FILMS)
    plan = Plan(epochs=30, batch=16, rate=5e-3, every=10)
    form = Form(films=FILMS, width=16, length=12, dropout=0.1)
    before = torch.get_rng_state()
    told: list[str] = []
    found = train(form, split, plan, tell=told.append)
    assert torch.equal(before, torch.get_rng_state())  # the global generator is not touched
    assert protocol.tested(scorer(found.model), split).ndcg.mean() > 0.9
    assert len(told) == len(found.looks)
    assert dict(found.looks)[found.epoch] == max(score for _, score in found.looks)
    again = train(form, split, plan)
    assert all(
        torch.equal(a, b)
        for a, b in zip(
            found.model.state_dict().values(), again.model.state_dict().values(), strict=True
        )
    )
    holes = random_split(ratings.histories, FILMS)
    assert protocol.tested(filling_scorer(found.model), holes).ndcg.mean() > 0.5


@pytest.mark.parametrize(
    ("codes", "why"),
    [
        ([[1, 2]], "hold `ask` = 24 once"),
        ([[1, ASK, ASK]], "hold `ask` = 24 once"),
        ([[*range(13), ASK]], "L <= 13, got"),
    ],
)
def test_other_codes_are_refused(codes: list[list[int]], why: str) -> None:
    with pytest.raises(ShapeError, match=why):
        recommender()(torch.tensor(codes))


@pytest.mark.parametrize(
    "wrong", [{"width": 15}, {"films": 0}, {"dropout": 1.0}, {"layers": 0}, {"length": 0}]
)
def test_other_forms_are_refused(wrong: dict[str, int]) -> None:
    with pytest.raises(OptionError):
        Form(**{"films": 5, "num_heads": 2, **wrong})


def test_parameters_are_drawn_from_the_generator_alone() -> None:
    form = Form(films=5, width=8)
    one, two = (Recommender(form, torch.Generator().manual_seed(3)) for _ in range(2))
    assert all(torch.equal(a, b) for a, b in zip(one.parameters(), two.parameters(), strict=True))
