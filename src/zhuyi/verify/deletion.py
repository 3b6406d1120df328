"""Deletion: does the decision rest on the units that the explanation names?"""

from collections.abc import Sequence
from dataclasses import dataclass

from zhuyi.core.record import Finding
from zhuyi.errors import OptionError
from zhuyi.verify.case import Case
from zhuyi.verify.limits import EXACT, Limits, limits
from zhuyi.verify.orders import bins, grid, ranked, sets, shuffled
from zhuyi.verify.removals import Removals
from zhuyi.verify.scores import Score, conclude

_FREE = 64  # pairs of random orders where all sets are known anyway


@dataclass(frozen=True, kw_only=True)
class Deletion:
    """Deletion: units named first must matter most, units named last least.

        comprehensiveness = mean_k p(everything) - p(without the first k units)
        sufficiency       = mean_k p(everything) - p(without the last k units)
        skill             = (comprehensiveness - sufficiency) / (best - worst)

    best and worst are the largest and smallest comprehensiveness that any order of this input's
    units reaches (`zhuyi.verify.limits`). Skill is 1 where the explanation orders the units as well
    as can be, exactly 0 on average for a random order (an order and its mirror image cancel), and
    -s for the mirror image of an explanation of skill s. Units with equal values are ordered both
    ways, so a constant explanation has skill 0.

    The p-value asks how often random orders, one an input, reach the same comprehensiveness -
    sufficiency. The length control measures the same against the share of positions removed and
    not of units: an explanation that only names long words first loses its skill there.

    Args:
        steps: sizes k at which an order is looked at, >= 8; all of them for fewer units.
        orders: random orders an input, each with its mirror image. Where all sets of units are
            known (8 units or fewer) 64 are used, which cost nothing.
        width: of the beam that looks for the best and worst order.
        shares: look at these shares of the units instead (ERASER: 0.01, 0.05, 0.1, 0.2, 0.5); then
            sufficiency keeps the first k only, as there, and skill still comes from `steps`.

    Returns: Finding; details "skill", "comprehensiveness", "sufficiency", "effect" (best - worst),
        "p", one number an input.
    Raises:  OptionError: fewer than 8 steps, another number below 1, shares outside (0, 1].
    Cost:    up to 2 `steps` (1 + 2 `orders`) + `width` N `steps` forward passes an input, less what
        other tests have asked already; in batches of similar length, all inputs side by side.
    Not:     a proof. Removing units makes inputs the model may never have seen; the finding names
        how they were removed, and `OtherRemoval` tries another way.
    Ref:     DeYoung et al. 2020, arXiv:1911.03429, sec. 4.2; Edin et al. 2024, arXiv:2408.08137.

    Example:
        >>> Deletion(orders=4).steps
        10
    """

    steps: int = 10
    orders: int = 8
    width: int = 3
    shares: tuple[float, ...] | None = None

    def __post_init__(self) -> None:
        for name in ("steps", "orders", "width"):
            least = EXACT if name == "steps" else 1
            if getattr(self, name) < least:
                raise OptionError(f"{name} must be at least {least}, got {getattr(self, name)}")
        if self.shares is not None and not all(0.0 < share <= 1.0 for share in self.shares):
            raise OptionError(f"shares must be within (0, 1], got {self.shares}")

    def __call__(self, case: Case) -> Finding:
        """Test the explanation."""
        before = case.removals.calls
        scores = self.scores(case)
        return conclude(
            scores,
            inputs=len(case.removals),
            settings=repr(self),
            removal=case.subject.removal,
            thresholds=case.thresholds,
            seed=case.seed,
            calls=case.removals.calls - before,
        )

    def scores(self, case: Case, rows: Sequence[int] | None = None) -> list[Score]:
        """The numbers of every input (or of `rows`) that has two units or more.

        `conclude` of `zhuyi.verify.scores` judges them, those of several batches together.
        """
        removable = case.removals.removable
        asked_for = range(len(removable)) if rows is None else rows
        rows = [row for row in asked_for if len(removable[row]) > 1]
        plans = [self._plan(case, row) for row in rows]
        asked = [(plan.row, gone) for plan in plans for gone in plan.sets()]
        case.removals.probabilities(asked)
        found = limits(case.removals, rows, steps=self.steps, width=self.width)
        return [
            _scored(case.removals, plan, one, self.shares)
            for plan, one in zip(plans, found, strict=True)
        ]

    def _plan(self, case: Case, row: int) -> "_Plan":
        units = len(case.removals.removable[row])
        label = sum(map(ord, "".join(case.names(row)))) + units
        generator = case.generator(7919 * label + 1)  # by the input, not by its place in the batch
        own, _ = ranked(case.values(row), generator)
        count = max(_FREE, self.orders) if units <= EXACT else self.orders
        return _Plan(row, own, shuffled(units, count, generator), grid(units, self.steps))


