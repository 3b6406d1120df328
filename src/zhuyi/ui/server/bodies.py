"""A request's body as plain data: JSON in the narrowest sense, and fields of the kinds expected.

JSON as Python reads it knows more than is wanted from a stranger: a key twice (the last one wins),
NaN, numbers without end, halves of characters, any depth.
"""

import json
import math
from collections.abc import Callable, Mapping
from typing import Any, Final, Never

from zhuyi.errors import InputError

LARGEST: Final = 128 * 1024  # bytes
DEEPEST: Final = 12
MOST_PARTS: Final = 5_000
MOST: Final = 1e15  # beyond it a number is not written plainly

Check = Callable[[Any], bool]


def read_body(body: bytes) -> Mapping[str, Any]:
    """The object that a body holds.

    Args:
        body: at most `LARGEST` bytes, which the caller has checked.
    Raises: InputError: if it is no JSON object, or holds what is not taken; nothing of it is
        repeated.
    """
    try:
        data = json.loads(body.decode("utf-8"), object_pairs_hook=_object, parse_constant=_constant)
    except UnicodeDecodeError:
        raise InputError("the body must be UTF-8") from None
    except RecursionError:
        raise InputError("the body is nested too deeply") from None
    except json.JSONDecodeError:
        raise InputError("the body is no JSON") from None
    except ValueError as wrong:
        if isinstance(wrong, InputError):
            raise
        raise InputError("the body holds a number that is too long") from None
    if not isinstance(data, dict):
        raise InputError("the body must be a JSON object")
    _check_parts(data)
    return data


def fields_of(
    data: Mapping[str, Any], needed: Mapping[str, Check], optional: Mapping[str, Check] = {}
) -> Mapping[str, Any]:
    """The same data, if it has all that is needed and nothing unknown, each of its kind.

    Args:
        data: of `read_body`, or an object in it.
        needed, optional: name -> whether a value is of the kind that is wanted.
    Raises: InputError: with the name of the first field that is not so.

    Example:
        >>> fields_of({"turn": 3}, {"turn": whole(0, 9)})["turn"]
        3
    """
    missing = [name for name in needed if name not in data]
    if missing:
        raise InputError(f"{missing[0]!r} is missing")
    known = {**needed, **optional}
    for name, value in data.items():
        if name not in known:
            raise InputError(f"there is a field that is not known here; known are {[*known]}")
        if not known[name](value):
            raise InputError(f"{name!r} is not of the kind that is expected")
    return data


def whole(least: int, most: int) -> Check:
    """Whether a value is a whole number within bounds; true and false are none."""
    return lambda value: type(value) is int and least <= value <= most


def text(most: int) -> Check:
    """Whether a value is a text of at most so many characters."""
    return lambda value: isinstance(value, str) and len(value) <= most


def one_of(*known: str) -> Check:
    """Whether a value is one of a few words."""
    return lambda value: isinstance(value, str) and value in known


def an_object(value: Any) -> bool:
    """Whether a value is an object."""
    return isinstance(value, dict)


def objects(most: int) -> Check:
    """Whether a value is a list of at most so many objects."""
    return lambda value: (
        isinstance(value, list)
        and len(value) <= most
        and all(isinstance(one, dict) for one in value)
    )


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise InputError("a key is there twice")
    return found


def _constant(_: str) -> Never:
    raise InputError("NaN and Infinity are no JSON")


def _check_parts(data: object) -> None:
    """Depth, number and kind of all parts, without recursion."""
    waiting: list[tuple[object, int]] = [(data, 1)]
    parts = 0
    while waiting:
        one, depth = waiting.pop()
        parts += 1
        if depth > DEEPEST or parts > MOST_PARTS:
            raise InputError("the body is nested too deeply or has too many parts")
        if isinstance(one, dict):
            waiting += [(part, depth + 1) for pair in one.items() for part in pair]
        elif isinstance(one, list):
            waiting += [(part, depth + 1) for part in one]
        elif isinstance(one, str):
            _check_text(one)
        elif isinstance(one, int | float) and not (math.isfinite(one) and abs(one) <= MOST):
            raise InputError("the body holds a number that is too large")


def _check_text(one: str) -> None:
    try:
        one.encode("utf-8")
    except UnicodeEncodeError:
        raise InputError("the body holds half a character") from None
    if "\0" in one:
        raise InputError("the body holds a null character")
