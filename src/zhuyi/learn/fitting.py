"""From codes and targets to a trained, settled and calibrated glass box in float64."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np
import torch
from numpy.typing import NDArray

from zhuyi.learn.embedding import Inputs
from zhuyi.learn.glass_box import GlassBox, Shape
from zhuyi.learn.objectives import Objective
from zhuyi.learn.portions import decided
from zhuyi.learn.temperature import best_temperature
from zhuyi.learn.training import Part, Plan, Progress, Trained, train

_FEWEST_JUDGED: Final = 10  # validation rows below which they decide nothing
_FEWEST_CALIBRATED: Final = 50


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
        together: "B" integers; rows of one number (a patient, an engine) stay on one side of the
            split, and `groups` is not looked at. None: each row by itself.
        announce: called with indices of rows before they are read as codes.
    """

    codes: NDArray[Any]
    target: NDArray[np.generic]
    weights: NDArray[np.float64]
    groups: NDArray[np.int64] | None = None
    together: NDArray[np.int64] | None = None
    announce: Callable[[NDArray[np.int64]], None] = lambda rows: None


@dataclass(frozen=True)
class Standing:
    """Where a training stands.

    Args:
        progress: the same in numbers.
        judged: indices of the validation rows; empty without any.
        ended: a copy of the box as if training ended here: calibrated, in float64. What training
            never used is not settled, which would take a pass over all rows.
    """

    progress: Progress
    judged: NDArray[np.int64]
    ended: Callable[[], GlassBox]


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
    refit: bool = False,
    observe: Callable[[Standing], None] | None = None,
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
        refit: whether, once the validation rows have told how many epochs and which temperature are
            best, a fresh box is trained on all rows with these; it takes as long again.
        observe: called after each epoch, but not of the training on all rows.
    Returns: the fit; the same arguments give the same bits.
    """
    judged = _held_back(examples, validation_fraction, seed)
    rest = np.setdiff1d(np.arange(len(examples.codes)), judged)
    judge = _part(examples, judged) if judged.size else None
    plan = _identified(plan, examples, inputs, shape, objective, seed, validation_fraction)
    learn = _part(examples, rest)

    def ended(model: GlassBox) -> GlassBox:
        twin = GlassBox(inputs, shape, None)
        twin.ruling = model.ruling
        twin.load_state_dict(model.state_dict())
        twin.double().eval()
        return _kept(twin, _temperature(twin, judge, objective) if calibrated else 1.0)

    def told(model: GlassBox, progress: Progress) -> None:
        assert observe is not None
        observe(Standing(progress, judged, lambda: ended(model)))

    box = (inputs, shape, seed)
    seen = plan if observe is None else replace(plan, observe=told)
    module, trained = _trained(*box, learn, judge, objective, seen)
    temperature = _temperature(module, judge, objective) if calibrated else 1.0
    if refit and judge is not None:
        whole = _part(examples, np.arange(len(examples.codes)))
        module, _ = _trained(*box, whole, None, objective, _again(plan, trained))
    return Fitted(_kept(module, temperature), trained, temperature, judged)


def _trained(
    inputs: Inputs,
    shape: Shape,
    seed: int,
    learn: Part,
    judge: Part | None,
    objective: Objective,
    plan: Plan,
) -> tuple[GlassBox, Trained]:
    """A fresh box, trained and settled, in float64."""
    generator = torch.Generator().manual_seed(seed)
    module = GlassBox(inputs, shape, generator)
    module.ruling = plan.ruling
    counted = learn.codes if plan.ruling is None else plan.ruling.without_vetoed(learn.announced())
    module.factors.start(counted, learn.target, module.effect)
    trained = train(module, learn, judge, objective, plan, generator)
    # in float64, with something to say for entries that training never used
    module.double().eval().factors.settle(counted)
    return module, trained


def _temperature(module: GlassBox, judge: Part | None, objective: Objective) -> float:
    """By which logits are to be divided; 1 where too few rows would say so."""
    if judge is None or len(judge) < _FEWEST_CALIBRATED:
        return 1.0
    logits = decided(module, judge.announced())
    return best_temperature(logits, judge.target, judge.weights, objective)


def _again(plan: Plan, trained: Trained) -> Plan:
    """The same plan on all rows, up to the epoch that was best."""
    changes = {
        "until": trained.best_epoch,
        "checkpoint": None if plan.checkpoint is None else plan.checkpoint / "whole",
        "fingerprint": f"{plan.fingerprint} whole",
    }
    return Plan(**{**vars(plan), **changes})


def _kept(module: GlassBox, temperature: float) -> GlassBox:
    """Calibrated, with parameters that float32 holds exactly: saved it is the same bit for bit."""
    if temperature != 1.0:
        module.scale_logits(1.0 / temperature)
    with torch.no_grad():
        for parameter in module.parameters():
            parameter.copy_(parameter.float())
            parameter.requires_grad_(False)
    return module.eval()


def _held_back(examples: Examples, share: float, seed: int) -> NDArray[np.int64]:
    """Validation rows: `share` of every group, groups of one row left to training."""
    rows = len(examples.codes)
    if round(share * rows) < _FEWEST_JUDGED:
        return np.empty(0, np.int64)
    draw = np.random.default_rng(seed)
    if examples.together is not None:
        return _enough(_whole_groups(examples.together, share, draw))
    groups = np.zeros(rows, np.int64) if examples.groups is None else examples.groups
    chosen = []
    for group in np.unique(groups):
        members = draw.permutation(np.flatnonzero(groups == group))
        chosen.append(members[: min(round(share * len(members)), len(members) - 1)])
    return _enough(np.sort(np.concatenate(chosen)))


def _enough(found: NDArray[np.int64]) -> NDArray[np.int64]:
    """The rows, or none where they are too few to decide anything."""
    return found if found.size >= _FEWEST_JUDGED else np.empty(0, np.int64)


def _whole_groups(
    together: NDArray[np.int64], share: float, draw: np.random.Generator
) -> NDArray[np.int64]:
    """Rows of groups drawn until they hold `share` of the rows; large ones are left to training."""
    names, counts = np.unique(together, return_counts=True)
    aim, held = share * len(together), 0
    most = min(max(2.0 * aim, counts.min()), len(together) / 2)
    chosen = []
    for place in draw.permutation(len(names)):
        if held >= aim:
            break
        if held + counts[place] <= most:
            chosen.append(place)
            held += counts[place]
    return np.flatnonzero(np.isin(together, names[chosen]))


def _part(examples: Examples, rows: NDArray[np.int64]) -> Part:
    return Part(
        torch.from_numpy(examples.codes[rows]),
        torch.from_numpy(examples.target[rows]),
        torch.from_numpy(examples.weights[rows].astype(np.float32)),
        lambda places: examples.announce(rows if places is None else rows[places.numpy()]),
    )


def _identified(plan: Plan, examples: Examples, *settings: object) -> Plan:
    """The plan with the fingerprint of all that the result depends on."""
    digest = hashlib.sha256()
    arrays = (examples.codes, examples.target, examples.weights, examples.together)
    for array in arrays:
        if array is None:
            continue
        digest.update(np.ascontiguousarray(array).tobytes())
    schedule = (plan.epochs, plan.patience, plan.batch_size, plan.learning_rate)
    kind = (plan.weight_decay, plan.centering, plan.calibrated)
    digest.update(repr((settings, schedule, *kind)).encode())
    if plan.ruling is not None:
        digest.update(repr(plan.ruling.rules).encode())
    if plan.wishes is not None:
        digest.update(repr(plan.wishes.prior).encode())
    return Plan(**{**vars(plan), "fingerprint": digest.hexdigest()})
