"""Selectors that look once at a text, however many rows and runs hold it.

All rows of a call and all runs of a try read the same text. And a search cannot be stopped from
outside, so a turn is asked for before each.
"""

from collections.abc import Callable, Hashable
from dataclasses import replace
from typing import Final

from zhuyi.steer.layout import Layout
from zhuyi.steer.rule import Rule
from zhuyi.steer.rules import Rules
from zhuyi.steer.selectors import Matched, Selector

_MOST: Final = 4096  # matches that are remembered


class Matches:
    """What selectors meant in layouts.

    Args:
        check: called before each search; raises where the turn is over.
    """

    def __init__(self, check: Callable[[], None]) -> None:
        self._check = check
        self._known: dict[Hashable, Matched] = {}

    def of(self, selector: Selector, layout: Layout) -> Matched:
        """What a selector means in a layout."""
        key = (
            repr(selector), layout.length, layout.text, layout.spans, layout.special,
            layout.padding, layout.roles, len(layout.pieces),
        )  # fmt: skip
        if key not in self._known:
            self._check()
            if len(self._known) >= _MOST:
                self._known.clear()
            self._known[key] = selector.match(layout)
        return self._known[key]

    def quick(self, rules: Rules) -> Rules:
        """The same rules with selectors that remember; links, which need pairs, as they are."""
        return Rules(tuple(self._rule(rule) for rule in rules))

    def _rule(self, rule: Rule) -> Rule:
        if rule.action == "link":
            return rule
        select = tuple(Remembering(one, self) for one in rule.select)
        sender = tuple(Remembering(one, self) for one in rule.sender)
        return replace(rule, select=select, sender=sender)


class Remembering:
    """A selector that remembers what it meant.

    Args:
        inner: the selector.
        matches: what is known.
    """

    def __init__(self, inner: Selector, matches: Matches) -> None:
        self.inner = inner
        self._matches = matches

    def match(self, layout: Layout) -> Matched:
        """What the inner one means."""
        return self._matches.of(self.inner, layout)
