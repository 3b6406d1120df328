"""What rows are made of, for rules that are a part of a model: one source a kind of input."""

from collections.abc import Callable
from typing import Protocol, TypeAlias

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from zhuyi.steer.layout import Layout

Free: TypeAlias = Callable[[Layout], frozenset[int]]
"""A row -> positions whose content decides nothing, so that any may stand there."""


class Source(Protocol):
    """What a table, a series or a text is made of, position by position."""

    @property
    def kind(self) -> str:
        """What a factor is called: "column", "stretch", "piece"."""
        ...

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the N factors; () where rows differ in them."""
        ...

    @property
    def told(self) -> str:
        """What rules may mean, in words: "the columns are age, sex"."""
        ...

    @property
    def asked(self) -> bool:
        """Whether rows have values that `when` may ask for."""
        ...

    @property
    def whole(self) -> Layout | None:
        """What every row is made of, its values left out; None where rows differ."""
        ...

    def layouts(self, codes: Tensor, free: Free) -> tuple[Layout, ...]:
        """What each row of codes is made of.

        Args:
            codes: "B N ...".
            free: positions of a row in which another content is no other row.
        """
        ...

    def spread(self, count: int) -> NDArray[np.float64]:
        """Codes "count N ..." of typical factors, each by itself; none where rows differ."""
        ...

    def swapped(self, codes: Tensor, place: int, other: Tensor) -> Tensor:
        """The same rows with another's factor at one place.

        Args:
            codes: "B N ...".
            place: of the factor.
            other: codes "N ..." of another row.
        """
        ...


def with_cells(codes: Tensor, place: int, cells: Tensor) -> Tensor:
    """The same rows with other cells "B ..." at one place."""
    found = codes.clone()
    found[:, place] = cells
    return found
