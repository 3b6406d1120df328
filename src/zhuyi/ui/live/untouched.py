"""Look at a model in the middle of its training and leave no trace of it."""

from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from typing import Any, Final

import torch
from torch import Tensor, nn

from zhuyi.errors import NotWatchable
from zhuyi.trace.evaluating import evaluating

_WRAPPERS: Final = {"DistributedDataParallel": "module", "DataParallel": "module",
                    "OptimizedModule": "_orig_mod"}  # fmt: skip
_SHARDED: Final = {"FullyShardedDataParallel", "FSDPModule", "DeepSpeedEngine"}


@contextmanager
def untouched(module: nn.Module | None) -> Iterator[None]:
    """Evaluation mode, no gradients; afterwards modes and random generators are as they were.

    Autocast is switched off, so that a look is the same inside such a block and outside of it,
    and no weight that was cast here is handed to the training's next pass.
    """
    devices = {"cpu"} if module is None else {one.device.type for one in module.parameters()}
    gpus = [] if module is None else sorted(
        {one.device.index or 0 for one in module.parameters() if one.device.type == "cuda"}
    )  # fmt: skip
    with ExitStack() as stack:
        if module is not None:
            stack.enter_context(evaluating(module))
        stack.enter_context(torch.random.fork_rng(devices=gpus))
        for device in filter(torch.amp.is_autocast_available, devices):
            stack.enter_context(torch.autocast(device, enabled=False))
        stack.enter_context(torch.inference_mode(False))
        stack.enter_context(torch.no_grad())
        yield


def unwrapped(module: nn.Module) -> nn.Module:
    """The module inside DistributedDataParallel and torch.compile: same weights, run as it is.

    Raises: NotWatchable: if its weights are spread over processes, of which one alone cannot run.
    """
    for one in module.modules():
        sharded = {kind.__name__ for kind in type(one).__mro__} & _SHARDED
        if sharded:
            raise NotWatchable(
                f"{type(one).__name__} keeps its weights spread over several processes, and a "
                "look runs in one: log from a copy of the model, or train it unsharded"
            )
    while type(module).__name__ in _WRAPPERS:
        inner = getattr(module, _WRAPPERS[type(module).__name__])
        assert isinstance(inner, nn.Module)
        module = inner
    return module


def beside(module: nn.Module | None, inputs: Any) -> Any:
    """The inputs where the module is now: a trainer may have moved it since they were made.

    Args:
        module: whose first parameter says where; None moves nothing.
        inputs: a tensor, or tuples, lists and mappings with tensors in them.
    """
    first = None if module is None else next(module.parameters(), None)
    if first is None:
        return inputs
    if isinstance(inputs, Tensor):
        return inputs.to(first.device)
    if isinstance(inputs, Mapping):
        return {name: beside(module, one) for name, one in inputs.items()}
    if type(inputs) in (tuple, list):
        return type(inputs)(beside(module, one) for one in inputs)
    return inputs


def writes_here() -> bool:
    """Whether this process is the one that logs: the only one, or the first of many."""
    distributed = torch.distributed
    if not (distributed.is_available() and distributed.is_initialized()):
        return True
    return distributed.get_rank() == 0
