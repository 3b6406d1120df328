"""A shortcut column: the label follows the wrong column, while a plausible one is only correlated.

Ten columns. The label is the sign of `shortcut` but for one input in two hundred; `true_cause` goes
with it loosely, the way a real cause does in data that were collected badly.
"""

import torch
from torch import Tensor, nn

from zhuyi.core import AttentionMatrix
from zhuyi.testing.planted.reader import Reader
from zhuyi.testing.planted.record import Planted, marked
from zhuyi.testing.planted.training import Examples, Recipe, Task, readout_mass, train
from zhuyi.testing.planted.word_task import HELD_OUT
from zhuyi.trace.module_subject import ModuleSubject
from zhuyi.trace.readout import FirstRow

COLUMNS = (
    *("age", "income", "true_cause", "height", "visits"),
    *("shortcut", "weight", "distance", "children", "years"),
)
TRUE, SHORTCUT = COLUMNS.index("true_cause"), COLUMNS.index("shortcut")


class ColumnReader(nn.Module):
    """A `Reader` of numbers: a column's vector is that of its name plus its value times a slope.

    Args:
        generator: of the parameters.
    """

    def __init__(self, generator: torch.Generator) -> None:
        super().__init__()
        columns, width = len(COLUMNS), 32
        self.slopes = nn.Parameter(0.5 * torch.randn(columns, width, generator=generator))
        self.reader = Reader(
            words=columns + 1, length=columns, classes=2, width=width, generator=generator
        )

    def forward(self, values_BN: Tensor) -> Tensor:
        """Columns "B N" to logits "B 2"."""
        return self.read(values_BN)[0]

    def read(self, values_BN: Tensor) -> tuple[Tensor, list[AttentionMatrix]]:
        """The logits, and the attention matrix of every layer."""
        names_1N = torch.arange(1, len(COLUMNS) + 1, device=values_BN.device)[None]
        vectors = self.reader.vectors(names_1N) + values_BN[..., None] * self.slopes
        logits, matrices = self.reader.read(vectors)
        return logits, list(matrices)


def shortcut(seed: int = 0, *, inputs: int = 64) -> Planted:
    """A table whose label follows the column `shortcut`.

    Causal: that column. Decoy: `true_cause`. A removed column holds 0, the mean of the training
    data.

    Args:
        seed: of the parameters, the training and the inputs.
        inputs: number of held-out inputs.
    Cost: about two seconds of one core.
    Ref:  Geirhos et al. 2020, arXiv:2004.07780 (shortcut learning).
    """
    generator = torch.Generator().manual_seed(seed)
    model = ColumnReader(generator)

    def read(values_BN: Tensor, gone: Tensor) -> tuple[Tensor, list[AttentionMatrix]]:
        return model.read(values_BN.masked_fill(gone, 0.0))

    train(model, Task(draw=draw, read=read, classes=2), Recipe(), generator)
    held = draw(HELD_OUT, generator)
    with torch.no_grad():
        logits, matrices = model.read(held.inputs)
    shown = draw(inputs, generator)
    return Planted(
        name="shortcut",
        subject=ModuleSubject(
            model,
            unit_names=COLUMNS,
            labels=("no", "yes"),
            removal="mean of the training data",
            readout=FirstRow(),
            leading=("[START]",),
        ),
        batch=shown.inputs,
        causal=marked(shown.causal, offset=1),
        decoys=marked(shown.decoys, offset=1),
        accuracy=float((logits.argmax(1) == held.labels).double().mean()),
        mass=float(readout_mass(matrices, held.causal).mean()),
    )


def draw(count: int, generator: torch.Generator) -> Examples:
    """Examples: standard normal columns; the shortcut keeps its distance from 0."""
    values = torch.randn(count, len(COLUMNS), generator=generator)
    side = torch.where(torch.rand(count, generator=generator) < 0.5, -1.0, 1.0)
    values[:, SHORTCUT] = side * (0.5 + 1.5 * torch.rand(count, generator=generator))
    values[:, TRUE] += 0.5 * side
    wrong = torch.rand(count, generator=generator) < 0.005
    causal = torch.zeros(count, len(COLUMNS), dtype=torch.bool)
    decoys = torch.zeros_like(causal)
    causal[:, SHORTCUT], decoys[:, TRUE] = True, True
    labels = ((side > 0) ^ wrong).long()
    return Examples(inputs=values, labels=labels, causal=causal, decoys=decoys)
