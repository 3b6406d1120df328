"""Measuring what rules do: paired runs with and without them, and with the same rules elsewhere."""

import math
import random
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import TypeAlias

import torch
from torch import Tensor

from zhuyi.errors import OptionError, UnmatchedRule
from zhuyi.steer.layout import Layout
from zhuyi.steer.record import MatchedRule, Shares
from zhuyi.steer.report import (
    Change,
    Claim,
    Claims,
    Collateral,
    Control,
    Obedience,
    RuleReport,
    SteeringReport,
)
from zhuyi.steer.rule import Rule
from zhuyi.steer.rules import Rules
from zhuyi.steer.selectors import Matched, Selector
from zhuyi.trace.subject import Batch

_RESAMPLED = 1000
_FEWEST = 5  # inputs for an interval

Decide: TypeAlias = Callable[[Batch], Tensor]
"""Inputs to probabilities "B C"."""


@dataclass(frozen=True, kw_only=True)
class Run:
    """One input decided once.

    Args:
        shares: probabilities "C".
        matched: rule id -> what it meant.
        attention: shares of attention.
        told: warnings.
        unknown: positions that were in a cache before.
    """

    shares: Tensor
    matched: Mapping[str, MatchedRule]
    attention: Shares
    told: tuple[str, ...] = ()
    unknown: int = 0


Decided: TypeAlias = Callable[[Batch, int, Rules, bool], Run]
"""(inputs, place of the one, rules, whether they only look) -> the run."""


@dataclass(frozen=True)
class Elsewhere:
    """As many positions as a rule means, drawn among the others of the row.

    Args:
        own: what the rule is about.
        seed: of the draw.
    """

    own: tuple[Selector, ...]
    seed: int

    def match(self, layout: Layout) -> Matched:
        """Other positions; none where too few are left."""
        meant: frozenset[int] = frozenset()
        for one in self.own:
            meant |= one.match(layout).positions
        if layout.pieces:
            able = {place for piece in layout.pieces for place in piece.positions}
        else:
            able = {place for place, span in enumerate(layout.spans) if span is not None}
        others = sorted(able - meant - layout.special - layout.padding)
        if len(others) < len(meant):
            return Matched()
        draw = random.Random(f"{self.seed} {layout.length} {layout.text}")
        return Matched(positions=frozenset(draw.sample(others, len(meant))), shown=("random",))


def measured(
    decided: Decided,
    rules: Rules,
    batch: Batch,
    *,
    others: Batch | None,
    target: int | Sequence[int] | None,
    draws: int,
    seed: int,
    certificate: Claims | None,
    labels: tuple[str, ...],
) -> SteeringReport:
    """See `Steering.report`."""
    count = len(batch)
    if not count:
        raise OptionError("a report needs at least one input, got none")
    before = [decided(batch, place, rules, True) for place in range(count)]
    after = [decided(batch, place, rules, False) for place in range(count)]
    named = _targets(target, before)
    pairs = list(zip(before, after, strict=True))
    untouched = [pair for pair in pairs if not _touched(pair[1])]
    collateral = [_collateral("no match", untouched)]
    if others is not None and len(others):
        far = [
            tuple(decided(others, place, rules, look) for look in (True, False))
            for place in range(len(others))
        ]
        collateral.append(_collateral("others", [(one, two) for one, two in far]))
    records = []
    claims = () if certificate is None else certificate.rules
    for rule in rules:
        without = rules.without(rule.id)
        alone = len(rules) == 1
        base = before if alone else [decided(batch, n, without, False) for n in range(count)]
        control = None
        if draws and rule.action != "link":
            control = _control(decided, rules, rule, batch, base, after, named, draws, seed)
        claim = next((one for one in claims if one.rule == rule.id), None)
        records.append(_record(rule, before, base, after, named, control, claim))
    told = dict.fromkeys(text for run in (*before, *after) for text in run.told)
    for one in records:  # that a rule means nothing in one input is no news where it does in others
        if one.inputs:
            told.pop(f"rule {one.id!r} means nothing in what the model read", None)
    return SteeringReport(
        inputs=count,
        labels=labels,
        rules=tuple(records),
        effect=_change(before, after, named),
        obedience=None if target is None else _obedience(before, after, named),
        collateral=tuple(collateral),
        unknown=max(run.unknown for run in after),
        told=tuple(told),
    )


def _targets(target: int | Sequence[int] | None, before: Sequence[Run]) -> tuple[int, ...]:
    if target is None:
        return tuple(int(run.shares.argmax()) for run in before)
    found = (target,) * len(before) if isinstance(target, int) else tuple(target)
    classes = len(before[0].shares)
    if len(found) != len(before) or not all(0 <= one < classes for one in found):
        raise OptionError(
            f"target must be a decision below {classes}, or one for each of {len(before)} inputs, "
            f"got {target}"
        )
    return found


def _touched(run: Run) -> bool:
    return any(one.positions for one in run.matched.values())


def _change(before: Sequence[Run], after: Sequence[Run], target: Sequence[int]) -> Change:
    pairs = list(zip(before, after, strict=True))
    inputs = tuple(
        float(two.shares[one_target] - one.shares[one_target])
        for (one, two), one_target in zip(pairs, target, strict=True)
    )
    low, high = _interval(inputs)
    flips = [int(one.shares.argmax()) != int(two.shares.argmax()) for one, two in pairs]
    return Change(
        mean=math.fsum(inputs) / len(inputs),
        low=low,
        high=high,
        inputs=inputs,
        flipped=sum(flips) / len(flips),
    )


