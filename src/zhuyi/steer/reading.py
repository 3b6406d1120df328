"""What a model is about to read, row by row, taken from the very arguments of its forward call.

Rules are matched against what runs, not against what somebody meant to run: a word that a test
has replaced by a mask token is gone, and padding is known.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, TypeAlias, runtime_checkable

from zhuyi.core.record import Unit
from zhuyi.errors import InputError
from zhuyi.steer.layout import Layout, Piece, Span

Values: TypeAlias = Mapping[str, object] | Sequence[Mapping[str, object]] | None
"""What `when` may ask: the same for all rows, or row by row."""


@dataclass(frozen=True, kw_only=True)
class Reading:
    """One forward call.

    Args:
        layouts: one a row of the batch, of all keys that the call knows of.
        new: positions at the end of each layout that this call computes; the others are in a cache.
        unknown: positions at the beginning that were put into a cache before the rules.
        cached: whether keys are taken from a cache, which may hold room behind them or have
            dropped the oldest.
    """

    layouts: tuple[Layout, ...]
    new: int
    unknown: int = 0
    cached: bool = False


class Reader(Protocol):
    """Whatever can say what a forward call reads."""

    @property
    def layers(self) -> int | None:
        """How many attention sites a pass has, or None where that is not known."""
        ...

    def begin(self) -> None:
        """Forget earlier calls: a new block has been entered."""
        ...

    def read(self, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> Reading:
        """The call with these arguments. Raises: InputError: where they cannot be read."""
        ...


@runtime_checkable
class FollowingReader(Reader, Protocol):
    """A reader that goes on from call to call (a cache)."""

    def follow(self, kwargs: Mapping[str, Any], output: object) -> None:
        """The call that was read last gave this output."""
        ...


def values_of(values: Values, rows: int) -> Sequence[Mapping[str, object]]:
    """Values row by row.

    Raises: InputError: if they are those of another number of rows.
    """
    if values is None or isinstance(values, Mapping):
        return [values or {}] * rows
    if len(values) != rows:
        raise InputError(
            f"values are those of {len(values)} rows, and a call reads {rows}: pass one mapping a "
            "row, or one for all"
        )
    return values


class UnitReader:
    """For models whose positions are the same pieces in every row: columns, patches, time steps.

    Args:
        units: the pieces, with their positions.
        channels: per unit its channel and its first and last step, for a series; else ().
        layers: attention sites of a pass, if known.
        values: what `when` may ask, of all rows or row by row.
    """

    def __init__(
        self,
        units: Sequence[Unit],
        *,
        channels: Sequence[tuple[str | None, Span | None]] = (),
        layers: int | None = None,
        values: Values = None,
    ) -> None:
        places = channels or [(None, None)] * len(units)
        self._pieces = tuple(
            Piece(name=unit.label, positions=unit.positions, channel=channel, times=times)
            for unit, (channel, times) in zip(units, places, strict=True)
            if not unit.special
        )
        self._special = frozenset(p for unit in units if unit.special for p in unit.positions)
        self._length = max((p + 1 for unit in units for p in unit.positions), default=0)
        self._layers = layers
        self._values = values

    @property
    def layers(self) -> int | None:
        """Attention sites of a pass, if known."""
        return self._layers

    def begin(self) -> None:
        """Nothing to forget."""

    def read(self, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> Reading:
        """As many equal rows as the first tensor has."""
        tensors = [one for one in (*args, *kwargs.values()) if getattr(one, "ndim", 0) > 1]
        if not tensors:
            raise InputError("the model was called without a tensor 'B N ...': nothing to steer")
        rows = tensors[0].shape[0]
        values = values_of(self._values or None, rows)
        layouts = tuple(
            Layout(
                length=self._length, pieces=self._pieces, special=self._special, values=values[row]
            )
            for row in range(rows)
        )
        return Reading(layouts=layouts, new=self._length)
