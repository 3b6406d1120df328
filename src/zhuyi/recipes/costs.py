"""FD001's decision: repair now, replace, or run on, by stated costs; and what that saves.

An inspection looks at an engine every `horizon` cycles. What is decided holds until the next one.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
import numpy.typing as npt

from zhuyi.errors import InputError, OptionError, ShapeError

Action = Literal["run on", "repair", "replace"]
ACTIONS: tuple[Action, ...] = get_args(Action)
Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class Costs:
    """What things cost, in one currency, beyond what every engine's life costs anyway.

    Every engine is replaced once in its life. So a replacement is charged for what it adds: the
    planned stop and the cycles that it throws away. The defaults are an example, not a price list.

    Args:
        stop: a planned replacement's own stop.
        wasted: each cycle of life thrown away by a replacement; the price of an engine over its
            mean life is the natural choice.
        repair: a repair.
        restored: cycles of life that a repair gives back.
        failure: a failure in use, above a planned replacement.
        horizon: cycles to the next inspection.

    Raises: OptionError: a negative or infinite number, a horizon below 1.
    """

    stop: float = 1.0
    wasted: float = 0.1
    repair: float = 4.0
    restored: float = 30.0
    failure: float = 50.0
    horizon: float = 20.0

    def __post_init__(self) -> None:
        for name in ("stop", "wasted", "repair", "restored", "failure"):
            value = getattr(self, name)
            if not (np.isfinite(value) and value >= 0.0):
                raise OptionError(f"{name} must be a number >= 0, got {value!r}")
        if not (np.isfinite(self.horizon) and self.horizon >= 1.0):
            raise OptionError(f"horizon must be at least 1 cycle, got {self.horizon!r}")


@dataclass(frozen=True, kw_only=True)
class Choice:
    """What to do with one engine.

    Args:
        action: the cheapest in expectation.
        expected: action -> expected cost.
        risk: probability that the engine fails before the next inspection if it runs on.
    """

    action: Action
    expected: dict[Action, float]
    risk: float


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What a policy cost on engines whose life is known.

    Args:
        policy: its name.
        total: costs of all engines.
        failures: engines that failed before the next inspection.
        wasted: cycles of life thrown away.
        actions: action -> engines.
    """

    policy: str
    total: float
    failures: int
    wasted: float
    actions: dict[Action, int]


def cost_of(action: Action, remaining: npt.ArrayLike, costs: Costs) -> Floats:
    """What an action costs up to the next inspection, where the remaining life is known.

        replace   stop + wasted x remaining
        repair    repair + (failure where remaining + restored <= horizon)
        run on    failure where remaining <= horizon

    Args:
        action: one of `ACTIONS`.
        remaining: cycles of life left; any shape.
        costs: the prices.

    Raises: OptionError: another action.

    Example:
        >>> cost_of("run on", [5.0, 50.0], Costs(failure=50.0, horizon=20.0)).tolist()
        [50.0, 0.0]
    """
    left = np.asarray(remaining, dtype=np.float64)
    if action == "replace":
        return costs.stop + costs.wasted * left
    if action == "repair":
        fails = (left + costs.restored <= costs.horizon).astype(np.float64)
        return costs.repair + costs.failure * fails
    if action == "run on":
        return costs.failure * (left <= costs.horizon).astype(np.float64)
    raise OptionError(f"action must be one of {', '.join(ACTIONS)}, got {action!r}")


def decide(samples: npt.ArrayLike, costs: Costs) -> Choice:
    """The cheapest action for one engine, its remaining life being uncertain.

        argmin over actions of mean over samples of cost_of(action, sample)

    At equal cost the less invasive one: run on, then repair, then replace.

    Args:
        samples: [S] equally likely values of the remaining life, cycles: a prediction plus errors
            made on engines it has not learned from, or quantiles.
        costs: the prices.

    Raises: InputError: no sample, or one that is not a number.

    Example:
        >>> decide([5.0, 6.0, 80.0], Costs()).action
        'repair'
    """
    drawn = np.asarray(samples, dtype=np.float64).ravel()
    if drawn.size == 0 or not np.isfinite(drawn).all():
        raise InputError("samples must be numbers, one at least: got none, or one that is not")
    drawn = np.maximum(drawn, 0.0)
    expected = {action: float(cost_of(action, drawn, costs).mean()) for action in ACTIONS}
    action = min(ACTIONS, key=lambda one: expected[one])
    return Choice(action=action, expected=expected, risk=float((drawn <= costs.horizon).mean()))


