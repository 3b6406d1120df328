"""What must hold of rules: kept beside them, checked by whoever can measure it.

effect          change of the decision that a rule is for         ">=0.05"
collateral_kl   KL divergence, in nats, where it should do nothing   "<=0.02"
invariant_to    "swap": the decision is the same whatever stands in the vetoed places
"""

import math
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Final, Literal, Protocol

from zhuyi.errors import OptionError
from zhuyi.steer.rule import Rule

_BOUND: Final = re.compile(r"\s*(>=|<=|>|<)\s*([+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)\s*")
_HOLDS: Final[dict[str, Callable[[float, float], bool]]] = {
    ">=": lambda found, wanted: found >= wanted,
    "<=": lambda found, wanted: found <= wanted,
    ">": lambda found, wanted: found > wanted,
    "<": lambda found, wanted: found < wanted,
}


@dataclass(frozen=True, kw_only=True)
class Expect:
    """What must hold of one rule.

    Args:
        rule: its id.
        invariant_to: "swap", or "" for nothing.
        effect: a bound such as ">=0.05", or "".
        collateral_kl: a bound such as "<=0.02", or "".
    Raises: OptionError: if nothing is expected, or a bound cannot be read.
    """

    rule: str
    invariant_to: Literal["", "swap"] = ""
    effect: str = ""
    collateral_kl: str = ""

    def __post_init__(self) -> None:
        if not (self.invariant_to or self.effect or self.collateral_kl):
            raise OptionError(
                f"what is expected of rule {self.rule!r} is missing: invariant_to, effect or "
                "collateral_kl"
            )
        if self.invariant_to not in ("", "swap"):
            raise OptionError(f"invariant_to must be 'swap', got {self.invariant_to!r}")
        for bound in (self.effect, self.collateral_kl):
            if bound:
                within(0.0, bound)


@dataclass(frozen=True, kw_only=True)
class Measures:
    """How an expectation is measured; None for what cannot be, which then fails.

    Args:
        invariant: whether the decision is bit-equal under swaps of what the rule vetoes.
        effect: change of the decision, steered minus plain.
        collateral_kl: KL divergence in nats where the rule should do nothing.
    """

    invariant: Callable[[Rule], bool | None] | None = None
    effect: Callable[[Rule], float | None] | None = None
    collateral_kl: Callable[[Rule], float | None] | None = None


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """One expectation and what was found.

    Args:
        rule: id of the rule.
        expected: what was expected, in words.
        found: what was measured, in words.
        held: whether it holds; what could not be measured does not.
    """

    rule: str
    expected: str
    found: str
    held: bool


class RuleSet(Protocol):
    """Rules with what is expected of them: `zhuyi.steer.rules.Rules`."""

    @property
    def expect(self) -> tuple[Any, ...]:
        """What must hold."""
        ...

    def __iter__(self) -> Iterator[Rule]: ...

    def __getitem__(self, id: str) -> Rule: ...


def check(rules: RuleSet, measures: Measures) -> tuple[Outcome, ...]:
    """Every expectation of some rules, measured.

    Args:
        rules: the rules, with what is expected of them.
        measures: how it is measured.
    Returns: one outcome an expectation, in order; () if nothing is expected.
    Raises: OptionError: if a rule that something is expected of does not exist.

    Example:
        >>> from zhuyi.steer.rules import Rules
        >>> rules = Rules(expect=(Expect(rule="dx", effect=">=0.05"),)).boost("dx", 2, id="dx")
        >>> [one.held for one in check(rules, Measures(effect=lambda rule: 0.08))]
        [True]
    """
    return tuple(outcome for one in rules.expect for outcome in _outcomes(rules, one, measures))


def within(found: float, bound: str) -> bool:
    """Whether a number keeps a bound such as ">=0.05"; what is no number keeps none.

    Raises: OptionError: if the bound cannot be read.
    """
    match = _BOUND.fullmatch(bound)
    if match is None:
        raise OptionError(f"a bound must be written as '>=0.05' or '<=0.02', got {bound!r}")
    return not math.isnan(found) and _HOLDS[match[1]](found, float(match[2]))


def _outcomes(rules: RuleSet, expect: Expect, measures: Measures) -> Iterator[Outcome]:
    rule = rules[expect.rule]
    if expect.invariant_to:
        same = None if measures.invariant is None else measures.invariant(rule)
        found = {None: "not measured", True: "bit-equal", False: "it changes"}[same]
        told = f"invariant to {expect.invariant_to}"
        yield Outcome(rule=rule.id, expected=told, found=found, held=same is True)
    wanted = (
        ("effect", expect.effect, measures.effect),
        ("collateral KL", expect.collateral_kl, measures.collateral_kl),
    )
    for name, bound, measure in wanted:
        if bound:
            value = None if measure is None else measure(rule)
            yield Outcome(
                rule=rule.id,
                expected=f"{name} {bound}",
                found="not measured" if value is None else f"{value:.4g}",
                held=value is not None and within(value, bound),
            )
