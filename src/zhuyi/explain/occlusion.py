"""Occlusion: how much less likely the decision gets when one unit is removed."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from zhuyi.core.record import Attribution
from zhuyi.errors import OptionError
from zhuyi.explain.targets import Target, chosen, of_targets
from zhuyi.trace.subject import Batch, Subject


@dataclass(frozen=True, kw_only=True)
class Occlusion:
    """Occlusion: how much less likely the decision gets when one unit is removed.

        c_n = p(decision | everything) - p(decision | everything but unit n)

    Units are removed in the subject's own way; `evidence["removal"]` names it. Special units are
    never removed and have 0.

    Args:
        batch_size: reduced inputs in one forward pass, >= 1.

    Returns: Attribution with values "B N", signed, in probability; `evidence["probability"]` is
        p(decision | everything) for each input.
    Raises:  OptionError: batch_size < 1.
    Cost:    one forward pass for every unit (in batches of `batch_size`), and one for the whole.
    Not:     aware of interactions: of two units that say the same, neither is missed.
    Ref:     Zeiler & Fergus 2014, arXiv:1311.2901, sec. 4.2; Li, Monroe & Jurafsky 2016,
             arXiv:1612.08220 (leave one out).

    Example:
        >>> Occlusion(batch_size=8)
        Occlusion(batch_size=8)
    """

    batch_size: int = 32

    def __post_init__(self) -> None:
        if self.batch_size < 1:
            raise OptionError(f"batch_size must be at least 1, got {self.batch_size}")

    def __call__(self, subject: Subject, batch: Batch, target: Target = None) -> Attribution:
        """Explain the batch."""
        units = subject.units(batch)
        probabilities = subject.decide(batch)
        targets = chosen(probabilities, target)
        whole = of_targets(probabilities, targets)
        removals = [
            (row, number)
            for row, named in enumerate(units)
            for number, unit in enumerate(named)
            if not unit.special
        ]
        values = torch.zeros(len(units), max(map(len, units)), device=whole.device)
        for first in range(0, len(removals), self.batch_size):
            rows, numbers = zip(*removals[first : first + self.batch_size], strict=True)
            keep = _all_but(numbers, [len(units[row]) for row in rows])
            left = subject.decide(_taken(batch, rows), keep)
            lost = whole[list(rows)] - of_targets(left, [targets[row] for row in rows])
            values[list(rows), list(numbers)] = lost.to(values.dtype)
        return Attribution(
            values=values,
            units=units,
            method=repr(self),
            target=targets,
            signed=True,
            evidence={"probability": tuple(whole.tolist()), "removal": subject.removal},
        )


def _taken(batch: Batch, rows: Sequence[int]) -> Batch:
    return batch[list(rows)] if isinstance(batch, Tensor) else [batch[row] for row in rows]


def _all_but(numbers: Sequence[int], counts: Sequence[int]) -> Tensor:
    """True everywhere but at one unit of each row: bool "B N"."""
    keep = torch.ones(len(numbers), max(counts), dtype=torch.bool)
    keep[torch.arange(len(numbers)), torch.tensor(numbers)] = False
    return keep
