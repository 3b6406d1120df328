"""Self or cross attention, as the arguments, the names and the lengths tell."""

from typing import Any

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from tests.trace.models import noise
from zhuyi.trace import watch


class Plain(nn.Module):
    """Attention of `x` to whatever `_source` makes of the other arguments."""

    def attend(self, x: torch.Tensor, source: torch.Tensor) -> torch.Tensor:
        return F.scaled_dot_product_attention(x[:, None], source[:, None], source[:, None])[:, 0]


class WithContext(Plain):
    def forward(self, x: torch.Tensor, context: torch.Tensor | None = None) -> torch.Tensor:
        return self.attend(x, x if context is None else context)


class WithKeyValueStates(Plain):
    def forward(
        self, hidden_states: torch.Tensor, key_value_states: torch.Tensor | None = None
    ) -> torch.Tensor:
        source = hidden_states if key_value_states is None else key_value_states
        return self.attend(hidden_states, source)


class Conditioned(Plain):
    """adaLN: one vector per input, handed in beside the sequence."""

    def forward(self, x: torch.Tensor, cond: torch.Tensor) -> torch.Tensor:
        return self.attend(x + cond, x + cond)


class LatentsAndContext(Plain):
    """Idefics2's resampler: latents read the context and themselves."""

    def forward(self, latents: torch.Tensor, context: torch.Tensor) -> torch.Tensor:
        return self.attend(latents, torch.cat([context, latents], dim=1))


class Cached(Plain):
    """A decoder that keeps earlier keys to itself."""

    def __init__(self) -> None:
        super().__init__()
        self.past: torch.Tensor | None = None

    def forward(self, x: torch.Tensor, mask: torch.Tensor | None = None) -> torch.Tensor:
        self.past = x if self.past is None else torch.cat([self.past, x], dim=1)
        return self.attend(x, self.past)


class SpatiallyReduced(Plain):
    """PVT: keys are a pooled picture of the queries."""

    def forward(self, image: torch.Tensor) -> torch.Tensor:
        tokens = image.flatten(2).transpose(1, 2)
        return self.attend(tokens, F.avg_pool2d(image, 2).flatten(2).transpose(1, 2))


class CrossAttention(Plain):
    """Only its name says so: both lengths are equal."""

    def forward(self, x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
        return self.attend(x, y)


X, Y, SAME = noise(2, 4, 8), noise(2, 6, 8, seed=2), noise(2, 4, 8, seed=3)
CASES: dict[str, tuple[nn.Module, tuple[Any, ...], str]] = {
    "context given": (WithContext(), (X, Y), "cross"),
    "context of the same length": (WithContext(), (X, SAME), "cross"),
    "context is the input": (WithContext(), (X, X), "self"),
    "no context": (WithContext(), (X,), "self"),
    "key_value_states": (WithKeyValueStates(), (X, SAME), "cross"),
    "no key_value_states": (WithKeyValueStates(), (X, None), "self"),
    "a conditioning vector": (Conditioned(), (X, noise(2, 1, 8)), "self"),
    "latents and context": (LatentsAndContext(), (X, Y), "cross"),
    "spatial reduction": (SpatiallyReduced(), (noise(2, 8, 4, 4),), "self"),
    "a name": (CrossAttention(), (X, SAME), "cross"),
}


@pytest.mark.parametrize(("model", "inputs", "kind"), CASES.values(), ids=CASES.keys())
def test_kind(model: nn.Module, inputs: tuple[Any, ...], kind: str) -> None:
    with watch(model) as tape:
        model(*inputs)
    assert [site.kind for site in tape.sites] == [kind]


def test_a_private_cache_stays_self_attention() -> None:
    model = Cached()
    with watch(model) as tape:
        model(X)
        model(X[:, :1])
        model(X[:, :2])
    assert [one[0].matrix.shape[2:] for one in tape.passes] == [(4, 4), (1, 5), (2, 7)]
    assert {site.kind for one in tape.passes for site in one.sites} == {"self"}


class DetrStyle(nn.Module):
    """Positions added to queries and keys apart, as object detectors do."""

    def __init__(self) -> None:
        super().__init__()
        self.self_attn = nn.MultiheadAttention(8, 2, batch_first=True)
        self.encoder_attn = nn.MultiheadAttention(8, 2, batch_first=True)

    def forward(self, x: torch.Tensor, memory: torch.Tensor, pos: torch.Tensor) -> torch.Tensor:
        x = x + self.self_attn(x + pos, x + pos, x, need_weights=False)[0]
        return x + self.encoder_attn(x + pos, memory + pos, memory, need_weights=False)[0]


def test_detectors_that_add_positions_apart() -> None:
    model = DetrStyle().eval()
    with watch(model) as tape:
        model(X, SAME, noise(2, 4, 8, seed=5))
    assert [(site.name, site.kind) for site in tape.sites] == [
        ("self_attn", "self"),
        ("encoder_attn", "cross"),
    ]
