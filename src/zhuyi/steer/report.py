"""What a steering did, as records: plain numbers and texts that every face can show."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Protocol

from zhuyi.core.record import Said
from zhuyi.steer.rule import Action, Guarantee


@dataclass(frozen=True, kw_only=True)
class Change:
    """A paired difference: the same inputs with and without.

    Args:
        mean: of the differences, in probability of the target.
        low: of the 95 % interval by resampling inputs; None for fewer than five inputs.
        high: its other end.
        inputs: per input, the difference.
        flipped: share of inputs whose decision became another one.
    """

    mean: float
    low: float | None
    high: float | None
    inputs: tuple[float, ...]
    flipped: float


@dataclass(frozen=True, kw_only=True)
class Control:
    """The same rule on other positions of equal number, drawn at random.

    Args:
        draws: how many times.
        mean: size |difference| of the effect on the target's probability, over draws and inputs.
        as_large: share of draws whose mean |difference| was at least that of the rule itself; a
            rule whose own is no larger than chance has a large one.
        own: mean |difference| of the rule itself, on the same inputs.
        inputs: inputs in which as many other positions were left.
    """

    draws: int
    mean: float
    as_large: float
    own: float
    inputs: int


@dataclass(frozen=True, kw_only=True)
class Leak:
    """How well the vetoed attribute can be told from what is left.

    Args:
        source: "read-out" (what the decision is made of) or "other inputs".
        auc: cross-validated area under the curve of a linear probe; 0.5 is chance. None where it
            could not be measured.
        low, high: 95 % interval.
        rows: rows that were used.
        said: the same in one sentence.
    """

    source: str
    auc: float | None
    low: float | None
    high: float | None
    rows: int
    said: Said


class Claim(Protocol):
    """What a certificate says of one rule."""

    @property
    def rule(self) -> str:
        """Its id."""
        ...

    @property
    def level(self) -> Guarantee:
        """What may be claimed."""
        ...

    @property
    def leaks(self) -> tuple[Leak, ...]:
        """What a probe finds of it elsewhere."""
        ...


class Claims(Protocol):
    """A certificate, as `certify` gives it."""

    @property
    def rules(self) -> Sequence[Claim]:
        """One part a veto."""
        ...


@dataclass(frozen=True, kw_only=True)
class RuleReport:
    """One rule.

    Args:
        id: of the rule.
        action: of the rule.
        why: of the rule.
        inputs: in which it meant something.
        offered: inputs that were read.
        positions: positions that it meant, in all.
        shown: the first few texts or names that matched.
        cut: positions that also hold something else.
        asked: ln(w) as it was asked for; None for a veto (-inf) and a share.
        dose: ln(w) as it was used, within the clamp; None as above.
        clamped: whether the clamp took something away.
        at_least: the share that was asked for, or None.
        share_before: mean share of attention on what it means, in an unsteered run; None where it
            meant nothing.
        share_after: the same with all rules.
        reached: of a share, in how many rows, heads and sites (of those that see any of it) it was
            had; else None.
        effect: all rules against all but this one.
        control: see there; None for a veto or link that was not drawn, or without draws.
        guarantee: what a certificate said, else "steer".
        certified: whether a certificate was given.
        leaks: of a certified veto, what a probe finds of it elsewhere; told, never claimed away.
    """

    id: str
    action: Action
    why: str
    inputs: int
    offered: int
    positions: int
    shown: tuple[str, ...]
    cut: int
    asked: float | None
    dose: float | None
    clamped: bool
    at_least: float | None
    share_before: float | None
    share_after: float | None
    reached: float | None
    effect: Change
    control: Control | None
    guarantee: Guarantee
    certified: bool
    leaks: tuple[Leak, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Obedience:
    """Whether what was wanted came about.

    Args:
        target: per input, the decision that was wanted.
        before: share of inputs that decided so without the rules.
        after: share with them.
        probability_before: mean probability of the target without them.
        probability_after: with them.
    """

    target: tuple[int, ...]
    before: float
    after: float
    probability_before: float
    probability_after: float


@dataclass(frozen=True, kw_only=True)
class Collateral:
    """What changed where nothing should.

    Args:
        where: "no match" for the batch's inputs in which no rule meant anything, "others" for the
            batch that was given for it.
        inputs: how many.
        kl_mean: mean divergence KL(before || after) of the decisions, in nats; None of no input.
        kl_most: the largest.
        flipped: share of inputs whose decision became another one; None of no input.
        matched: inputs of them in which a rule meant something after all.
    """

    where: str
    inputs: int
    kl_mean: float | None
    kl_most: float | None
    flipped: float | None
    matched: int


@dataclass(frozen=True, kw_only=True)
class SteeringReport:
    """What a steering did to a batch. Measured, not guaranteed.

    Args:
        inputs: how many.
        labels: names of the decisions, or ().
        rules: one record a rule, in order.
        effect: all rules against none, on the target's probability. Without a named target that is
            what each input was decided as without the rules.
        obedience: None without a named target.
        collateral: see there.
        unknown: positions that were in a cache before the rules.
        told: warnings, each once.
    """

    inputs: int
    labels: tuple[str, ...]
    rules: tuple[RuleReport, ...]
    effect: Change
    obedience: Obedience | None
    collateral: tuple[Collateral, ...]
    unknown: int
    told: tuple[str, ...]

    def __getitem__(self, id: str) -> RuleReport:
        """The record of a rule. Raises: KeyError: if there is none."""
        return next(iter([one for one in self.rules if one.id == id]), None) or _missing(id)

    def as_json(self) -> Mapping[str, Any]:
        """Plain JSON."""
        return asdict(self)


def _missing(id: str) -> RuleReport:
    raise KeyError(id)
