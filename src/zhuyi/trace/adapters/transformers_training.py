"""A plain pair of functions as a callback of transformers' Trainer."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from transformers import TrainerCallback


def trainer_callback(step: Callable[[int], None], close: Callable[[], None]) -> "TrainerCallback":
    """A callback that tells of every optimizer step and of the end.

    Args:
        step: called with the number of the step, from 1.
        close: called when training ends.
    """
    from transformers import TrainerCallback

    class AttentionCallback(TrainerCallback):  # type: ignore[misc, unused-ignore]
        """Hands the steps of a training on."""

        def on_step_end(self, args: Any, state: Any, control: Any, **rest: Any) -> None:
            """After each update of the weights."""
            step(int(state.global_step))

        def on_train_end(self, args: Any, state: Any, control: Any, **rest: Any) -> None:
            """After the last."""
            close()

    return AttentionCallback()
