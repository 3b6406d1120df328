"""What an audit spends: inputs run through the model, and seconds; counted and bounded."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from torch import Tensor, nn

from zhuyi.errors import OptionError, ZhuyiError
from zhuyi.trace.subject import ModelSubject, Subject


class BudgetSpent(ZhuyiError, RuntimeError):
    """Raised before a run of the model that would go beyond the budget."""


class Meter:
    """Counts the sequences that go through a model, and stops it at a bound.

    Args:
        max_calls: most sequences, or None.
        max_seconds: most seconds from now on, or None.
        spent: sequences that were spent before.

    Raises: OptionError: a bound that is not positive.
    Not:    exact for a subject that is no `ModelSubject`: only what removal tests run is counted.
    """

    def __init__(
        self, max_calls: int | None = None, max_seconds: float | None = None, spent: int = 0
    ) -> None:
        for name, bound in (("max_calls", max_calls), ("max_seconds", max_seconds)):
            if bound is not None and bound <= 0:
                raise OptionError(f"{name} must be positive, got {bound}")
        self.calls = spent
        self._max_calls = max_calls
        self._started = time.monotonic()
        self._until = None if max_seconds is None else self._started + max_seconds
        self._inside: nn.Module | None = None
        self._counts_model = False

    @property
    def seconds(self) -> float:
        """Since the meter was made."""
        return time.monotonic() - self._started

    def spend(self, inputs: int) -> None:
        """For `Removals`: counts here only what the model's own hooks do not."""
        if not self._counts_model:
            self._count(inputs)

    @contextmanager
    def on(self, subject: Subject) -> Iterator[None]:
        """Within the block every run of the subject's model is counted."""
        if not isinstance(subject, ModelSubject):
            yield
            return
        # A head may be applied apart from its body, so the body's own runs are counted as well.
        modules = (subject.model, *subject.model.children())
        handles = [
            handle
            for module in modules
            for handle in (
                module.register_forward_pre_hook(self._enter, with_kwargs=True, prepend=True),
                module.register_forward_hook(self._leave, always_call=True),
            )
        ]
        self._counts_model = True
        try:
            yield
        finally:
            self._counts_model, self._inside = False, None
            for handle in handles:
                handle.remove()

    def _enter(self, module: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        if self._inside is not None:
            return
        tensors = [one for one in (*args, *kwargs.values()) if isinstance(one, Tensor)]
        self._count(tensors[0].shape[0] if tensors and tensors[0].dim() else 1)
        self._inside = module

    def _leave(self, module: nn.Module, args: tuple[Any, ...], output: object) -> None:
        if self._inside is module:
            self._inside = None

    def _count(self, inputs: int) -> None:
        if self._max_calls is not None and self.calls + inputs > self._max_calls:
            raise BudgetSpent(f"the budget of {self._max_calls} calls is spent")
        if self._until is not None and time.monotonic() > self._until:
            raise BudgetSpent("the budget of time is spent")
        self.calls += inputs
