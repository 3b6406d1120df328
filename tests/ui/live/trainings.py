"""Tiny trainings to log, and a sink that remembers."""

from collections.abc import Callable, Mapping

import numpy as np
import torch
from torch import Tensor, nn

from zhuyi.trace.module_subject import ModuleSubject
from zhuyi.ui.live import AttentionLogger, Rgb
from zhuyi.ui.view.document import Moment

PLACES = ("one", "two", "three", "four", "five")


class Tiny(nn.Module):
    """Two encoder layers with dropout, mean over positions, three classes."""

    def __init__(self) -> None:
        super().__init__()
        layer = nn.TransformerEncoderLayer(16, 4, 32, dropout=0.3, batch_first=True)
        self.encoder = nn.TransformerEncoder(layer, 2, enable_nested_tensor=False)
        self.norm = nn.BatchNorm1d(16)
        self.head = nn.Linear(16, 3)

    def forward(self, inputs: Tensor) -> Tensor:
        """Logits "B 3" of inputs "B N 16"."""
        return self.head(self.norm(self.encoder(inputs).mean(1)))


def tiny(seed: int = 3) -> Tiny:
    """The same weights for the same seed."""
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        return Tiny()


def noise(*shape: int, seed: int = 5) -> Tensor:
    """Gaussian numbers."""
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


def subject_of(model: nn.Module) -> ModuleSubject:
    """The model with named positions and classes."""
    return ModuleSubject(model, unit_names=PLACES, labels=("a", "b", "c"))


def train(
    model: nn.Module,
    steps: int,
    after: Callable[[int], None] = lambda _: None,
    inputs: Tensor | None = None,
) -> list[float]:
    """Some steps of AdamW with dropout active; `after` is called with the number of each."""
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-2)
    inputs = noise(6, 5, 16) if inputs is None else inputs
    targets = torch.arange(len(inputs)) % 3
    losses = []
    model.train()
    for step in range(steps):
        optimizer.zero_grad()
        loss = nn.functional.cross_entropy(model(inputs), targets)
        loss.backward()
        optimizer.step()
        losses.append(float(loss.detach()))
        after(step)
    return losses


def log(model: nn.Module, sink: object, steps: int = 9, **options: object) -> None:
    """A training with a logger on two inputs, every two steps unless said otherwise."""
    probe = options.pop("probe", (subject_of(model), noise(2, 5, 16, seed=9)))
    settings = {"every": 2, **options}
    with AttentionLogger(sink, probe, **settings) as logger:
        train(model, steps, logger.step)


class Remembering:
    """A sink that keeps what it was given, in order."""

    def __init__(self) -> None:
        self.tracks: dict[str, tuple[str, bytes]] = {}
        self.moments: dict[tuple[str, int], Moment] = {}
        self.in_full: dict[tuple[str, int], dict[int, bytes]] = {}
        self.numbers: dict[int, dict[str, float]] = {}
        self.images: dict[tuple[int, str], Rgb] = {}
        self.closed = 0

    def track(self, id: str, name: str, pack: bytes) -> None:
        assert id not in self.tracks
        self.tracks[id] = (name, pack)

    def moment(self, id: str, moment: Moment) -> None:
        assert id in self.tracks
        self.moments.pop((id, moment.step), None)  # the later one counts
        self.moments[id, moment.step] = moment

    def details(self, id: str, step: int, packs: Mapping[int, bytes]) -> None:
        assert (id, step) == list(self.moments)[-1], "details follow their moment"
        self.in_full[id, step] = dict(packs)

    def scalars(self, step: int, values: Mapping[str, float]) -> None:
        assert step not in self.numbers
        assert all(np.isfinite(value) for value in values.values())
        self.numbers[step] = dict(values)

    def image(self, step: int, name: str, rgb: Rgb) -> None:
        assert rgb.dtype == np.uint8
        self.images[step, name] = rgb

    def close(self) -> None:
        self.closed += 1

    def steps(self, id: str = "0") -> list[int]:
        """Steps with a look, in the order of writing."""
        return [step for track, step in self.moments if track == id]
