"""Made-up films and people: nothing here is of a real data set."""

import numpy as np
import torch

from zhuyi.recipes.feed.feed import Feed
from zhuyi.recipes.feed.movielens import Film, Ratings
from zhuyi.recipes.feed.recommender import Form, Recommender
from zhuyi.recipes.feed.saving import SavedFeed

GENRES = ("Comedy", "Horror", "Drama")
FILMS = 24


def catalog() -> tuple[Film, ...]:
    """Films 0, 3, 6, ... are comedies, 1, 4, ... horror, 2, 5, ... drama; every sixth is two."""
    films = []
    for number in range(FILMS):
        genres = (GENRES[number % 3], "War") if number % 6 == 0 else (GENRES[number % 3],)
        films.append(Film(title=f"Film {number} ({1970 + number})", genres=genres))
    return tuple(films)


def rounds(people: int = 40, length: int = 12, seed: int = 0) -> Ratings:
    """Everybody begins somewhere and watches every film after it in turn, round and round."""
    starts = np.random.default_rng(seed).integers(0, FILMS, people)
    histories = tuple((start + np.arange(length)) % FILMS for start in starts)
    return Ratings(films=catalog(), histories=histories, people=tuple(range(1, people + 1)))


def recommender(seed: int = 0, *, length: int = 12, layers: int = 2) -> Recommender:
    """An untrained one whose parameters are large enough to matter."""
    form = Form(films=FILMS, width=16, layers=layers, length=length)
    model = Recommender(form, torch.Generator().manual_seed(seed)).eval().requires_grad_(False)
    for tensor in model.embedding.parameters():
        tensor *= 20.0
    return model


def feed(seed: int = 0) -> Feed:
    """Its feed; film n was watched by 50 - n people."""
    return Feed(recommender(seed), catalog(), [50 - n for n in range(FILMS)])


def saved(seed: int = 0) -> SavedFeed:
    """The same with six people to try it as."""
    people = {f"person {n}": tuple((3 * n + k) % FILMS for k in range(6 + n)) for n in range(6)}
    return SavedFeed(feed=feed(seed), people=people, about={"data": "made up", "people": 6})
