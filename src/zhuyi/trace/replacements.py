"""What stands in a removed unit's place, for subjects that read tensors: one class a way."""

import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor

from zhuyi.errors import OptionError


class Replacement(Protocol):
    """What removed units hold."""

    def __call__(self, inputs: Tensor) -> Tensor:
        """Numbers that broadcast to `inputs` "B N ...", for every unit whether removed or not."""
        ...


@dataclass(frozen=True, eq=False)
class Constant:
    """The same number, or the same numbers "N ...", for every input.

    Args:
        value: a number, or a tensor that broadcasts to "N ...".
    """

    value: float | Tensor

    def __call__(self, inputs: Tensor) -> Tensor:
        """The value, beside the inputs."""
        return torch.as_tensor(self.value, dtype=inputs.dtype, device=inputs.device)


@dataclass(frozen=True, eq=False)
class ReferenceMean:
    """The mean of reference rows, entry by entry.

    Args:
        reference: rows "R N ...".
    """

    reference: Tensor

    def __call__(self, inputs: Tensor) -> Tensor:
        """The mean "N ...", beside the inputs."""
        return self.reference.double().mean(0).to(inputs)


@dataclass(frozen=True, eq=False)
class ReferenceDraw:
    """What some reference row holds for the unit, drawn anew for every input and unit.

    The draw depends on the input's own numbers and on the unit only: not on the other inputs of the
    batch, nor on which other units are removed. Units are drawn one by one, so what stands in two
    removed columns may come from two rows: each is typical by itself, not necessarily together.

    Args:
        reference: rows "R N ...".
    """

    reference: Tensor

    def __call__(self, inputs: Tensor) -> Tensor:
        """The drawn numbers "B N ...", beside the inputs."""
        rows, pieces = self.reference.shape[:2]
        drawn = [
            torch.randint(rows, (pieces,), generator=_generator_of(numbers))
            for numbers in inputs.detach().cpu()
        ]
        index = torch.stack(drawn) if drawn else torch.zeros(0, pieces, dtype=torch.long)
        place = torch.arange(pieces)
        return self.reference[index.to(self.reference.device), place].to(inputs)


def chosen_way(how: str, ways: Sequence[str]) -> str:
    """The way of removing that is asked for by name.

    Raises: OptionError: if it is not one of `ways`.
    """
    if how not in ways:
        known = ", ".join(repr(way) for way in ways)
        raise OptionError(f"units can be removed by {known} here, got {how!r}: name one of them")
    return how


def _generator_of(numbers: Tensor) -> torch.Generator:
    """A generator seeded with an input's bytes; crc32 is the same in every process."""
    content = numbers.contiguous().reshape(-1).view(torch.uint8).numpy().tobytes()
    return torch.Generator().manual_seed(zlib.crc32(content))
