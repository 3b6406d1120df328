"""The argument of a forward call that holds what the model reads, position by position."""

from collections.abc import Mapping
from typing import Any, Literal

from torch import Tensor

from zhuyi.steer.reading import Reading

Kind = Literal["tokens", "values", "codes", "pixels"]
"""Token ids; numbers that may be anything; codes that only a reader makes; an image."""


def content_of(args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> str | int | None:
    """Which argument holds the content: the token ids, else vectors in their place, else the first
    tensor of two dimensions.
    """
    for known in ("input_ids", "inputs_embeds"):
        if isinstance(kwargs.get(known), Tensor):
            return known
    named: list[tuple[str | int, Any]] = [*enumerate(args), *kwargs.items()]
    for name, given in named:
        if isinstance(given, Tensor) and given.dim() > 1:
            return name
    return None


def replaced(
    name: str | int, content: Tensor, args: tuple[Any, ...], kwargs: Mapping[str, Any]
) -> tuple[tuple[Any, ...], dict[str, Any]]:
    """Arguments with one of them replaced."""
    if isinstance(name, int):
        return (*args[:name], content, *args[name + 1 :]), dict(kwargs)
    return args, {**kwargs, name: content}


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


def aligned(keys_BL: Tensor, length: int) -> Tensor:
    """Positions of the layouts as places of content: the model's own leading ones left out."""
    return keys_BL[:, keys_BL.shape[1] - length :]


def spread(keys_BN: Tensor, content: Tensor) -> Tensor:
    """The same mask for every number of a position."""
    return keys_BN.to(content.device).reshape(*keys_BN.shape, *(1,) * (content.dim() - 2))
