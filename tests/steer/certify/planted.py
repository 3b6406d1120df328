"""Small models, each with one thing in it that carries content past attention."""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from zhuyi.core.record import Unit
from zhuyi.steer.reading import UnitReader

WIDTH, LENGTH, ROWS = 8, 6, 12
NAMES = tuple("abcdef")
VETOED = "c"


def reader() -> UnitReader:
    return UnitReader([Unit(label=name, positions=(n,)) for n, name in enumerate(NAMES)])


def inputs(rows: int = ROWS) -> Tensor:
    return torch.randn(rows, LENGTH, WIDTH, generator=torch.Generator().manual_seed(3))


class Model(nn.Module):
    """An inner module, one transformer layer, and a head that reads the first row."""

    def __init__(self, inner: nn.Module) -> None:
        super().__init__()
        self.inner = inner
        self.layer = nn.TransformerEncoderLayer(WIDTH, 2, 16, batch_first=True)
        self.head = nn.Linear(WIDTH, 3)

    def forward(self, x: Tensor) -> Tensor:
        return self.head(self.layer(self.inner(x))[:, 0])


class MeanPooled(Model):
    def forward(self, x: Tensor) -> Tensor:
        return self.head(self.layer(self.inner(x)).mean(1))


class ReadAt(Model):
    """Reads its decision from the vetoed row."""

    def forward(self, x: Tensor) -> Tensor:
        return self.head(self.layer(self.inner(x))[:, NAMES.index(VETOED)])


class Turned(nn.Module):
    """An inner module that wants channels first."""

    def __init__(self, inner: nn.Module) -> None:
        super().__init__()
        self.inner = inner

    def forward(self, x: Tensor) -> Tensor:
        return x + self.inner(x.transpose(1, 2)).transpose(1, 2)


class First(nn.Module):
    """The first of a module's outputs."""

    def __init__(self, inner: nn.Module) -> None:
        super().__init__()
        self.inner = inner

    def forward(self, x: Tensor) -> Tensor:
        return self.inner(x)[0]


class RevIN(nn.Module):
    """Each series normalized by its own mean and spread over time."""

    def forward(self, x: Tensor) -> Tensor:
        return (x - x.mean(1, keepdim=True)) / (x.std(1, keepdim=True) + 1e-5)


class MambaLike(nn.Module):
    """A state that runs along the sequence, backwards too."""

    def forward(self, x: Tensor) -> Tensor:
        return x + 0.1 * x.flip(1).cumsum(1).flip(1)


class QuantizedLinear(nn.Module):
    """One scale for the whole tensor."""

    def __init__(self) -> None:
        super().__init__()
        self.linear = nn.Linear(WIDTH, WIDTH)

    def forward(self, x: Tensor) -> Tensor:
        scale = x.abs().amax() / 127
        return self.linear((x / scale).round() * scale)


class SparseMoE(nn.Module):
    """Two experts with room for half of the positions each: who comes late finds no room."""

    def __init__(self) -> None:
        super().__init__()
        self.gate = nn.Linear(WIDTH, 2)
        self.experts = nn.ModuleList(nn.Linear(WIDTH, WIDTH) for _ in range(2))

    def forward(self, x: Tensor) -> Tensor:
        flat = x.flatten(0, 1)
        choice = self.gate(flat).argmax(-1)
        result = torch.zeros_like(flat)
        for number, expert in enumerate(self.experts):
            mine = torch.nonzero(choice == number)[:, 0][: len(flat) // 3]
            result = result.index_put((mine,), expert(flat[mine]))
        return x + result.view_as(x)


class CrossAttention(nn.Module):
    """Latents of its own that read everything by hand, where no rule can be heard."""

    def forward(self, x: Tensor) -> Tensor:
        return x + (x @ x.transpose(1, 2)).softmax(-1) @ x


class Shifted(nn.Module):
    """A convolution that no module shows: reading cannot find it, running does."""

    def forward(self, x: Tensor) -> Tensor:
        return x + 0.5 * x.roll(-1, 1) + 0.25 * x.roll(-2, 1)


class Broadcast(nn.Module):
    """The largest number of a position, added to all."""

    def forward(self, x: Tensor) -> Tensor:
        return x + x.amax(1, keepdim=True)


@dataclass(frozen=True, kw_only=True)
class Plant:
    """A model with a breaker.

    Args:
        item: the check of the reading that must fail, or None where nothing can be read.
        build: the model.
        leaks: whether content really passes there, so that runs must find it too.
    """

    item: str | None
    build: Callable[[], nn.Module]
    leaks: bool = True


def _encoder(norm: nn.Module) -> Callable[[], nn.Module]:
    return lambda: Model(Turned(norm))


PLANTS: dict[str, Plant] = {
    "batch normalization": Plant(
        item="normalization", build=lambda: Model(Turned(nn.BatchNorm1d(WIDTH))), leaks=False
    ),
    "instance normalization": Plant(
        item="normalization", build=lambda: Model(Turned(nn.InstanceNorm1d(WIDTH)))
    ),
    "group normalization over positions": Plant(
        item="normalization", build=lambda: Model(Turned(nn.GroupNorm(2, WIDTH)))
    ),
    "layer normalization over positions": Plant(
        item="normalization", build=lambda: Model(nn.LayerNorm((LENGTH, WIDTH)))
    ),
    "softmax over positions": Plant(item="normalization", build=lambda: Model(nn.Softmax(dim=1))),
    "RevIN": Plant(item="normalization", build=lambda: Model(RevIN())),
    "convolution": Plant(
        item="convolution", build=lambda: Model(Turned(nn.Conv1d(WIDTH, WIDTH, 5, padding=2)))
    ),
    "recurrence": Plant(
        item="recurrence",
        build=lambda: Model(First(nn.GRU(WIDTH, WIDTH // 2, batch_first=True, bidirectional=True))),
    ),
    "state space": Plant(item="recurrence", build=lambda: Model(MambaLike())),
    "max pooling along the sequence": Plant(
        item="pooling", build=lambda: Model(Turned(nn.MaxPool1d(5, stride=1, padding=2)))
    ),
    "one quantization scale": Plant(item="quantization", build=lambda: Model(QuantizedLinear())),
    "experts with little room": Plant(item="experts", build=lambda: Model(SparseMoE())),
    "attention that cannot be heard": Plant(
        item="second sequence", build=lambda: Model(CrossAttention())
    ),
    "mean pooling": Plant(item="read-out", build=lambda: MeanPooled(nn.Identity())),
    "read-out at the vetoed row": Plant(item="read-out", build=lambda: ReadAt(nn.Identity())),
    "a shift that no module shows": Plant(item=None, build=lambda: Model(Shifted())),
    "a largest number that no module shows": Plant(item=None, build=lambda: Model(Broadcast())),
}
OWN = (Model, MeanPooled, ReadAt, Turned, First)
"""What the tests vouch for: the frames, never the breakers."""
