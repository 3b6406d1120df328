"""Asking a method again about some of the inputs, after the model or the inputs were changed."""

import torch

from zhuyi.core.record import Finding, Said
from zhuyi.trace.subject import Batch
from zhuyi.verify.case import Case, Method

LEAST = 3
"""Units from which a rank correlation says anything: of two units it is always 1 or -1."""


def chosen_rows(case: Case, most: int, generator: torch.Generator) -> list[int]:
    """At most `most` inputs that have `LEAST` units, drawn without replacement, in order."""
    able = [row for row, units in enumerate(case.removals.removable) if len(units) >= LEAST]
    order: list[int] = torch.randperm(len(able), generator=generator).tolist()
    return sorted(able[place] for place in order[:most])


def explained_again(case: Case, method: Method, rows: list[int], batch: Batch) -> list[list[float]]:
    """Values of the removable units of these inputs, explained with the same targets.

    Args:
        case: whose subject is asked, as it is now.
        method: the method.
        rows: the inputs' places in the case.
        batch: the same inputs, as they are now.
    """
    found = method(case.subject, batch, [case.removals.targets[row] for row in rows])
    values: list[list[float]] = found.values.detach().double().tolist()
    return [
        [values[place][n] for n in case.removals.removable[row]] for place, row in enumerate(rows)
    ]


def mean_known(numbers: list[float | None]) -> float | None:
    """The mean of those that are known, or None."""
    known = [number for number in numbers if number is not None]
    return sum(known) / len(known) if known else None


def skipped(test: object, en: str, zh: str, *, calls: int = 0) -> Finding:
    """The finding of a test that could not run, with the reason."""
    return Finding(
        test=type(test).__name__,
        settings=repr(test),
        outcome="skipped",
        said=Said(en=en, zh=zh),
        calls=calls,
    )
