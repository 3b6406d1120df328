"""What a task measures: one line a way and dose, numbers by name."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, kw_only=True)
class Line:
    """One line of a table.

    Args:
        method: what was done.
        dose: how much of it, in the method's own unit; None where it has none.
        chosen: whether this dose was found on inputs that were kept for it.
        numbers: what came of it, by name; shares in [0, 1] unless the task says otherwise.
    """

    method: str
    dose: float | None = None
    chosen: bool = False
    numbers: Mapping[str, float] = field(default_factory=dict)

    def as_json(self) -> Mapping[str, Any]:
        """Plain JSON, numbers to six digits."""
        return {
            "method": self.method,
            "dose": self.dose,
            "chosen": self.chosen,
            "numbers": {name: float(f"{one:.6g}") for name, one in self.numbers.items()},
        }
