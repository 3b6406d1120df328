"""Decoy patches: in training a stamp in a corner gives a picture's class away, at the test it lies.

A small vision transformer cuts 28 x 28 pixels into 49 patches and reads them at a leading row. The
stamp is a pattern of 4 x 4 pixels, one a class, in one of the four corners, as a hospital's mark is
on its X-rays. A veto of the corners, at inference and without any training, must make the decision
independent of them.

Ref: Ross et al. 2017, arXiv:1703.03717 (decoy MNIST, there a gray square; there a model is trained
     again).

Letters: B pictures, N patches, C classes.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import torch
from torch import Tensor, nn

from zhuyi.core.record import Unit
from zhuyi.steer.reading import UnitReader
from zhuyi.steer.rules import Rules
from zhuyi.steer.selectors import Column
from zhuyi.testing.steering.baselines import instaboost, pasta, spotlight
from zhuyi.testing.steering.fitting import fit
from zhuyi.testing.steering.network import Network, drawn, linear
from zhuyi.testing.steering.record import Line
from zhuyi.testing.steering.ways import Run, biased_by, plain, random_spans, ruled

SIDE: Final = 28
PATCH: Final = 4
GRID: Final = SIDE // PATCH
PATCHES: Final = GRID**2
CORNERS: Final = (0, GRID - 1, PATCHES - GRID, PATCHES - 1)
CLASSES: Final = 10
LAYERS: Final = 2
HEADS: Final = 4


@dataclass(frozen=True, kw_only=True)
class Pictures:
    """Pictures without decoys.

    Args:
        pixels: "B 28 28" in [0, 1].
        labels: int64 "B".
    """

    pixels: Tensor
    labels: Tensor

    def split(self, count: int) -> tuple["Pictures", "Pictures"]:
        """All but the last `count`, and these."""
        return (
            Pictures(pixels=self.pixels[:-count], labels=self.labels[:-count]),
            Pictures(pixels=self.pixels[-count:], labels=self.labels[-count:]),
        )


class PatchTransformer(nn.Module):
    """Pictures "B 28 28" to logits "B C": a token a patch, read at a leading row.

    Args:
        generator: of the parameters.
    """

    def __init__(self, generator: torch.Generator, width: int = 48) -> None:
        super().__init__()
        self.enter = linear(PATCH**2, width, generator)
        self.places = drawn(PATCHES, width, generator=generator)
        self.start = drawn(1, width, generator=generator)
        self.network = Network(width=width, num_heads=HEADS, num_layers=LAYERS, generator=generator)
        self.head = linear(width, CLASSES, generator)

    def forward(self, pixels_BYX: Tensor) -> Tensor:
        """Pictures to logits."""
        tokens = self.enter(patches(pixels_BYX)) + self.places
        rows = torch.cat([self.start.expand(len(tokens), 1, -1), tokens], 1)
        logits: Tensor = self.head(self.network(rows)[:, 0])
        return logits


def patches(pixels_BYX: Tensor) -> Tensor:
    """Pixels of each patch, "B N 16"."""
    cut = pixels_BYX.unfold(1, PATCH, PATCH).unfold(2, PATCH, PATCH)
    return cut.reshape(len(pixels_BYX), PATCHES, PATCH**2)


def reader() -> UnitReader:
    """What stands at each position: patches are named "(row, column)"."""
    start = Unit(label="[START]", positions=(0,), special=True)
    units = [Unit(label=str(divmod(n, GRID)), positions=(n + 1,)) for n in range(PATCHES)]
    return UnitReader([start, *units], layers=LAYERS)


def glyphs(count: int, generator: torch.Generator) -> Pictures:
    """Made-up pictures: ten patterns of strokes, moved about, with noise."""
    pattern = torch.Generator().manual_seed(10)
    coarse = (torch.rand(CLASSES, 1, 5, 5, generator=pattern) < 0.4).float()
    big = nn.functional.interpolate(coarse, scale_factor=4.0)[:, 0]
    labels = torch.randint(CLASSES, (count,), generator=generator)
    pixels = torch.zeros(count, SIDE, SIDE)
    moves = torch.randint(2, 7, (count, 2), generator=generator).tolist()
    for n, (y, x) in enumerate(moves):
        pixels[n, y : y + 20, x : x + 20] = big[labels[n]]
    noisy = (pixels + 0.6 * torch.randn(pixels.shape, generator=generator)).clamp(0.0, 1.0)
    return Pictures(pixels=noisy, labels=labels)


def stamps() -> Tensor:
    """The stamp of each class, "C 4 4"."""
    pattern = torch.Generator().manual_seed(11)
    return (torch.rand(CLASSES, PATCH, PATCH, generator=pattern) < 0.5).float()


def stamped(pictures: Pictures, says: Tensor, generator: torch.Generator) -> Tensor:
    """Pixels with a stamp of the classes `says`, each in some corner; the other corners black."""
    at = torch.randint(4, (len(says),), generator=generator)
    pixels = blackened(pictures.pixels)
    for corner, (y, x) in enumerate(_corners()):
        here = at == corner
        pixels[here, y : y + PATCH, x : x + PATCH] = stamps()[says[here]]
    return pixels


def blackened(pixels: Tensor) -> Tensor:
    """Pictures whose four corners are black."""
    pixels = pixels.clone()
    for y, x in _corners():
        pixels[:, y : y + PATCH, x : x + PATCH] = 0.0
    return pixels


def _corners() -> list[tuple[int, int]]:
    """First row and column of pixels of each corner."""
    return [(place // GRID * PATCH, place % GRID * PATCH) for place in CORNERS]


def trained(
    seed: int, known: Pictures, *, steps: int, right: float | None = 0.9
) -> PatchTransformer:
    """The model of a seed, trained on pictures whose stamp is right in this share (else any).

    None stands for black corners.
    """
    generator = torch.Generator().manual_seed(seed)
    model = PatchTransformer(generator)

    def loss(step: int) -> Tensor:
        pick = torch.randint(len(known.labels), (64,), generator=generator)
        now = Pictures(pixels=known.pixels[pick], labels=known.labels[pick])
        pixels = blackened(now.pixels)
        if right is not None:
            says = torch.randint(CLASSES, now.labels.shape, generator=generator)
            true = torch.rand(now.labels.shape, generator=generator) < right
            pixels = stamped(now, torch.where(true, now.labels, says), generator)
        return nn.functional.cross_entropy(model(pixels), now.labels)

    fit(model, loss, steps=steps, rate=2e-3)
    return model


def measure(
    seed: int,
    *,
    pictures: Pictures | None = None,
    right: float = 0.9,
    steps: int = 400,
    inputs: int = 600,
) -> tuple[Line, ...]:
    """Train with decoys that are right, test with decoys at random, by every way.

    Numbers: "accuracy" where decoys are random; "followed" the share of pictures decided as
    the decoy says; "leak" the largest change of a probability when the corners are painted anew;
    "before" the accuracy where decoys are right.

    Args:
        seed: of the parameters, the training and the decoys.
        pictures: what to show, the last `inputs` of them for the test; None for made-up ones.
        right: share of training pictures whose stamp is right.
        steps: updates.
        inputs: pictures of the test.
    Cost: half a minute of one core.
    """
    generator = torch.Generator().manual_seed(1000 + seed)
    shown = glyphs(4 * inputs, generator) if pictures is None else pictures
    known, test = shown.split(inputs)
    model = trained(seed, known, steps=steps, right=right)
    clean = trained(seed, known, steps=steps, right=None)
    says = [torch.randint(CLASSES, (inputs,), generator=generator) for _ in range(2)]
    lying = [stamped(test, one, generator) for one in says]
    helping = stamped(test, test.labels, generator)

    def numbers(run: Run) -> Mapping[str, float]:
        one, two = (run(pixels).softmax(1) for pixels in lying)
        return {
            "accuracy": float((one.argmax(1) == test.labels).double().mean()),
            "followed": float((one.argmax(1) == says[0]).double().mean()),
            "leak": float((one - two).abs().max()),
            "before": float((run(helping).argmax(1) == test.labels).double().mean()),
        }

    ways = [*_ways(model, generator), ("trained without decoys", None, _black(clean))]
    return tuple(Line(method=method, dose=dose, numbers=numbers(run)) for method, dose, run in ways)


def _black(model: nn.Module) -> Run:
    return lambda pixels: plain(model)(blackened(pixels))


def _ways(
    model: PatchTransformer, generator: torch.Generator
) -> Sequence[tuple[str, float | None, Run]]:
    corners, known = [Column(str(divmod(place, GRID))) for place in CORNERS], reader()
    every = [(site, head) for site in range(LAYERS) for head in range(HEADS)]
    hit = torch.zeros(1, 1 + PATCHES, dtype=torch.bool)
    hit[:, [place + 1 for place in CORNERS]] = True
    free = torch.ones_like(hit)
    free[:, 0] = False

    def keys(pixels: Tensor) -> Tensor:
        return hit.expand(len(pixels), -1)

    def others(pixels: Tensor) -> Tensor:
        return ~keys(pixels)

    def elsewhere(pixels: Tensor) -> Tensor:
        spans = random_spans(keys(pixels), (free & ~hit).expand(len(pixels), -1), generator)
        return biased_by(model, lambda _: instaboost(spans, 1e-9))(pixels)

    def damp(weight: float) -> Run:
        return ruled(model, Rules().damp(corners, weight, beyond=True), known)

    return (
        ("no rule", None, plain(model)),
        ("veto", None, ruled(model, Rules().veto(corners), known)),
        ("corners painted black", None, _black(model)),
        *(("damp", weight, damp(weight)) for weight in (0.5, 0.2, 0.05, 0.01, 1e-4)),
        ("veto, last layer only", None, ruled(model, Rules().veto(corners, layers="1"), known)),
        ("veto, 2 of 4 heads", None, ruled(model, Rules().veto(corners, heads=(0, 1)), known)),
        ("veto of 4 random patches", None, elsewhere),
        ("InstABoost", 0.05, biased_by(model, lambda x: instaboost(keys(x), 0.05))),
        ("SpotLight on the others", 0.95, biased_by(model, lambda x: spotlight(others(x), 0.95))),
        ("PASTA on the others", 0.01, biased_by(model, lambda x: pasta(others(x), every))),
    )
