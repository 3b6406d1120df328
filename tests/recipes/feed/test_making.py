"""A feed made of made-up ratings: trained, measured, saved, and the one that was measured."""

from pathlib import Path

import numpy as np

from tests.recipes.feed.made_up import FILMS, catalog, rounds
from zhuyi.recipes.feed.making import PEOPLE, make_feed
from zhuyi.recipes.feed.movielens import Ratings
from zhuyi.recipes.feed.recommender import Form
from zhuyi.recipes.feed.saving import load
from zhuyi.recipes.feed.training import Plan

FORM = Form(films=FILMS, width=16, length=12, dropout=0.0)
PLAN = Plan(epochs=15, batch=16, rate=1e-2, every=5)


def test_a_feed_is_made_and_read_back(tmp_path: Path) -> None:
    told: list[str] = []
    made = make_feed(tmp_path / "feed", ratings=rounds(), plan=PLAN, form=FORM, tell=told.append)
    assert len(told) >= 2
    assert made.about["recommender"] > 0.9 > made.about["popularity"]
    assert made.about["data"] == "own ratings"
    assert len(made.people) == PEOPLE
    back = load(tmp_path / "feed")
    # everybody watches the next film in turn
    for history in list(back.people.values())[:5]:
        first = back.feed.list(history).offers[0]
        assert first.film == (history[-1] + 1) % FILMS
        assert first.share > 0.2


def test_people_with_too_few_films_are_left_out() -> None:
    few = Ratings(
        films=catalog(),
        histories=(*rounds(people=8).histories, np.array([3, 4])),
        people=tuple(range(1, 10)),
    )
    made = make_feed(None, ratings=few, plan=Plan(epochs=1), form=FORM)
    assert made.feed.watched.sum() == 8 * 10  # two of each history are held back
    assert "person 9" in made.people
