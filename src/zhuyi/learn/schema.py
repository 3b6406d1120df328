"""All columns of a table as a model reads them: plain JSON, and the codes of any other table."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from zhuyi.errors import InputError, OptionError
from zhuyi.learn.columns import DRAWS, Column, encode, learn_column
from zhuyi.learn.factors import Factors
from zhuyi.learn.reading import Cells, check_kinds

MOST_COLUMNS = 10_000
_MOST_PIECES = 10_000_000  # of all columns, as they lie side by side


@dataclass(frozen=True)
class Schema:
    """The columns a model was trained on, in order.

    Args:
        columns: one a factor, N of them.
    """

    columns: tuple[Column, ...]

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the columns."""
        return tuple(column.name for column in self.columns)

    @property
    def numbers(self) -> int:
        """How many numbers a cell's code has: 2, and the pieces of the longest text."""
        return 2 + max(column.longest for column in self.columns)

    def encode(
        self, table: Sequence[Cells]
    ) -> tuple[NDArray[np.float64], dict[str, dict[str, int]]]:
        """Codes "B N 2 + P" (value, state, pieces of a text), and each column's unseen categories.

        These by column, with how often each comes.

        Raises: InputError: another number of columns, cells of another kind.
        """
        if len(table) != len(self.columns):
            raise InputError(f"expected {len(self.columns)} columns, got {len(table)}")
        pairs = [encode(column, cells) for column, cells in zip(self.columns, table, strict=True)]
        unseen = {c.name: found for c, (_, found) in zip(self.columns, pairs, strict=True) if found}
        found = np.zeros((len(table[0]), len(table), self.numbers))
        for place, (codes, _) in enumerate(pairs):
            found[:, place, : codes.shape[1]] = codes
        return found, unseen

    def embedding(self, width: int, generator: torch.Generator | None) -> Factors:
        """Each column embedded by itself; see `Inputs`."""
        return Factors(self.columns, width, generator)

    def typical(self) -> NDArray[np.float64]:
        """Codes "R N 2 + P" of typical cells, each column by itself: no row of the training."""
        rows = np.zeros((DRAWS, len(self.columns), self.numbers))
        for place, column in enumerate(self.columns):
            rows[:, place, :2] = np.resize(np.array(column.draws, np.float64), (DRAWS, 2))
        return rows

    def spread(self, count: int, *, seed: int = 0) -> NDArray[np.float64]:
        """Codes "count N 2 + P": each column evenly over its typical cells, in an order of its own.

        So the mean over them is near the column's mean already with a few (a Latin hypercube).
        """
        typical, draw = self.typical(), np.random.default_rng(seed)
        ranks = ((np.arange(count) + 0.5) * DRAWS / count).astype(np.int64)
        places = np.stack([draw.permutation(ranks) for _ in self.columns], 1)
        found: NDArray[np.float64] = typical[places, np.arange(len(self.columns))]
        return found

    def as_json(self) -> list[dict[str, Any]]:
        """Plain JSON."""
        return [column.as_json() for column in self.columns]

    @classmethod
    def from_json(cls, data: object) -> "Schema":
        """The schema of `as_json`.

        Raises: InputError: when it is not one.
        """
        if not isinstance(data, list) or not 0 < len(data) <= MOST_COLUMNS:
            raise InputError(f"a schema must be a list of 1 to {MOST_COLUMNS} columns")
        if not all(isinstance(entry, Mapping) for entry in data):
            raise InputError("a schema must be a list of objects")
        columns = tuple(Column.from_json(entry) for entry in data)
        if len({column.name for column in columns}) != len(columns):
            raise InputError("a schema must name each column once")
        if len(columns) * max(len(column.edges) for column in columns) > _MOST_PIECES:
            raise InputError("the columns of a schema have more edges than can be read")
        return cls(columns)


def learn_schema(
    table: Sequence[Cells], columns: Mapping[str, object] | None = None, *, bins: int = 24
) -> Schema:
    """The schema of a training table.

    Args:
        table: its columns.
        columns: kinds by name, for those whose type says the wrong thing.
        bins: most pieces of the piecewise-linear encoding of a number.
    Raises: InputError: a column named twice, or cells that cannot be read. OptionError: a kind or a
        name that does not exist.
    """
    if len(table) > MOST_COLUMNS:
        raise InputError(f"at most {MOST_COLUMNS:,} columns can be learned, got {len(table):,}")
    names = [cells.name for cells in table]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise InputError(f"each column must have a name of its own, got {twice} more than once")
    if bins < 2:
        raise OptionError(f"bins must be at least 2, got {bins}")
    kinds = check_kinds(columns, names)
    return Schema(tuple(learn_column(cells, kinds.get(cells.name), bins=bins) for cells in table))