@dataclass(frozen=True)
class _Plan:
    """Orders of one input: the explanation's own, random ones, and the sizes to look at."""

    row: int
    own: list[list[int]]
    random: list[list[int]]
    sizes: tuple[int, ...]

    def sets(self) -> list[int]:
        """Every set that both kinds of orders and their mirror images pass through."""
        found: list[int] = []
        for order in (*self.own, *self.random):
            found += sets(order, self.sizes) + sets(order[::-1], self.sizes)
        return found


def _scored(
    removals: Removals, plan: _Plan, found: Limits, shares: tuple[float, ...] | None
) -> Score:
    row, sizes = plan.row, plan.sizes
    first = [_area(removals, row, order, sizes) for order in plan.own]
    last = [_area(removals, row, order[::-1], sizes) for order in plan.own]
    random = [
        (_area(removals, row, order, sizes), _area(removals, row, order[::-1], sizes))
        for order in plan.random
    ]
    # No limit found by a search may lie inside what was seen.
    seen = [*first, *last, *(area for pair in random for area in pair)]
    best, worst = max(found.best, *seen), min(found.worst, *seen)
    comprehensiveness, sufficiency = _mean(first), _mean(last)
    difference = comprehensiveness - sufficiency
    if shares is not None:
        comprehensiveness, sufficiency = _eraser(removals, plan, shares)
    by_length, effect_by_length = difference, best - worst
    random_by_length = tuple(one - other for one, other in random)
    if len(set(removals.positions[row])) > 1:
        by_length = _mean([_by_length(removals, row, order, sizes) for order in plan.own])
        random_by_length = tuple(_by_length(removals, row, o, sizes) for o in plan.random)
        effect_by_length = max(
            _by_length(removals, row, found.best_order, sizes),
            -_by_length(removals, row, found.worst_order, sizes),
            *(abs(one) for one in (by_length, *random_by_length)),
        )
    return Score(
        row=row,
        comprehensiveness=comprehensiveness,
        sufficiency=sufficiency,
        difference=difference,
        effect=best - worst,
        random=tuple(one - other for one, other in random),
        by_length=by_length,
        effect_by_length=effect_by_length,
        random_by_length=random_by_length,
    )


def _area(removals: Removals, row: int, order: Sequence[int], sizes: Sequence[int]) -> float:
    chances = removals.probabilities([(row, gone) for gone in sets(order, sizes)])
    return removals.whole[row] - _mean(chances)


def _by_length(removals: Removals, row: int, order: Sequence[int], sizes: Sequence[int]) -> float:
    """The difference of an order and its mirror image, by share of positions removed."""
    return _under(removals, row, order[::-1], sizes) - _under(removals, row, order, sizes)


def _under(removals: Removals, row: int, order: Sequence[int], sizes: Sequence[int]) -> float:
    """Area under p against the share of positions removed, by the trapezoid rule."""
    lengths = removals.positions[row]
    total = sum(lengths)
    shares = [0.0, *(sum(lengths[unit] for unit in order[:size]) / total for size in sizes)]
    chances = [
        removals.whole[row],
        *removals.probabilities([(row, gone) for gone in sets(order, sizes)]),
    ]
    pairs = zip(shares, shares[1:], chances, chances[1:], strict=False)
    return sum((b - a) * (p + q) / 2 for a, b, p, q in pairs)


def _eraser(removals: Removals, plan: _Plan, shares: tuple[float, ...]) -> tuple[float, float]:
    """ERASER's areas: without the first k units, and with the first k units only."""
    row, everything = plan.row, removals.everything(plan.row)
    sizes = bins(len(removals.removable[row]), shares)
    without: list[float] = []
    only: list[float] = []
    for order in plan.own:
        gone = sets(order, sizes)
        without += removals.probabilities([(row, one) for one in gone])
        only += removals.probabilities([(row, everything & ~one) for one in gone])
    return removals.whole[row] - _mean(without), removals.whole[row] - _mean(only)


def _mean(numbers: Sequence[float]) -> float:
    return sum(numbers) / len(numbers)
