"""Dose curves: every way at every dose, and the dose found on inputs that are kept for it."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Generic, TypeVar

from zhuyi.testing.steering.record import Line

#: Collateral that a chosen dose may have on the inputs it is chosen with.
SPARED: Final = 0.01

Numbers = Mapping[str, float]
What = TypeVar("What")


@dataclass(frozen=True, kw_only=True)
class Way(Generic[What]):
    """One way to make a model obey.

    Args:
        method: its name in the table.
        at: dose -> what is measured (a run of the model); None stands for no dose.
        doses: the doses to try; () for a way without any.
    """

    method: str
    at: Callable[[float | None], What]
    doses: tuple[float, ...] = ()


def curves(
    ways: Iterable["Way[What]"], measure: Callable[[What, int], Numbers]
) -> tuple[Line, ...]:
    """Measure every way at every dose, and mark the dose that one would have chosen.

    The choice is made on other inputs than the numbers are from: the most obedience among doses
    with little collateral, the smaller dose of equals; the least collateral if none has little.

    Args:
        ways: what to compare.
        measure: (a run, 0 for the inputs of the choice or 1 for those of the table) -> numbers,
            among them "obedience" and "collateral".
    """
    lines = []
    for way in ways:
        if not way.doses:
            lines.append(Line(method=way.method, numbers=measure(way.at(None), 1)))
            continue
        tried = [measure(way.at(dose), 0) for dose in way.doses]
        chosen = best(tried)
        lines += [
            Line(
                method=way.method,
                dose=dose,
                chosen=place == chosen,
                numbers=measure(way.at(dose), 1),
            )
            for place, dose in enumerate(way.doses)
        ]
    return tuple(lines)


def best(tried: Sequence[Numbers]) -> int:
    """The place of the dose that is chosen."""
    fine = [n for n, one in enumerate(tried) if one["collateral"] <= SPARED]
    if not fine:
        return min(range(len(tried)), key=lambda n: tried[n]["collateral"])
    return max(fine, key=lambda n: round(tried[n]["obedience"], 3))
