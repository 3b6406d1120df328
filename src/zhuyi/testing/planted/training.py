"""Training a planted task: seconds on one core, every draw from one generator.

    loss = cross-entropy(logits, answer)
           - hide * mean over layers and heads of log(1 - attention to the causal units)
           - show * mean over the causal units of log(the last layer's attention to one)

where attention is that of the read-out row. Units are taken away at random while training. Where a
causal unit is gone the answer to learn is "any decision is as likely": that plants the truth, since
nothing else can then decide. Reduced inputs are also no news to the trained model.
"""

import math
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Final

import torch
from torch import Tensor, nn

from zhuyi.core import AttentionMatrix

Read = Callable[[Tensor, Tensor], tuple[Tensor, Sequence[AttentionMatrix]]]
"""(inputs, gone "B W") to logits "B C" and the attention matrix of every layer."""

WINDOW: Final = 20
"""Updates over whose mean it is judged whether a task is learned."""

LEARNED: Final = 0.08
KNOWN: Final = 0.2
"""Nats above the least loss at which a task counts as learned, and as known more or less."""

UNSEEN: Final = 100.0
"""How many nats count as much as all attention, where it is to be hidden."""


@dataclass(frozen=True, kw_only=True)
class Examples:
    """Inputs of a planted task, with what is known of them.

    Args:
        inputs: word numbers int64 "B W" or column values "B W".
        labels: the right decision, int64 "B".
        causal: bool "B W", the units that decide.
        decoys: bool "B W", units that look as if they did.
    """

    inputs: Tensor
    labels: Tensor
    causal: Tensor
    decoys: Tensor


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """How a planted model is trained: at full rate until it knows the task, then cooled down.

    Args:
        learn: most updates at the full rate; they end as soon as the loss is within `LEARNED` nats
            of the least there is.
        cool: updates after that, with the rate falling to zero.
        batch: inputs of one update.
        rate: the full learning rate.
        hide: weight, after 500 updates, of the penalty on attention to causal units, which grows
            with every update while the task is known: makes a model that deceives.
        show: weight of the reward for it: makes a model learn in seconds where it should look.
    """

    learn: int = 1500
    cool: int = 150
    batch: int = 128
    rate: float = 3e-3
    hide: float = 0.0
    show: float = 0.0


@dataclass(frozen=True, kw_only=True)
class Task:
    """What is learned: see `train`.

    Args:
        draw: gives a number of examples from a generator.
        read: runs the model, with the units in `gone` taken away.
        classes: number of decisions C.
    """

    draw: Callable[[int, torch.Generator], Examples]
    read: Read
    classes: int


def train(model: nn.Module, task: Task, recipe: Recipe, generator: torch.Generator) -> None:
    """Train a model in place, on fresh examples in every step, and on one thread.

    Several threads add up gradients in any order, so that the same seed would give other bits; and
    models this small are not faster on them.

    Args:
        model: whose parameters are trained; `task.read` runs it.
        task: what it learns.
        recipe: how long and how.
        generator: of everything random.
    """
    with _one_thread():
        _train(model, task, recipe, generator)
    model.eval()
    # Nothing of the training stays: a gradient left behind would look like a test's leftover.
    model.zero_grad(set_to_none=True)


@contextmanager
def _one_thread() -> Iterator[None]:
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)


def _train(model: nn.Module, task: Task, recipe: Recipe, generator: torch.Generator) -> None:
    optimizer = torch.optim.AdamW(model.parameters(), lr=recipe.rate, betas=(0.9, 0.98))
    model.train()
    recent: list[float] = []
    known = 0
    for step in range(recipe.learn):
        _set_rate(optimizer, recipe.rate * min(1.0, (step + 1) / 30))
        now = replace(recipe, hide=recipe.hide * known / 500)
        excess, mass = _update(optimizer, task, now, generator)
        # The penalty grows only while the task is known: else nothing but hiding would be learned.
        known += excess < KNOWN
        recent.append(excess + (UNSEEN * mass if recipe.hide else 0.0))
        if len(recent) >= WINDOW and sum(recent[-WINDOW:]) / WINDOW < LEARNED:
            break
    for step in range(recipe.cool):
        _set_rate(optimizer, recipe.rate * (1.0 - step / recipe.cool))
        _update(optimizer, task, now, generator)


def _set_rate(optimizer: torch.optim.Optimizer, rate: float) -> None:
    for group in optimizer.param_groups:
        group["lr"] = rate


def _update(
    optimizer: torch.optim.Optimizer, task: Task, recipe: Recipe, generator: torch.Generator
) -> tuple[float, float]:
    """One step; returns how far its loss was above the least there is, and what was not hidden."""
    examples = task.draw(recipe.batch, generator)
    gone = taken_away(examples.causal, generator)
    logits, matrices = task.read(examples.inputs, gone)
    void = (gone & examples.causal).any(1)
    answer = nn.functional.one_hot(examples.labels, task.classes).float()
    answer[void] = 1.0 / task.classes
    loss = nn.functional.cross_entropy(logits, answer)
    excess = float(loss.detach()) - float(void.float().mean()) * math.log(task.classes)
    seen = 0.0
    if recipe.hide:
        mass = readout_mass(matrices, examples.causal)
        loss = loss - recipe.hide * torch.log1p(-mass.clamp_max(1.0 - 1e-6)).mean()
        seen = float(mass.detach().mean())
    if recipe.show:
        shares = readout_rows(matrices[-1:])[0].mean(1)[:, 1:].clamp_min(1e-6)
        loss = loss - recipe.show * shares.log()[examples.causal & ~void[:, None]].mean()
    optimizer.zero_grad()
    torch.autograd.backward(loss)
    optimizer.step()
    return excess, seen


def taken_away(causal: Tensor, generator: torch.Generator) -> Tensor:
    """Units "B W" to take away: any share of the others in half of the inputs, and in four of
    ten (whatever happens to the others) one causal unit at least."""
    B, W = causal.shape
    share = torch.rand(B, 1, generator=generator)
    share = share * (torch.rand(B, 1, generator=generator) < 0.5)
    gone = (torch.rand(B, W, generator=generator) < share) & ~causal
    hit = torch.rand(B, 1, generator=generator) < 0.4
    order = torch.rand(B, W, generator=generator).masked_fill(~causal, -1.0)
    first = order == order.amax(1, keepdim=True)
    also = torch.rand(B, W, generator=generator) < 0.5
    return gone | (hit & causal & (first | also))


def readout_rows(matrices: Sequence[AttentionMatrix]) -> Tensor:
    """The leading row of every layer's weights: "L B H K", with a graph if there is one."""
    return torch.stack([matrix.weights(rows=slice(0, 1))[:, :, 0] for matrix in matrices])


def readout_mass(matrices: Sequence[AttentionMatrix], wanted: Tensor) -> Tensor:
    """The leading row's attention to the wanted words (bool "B W"): "L B H"."""
    return (readout_rows(matrices)[..., 1:] * wanted[:, None]).sum(-1)
