"""Whether the explanation under the rules may be believed, and what each veto may claim."""

from typing import Any, Final

from zhuyi.core.record import Said, Verdict
from zhuyi.steer.certify import Certificate, certify
from zhuyi.steer.certify.certificate import CLAIMS, RuleCertificate
from zhuyi.steer.report import Leak
from zhuyi.steer.rules import Rules
from zhuyi.trace.subject import Batch
from zhuyi.ui.server.turns import Turn
from zhuyi.ui.steering.asking import Asked
from zhuyi.ui.steering.bench import Bench, heard
from zhuyi.ui.steering.desk import said

_SWAPS: Final = 5
_UNTESTED: Final = Said(
    en="Why something is not called for is not explained by these numbers, so nothing was tested.",
    zh="这些数值不能解释为什么“不需要”，因此没有检验。",
)


def judged(bench: Bench, asked: Asked, turn: Turn) -> dict[str, Any]:
    """The answer to POST /verdict."""
    rules = bench.ruling.read(asked.rules)
    bench.begin(turn)
    before = bench.before(asked.given)
    target = bench.target_of(asked, before)
    turn.check()
    with bench.under(rules):
        found = bench.desk.judge(before.batch, target)
    turn.check()
    certificate = _certified(bench, rules, before.batch)
    turn.check()  # what ended there is told as a failed check, and is none
    told: dict[str, Any] = {"turn": asked.turn, "target": target if bench.desk.labels else None}
    told["verdict"] = None if found is None else _verdict(*found)
    if found is None:
        told["untested"] = said(_UNTESTED)
    told["certificate"] = [] if certificate is None else [_rule(one) for one in certificate.rules]
    return told


def _certified(bench: Bench, rules: Rules, batch: Batch) -> Certificate | None:
    """Of the vetoes, on this input; the probe for leaks needs more inputs of the kind."""
    if not any(rule.action == "veto" for rule in rules):
        return None
    with heard([]):
        return certify(bench.desk.steered, rules, bench.desk.beside(batch), swaps=_SWAPS)


def _verdict(verdict: Verdict, place: int) -> dict[str, Any]:
    reasons = verdict.input_reasons[place] if verdict.input_reasons else verdict.reasons
    return {"level": verdict.inputs[place], "reasons": [said(one) for one in reasons]}


def _rule(one: RuleCertificate) -> dict[str, Any]:
    return {
        "id": one.rule,
        "asked": one.asked,
        "level": one.level,
        "kept": one.kept,
        "claim": said(CLAIMS[one.level]),
        "items": [
            {"name": item.name, "state": item.state, "said": said(item.said)} for item in one.items
        ],
        "leaks": [_leak(leak) for leak in one.leaks],
        "offered": one.offered,
    }


def _leak(leak: Leak) -> dict[str, Any]:
    return {
        "source": leak.source,
        "auc": leak.auc,
        "low": leak.low,
        "high": leak.high,
        "said": said(leak.said),
    }
