"""What every test is given: an explanation, what it explains, and the shared work."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol

import torch

from zhuyi.core.record import Attribution, Finding
from zhuyi.trace.subject import Batch, Subject
from zhuyi.verify.removals import Removals
from zhuyi.verify.thresholds import Thresholds


class Method(Protocol):
    """A method of `zhuyi.explain`: a subject and a batch in, an attribution out."""

    def __call__(
        self, subject: Subject, batch: Batch, target: Sequence[int] | None = None
    ) -> Attribution:
        """Explain the decisions on `batch`, by default the most probable ones."""
        ...


@dataclass(frozen=True, kw_only=True)
class Case:
    """One explanation under test.

    Args:
        subject: whatever decides.
        batch: B inputs.
        attribution: the explanation of these inputs.
        method: what computed it, or None when only its values are known.
        removals: what the model decides without some units, shared by all tests.
        thresholds: where a number becomes an outcome.
        seed: of everything random.
    """

    subject: Subject
    batch: Batch
    attribution: Attribution
    method: Method | None
    removals: Removals
    thresholds: Thresholds = field(default_factory=Thresholds)
    seed: int = 0

    def generator(self, purpose: int) -> torch.Generator:
        """A generator of its own for a purpose (a number the test chooses)."""
        return torch.Generator().manual_seed((self.seed * 1_000_003 + purpose) % 2**31)

    def values(self, row: int) -> list[float]:
        """The values of an input's removable units, in reading order."""
        numbers: list[float] = self.attribution.values[row].tolist()
        return [numbers[n] for n in self.removals.removable[row]]

    def names(self, row: int) -> list[str]:
        """The labels of the same units."""
        return [self.removals.units[row][n].label for n in self.removals.removable[row]]


class Test(Protocol):
    """A test of `zhuyi.verify`: a case in, a finding out."""

    def __call__(self, case: Case) -> Finding:
        """Test the explanation."""
        ...
