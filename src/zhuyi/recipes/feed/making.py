"""Make the feed of MovieLens on one's own machine: train, measure, save."""

from collections.abc import Callable
from pathlib import Path
from typing import Final

import numpy as np

from zhuyi.recipes.datasets import MOVIELENS
from zhuyi.recipes.feed.baselines import Popularity, ease
from zhuyi.recipes.feed.feed import Feed
from zhuyi.recipes.feed.movielens import Ratings, load
from zhuyi.recipes.feed.protocol import Scorer, Split, leave_one_out, tested
from zhuyi.recipes.feed.recommender import Form, Recommender
from zhuyi.recipes.feed.saving import SavedFeed, save
from zhuyi.recipes.feed.training import Plan, scorer, train

PEOPLE: Final = 24  # to try the feed with
_RIDGE: Final = 100.0  # as the validation films choose it
_FEWEST: Final = 3  # films of a person, else nothing could be held back


def make_feed(
    folder: Path | None,
    *,
    ratings: Ratings | None = None,
    plan: Plan | None = None,
    form: Form | None = None,
    tell: Callable[[str], None] = lambda _: None,
) -> SavedFeed:
    """Train a feed and write its folder.

    Everybody's last film is held back and scored; the feed shown is the one that was scored.

    Args:
        folder: where to; None writes nothing.
        ratings: of whom; None loads MovieLens 100k (see `zhuyi.recipes.feed.movielens.load`).
        plan: of the training.
        form: of the recommender.
        tell: takes a line of progress.

    Raises: DataUnavailable: where the ratings cannot be had; says how to get them.
    Cost:   MovieLens 100k: about five minutes of one core.
    Not:    for handing on: the folder holds what the data's license binds.
    """
    found = load() if ratings is None else ratings
    films = len(found.films)
    split = leave_one_out([one for one in found.histories if len(one) >= _FEWEST], films)
    trained = train(form or Form(films=films), split, plan or Plan(), tell=tell)
    saved = SavedFeed(
        feed=Feed(trained.model, found.films, Popularity.fit(split.train, films).counts),
        people=_people(found),
        about={
            "data": MOVIELENS.title if ratings is None else "own ratings",
            "license": MOVIELENS.license if ratings is None else "",
            "people": len(found),
            "epoch": trained.epoch,
            **_scores(split, trained.model),
        },
    )
    if folder is not None:
        save(saved, folder)
    return saved


def _scores(split: Split, model: Recommender) -> dict[str, float]:
    rivals: dict[str, Scorer] = {
        "recommender": scorer(model),
        "ease": ease(split.known(), split.films, _RIDGE),
        "popularity": Popularity.fit(split.known(), split.films),
    }
    return {name: float(tested(one, split).ndcg.mean()) for name, one in rivals.items()}


def _people(ratings: Ratings) -> dict[str, tuple[int, ...]]:
    """Some people, evenly spread over the numbers of films that they watched."""
    order = np.argsort([len(one) for one in ratings.histories], kind="stable")
    chosen = order[np.linspace(0, len(order) - 1, min(PEOPLE, len(order))).astype(int)]
    return {
        f"person {ratings.people[place]}": tuple(ratings.histories[place].tolist())
        for place in chosen.tolist()
    }
