"""Training the recommender: full cross-entropy over all films, and the best epoch is kept.

At every place of a window of a history the film after it is asked for, with one `ask` for each
place beside the films: it sees the films up to there and itself, as it will when it is asked.
"""

import copy
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from zhuyi.core import Mask
from zhuyi.recipes.feed.movielens import Integers
from zhuyi.recipes.feed.protocol import Scorer, Split, validated
from zhuyi.recipes.feed.recommender import Form, Recommender

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class Plan:
    """How it is trained.

    Args:
        epochs: at most; one takes one window of every person.
        batch: people at a time.
        rate: of AdamW.
        decay: of AdamW, on all parameters.
        every: epochs between two looks at the validation films.
        patience: looks without a better one after which it ends.
        seed: of parameters, windows, order and dropout.
    """

    epochs: int = 120
    batch: int = 64
    rate: float = 1e-3
    decay: float = 0.05
    every: int = 5
    patience: int = 6
    seed: int = 0


@dataclass(frozen=True, kw_only=True)
class Trained:
    """A trained recommender.

    Args:
        model: with the parameters of the best look.
        epoch: of that look.
        looks: (epoch, NDCG@10 on the validation films) of every look.
    """

    model: Recommender
    epoch: int
    looks: tuple[tuple[int, float], ...] = field(default=())


def train(
    form: Form,
    split: Split,
    plan: Plan,
    *,
    asked: Callable[[Recommender], Scorer] | None = None,
    tell: Callable[[str], None] = lambda _: None,
) -> Trained:
    """Train until the validation films are ranked no better.

    Args:
        form: of the recommender.
        split: `train` is learned from, `valid` ends it; `test` is not touched.
        plan: how.
        asked: what the validation films are ranked by; None for `scorer`.
        tell: takes a line at every look.

    Cost: an epoch of ML-100k (width 64, 2 layers, 50 films) takes about four seconds of one core.
    """
    generator = torch.Generator().manual_seed(plan.seed)
    model = Recommender(form, generator)
    model.draw_from(generator)
    optimizer = torch.optim.AdamW(model.parameters(), plan.rate, weight_decay=plan.decay)
    best, best_epoch, state = -1.0, 0, copy.deepcopy(model.state_dict())
    looks: list[tuple[int, float]] = []
    for epoch in range(1, plan.epochs + 1):
        model.train()
        order = torch.randperm(len(split.train), generator=generator).tolist()
        total = 0.0
        for start in range(0, len(order), plan.batch):
            chosen = [split.train[place] for place in order[start : start + plan.batch]]
            loss = _loss(model, chosen, generator)
            optimizer.zero_grad()
            torch.autograd.backward(loss)
            nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            optimizer.step()
            total += float(loss.detach())
        if epoch % plan.every and epoch != plan.epochs:
            continue
        model.eval()
        looks.append((epoch, validated((asked or scorer)(model), split)))
        tell(
            f"epoch {epoch}: loss {total * plan.batch / len(order):.3f}, NDCG@10 {looks[-1][1]:.4f}"
        )
        if looks[-1][1] > best:
            best, best_epoch, state = looks[-1][1], epoch, copy.deepcopy(model.state_dict())
        elif epoch - best_epoch >= plan.every * plan.patience:
            break
    model.load_state_dict(state)
    model.draw_from(None)
    model.eval().requires_grad_(False)
    return Trained(model=model, epoch=best_epoch, looks=tuple(looks))


def scorer(model: Recommender, *, portion: int = 256) -> Scorer:
    """The model as a function from histories to scores [U, films]: what comes next."""

    def score(histories: Sequence[Integers]) -> Floats:
        parts = []
        with torch.no_grad():
            for start in range(0, len(histories), portion):
                parts.append(model(codes_of(histories[start : start + portion], model.form)))
        return torch.cat(parts).double().numpy()

    return score


def filling_scorer(model: Recommender) -> Scorer:
    """The model as a function from histories to scores [U, films]: what is missing from them.

        score(film) = sum over places t of the history of p(film comes after t | films up to t)

    Films that are held back at random lie between those that are known, so they are asked for at
    every place, in windows that overlap by half.
    """

    def score(histories: Sequence[Integers]) -> Floats:
        with torch.no_grad():
            return np.stack([_filled(model, one) for one in histories])

    return score


def codes_of(histories: Sequence[Integers], form: Form) -> Tensor:
    """The codes "B L" of histories: the latest films of each, `ask`, `nothing`."""
    rows = [[*one[-form.length :].tolist(), form.ask] for one in histories]
    width = max(len(row) for row in rows)
    return torch.tensor([row + [form.nothing] * (width - len(row)) for row in rows])


def _loss(model: Recommender, histories: Sequence[Integers], generator: torch.Generator) -> Tensor:
    """Mean cross-entropy of the film after each place; films before it are not candidates."""
    form = model.form
    length = min(form.length, max(len(one) for one in histories) - 1)
    films_BL = torch.full((len(histories), length), form.nothing)
    after_BL = torch.full((len(histories), length), -100)
    for row, history in enumerate(histories):
        spare = len(history) - 1 - length
        start = int(torch.randint(spare + 1, (), generator=generator)) if spare > 0 else 0
        window = torch.from_numpy(history[start : start + length + 1])
        films_BL[row, : len(window) - 1] = window[:-1]
        after_BL[row, : len(window) - 1] = window[1:]
    states = _asked_everywhere(model, films_BL)
    scores_BLF = model.scores(states)
    seen_BLF = nn.functional.one_hot(films_BL.clamp(max=form.films), form.films + 1)
    gone = seen_BLF[..., :-1].cumsum(1) > 0
    scores_BLF = scores_BLF.masked_fill(gone, float("-inf"))
    return nn.functional.cross_entropy(scores_BLF.flatten(0, 1), after_BL.flatten())


def _asked_everywhere(model: Recommender, films_BL: Tensor) -> Tensor:
    """States "B L W" of an `ask` after each film."""
    length = films_BL.shape[1]
    vectors = model.embedding(films_BL)
    asks = model.embedding.asking()[:length].expand(len(films_BL), -1, -1)
    return model.read(torch.cat([vectors, asks], 1), _asking_mask(length))[:, length:]


def _filled(model: Recommender, history: Integers) -> Floats:
    """See `filling_scorer`; one history."""
    length = model.form.length
    step = max(length // 2, 1)
    starts = [*range(0, max(len(history) - length, 0), step), max(len(history) - length, 0)]
    total = torch.zeros(model.form.films)
    done = 0  # places that were asked at
    for start in starts:
        window = torch.from_numpy(history[start : start + length])[None]
        scores_LF = model.scores(_asked_everywhere(model, window))[0, done - start :]
        scores_LF[:, torch.from_numpy(history)] = float("-inf")
        total += scores_LF.softmax(1).sum(0)
        done = start + window.shape[1]
    return total.double().numpy()


def _asking_mask(length: int) -> Mask:
    """Films see films before them; the t-th ask sees films up to t, and itself."""
    before = torch.ones(length, length, dtype=torch.bool).tril()
    keep = torch.zeros(2 * length, 2 * length, dtype=torch.bool)
    keep[:length, :length] = keep[length:, :length] = before
    keep[length:, length:] = torch.eye(length, dtype=torch.bool)
    return Mask.dense(keep[None, None])
