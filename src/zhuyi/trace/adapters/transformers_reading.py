"""What a call of a transformers attention function means, as masks and biases of the core.

The meaning of `sdpa` is known from its source and taken over exactly. Every other function
(eager has two dozen variants, flash and flex their own mask formats, users register theirs) gets
a few hypotheses, and the first whose result equals the function's own output, in two query rows,
is taken. None: the call is reported as unseen, never as another matrix.
"""

import sys
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, Final

import torch
from torch import nn

from zhuyi.core import Bias, Mask
from zhuyi.errors import OptionError
from zhuyi.trace.collector import Collector
from zhuyi.trace.kinds import bound_arguments, is_cross
from zhuyi.trace.mask_reading import attended_keys, read_mask
from zhuyi.trace.observe import Heard, kernel_types
from zhuyi.trace.padding import declared_padding

SDPA_MODULE: Final = "transformers.integrations.sdpa_attention"
TOLERANCE: Final = {torch.float64: 1e-6, torch.float32: 1e-4}
LOW_PRECISION_TOLERANCE: Final = 5e-2
DOCUMENTED: Final = ("flash", "flex")
"""Kernels whose options are documented: taken at their word when dropout hides the evidence."""


@dataclass(frozen=True)
class Call:
    """One call of an attention function: query [B, H, Q, D], key and value [B, G, K, D | Dv]."""

    function: Callable[..., Any]
    kernel: str
    module: nn.Module
    query: torch.Tensor
    key: torch.Tensor
    value: torch.Tensor
    attention_mask: Any
    options: dict[str, Any]

    @property
    def dropout(self) -> float:
        """The share of weights the function drops."""
        return float(self.options.get("dropout") or 0.0)

    @property
    def is_sdpa(self) -> bool:
        """Whether transformers' own sdpa function runs."""
        return getattr(self.function, "__module__", "") == SDPA_MODULE


def hypotheses(call: Call, collector: Collector) -> list[Heard]:
    """What the call may mean, most likely first; exactly one, streamable, when it is known."""
    if call.options.get("cache") is not None:
        raise OptionError("a paged cache keeps the keys in blocks, outside the call")
    queries, keys = call.query.shape[2], call.key.shape[2]
    cross = is_cross(collector.frames, call.module, queries, keys)
    query, key, value = kernel_types(call.query, call.key, call.value)
    causal = False
    if call.is_sdpa and call.attention_mask is None and _causal_option(call) and queries > 1:
        # transformers aligns the causal mask at the top left and drops the unused cache slots.
        key, value, causal = key[:, :, :queries], value[:, :, :queries], True
    mask, bias, present = _masks(call, collector, key, cross)
    base = Heard(
        query=query,
        key=key,
        value=value,
        run=_not_run,
        kernel=call.kernel,
        cross=cross,
        mask=_and(mask, Mask.causal() if causal else None),
        bias=_plus(_position_bias(call, key.shape[2]), bias),
        scale=call.options.get("scaling"),
        present=present,
        # Under autocast the model's own kernel also chooses the type of its output.
        streamable=call.is_sdpa and call.dropout == 0.0 and not _autocast(query),
        volatile=_static_cache(call, collector),
    )
    if call.is_sdpa:
        base.matrix()  # raises here, before the model's call, when something does not fit
        return [base]
    return _variants(call, base)


