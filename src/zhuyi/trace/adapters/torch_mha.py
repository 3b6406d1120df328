"""`nn.MultiheadAttention` and the transformer layers built on it.

An active torch function mode makes `has_torch_function` true, which turns torch's native fast
paths off (they never call a function that could be seen). What then runs is
`F.multi_head_attention_forward`; its own body is run with a mode that listens inside, so
projections, masks, biases and dropout are torch's, and the output is bit-equal to torch's
ordinary path.
"""

import types
from collections.abc import Callable
from functools import partial
from typing import Any, Final

import torch
from torch import nn
from torch.nn import functional as F
from torch.overrides import TorchFunctionMode
from torch.utils.hooks import RemovableHandle

from zhuyi.core import Bias, Mask
from zhuyi.errors import NotWatchable
from zhuyi.trace.collector import Claim, Collector, claim_all
from zhuyi.trace.kinds import CROSS_NAME, bound_arguments, same_source
from zhuyi.trace.mask_reading import BLOCKED
from zhuyi.trace.observe import Heard, intervened, observe

MHA_FORWARD: Final = F.multi_head_attention_forward
SDPA: Final = torch._C._nn.scaled_dot_product_attention

_BODY: Final = types.FunctionType(
    MHA_FORWARD.__code__,
    # The same function, told that nobody listens: else it would hand itself over forever.
    {**F.__dict__, "has_torch_function": lambda _: False},
    MHA_FORWARD.__name__,
    MHA_FORWARD.__defaults__,
    MHA_FORWARD.__closure__,
)


