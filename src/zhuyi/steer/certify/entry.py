"""Where content enters a model: the tensor of a call that holds it, position by position."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

import torch
from torch import Tensor, nn

from zhuyi.steer.reading import Reading

Kind = Literal["tokens", "values", "codes", "pixels"]
"""Token ids; numbers that may be anything; codes that only a reader makes; an image."""


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


def replaced(
    name: str | int, content: Tensor, args: tuple[Any, ...], kwargs: Mapping[str, Any]
) -> tuple[tuple[Any, ...], dict[str, Any]]:
    """Arguments with one of them replaced."""
    if isinstance(name, int):
        return (*args[:name], content, *args[name + 1 :]), dict(kwargs)
    return args, {**kwargs, name: content}


def content_of(args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> str | int | None:
    """Which argument holds the content: the token ids, else the first tensor of two dimensions."""
    if isinstance(kwargs.get("input_ids"), Tensor):
        return "input_ids"
    named: list[tuple[str | int, Any]] = [*enumerate(args), *kwargs.items()]
    for name, given in named:
        if isinstance(given, Tensor) and given.dim() > 1:
            return name
    return None


def kind_of(content: Tensor, reading: Reading, *, tokens: bool, free: bool) -> Kind:
    """What kind of content a tensor is.

    Args:
        content: the tensor.
        reading: what the call reads.
        tokens: whether whoever reads the call knows a tokenizer.
        free: whether any number may stand there (a plain module; no estimator's codes).
    """
    if tokens and content.dim() == 2 and not content.is_floating_point():
        return "tokens"
    # An image's second dimension are its colors, not its patches.
    pieces = max(one.length - len(one.special) for one in reading.layouts)
    if content.dim() == 4 and content.shape[1] < pieces:
        return "pixels"
    return "values" if free and content.is_floating_point() else "codes"


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
