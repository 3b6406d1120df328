"""Emphasis written into a text, as people know it from image generators; only where asked for.

    (word)        x 1.1          ((word))   x 1.21         [word]   / 1.1
    (word:1.5)    x 1.5          (word:0)   a veto         <hl w=1.5>word</hl>   x 1.5

Weights of nested marks multiply. A mark without its partner is text, and so is
one behind a backslash: `\\(`, `\\)`, `\\[`, `\\]`, `\\<`, `\\\\`.
"""

import re
from typing import Final

from zhuyi.steer.rule import Action, Rule, usual_guarantee
from zhuyi.steer.rules import Rules
from zhuyi.steer.spans import Span

STEP: Final = 1.1
#: Beyond, a weight is the same as the bound: rules are clamped long before.
_LARGEST: Final = 1e6

_NUMBER: Final = r"(?:\d+\.?\d*|\.\d+)"
_MARK: Final = re.compile(
    rf"\\(?P<plain>[()\[\]<\\])|(?P<open>[(\[])|:\s*(?P<weight>{_NUMBER})\s*\)|(?P<close>[)\]])"
    rf"|<hl\s+w\s*=\s*[\"']?(?P<tag>{_NUMBER})[\"']?\s*>|(?P<end></hl\s*>)"
)


def parse_emphasis(text: str) -> tuple[str, Rules]:
    """A text without its marks, and the rules that they mean.

    Args:
        text: a text with marks, see above. Never call it on a text that nobody marked: ordinary
            text holds parentheses.

    Returns:
        text: what the model shall read.
        rules: one boost, damp or veto for each stretch of another weight than 1, by characters of
            the returned text.

    Cost: O(characters) and the depth of nesting.

    Example:
        >>> text, rules = parse_emphasis("(answer in JSON:1.5) about [the weather]")
        >>> text
        'answer in JSON about the weather'
        >>> [(rule.action, rule.weight) for rule in rules]
        [('boost', 1.5), ('damp', 0.909091)]
    """
    parts = _weighted(text)
    clean, stretches = "".join(part for part, _ in parts), list[tuple[int, int, float]]()
    stop = 0
    for part, weight in parts:
        start, stop = stop, stop + len(part)
        if stretches and stretches[-1][2] == weight:
            start = stretches.pop()[0]
        stretches.append((start, stop, weight))
    rules = list[Rule]()
    for start, stop, weight in stretches:
        if weight != 1 and clean[start:stop].strip():
            action: Action = "veto" if weight == 0 else "boost" if weight > 1 else "damp"
            rule = Rule(
                id=f"emphasis-{len(rules) + 1}",
                action=action,
                select=(Span(start, stop, clean),),
                weight=weight or None,
                guarantee=usual_guarantee(action, partial=False),
            )
            rules.append(rule)
    return clean, Rules(tuple(rules))


def escaped(text: str) -> str:
    """A text that `parse_emphasis` gives back as it is."""
    return re.sub(r"([()\[\]<\\])", r"\\\1", text)


def _weighted(text: str) -> list[tuple[str, float]]:
    """The text in parts, each with the product of the weights around it."""
    marks = list(_MARK.finditer(text))
    factors = _partners(marks)
    parts, around = list[tuple[str, float]](), [1.0]
    last = 0
    for place, mark in enumerate(marks):
        parts.append((text[last : mark.start()], around[-1]))
        last = mark.end()
        if mark["plain"]:
            parts.append((mark["plain"], around[-1]))
        elif place not in factors:
            parts.append((mark.group(), around[-1]))
        elif mark["open"] or mark["tag"]:
            around.append(_product(around[-1], factors[place]))
        else:
            around.pop()
    parts.append((text[last:], around[-1]))
    return [(part, float(f"{weight:.6g}")) for part, weight in parts if part]


def _partners(marks: list[re.Match[str]]) -> dict[int, float]:
    """Marks that have a partner, by number, with the factor of the pair.

    An end closes the innermost beginning of its kind; marks left open inside it are text.
    """
    factors: dict[int, float] = {}
    waiting: list[tuple[str, int]] = []
    count = {"(": 0, "[": 0, "<": 0}
    for place, mark in enumerate(marks):
        if mark["plain"]:
            continue
        if mark["open"] or mark["tag"]:
            kind = mark["open"] or "<"
            waiting.append((kind, place))
            count[kind] += 1
            continue
        kind = "<" if mark["end"] else "[" if mark["close"] == "]" else "("
        if not count[kind]:
            continue
        found = ""
        while found != kind:
            found, begin = waiting.pop()
            count[found] -= 1
        weight = marks[begin]["tag"] or mark["weight"]
        usual = 1 / STEP if kind == "[" else STEP
        factors[begin] = factors[place] = float(weight) if weight else usual
    return factors


def _product(around: float, factor: float) -> float:
    """Both weights together; only a weight of 0 makes 0."""
    if around == 0 or factor == 0:
        return 0.0
    return min(max(around * factor, 1 / _LARGEST), _LARGEST)
