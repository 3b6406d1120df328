"""Hugging Face transformers: every model that dispatches through `AttentionInterface`.

`get_interface` is patched process-wide while any watch is open; contexts without a watch get the
original function. Whatever it returns (sdpa, eager, flash, flex, a custom function) is run as it
is; queries, un-repeated keys and all options are read from its arguments.

transformers is never imported from here: a process that has not imported it has no such model.
"""

import inspect
import sys
import threading
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any, Final

import torch
from torch import nn

from zhuyi.errors import ZhuyiError
from zhuyi.trace.adapters.transformers_reading import Call, explaining, hypotheses
from zhuyi.trace.collector import Claim, claim_all, listening, suppressed
from zhuyi.trace.observe import Heard, intervened, observe

_LOCK: Final = threading.Lock()
_watches = 0
_original: Callable[..., Callable[..., Any]] | None = None


def install() -> None:
    """Count one more watch; the first one patches the interface."""
    global _watches, _original
    with _LOCK:
        _watches += 1
        modeling = sys.modules.get("transformers.modeling_utils")
        if _original is None and modeling is not None:
            _original = modeling.AttentionInterface.get_interface
            modeling.AttentionInterface.get_interface = _get_interface


def uninstall() -> None:
    """Count one watch less; the last one restores the interface."""
    global _watches, _original
    with _LOCK:
        _watches -= 1
        if _watches == 0 and _original is not None:
            sys.modules["transformers.modeling_utils"].AttentionInterface.get_interface = _original
            _original = None


def _get_interface(
    interface: Any, attn_implementation: str, default: Callable[..., Any]
) -> Callable[..., Any]:
    original = _original
    if original is None:  # the last watch left between look-up and call
        original = type(interface).get_interface
    function = original(interface, attn_implementation, default)
    if not listening():
        return function
    kernel = "eager" if function is default else attn_implementation
    return partial(_heard_attention, function, kernel)


def _heard_attention(
    function: Callable[..., tuple[torch.Tensor, Any]],
    kernel: str,
    module: nn.Module,
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    attention_mask: Any = None,
    *args: Any,
    **kwargs: Any,
) -> Any:
    """The attention function a watched model calls instead of its own."""
    call = partial(function, module, query, key, value, attention_mask, *args, **kwargs)
    collectors = listening()
    if not collectors:
        return call()
    claims = claim_all(collectors, module)
    if not claims:
        with suppressed():
            return call()
    options = _options(function, args, kwargs)
    request = Call(function, kernel, module, query, key, value, attention_mask, options)
    try:
        heards = hypotheses(request, claims[0].collector)
    except ZhuyiError as error:
        for claim in claims:
            claim.collector.unclaim(claim, str(error))
        with suppressed():
            return call()
    heards = [replace(heard, dropout=request.dropout) for heard in heards]
    if request.is_sdpa:
        return _observed_exact(heards[0], claims, call)
    return _observed_checked(heards, claims, call)


def _observed_exact(heard: Heard, claims: list[Claim], call: Callable[[], Any]) -> Any:
    """For functions whose meaning is known: a streamed output may stand in for theirs."""
    results: list[tuple[torch.Tensor, Any]] = []

    def run() -> torch.Tensor:
        results.append(call())
        return results[0][0].transpose(1, 2)

    output_BHQD = observe(replace(heard, run=run), claims)
    if not results:
        return output_BHQD.transpose(1, 2).contiguous(), None
    return _handed_back(results[0], output_BHQD)


def _observed_checked(heards: list[Heard], claims: list[Claim], call: Callable[[], Any]) -> Any:
    """For all others: run first, then take the first reading that explains the output."""
    with suppressed():
        result = call()
    output = result[0]
    first = claims[0]
    # Readings are listed alike for calls that agree in these.
    _, _, Q, K = heards[0].shape
    alike = (first.name, Q == 1, Q == K, len(heards))
    known = first.collector.meanings.get(alike)
    if known is None:
        known = explaining(heards, output, result[1], heards[0].dropout)
        if known is None:
            for claim in claims:
                claim.collector.unclaim(
                    claim,
                    "its attention function computes something else than "
                    "softmax(scale Q K^T + bias) V",
                )
            return result
        first.collector.meanings[alike] = known
    output_BHQD = output.transpose(1, 2)
    heard = replace(heards[known], run=lambda: output_BHQD)
    biased = intervened(heard, claims)
    seen_BHQD = observe(heard, claims)
    if biased is heard:
        return _handed_back(result, output_BHQD)
    return (seen_BHQD.transpose(1, 2).contiguous(), _weights(biased, result[1]), *result[2:])


def _weights(biased: Heard, given: Any) -> torch.Tensor | None:
    """The weights of a biased call in the place of those that the function gave, if it did."""
    if not isinstance(given, torch.Tensor) or given.shape != biased.shape:
        return None
    return biased.unpadded().materialize().to(given.dtype)


def _handed_back(result: tuple[torch.Tensor, Any], output_BHQD: torch.Tensor) -> Any:
    """The function's own result; with gradients, through the tensor that the tape holds."""
    if not output_BHQD.requires_grad:
        return result
    return (output_BHQD.transpose(1, 2), *result[1:])


def _options(
    function: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]
) -> dict[str, Any]:
    """All options by name; models pass nearly all of them so."""
    if not args:
        return kwargs
    names = list(inspect.signature(function).parameters)[5:]
    return {**dict(zip(names, args, strict=False)), **kwargs}
