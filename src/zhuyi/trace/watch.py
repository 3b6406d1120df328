"""`watch(model)`: see where a model attends while it runs at the speed of its fused kernel."""

from types import TracebackType

import torch
from torch import nn
from torch.utils.hooks import RemovableHandle

from zhuyi.errors import NotWatchable, OptionError
from zhuyi.trace.adapters import own_layers, torch_mha, torch_sdpa, transformers_interface
from zhuyi.trace.adapters.direct_calls import may_call_torch_attention
from zhuyi.trace.collector import ACTIVE, Collector
from zhuyi.trace.keep import Keep
from zhuyi.trace.tape import Tape


def watch(model: nn.Module, keep: Keep | None = None) -> "Watch":
    """Watch a model: a context manager whose block gives a `Tape`.

    Inside the block the model runs as ever; every attention call it makes in this thread is put
    on the tape. Seen are transformers models that dispatch through the attention interface,
    `F.scaled_dot_product_attention`, `nn.MultiheadAttention` with the layers built on it, and
    `zhuyi.attend`. Leaving the block, also by an exception, restores the model bit for bit.

    Args:
        model: the module to watch; calls of its submodules and `generate` are seen too.
        keep: what to keep, `Keep()` when None.

    Returns:
        A context manager; entering it gives the tape, which fills as the model runs.

    Raises:
        NotWatchable: on entering for compiled or scripted models; on leaving when the model ran
            but nothing could be seen. The text names the module and the reason.
        OptionError: if `model` is no `nn.Module`, or `keep` matches none of its sites.

    Cost:
        Keeping matrices adds microseconds per call and holds queries, keys, values and outputs.
        Statistics are streamed, O(Q + K) numbers per head. The output is that of the model's own
        kernel bit for bit when matrices are kept, except for torch's native fast paths (MHA and
        TransformerEncoder in eval mode), whose ordinary path runs instead. Those outputs, and
        streamed ones, differ by at most 1e-5 (float32) or 2e-2 (bfloat16) of the largest number;
        rows of padding may follow another convention when statistics are streamed. Models that
        may call torch's attention directly pay about two microseconds for each torch operation
        inside the block, which shows only in passes of less than a few milliseconds.

    Not:
        An explanation. Attention is evidence, not proof.

    Example:
        >>> import torch
        >>> layer = torch.nn.TransformerEncoderLayer(8, 2, batch_first=True).eval()
        >>> with watch(layer) as tape:
        ...     _ = layer(torch.randn(1, 5, 8))
        >>> tape.sites[0].name, tape[0].matrix.shape
        ('self_attn', (1, 2, 5, 5))
    """
    if not isinstance(model, nn.Module):
        raise OptionError(f"model must be a torch.nn.Module, got {type(model).__name__}")
    return Watch(model, Keep() if keep is None else keep)


class Watch:
    """The context manager of `watch`."""

    def __init__(self, model: nn.Module, keep: Keep) -> None:
        self._model = model
        self._keep = keep
        self._collector: Collector | None = None
        self._handles: list[RemovableHandle] = []
        self._mode = False

    def __enter__(self) -> Tape:
        if self._collector is not None:
            raise OptionError("this watch is open already: call watch(model) again for another")
        _refuse_closed(self._model)
        collector = self._collector = Collector(self._model, self._keep)
        try:
            self._add_hooks(collector)
            transformers_interface.install()
        except BaseException:
            self._remove_hooks()
            self._collector = None
            raise
        ACTIVE.set((*ACTIVE.get(), collector))
        self._mode = may_call_torch_attention(self._model)
        if self._mode:
            torch_sdpa.push_mode()
        own_layers.set_observer()
        return collector.tape

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        collector = self._collector
        if collector is None:
            raise OptionError("this watch is not open: enter it with a with statement")
        self._collector = None
        collector.closed = True
        self._remove_hooks()
        transformers_interface.uninstall()
        remaining = tuple(one for one in ACTIVE.get() if not one.closed)
        ACTIVE.set(remaining)
        if self._mode:
            torch_sdpa.pop_mode()
        if not remaining:
            own_layers.clear_observer()
        if error is None and not collector.passes:
            raise collector.why_empty()

    def _add_hooks(self, collector: Collector) -> None:
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
