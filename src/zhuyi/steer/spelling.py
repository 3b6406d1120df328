"""Rules as the Python that makes them."""

from dataclasses import MISSING, Field, fields

from zhuyi.steer.expect import Expect, RuleSet
from zhuyi.steer.rule import Rule, usual_guarantee
from zhuyi.steer.selectors import Selector, Text


def spelled(rules: RuleSet) -> str:
    """Rules as a Python expression of calls, one a line.

    Args:
        rules: any rules, from YAML or marks too.
    Returns: an expression over `Rules`, `Expect` and the selectors' names that gives equal rules.

    Example:
        >>> from zhuyi.steer.rules import Rules
        >>> print(spelled(Rules().boost("diagnosis", 2, why="guideline").veto("she", id="no-she")))
        (
            Rules()
            .boost('diagnosis', 2, why='guideline')
            .veto('she', id='no-she')
        )
    """
    first = "Rules()"
    if rules.expect:
        wanted = "".join(f"{_expected(one)}, " for one in rules.expect)
        first = f"Rules(expect=({wanted.rstrip()}))"
    lines = [first, *(f".{_call(place, rule)}" for place, rule in enumerate(rules, start=1))]
    if len(lines) == 1:
        return first
    return "(\n" + "".join(f"    {line}\n" for line in lines) + ")"


def _call(place: int, rule: Rule) -> str:
    given = [_what(rule.select)]
    strength = rule.at_least if rule.action == "share" else rule.weight
    if strength is not None:
        given.append(f"weight={strength!r}" if rule.action == "veto" else repr(strength))
    if rule.id != f"{rule.action}-{place}":
        given.append(f"id={rule.id!r}")
    if rule.guarantee != usual_guarantee(rule.action, partial=not rule.complete):
        given.append(f"guarantee={rule.guarantee!r}")
    if rule.sender:
        given.append(f"sender={_what(rule.sender)}")
    if rule.layers is not None:
        given.append(f"layers={rule.layers.written!r}")
    if rule.heads:
        given.append(f"heads={rule.heads!r}")
    if rule.when:
        given.append(f"when={rule.when!r}")
    if rule.expires is not None:
        given.append(f"expires={rule.expires.isoformat()!r}")
    if rule.beyond:
        given.append("beyond=True")
    if rule.why:
        given.append(f"why={rule.why!r}")
    return f"{rule.action}({', '.join(given)})"


def _what(selectors: tuple[Selector, ...]) -> str:
    written = [_selector(one) for one in selectors]
    return written[0] if len(written) == 1 else f"[{', '.join(written)}]"


def _selector(selector: Selector) -> str:
    if isinstance(selector, Text) and selector == Text(selector.text):
        return repr(selector.text)
    parts = []
    for place, field in enumerate(fields(selector)):  # type: ignore[arg-type]
        value = getattr(selector, field.name)
        if value != _usual(field):
            # The first is what the selector is named after; the others are better named.
            parts.append(f"{value!r}" if place == 0 else f"{field.name}={value!r}")
    return f"{type(selector).__name__}({', '.join(parts)})"


def _expected(one: Expect) -> str:
    parts = (f"{field.name}={getattr(one, field.name)!r}" for field in fields(one))
    return f"Expect({', '.join(part for part in parts if not part.endswith(_NOTHING))})"


def _usual(field: "Field[object]") -> object:
    if field.default_factory is not MISSING:
        return field.default_factory()
    return field.default


_NOTHING = "=''"
