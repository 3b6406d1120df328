"""The article's attention module, made right.

    scores = Q K^T / sqrt(d_k) + bias,  weights = softmax(scores),  result = weights V

with linear maps for query, key and value of different widths, and the article's two optional
steps: keys scaled into [0, 1], and the result concatenated with the query.
"""

from typing import NamedTuple

import torch
from torch import nn

from .._check import check_at_least, option_error, shape_error
from ..core import AttentionMatrix, Bias, Mask, attend


class AttentionResult(NamedTuple):
    """What `Attention` gives: result [B, Q, E] (or [B, E]) and the weights as a lazy matrix."""

    output: torch.Tensor
    matrix: AttentionMatrix


class Attention(nn.Module):
    """Attention of one sequence over another, with its weights at hand.

    Queries, keys and values pass through linear maps of their own and are split into heads; each
    head attends through `zhuyi.attend`, so watching and biases work inside.

    Args:
        query_width: width of the query input.
        key_width: width of the key input, default query_width.
        value_width: width of the value input, default key_width.
        attention_width: total width of queries and keys after their maps, default query_width;
            divided by num_heads it is d_k.
        output_width: total width of values after their map and of the result, default value_width.
        num_heads: number of heads.
        bias: whether the linear maps have an additive term.
        output_map: whether a last linear map mixes the heads' results.
        scale_keys: step 1 of the article: each mapped key is scaled into [0, 1] over its channels,
            (k - min k) / (max k - min k); a constant key becomes 0.
        concat_query: step 3 of the article: the query input is appended to the result, whose width
            becomes output_width + query_width.
        dropout: share of weights dropped while training.
    Raises:
        OptionError: when a width is not divisible by num_heads.
    Cost: O(B H Q K D) time, O(B (Q + K) E) memory.
    Ref: Vaswani et al. 2017, arXiv:1706.03762, eq. 1.
    Example:
        >>> layer = Attention(512, 1024, attention_width=512)
        >>> keys = torch.randn(2, 7, 1024)
        >>> layer(torch.randn(2, 3, 512), keys, keys).output.shape
        torch.Size([2, 3, 1024])
    """

    def __init__(
        self,
        query_width: int,
        key_width: int | None = None,
        value_width: int | None = None,
        *,
        attention_width: int | None = None,
        output_width: int | None = None,
        num_heads: int = 1,
        bias: bool = True,
        output_map: bool = False,
        scale_keys: bool = False,
        concat_query: bool = False,
        dropout: float = 0.0,
    ) -> None:
        super().__init__()
        key_width = key_width or query_width
        value_width = value_width or key_width
        inner, outer = attention_width or query_width, output_width or value_width
        check_at_least("num_heads", num_heads, 1)
        for name, width in (("attention_width", inner), ("output_width", outer)):
            check_at_least(name, width, 1)
            if width % num_heads:
                option_error(name, f"divisible by num_heads = {num_heads}", width)
        self.num_heads = num_heads
        self.scale_keys, self.concat_query, self.dropout = scale_keys, concat_query, dropout
        self.query = nn.Linear(query_width, inner, bias=bias)
        self.key = nn.Linear(key_width, inner, bias=bias)
        self.value = nn.Linear(value_width, outer, bias=bias)
        self.output = nn.Linear(outer, outer, bias=bias) if output_map else nn.Identity()

    @classmethod
    def from_multihead(cls, source: nn.MultiheadAttention) -> "Attention":
        """The same attention with the weights of an `nn.MultiheadAttention` (copied).

        Raises:
            OptionError: for add_bias_kv or add_zero_attn, which append keys no input has.
        """
        if source.bias_k is not None or source.add_zero_attn:
            option_error("source", "without add_bias_kv and add_zero_attn", source)
        width = source.embed_dim
        has_bias = source.in_proj_bias is not None
        layer = cls(
            width,
            source.kdim,
            source.vdim,
            attention_width=width,
            output_width=width,
            num_heads=source.num_heads,
            bias=has_bias,
            output_map=True,
            dropout=source.dropout,
        )
        weights = _projections(source)
        maps = (layer.query, layer.key, layer.value)
        with torch.no_grad():
            for linear, weight in zip(maps, weights, strict=True):
                linear.weight.copy_(weight)
            if has_bias:
                for linear, part in zip(maps, source.in_proj_bias.chunk(3), strict=True):
                    linear.bias.copy_(part)
        layer.output.load_state_dict(source.out_proj.state_dict())
        layer.to(source.out_proj.weight.device, source.out_proj.weight.dtype)
        return layer.train(source.training)

    def forward(
        self,
        query: torch.Tensor,
        key: torch.Tensor,
        value: torch.Tensor,
        *,
        attention_bias: Bias | None = None,
        mask: Mask | None = None,
    ) -> AttentionResult:
        """Attend.

        Args:
            query: [B, Q, query_width], or [B, query_width] for one query per row.
            key: [B, K, key_width].
            value: [B, K, value_width].
            attention_bias: added to the scores of every head.
            mask: which keys each query may see.
        Returns:
            AttentionResult(output [B, Q, E] or [B, E], matrix of shape (B, H, Q, K)).
        Raises:
            ShapeError: when the inputs do not fit each other.
        """
        single = query.dim() == 2
        query_BQE = query[:, None] if single else query
        self._check(query_BQE, key, value)
        query_BHQD = self._heads(self.query(query_BQE))
        key_BHKD = self._heads(self._scaled(self.key(key)))
        value_BHKD = self._heads(self.value(value))
        result, matrix = attend(
            query_BHQD,
            key_BHKD,
            value_BHKD,
            bias=attention_bias,
            mask=mask,
            dropout=self.dropout if self.training else 0.0,
        )
        output: torch.Tensor = self.output(result.transpose(1, 2).flatten(2))
        if self.concat_query:
            output = torch.cat([output, query_BQE], -1)
        return AttentionResult(output[:, 0] if single else output, matrix)

    def _check(self, query: torch.Tensor, key: torch.Tensor, value: torch.Tensor) -> None:
        B = query.shape[0]
        inputs = (
            ("query", query, self.query, "Q"),
            ("key", key, self.key, "K"),
            ("value", value, self.value, "K"),
        )
        for name, tensor, linear, letter in inputs:
            width = linear.in_features
            if tensor.dim() != 3 or tensor.shape[0] != B or tensor.shape[2] != width:
                shape_error(name, f"[B, {letter}, {width}] with B = {B}", tuple(tensor.shape))
        if key.shape[1] != value.shape[1]:
            shape_error("value", f"as long as key, K = {key.shape[1]}", value.shape[1])

    def _heads(self, tensor_BLE: torch.Tensor) -> torch.Tensor:
        B, L, E = tensor_BLE.shape
        return tensor_BLE.view(B, L, self.num_heads, E // self.num_heads).transpose(1, 2)

    def _scaled(self, key_BKE: torch.Tensor) -> torch.Tensor:
        if not self.scale_keys:
            return key_BKE
        low, high = key_BKE.amin(-1, keepdim=True), key_BKE.amax(-1, keepdim=True)
        spread = high - low
        # a constant key has no spread to divide by and is 0 throughout
        return (key_BKE - low) / torch.where(spread > 0, spread, 1.0)


def _projections(source: nn.MultiheadAttention) -> tuple[torch.Tensor, ...]:
    if source.kdim == source.vdim == source.embed_dim:
        return source.in_proj_weight.chunk(3)
    return source.q_proj_weight, source.k_proj_weight, source.v_proj_weight
