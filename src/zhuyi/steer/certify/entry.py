"""Where content enters a model: the tensor of a call that holds it, position by position."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from zhuyi.steer.contents import Kind, replaced
from zhuyi.steer.reading import Reading


@dataclass(frozen=True, kw_only=True, eq=False)
class Call:
    """One forward call of the model, as it was made.

    Args:
        args, kwargs: its arguments.
        reading: what it reads.
        name: the argument that holds the content: a keyword, or a place among `args`.
        kind: of that content.
        leading: positions that the model itself puts before the content.
        embedders: modules that turn the content into vectors "B N E", innermost; () for "values",
            where the content is such vectors itself.
    """

    args: tuple[Any, ...]
    kwargs: Mapping[str, Any]
    reading: Reading
    name: str | int
    kind: Kind
    leading: int
    embedders: tuple[nn.Module, ...] = ()

    @property
    def content(self) -> Tensor:
        """The content "B N ..."."""
        found: Tensor = (
            self.args[self.name] if isinstance(self.name, int) else self.kwargs[self.name]
        )
        return found

    @property
    def length(self) -> int:
        """Positions of the layouts."""
        return max(one.length for one in self.reading.layouts)

    def with_content(self, content: Tensor) -> tuple[tuple[Any, ...], dict[str, Any]]:
        """The call's arguments with other content."""
        return replaced(self.name, content, self.args, self.kwargs)


class Receivers:
    """Finds the innermost modules that are given the content and make a vector of each position.

    Args:
        model: the model.
        content: what to look for, the very tensor or an equal one of the same type.
        length: positions of the layouts.
    """

    def __init__(self, model: nn.Module, content: Tensor, length: int) -> None:
        self._content = content
        self._length = length
        self._found: dict[str, nn.Module] = {}
        self._handles = [
            one.register_forward_hook(self._heard(name), with_kwargs=True)
            for name, one in model.named_modules()
        ]

    def close(self) -> tuple[nn.Module, ...]:
        """Take the hooks away; the modules found, outer ones left out."""
        for handle in self._handles:
            handle.remove()
        return tuple(
            module
            for name, module in self._found.items()
            if not any(other != name and _inside(other, name) for other in self._found)
        )

    def _heard(self, name: str) -> Callable[..., None]:
        def heard(module: nn.Module, args: Any, kwargs: Any, output: Any) -> None:
            if any(self._same(one) for one in (*args, *kwargs.values())) and self._vectors(output):
                self._found[name] = module

        return heard

    def _same(self, given: object) -> bool:
        content = self._content
        return given is content or (
            isinstance(given, Tensor)
            and given.dtype == content.dtype
            and given.shape == content.shape
            and torch.equal(given, content)
        )

    def _vectors(self, output: object) -> bool:
        if not isinstance(output, Tensor) or output.dim() != 3 or not output.is_floating_point():
            return False
        lengths = {self._length}
        if self._content.dim() == 4:  # an image's patches, before the model's own positions
            lengths |= {self._length - 1, self._length - 2, self._length - 5}
        return output.shape[0] == self._content.shape[0] and output.shape[1] in lengths


def _inside(name: str, outer: str) -> bool:
    return outer == "" or name.startswith(outer + ".")
