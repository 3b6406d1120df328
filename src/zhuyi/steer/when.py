"""Conditions: a small language of comparisons over a row's values. Nothing of Python is run.

    condition   any ("and" | "or") any, "not" any, ( condition )
    comparison  name op value | name "in" [value, ...] | name        op: == != < <= > >=
    value       12, 3.5, "text", 'text', true, false

A name may hold letters of any script, digits, "_", "." and "/" after the first letter. A comparison
with a value that the row does not have, or of another kind, is false.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from functools import lru_cache
from typing import Final, TypeAlias

from zhuyi.errors import OptionError

Values: TypeAlias = Mapping[str, object]
Test: TypeAlias = Callable[[Values], bool]
Literal: TypeAlias = "float | str | bool"

_TOKEN: Final = re.compile(
    r"""\s*(?:(?P<number>-?\d+(?:\.\d+)?(?:[eE][-+]?\d+)?)|(?P<text>"[^"]*"|'[^']*')
    |(?P<op>==|!=|<=|>=|<|>|\(|\)|\[|\]|,)|(?P<name>[^\W\d][\w./]*))""",
    re.VERBOSE,
)
_LONGEST: Final = 1000
_DEEPEST: Final = 40
_COMPARED: Final[dict[str, Callable[[object, object], bool]]] = {
    "==": lambda left, right: left == right,
    "!=": lambda left, right: left != right,
    "<": lambda left, right: left < right,  # type: ignore[operator]
    "<=": lambda left, right: left <= right,  # type: ignore[operator]
    ">": lambda left, right: left > right,  # type: ignore[operator]
    ">=": lambda left, right: left >= right,  # type: ignore[operator]
}


def holds(condition: str, values: Values) -> bool:
    """Whether a condition holds for a row.

    Args:
        condition: see above.
        values: the row's values by name.
    Raises: OptionError: if it is no condition; the text shows the place.

    Example:
        >>> holds("age >= 65 and not (sex == 'F' or ward in ['A', 'B'])", {"age": 70, "sex": "M"})
        True
    """
    return parsed(condition)(values)


@lru_cache(maxsize=256)
def parsed(condition: str) -> Test:
    """A condition as a function of a row's values. Raises: OptionError: if it is none."""
    if len(condition) > _LONGEST:
        raise OptionError(f"a condition must be shorter than {_LONGEST} characters")
    parser = _Parser(condition)
    test = parser.either(0)
    parser.end()
    return test


class _Parser:
    """Recursive descent over the tokens."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.tokens = list(_tokens(text))
        self.place = 0

    def either(self, depth: int) -> Test:
        tests = [self.both(depth)]
        while self.taken("name", "or"):
            tests.append(self.both(depth))
        return tests[0] if len(tests) == 1 else lambda values: any(one(values) for one in tests)

    def both(self, depth: int) -> Test:
        tests = [self.one(depth)]
        while self.taken("name", "and"):
            tests.append(self.one(depth))
        return tests[0] if len(tests) == 1 else lambda values: all(one(values) for one in tests)

    def one(self, depth: int) -> Test:
        if depth > _DEEPEST:
            raise self.wrong("is nested too deeply")
        if self.taken("name", "not"):
            inner = self.one(depth + 1)
            return lambda values: not inner(values)
        if self.taken("op", "("):
            inner = self.either(depth + 1)
            self.need("op", ")")
            return inner
        return self.comparison()

    def comparison(self) -> Test:
        name = self.need("name")
        if self.taken("name", "in"):
            self.need("op", "[")
            choices = [self.value()]
            while self.taken("op", ","):
                choices.append(self.value())
            self.need("op", "]")
            return lambda values: any(
                _alike(values.get(name), one) and values.get(name) == one for one in choices
            )
        kind, written = self.peek()
        if kind == "op" and written in _COMPARED:
            self.place += 1
            right = self.value()
            compare = _COMPARED[written]
            return lambda values: _alike(values.get(name), right) and compare(values[name], right)
        return lambda values: values.get(name) is True

    def value(self) -> Literal:
        kind, written = self.peek()
        self.place += 1
        if kind == "number":
            return float(written)
        if kind == "text":
            return written[1:-1]
        if kind == "name" and written in ("true", "false"):
            return written == "true"
        self.place -= 1
        raise self.wrong("must have a number, a text in quotes, true or false")

    def peek(self) -> tuple[str, str]:
        return self.tokens[self.place][:2] if self.place < len(self.tokens) else ("end", "")

    def taken(self, kind: str, written: str) -> bool:
        if self.peek() != (kind, written):
            return False
        self.place += 1
        return True

    def need(self, kind: str, written: str = "") -> str:
        found = self.peek()
        reserved = kind == "name" and found[1] in ("and", "or", "not", "in", "true", "false")
        if found[0] != kind or (written and found[1] != written) or reserved:
            raise self.wrong(f"must have {written or 'a ' + kind}")
        self.place += 1
        return found[1]

    def end(self) -> None:
        if self.place < len(self.tokens):
            raise self.wrong("must end")

    def wrong(self, what: str) -> OptionError:
        at = self.tokens[self.place][2] if self.place < len(self.tokens) else len(self.text)
        return OptionError(f"the condition {self.text!r} {what} at character {at}")


def _tokens(text: str) -> Iterator[tuple[str, str, int]]:
    at = 0
    while text[at:].strip():
        match = _TOKEN.match(text, at)
        if match is None or match.lastgroup is None:
            raise OptionError(f"the condition {text!r} cannot be read at character {at}")
        yield match.lastgroup, match.group(match.lastgroup), match.start(match.lastgroup)
        at = match.end()


def _alike(left: object, right: Literal) -> bool:
    """Whether two values may be compared: numbers with numbers, texts with texts."""
    if isinstance(left, bool) or isinstance(right, bool):
        return isinstance(left, bool) and isinstance(right, bool)
    if isinstance(right, str):
        return isinstance(left, str)
    return isinstance(left, int | float)
