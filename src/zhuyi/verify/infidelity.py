"""Infidelity: do the values of some units add up to what removing them does?"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import isfinite

import torch

from zhuyi.core.record import Finding, Said
from zhuyi.errors import OptionError
from zhuyi.verify.case import Case


@dataclass(frozen=True, kw_only=True)
class Infidelity:
    """How far the summed values of random units are from what removing these units does.

        infidelity = mean over sets S of (sum over S of value - (p(everything) - p(without S)))^2
        scaled     = the same for beta values, beta the factor that makes it smallest
        unexplained = scaled / mean over S of (p(everything) - p(without S))^2

    Each removable unit is in S with probability 1/2, and every S is followed by its complement, so
    that all units are removed equally often. Values of attention or of gradients of logits have no
    unit of probability: their raw infidelity says nothing, only the scaled one compares. 0 of
    `unexplained` is an explanation that adds up exactly, 1 one that is no better than silence.

    Args:
        samples: sets an input, an even number >= 2.

    Returns: Finding, whose outcome is "informs"; numbers "infidelity" and "scaled" (means over the
        inputs, in squared probability) and "unexplained" (their sums' ratio, in [0, 1]); the same
        as details of each input.
    Raises:  OptionError: samples is odd or below 2.
    Cost:    `samples` forward passes an input, less those that other tests asked.
    Not:     a test of what matters most: a good order may add up badly, because removed units
        interact, and no sum can show that.
    Ref:     Yeh et al. 2019, arXiv:1901.09392, eq. 2 and, for beta, their code; as Captum's
        `infidelity(normalize=True)`.

    Example:
        >>> Infidelity(samples=8)
        Infidelity(samples=8)
    """

    samples: int = 32

    def __post_init__(self) -> None:
        if self.samples < 2 or self.samples % 2:
            raise OptionError(f"samples must be an even number from 2 on, got {self.samples}")

    def __call__(self, case: Case) -> Finding:
        """Test the explanation."""
        before = case.removals.calls
        rows = [
            row
            for row, units in enumerate(case.removals.removable)
            if units and all(map(isfinite, case.values(row)))
        ]
        chosen = {row: subsets(case, row, self.samples) for row in rows}
        case.removals.probabilities([(row, gone) for row in rows for gone in chosen[row]])
        measured = {row: _measured(case, row, chosen[row]) for row in rows}
        numbers = _numbers(list(measured.values()), case.subject.removal)
        return Finding(
            test=type(self).__name__,
            settings=repr(self),
            outcome="informs" if rows else "skipped",
            said=_said(numbers),
            numbers=numbers,
            details={
                name: tuple(
                    getattr(measured[row], name) if row in measured else None
                    for row in range(len(case.removals))
                )
                for name in ("infidelity", "scaled", "unexplained")
            },
            calls=case.removals.calls - before,
        )


def subsets(case: Case, row: int, samples: int) -> list[int]:
    """The sets removed from an input: random ones, each followed by its complement."""
    count = len(case.removals.removable[row])
    label = sum(map(ord, "".join(case.names(row)))) + count
    generator = case.generator(7919 * label + 4)  # by the input, not by its place in the batch
    lots = torch.rand(samples // 2, count, generator=generator) < 0.5
    drawn = [sum(1 << n for n, gone in enumerate(one) if gone) for one in lots.tolist()]
    return [gone for one in drawn for gone in (one, case.removals.everything(row) & ~one)]


@dataclass(frozen=True)
class _Measured:
    """One input's numbers; `changes` is the mean square of what removing does."""

    infidelity: float
    scaled: float
    changes: float

    @property
    def unexplained(self) -> float | None:
        """Share of the changes that no multiple of the values adds up to; None if none change."""
        return self.scaled / self.changes if self.changes > 0.0 else None


def _measured(case: Case, row: int, chosen: Sequence[int]) -> _Measured:
    values = case.values(row)
    sums = [sum(value for n, value in enumerate(values) if gone >> n & 1) for gone in chosen]
    left = case.removals.probabilities([(row, gone) for gone in chosen])
    changes = [case.removals.whole[row] - one for one in left]
    squared = _mean([one * one for one in sums])
    both = _mean([one * other for one, other in zip(sums, changes, strict=True)])
    change = _mean([one * one for one in changes])
    beta = both / squared if squared > 0.0 else 0.0
    return _Measured(
        infidelity=squared - 2 * both + change,
        scaled=max(change - beta * both, 0.0),
        changes=change,
    )


def _mean(numbers: Sequence[float]) -> float:
    return sum(numbers) / len(numbers)


def _numbers(measured: Sequence[_Measured], removal: str) -> dict[str, float | int | str | None]:
    numbers: dict[str, float | int | str | None] = {"tested": len(measured), "removal": removal}
    if not measured:
        return numbers
    changes = sum(one.changes for one in measured)
    return numbers | {
        "infidelity": _mean([one.infidelity for one in measured]),
        "scaled": _mean([one.scaled for one in measured]),
        "changes": changes / len(measured),
        "unexplained": sum(one.scaled for one in measured) / changes if changes > 0.0 else None,
    }


def _said(numbers: dict[str, float | int | str | None]) -> Said:
    share = numbers.get("unexplained")
    if not isinstance(share, float):
        return Said(
            en="Removing units changes no probability, or the values are not numbers: there is "
            "nothing that could add up.",
            zh="去掉任何单元，概率都不变，或者数值无效：没有可相加比较的内容。",
        )
    raw = f"{numbers['infidelity']:.3g}"
    return Said(
        en=f"When random groups of units are removed, the values added up miss {100 * share:.0f} % "
        f"of the squared change of probability, at their best scale (infidelity {raw} as they are; "
        "that one means something only for values in units of probability).",
        zh=f"随机去掉若干单元时，把数值相加（取最合适的比例）仍有 {100 * share:.0f}% "
        f"的概率变化平方未能说明（未缩放的不忠实度为 {raw}，仅当数值以概率为单位时才有意义）。",
    )