def explaining(
    heards: list[Heard], output: torch.Tensor, weights: object, dropout: float
) -> int | None:
    """The first hypothesis that gives the function's own result in the first and last row.

    Args:
        heards: the hypotheses.
        output: [B, Q, H, Dv], what the function returned first.
        weights: what it returned second; the evidence where dropout blurs the output.
        dropout: the share of weights it dropped.
    """
    B, H, Q, _ = heards[0].query.shape
    if tuple(output.shape) != (B, Q, H, heards[0].value.shape[3]):
        return None
    rows = torch.tensor(sorted({0, Q - 1}), device=output.device)
    if output.numel() == 0:
        return 0
    tolerance = TOLERANCE.get(heards[0].query.dtype, LOW_PRECISION_TOLERANCE)
    with torch.no_grad():
        for place, heard in enumerate(heards):
            weights_BHrK = heard.unpadded().weights(rows=rows)
            # Conventions differ in rows that see nothing.
            empty = weights_BHrK.sum(-1, keepdim=True) == 0
            if dropout == 0.0:
                theirs = output.transpose(1, 2)[:, :, rows].to(weights_BHrK.dtype)
                value = heard.value.to(weights_BHrK.dtype)
                ours = weights_BHrK @ value.repeat_interleave(H // value.shape[1], dim=1)
            elif isinstance(weights, torch.Tensor) and weights.shape == heard.shape:
                theirs = weights[:, :, rows].to(weights_BHrK.dtype) * (1.0 - dropout)
                ours = weights_BHrK.masked_fill(theirs == 0, 0.0)
            else:
                return 0 if heard.kernel.startswith(DOCUMENTED) else None
            error = (ours - theirs).masked_fill(empty, 0.0).abs().max()
            close = error <= tolerance * (1.0 + theirs.abs().max())
            if bool(close & ~empty.all()):
                return place
    return None


def _variants(call: Call, base: Heard) -> list[Heard]:
    """Readings of a function that is not sdpa: with or without sink, causal, windowed."""
    base = replace(base, softcap=call.options.get("softcap"), sink=_sink(call))
    queries, keys = base.query.shape[2], base.key.shape[2]
    orders: list[Mask | None] = [None]
    given = call.attention_mask
    if not isinstance(given, torch.Tensor) or given.dim() == 2:  # else the mask says it all
        offset = keys - queries
        window = call.options.get("sliding_window")
        if isinstance(window, int):
            orders.append(Mask.window(window - 1, 0, offset=offset))
        orders.append(Mask.causal(offset))
        if keys > queries > 1:
            orders.append(Mask.causal())
        if call.kernel.startswith(DOCUMENTED) and queries > 1 and _causal_option(call):
            orders.append(orders.pop(0))  # causal, within the window if there is one
    heards = [replace(base, mask=_and(base.mask, order)) for order in orders]
    if base.sink is not None:
        heards += [replace(heard, sink=None) for heard in heards]
    return heards


def _masks(
    call: Call, collector: Collector, key: torch.Tensor, cross: bool
) -> tuple[Mask | None, Bias | None, torch.Tensor | None]:
    given = call.attention_mask
    B, H, Q, _ = call.query.shape
    K = key.shape[2]
    if given is None:
        return None, None, None
    if not isinstance(given, torch.Tensor):
        return Mask.dense(_block_mask(given, (B, H, Q, K))), None, None
    if given.dim() == 2:  # flash functions take the padding itself
        keep = given[:, -K:].bool()
        return Mask.padding(keep), None, keep if Q == K and not cross else None
    given = given[..., :K]
    reading = read_mask(given, (B, H, Q, K))
    present = None
    if Q == K and not cross:
        present = reading.present
        if present is None:
            present = _present(call.attention_mask, collector, B, K)
    return reading.mask, reading.bias, present


def _present(
    mask: torch.Tensor, collector: Collector, batch: int, keys: int
) -> torch.Tensor | None:
    """Which positions are no padding: as the caller said, else the keys that anybody may see."""
    known = collector.mask_readings.get(id(mask))
    if known is not None:
        return known[1]
    present, by_hand = declared_padding(collector.frames, batch, keys)
    if present is None and not by_hand:
        # In a mask that the user wrote, a hidden key need not be padding; in the model's own it is.
        present = attended_keys(mask, batch)[:, :keys]
    collector.mask_readings[id(mask)] = (mask, present)  # held, so that the id stays its own
    return present


def _position_bias(call: Call, keys: int) -> Bias | None:
    bias = call.options.get("position_bias")
    return None if bias is None else Bias.dense(bias[..., :keys])


def _causal_option(call: Call) -> bool:
    given = call.options.get("is_causal")
    return bool(getattr(call.module, "is_causal", True) if given is None else given)


def _sink(call: Call) -> torch.Tensor | None:
    sink = call.options.get("s_aux")
    if sink is None:
        sink = getattr(call.module, "sinks", None)
    if not isinstance(sink, torch.Tensor) or sink.numel() != call.query.shape[1]:
        return None
    return sink.reshape(-1).to(call.query.dtype)


def _static_cache(call: Call, collector: Collector) -> bool:
    arguments = bound_arguments(collector.frames[-1])
    cache = arguments.get("past_key_values")
    return bool(getattr(cache, "is_compileable", False))


def _block_mask(given: Any, shape: tuple[int, int, int, int]) -> torch.Tensor:
    flex = sys.modules.get("torch.nn.attention.flex_attention")
    if flex is None or not isinstance(given, flex.BlockMask):
        raise OptionError(f"its mask is a {type(given).__name__}, which no adapter reads")
    B, H, Q, K = shape
    dense: torch.Tensor = flex.create_mask(
        given.mask_mod, B, H, Q, K, device=given.kv_indices.device
    )
    return dense


def _autocast(tensor: torch.Tensor) -> bool:
    return torch.is_autocast_enabled(tensor.device.type)


def _and(first: Mask | None, second: Mask | None) -> Mask | None:
    if first is None or second is None:
        return first if second is None else second
    return first & second


def _plus(first: Bias | None, second: Bias | None) -> Bias | None:
    if first is None or second is None:
        return first if second is None else second
    return first + second


def _not_run() -> torch.Tensor:
    raise AssertionError("a hypothesis has no kernel; the adapter gives it one")
