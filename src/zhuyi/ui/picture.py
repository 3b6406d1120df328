"""An image file as a model reads it and as the page shows it."""

import io
from pathlib import Path
from typing import TYPE_CHECKING

from zhuyi.errors import InputError
from zhuyi.ui.looked import Picture

if TYPE_CHECKING:
    from zhuyi.trace.adapters.transformers_subject import TransformersSubject
    from zhuyi.trace.subject import Batch

_SHOWN = 384  # pixels of the longer side in the page


def read_image(path: Path, subject: "TransformersSubject") -> "tuple[Batch, Picture]":
    """The image as a batch of one, and small for the page.

    Raises:
        InputError: if the file cannot be read as an image, or Pillow is not installed.
    """
    try:
        from PIL import Image
    except ModuleNotFoundError:
        raise InputError("--image needs Pillow: pip install pillow") from None
    try:
        with Image.open(path) as opened:
            image = opened.convert("RGB")
    except (OSError, ValueError, Image.DecompressionBombError) as error:
        raise InputError(f"cannot read {path} as an image: {error}") from None
    shown = image.copy()
    shown.thumbnail((_SHOWN, _SHOWN))
    stream = io.BytesIO()
    shown.save(stream, format="PNG")
    batch = [image]
    count = sum(not unit.special for unit in subject.units(batch)[0])
    return batch, Picture(png=stream.getvalue(), grid=_grid(subject, batch, count))


def _grid(subject: "TransformersSubject", batch: "Batch", count: int) -> tuple[int, int] | None:
    """Rows and columns of patches, read from their labels "(row, column)"."""
    last = [unit.label for unit in subject.units(batch)[0] if not unit.special][-1]
    parts = last.strip("()").split(", ")
    if len(parts) != 2 or not all(part.isdecimal() for part in parts):
        return None
    rows, columns = int(parts[0]) + 1, int(parts[1]) + 1
    return (rows, columns) if rows * columns == count else None
