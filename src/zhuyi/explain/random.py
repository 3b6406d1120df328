"""Random values: what an explanation must beat to be worth showing."""

import zlib
from dataclasses import dataclass

import torch
from torch import Tensor

from zhuyi.core.record import Attribution, Unit
from zhuyi.explain.targets import Target, chosen
from zhuyi.trace.subject import Batch, Subject


@dataclass(frozen=True, kw_only=True)
class Random:
    """Random values: what an explanation must beat to be worth showing.

    Uniform in [0, 1), drawn for each input from its own generator, which is seeded with `seed`,
    the input's units and its contents (a text, a row of numbers): the same input gets the same
    values in any batch, two inputs do not share theirs.

    Args:
        seed: of the generators.

    Returns: Attribution with values "B N" in [0, 1).
    Cost:    one forward pass, only to write down the decision when `target` is None.
    Not:     an explanation.
    Ref:     the random control of Hooker et al. 2019, arXiv:1806.10758.

    Example:
        >>> Random(seed=1)
        Random(seed=1)
    """

    seed: int = 0

    def __call__(self, subject: Subject, batch: Batch, target: Target = None) -> Attribution:
        """Explain the batch, as far as chance can."""
        units = subject.units(batch)
        targets = chosen(subject.decide(batch), target)
        values = torch.zeros(len(units), max(map(len, units)))
        for row, named in enumerate(units):
            drawn = torch.rand(len(named), generator=self._generator(named, batch[row]))
            values[row, : len(named)] = drawn
        return Attribution(
            values=values, units=units, method=repr(self), target=targets, signed=False
        )

    def _generator(self, units: tuple[Unit, ...], item: object) -> torch.Generator:
        # crc32 and not hash(): the same in every process. One number for seed and units, because
        # torch's CPU generator reads the low 32 bits of its seed only.
        text = "\x1f".join([str(self.seed), *(unit.label for unit in units)]).encode()
        return torch.Generator().manual_seed(zlib.crc32(_contents(item), zlib.crc32(text)))


def _contents(item: object) -> bytes:
    """What tells an input from others with the same units; nothing for kinds not known here."""
    if isinstance(item, Tensor):
        return item.detach().cpu().contiguous().reshape(-1).view(torch.uint8).numpy().tobytes()
    return repr(item).encode() if isinstance(item, str | tuple) else b""
