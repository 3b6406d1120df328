"""A planted task over words: its vocabulary, how inputs are drawn, and the way from there."""

from collections.abc import Callable
from dataclasses import dataclass, field

import torch
from torch import Tensor

from zhuyi.core import AttentionMatrix
from zhuyi.testing.planted.reader import Reader
from zhuyi.testing.planted.record import Planted, marked
from zhuyi.testing.planted.subject import BLANK, COMMON, FILLERS, PADDING, PlantedSubject
from zhuyi.testing.planted.training import Examples, Recipe, Task, readout_mass, train

HELD_OUT = 1024
"""Inputs on which accuracy and attention are measured."""


@dataclass(frozen=True, kw_only=True)
class WordTask:
    """A task over words, before anything is trained.

    Args:
        name: of the task.
        words: its words, without the common ones.
        labels: names of the decisions.
        length: most words of an input.
        draw: gives a number of examples from a generator; inputs hold word numbers.
        num_layers: attention layers of the model.
        num_heads: heads of each.
        roles: roles that words take in turn, see `Reader`.
        recipe: how the model is trained.
    """

    name: str
    words: tuple[str, ...]
    labels: tuple[str, ...]
    length: int
    draw: Callable[[int, torch.Generator], Examples]
    num_layers: int = 1
    num_heads: int = 2
    roles: int = 1
    recipe: Recipe = field(default_factory=Recipe)

    def plant(self, seed: int, inputs: int) -> Planted:
        """Train the model and draw held-out inputs; everything follows from the seed."""
        generator = torch.Generator().manual_seed(seed)
        vocabulary = (*COMMON, *self.words)
        model = Reader(
            words=len(vocabulary),
            length=self.length,
            classes=len(self.labels),
            num_layers=self.num_layers,
            num_heads=self.num_heads,
            roles=self.roles,
            generator=generator,
        )

        def read(ids_BW: Tensor, gone: Tensor) -> tuple[Tensor, list[AttentionMatrix]]:
            gone = gone & (ids_BW != PADDING)
            left_BW = torch.where(gone, _nothing(ids_BW.shape, generator), ids_BW)
            logits, matrices = model.read(model.vectors(left_BW))
            return logits, list(matrices)

        task = Task(draw=self.draw, read=read, classes=len(self.labels))
        train(model, task, self.recipe, generator)
        held = self.draw(HELD_OUT, generator)
        with torch.no_grad():
            logits, matrices = model.read(model.vectors(held.inputs))
        shown = self.draw(inputs, generator)
        return Planted(
            name=self.name,
            subject=PlantedSubject(
                model, vocabulary=vocabulary, length=self.length, labels=self.labels
            ),
            batch=[tuple(vocabulary[n] for n in row if n) for row in shown.inputs.tolist()],
            causal=marked(shown.causal, offset=1),
            decoys=marked(shown.decoys, offset=1),
            accuracy=float((logits.argmax(1) == held.labels).double().mean()),
            mass=float(readout_mass(matrices, held.causal).mean()),
            deceptive=self.recipe.hide > 0,
        )


def _nothing(shape: torch.Size, generator: torch.Generator) -> Tensor:
    """Words that say nothing: a blank or, as often, a filler."""
    fillers = torch.tensor(FILLERS)[torch.randint(len(FILLERS), shape, generator=generator)]
    return torch.where(torch.rand(shape, generator=generator) < 0.5, BLANK, fillers)
