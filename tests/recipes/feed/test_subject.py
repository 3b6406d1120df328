"""The recommender as a subject: pieces, removal and gradients are those of the model itself."""

import numpy as np
import pytest
import torch

from tests.recipes.feed.made_up import FILMS, catalog, recommender
from zhuyi.errors import InputError, OptionError, ShapeError
from zhuyi.explain import GradientAttention, IntegratedGradients, Occlusion, Rollout, ValueNorm
from zhuyi.recipes.feed.subject import HIDDEN, UNSEEN, FeedSubject
from zhuyi.trace import Keep

ASK, NOTHING = FILMS, FILMS + 1
BATCH = [[3, 7, 5], [1, 2, 3, 4, 9]]


def subject() -> FeedSubject:
    return FeedSubject(recommender(), catalog())


def test_units_are_films_and_the_position_that_asks() -> None:
    first, second = subject().units(BATCH)
    assert [unit.label for unit in first[:2]] == ["Film 3 (1973)", "Film 7 (1977)"]
    assert [unit.special for unit in first] == [False, False, False, True]
    assert len(second) == 6


def test_decisions_are_the_models_among_films_not_seen() -> None:
    found = subject().decide(BATCH)
    for row, history in zip(found, BATCH, strict=True):
        scores = recommender()(torch.tensor([[*history, ASK]]))[0].double()
        scores[history] = -torch.inf
        torch.testing.assert_close(row.double(), scores.softmax(0), atol=1e-6, rtol=0)
    assert subject().decide([np.array(BATCH[0])]).shape == (1, FILMS)


def test_a_film_never_watched_is_a_history_without_it() -> None:
    """The removed film stays no candidate: it was watched all the same."""
    keep = torch.ones(2, 6, dtype=torch.bool)
    keep[0, 1] = keep[1, 0] = keep[1, 4] = False
    found = subject().decide(BATCH, keep)
    for row, left, seen in zip(found, ([3, 5], [2, 3, 4]), BATCH, strict=True):
        scores = recommender()(torch.tensor([[*left, ASK]]))[0].double()
        scores[seen] = -torch.inf
        torch.testing.assert_close(row.double(), scores.softmax(0), atol=1e-6, rtol=0)


def test_a_film_hidden_at_its_place_leaves_the_others_where_they_are() -> None:
    keep = torch.ones(1, 4, dtype=torch.bool)
    keep[0, 1] = False
    found = subject().removing(HIDDEN).decide(BATCH[:1], keep)
    scores = recommender()(torch.tensor([[3, NOTHING, 5, ASK]]))[0]
    scores[BATCH[0]] = -torch.inf
    torch.testing.assert_close(found[0], scores.softmax(0), atol=1e-6, rtol=0)
    assert (found - subject().decide(BATCH[:1], keep)).abs().max() > 1e-4  # another way to remove
    assert subject().removing(HIDDEN).removals == (HIDDEN, UNSEEN)


def test_the_position_that_asks_is_never_removed() -> None:
    nothing = torch.zeros(1, 4, dtype=torch.bool)
    found = subject().decide(BATCH[:1], nothing)
    assert torch.isfinite(found).all()


def test_gradients_are_those_of_the_vectors() -> None:
    one = subject()
    codes = one.codes(BATCH[:1])
    vectors = one.embed(codes).requires_grad_()
    logit = one.decide_embedded(codes, vectors)[0, 20]
    (slope,) = torch.autograd.grad(logit, vectors)
    moved = vectors.detach().double()
    step = torch.zeros_like(moved)
    step[0, 1, 3] = 1e-2
    ends = [one.decide_embedded(codes, (moved + s * step).float())[0, 20] for s in (1, -1)]
    assert float(slope[0, 1, 3]) == pytest.approx(float(ends[0] - ends[1]) / 2e-2, rel=0.02)
    assert (one.baseline(codes)[0, -1] == one.embed(codes)[0, -1]).all()


@pytest.mark.parametrize(
    "method",
    [Occlusion(), Rollout(), GradientAttention(), ValueNorm(), IntegratedGradients(steps=8)],
)
def test_every_method_explains_it(method: Occlusion) -> None:
    one = subject()
    found = method(one, BATCH, [20, 21])
    assert found.values.shape == (2, 6)
    assert found.values.isfinite().all()
    assert (found.values[0, 4:] == 0).all()  # units that do not exist


def test_the_tape_is_of_the_run() -> None:
    one = subject()
    tape, other = one.watch(BATCH[:1]), one.watch([[1, 2]], Keep())
    assert tape.logits is not None
    torch.testing.assert_close(tape.logits.softmax(1), one.decide(BATCH[:1]))
    assert one.readout(tape).tolist() == [[0, 0, 0, 1]]
    assert one.readout(other).tolist() == [[0, 0, 1]]  # each knows its own
    assert len(tape) == 2
    weight = one.output_projection(tape[0].site)
    assert weight is not None
    assert weight.shape == (16, 16)
    with pytest.raises(InputError, match="not from this subject"):
        subject().readout(tape)


@pytest.mark.parametrize(
    ("history", "why"),
    [
        ([3, 99], "numbered from 0 to 23, got 99"),
        ([3, 3], "each film once"),
        ("abc", "got str"),
        (3, "got int"),
    ],
)
def test_other_histories_are_refused(history: object, why: str) -> None:
    with pytest.raises(InputError, match=why):
        subject().decide([history])


def test_what_does_not_fit_is_refused() -> None:
    with pytest.raises(OptionError, match="must have the model's 24 films, got 2"):
        FeedSubject(recommender(), catalog()[:2])
    with pytest.raises(ShapeError, match=r"\(1, 4\)"):
        subject().decide(BATCH[:1], torch.ones(1, 3, dtype=torch.bool))
    with pytest.raises(OptionError, match="must be one of"):
        subject().removing("burned")
    with pytest.raises(InputError, match="no history"):
        subject().decide([])
