"""A sensor that shall not count, with and without a normalization that carries it past the veto.

Six sensors of 32 steps, cut into stretches of 8; the label is a burst in the second half of one of
them. A veto of that sensor (or of that half of it) leaves nothing to decide by: the ranking must be
chance. A normalization over the whole input shrinks the others where there is a burst, one over
each sensor's time shrinks its first half: then the veto of attention holds, the content passes, and
the certificate must not say "exact".

Letters: B inputs, N stretches, S steps of a stretch.
"""

from collections.abc import Mapping, Sequence
from typing import Final, Literal

import torch
from torch import Tensor, nn

from zhuyi.core.record import Unit
from zhuyi.steer.certify import Certificate, certify
from zhuyi.steer.reading import UnitReader
from zhuyi.steer.rules import Rules
from zhuyi.steer.selectors import Channel
from zhuyi.testing.planted.reader import Block
from zhuyi.testing.steering.baselines import instaboost, pasta, spotlight
from zhuyi.testing.steering.fitting import fit
from zhuyi.testing.steering.network import Network, drawn, linear
from zhuyi.testing.steering.record import Line
from zhuyi.testing.steering.ways import Run, biased_by, meant, plain, ruled

Norm = Literal["none", "over each sensor", "over the input"]
NORMS: Final[tuple[Norm, ...]] = ("none", "over each sensor", "over the input")
SENSORS: Final = tuple("temp flow load vib1 vib2 vib3".split())
STEPS: Final = 32
STRETCH: Final = 8
CUTS: Final = STEPS // STRETCH
STRETCHES: Final = len(SENSORS) * CUTS
LAYERS: Final = 2
HEADS: Final = 4
#: The sensor as a whole, and the half of it in which bursts are.
VETOES: Final = {"sensor": Channel("vib3"), "window": Channel("vib3", start=-STEPS // 2)}


class RevIN(nn.Module):
    """Each sensor of each input to mean 0 and deviation 1 over its time, "B N S"."""

    def forward(self, stretches_BNS: Tensor) -> Tensor:
        """The same, normalized."""
        series = stretches_BNS.reshape(len(stretches_BNS), len(SENSORS), STEPS)
        middle, spread = series.mean(2, keepdim=True), series.std(2, keepdim=True)
        return ((series - middle) / (spread + 1e-5)).reshape_as(stretches_BNS)


class InstanceNorm(nn.Module):
    """Each input to mean 0 and deviation 1 over all its sensors and steps, "B N S"."""

    def forward(self, stretches_BNS: Tensor) -> Tensor:
        """The same, normalized."""
        flat = stretches_BNS.flatten(1)
        normed = (flat - flat.mean(1, keepdim=True)) / (flat.std(1, keepdim=True) + 1e-5)
        return normed.reshape_as(stretches_BNS)


class SensorTransformer(nn.Module):
    """Stretches "B N S" to logits "B 2": a token a stretch, read at a leading row.

    Args:
        norm: what is normalized before anything else.
        generator: of the parameters.
    """

    def __init__(self, norm: nn.Module, generator: torch.Generator, width: int = 32) -> None:
        super().__init__()
        self.normalize = norm
        self.enter = nn.Sequential(
            linear(STRETCH, 2 * width, generator), nn.GELU(), linear(2 * width, width, generator)
        )
        self.places = drawn(STRETCHES, width, generator=generator)
        self.start = drawn(1, width, generator=generator)
        self.network = Network(width=width, num_heads=HEADS, num_layers=LAYERS, generator=generator)
        self.head = linear(width, 2, generator)

    def forward(self, stretches_BNS: Tensor) -> Tensor:
        """Stretches to logits."""
        tokens = self.enter(self.normalize(stretches_BNS)) + self.places
        rows = torch.cat([self.start.expand(len(tokens), 1, -1), tokens], 1)
        logits: Tensor = self.head(self.network(rows)[:, 0])
        return logits


#: What somebody who has read these modules' code may vouch for; not what normalizes.
READ: Final = (SensorTransformer, Network, Block)


def normalizer(norm: Norm) -> nn.Module:
    """The module of that name."""
    return {"none": nn.Identity, "over each sensor": RevIN, "over the input": InstanceNorm}[norm]()


def reader() -> UnitReader:
    """What stands at each position: sensors by name, and by time."""
    units = [Unit(label="[START]", positions=(0,), special=True)]
    units += [
        Unit(label=f"{name} {cut * STRETCH}", positions=(1 + n * CUTS + cut,))
        for n, name in enumerate(SENSORS)
        for cut in range(CUTS)
    ]
    places = [(name, (c * STRETCH, (c + 1) * STRETCH)) for name in SENSORS for c in range(CUTS)]
    return UnitReader(units, channels=[(None, None), *places], layers=LAYERS)


def series(count: int, generator: torch.Generator) -> tuple[Tensor, Tensor]:
    """Stretches "B N S" and labels "B": noise, and in half of the inputs a burst in vib3."""
    values = torch.randn(count, len(SENSORS), STEPS, generator=generator)
    labels = torch.randint(2, (count,), generator=generator)
    first = torch.randint(STEPS // 2, STEPS - 5, (count, 1), generator=generator)
    inside = (torch.arange(STEPS) >= first) & (torch.arange(STEPS) < first + 6)
    values[:, -1] *= 1 + 4 * (inside & (labels[:, None] == 1))
    return values.reshape(count, STRETCHES, STRETCH), labels


def trained(seed: int, norm: Norm, *, steps: int) -> SensorTransformer:
    """The model of a seed."""
    generator = torch.Generator().manual_seed(seed)
    model = SensorTransformer(normalizer(norm), generator)

    def loss(step: int) -> Tensor:
        stretches, labels = series(128, generator)
        return nn.functional.cross_entropy(model(stretches), labels)

    fit(model, loss, steps=steps)
    return model


def certified(model: nn.Module, what: str, stretches: Tensor, *, swaps: int = 5) -> Certificate:
    """What the veto of a sensor (or of a window of it) may claim on this model."""
    rules = Rules().veto(VETOES[what])
    return certify(model, rules, stretches, swaps=swaps, reader=reader(), trusted=READ)


def measure(
    seed: int, *, norm: Norm = "none", steps: int = 400, inputs: int = 1000
) -> tuple[Line, ...]:
    """Train with one kind of normalization, and take the sensor or its window by every way.

    Numbers: "accuracy"; "auc", how well the decision still ranks bursts above none (0.5 is
    nothing); "leak" the largest change of a probability when the vetoed stretches become those of
    another input; of a veto "exact", 1 where the certificate says so.

    Args:
        seed: of the parameters, the training and the inputs.
        norm: what is normalized.
        steps: updates.
        inputs: inputs of the test.
    Cost: fifteen seconds of one core.
    """
    model = trained(seed, norm, steps=steps)
    generator = torch.Generator().manual_seed(1000 + seed)
    stretches, labels = series(inputs, generator)
    lines = []
    for method, dose, what, run in _ways(model, generator):
        numbers = dict(_scored(run, stretches, labels, what))
        if method in ("veto of the sensor", "veto of the window"):
            numbers["exact"] = float(certified(model, what, stretches[:16]).level == "exact")
        lines.append(Line(method=method, dose=dose, numbers=numbers))
    return tuple(lines)


def _scored(run: Run, stretches: Tensor, labels: Tensor, what: str) -> Mapping[str, float]:
    hit = meant(Rules().veto(VETOES[what]), reader(), stretches)[:, 1:]
    other = torch.where(hit[..., None], stretches.roll(1, 0), stretches)
    one, two = (run(given).softmax(1) for given in (stretches, other))
    return {
        "accuracy": float((one.argmax(1) == labels).double().mean()),
        "auc": auc(one[:, 1], labels == 1),
        "leak": float((one - two).abs().max()),
    }


def auc(scores: Tensor, positive: Tensor) -> float:
    """The chance that a positive stands above a negative; equals count half."""
    above = scores[positive][:, None] - scores[~positive][None]
    return float((above > 0).double().mean() + (above == 0).double().mean() / 2)


def _ways(
    model: SensorTransformer, generator: torch.Generator
) -> Sequence[tuple[str, float | None, str, Run]]:
    known = reader()
    every = [(site, head) for site in range(LAYERS) for head in range(HEADS)]
    sensor, window = VETOES["sensor"], VETOES["window"]
    other = SENSORS[int(torch.randint(len(SENSORS) - 1, (1,), generator=generator))]

    def keys(stretches: Tensor) -> Tensor:
        return meant(Rules().veto(sensor), known, stretches)

    def others(stretches: Tensor) -> Tensor:
        return ~keys(stretches)

    def zeroed(stretches: Tensor) -> Tensor:
        return plain(model)(stretches.masked_fill(keys(stretches)[:, 1:, None], 0.0))

    def under(rules: Rules) -> Run:
        return ruled(model, rules, known)

    pasta_all = biased_by(model, lambda x: pasta(others(x), every))
    return (
        ("no rule", None, "sensor", plain(model)),
        ("veto of the sensor", None, "sensor", under(Rules().veto(sensor))),
        ("veto of the window", None, "window", under(Rules().veto(window))),
        ("sensor replaced by zeros", None, "sensor", zeroed),
        *(
            ("damp", weight, "sensor", under(Rules().damp(sensor, weight, beyond=True)))
            for weight in (0.5, 0.05, 0.01, 1e-4)
        ),
        ("veto, last layer only", None, "sensor", under(Rules().veto(sensor, layers="1"))),
        ("veto, 2 of 4 heads", None, "sensor", under(Rules().veto(sensor, heads=(0, 1)))),
        ("veto of another sensor", None, "sensor", under(Rules().veto(Channel(other)))),
        ("InstABoost", 0.05, "sensor", biased_by(model, lambda x: instaboost(keys(x), 0.05))),
        (
            "SpotLight on the others",
            0.95,
            "sensor",
            biased_by(model, lambda x: spotlight(others(x), 0.95)),
        ),
        ("PASTA on the others", 0.01, "sensor", pasta_all),
    )
