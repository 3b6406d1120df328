"""What a watch keeps: the lazy matrices, streamed statistics, or both; by layer and by head."""

from dataclasses import dataclass

import torch

from zhuyi.core import Statistics
from zhuyi.errors import OptionError


@dataclass(frozen=True, kw_only=True)
class Keep:
    """The plan of a watch: which sites are recorded, and what of them stays in memory.

    `Keep()` keeps the queries and keys of every site (the matrix answers lazily) beside its values
    and its output. `Keep(matrix=False, statistics=Statistics(...))` keeps the statistics only; they
    are streamed while the model runs and nothing else is held.

    Args:
        matrix: keep queries and keys, as an `AttentionMatrix`.
        statistics: which statistics to stream during the forward pass; None for none.
        layers: indices of the sites to keep, in the order of execution; None for all. The others
            run untouched.
        heads: query heads to keep; None for all. A kept part of the heads is a copy: gradients do
            not run through its `output`.
        value: keep the values and the output beside the matrix. Without `matrix` neither is kept.
        device: where kept tensors live, for example "cpu"; None leaves them where they are. A
            tensor that has to move is a copy: gradients do not run through a moved `output`.

    Raises:
        OptionError: if nothing would be kept, or an index is negative.

    Cost:
        Holding the matrix costs no time and O(B (Q + K) H D) memory per site, shared with the
        model's own tensors. When gradients are enabled the kept tensors hold their graph.

    Example:
        >>> Keep(layers=(0, 5)).layers
        (0, 5)
    """

    matrix: bool = True
    statistics: Statistics | None = None
    layers: tuple[int, ...] | None = None
    heads: tuple[int, ...] | None = None
    value: bool = True
    device: torch.device | str | None = None

    def __post_init__(self) -> None:
        if not self.matrix and self.statistics is None:
            raise OptionError(
                "Keep(matrix=False) without statistics keeps nothing: pass "
                "statistics=Statistics(...) or leave matrix=True"
            )
        for name, indices in (("layers", self.layers), ("heads", self.heads)):
            if indices is None:
                continue
            if not indices or any(index < 0 for index in indices):
                raise OptionError(
                    f"{name} must be None or a non-empty tuple of indices from 0, got {indices}"
                )

    def wants(self, index: int) -> bool:
        """Whether the site at this place in the order of execution is recorded."""
        return self.layers is None or index in self.layers
