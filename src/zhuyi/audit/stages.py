"""The work of an audit, part by part: every part's result is plain JSON and is written down."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, TypeAlias

import torch

from zhuyi.audit.heads import head_sums
from zhuyi.audit.journal import Journal
from zhuyi.audit.meter import BudgetSpent, Meter
from zhuyi.audit.plan import Plan
from zhuyi.audit.progress import Listener, Progress
from zhuyi.audit.scoring import read_scores, score_group
from zhuyi.audit.serial import to_values
from zhuyi.core.record import Attribution, Finding, Said
from zhuyi.errors import NotWatchable
from zhuyi.trace.subject import Batch, Subject
from zhuyi.verify import (
    Agreement,
    Alternative,
    Case,
    Deception,
    Deletion,
    Infidelity,
    Method,
    OtherRemoval,
    Removals,
    Sanity,
    Stability,
    Test,
    Thresholds,
    conclude,
)
from zhuyi.verify.removals import taken

Result: TypeAlias = tuple[Sequence[int], Mapping[str, Any]]
"""A group's inputs and what was found of them."""

_CHOOSING = Said(en="choosing the method", zh="选择解释方法")
_TESTING = Said(en="testing explanations by removal", zh="用去除检验解释")
_TRYING = Said(en="testing the methods themselves", zh="检验方法本身")


@dataclass(frozen=True, kw_only=True)
class Work:
    """What is audited, and how.

    Args:
        subject, batch: the model and its inputs.
        plan: which inputs serve for what.
        methods: what is compared; names of those that read attention only in `attention`.
        attention: reprs of these.
        control: repr of the random control, always among the methods.
        own: repr of the model's own way to explain itself, or "": then that is not chosen.
        deletion: the removal test.
        thresholds, seed: of all tests.
    """

    subject: Subject
    batch: Batch
    plan: Plan
    methods: tuple[Method, ...]
    attention: tuple[str, ...]
    control: str
    own: str
    deletion: Deletion
    thresholds: Thresholds
    seed: int


@dataclass
class Results:
    """What has been found so far.

    Args:
        choosing, testing: results by group.
        chosen: repr of the chosen method, "" before the choice.
        shown: repr of the attention shown beside it, or "".
        skills: the methods' skill on the inputs of the choice (None: nothing to test there).
        unavailable: methods that cannot work on this model, with the reason.
        findings: per method, what the tests of the method itself found.
        calls: sequences run for all this.
        exhausted: whether the budget ended the work early.
    """

    choosing: list[Result] = field(default_factory=list)
    testing: list[Result] = field(default_factory=list)
    chosen: str = ""
    shown: str = ""
    skills: dict[str, float | None] = field(default_factory=dict)
    unavailable: dict[str, str] = field(default_factory=dict)
    findings: dict[str, list[Any]] = field(default_factory=dict)
    calls: int = 0
    exhausted: bool = False


