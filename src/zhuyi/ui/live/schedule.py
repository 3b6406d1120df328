"""When to look, and at which looks to keep heads in full."""

from zhuyi.errors import OptionError


class Every:
    """Due at the first step it is asked about, then whenever a multiple of `steps` is passed.

    Steps may be left out, come twice (gradients that are accumulated) or begin again lower down
    (a training that goes on from a checkpoint).

    Args:
        steps: from one look to the next, 1 or more.

    Example:
        >>> due = Every(50)
        >>> [step for step in range(1, 201) if due(step)]
        [1, 50, 100, 150, 200]
    """

    def __init__(self, steps: int) -> None:
        if steps < 1:
            raise OptionError(f"every must be 1 or more steps, got {steps}")
        self.steps = steps
        self._last: int | None = None

    def __call__(self, step: int) -> bool:
        """Whether to look now; a step for which it said yes is not due again."""
        last = self._last
        due = last is None or step // self.steps != last // self.steps
        if due:
            self._last = step
        return due


class Doubling:
    """Due at look 1, 2, 4, 8, ...: the early changes are the largest, and few looks are kept.

    Example:
        >>> due = Doubling()
        >>> [look for look in range(1, 20) if due()]
        [1, 2, 4, 8, 16]
    """

    def __init__(self) -> None:
        self.looks = 0

    def __call__(self) -> bool:
        """Count one look; whether it is one of these."""
        self.looks += 1
        return self.looks & (self.looks - 1) == 0
