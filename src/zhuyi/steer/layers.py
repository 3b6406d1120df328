"""Which layers a rule holds in: by number ("0,3-5") or by depth ("0.3-0.8")."""

from dataclasses import dataclass

from zhuyi.errors import OptionError


@dataclass(frozen=True)
class LayerRange:
    """Layers by number from 0, or by depth from 0.0 (the first) to 1.0 (the last).

    Args:
        written: "2", "0,3-5" or "0.3-0.8".
    Raises: OptionError: for anything else.

    Example:
        >>> [layer for layer in range(12) if LayerRange("0.3-0.5").holds(layer, 12)]
        [4, 5]
    """

    written: str

    def __post_init__(self) -> None:
        self._parts()

    @property
    def by_depth(self) -> bool:
        """Whether the number of layers must be known."""
        return "." in self.written

    @property
    def highest(self) -> int | None:
        """The highest layer that is named by number, or None."""
        return None if self.by_depth else int(max(high for _, high in self._parts()))

    def holds(self, layer: int, layers: int | None) -> bool:
        """Whether a rule holds in this layer of so many.

        Raises: OptionError: by depth, if the number of layers is not known.
        """
        place: float = layer
        if self.by_depth:
            if layers is None:
                raise OptionError(
                    f"layers {self.written!r} are named by depth, and how many layers this model "
                    "has is not known: name them by number, as 0,3-5"
                )
            place = layer / max(layers - 1, 1)
        return any(low <= place <= high for low, high in self._parts())

    def _parts(self) -> list[tuple[float, float]]:
        wrong = OptionError(
            f"layers must be numbers from 0 such as 0,3-5, or a depth such as 0.3-0.8, "
            f"got {self.written!r}"
        )
        parts = []
        for part in self.written.split(","):
            low, dash, high = (piece.strip() for piece in part.partition("-"))
            try:
                ends = float(low), float(high if dash else low)
            except ValueError:
                raise wrong from None
            # "nan" and "inf" are floats to Python.
            whole = self.by_depth or all(end.is_integer() for end in ends)
            if not (0 <= ends[0] <= ends[1]) or not whole or (self.by_depth and ends[1] > 1):
                raise wrong
            parts.append(ends)
        return parts