class Stages:
    """Runs the parts of an audit in order, until they are done or the budget is spent."""

    def __init__(self, work: Work, journal: Journal, meter: Meter, listener: Listener) -> None:
        self.work = work
        self.journal = journal
        self.meter = meter
        self.results = Results()
        self._listener = listener
        self._done = 0
        self._fresh_seconds = 0.0
        self._fresh = 0
        plan = work.plan
        self._total = len(plan.choosing_chunks) + len(plan.chunks) + 1 + len(work.methods)

    def run(self) -> Results:
        """All parts. What was finished before the budget ended is kept."""
        with self.meter.on(self.work.subject):
            try:
                self._choose()
                self._test(self.work.plan.chunks[:1])
                self._try_methods()
                self._test(self.work.plan.chunks[1:])
            except BudgetSpent:
                self.results.exhausted = True
        return self.results

    def _choose(self) -> None:
        for number, group in enumerate(self.work.plan.choosing_chunks):
            found = self._part(f"choosing {number}", _CHOOSING, group, self.work.methods)
            self.results.choosing.append((group, found))
            self._settle()

    def _settle(self) -> None:
        """The choice as it stands; later groups may change it, until the last is in."""
        results = self.results
        for _, found in results.choosing:
            for name, one in found["methods"].items():
                if "unavailable" in one:
                    results.unavailable[name] = one["unavailable"]
        scored = [(indices, found["methods"]) for indices, found in results.choosing]
        for method in self.work.methods:
            name = repr(method)
            if name in results.unavailable:
                continue
            finding = conclude(
                read_scores(scored, name),
                inputs=max((max(indices) for indices, _ in scored), default=0) + 1,
                settings="",
                removal=self.work.subject.removal,
                thresholds=self.work.thresholds,
                seed=self.work.seed,
            )
            skill = finding.numbers.get("skill")
            results.skills[name] = float(skill) if isinstance(skill, float | int) else None
        ranked = sorted(results.skills, key=lambda name: -(results.skills[name] or 0.0))
        best = next((n for n in ranked if n != self.work.control), "")
        results.chosen = self.work.own if self.work.own in results.skills else best
        results.shown = next((n for n in ranked if n in self.work.attention), "")

    def _test(self, chunks: Sequence[tuple[int, ...]]) -> None:
        plan, results = self.work.plan, self.results
        for group in chunks:
            number = plan.chunks.index(group)
            if number < plan.compared:
                wanted = [repr(method) for method in self.work.methods]
            else:
                wanted = [results.chosen, results.shown, self.work.control]
            methods = tuple(
                method
                for method in self.work.methods
                if repr(method) in wanted and repr(method) not in results.unavailable
            )
            found = self._part(f"testing {number}", _TESTING, group, methods)
            results.testing.append((group, found))

    def _part(
        self, name: str, stage: Said, group: tuple[int, ...], methods: tuple[Method, ...]
    ) -> Mapping[str, Any]:
        work = self.work

        def run() -> dict[str, Any]:
            batch = taken(work.batch, group)
            removals = Removals(work.subject, batch, spend=self.meter.spend)
            return {
                "targets": list(removals.targets),
                "probabilities": list(removals.whole),
                "methods": score_group(
                    work.subject,
                    batch,
                    methods,
                    removals,
                    deletion=work.deletion,
                    thresholds=work.thresholds,
                    seed=work.seed,
                ),
                "heads": head_sums(work.subject, batch) if name.startswith("testing") else [],
            }

        return self._recorded(name, stage, run)

    def _try_methods(self) -> None:
        """The tests of the method itself, on a sample; what they share is asked first."""
        work, results = self.work, self.results
        sample = work.plan.sample
        batch = taken(work.batch, sample)

        def share() -> dict[str, Any]:
            removals = Removals(work.subject, batch, spend=self.meter.spend)
            nothing = _nothing(removals)
            case = self._case(batch, nothing, None, removals)
            for test in _shared_tests():
                test(case)
            known = [[[str(gone), p] for gone, p in one.items()] for one in removals.known()]
            return {"known": known, "targets": list(removals.targets)}

        shared = self._recorded("sample", _TRYING, share)
        known = [{int(gone): float(p) for gone, p in one} for one in shared["known"]]
        for method in work.methods:
            name = repr(method)
            if name in results.unavailable:
                self._done += 1
                continue

            def run(method: Method = method, name: str = name) -> dict[str, Any]:
                removals = Removals(work.subject, batch, shared["targets"], spend=self.meter.spend)
                removals.learn(known)
                try:
                    attribution = method(work.subject, batch, removals.targets)
                    case = self._case(batch, attribution, method, removals)
                    return {"findings": to_values([test(case) for test in self._tests(name)])}
                except NotWatchable as error:
                    return {"findings": [], "unavailable": str(error)}

            # The choice decides which tests are run, so it belongs to the part's name.
            role = " (chosen)" if name == results.chosen else ""
            found = self._recorded(f"trying {name}{role}", _TRYING, run)
            results.findings[name] = found["findings"]

    def _case(
        self, batch: Batch, attribution: Attribution, method: Method | None, removals: Removals
    ) -> Case:
        work = self.work
        return Case(
            subject=work.subject,
            batch=batch,
            attribution=attribution,
            method=method,
            removals=removals,
            thresholds=work.thresholds,
            seed=work.seed,
        )

    def _tests(self, name: str) -> tuple[Test, ...]:
        tests: list[Test] = [Sanity(), Stability(), *_shared_tests()]
        if name in self.work.attention:
            tests.append(Alternative())
        if name == self.results.chosen:
            others = tuple(
                one
                for one in self.work.methods
                if repr(one) not in (name, self.work.control, *self.results.unavailable)
            )
            if others:
                tests.append(Agreement(others=others))
            tests.append(OtherRemoval())
        return tuple(tests)

    def _recorded(self, name: str, stage: Said, run: Any) -> Mapping[str, Any]:
        """One part, from the journal or run now; its calls are what it cost when it was run."""
        left = None
        if self._fresh:
            left = self._fresh_seconds / self._fresh * (self._total - self._done)
        self._listener(Progress(stage=stage, done=self._done, total=self._total, seconds_left=left))
        known = self.journal.has(name)
        before, started = self.meter.calls, self.meter.seconds

        def work() -> dict[str, Any]:
            found: dict[str, Any] = run()
            return {**found, "calls": self.meter.calls - before}

        result: Mapping[str, Any] = self.journal.part(name, work)
        if known:
            self.meter.calls += result["calls"]
        else:
            self._fresh += 1
            self._fresh_seconds += self.meter.seconds - started
        self._done += 1
        self.results.calls += result["calls"]
        return result


def _shared_tests() -> tuple[Test, ...]:
    """Tests that ask the model the same questions whatever the explanation says."""
    return (Deception(), Infidelity())


def _nothing(removals: Removals) -> Attribution:
    """An explanation that says nothing, to ask the shared questions with."""
    widths = [len(units) for units in removals.units]
    return Attribution(
        values=torch.zeros(len(widths), max(widths)),
        units=removals.units,
        method="nothing",
        target=removals.targets,
        signed=False,
    )


def as_finding_inputs(finding: Finding, sample: Sequence[int], inputs: int) -> Finding:
    """A finding on a sample as one on all inputs; those outside the sample are not spoken of."""
    if not finding.inputs:
        return finding
    spread: list[Any] = ["informs"] * inputs
    for place, outcome in zip(sample, finding.inputs, strict=True):
        spread[place] = outcome
    return replace(finding, inputs=tuple(spread))
