"""Small models of columns whose reasons are known, for the tests of this folder."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from zhuyi.core.record import Attribution
from zhuyi.trace import ModuleSubject
from zhuyi.trace.subject import Batch, Subject


class Weighted(nn.Module):
    """Logits (0, w · x): each column counts by itself."""

    def __init__(self, weights: Sequence[float]) -> None:
        super().__init__()
        self.weights = nn.Parameter(torch.tensor(weights))

    def forward(self, inputs: Tensor) -> Tensor:
        scores = inputs.to(self.weights.dtype) @ self.weights
        return torch.stack((torch.zeros_like(scores), scores), 1)


class Jointly(nn.Module):
    """Logits (0, score) where columns work in pairs, so that no order is obvious."""

    def __init__(self, columns: int, seed: int) -> None:
        super().__init__()
        drawn = torch.randn(columns, columns, generator=torch.Generator().manual_seed(seed))
        self.pairs = nn.Parameter(drawn.double())

    def forward(self, inputs: Tensor) -> Tensor:
        scores = torch.einsum("bi,ij,bj->b", inputs, self.pairs.to(inputs.dtype), inputs)
        return torch.stack((torch.zeros_like(scores), scores), 1)


def columns_of(module: nn.Module, columns: int) -> ModuleSubject:
    """The subject of a module over so many columns."""
    names = [f"c{index}" for index in range(columns)]
    return ModuleSubject(module, unit_names=names, labels=("no", "yes"))


def given(subject: Subject, batch: Batch, values: Tensor, *, signed: bool = True) -> Attribution:
    """Values that somebody claims, as an attribution of the likeliest decisions."""
    return Attribution(
        values=values.float(),
        units=subject.units(batch),
        method="given",
        target=tuple(subject.decide(batch).argmax(1).tolist()),
        signed=signed,
    )


def some_inputs(count: int, columns: int, seed: int = 0) -> Tensor:
    """Numbers between 0.2 and 1.2, so that every column says something."""
    return torch.rand(count, columns, generator=torch.Generator().manual_seed(seed)) + 0.2
