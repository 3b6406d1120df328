"""The control: what the same rules do on other places, drawn at random, of equal number."""

import statistics
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from typing import Any

from zhuyi.errors import RuleConflict
from zhuyi.steer.reporting import Elsewhere
from zhuyi.steer.rule import Rule
from zhuyi.steer.rules import Rules
from zhuyi.ui.server.turns import Turn
from zhuyi.ui.steering.asking import Asked
from zhuyi.ui.steering.bench import Before, Bench


def controlled(bench: Bench, asked: Asked, turn: Turn) -> dict[str, Any]:
    """The answer to POST /control: sizes of differences in the target's probability.

    A rule is compared with itself on as many other positions, beside the other rules as they are;
    the whole with all rules elsewhere. A rule that means nothing here, or leaves too few places for
    a draw, has none.
    """
    rules = bench.ruling.read(asked.rules)
    bench.begin(turn)
    before = bench.before(asked.given)
    target = bench.target_of(asked, before)

    def strength(some: Rules) -> float:
        turn.check()
        return bench.decision(before, some).strength(target)

    def draws(moved: Sequence[Rule], base: float) -> list[float]:
        found = []
        for draw in range(asked.draws):
            swapped = _elsewhere(rules, moved, before, draw)
            if swapped is not None:
                with suppress(RuleConflict):  # a place that another rule does not allow
                    found.append(abs(strength(swapped) - base))
        return found

    after, plain = strength(rules), before.decision.strength(target)
    found = []
    for rule in rules:
        without = strength(rules.without(rule.id))
        found.append(_compared(rule.id, abs(after - without), draws((rule,), without)))
    return {
        "turn": asked.turn,
        "target": target if bench.desk.labels else None,
        "rules": found,
        "whole": {"own": abs(after - plain), "draws": draws(tuple(rules), plain)},
    }


def _compared(name: str, own: float, draws: list[float]) -> dict[str, Any]:
    return {
        "id": name,
        "own": own,
        "mean": statistics.fmean(draws) if draws else None,
        "as_large": sum(one >= own for one in draws) / len(draws) if draws else None,
        "draws": len(draws),
    }


def _elsewhere(rules: Rules, moved: Sequence[Rule], before: Before, draw: int) -> Rules | None:
    """The rules with some of them on random other positions; None where there are too few."""
    swapped = []
    found = False
    for rule in rules:
        if rule not in moved or rule.action == "link":
            swapped.append(rule)
            continue
        other = replace(rule, select=(Elsewhere(rule.select, draw),))
        if before.places.meant(rule):
            if not Elsewhere(rule.select, draw).match(before.places.layout).positions:
                return None
            found = True
        swapped.append(other)
    return Rules(tuple(swapped)) if found else None
