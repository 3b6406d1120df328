"""Self or cross attention: do queries and keys come from the same sequence?

torch does not say, so the arguments of the module around the call are asked first (a second
sequence was handed in), then its names, then the lengths.
"""

import inspect
import re
from collections.abc import Callable
from functools import lru_cache
from typing import Any, Final

import torch
from torch import nn

from zhuyi.trace.collector import ATTENTION_CLASS, Frame

SECOND_SEQUENCE: Final = re.compile(
    r"^(?!past)(.*key_value_states|encoder_hidden_states|cross_attention_states|kv_states"
    r"|.*context_hidden_states|image_hidden_states)$"
)
MAYBE_SECOND: Final = re.compile(r"^(kv|context|memory|encoder_outputs?|cond\w*|inputs)$")
KEY_NAMES: Final = {"query": "key", "queries": "keys", "q": "k", "query_tensor": "key_tensor"}
NO_SEQUENCE: Final = re.compile(r"mask|bias|pos|rope|rotary|cos|sin|freq|embed|past|cache")
CROSS_NAME: Final = re.compile(
    r"cross|encoder_attn|encdecattention|enc_dec|multihead_attn|src_attn|encoder_decoder",
    re.IGNORECASE,
)


def is_cross(frames: list[Frame], module: nn.Module | None, queries: int, keys: int) -> bool:
    """Whether an attention call inside these running modules attends to another sequence.

    Args:
        frames: the running modules, outermost first.
        module: the attention module when it is known, else the innermost attention-like one.
        queries: number of query positions Q.
        keys: number of key positions K.
    """
    frame = _attention_frame(frames, module)
    if getattr(frame.module, "is_cross_attention", False) is True:
        return True
    arguments = bound_arguments(frame)
    answer = _by_arguments(arguments, keys)
    if answer is not None:
        return answer
    if CROSS_NAME.search(frame.name) or CROSS_NAME.search(type(frame.module).__name__):
        return True
    lengths = [sequence.shape[1] for sequence in _sequences(arguments).values()]
    if queries == keys or not lengths or queries in lengths:
        # The only sequence handed in has the queries' length: the other keys come from a cache.
        return False
    return keys in lengths


def bound_arguments(frame: Frame) -> dict[str, Any]:
    """The arguments of a running module by parameter name."""
    names = _parameter_names(type(frame.module).forward)
    return {**dict(zip(names, frame.args, strict=False)), **frame.kwargs}


def _by_arguments(arguments: dict[str, Any], keys: int) -> bool | None:
    for query_name, key_name in KEY_NAMES.items():
        query, key = arguments.get(query_name), arguments.get(key_name)
        if isinstance(query, torch.Tensor) and isinstance(key, torch.Tensor):
            return same_source(query, key, arguments.get(key_name.replace("key", "value"))) is False
    values = list(arguments.items())
    for name, value in values[1:]:
        if SECOND_SEQUENCE.match(name) and isinstance(value, torch.Tensor):
            return value is not values[0][1]
    sequences = _sequences(arguments)
    first = next(iter(sequences.values()), None)
    for name, other in sequences.items():
        if first is None or other is first:
            continue
        own, length = first.shape[1], other.shape[1]
        # These names also stand for one vector of conditioning: the length has to fit the keys,
        # or the keys be both sequences (latents that also read themselves).
        if MAYBE_SECOND.match(name) and keys in (length, length + own):
            return True
        if length == keys != own:
            return True
    return None


def same_source(query: torch.Tensor, key: torch.Tensor, value: object) -> bool | None:
    """Whether query and key inputs are one sequence; None when only names could tell."""
    if query is key:
        return True
    if key is value:
        return False
    if query is value:
        return True
    # Positions are often added to queries and keys apart; lengths are then the only evidence.
    return None if query.shape == key.shape else False


def _sequences(arguments: dict[str, Any]) -> dict[str, torch.Tensor]:
    return {
        name: value
        for name, value in arguments.items()
        if isinstance(value, torch.Tensor)
        and value.is_floating_point()
        and value.dim() == 3
        and not NO_SEQUENCE.search(name)
    }


def _attention_frame(frames: list[Frame], module: nn.Module | None) -> Frame:
    for frame in reversed(frames):
        if frame.module is module:
            return frame
    for frame in reversed(frames):
        if ATTENTION_CLASS.search(type(frame.module).__name__):
            return frame
    return frames[-1]


@lru_cache(maxsize=1024)
def _parameter_names(forward: Callable[..., Any]) -> tuple[str, ...]:
    names = list(inspect.signature(forward).parameters)
    return tuple(names[1:])
