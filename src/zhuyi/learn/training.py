"""The trainer: AdamW, warm-up and cosine, early stopping, every random draw from one generator.

    lr(t) = peak * min(t / warm, (1 + cos(pi t / T)) / 2)
    loss  = mean_b weight_b loss_b + centering * sum_cn (mean_b w_cn e_cn)^2 + wishes of a prior

The second term makes a factor's contribution a departure from what it says on average, so that what
is common to all rows is in the label's constant (without it the two could trade at will).
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import torch
from torch import Tensor

from zhuyi.core import AttentionMatrix
from zhuyi.learn.checkpoint import Saved, load_checkpoint, save_checkpoint
from zhuyi.learn.glass_box import GlassBox, Read
from zhuyi.learn.objectives import Objective
from zhuyi.learn.portions import alike, decided, trimmed
from zhuyi.learn.ruling import Ruling
from zhuyi.learn.temperature import best_temperature
from zhuyi.learn.wishing import Wishes

_WARM: Final = 0.05  # share of all steps
_LARGEST_NORM: Final = 1.0
_SAVED_EVERY: Final = 5  # epochs


@dataclass(frozen=True, kw_only=True)
class Progress:
    """Where a training stands.

    Args:
        epoch: finished epochs.
        epochs: most that there will be.
        loss: mean over the epoch's training rows.
        validation: mean over the validation rows, None without any.
        best: whether it is the best so far.
    """

    epoch: int
    epochs: int
    loss: float
    validation: float | None
    best: bool


@dataclass(frozen=True, kw_only=True)
class Plan:
    """How to train.

    Args:
        epochs: most passes over the training rows.
        patience: epochs without a better validation loss after which it stops.
        batch_size: rows a step; None takes n / 32 as a power of two within [16, 512].
        learning_rate: its peak.
        weight_decay: of AdamW, on everything.
        centering: weight of the term that centers contributions.
        calibrated: whether validation losses are those after the best temperature: logits that are
            too large are no reason to stop where they are scaled afterwards.
        until: epochs after which to stop whatever the loss; None for `epochs`.
        progress: called after each epoch.
        observe: called after each epoch with the model too, which it must leave as it is.
        checkpoint: folder for a state to resume from, or None.
        fingerprint: of data and settings; a checkpoint of another one is refused.
        ruling: rules that the box is trained under, and keeps.
        wishes: what a prior asks of the training beside the data.
    """

    epochs: int = 100
    patience: int = 20
    batch_size: int | None = None
    learning_rate: float = 5e-3
    weight_decay: float = 1e-4
    centering: float = 0.05
    calibrated: bool = False
    until: int | None = None
    progress: Callable[[Progress], None] | None = None
    observe: Callable[[GlassBox, Progress], None] | None = None
    checkpoint: Path | None = None
    fingerprint: str = ""
    ruling: Ruling | None = None
    wishes: Wishes | None = None


@dataclass(frozen=True)
class Part:
    """Rows to learn or to judge from.

    Args:
        codes: of B inputs, as their embedding reads them.
        target: "B" or "B C".
        weights: "B", of the rows' losses.
        announce: called with places of rows, None for all, before they are read.
    """

    codes: Tensor
    target: Tensor
    weights: Tensor
    announce: Callable[[Tensor | None], None] = lambda places: None

    def __len__(self) -> int:
        return len(self.codes)

    def announced(self, places: Tensor | None = None) -> Tensor:
        """Codes that are about to be read, of these places or all."""
        self.announce(places)
        return self.codes if places is None else self.codes[places]


@dataclass
class Trained:
    """What a training came to.

    Args:
        epochs: finished.
        best_epoch: whose parameters were kept, from 1.
        history: (loss, validation loss or None) of each epoch.
    """

    epochs: int = 0
    best_epoch: int = 0
    best_loss: float = math.inf
    history: list[tuple[float, float | None]] = field(default_factory=list)


def train(
    model: GlassBox,
    learn: Part,
    judge: Part | None,
    objective: Objective,
    plan: Plan,
    generator: torch.Generator,
) -> Trained:
    """Train the model in place; it ends with the parameters of the best epoch.

    Args:
        model: with its first parameters.
        learn: rows to learn from.
        judge: rows that decide when to stop, or None to run all epochs.
        objective: what is minimized.
        plan: how.
        generator: of the order of rows and of dropout.
    Returns: what it came to. The same arguments give the same parameters bit for bit, also when
        stopped and resumed from a checkpoint (on the same machine and number of threads).
    Raises:  OptionError: a checkpoint of other data or settings.
    """
    optimizer = torch.optim.AdamW(
        model.parameters(), lr=plan.learning_rate, weight_decay=plan.weight_decay, fused=True
    )
    trained, best = Trained(), _copied(model)
    resumed = None if plan.checkpoint is None else load_checkpoint(plan.checkpoint, model, plan)
    if resumed is not None:
        best = resumed.best
        trained = Trained(resumed.epochs, resumed.best_epoch, resumed.best_loss, resumed.history)
        resumed.restore(model, optimizer, generator)
    model.draw_from(generator)
    while trained.epochs < _most(plan) and not _stopped(trained, judge, plan):
        loss = _epoch(model, learn, objective, plan, optimizer, generator, trained.epochs)
        trained.epochs += 1
        validation = None
        if judge is not None:
            validation = evaluate(model, judge, objective, calibrated=plan.calibrated)
            if plan.wishes is not None:
                validation += plan.wishes.judged(model, judge.announced())
        trained.history.append((loss, validation))
        better = validation is None or validation < trained.best_loss
        if better:
            trained.best_loss = loss if validation is None else validation
            trained.best_epoch, best = trained.epochs, _copied(model)
        if plan.checkpoint is not None and _due(trained, judge, plan):
            state = Saved.of(model, best, optimizer, generator, trained)
            save_checkpoint(plan.checkpoint, state, plan.fingerprint)
        now = Progress(
            epoch=trained.epochs, epochs=plan.epochs, loss=loss, validation=validation, best=better
        )
        if plan.progress is not None:
            plan.progress(now)
        if plan.observe is not None:
            plan.observe(model, now)
    model.draw_from(None)
    model.load_state_dict(best)
    model.eval()
    return trained


@torch.no_grad()
def evaluate(
    model: GlassBox, part: Part, objective: Objective, *, calibrated: bool = False
) -> float:
    """Weighted mean loss of a part, without dropout; `calibrated`: after the best temperature."""
    model.eval()
    logits = decided(model, part.announced())
    if calibrated:
        logits = logits / best_temperature(logits, part.target, part.weights, objective)
    return float((objective.losses(logits, part.target) * part.weights).double().mean())


def batch_size(rows: int, asked: int | None) -> int:
    """Rows a step: what was asked, or rows / 32 as a power of two within [16, 512]."""
    if asked is not None:
        return asked
    return int(min(512, max(16, 2 ** round(math.log2(max(rows, 32) / 32)))))


def rate(step: int, steps: int, peak: float) -> float:
    """Learning rate of a step, from 0: up in a straight line, then down along a cosine."""
    warm = max(1, round(_WARM * steps))
    return peak * min((step + 1) / warm, 0.5 * (1.0 + math.cos(math.pi * step / steps)))


def _epoch(
    model: GlassBox,
    learn: Part,
    objective: Objective,
    plan: Plan,
    optimizer: torch.optim.Optimizer,
    generator: torch.Generator,
    epoch: int,
) -> float:
    """One pass over the rows; the mean loss."""
    model.train()
    size = batch_size(len(learn), plan.batch_size)
    per_epoch = -(-len(learn) // size)
    total = 0.0
    lengths = model.factors.lengths(learn.codes)
    for number, rows in enumerate(_batches(len(learn), size, lengths, generator)):
        step = epoch * per_epoch + number
        for group in optimizer.param_groups:
            group["lr"] = rate(step, plan.epochs * per_epoch, plan.learning_rate)
        codes = trimmed(model.factors, learn.announced(rows))
        read, attention = _read(model, codes, plan)
        loss = (objective.losses(read.logits, learn.target[rows]) * learn.weights[rows]).mean()
        common = loss.new_zeros(())
        if plan.centering:
            common = plan.centering * read.contributions.mean(0).square().sum()
        if plan.wishes is not None:
            common = common + plan.wishes.loss(model, codes, read, attention, generator)
        optimizer.zero_grad()
        (loss + common).backward()  # type: ignore[no-untyped-call]
        torch.nn.utils.clip_grad_norm_(model.parameters(), _LARGEST_NORM)
        optimizer.step()
        total += float(loss.detach()) * len(rows)
    return total / len(learn)


def _read(model: GlassBox, codes: Tensor, plan: Plan) -> tuple[Read, list[AttentionMatrix]]:
    """The decision on a batch, with every attention where somebody asks for it."""
    if plan.wishes is None:
        return model.read(codes), []
    return plan.wishes.seen(model, codes)


def _batches(
    rows: int, size: int, lengths: Tensor | None, generator: torch.Generator
) -> Sequence[Tensor]:
    order = torch.randperm(rows, generator=generator)
    if lengths is None:
        return torch.split(order, size)
    return alike(order, lengths, size, generator)


def _most(plan: Plan) -> int:
    return plan.epochs if plan.until is None else plan.until


def _stopped(trained: Trained, judge: Part | None, plan: Plan) -> bool:
    return judge is not None and trained.epochs - trained.best_epoch >= plan.patience


def _due(trained: Trained, judge: Part | None, plan: Plan) -> bool:
    over = trained.epochs == _most(plan) or _stopped(trained, judge, plan)
    return over or trained.epochs % _SAVED_EVERY == 0


def _copied(model: GlassBox) -> dict[str, Tensor]:
    return {name: tensor.detach().clone() for name, tensor in model.state_dict().items()}
