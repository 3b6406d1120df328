"""Reading images: the patches that a vision model's positions stand for."""

from collections.abc import Mapping
from typing import Any

from torch import Tensor

from zhuyi.errors import InputError
from zhuyi.steer.reading import Reading, UnitReader, Values
from zhuyi.trace.subject import Subject


class ImageReader:
    """For subjects whose model reads pixels; a piece is a patch, named "(row, column)" from (0, 0).

    Args:
        subject: says which position is which patch.
        layers: attention sites of a pass, if known.
        values: what `when` may ask, of all rows or row by row.
    """

    def __init__(
        self, subject: Subject, *, layers: int | None = None, values: Values = None
    ) -> None:
        self._subject = subject
        self._layers = layers
        self._values = values
        self._units: UnitReader | None = None

    @property
    def layers(self) -> int | None:
        """Attention sites of a pass, if known."""
        return self._layers

    def begin(self) -> None:
        """Nothing to forget."""

    def read(self, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> Reading:
        """As many equal rows as there are images."""
        pixels = kwargs.get("pixel_values", args[0] if args else None)
        if not isinstance(pixels, Tensor) or pixels.dim() != 4:
            raise InputError(
                f"rules on images need pixel_values (B, C, H, W), got {sorted(kwargs)}"
            )
        if self._units is None:
            units = self._subject.units(pixels[:1])[0]
            self._units = UnitReader(units, layers=self._layers, values=self._values)
        return self._units.read((pixels,), {})
