"""A shortcut column: it gave the label away when the data were collected, and no longer does.

Ten columns hold numbers, three of which decide; the eleventh is the label itself, wrong once in
ten, and at the test it is the toss of a coin. A veto of that column must make the decision
independent of it; what accuracy is then left is told, beside a model that never had the column.
"""

from collections.abc import Mapping, Sequence
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
from zhuyi.testing.steering.ways import Run, biased_by, plain, ruled

COLUMNS: Final = tuple(
    "age income height visits weight distance children years pressure sleep site".split()
)
SHORTCUT: Final = len(COLUMNS) - 1
LAYERS: Final = 2
HEADS: Final = 4


class TableTransformer(nn.Module):
    """Numbers "B N" to logits "B 2": a token a column, read at a leading row.

    Args:
        generator: of the parameters.
    Ref: Gorishniy et al. 2021, arXiv:2106.11959 (FT-Transformer), small.
    """

    def __init__(self, generator: torch.Generator, width: int = 32) -> None:
        super().__init__()
        self.slopes = drawn(len(COLUMNS), width, generator=generator)
        self.names = drawn(len(COLUMNS), width, generator=generator)
        self.start = drawn(1, width, generator=generator)
        self.network = Network(width=width, num_heads=HEADS, num_layers=LAYERS, generator=generator)
        self.head = linear(width, 2, generator)

    def forward(self, values_BN: Tensor) -> Tensor:
        """Numbers "B N" to logits "B 2"."""
        tokens = values_BN[..., None] * self.slopes + self.names
        rows = torch.cat([self.start.expand(len(tokens), 1, -1), tokens], 1)
        logits: Tensor = self.head(self.network(rows)[:, 0])
        return logits


def reader() -> UnitReader:
    """What stands at each position."""
    start = Unit(label="[START]", positions=(0,), special=True)
    units = [Unit(label=name, positions=(n + 1,)) for n, name in enumerate(COLUMNS)]
    return UnitReader([start, *units], layers=LAYERS)


def rows(count: int, generator: torch.Generator, *, honest: bool) -> tuple[Tensor, Tensor]:
    """Numbers "B N", labels "B"; the shortcut is right nine times in ten, or (`honest`) chance."""
    values = torch.randn(count, len(COLUMNS), generator=generator)
    score = 1.2 * values[:, 0] + values[:, 3] * values[:, 5].sign() - values[:, 8]
    labels = (score + torch.randn(count, generator=generator) > 0).long()
    told = torch.where(torch.rand(count, generator=generator) < 0.9, labels, 1 - labels)
    coin = torch.randint(2, (count,), generator=generator)
    values[:, SHORTCUT] = 2.0 * (coin if honest else told) - 1
    return values, labels


def trained(seed: int, *, steps: int, without: bool = False) -> TableTransformer:
    """The model of a seed; `without` the shortcut it is trained with a 0 there."""
    generator = torch.Generator().manual_seed(seed)
    model = TableTransformer(generator)

    def loss(step: int) -> Tensor:
        values, labels = rows(128, generator, honest=False)
        if without:
            values[:, SHORTCUT] = 0.0
        return nn.functional.cross_entropy(model(values), labels)

    fit(model, loss, steps=steps)
    return model


def measure(seed: int, *, steps: int = 500, inputs: int = 1000) -> tuple[Line, ...]:
    """Train with the shortcut, test where it is worth nothing, by every way.

    Numbers: "accuracy" where the shortcut is chance; "flipped" the share of decisions that change
    when the shortcut is turned around; "leak" the largest change of a probability by that; "before"
    the accuracy where it still holds, which a person gives up.

    Args:
        seed: of the parameters, the training and the inputs.
        steps: updates.
        inputs: rows of either test.
    Cost: ten seconds of one core.
    """
    model = trained(seed, steps=steps)
    honest = trained(seed, steps=steps, without=True)
    generator = torch.Generator().manual_seed(1000 + seed)
    held = rows(inputs, generator, honest=True), rows(inputs, generator, honest=False)
    ways = [*_ways(model, generator), ("trained without it", None, _blank(honest, 0.0))]
    return tuple(
        Line(method=method, dose=dose, numbers=_scored(run, *held)) for method, dose, run in ways
    )


def _scored(
    run: Run, test: tuple[Tensor, Tensor], before: tuple[Tensor, Tensor]
) -> Mapping[str, float]:
    values, labels = test
    turned = values.clone()
    turned[:, SHORTCUT] *= -1
    one, two = run(values).softmax(1), run(turned).softmax(1)
    return {
        "accuracy": float((one.argmax(1) == labels).double().mean()),
        "flipped": float((one.argmax(1) != two.argmax(1)).double().mean()),
        "leak": float((one - two).abs().max()),
        "before": float((run(before[0]).argmax(1) == before[1]).double().mean()),
    }


def _blank(model: nn.Module, value: float) -> Run:
    """The model, given a constant in the shortcut's place."""

    def run(values: Tensor) -> Tensor:
        values = values.clone()
        values[:, SHORTCUT] = value
        return plain(model)(values)

    return run


def _ways(
    model: TableTransformer, generator: torch.Generator
) -> Sequence[tuple[str, float | None, Run]]:
    column, known = Column(COLUMNS[SHORTCUT]), reader()
    every = [(site, head) for site in range(LAYERS) for head in range(HEADS)]
    other = int(torch.randint(SHORTCUT, (1,), generator=generator))

    def hit(values: Tensor, others: bool = False) -> Tensor:
        keys = torch.full((len(values), 1 + len(COLUMNS)), others)
        keys[:, 1 + SHORTCUT] = not others
        return keys

    def damp(weight: float) -> Run:
        return ruled(model, Rules().damp(column, weight, beyond=True), known)

    return (
        ("no rule", None, plain(model)),
        ("veto", None, ruled(model, Rules().veto(column), known)),
        ("column replaced by its mean", None, _blank(model, 0.0)),
        *(("damp", weight, damp(weight)) for weight in (0.5, 0.2, 0.05, 0.01, 1e-4)),
        ("veto, last layer only", None, ruled(model, Rules().veto(column, layers="1"), known)),
        ("veto, 2 of 4 heads", None, ruled(model, Rules().veto(column, heads=(0, 1)), known)),
        ("veto of another column", None, ruled(model, Rules().veto(Column(COLUMNS[other])), known)),
        ("InstABoost", 0.05, biased_by(model, lambda x: instaboost(hit(x), 0.05))),
        (
            "SpotLight on the others",
            0.95,
            biased_by(model, lambda x: spotlight(hit(x, True), 0.95)),
        ),
        ("PASTA on the others", 0.01, biased_by(model, lambda x: pasta(hit(x, True), every))),
    )
