"""`watch(model)`: see where a model attends while it runs at the speed of its fused kernel."""

from types import TracebackType

from torch import nn

from zhuyi.errors import OptionError
from zhuyi.trace.collector import Collector
from zhuyi.trace.hearing import Hearing
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
        self._open: tuple[Collector, Hearing] | None = None

    def __enter__(self) -> Tape:
        if self._open is not None:
            raise OptionError("this watch is open already: call watch(model) again for another")
        collector = Collector(self._model, self._keep)
        hearing = Hearing(self._model, collector)
        hearing.open()
        self._open = (collector, hearing)
        return collector.tape

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._open is None:
            raise OptionError("this watch is not open: enter it with a with statement")
        collector, hearing = self._open
        self._open = None
        hearing.close()
        if error is None and not collector.passes:
            raise collector.why_empty()
