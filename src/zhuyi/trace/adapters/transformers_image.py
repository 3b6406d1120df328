"""Images as a Hugging Face vision transformer reads them: pixels, patches, gray patches."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from zhuyi.core.record import Unit
from zhuyi.errors import InputError, ShapeError
from zhuyi.trace.adapters.transformers_nearby import noisy
from zhuyi.trace.adapters.transformers_text import Encoded
from zhuyi.trace.subject import Batch

GRAY, MEAN = "gray patch", "mean color"


@dataclass(frozen=True, kw_only=True)
class ImageReader:
    """Turns images into pixels, and patches into positions.

    Args:
        processor: a Hugging Face image processor, or None when batches are tensors "B C H W" that
            are already resized and normalized.
        image_size: (height, width) the model takes, in pixels.
        patch_size: (height, width) of a patch, in pixels.
        leading: names of the positions in front of the patches ("[CLS]", ...).
        channels: color channels.
        removal: what a removed patch becomes: "gray patch" is zero after normalization, the mean
            of the data the model was made for; "mean color" is the image's own mean.
    """

    processor: Any
    image_size: tuple[int, int]
    patch_size: tuple[int, int]
    leading: tuple[str, ...]
    channels: int = 3
    per_input: int = 1
    removal: str = GRAY

    def removals(self, model: nn.Module) -> tuple[str, ...]:
        """Both ways to remove a patch, the one in use first."""
        return (GRAY, MEAN) if self.removal == GRAY else (MEAN, GRAY)

    def removing(self, how: str) -> "ImageReader":
        """The same reader, which removes patches another way."""
        return replace(self, removal=how)

    @contextmanager
    def nearby(
        self, model: nn.Module, batch: Batch, size: float, generator: torch.Generator
    ) -> Iterator[Batch]:
        """Noisy copies of the images, as pixels "B C H W"."""
        yield noisy(self._pixels(batch), size, generator)

    @property
    def grid(self) -> tuple[int, int]:
        """Rows and columns of patches."""
        return (
            self.image_size[0] // self.patch_size[0],
            self.image_size[1] // self.patch_size[1],
        )

    def encode(self, batch: Batch, device: torch.device) -> Encoded:
        """Pixels and patches of a batch of images."""
        return self._encoded(self._pixels(batch).to(device))

    def remove(self, batch: Batch, keep: Tensor, device: torch.device) -> Encoded:
        """The same with the patches outside `keep` (bool "B N") gray, or of the mean color."""
        pixels = self._pixels(batch).to(device)
        first = len(self.leading)
        expected = (pixels.shape[0], first + self.grid[0] * self.grid[1])
        if keep.dtype != torch.bool or tuple(keep.shape) != expected:
            raise ShapeError(
                f"keep must be bool (B, N) = {expected}, got {keep.dtype} {tuple(keep.shape)}"
            )
        patches = keep[:, first:].to(device).reshape(-1, 1, *self.grid).to(pixels.dtype)
        size = (self.grid[0] * self.patch_size[0], self.grid[1] * self.patch_size[1])
        shown = F.interpolate(patches, size=size, mode="nearest")
        rest = (0, pixels.shape[3] - size[1], 0, pixels.shape[2] - size[0])
        shown = F.pad(shown, rest, value=1.0)
        if self.removal == GRAY:
            return self._encoded(pixels * shown)
        return self._encoded(torch.where(shown > 0, pixels, pixels.mean((2, 3), keepdim=True)))

    def embed(self, model: nn.Module, encoded: Encoded) -> Tensor:
        """Each patch's pixels as one vector "B T E"; leading positions have zeros."""
        folded = F.unfold(encoded.inputs["pixel_values"], self.patch_size, stride=self.patch_size)
        return F.pad(folded.transpose(1, 2), (0, 0, len(self.leading), 0))

    def baseline(self, model: nn.Module, encoded: Encoded) -> Tensor:
        """The gray image: zeros."""
        return torch.zeros_like(self.embed(model, encoded))

    def with_embeddings(self, encoded: Encoded, embeddings: Tensor) -> dict[str, Tensor]:
        """The model's keyword arguments with the pixels that `embeddings` stand for."""
        size = (self.grid[0] * self.patch_size[0], self.grid[1] * self.patch_size[1])
        vectors = embeddings[:, len(self.leading) :].transpose(1, 2)
        pixels = F.fold(vectors, size, self.patch_size, stride=self.patch_size)
        whole = encoded.inputs["pixel_values"]
        if tuple(whole.shape[2:]) != size:  # a rim narrower than a patch, which no patch sees
            pixels = F.pad(pixels, (0, whole.shape[3] - size[1], 0, whole.shape[2] - size[0]))
        return {"pixel_values": pixels}

    def _encoded(self, pixels: Tensor) -> Encoded:
        units = self._units()
        real = torch.ones(pixels.shape[0], len(units), dtype=torch.bool, device=pixels.device)
        labels = tuple(unit.label for unit in units)
        return Encoded(
            inputs={"pixel_values": pixels},
            real=real,
            sequences=(units,) * pixels.shape[0],
            tokens=(labels,) * pixels.shape[0],
        )

    def _units(self) -> tuple[Unit, ...]:
        first = len(self.leading)
        rows, columns = self.grid
        leading = tuple(
            Unit(label=label, positions=(position,), special=True)
            for position, label in enumerate(self.leading)
        )
        return leading + tuple(
            Unit(label=f"({row}, {column})", positions=(first + row * columns + column,))
            for row in range(rows)
            for column in range(columns)
        )

    def _pixels(self, batch: Batch) -> Tensor:
        if isinstance(batch, Tensor):
            return self._checked(batch)
        if isinstance(batch, str) or not isinstance(batch, Sequence) or not batch:
            raise InputError("expected a list of images or a tensor (B, C, H, W): pass [image]")
        if self.processor is None:
            if not all(isinstance(image, Tensor) for image in batch):
                raise InputError("no image processor: pass tensors (C, H, W), resized, normalized")
            return self._checked(torch.stack([i for i in batch if isinstance(i, Tensor)]))
        if any(isinstance(image, str) for image in batch):
            # A processor would fetch it, also from the network.
            raise InputError("expected images, got a text: open the file and pass the image")
        images = [_in_color(image) for image in batch]
        try:
            pixels: Tensor = self.processor(images=images, return_tensors="pt").pixel_values
        except (ValueError, TypeError, OSError) as wrong:
            raise InputError(f"the image cannot be read: {_one_line(wrong)}") from None
        return self._checked(pixels)

    def _checked(self, pixels: Tensor) -> Tensor:
        wanted = (self.channels, *self.image_size)
        if pixels.dim() != 4 or tuple(pixels.shape[1:]) != wanted:
            raise InputError(
                f"pixels must be (B, C, H, W) with (C, H, W) = {wanted}, got {tuple(pixels.shape)}"
            )
        return pixels.to(torch.float32)


def _in_color(image: object) -> object:
    """A PIL image in RGB, whatever its mode; anything else as it is."""
    convert = getattr(image, "convert", None)
    return convert("RGB") if callable(convert) else image


def _one_line(wrong: Exception) -> str:
    return " ".join(str(wrong).split()) or type(wrong).__name__
