"""From remaining life to repair now, replace or run on; and what that saved on the test engines."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from zhuyi.recipes.costs import (
    ACTIONS,
    Action,
    Choice,
    Costs,
    Outcome,
    best_age,
    by_age,
    cost_of,
    decide,
    outcome,
    with_errors,
)
from zhuyi.recipes.intervals import Interval, bootstrap
from zhuyi.recipes.manufacturing.life_models import Cut, Told

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class Policy:
    """One way to decide, and what it cost on each test engine.

    Args:
        name: of it.
        actions: one an engine.
        outcome: charged against the truth.
        each: cost of each engine.
        choices: what was weighed, where a model decides; else empty.
    """

    name: str
    actions: tuple[Action, ...]
    outcome: Outcome
    each: Floats
    choices: tuple[Choice, ...] = ()


def by_model(told: Told, truth: Floats, costs: Costs) -> Policy:
    """Decide each engine by a model's prediction and the errors it makes near it."""
    choices = tuple(
        decide(with_errors([said], errors)[0], costs)
        for said, errors in zip(told.said, told.errors, strict=True)
    )
    return _charged(told.model, [one.action for one in choices], truth, costs, choices)


def fixed(data: Cut, costs: Costs) -> tuple[Policy, ...]:
    """Policies that look at no sensor: by the best age, all, none; and one that knows the future.

    Args:
        data: ages for the schedule come from the training engines, and from the test engines for
            the schedule of hindsight, which nobody has.
        costs: the prices.
    """
    ages = data.test.cycles.astype(np.float64)
    known = best_age(data.lives, costs)
    limits = [np.inf, *np.unique(ages)]
    spent = {limit: _charged("", by_age(ages, limit), data.truth, costs).each for limit in limits}
    hindsight = min(limits, key=lambda limit: float(spent[limit].sum()))
    perfect = [
        min(ACTIONS, key=lambda action: float(cost_of(action, left, costs))) for left in data.truth
    ]
    return (
        _charged(f"replace from {known:.0f} cycles on", by_age(ages, known), data.truth, costs),
        _charged("best age in hindsight", by_age(ages, hindsight), data.truth, costs),
        _charged("replace all", ["replace"] * len(ages), data.truth, costs),
        _charged("run on, always", ["run on"] * len(ages), data.truth, costs),
        _charged("knowing the future", perfect, data.truth, costs),
    )


def saved(ours: Policy, other: Policy, *, draws: int = 2000, seed: int = 0) -> Interval:
    """What ours costs less than the other, per engine, with a bootstrap over engines."""
    less = other.each - ours.each
    return bootstrap(lambda rows: float(less[rows].mean()), len(less), draws=draws, seed=seed)


def _charged(
    name: str,
    actions: Sequence[Action],
    truth: Floats,
    costs: Costs,
    choices: tuple[Choice, ...] = (),
) -> Policy:
    each = [
        float(cost_of(action, left, costs)) for action, left in zip(actions, truth, strict=True)
    ]
    return Policy(
        name=name,
        actions=tuple(actions),
        outcome=outcome(name, actions, truth, costs),
        each=np.array(each),
        choices=choices,
    )
