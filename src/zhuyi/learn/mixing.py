"""Transformer layers among factors, for decisions that rest on several of them together.

x = x + attention(norm x);  x = x + W2 gelu(W1 norm x)
"""

from collections.abc import Callable
from typing import TypeAlias

import torch
from torch import Tensor, nn

from zhuyi.core import AttentionMatrix, Bias, Mask
from zhuyi.layers import Attention

Added: TypeAlias = Callable[[tuple[int, int, int, int], Callable[[], AttentionMatrix]], Bias | None]
"""(B, H, Q, K) and what gives the weights without it -> what rules add to the scores."""


class SeededDropout(nn.Module):
    """Dropout that draws from a generator of its own and never from the global one.

    Args:
        share: of numbers set to zero while training, in [0, 1).
    """

    def __init__(self, share: float) -> None:
        super().__init__()
        self.share = share
        self.generator: torch.Generator | None = None

    def forward(self, rows: Tensor) -> Tensor:
        """The rows, some numbers of them zero and the others larger while training."""
        if not self.training or not self.share or self.generator is None:
            return rows
        kept = torch.rand(rows.shape, generator=self.generator) >= self.share
        return rows * kept / (1.0 - self.share)


class MixingLayer(nn.Module):
    """One layer: factors attend to each other, then a small network reads each by itself.

    Args:
        width: of a token.
        num_heads: of the attention.
        dropout: share of what a layer adds that is dropped while training.
    """

    def __init__(self, width: int, num_heads: int, dropout: float) -> None:
        super().__init__()
        self.norm_attention = nn.LayerNorm(width)
        self.attention = Attention(width, num_heads=num_heads, output_map=True)
        self.norm_mlp = nn.LayerNorm(width)
        self.mlp = nn.Sequential(
            nn.Linear(width, 2 * width), nn.GELU(), nn.Linear(2 * width, width)
        )
        self.dropout = SeededDropout(dropout)

    def forward(
        self, tokens_BNE: Tensor, mask: Mask | None = None, added: Added | None = None
    ) -> Tensor:
        """Tokens "B N E" to tokens "B N E".

        Args:
            tokens_BNE: of the factors.
            mask: which factors there are.
            added: what rules add to the scores.
        """
        normed = self.norm_attention(tokens_BNE)
        bias = None
        if added is not None:
            B, N, _ = normed.shape
            shape = (B, self.attention.num_heads, N, N)
            bias = added(shape, lambda: self._matrix(normed, mask))
        attended = self.attention(normed, normed, normed, attention_bias=bias, mask=mask).output
        tokens_BNE = tokens_BNE + self.dropout(attended)
        more: Tensor = self.dropout(self.mlp(self.norm_mlp(tokens_BNE)))
        return tokens_BNE + more

    def _matrix(self, normed_BNE: Tensor, mask: Mask | None) -> AttentionMatrix:
        """The weights without rules."""
        query_BHND, key_BHND = (
            part.unflatten(-1, (self.attention.num_heads, -1)).transpose(1, 2)
            for part in (self.attention.query(normed_BNE), self.attention.key(normed_BNE))
        )
        return AttentionMatrix(query_BHND, key_BHND, mask=mask)

    @torch.no_grad()
    def reset(self, generator: torch.Generator) -> None:
        """New parameters, drawn from `generator` alone."""
        for module in self.modules():
            if isinstance(module, nn.Linear):
                bound = module.in_features**-0.5
                module.weight.uniform_(-bound, bound, generator=generator)
                module.bias.zero_()
            elif isinstance(module, nn.LayerNorm):
                module.weight.fill_(1.0)
                module.bias.zero_()


def mixing_layers(count: int, width: int, num_heads: int, dropout: float) -> nn.ModuleList:
    """Layers whose parameters are memory as it is: the caller resets or loads them."""
    # on "meta" torch's own initialization draws nothing from the global generator
    with torch.device("meta"):
        layers = [MixingLayer(width, num_heads, dropout) for _ in range(count)]
    return nn.ModuleList(layers)