class InsideMultihead(TorchFunctionMode):
    """Hears the one attention computation inside multi_head_attention_forward.

    Without need_weights that is one scaled_dot_product_attention; with it, (b)addbmm of scaled
    queries and keys, a softmax, and bmm of weights and values.
    """

    def __init__(self, claims: list[Claim], call: dict[str, Any], cross: bool) -> None:
        super().__init__()
        self._claims = claims
        self._call = call
        self._cross = cross
        self._query_key: tuple[torch.Tensor, torch.Tensor] | None = None
        self._merged: torch.Tensor | None = None

    def __torch_function__(
        self,
        func: Callable[..., Any],
        types: object,
        args: tuple[Any, ...] = (),
        kwargs: dict[str, Any] | None = None,
    ) -> Any:
        kwargs = kwargs or {}
        if func is SDPA:
            return self._fused(args, kwargs)
        if func is torch.baddbmm:
            self._merged, query, key_t = args
            self._query_key = (query, key_t.transpose(-2, -1))
        elif func is torch.bmm and self._query_key is None:
            self._query_key = (args[0], args[1].transpose(-2, -1))
        elif func is F.softmax:
            biased = self._biased_weights()
            if biased is not None:
                return biased
        elif func is torch.bmm:
            return self._with_weights(args)
        return func(*args, **kwargs)

    def _fused(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> torch.Tensor:
        query, key, value, merged, dropout, is_causal = args
        mask, bias, present = self._read(merged, query, key)
        if is_causal:
            mask = Mask.causal()
        heard = Heard(
            query=query,
            key=key,
            value=value,
            mask=mask,
            bias=bias,
            present=present,
            cross=self._cross,
            run=lambda: F.scaled_dot_product_attention(*args, **kwargs),
            kernel="sdpa",
            streamable=dropout == 0.0 and not torch.is_autocast_enabled(query.device.type),
            dropout=dropout,
        )
        return observe(heard, self._claims)

    def _with_weights(self, args: tuple[Any, ...]) -> torch.Tensor:
        assert self._query_key is not None
        weights, value = args
        batch = weights.shape[0] // self._call["num_heads"]
        query, key = (_split(tensor, batch) for tensor in self._query_key)
        heard = self._weighted(
            query, key, _split(value, batch), lambda: _split(torch.bmm(weights, value), batch)
        )
        return observe(heard, self._claims).flatten(0, 1)

    def _biased_weights(self) -> torch.Tensor | None:
        """In the place of torch's softmax, which the caller gets to see: the biased weights."""
        assert self._query_key is not None
        batch = self._query_key[0].shape[0] // self._call["num_heads"]
        query, key = (_split(tensor, batch) for tensor in self._query_key)
        heard = self._weighted(query, key, key, _not_run)  # no value yet, and none is needed
        biased = intervened(heard, self._claims)
        if biased is heard:
            return None
        return biased.unpadded().materialize().to(query.dtype).flatten(0, 1)

    def _weighted(
        self,
        query: torch.Tensor,
        key: torch.Tensor,
        value: torch.Tensor,
        run: Callable[[], torch.Tensor],
    ) -> Heard:
        merged = self._merged
        if merged is not None:
            merged = merged[None] if merged.shape[0] == 1 else _split(merged, query.shape[0])
        mask, bias, present = self._read(merged, query, key)
        return Heard(
            query=query,
            key=key,
            value=value,
            mask=mask,
            bias=bias,
            scale=1.0,  # torch has scaled the queries already
            present=present,
            cross=self._cross,
            run=run,
            kernel="bmm",
            streamable=False,  # the caller gets the weights, which must be those of the output
            dropout=self._call["dropout_p"] if self._call.get("training", True) else 0.0,
        )

    def _read(
        self, merged: torch.Tensor | None, query: torch.Tensor, key: torch.Tensor
    ) -> tuple[Mask | None, Bias | None, torch.Tensor | None]:
        """Bias and present rows from the two masks of the caller, else from torch's merged one."""
        padding, attn_mask = self._call.get("key_padding_mask"), self._call.get("attn_mask")
        B, H, Q, K = *query.shape[:3], key.shape[2]
        present = None
        if padding is not None:
            padding = padding.reshape(B, -1)
            hidden = padding if padding.dtype == torch.bool else padding <= BLOCKED
            if padding.shape[1] == Q and not self._cross:
                present = ~hidden
        if merged is None:
            return None, None, present
        if padding is None or padding.shape[1] != K:
            return None, Bias.dense(merged), present
        # torch's merged mask is B H Q K numbers; the parts it was made of are much smaller.
        mask: Mask | None = None
        bias: Bias | None = None
        if padding.dtype == torch.bool:
            mask = Mask.padding(~padding)
        else:
            bias = Bias.per_key(padding)
        if attn_mask is not None:
            if attn_mask.dim() == 3:
                attn_mask = attn_mask.reshape(-1, H, Q, K)
            if attn_mask.dtype == torch.bool:
                dense = Mask.dense(~attn_mask)
                mask = dense if mask is None else mask & dense
            else:
                bias = Bias.dense(attn_mask) if bias is None else bias + Bias.dense(attn_mask)
        return mask, bias, present


def _not_run() -> torch.Tensor:
    raise AssertionError("weights alone were asked for")


def _split(tensor: torch.Tensor, batch: int) -> torch.Tensor:
    """[B * H, ...] as [B, H, ...]."""
    return tensor.view(batch, -1, *tensor.shape[1:])


def hear_multihead(
    collectors: tuple[Collector, ...], args: tuple[Any, ...], kwargs: dict[str, Any]
) -> tuple[torch.Tensor, torch.Tensor | None]:
    """Watch one call of multi_head_attention_forward."""
    claims = claim_all(collectors, None)
    if not claims:
        return MHA_FORWARD(*args, **kwargs)
    names = MHA_FORWARD.__code__.co_varnames
    call = {**dict(zip(names, args, strict=False)), **kwargs}
    query, key, value = call["query"], call["key"], call["value"]
    same = same_source(query, key, value)
    name = claims[0].name
    cross = bool(CROSS_NAME.search(name)) if same is None else not same
    with InsideMultihead(claims, call, cross):
        output: tuple[torch.Tensor, torch.Tensor | None] = _BODY(*args, **kwargs)
    return output


def hooks(module: nn.Module, collector: Collector) -> list[RemovableHandle]:
    """The hooks, besides those of every module, that torch's own attention modules need."""
    if isinstance(module, (nn.MultiheadAttention, nn.TransformerEncoderLayer)):
        return [module.register_forward_pre_hook(partial(_refuse_nested, collector))]
    if not isinstance(module, nn.TransformerEncoder) or len(module.layers) == 0:
        return []
    if type(module).forward is not nn.TransformerEncoder.forward:
        return []
    padding = NestedPadding(module, collector)
    return [
        module.register_forward_pre_hook(padding.enter),
        module.layers[-1].register_forward_hook(padding.leave_last),
    ]


def _refuse_nested(collector: Collector, module: nn.Module, args: tuple[Any, ...]) -> None:
    """Raise for nested tensors: only the native kernels take those, and they are closed."""
    nested = any(isinstance(one, torch.Tensor) and one.is_nested for one in args)
    if nested and collector.listens:
        name = collector.names[id(module)] or type(module).__name__
        raise NotWatchable(
            f"{name} was called with a nested tensor, which only torch's closed native kernel "
            "takes: pass a padded tensor with key_padding_mask"
        )


class NestedPadding:
    """Zeros where `nn.TransformerEncoder` would have put them without a watch.

    Unwatched, in eval mode without gradients and with a left-aligned padding mask, the encoder
    turns its input into a nested tensor and pads the result with zeros; the ordinary path leaves
    numbers there. Hooks on the encoder and on its last layer make both the same.
    """

    def __init__(self, encoder: nn.TransformerEncoder, collector: Collector) -> None:
        self._encoder = encoder
        self._collector = collector
        self._hidden: torch.Tensor | None = None

    def enter(self, module: nn.Module, args: tuple[Any, ...]) -> None:
        """Forward pre-hook of the encoder: notes which positions torch would drop."""
        if not self._collector.listens or not self._collector.frames:
            return
        call = bound_arguments(self._collector.frames[-1])
        source, padding = call.get("src"), call.get("src_key_padding_mask")
        self._hidden = None
        if source is not None and padding is not None and call.get("mask") is None:
            hidden = padding if padding.dtype == torch.bool else padding == float("-inf")
            if self._would_nest(source, hidden):
                self._hidden = hidden

    def leave_last(self, module: nn.Module, args: object, output: torch.Tensor) -> object:
        """Forward hook of the last layer."""
        hidden, self._hidden = self._hidden, None
        if hidden is None or not self._collector.listens:
            return None
        return output.masked_fill(hidden[..., None], 0.0)

    def _would_nest(self, source: torch.Tensor, hidden: torch.Tensor) -> bool:
        """The conditions of `nn.TransformerEncoder.forward`, in its order."""
        encoder = self._encoder
        first: Any = encoder.layers[0]
        weights = (
            first.self_attn.in_proj_weight,
            first.self_attn.in_proj_bias,
            first.self_attn.out_proj.weight,
            first.self_attn.out_proj.bias,
            *first.norm1.parameters(),
            *first.norm2.parameters(),
            *first.linear1.parameters(),
            *first.linear2.parameters(),
        )
        graph = torch.is_grad_enabled() and any(
            one.requires_grad for one in (source, *weights) if one is not None
        )
        return (
            torch.backends.mha.get_fastpath_enabled()
            and encoder.use_nested_tensor
            and not first.training
            and source.dim() == 3
            and not torch.is_autocast_enabled()
            and not graph
            and (
                not encoder.mask_check
                or torch._nested_tensor_from_mask_left_aligned(source, ~hidden)
            )
        )
