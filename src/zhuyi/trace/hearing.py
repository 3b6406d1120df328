"""How a collector comes to hear a model: hooks, the patched interface, the mode, the seam."""

import torch
from torch import nn
from torch.utils.hooks import RemovableHandle

from zhuyi.errors import NotWatchable
from zhuyi.trace.adapters import own_layers, torch_mha, torch_sdpa, transformers_interface
from zhuyi.trace.adapters.direct_calls import may_call_torch_attention
from zhuyi.trace.collector import ACTIVE, Collector


class Hearing:
    """From `open` to `close` a collector hears every attention call of a model in this thread.

    What `watch` and `biased` share. `close` restores the model bit for bit.

    Args:
        model: the module to hear.
        collector: who is told of its calls.
    Raises:
        NotWatchable: from `open`, for compiled or scripted models.
    """

    def __init__(self, model: nn.Module, collector: Collector) -> None:
        self._model = model
        self._collector = collector
        self._handles: list[RemovableHandle] = []
        self._mode = False

    def open(self) -> None:
        """Begin to hear."""
        _refuse_closed(self._model)
        try:
            self._add_hooks()
            transformers_interface.install()
        except BaseException:
            self._remove_hooks()
            raise
        ACTIVE.set((*ACTIVE.get(), self._collector))
        self._mode = may_call_torch_attention(self._model)
        if self._mode:
            torch_sdpa.push_mode()
        own_layers.set_observer()

    def close(self) -> None:
        """Leave the model as it was found."""
        self._collector.closed = True
        self._remove_hooks()
        transformers_interface.uninstall()
        remaining = tuple(one for one in ACTIVE.get() if not one.closed)
        ACTIVE.set(remaining)
        if self._mode:
            torch_sdpa.pop_mode()
        if not remaining:
            own_layers.clear_observer()

    def _add_hooks(self) -> None:
        collector = self._collector
        for module in self._model.modules():
            if not _may_attend(module):
                continue
            self._handles += [
                module.register_forward_pre_hook(collector.enter, prepend=True, with_kwargs=True),
                module.register_forward_hook(collector.leave, always_call=True),
            ]
            self._handles += torch_mha.hooks(module, collector)

    def _remove_hooks(self) -> None:
        for handle in reversed(self._handles):
            handle.remove()
        self._handles.clear()


def _may_attend(module: nn.Module) -> bool:
    """Leaves of torch.nn (linear maps, norms, activations) never attend; hooks there would cost."""
    if isinstance(module, nn.MultiheadAttention):
        return True
    if isinstance(module, torch.jit.ScriptModule):
        return False
    leaf = next(module.children(), None) is None
    return not (leaf and type(module).__module__.startswith("torch.nn.modules."))


def _refuse_closed(model: nn.Module) -> None:
    for name, module in model.named_modules():
        place = f"{name} ({type(module).__name__})" if name else type(module).__name__
        compiled = type(module).__name__ == "OptimizedModule" or (
            getattr(module, "_compiled_call_impl", None) is not None
        )
        if compiled:
            raise NotWatchable(
                f"{place} is compiled by torch.compile, which fuses attention away: watch the "
                "module it was made from"
            )
        if isinstance(module, torch.jit.ScriptModule):
            raise NotWatchable(
                f"{place} is TorchScript, which runs outside Python: watch the module it was "
                "made from"
            )
