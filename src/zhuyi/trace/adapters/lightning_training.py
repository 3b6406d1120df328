"""A plain pair of functions as a callback of Lightning, under either of its two names."""

import sys
from collections.abc import Callable
from importlib import import_module
from importlib.util import find_spec
from typing import Any, Final

from zhuyi.errors import BackendUnavailable

_PACKAGES: Final = ("lightning.pytorch", "pytorch_lightning")


def lightning_callback(step: Callable[[int], None], close: Callable[[], None]) -> Any:
    """A callback that tells of every training batch and of the end.

    `lightning` and `pytorch_lightning` each accept only their own callbacks: the result belongs to
    every one of them that is imported, or else to the one that is installed.

    Args:
        step: called with the trainer's global step; the same number comes again while gradients
            are accumulated.
        close: called when training ends.
    Raises: BackendUnavailable: if neither is installed.
    """
    names = [name for name in _PACKAGES if name in sys.modules]
    names = names or [name for name in _PACKAGES if find_spec(name.partition(".")[0])][:1]
    if not names:
        raise BackendUnavailable("Lightning is not installed: pip install lightning")
    bases: tuple[Any, ...] = tuple(import_module(name).Callback for name in names)

    def on_train_batch_end(self: Any, trainer: Any, *rest: Any, **more: Any) -> None:
        step(int(trainer.global_step))

    def on_train_end(self: Any, trainer: Any, module: Any) -> None:
        close()

    methods = {"on_train_batch_end": on_train_batch_end, "on_train_end": on_train_end}
    return type("AttentionCallback", bases, methods)()
