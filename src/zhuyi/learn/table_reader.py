"""What a table model's calls read, for rules: columns by name, and cells for `when`."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from zhuyi.errors import InputError
from zhuyi.learn.columns import KNOWN, Column
from zhuyi.learn.schema import Schema
from zhuyi.learn.sources import Free, with_cells
from zhuyi.steer.layout import Layout, Piece
from zhuyi.steer.reading import Reading, Values, values_of


class TableReader:
    """Every column is one position, named as it is; a row's known cells are its values.

    Numbers come as numbers, dates as days since 1970, categories and grades by name, truth
    values as such.
    A missing cell, an unseen category and a cell of text have no value.

    Args:
        schema: how columns are read.
        layers: attention sites of a pass.
        values: what `when` may ask beside; a cell of that name gives way.
    """

    def __init__(self, schema: Schema, *, layers: int, values: Values = None) -> None:
        self._columns = schema.columns
        self.pieces = tuple(
            Piece(name=name, positions=(place,)) for place, name in enumerate(schema.names)
        )
        self._layers = layers
        self._values = values

    @property
    def layers(self) -> int:
        """Attention sites of a pass."""
        return self._layers

    def begin(self) -> None:
        """Nothing to forget."""

    def read(self, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> Reading:
        """The rows of codes "B N K"."""
        codes = kwargs.get("codes", args[0] if args else None)
        if not isinstance(codes, Tensor) or codes.dim() != 3:
            raise InputError("rules on tables need the codes (B, N, K) as the first argument")
        rows = codes.tolist()
        count = len(self.pieces)
        layouts = tuple(
            Layout(length=count, pieces=self.pieces, values={**dict(self._cells(row)), **told})
            for row, told in zip(rows, values_of(self._values, len(rows)), strict=True)
        )
        return Reading(layouts=layouts, new=count)

    def _cells(self, row: list[list[float]]) -> Iterator[tuple[str, object]]:
        for column, (value, state, *_) in zip(self._columns, row, strict=True):
            if state == KNOWN and column.kind != "text":
                yield column.name, _cell(column, value)


def _cell(column: Column, value: float) -> object:
    if not column.categories:
        return value
    name = column.categories[int(value)]
    return name == "True" if column.kind == "boolean" else name


class TableRows:
    """The source of tables: every row has the same columns, and cells of its own.

    Args:
        schema: how columns are read.
    """

    kind: Final = "column"
    asked: Final = True

    def __init__(self, schema: Schema) -> None:
        self.schema = schema
        self.names = schema.names
        self.told = f"the columns are {', '.join(schema.names)}"
        self._reader = TableReader(schema, layers=1)
        self.whole = Layout(length=len(self.names), pieces=self._reader.pieces)

    def layouts(self, codes: Tensor, free: Free) -> tuple[Layout, ...]:
        """Rows of codes "B N K", with their cells."""
        return self._reader.read((codes,), {}).layouts

    def spread(self, count: int) -> NDArray[np.float64]:
        """Codes "count N K" of typical cells."""
        return self.schema.spread(count)

    def swapped(self, codes: Tensor, place: int, other: Tensor) -> Tensor:
        """The same rows with another's cell in one column."""
        return with_cells(codes, place, other[place].expand(len(codes), -1))
