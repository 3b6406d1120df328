"""`biased(model, rule)`: add to the scores of a model's attention while it runs.

The one seam through which anybody changes what a model attends to: tests that look for another
attention with the same result, and steering by rules.
"""

from collections.abc import Callable
from types import TracebackType
from typing import TypeAlias

from torch import nn

from zhuyi.core import Bias
from zhuyi.errors import OptionError
from zhuyi.trace.collector import BiasRule, Collector
from zhuyi.trace.hearing import Hearing
from zhuyi.trace.keep import Keep

PlaceRule: TypeAlias = Callable[[int, tuple[int, int, int, int]], Bias | None]
"""(site index, (B, H, Q, K)) -> what to add to the scores there, or None."""


def biased(model: nn.Module, bias: PlaceRule) -> "Biased":
    """Bias a model: within the block, every attention call in this thread gets a bias.

        weights = softmax(scores of the model + bias(site, (B, H, Q, K)), masked)

    `bias` is asked once for every attention call, while the model runs, with the site's place in
    the pass (as `Site.index` on the tape of a watch of the same model) and the call's shape. What
    it returns is added to the scores beside the model's own masks and biases: ln(w) multiplies the
    odds of a key by w, -inf forbids it. For None the call is untouched and the model's own kernel
    runs, bit for bit. The index begins again at 0 with every pass, so at every step of a generation
    (with a cache Q is then 1 and K grows).

    Watches inside the block see the biased attention, and a subject's `decide`, `watch` and every
    explanation of it can be run there. Blocks may be nested; their biases add up. Everything that
    `watch` hears can be biased. Leaving the block restores the model bit for bit, also after an
    exception.

    Args:
        model: the module to bias; indices count within its passes.
        bias: (site index, (B, H, Q, K)) -> what to add, or None. B counts sequences as the model
            runs them, padding included; H are query heads.

    Returns:
        A context manager whose block gives nothing.

    Raises:
        NotWatchable: on entering for compiled or scripted models; from the model's call where an
            attention call cannot be read, or drops weights at random; on leaving when nothing was
            heard, or attention ran that could not be heard. Never is a call silently left without
            its bias.
        OptionError: if `model` is no `nn.Module`, or `bias` gives something that is no `Bias`.
        ShapeError: from the model's call, if a bias does not fit the call.

    Cost:
        A biased call costs `zhuyi.attend` with that bias: the fused kernel for a bias without
        gradient, O(B H Q K) memory for one that requires it. Functions other than sdpa ("eager",
        "flash", "flex") are also run as they are, to know what they mean. Gradients flow to the
        bias's tensors.

    Not:
        A training mode: dropout is refused, and layers that are run again in the backward pass
        (gradient checkpointing) are refused inside the block and not biased outside of it. Calls
        in other threads are not biased.

    Example:
        >>> import torch
        >>> from zhuyi.core import Bias
        >>> from zhuyi.trace import watch
        >>> layer = torch.nn.TransformerEncoderLayer(8, 2, batch_first=True).eval()
        >>> veto = Bias.per_key(torch.tensor([0.0, 0.0, float("-inf")]))
        >>> with biased(layer, lambda site, shape: veto), watch(layer) as tape:
        ...     _ = layer(torch.randn(1, 3, 8))
        >>> tape[0].matrix.received()[0, :, 2].tolist()
        [0.0, 0.0]
    """
    if not isinstance(model, nn.Module):
        raise OptionError(f"model must be a torch.nn.Module, got {type(model).__name__}")
    return Biased(model, lambda call: bias(call.site.index, call.shape))


class Biased:
    """The context manager of `biased`, for a rule that sees the whole call.

    Args:
        model: the module to bias.
        bias: `BiasedCall` -> what to add to its scores, or None.
    """

    def __init__(self, model: nn.Module, bias: BiasRule) -> None:
        self._model = model
        self._bias = bias
        self._open: tuple[Collector, Hearing] | None = None

    def __enter__(self) -> None:
        if self._open is not None:
            raise OptionError("this block is open already: call biased(model, ...) for another")
        collector = Collector(self._model, Keep(), self._bias)
        hearing = Hearing(self._model, collector)
        hearing.open()
        self._open = (collector, hearing)

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._open is None:
            raise OptionError("this block is not open: enter it with a with statement")
        collector, hearing = self._open
        self._open = None
        hearing.close()
        if error is None:
            collector.refuse_unheard()
