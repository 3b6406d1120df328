"""Rules tried on a model: what they meant and did, what a veto may claim, what was expected."""

import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from typing import Any, Final

from zhuyi.errors import OptionError, UnmatchedRule
from zhuyi.steer.certify import Certificate, certify
from zhuyi.steer.expect import Measures, Outcome, check
from zhuyi.steer.report import SteeringReport
from zhuyi.steer.rule import Rule
from zhuyi.steer.rules import Rules
from zhuyi.steer.steering import steer
from zhuyi.trace.adapters.transformers_subject import TransformersSubject
from zhuyi.trace.subject import Batch, Subject

SCHEMA: Final = "zhuyi.steer/1"


@dataclass(frozen=True, kw_only=True)
class Tried:
    """What came of some rules on some texts.

    Args:
        model: its name.
        rules: what was tried.
        labels: names of the decisions, or ().
        before: probabilities of each text without the rules.
        after: with them.
        report: what each rule did.
        certificate: of the vetoes; None without one.
        outcomes: what was expected, and whether it holds; () where nobody asked.
    """

    model: str
    rules: Rules
    labels: tuple[str, ...]
    before: tuple[tuple[float, ...], ...]
    after: tuple[tuple[float, ...], ...]
    report: SteeringReport
    certificate: Certificate | None
    outcomes: tuple[Outcome, ...]

    @property
    def unmatched(self) -> tuple[str, ...]:
        """Ids of rules that meant nothing in any text."""
        return tuple(one.id for one in self.report.rules if not one.inputs)

    @property
    def unkept(self) -> tuple[str, ...]:
        """Ids of vetoes that may claim less than they ask for."""
        rules = () if self.certificate is None else self.certificate.rules
        return tuple(one.rule for one in rules if not one.kept)

    def failed(self, *, strict: bool) -> bool:
        """Whether an expectation does not hold; under `strict` also a rule that did not take."""
        broken = any(not one.held for one in self.outcomes)
        return broken or (strict and bool(self.unmatched or self.unkept))

    def as_json(self) -> Mapping[str, Any]:
        """Plain JSON."""
        return {
            "schema": SCHEMA,
            "model": self.model,
            "labels": list(self.labels),
            "decisions": [
                {"before": list(before), "after": list(after)}
                for before, after in zip(self.before, self.after, strict=True)
            ],
            "report": self.report.as_json(),
            "certificate": None if self.certificate is None else self.certificate.as_json(),
            "expected": [asdict(one) for one in self.outcomes],
        }


def try_rules(
    subject: Subject,
    rules: Rules,
    batch: Batch,
    *,
    model: str,
    others: Batch | None = None,
    target: str | None = None,
    checked: bool = False,
    progress: Callable[[str], None] = lambda told: None,
) -> Tried:
    """Try rules on inputs.

    Args:
        subject: a model that reads texts, or a fitted one.
        rules: what shall hold.
        batch: what it is tried on.
        model: its name, for people.
        others: inputs that the rules should leave alone.
        target: name or number of the decision that is wanted; None for what was decided.
        checked: whether what the rules expect is checked.
        progress: is told what is done.
    Raises: OptionError, InputError: for a target that does not exist.
    """
    wanted = None if target is None else _target(subject, target)
    certificate = None
    if any(rule.action == "veto" for rule in rules):
        progress("certifying the vetoes")
        with _quiet():
            certificate = certify(subject, rules, batch)
    progress("steering")
    steering = steer(subject, rules)
    report = steering.report(batch, others=others, target=wanted, certificate=certificate)
    before = subject.decide(batch).tolist()
    with _quiet(), steering:
        after = subject.decide(batch).tolist()
    measures = _measures(subject, batch, others, wanted, report, certificate)
    return Tried(
        model=model,
        rules=rules,
        labels=subject.labels,
        before=tuple(tuple(row) for row in before),
        after=tuple(tuple(row) for row in after),
        report=report,
        certificate=certificate,
        outcomes=check(rules, measures) if checked else (),
    )


@contextmanager
def _quiet() -> Iterator[None]:
    """Without warnings of rules: the report tells them."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UnmatchedRule)
        yield


def _measures(
    subject: Subject,
    batch: Batch,
    others: Batch | None,
    wanted: int | None,
    report: SteeringReport,
    certificate: Certificate | None,
) -> Measures:
    def invariant(rule: Rule) -> bool | None:
        if certificate is None or rule.action != "veto":
            return None
        item = certificate[rule.id].item("swaps")
        return None if item is None or item.state == "unchecked" else item.state == "held"

    def collateral(rule: Rule) -> float | None:
        if others is None:
            return None
        alone = steer(subject, Rules((rule,)))
        found = alone.report(batch, others=others, target=wanted, draws=0)
        return next(one.kl_mean for one in found.collateral if one.where == "others")

    return Measures(
        invariant=invariant,
        effect=lambda rule: report[rule.id].effect.mean if report[rule.id].inputs else None,
        collateral_kl=collateral,
    )


def _target(subject: Subject, name: str) -> int:
    if name in subject.labels:
        return subject.labels.index(name)
    if name.isdecimal():
        return int(name)
    if isinstance(subject, TransformersSubject):
        return subject.target_named(name)
    shown = ", ".join(repr(label) for label in subject.labels[:12])
    raise OptionError(f"--target must be one of {shown}, got {name!r}")
