"""Models that call `F.scaled_dot_product_attention`, by whatever name they imported it.

A torch function mode sees the call with its arguments; monkey-patching would miss
`from torch.nn.functional import scaled_dot_product_attention`.
"""

import math
import threading
from collections.abc import Callable
from dataclasses import replace
from typing import Any, Final

import torch
from torch import nn
from torch.nn import functional as F
from torch.overrides import TorchFunctionMode

from zhuyi.core import Mask
from zhuyi.errors import ZhuyiError
from zhuyi.trace.adapters.torch_mha import MHA_FORWARD, hear_multihead
from zhuyi.trace.collector import Collector, claim_all, listening
from zhuyi.trace.kinds import is_cross
from zhuyi.trace.mask_reading import read_mask
from zhuyi.trace.observe import Heard, kernel_types, observe
from zhuyi.trace.padding import declared_padding

SDPA: Final = torch._C._nn.scaled_dot_product_attention
PLAIN: Final = (torch.Tensor, nn.Parameter)


class WatchMode(TorchFunctionMode):
    """One per thread while any watch is open in it; passes everything else straight through."""

    def __torch_function__(
        self,
        func: Callable[..., Any],
        types: tuple[type, ...],
        args: tuple[Any, ...] = (),
        kwargs: dict[str, Any] | None = None,
    ) -> Any:
        if func is SDPA:
            collectors = listening()
            if collectors:
                return hear_sdpa(collectors, args, kwargs or {})
        elif func is MHA_FORWARD:
            collectors = listening()
            # A tensor subclass may have its own way with the whole function.
            if collectors and all(kind in PLAIN for kind in types):
                return hear_multihead(collectors, args, kwargs or {})
        return func(*args, **(kwargs or {}))


class _Open(threading.local):
    """How many watches are open in a thread; asyncio tasks share its stack of modes."""

    watches = 0


_open: Final = _Open()


def push_mode() -> None:
    """Count one more watch in this thread; the first makes its torch calls visible."""
    _open.watches += 1
    if not any(isinstance(mode, WatchMode) for mode in _modes()):
        torch._C._push_on_torch_function_stack(WatchMode())


def pop_mode() -> None:
    """Count one watch less; the last takes the mode away, also from below later modes.

    A watch that is closed in another thread than it was opened in leaves its mode behind, which
    then lets every call through.
    """
    _open.watches = max(0, _open.watches - 1)
    if _open.watches:
        return
    stack = _modes()
    places = [i for i, mode in enumerate(stack) if isinstance(mode, WatchMode)]
    if not places:
        return
    above = stack[places[-1] + 1 :]
    for _ in range(len(above) + 1):
        torch._C._pop_torch_function_stack()
    for mode in above:
        torch._C._push_on_torch_function_stack(mode)


def _modes() -> list[TorchFunctionMode]:
    """This thread's stack of modes, outermost first."""
    depth = torch._C._len_torch_function_stack()
    return [torch._C._get_function_stack_at(place) for place in range(depth)]


def hear_sdpa(
    collectors: tuple[Collector, ...], args: tuple[Any, ...], kwargs: dict[str, Any]
) -> torch.Tensor:
    """Watch one call of scaled_dot_product_attention."""
    query, key, value = _parsed(*args, **kwargs)[:3]
    if query.is_nested or key.is_nested:
        for collector in collectors:
            collector.miss("nested tensors have no common length")
        return F.scaled_dot_product_attention(*args, **kwargs)
    claims = claim_all(collectors, None)
    if not claims:
        return F.scaled_dot_product_attention(*args, **kwargs)
    frames = claims[0].collector.frames
    cross = is_cross(frames, None, query.shape[-2], key.shape[-2])
    try:
        heard = sdpa_heard(args, kwargs, cross=cross)
        if heard.present is None and heard.mask is not None and _square(heard):
            # A dense mask hides its padding; the caller may have said it in two dimensions.
            present, _ = declared_padding(frames, heard.shape[0], heard.shape[2])
            heard = replace(heard, present=present)
    except ZhuyiError as error:
        for claim in claims:
            claim.collector.unclaim(claim, str(error))
        return F.scaled_dot_product_attention(*args, **kwargs)
    output_BHQD = observe(heard, claims)
    return output_BHQD.reshape(*query.shape[:-1], output_BHQD.shape[-1])


def _square(heard: Heard) -> bool:
    return not heard.cross and heard.shape[2] == heard.shape[3]


def sdpa_heard(args: tuple[Any, ...], kwargs: dict[str, Any], *, cross: bool) -> Heard:
    """Read a call of scaled_dot_product_attention: inputs of 2 to 5 dimensions, any mask."""
    query, key, value, attn_mask, dropout, is_causal, scale = _parsed(*args, **kwargs)
    query_BHQD, key_BGKD, value_BGKD = (_four_dimensional(t) for t in (query, key, value))
    B, H, Q, K = *query_BHQD.shape[:3], key_BGKD.shape[2]
    if attn_mask is not None and query.dim() != 4:
        attn_mask = _mask_for(attn_mask, query)
    reading = read_mask(attn_mask, (B, H, Q, K))
    mask = reading.mask
    if is_causal:
        mask = Mask.causal() if mask is None else mask & Mask.causal()
    query_BHQD, key_BGKD, value_BGKD = kernel_types(query_BHQD, key_BGKD, value_BGKD)

    def run() -> torch.Tensor:
        return _four_dimensional(F.scaled_dot_product_attention(*args, **kwargs))

    return Heard(
        query=query_BHQD,
        key=key_BGKD.expand(B, -1, -1, -1),
        value=value_BGKD.expand(B, -1, -1, -1),
        mask=mask,
        bias=reading.bias,
        scale=scale,
        present=reading.present if Q == K and not cross else None,
        cross=cross,
        run=run,
        kernel="sdpa",
        streamable=dropout == 0.0 and not torch.is_autocast_enabled(query.device.type),
        dropout=dropout,
    )


def _parsed(
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    attn_mask: torch.Tensor | None = None,
    dropout_p: float = 0.0,
    is_causal: bool = False,
    *,
    scale: float | None = None,
    enable_gqa: bool = False,
) -> tuple[Any, ...]:
    return query, key, value, attn_mask, dropout_p, is_causal, scale


def _four_dimensional(tensor: torch.Tensor) -> torch.Tensor:
    """[..., Q, D] as [B, H, Q, D]: one head for up to 3 dimensions, else leading ones joined."""
    if tensor.dim() == 4:
        return tensor
    if tensor.dim() == 3:
        return tensor[:, None]
    if tensor.dim() == 2:
        return tensor[None, None]
    return tensor.flatten(0, tensor.dim() - 4)


def _mask_for(mask: torch.Tensor, query: torch.Tensor) -> torch.Tensor:
    """A mask for inputs that are not 4-D, as [B | 1, H | 1, Q | 1, K]."""
    if query.dim() < 4 or mask.dim() == 2:
        return mask[:, None] if mask.dim() == 3 else mask
    lead = query.shape[:-2]
    padded = mask[(None,) * (query.dim() - mask.dim())]
    full = padded.expand(*lead[:-1], *padded.shape[-3:])
    return full.reshape(math.prod(lead[:-1]), *padded.shape[-3:])
