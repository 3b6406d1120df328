"""Each channel's stretch embedded by itself: codes "B N L 2" to tokens "B N W".

    t_n = F_n W_n + b_n,   F_n = [z_1 .. z_L, missing_1 .. missing_L, mean, slope, pieces of both]

with z the standardized values (0 where missing) and the mean and slope of the known ones. A stretch
without any known value has a token of its own. Letters: B series, N factors, L steps of a stretch,
P pieces, F features, W width of a token.
"""

from typing import TYPE_CHECKING, Final

import torch
from torch import Tensor, nn

from zhuyi.learn.columns import KNOWN
from zhuyi.learn.embedding import Embedding
from zhuyi.learn.series.stretches import ABSENT

if TYPE_CHECKING:
    from zhuyi.learn.series.knowledge import SeriesInputs

_AT_ONCE: Final = 4096  # series embedded at a time
_FAR: Final = 8.0  # standard deviations beyond which a straight line is not continued


class StretchFactors(Embedding):
    """The embedding of every channel's stretches.

    Args:
        inputs: what is known of the series.
        width: W of a token.
        generator: of the parameters; None leaves them as memory is, to be loaded.
    Cost: O(B N F W) time, F = 2 L + 2 P + 2.
    Ref:  Gorishniy et al. 2022, arXiv:2203.05556, eq. 1 (piecewise-linear encoding).
    """

    center: Tensor
    scale: Tensor
    slope_scale: Tensor
    lower: Tensor
    span: Tensor

    def __init__(
        self, inputs: "SeriesInputs", width: int, generator: torch.Generator | None
    ) -> None:
        super().__init__()
        count, channels = inputs.stretches.count, inputs.channels
        length, factors = inputs.stretches.longest, count * len(channels)
        edges = torch.tensor([c.edges for c in channels], dtype=torch.float64)  # "C 2 P+1"
        # all of this follows from the inputs, so it is not saved with the weights
        for name, values in (
            ("center", torch.tensor([c.center for c in channels], dtype=torch.float64)),
            ("scale", torch.tensor([c.scale for c in channels], dtype=torch.float64)),
            ("slope_scale", torch.tensor([c.slope_scale for c in channels], dtype=torch.float64)),
            ("lower", edges[:, :, :-1]),
            ("span", edges.diff(dim=-1)),
        ):
            repeats = (count, *(1,) * (values.dim() - 1))
            self.register_buffer(name, values.repeat(*repeats), persistent=False)
        features = 2 * length + 2 + 2 * (edges.shape[-1] - 1)
        self.weight = nn.Parameter(torch.empty(factors, features, width))
        self.bias = nn.Parameter(torch.empty(factors, width))
        self.gone = nn.Parameter(torch.empty(factors, width))
        if generator is not None:
            self.reset(generator)

    @torch.no_grad()
    def reset(self, generator: torch.Generator) -> None:
        """New parameters, drawn from `generator` alone."""
        bound = self.weight.shape[1] ** -0.5
        for parameter in (self.weight, self.bias, self.gone):
            parameter.uniform_(-bound, bound, generator=generator)

    def present(self, codes: Tensor) -> Tensor | None:
        """Which factors a series has, bool "B N": those of stretches that it reaches."""
        reached: Tensor = (codes[..., 1] != ABSENT).any(-1)
        return None if bool(reached.all()) else reached

    def features(self, codes: Tensor) -> Tensor:
        """What a stretch is read by, "B N F" in float64; 0 where nothing of it is known."""
        known = (codes[..., 1] == KNOWN).to(codes.dtype)
        standard = (codes[..., 0] - self.center[:, None]) / self.scale[:, None]
        standard = standard.clamp(-_FAR, _FAR) * known
        count = known.sum(-1)
        mean = standard.sum(-1) / count.clamp_min(1.0)
        steps = torch.arange(codes.shape[-2], dtype=codes.dtype, device=codes.device)
        apart = known * (steps - ((known * steps).sum(-1) / count.clamp_min(1.0))[..., None])
        slope = (apart * standard).sum(-1) / apart.square().sum(-1).clamp_min(1e-12)
        slope = (slope / self.slope_scale).clamp(-_FAR, _FAR)
        both = torch.stack([mean, slope], -1)  # "B N 2"
        pieces = ((both[..., None] - self.lower) / self.span).clamp(0.0, 1.0)
        return torch.cat([standard, 1.0 - known, both, pieces.flatten(-2)], -1)

    def forward(self, codes: Tensor) -> Tensor:
        """Tokens "B N W" of codes "B N L 2" (value, state)."""
        features = self.features(codes).to(self.weight.dtype)
        tokens = torch.einsum("bnf,nfw->bnw", features, self.weight) + self.bias
        empty = (codes[..., 1] != KNOWN).all(-1)
        return torch.where(empty[..., None], self.gone, tokens) if bool(empty.any()) else tokens

    @torch.no_grad()
    def settle(self, codes: Tensor) -> None:
        """Give the token of a stretch without values, where training had none, the mean token."""
        state = codes[..., 1]
        known = (state == KNOWN).any(-1)
        missed = (~known & (state != ABSENT).any(-1)).any(0)
        total = torch.zeros(self.gone.shape, dtype=torch.float64)
        for part, there in zip(
            torch.split(codes, _AT_ONCE), torch.split(known, _AT_ONCE), strict=True
        ):
            total += (self(part).double() * there[..., None]).sum(0)
        mean = (total / known.sum(0).clamp_min(1)[:, None]).to(self.gone.dtype)
        self.gone.copy_(torch.where(missed[:, None], self.gone, mean))
