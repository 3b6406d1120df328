"""The best and the worst order of removal that a model allows: what a faithfulness score can reach.

    area(order) = mean over k of p(everything) - p(everything but the first k of the order)

Without them a score means nothing across models: one may lose a decision after any word, another
after none (Edin et al. 2024, arXiv:2408.08137).
"""

from collections.abc import Sequence
from dataclasses import dataclass

from zhuyi.verify.orders import grid, sets
from zhuyi.verify.removals import Removals

EXACT = 8
"""Most removable units for which every set is asked (256 of them)."""


@dataclass(frozen=True, kw_only=True)
class Limits:
    """The largest and the smallest area of an input.

    Args:
        best, worst: the largest and the smallest comprehensiveness area, in probability.
        best_order, worst_order: orders that reach them.
        exact: whether they are certain; else no order found by the search does better.
    """

    best: float
    worst: float
    best_order: tuple[int, ...]
    worst_order: tuple[int, ...]
    exact: bool


def limits(
    removals: Removals, rows: Sequence[int], *, steps: int = 10, width: int = 3
) -> list[Limits]:
    """The limits of some inputs.

    Args:
        removals: the model.
        rows: which inputs.
        steps: sizes at which an order is looked at, at least 8.
        width: of the beam, for inputs of more than 8 units.

    Returns: the limits, in the order of `rows`.
    Cost:    2^N forward passes for N <= 8 units; beyond, some 2 width N `steps` / 2 of them, all
        inputs and both directions side by side.
    Ref:     Edin et al. 2024, arXiv:2408.08137, sec. 3 (exact, and beam search).
    """
    small = [row for row in rows if len(removals.removable[row]) <= EXACT]
    removals.probabilities(
        [(row, gone) for row in small for gone in range(removals.everything(row) + 1)]
    )
    found = {row: _exact(removals, row) for row in small}
    large = [row for row in rows if row not in found]
    found.update(_searched(removals, large, steps, width))
    return [found[row] for row in rows]


def _exact(removals: Removals, row: int) -> Limits:
    """By dynamic programming over all sets: an order is a path that adds one unit at a time."""
    units = len(removals.removable[row])
    full = removals.everything(row)
    chances = removals.probabilities([(row, gone) for gone in range(full + 1)])
    least, most = [0.0] * (full + 1), [0.0] * (full + 1)
    least_from, most_from = [0] * (full + 1), [0] * (full + 1)
    for gone in range(1, full + 1):
        last = [unit for unit in range(units) if gone >> unit & 1]
        least_from[gone] = min(last, key=lambda unit: least[gone & ~(1 << unit)])
        most_from[gone] = max(last, key=lambda unit: most[gone & ~(1 << unit)])
        least[gone] = chances[gone] + least[gone & ~(1 << least_from[gone])]
        most[gone] = chances[gone] + most[gone & ~(1 << most_from[gone])]
    steps = max(units, 1)
    return Limits(
        best=removals.whole[row] - least[full] / steps if units else 0.0,
        worst=removals.whole[row] - most[full] / steps if units else 0.0,
        best_order=_back(full, least_from),
        worst_order=_back(full, most_from),
        exact=True,
    )


def _back(full: int, came_from: list[int]) -> tuple[int, ...]:
    order: list[int] = []
    while full:
        order.append(came_from[full])
        full &= ~(1 << order[-1])
    return tuple(reversed(order))


@dataclass
class _State:
    """A partial order of the search: what is gone, in which order, and the sum of p so far."""

    gone: int
    order: tuple[int, ...]
    total: float


@dataclass
class _Search:
    """One direction of one input: sign 1 looks for small p (best), -1 for large p (worst)."""

    row: int
    sign: int
    sizes: tuple[int, ...]
    beam: list[_State]
    children: list[_State]


def _searched(removals: Removals, rows: list[int], steps: int, width: int) -> dict[int, Limits]:
    """Beam search, all inputs level by level so that every run of the model is full."""
    searches = [
        _Search(row, sign, grid(len(removals.removable[row]), steps), [_State(0, (), 0.0)], [])
        for row in rows
        for sign in (1, -1)
    ]
    for level in range(max((len(search.sizes) for search in searches), default=0)):
        running = [search for search in searches if level < len(search.sizes)]
        singles = [pair for search in running for pair in _singles(removals, search)]
        removals.probabilities(singles)
        for search in running:
            search.children = _children(removals, search, level, width)
        removals.probabilities([(s.row, child.gone) for s in running for child in s.children])
        for search in running:
            search.beam = _kept(removals, search, width)
    found: dict[int, Limits] = {}
    for best, worst in zip(searches[::2], searches[1::2], strict=True):
        whole, count = removals.whole[best.row], len(best.sizes)
        found[best.row] = Limits(
            best=whole - best.beam[0].total / count,
            worst=whole - worst.beam[0].total / count,
            best_order=best.beam[0].order,
            worst_order=worst.beam[0].order,
            exact=False,
        )
    return found


def _singles(removals: Removals, search: _Search) -> list[tuple[int, int]]:
    """Every state with one more unit gone."""
    units = range(len(removals.removable[search.row]))
    return [
        (search.row, state.gone | 1 << unit)
        for state in search.beam
        for unit in units
        if not state.gone >> unit & 1
    ]


def _children(removals: Removals, search: _Search, level: int, width: int) -> list[_State]:
    """From each state the units that matter most alone, and the same with one changed."""
    size = search.sizes[level]
    units = range(len(removals.removable[search.row]))
    children: dict[int, _State] = {}
    for state in search.beam:
        left = [unit for unit in units if not state.gone >> unit & 1]
        chances = removals.probabilities([(search.row, state.gone | 1 << unit) for unit in left])
        ranked = [u for _, u in sorted(zip((search.sign * p for p in chances), left, strict=True))]
        take = size - len(state.order)
        for more in range(min(width, len(ranked) - take + 1)):
            # The first child takes the best; the next ones swap the last taken for a later one.
            chosen = (*ranked[: take - 1], ranked[take - 1 + more])
            gone = state.gone
            for unit in chosen:
                gone |= 1 << unit
            child = _State(gone, (*state.order, *chosen), state.total)
            known = children.get(gone)
            if known is None or search.sign * known.total > search.sign * child.total:
                children[gone] = child
    return list(children.values())


def _kept(removals: Removals, search: _Search, width: int) -> list[_State]:
    """The children with the sums that the direction likes best."""
    chances = removals.probabilities([(search.row, child.gone) for child in search.children])
    for child, chance in zip(search.children, chances, strict=True):
        child.total += chance
    search.children.sort(key=lambda child: search.sign * child.total)
    return search.children[:width]


def area(removals: Removals, row: int, order: Sequence[int], *, steps: int = 10) -> float:
    """The area of one order, on the sizes that the limits use."""
    sizes = grid(len(order), steps)
    chances = removals.probabilities([(row, gone) for gone in sets(order, sizes)])
    return removals.whole[row] - sum(chances) / max(len(sizes), 1)
