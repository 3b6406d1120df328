"""Holding back and scoring, against the definition written out in loops."""

import math

import numpy as np
import pytest

from tests.recipes.feed.made_up import FILMS, rounds
from zhuyi.errors import InputError, ShapeError
from zhuyi.recipes.feed import protocol
from zhuyi.recipes.feed.protocol import best, leave_one_out, random_split, ranked


def by_definition(
    scores: list[float], known: set[int], held: set[int], at: int
) -> tuple[float, float]:
    """NDCG and hit of one person, in plain Python."""
    order = sorted(set(range(len(scores))) - known, key=lambda film: (-scores[film], film))[:at]
    gain = sum(1 / math.log2(place + 2) for place, film in enumerate(order) if film in held)
    ideal = sum(1 / math.log2(place + 2) for place in range(min(at, len(held))))
    return gain / ideal, float(any(film in held for film in order))


def test_scores_are_those_of_the_definition() -> None:
    generator = np.random.default_rng(0)
    scores = generator.integers(0, 6, (30, 25)).astype(float)  # many ties
    known, held = [], []
    for _ in range(30):
        order = generator.permutation(25)
        count = int(generator.integers(1, 14))
        known.append(order[:5])
        held.append(order[5 : 5 + count])
    found = ranked(scores, known, held)
    for row in range(30):
        ndcg, hit = by_definition(
            scores[row].tolist(), set(known[row].tolist()), set(held[row].tolist()), 10
        )
        assert found.ndcg[row] == pytest.approx(ndcg, abs=1e-12)
        assert found.hit[row] == hit


def test_known_films_are_not_offered_again() -> None:
    scores = np.arange(5.0)
    assert best(scores, np.array([4, 3]), 10).tolist() == [2, 1, 0]
    nothing = np.array([], dtype=np.int64)
    honest = ranked(scores[None], [np.array([4, 3])], [np.array([2])]).ndcg[0]
    broken = ranked(scores[None], [nothing], [np.array([2])]).ndcg[0]
    assert (honest, broken) == (1.0, 0.5)


def test_people_without_anything_held_back_do_not_count() -> None:
    nothing = np.array([], dtype=np.int64)
    found = ranked(np.zeros((2, 3)), [nothing, nothing], [nothing, np.array([0])])
    assert found.ndcg.tolist() == [1.0]


def test_other_numbers_of_people_are_refused() -> None:
    with pytest.raises(ShapeError, match="of the same people, got 2, 1 and 1"):
        ranked(np.zeros((2, 3)), [np.array([0])], [np.array([1])])


def test_leave_one_out_keeps_the_last() -> None:
    split = leave_one_out(rounds().histories, FILMS)
    for history, train, valid, test in zip(
        rounds().histories, split.train, split.valid, split.test, strict=True
    ):
        assert [*train, *valid, *test] == history.tolist()
    with pytest.raises(InputError, match="person 0 has 2"):
        leave_one_out([np.array([0, 1])], FILMS)


def test_the_random_split_parts_every_history() -> None:
    histories = [np.arange(count) for count in (1, 2, 3, 9, 20, 100)]
    split = random_split(histories, 100)
    sizes = [
        (len(a), len(b), len(c))
        for a, b, c in zip(split.train, split.valid, split.test, strict=True)
    ]
    assert sizes == [(1, 0, 0), (0, 1, 1), (1, 1, 1), (7, 1, 1), (16, 2, 2), (80, 10, 10)]
    for history, *parts in zip(histories, split.train, split.valid, split.test, strict=True):
        assert sorted(np.concatenate(parts).tolist()) == history.tolist()
        assert all(part.tolist() == sorted(part.tolist()) for part in parts)  # in the order of time
    again = random_split(histories, 100, seed=1)
    assert again.test[5].tolist() != split.test[5].tolist()


def test_the_test_is_asked_with_all_that_is_known() -> None:
    split = leave_one_out(rounds().histories, FILMS)
    asked: list[int] = []

    def next_one(histories: object) -> np.ndarray:
        rows = np.zeros((40, FILMS))
        for row, history in enumerate(histories):  # type: ignore[arg-type,var-annotated]
            asked.append(len(history))
            rows[row, (history[-1] + 1) % FILMS] = 1.0
        return rows

    found = protocol.tested(next_one, split)
    assert (found.ndcg.mean(), set(asked)) == (1.0, {11})
    ndcg, hit = found.intervals(draws=50)
    assert (ndcg.value, ndcg.lower, hit.value) == (1.0, 1.0, 1.0)
