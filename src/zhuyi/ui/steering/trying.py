"""POST /try: the decision before and after, and what each rule does."""

import math
import time
from collections.abc import Sequence
from typing import Any, Final

from zhuyi.core.record import Said
from zhuyi.steer.rule import Rule
from zhuyi.ui.server.turns import Turn
from zhuyi.ui.steering.asking import Asked
from zhuyi.ui.steering.bench import Before, Bench
from zhuyi.ui.steering.desk import Decision, Desk, said
from zhuyi.ui.steering.ruling import Ruling, as_python

_NAMED: Final = 8  # decisions that are told of where there are too many to list


def tried(bench: Bench, asked: Asked, turn: Turn) -> dict[str, Any]:
    """The answer to POST /try."""
    begun = time.perf_counter()
    bench.begin(turn)
    desk, rules = bench.desk, bench.ruling.read(asked.rules)
    before = bench.before(asked.given)
    target = bench.target_of(asked, before)
    plain = bench.plain(before, target)
    turn.check()
    told = [*before.told]
    after, *without = bench.leaving_out(before, rules)
    turn.check()
    with bench.under(rules, told):
        steered = desk.explain(before.batch, target, after)
    meant = {rule.id: before.places.meant(rule) for rule in rules}
    # That a rule means nothing is said by its number of matches already.
    unmatched = {f"rule {rule.id!r} means nothing in what the model read" for rule in rules}
    shown = _shown(desk, target, before.decision, after)
    ruled = [
        _ruled(rule, before, meant[rule.id]) | _effects(after, other, target, shown)
        for rule, other in zip(rules, without, strict=True)
    ]
    return {
        "turn": asked.turn,
        "target": shown.index(target),
        "labels": desk.names(shown),
        "before": _decision(desk, before.decision, plain.lines, shown),
        "after": _decision(desk, after, steered.lines, shown),
        "pieces": _pieces(before, plain.values, steered.values, meant, desk.measure.kind),
        "rules": ruled,
        "told": [one for one in dict.fromkeys(told) if one not in unmatched],
        "yaml": rules.to_yaml(),
        "python": as_python(rules),
        "took_ms": round(1e3 * (time.perf_counter() - begun), 2),
    }


def try_first(desk: Desk) -> None:
    """Answer once, so that no person waits for imports, nor for a model that cannot be steered.

    Raises: InputError, NotSteerable: what any answer of this desk would raise.
    """
    rule = {"id": "first", "boost": {"tokens": "0:1"}, "weight": 1.0}
    asked = Asked(turn=0, given=desk.examples[0].given, rules=(rule,))
    tried(Bench(desk, Ruling()), asked, Turn("try", math.inf))


def _shown(desk: Desk, target: int, *decisions: Decision) -> list[int]:
    """The decisions that are told of: all, or the likeliest where there are too many."""
    if decisions[0].value is not None:
        return [0]
    if desk.labels:
        return list(range(len(desk.labels)))
    found = [target]
    for one in decisions:
        ranked = sorted(range(len(one.shares)), key=lambda index: -one.shares[index])
        found += ranked[:_NAMED]
    return sorted(dict.fromkeys(found), key=lambda index: -decisions[-1].shares[index])


def _decision(
    desk: Desk, decision: Decision, lines: Sequence[Said], shown: Sequence[int]
) -> dict[str, Any]:
    found: dict[str, Any] = {
        "shares": [] if decision.value is not None else [decision.shares[i] for i in shown],
        "index": shown.index(decision.index),
        "label": desk.names([decision.index])[0],
    }
    if decision.value is not None:
        found |= {"value": decision.value, "unit": desk.unit}
    if lines:
        found["lines"] = [said(one) for one in lines]
    return found


def _pieces(
    before: Before,
    values: Sequence[float],
    steered: Sequence[float],
    meant: dict[str, tuple[int, ...]],
    kind: str,
) -> list[dict[str, Any]]:
    found = []
    for place, piece in enumerate(before.places.pieces):
        one: dict[str, Any] = {"name": piece.name, "special": piece.special}
        extra = {"text": piece.text, "start": piece.start, "end": piece.end}
        one |= {name: value for name, value in extra.items() if value is not None}
        one |= {"before": values[place], "after": steered[place]}
        one |= {"signed": kind == "contribution", **before.selects[place]}
        one["rules"] = [name for name, places in meant.items() if place in places]
        found.append(one)
    return found


def _effects(
    after: Decision, without: Decision, target: int, shown: Sequence[int]
) -> dict[str, Any]:
    """All rules against all but one."""
    return {
        "effect": after.strength(target) - without.strength(target),
        "effects": [after.strength(one) - without.strength(one) for one in shown],
    }


def _ruled(rule: Rule, before: Before, meant: Sequence[int]) -> dict[str, Any]:
    soft = rule.weight is not None and rule.action != "veto"
    asked = math.log(rule.weight) if soft and rule.weight else None
    dose = rule.bias if soft else None
    return {
        "id": rule.id,
        "action": rule.action,
        "guarantee": rule.guarantee,
        "matched": len(meant),
        "shown": [before.places.pieces[place].name for place in meant][:8],
        "dose": dose,
        "clamped": asked is not None and asked != dose,
    }
