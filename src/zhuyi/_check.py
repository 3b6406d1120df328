"""Shape, dtype and range checks: the one place that words "expected ..., got ..."."""

from collections.abc import Sequence
from typing import NoReturn

import torch

from .errors import OptionError, ShapeError

FLOATING = (torch.float64, torch.float32, torch.bfloat16, torch.float16)


def shape_error(name: str, expected: str, got: object, remedy: str = "") -> NoReturn:
    """Raise the one kind of sentence all shape complaints have."""
    tail = f": {remedy}" if remedy else ""
    raise ShapeError(f"{name} must be {expected}, got {got}{tail}")


def option_error(name: str, expected: str, got: object, remedy: str = "") -> NoReturn:
    """Raise the one kind of sentence all complaints about options have."""
    tail = f": {remedy}" if remedy else ""
    raise OptionError(f"{name} must be {expected}, got {got!r}{tail}")


def check_tensor(name: str, tensor: object, letters: str) -> torch.Tensor:
    """Check that `tensor` is a floating tensor with one dimension per letter."""
    if not isinstance(tensor, torch.Tensor):
        shape_error(name, f"a tensor [{letters}]", type(tensor).__name__)
    if tensor.dim() != len(letters.split()):
        shape_error(name, f"a tensor [{letters}]", f"shape {tuple(tensor.shape)}")
    if tensor.dtype not in FLOATING:
        shape_error(name, "float64, float32, bfloat16 or float16", str(tensor.dtype))
    return tensor


def check_query_key(query: torch.Tensor, key: torch.Tensor) -> tuple[int, int, int, int]:
    """Check query [B, H, Q, D] against key [B, G, K, D]; return (B, H, Q, K)."""
    check_tensor("query", query, "B H Q D")
    check_tensor("key", key, "B G K D")
    B, H, Q, D = query.shape
    if key.shape[0] != B or key.shape[3] != D:
        shape_error(
            "key", f"[B, G, K, D] with B = {B} and D = {D} as in query", f"{tuple(key.shape)}"
        )
    G = key.shape[1]
    if G == 0 or H % G:
        shape_error("key heads G", f"a divisor of the query heads H = {H}", G)
    if key.dtype != query.dtype:
        shape_error("key", f"of query's dtype {query.dtype}", str(key.dtype), "cast one of them")
    if key.device != query.device:
        shape_error("key", f"on query's device {query.device}", str(key.device), "move one of them")
    return B, H, Q, key.shape[2]


def check_value(key: torch.Tensor, value: torch.Tensor) -> torch.Tensor:
    """Check value [B, G, K, Dv] against key [B, G, K, D]."""
    check_tensor("value", value, "B G K Dv")
    if value.shape[:3] != key.shape[:3]:
        B, G, K = key.shape[:3]
        shape_error("value", f"[B, G, K, Dv] with (B, G, K) = {(B, G, K)}", tuple(value.shape))
    if value.dtype != key.dtype:
        shape_error("value", f"of key's dtype {key.dtype}", str(value.dtype), "cast one of them")
    return value


def check_broadcast(
    name: str, shape: Sequence[int], target: Sequence[int], letters: str, remedy: str
) -> None:
    """Check that `shape` broadcasts to `target`, whose dimensions are named by `letters`."""
    short = tuple(shape)
    padded = (1,) * (len(target) - len(short)) + short
    fits = len(short) <= len(target) and all(
        s in (1, t) for s, t in zip(padded, target, strict=True)
    )
    if not fits:
        raise ShapeError(
            f"{name} must broadcast to ({letters}) = {tuple(target)}, got {short}: {remedy}"
        )


def check_at_least(name: str, value: int, least: int) -> int:
    """Check an integer option against its smallest allowed value."""
    if isinstance(value, bool) or not isinstance(value, int) or value < least:
        option_error(name, f"an integer >= {least}", value)
    return value


def check_share(name: str, value: float) -> float:
    """Check that a number lies in [0, 1]."""
    if not 0.0 <= float(value) <= 1.0:
        option_error(name, "a number in [0, 1]", value)
    return float(value)
