"""What a recommender must be compared with: popularity, neighbors of films, EASE and BPR.

Each is fitted on histories, and gives scores [U, films] for histories, of new people too (but BPR).
"""

import copy
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
import torch
from torch import nn

from zhuyi.errors import InputError
from zhuyi.recipes.feed.movielens import Integers
from zhuyi.recipes.feed.protocol import Split, validated

Floats = npt.NDArray[np.float64]
RIDGES: Final = (50.0, 100.0, 250.0, 500.0, 1000.0)
NEIGHBORS: Final = (20, 50, 100, 200)


def table_of(histories: Sequence[Integers], films: int) -> Floats:
    """Histories as [U, films], 1.0 where a film was watched."""
    table = np.zeros((len(histories), films))
    for row, history in enumerate(histories):
        table[row, history] = 1.0
    return table


@dataclass(frozen=True)
class Popularity:
    """How many people watched a film; the same for everybody.

    Example:
        >>> Popularity.fit([np.array([0, 1]), np.array([1])], 3).counts.tolist()
        [1.0, 2.0, 0.0]
    """

    counts: Floats

    @classmethod
    def fit(cls, histories: Sequence[Integers], films: int) -> "Popularity":
        """Count."""
        return cls(table_of(histories, films).sum(0))

    def __call__(self, histories: Sequence[Integers]) -> Floats:
        """The counts for everybody."""
        return np.tile(self.counts, (len(histories), 1))


@dataclass(frozen=True)
class Linear:
    """score = history W, with one weight for each pair of films.

    What both the neighbors of films and EASE come to.
    """

    weights: Floats

    def __call__(self, histories: Sequence[Integers]) -> Floats:
        """Sums of the weights of the history's films."""
        return table_of(histories, len(self.weights)) @ self.weights


def item_neighbors(histories: Sequence[Integers], films: int, neighbors: int) -> Linear:
    """Cosine of who watched, of each film's nearest films only.

    Ref: Deshpande & Karypis 2004, Item-based top-N recommendation algorithms.
    """
    table = table_of(histories, films)
    together = table.T @ table
    norms = np.sqrt(np.maximum(np.diag(together), 1.0))
    alike = together / norms[:, None] / norms[None]
    np.fill_diagonal(alike, 0.0)
    if neighbors < films:
        least = np.partition(alike, -neighbors, axis=0)[-neighbors]
        alike = np.where(alike >= least, alike, 0.0)
    return Linear(alike)


def ease(histories: Sequence[Integers], films: int, ridge: float) -> Linear:
    """The linear map of a history to itself with no film explained by itself, in closed form.

        P = (X^T X + ridge I)^-1,   W = I - P / diag P

    Ref: Steck 2019, arXiv:1905.03375, eq. 8.
    """
    table = table_of(histories, films)
    inverse = np.linalg.inv(table.T @ table + ridge * np.eye(films))
    weights = -inverse / np.diag(inverse)
    np.fill_diagonal(weights, 0.0)
    return Linear(weights)


@dataclass(frozen=True, kw_only=True)
class BprPlan:
    """How BPR is trained; the defaults are those behind the published number.

    Args:
        width: of a person's and a film's vector.
        epochs: at most.
        batch: pairs at a time.
        rate: of Adam.
        patience: epochs without a better validation after which it ends.
        seed: of parameters, order and the films that were not watched.
    """

    width: int = 64
    epochs: int = 300
    batch: int = 2048
    rate: float = 1e-3
    patience: int = 10
    seed: int = 0


@dataclass(frozen=True)
class Bpr:
    """score = <person, film>: knows the people it was fitted on, in their order, nobody else."""

    people: Floats
    films: Floats

    def __call__(self, histories: Sequence[Integers]) -> Floats:
        """Scores of the people it was fitted on.

        Raises: InputError: for another number of people.
        """
        if len(histories) != len(self.people):
            raise InputError(
                f"BPR knows its own {len(self.people)} people only, got {len(histories)}"
            )
        scores: Floats = self.people @ self.films.T
        return scores


def bpr(split: Split, plan: BprPlan, *, tell: Callable[[str], None] = lambda _: None) -> Bpr:
    """Matrix factorization in which what was watched ranks before what was not.

        loss = -log sigmoid(<u, watched> - <u, not watched>)

    Ref: Rendle et al. 2009, arXiv:1205.2618.
    """
    generator = torch.Generator().manual_seed(plan.seed)
    people = _normal(len(split.train), plan.width, generator)
    films = _normal(split.films, plan.width, generator)
    optimizer = torch.optim.Adam([people, films], plan.rate)
    pairs = torch.tensor([(u, film) for u, one in enumerate(split.train) for film in one.tolist()])
    watched = torch.from_numpy(table_of(split.train, split.films)).bool()
    best, waited, kept = -1.0, 0, Bpr(np.empty(0), np.empty(0))
    for epoch in range(1, plan.epochs + 1):
        order = torch.randperm(len(pairs), generator=generator)
        for part in torch.split(order, plan.batch):
            users, liked = pairs[part].T
            others = _unwatched(users, watched, generator)
            difference = (people[users] * (films[liked] - films[others])).sum(1)
            loss = nn.functional.softplus(-difference).mean()
            optimizer.zero_grad()
            torch.autograd.backward(loss)
            optimizer.step()
        now = Bpr(people.detach().double().numpy().copy(), films.detach().double().numpy().copy())
        score = validated(now, split)
        if score > best:
            best, waited, kept = score, 0, copy.copy(now)
            tell(f"epoch {epoch}: NDCG@10 {score:.4f}")
        else:
            waited += 1
            if waited >= plan.patience:
                break
    return kept


def chosen(make: Callable[[float], Linear], options: Sequence[float], split: Split) -> float:
    """The option with the best validation score."""
    return max(options, key=lambda option: validated(make(option), split))


def _normal(rows: int, width: int, generator: torch.Generator) -> torch.Tensor:
    spread = (2.0 / (rows + width)) ** 0.5
    numbers: torch.Tensor = torch.randn(rows, width, generator=generator) * spread
    return numbers.requires_grad_()


def _unwatched(
    users: torch.Tensor, watched: torch.Tensor, generator: torch.Generator
) -> torch.Tensor:
    """A film for each that this person did not watch, all equally likely."""
    films = torch.randint(watched.shape[1], users.shape, generator=generator)
    while bool((again := watched[users, films]).any()):
        fresh = torch.randint(watched.shape[1], (int(again.sum()),), generator=generator)
        films[again] = fresh
    return films
