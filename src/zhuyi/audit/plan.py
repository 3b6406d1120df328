"""Which inputs serve for what, and in which groups they are run."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch

from zhuyi.core.record import Unit

LEAST = 8
"""Inputs from which some are held back to choose the method on."""


@dataclass(frozen=True, kw_only=True)
class Plan:
    """The parts of an audit.

    Args:
        choosing: indices of the inputs that the method is chosen on.
        testing: indices of all others, on which the verdict rests; the same as `choosing` where
            there are too few to hold any back.
        chunks: groups of `testing` that are run together.
        choosing_chunks: groups of `choosing`.
        compared: how many of the first `chunks` all methods are tested on; the chosen one, the
            attention beside it and the random control are tested on all.
        sample: indices (of `testing`) for the tests of the method itself.
    """

    choosing: tuple[int, ...]
    testing: tuple[int, ...]
    chunks: tuple[tuple[int, ...], ...]
    choosing_chunks: tuple[tuple[int, ...], ...]
    compared: int
    sample: tuple[int, ...]

    @property
    def held_back(self) -> bool:
        """Whether the choice and the verdict rest on different inputs."""
        return self.choosing != self.testing


def make_plan(
    units: Sequence[Sequence[Unit]],
    *,
    seed: int,
    most_choosing: int = 32,
    most_compared: int = 48,
    most_sample: int = 16,
    inputs_a_chunk: int = 16,
    positions_a_chunk: int = 2048,
) -> Plan:
    """Split inputs at random (by `seed`) and group those of similar length.

    Args:
        units: of every input.
        seed: of the split.
        most_choosing: inputs to choose the method on, at most a quarter of all.
        most_compared: inputs that every method is tested on.
        most_sample: inputs for the tests of the method itself.
        inputs_a_chunk: most inputs of a group.
        positions_a_chunk: most inputs times positions of the longest of a group.
    """
    count = len(units)
    widths = [sum(len(unit.positions) for unit in named) for named in units]
    order = torch.randperm(count, generator=torch.Generator().manual_seed(seed % 2**31)).tolist()
    if count < LEAST:
        choosing = testing = tuple(sorted(order))
    else:
        cut = min(most_choosing, max(count // 4, LEAST // 2))
        choosing, testing = tuple(order[:cut]), tuple(order[cut:])
    sizes = (inputs_a_chunk, positions_a_chunk)
    # The first inputs are compared among all methods, so they form groups of their own.
    first = _grouped(testing[:most_compared], widths, *sizes)
    rest = _grouped(testing[most_compared:], widths, *sizes)
    return Plan(
        choosing=choosing,
        testing=testing,
        chunks=(*first, *rest),
        choosing_chunks=_grouped(choosing, widths, *sizes),
        compared=len(first),
        sample=testing[:most_sample],
    )


def _grouped(
    inputs: Sequence[int], widths: Sequence[int], most: int, positions: int
) -> tuple[tuple[int, ...], ...]:
    groups: list[list[int]] = []
    for index in sorted(inputs, key=lambda i: (widths[i], i)):
        full = groups and (
            len(groups[-1]) == most or (len(groups[-1]) + 1) * widths[index] > positions
        )
        if not groups or full:
            groups.append([])
        groups[-1].append(index)
    return tuple(tuple(group) for group in groups)