def _interval(inputs: Sequence[float]) -> tuple[float | None, float | None]:
    """The middle 95 % of the means of resampled inputs."""
    if len(inputs) < _FEWEST:
        return None, None
    values = torch.tensor(inputs, dtype=torch.float64)
    generator = torch.Generator().manual_seed(0)
    places = torch.randint(len(inputs), (_RESAMPLED, len(inputs)), generator=generator)
    means = values[places].mean(1)
    low, high = means.quantile(torch.tensor([0.025, 0.975], dtype=torch.float64)).tolist()
    return low, high


def _obedience(before: Sequence[Run], after: Sequence[Run], target: Sequence[int]) -> Obedience:
    count = len(before)

    def did(runs: Sequence[Run]) -> float:
        pairs = zip(runs, target, strict=True)
        return sum(int(run.shares.argmax()) == one for run, one in pairs) / count

    def chance(runs: Sequence[Run]) -> float:
        pairs = zip(runs, target, strict=True)
        return math.fsum(float(run.shares[one]) for run, one in pairs) / count

    return Obedience(
        target=tuple(target),
        before=did(before),
        after=did(after),
        probability_before=chance(before),
        probability_after=chance(after),
    )


def _collateral(where: str, pairs: Sequence[tuple[Run, Run]]) -> Collateral:
    apart = [_divergence(one.shares, two.shares) for one, two in pairs]
    flips = [int(one.shares.argmax()) != int(two.shares.argmax()) for one, two in pairs]
    count = len(pairs)
    return Collateral(
        where=where,
        inputs=count,
        kl_mean=math.fsum(apart) / count if count else None,
        kl_most=max(apart, default=None),
        flipped=sum(flips) / count if count else None,
        matched=sum(_touched(two) for _, two in pairs),
    )


def _divergence(before: Tensor, after: Tensor) -> float:
    """KL(before || after) in nats; decisions that do not sum to 1 (many labels) one by one."""
    p, q = before.double(), after.double().clamp_min(1e-12)
    if abs(float(p.sum()) - 1.0) < 1e-3:
        return max(float((torch.special.xlogy(p, p) - p * q.log()).sum()), 0.0)
    rest = (1 - after.double()).clamp_min(1e-12)
    both = torch.special.xlogy(p, p) - p * q.log() + torch.special.xlogy(1 - p, 1 - p)
    return max(float((both - (1 - p) * rest.log()).sum()), 0.0)


def _control(
    decided: Decided,
    rules: Rules,
    rule: Rule,
    batch: Batch,
    base: Sequence[Run],
    after: Sequence[Run],
    target: Sequence[int],
    draws: int,
    seed: int,
) -> Control | None:
    """The rule on other positions, beside the other rules as they are."""
    sizes: list[list[float]] = []
    own: dict[int, float] = {}
    for draw in range(draws):
        moved = replace(rule, select=(Elsewhere(rule.select, seed + draw),))
        swapped = Rules(tuple(moved if one.id == rule.id else one for one in rules))
        found = []
        for place in range(len(batch)):
            if not after[place].matched[rule.id].positions:
                continue
            run = decided(batch, place, swapped, False)
            if not run.matched[rule.id].positions:
                continue
            one, start = target[place], base[place].shares
            found.append(abs(float(run.shares[one] - start[one])))
            own[place] = abs(float(after[place].shares[one] - start[one]))
        sizes.append(found)
    if not own:
        return None
    means = [math.fsum(found) / len(found) for found in sizes]
    itself = math.fsum(own.values()) / len(own)
    return Control(
        draws=draws,
        mean=math.fsum(means) / draws,
        as_large=sum(one >= itself for one in means) / draws,
        own=itself,
        inputs=len(own),
    )


def _record(
    rule: Rule,
    before: Sequence[Run],
    base: Sequence[Run],
    after: Sequence[Run],
    target: Sequence[int],
    control: Control | None,
    claim: Claim | None,
) -> RuleReport:
    met = [run.matched[rule.id] for run in after if rule.id in run.matched]
    shown = dict.fromkeys(text for one in met for text in one.shown)
    soft = rule.weight is not None and rule.action != "veto"
    asked = math.log(rule.weight) if soft and rule.weight else None
    used = rule.bias if soft else None
    short = sum(run.attention.short.get(rule.id, 0) for run in after)
    counted = sum(run.attention.counts.get(rule.id, 0) for run in after)
    return RuleReport(
        id=rule.id,
        action=rule.action,
        why=rule.why,
        inputs=sum(one.positions > 0 for one in met),
        offered=len(after),
        positions=sum(one.positions for one in met),
        shown=tuple(shown)[:8],
        cut=sum(one.cut for one in met),
        asked=asked,
        dose=used,
        clamped=asked is not None and asked != used,
        at_least=rule.at_least,
        share_before=_attended(rule, before),
        share_after=_attended(rule, after),
        reached=1 - short / counted if rule.action == "share" and counted else None,
        effect=_change(base, after, target),
        control=control,
        guarantee="steer" if claim is None else claim.level,
        certified=claim is not None,
        leaks=() if claim is None else claim.leaks,
    )


def _attended(rule: Rule, runs: Sequence[Run]) -> float | None:
    counted = sum(run.attention.counts.get(rule.id, 0) for run in runs)
    total = math.fsum(run.attention.steered.get(rule.id, 0.0) for run in runs)
    return total / counted if counted else None


@contextmanager
def quietly(told: list[str]) -> Iterator[None]:
    """Warnings of rules become texts; all others are given on."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        yield
    for one in caught:
        if issubclass(one.category, UnmatchedRule):
            told.append(str(one.message))
        else:
            warnings.warn_explicit(one.message, one.category, one.filename, one.lineno)