def with_errors(predictions: npt.ArrayLike, errors: npt.ArrayLike) -> Floats:
    """Samples of the remaining life: each prediction plus every error, never below 0; [N, S].

    Args:
        predictions: [N] cycles.
        errors: [S] truth - prediction, on engines that were not learned from.
    """
    said = np.asarray(predictions, dtype=np.float64)
    return np.maximum(said[:, None] + np.asarray(errors, dtype=np.float64)[None, :], 0.0)


def outcome(
    policy: str, actions: Sequence[Action], remaining: npt.ArrayLike, costs: Costs
) -> Outcome:
    """Charge a policy's actions against the true remaining lives.

    Args:
        policy: its name.
        actions: one an engine.
        remaining: [N] true cycles left.
        costs: the prices.

    Raises: ShapeError: if there are not as many actions as engines.
    """
    left = np.asarray(remaining, dtype=np.float64)
    if left.shape != (len(actions),):
        raise ShapeError(f"remaining must be [{len(actions)}], one an action, got {left.shape}")
    total, failures, wasted = 0.0, 0, 0.0
    for action, life in zip(actions, left, strict=True):
        total += float(cost_of(action, life, costs))
        extra = costs.restored if action == "repair" else 0.0
        failures += int(action != "replace" and life + extra <= costs.horizon)
        wasted += float(life) if action == "replace" else 0.0
    counts = {action: list(actions).count(action) for action in ACTIONS}
    return Outcome(policy=policy, total=total, failures=failures, wasted=wasted, actions=counts)


def by_age(ages: npt.ArrayLike, limit: float) -> tuple[Action, ...]:
    """The fixed schedule: replace every engine that has run `limit` cycles or more."""
    return tuple("replace" if age >= limit else "run on" for age in np.asarray(ages).ravel())


def best_age(lives: npt.ArrayLike, costs: Costs) -> float:
    """The fixed schedule that is cheapest on engines run to failure, to be applied to others.

    Each engine is looked at at every inspection of its life, as in `outcome`, until it is replaced
    or fails; the age with the lowest cost per cycle used wins (the first of equals).

        cost(a) = sum_i (stop + wasted (L_i - t_i) if replaced at t_i < L_i else failure)
                  / sum_i min(t_i, L_i),    t_i = the first inspection at age a or later

    Args:
        lives: [N] cycles that engines ran until they failed.
        costs: the prices.

    Raises: InputError: no engine, or a life that is not positive.
    Ref:    Barlow & Hunter 1960, age replacement.
    """
    runs = np.asarray(lives, dtype=np.float64).ravel()
    if runs.size == 0 or not (runs > 0.0).all():
        raise InputError("lives must be positive numbers, one at least")
    ages = np.arange(1.0, np.ceil(runs.max() / costs.horizon) + 2.0) * costs.horizon
    return float(min(ages, key=lambda age: cost_rate(runs, np.full(runs.size, age), costs)))


def cost_rate(lives: npt.ArrayLike, replaced: npt.ArrayLike, costs: Costs) -> float:
    """Cost per cycle used, of engines replaced at given ages unless they failed before.

    Args:
        lives: [N] cycles until failure.
        replaced: [N] ages at which each is replaced; at or beyond its life it fails first.
        costs: the prices.

    Raises: ShapeError: if the two do not fit.

    Example:
        >>> cost_rate([100.0], [90.0], Costs(stop=1.0, wasted=0.1))  # (1 + 0.1 x 10) / 90
        0.0222...
    """
    runs = np.asarray(lives, dtype=np.float64)
    ends = np.asarray(replaced, dtype=np.float64)
    if runs.shape != ends.shape or runs.ndim != 1:
        raise ShapeError(f"lives and replaced must be [N], got {runs.shape} and {ends.shape}")
    in_time = ends < runs
    spent = np.where(in_time, costs.stop + costs.wasted * (runs - ends), costs.failure)
    return float(spent.sum() / np.minimum(ends, runs).sum())
