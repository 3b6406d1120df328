"""What a model gives: the tensors of an output, and how far two runs of it are apart."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

import torch
from torch import Tensor, nn

#: Parts of an output that are the model's own memory, or every layer's rows.
_PASSED_OVER: Final = frozenset({"past_key_values", "hidden_states", "attentions", "loss"})


class Watched:
    """Hears what a model gives, call by call, within a block of its rules."""

    def __init__(self, model: nn.Module) -> None:
        self.outputs: list[object] = []
        self._handle = model.register_forward_hook(self._heard)

    def close(self) -> None:
        """Take the hook away."""
        self._handle.remove()

    def _heard(self, module: nn.Module, args: Any, output: object) -> None:
        self.outputs.append(output)


def tensors_of(output: object) -> list[Tensor]:
    """The floating tensors of an output, in order."""
    if isinstance(output, Tensor):
        return [output] if output.is_floating_point() else []
    if isinstance(output, Mapping):
        parts = [part for name, part in output.items() if name not in _PASSED_OVER]
        return [one for part in parts for one in tensors_of(part)]
    if isinstance(output, Sequence) and not isinstance(output, str):
        return [one for part in output for one in tensors_of(part)]
    return []


def equal(one: Sequence[Tensor], other: Sequence[Tensor]) -> bool:
    """Whether all of them are equal bit for bit; NaN is equal to nothing."""
    return len(one) == len(other) and all(
        torch.equal(a, b) for a, b in zip(one, other, strict=True)
    )


def difference(one: Sequence[Tensor], other: Sequence[Tensor]) -> float:
    """The largest difference of two runs; NaN where one of them has NaN."""
    largest = 0.0
    for a, b in zip(one, other, strict=True):
        if a.numel():
            gap = float((a.double() - b.double()).abs().max())
            largest = gap if gap != gap else max(largest, gap)
            if gap != gap:
                return gap
    return largest


def broken(outputs: Sequence[Tensor]) -> int:
    """How many numbers are NaN."""
    return sum(int(one.isnan().sum()) for one in outputs)
