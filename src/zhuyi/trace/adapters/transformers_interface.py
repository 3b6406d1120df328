"""Hugging Face transformers: every model that dispatches through `AttentionInterface`.

`get_interface` is patched process-wide while any watch is open; contexts without a watch get the
original function. Whatever it returns (sdpa, eager, flash, flex, a custom function) is run as it
is; queries, un-repeated keys and all options are read from its arguments.

transformers is never imported from here: a process that has not imported it has no such model.
"""

import sys
import threading
from collections.abc import Callable
from functools import partial
from typing import Any, Final

import torch
from torch import nn

from zhuyi.core import Bias, Mask
from zhuyi.errors import ZhuyiError
from zhuyi.trace.collector import Claim, Collector, Frame, claim_all, listening, suppressed
from zhuyi.trace.kinds import bound_arguments, is_cross
from zhuyi.trace.mask_reading import MaskReading, attended_keys, read_mask
from zhuyi.trace.observe import Heard, observe
from zhuyi.trace.adapters.spot_check import agrees

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
) -> tuple[torch.Tensor, Any]:
    """The attention function a watched model calls instead of its own."""
    call = partial(function, module, query, key, value, attention_mask, *args, **kwargs)
    collectors = listening()
    if not collectors:
        return call()
    claims = claim_all(collectors, module)
    if not claims:
        with suppressed():
            return call()
    try:
        reading = _Reading(function, kernel, module, query, key, value, attention_mask, kwargs)
        heard = reading.heard(claims[0].collector, call)
        heard.matrix()
    except ZhuyiError as error:
        return _unread(claims, str(error), call)
    return reading.observed(heard, claims)
