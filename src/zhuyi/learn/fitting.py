"""From codes and targets to a trained, settled and calibrated glass box in float64."""

import hashlib
import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from zhuyi.learn.embedding import Inputs
from zhuyi.learn.glass_box import GlassBox, Shape
from zhuyi.learn.objectives import Objective
from zhuyi.learn.training import Part, Plan, Trained, train

_FEWEST_JUDGED: Final = 10  # validation rows below which they decide nothing
_FEWEST_CALIBRATED: Final = 50
_TEMPERATURES: Final = (0.2, 5.0)


@dataclass(frozen=True)
class Fitted:
    """What a fit gives.

    Args:
        module: the glass box, in float64 and evaluation mode.
        trained: how the training went.
        temperature: by which logits were divided, once and for all; 1 without calibration.
        judged: indices of the validation rows; empty without any.
    """

    module: GlassBox
    trained: Trained
    temperature: float
    judged: NDArray[np.int64]


@dataclass(frozen=True, kw_only=True)
class Examples:
    """What there is to learn from.

    Args:
        codes: of B inputs, as their embedding reads them.
        target: "B" (class indices or numbers) or "B C" (flags or numbers).
        weights: "B", of each row's loss; mean 1.
        groups: "B" integers; each is split in the same proportion. None: rows at random.
    """

    codes: NDArray[Any]
    target: NDArray[np.generic]
    weights: NDArray[np.float64]
    groups: NDArray[np.int64] | None = None


def fit_glass_box(
    examples: Examples,
    inputs: Inputs,
    shape: Shape,
    objective: Objective,
    plan: Plan,
    *,
    seed: int,
    validation_fraction: float,
    calibrated: bool,
) -> Fitted:
    """Split, train, settle what training never used, and calibrate.

    Args:
        examples: to learn from.
        inputs: what is known of them.
        shape: of the glass box.
        objective: what is minimized.
        plan: of the training.
        seed: of parameters, split, order of rows and dropout.
        validation_fraction: share of rows kept back to stop early and to calibrate.
        calibrated: whether logits are divided by a temperature.
    Returns: the fit; the same arguments give the same bits.
    """
    generator = torch.Generator().manual_seed(seed)
    module = GlassBox(inputs, shape, generator)
    judged = _held_back(examples, validation_fraction, seed)
    rest = np.setdiff1d(np.arange(len(examples.codes)), judged)
    learn = _part(examples, rest)
    judge = _part(examples, judged) if judged.size else None
    plan = _identified(plan, examples, inputs, shape, objective, seed, validation_fraction)
    trained = train(module, learn, judge, objective, plan, generator)
    module = module.double()
    module.factors.settle(learn.codes)
    temperature = 1.0
    if calibrated and judge is not None and len(judge) >= _FEWEST_CALIBRATED:
        with torch.no_grad():
            logits = module(judge.codes)
        temperature = _temperature(logits, judge, objective)
        module.scale_logits(1.0 / temperature)
    return Fitted(_kept(module), trained, temperature, judged)


def golden(function: Callable[[float], float], low: float, high: float) -> float:
    """Where a function with one valley is least, by golden-section search."""
    share = (math.sqrt(5.0) - 1.0) / 2.0
    while high - low > 1e-4:
        left, right = high - share * (high - low), low + share * (high - low)
        if function(left) < function(right):
            high = right
        else:
            low = left
    return (low + high) / 2.0


def _kept(module: GlassBox) -> GlassBox:
    """Parameters that float32 holds exactly, so that a saved model is the same bit for bit."""
    with torch.no_grad():
        for parameter in module.parameters():
            parameter.copy_(parameter.float())
            parameter.requires_grad_(False)
    return module.eval()


def _temperature(logits: Tensor, judge: Part, objective: Objective) -> float:
    target, weights = judge.target, judge.weights.double()

    def loss(log_temperature: float) -> float:
        scaled = logits / math.exp(log_temperature)
        return float((objective.losses(scaled, target).double() * weights).mean())

    return math.exp(golden(loss, *map(math.log, _TEMPERATURES)))


def _held_back(examples: Examples, share: float, seed: int) -> NDArray[np.int64]:
    """Validation rows: `share` of every group, groups of one row left to training."""
    rows = len(examples.codes)
    if round(share * rows) < _FEWEST_JUDGED:
        return np.empty(0, np.int64)
    draw = np.random.default_rng(seed)
    groups = np.zeros(rows, np.int64) if examples.groups is None else examples.groups
    chosen = []
    for group in np.unique(groups):
        members = draw.permutation(np.flatnonzero(groups == group))
        chosen.append(members[: min(round(share * len(members)), len(members) - 1)])
    return np.sort(np.concatenate(chosen))


def _part(examples: Examples, rows: NDArray[np.int64]) -> Part:
    return Part(
        torch.from_numpy(examples.codes[rows]),
        torch.from_numpy(examples.target[rows]),
        torch.from_numpy(examples.weights[rows].astype(np.float32)),
    )


def _identified(plan: Plan, examples: Examples, *settings: object) -> Plan:
    """The plan with the fingerprint of all that the result depends on."""
    digest = hashlib.sha256()
    for array in (examples.codes, examples.target, examples.weights):
        digest.update(np.ascontiguousarray(array).tobytes())
    schedule = (plan.epochs, plan.patience, plan.batch_size, plan.learning_rate)
    digest.update(repr((settings, schedule, plan.weight_decay, plan.centering)).encode())
    return Plan(**{**vars(plan), "fingerprint": digest.hexdigest()})
