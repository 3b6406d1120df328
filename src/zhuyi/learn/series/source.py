"""What series are made of, for rules: stretches by name, channel and time."""

from typing import Final

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from zhuyi.core.record import Unit
from zhuyi.learn.series.knowledge import SeriesInputs
from zhuyi.learn.series.stretches import ABSENT
from zhuyi.learn.sources import Free, with_cells
from zhuyi.steer.layout import Layout
from zhuyi.steer.reading import UnitReader, Values


def stretch_reader(inputs: SeriesInputs, *, layers: int, values: Values = None) -> UnitReader:
    """Stretches by name, with their channel and steps; see `SeriesSubject.reader`.

    Args:
        inputs: how series are read.
        layers: attention sites of a pass.
        values: what `when` may ask, of all series or one by one.
    """
    steps = inputs.stretches.steps
    units = [Unit(label=name, positions=(n,)) for n, name in enumerate(inputs.names)]
    channels = [
        (channel.name, (steps - last, steps - first + 1))
        for first, last in inputs.stretches.bounds
        for channel in inputs.channels
    ]
    return UnitReader(units, channels=channels, layers=layers, values=values)


class SeriesRows:
    """The source of series: all have the same stretches, and none has values to ask for.

    Args:
        inputs: how series are read.
    """

    kind: Final = "stretch"
    asked: Final = False

    def __init__(self, inputs: SeriesInputs) -> None:
        self._inputs = inputs
        self.names = inputs.names
        channels = ", ".join(repr(channel.name) for channel in inputs.channels)
        steps = inputs.stretches.steps
        self.told = f"these are series of the channels {channels} over {steps} steps"
        nothing = torch.zeros(1, len(self.names))
        self.whole = stretch_reader(inputs, layers=1).read((nothing,), {}).layouts[0]

    def layouts(self, codes: Tensor, free: Free) -> tuple[Layout, ...]:
        """The same for every series."""
        return (self.whole,) * len(codes)

    def spread(self, count: int) -> NDArray[np.float64]:
        """Codes "count N L 2" of typical stretches."""
        return self._inputs.spread(count)

    def swapped(self, codes: Tensor, place: int, other: Tensor) -> Tensor:
        """The same series with another's stretch; what began later still does."""
        own = codes[:, place]
        gone = (own[..., 1:] == ABSENT) | (other[place, :, 1:] == ABSENT)
        return with_cells(codes, place, torch.where(gone, own, other[place]))
