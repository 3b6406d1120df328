"""Small models in the styles of other libraries, and the slow truth about their attention."""

from collections.abc import Callable

import torch
from torch import nn
from torch.nn import functional as F
from torch.nn.functional import scaled_dot_product_attention  # bound early, as timm does


def seeded(build: Callable[[], nn.Module], seed: int = 0) -> nn.Module:
    """A model in eval mode whose weights make attention far from uniform."""
    generator = torch.Generator().manual_seed(seed)
    model = build().eval()
    with torch.no_grad():
        for parameter in model.parameters():
            if parameter.dim() >= 2:
                parameter.copy_(torch.randn(parameter.shape, generator=generator) * 0.25)
    return model


def noise(*shape: int, seed: int = 1) -> torch.Tensor:
    """Normal numbers from a seed."""
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def truth(
    query: torch.Tensor,
    key: torch.Tensor,
    *,
    additive: torch.Tensor | None = None,
    keep: torch.Tensor | None = None,
    scale: float | None = None,
) -> torch.Tensor:
    """softmax(scale Q K^T + additive) in float64, [B, H, Q, K]; rows without a key are 0."""
    query, key = query.double(), key.double()
    key = key.repeat_interleave(query.shape[1] // key.shape[1], dim=1)
    scores = query @ key.transpose(-1, -2) * (scale or query.shape[-1] ** -0.5)
    if additive is not None:
        scores = scores + additive.double()
    if keep is not None:
        scores = scores.masked_fill(~keep, float("-inf"))
    return torch.softmax(scores, dim=-1).nan_to_num(0.0)


class TimmAttention(nn.Module):
    """timm's `Attention`: packed qkv, fused_attn."""

    def __init__(self, width: int = 16, heads: int = 2, dropout: float = 0.0) -> None:
        super().__init__()
        self.heads = heads
        self.dropout = dropout
        self.qkv = nn.Linear(width, 3 * width)
        self.proj = nn.Linear(width, width)

    def forward(self, x: torch.Tensor, attn_mask: torch.Tensor | None = None) -> torch.Tensor:
        B, N, C = x.shape
        qkv = self.qkv(x).reshape(B, N, 3, self.heads, C // self.heads).permute(2, 0, 3, 1, 4)
        q, k, v = qkv.unbind(0)
        x = scaled_dot_product_attention(
            q, k, v, attn_mask=attn_mask, dropout_p=self.dropout if self.training else 0.0
        )
        return self.proj(x.transpose(1, 2).reshape(B, N, C))


class TimmBlock(nn.Module):
    """One block of timm's `VisionTransformer`."""

    def __init__(self, width: int = 16) -> None:
        super().__init__()
        self.norm1 = nn.LayerNorm(width)
        self.attn = TimmAttention(width)
        self.norm2 = nn.LayerNorm(width)
        self.mlp = nn.Sequential(nn.Linear(width, 32), nn.GELU(), nn.Linear(32, width))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = x + self.attn(self.norm1(x))
        return x + self.mlp(self.norm2(x))


class TimmViT(nn.Module):
    """timm's `VisionTransformer`, for 8 x 8 images in patches of 4."""

    def __init__(self, depth: int = 2, width: int = 16) -> None:
        super().__init__()
        self.patch_embed = nn.Conv2d(3, width, 4, 4)
        self.cls_token = nn.Parameter(torch.zeros(1, 1, width))
        self.blocks = nn.Sequential(*(TimmBlock(width) for _ in range(depth)))
        self.head = nn.Linear(width, 3)

    def forward(self, image: torch.Tensor) -> torch.Tensor:
        x = self.patch_embed(image).flatten(2).transpose(1, 2)
        x = torch.cat([self.cls_token.expand(len(x), -1, -1), x], dim=1)
        return self.head(self.blocks(x)[:, 0])


class TorchvisionBlock(nn.Module):
    """torchvision's `EncoderBlock`: nn.MultiheadAttention, batch first, without weights."""

    def __init__(self, width: int = 16) -> None:
        super().__init__()
        self.ln_1 = nn.LayerNorm(width)
        self.self_attention = nn.MultiheadAttention(width, 2, batch_first=True)
        self.mlp = nn.Sequential(nn.Linear(width, 32), nn.GELU(), nn.Linear(32, width))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        y = self.ln_1(x)
        y, _ = self.self_attention(y, y, y, need_weights=False)
        return x + y + self.mlp(x)


class Perceiver(nn.Module):
    """Learned latents that read a longer input, then talk among themselves."""

    def __init__(self, width: int = 16) -> None:
        super().__init__()
        self.latents = nn.Parameter(torch.randn(4, width))
        self.read = Reader(width)
        self.think = TimmAttention(width)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        latents = self.latents.expand(len(x), -1, -1)
        return self.think(self.read(latents, x))


class Reader(nn.Module):
    """Attention of one sequence to another."""

    def __init__(self, width: int = 16) -> None:
        super().__init__()
        self.q, self.k, self.v = (nn.Linear(width, width) for _ in range(3))

    def forward(self, x: torch.Tensor, context: torch.Tensor) -> torch.Tensor:
        q, k, v = self.q(x), self.k(context), self.v(context)
        q, k, v = (t.unflatten(-1, (2, -1)).transpose(1, 2) for t in (q, k, v))
        return F.scaled_dot_product_attention(q, k, v).transpose(1, 2).flatten(2)


class Call(nn.Module):
    """One call of scaled_dot_product_attention, with the arguments it is given."""

    def forward(self, *args: object, **kwargs: object) -> torch.Tensor:
        return F.scaled_dot_product_attention(*args, **kwargs)  # type: ignore[arg-type]


class HandMade(nn.Module):
    """Attention by hand: nothing of it can be seen."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return torch.softmax(x @ x.transpose(-1, -2), dim=-1) @ x


class HandMadeAttention(HandMade):
    """The same under a name that says what it is."""
