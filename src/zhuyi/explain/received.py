"""Received attention: how much weight each position gets from all queries."""

from dataclasses import dataclass

import torch
from torch import Tensor

from zhuyi.core import Statistics
from zhuyi.core.record import Attribution
from zhuyi.errors import NotWatchable, OptionError
from zhuyi.explain.sightings import chosen_layers, logits_of, one_sequence
from zhuyi.explain.targets import Target, chosen
from zhuyi.trace.keep import Keep
from zhuyi.trace.subject import Batch, Subject
from zhuyi.trace.tape import Sighting


@dataclass(frozen=True, kw_only=True)
class Received:
    """Received attention: how much weight each position gets from all queries.

        c_j = mean over layers and heads of sum_i A_ij

    Args:
        layer: the one layer to take, counted from the end if negative; None for the mean of all.
        head: the one head to take; None for the mean of all.

    Returns: Attribution with values "B N" >= 0. They are absolute sums: the units of one sequence
        add up to its number of real positions.
    Raises:  NotWatchable: if the model attends across sequences. OptionError: no such layer, head.
    Cost:    the forward pass with streamed column sums: O(L Q K D) time, O(L H K) memory.
    Not:     specific to a decision: `target` is only written down. A position that nothing reads
             from later can receive much (attention sinks).
    Ref:     column sums of attention as in Zhang et al. 2023 (H2O), arXiv:2306.14048.

    Example:
        >>> Received(layer=-1)
        Received(layer=-1, head=None)
    """

    layer: int | None = None
    head: int | None = None

    def __call__(self, subject: Subject, batch: Batch, target: Target = None) -> Attribution:
        """Explain the batch."""
        keep = Keep(matrix=False, statistics=Statistics(received=True))
        tape = subject.watch(batch, keep)
        sightings = one_sequence(tape)
        layers = chosen_layers(len(sightings), self.layer)
        columns = torch.stack([self._columns(sightings[index]) for index in layers]).mean(0)
        return Attribution(
            values=subject.gather(batch, columns).float(),
            units=subject.units(batch),
            method=repr(self),
            target=chosen(logits_of(tape), target),
            signed=False,
            evidence={"layers": len(layers)},
        )

    def _columns(self, sighting: Sighting) -> Tensor:
        if sighting.summary is None or sighting.summary.received is None:
            raise NotWatchable(f"{sighting.site.name} was seen without its column sums")
        received_BHK = sighting.summary.received
        if self.head is None:
            return received_BHK.mean(1)
        if not 0 <= self.head < received_BHK.shape[1]:
            raise OptionError(f"head must be below {received_BHK.shape[1]}, got {self.head}")
        return received_BHK[:, self.head]
