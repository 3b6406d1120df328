"""Whether the explanation of one look may be believed, tested at a bounded cost."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

from torch import nn

from zhuyi.core.record import Attribution, Finding, Label, Said, Unit
from zhuyi.explain import IntegratedGradients, Occlusion
from zhuyi.trace.subject import Batch, Subject
from zhuyi.ui.looked import Checked
from zhuyi.ui.passages import Checkable, Passages, owners
from zhuyi.verify import (
    Case,
    Deception,
    Deletion,
    Method,
    OtherRemoval,
    Sanity,
    Stability,
    Test,
    verify,
)
from zhuyi.verify.limits import EXACT

WORK = 5e11
"""Positions times parameters that the tests may run: 12 words of a model of 10 million parameters
4,000 times, some ten seconds of one core."""

RUNS = 4000
"""Runs of the model that the tests may take, however small it is."""

_ACCELERATED = 20  # times the work where the model is not on a CPU
_STEPS = 8  # the fewest that Deletion takes
_PASSAGES = (40, 24, 16, 8, 7, 6)  # 8 and fewer are tested in all combinations


@dataclass(frozen=True, kw_only=True)
class Plan:
    """What is tested, and how finely.

    Args:
        passages: into how many parts the input is cut, or None where its units are tested.
        tests: the tests.
        left_out: names of tests that would cost too much.
        runs: of the model, at most; estimated from above.
    """

    passages: int | None
    tests: tuple[Test, ...]
    left_out: tuple[str, ...]
    runs: int


def check(
    subject: Checkable,
    batch: Batch,
    method: Method,
    attribution: Attribution,
    progress: Callable[[str], None] = lambda _: None,
) -> Checked:
    """Test the explanation of one input.

    Args:
        subject: what decides.
        batch: the one input.
        method: what computed the explanation; tests ask it again.
        attribution: the explanation as it is shown.
        progress: called with what is being tested.

    Raises: InputError: values that are not finite.
    Cost:   at most `RUNS` runs of the model and `WORK` positions times parameters (20 times as many
        on an accelerator); an input for which this is too little is cut into passages. The
        coarsest plan is never gone below: the 64 combinations of 6 passages.
    """
    units = attribution.units[0]
    planned = plan(
        units,
        work=WORK * (_ACCELERATED if _accelerated(subject.model) else 1),
        parameters=_parameters(subject.model),
        passes=_passes(method, sum(not unit.special for unit in units)),
        ways=len(subject.removals),
    )
    seen: Subject = subject
    if planned.passages is None:
        asked: Method = _Shown(method, attribution)
    else:
        parts = Passages(subject, units, tuple(owners(units, planned.passages)))
        seen, asked = parts, _InPassages(_Shown(method, attribution), parts)
    tests = [
        _Told(test, f"testing the explanation: {type(test).__name__} ({n} of {len(planned.tests)})",
              progress)
        for n, test in enumerate(planned.tests, start=1)
    ]  # fmt: skip
    verdict = verify(seen, batch, asked, target=attribution.target, tests=tests)
    notes = _notes(verdict.findings, planned, units)
    return Checked(verdict=verdict, headline=HEADLINES[verdict.label], notes=tuple(notes))


def plan(units: Sequence[Unit], *, work: float, parameters: int, passes: int, ways: int) -> Plan:
    """The finest plan that keeps the bounds, or the coarsest there is.

    Args:
        units: of the input.
        work: positions times parameters that it may cost.
        parameters: of the model.
        passes: runs of the model that one explanation costs.
        ways: to remove a unit.
    """
    positions = max(sum(len(unit.positions) for unit in units), 1)
    allowed = min(RUNS, work / (positions * max(parameters, 1)))
    plans = list(_plans(units, passes, ways))
    return next((one for one in plans if one.runs <= allowed), plans[-1])


def _plans(units: Sequence[Unit], passes: int, ways: int) -> Iterator[Plan]:
    """Plans from fine to coarse."""
    count = sum(not unit.special for unit in units)
    again = 10 * passes + 5 * count  # Sanity 7 and Stability 3 times; Sanity's control up to 5
    other = OtherRemoval(most=1, deletion=Deletion(steps=_STEPS, orders=4, width=1))
    fine = (Sanity(), Stability(), Deception())
    others = (ways - 1) * _removals(count, 4, 1)
    full = (Deletion(steps=_STEPS, orders=12, width=2), *fine)
    runs = _removals(count, 12, 2) + again
    if ways > 1:
        yield Plan(passages=None, tests=(*full, other), left_out=(), runs=runs + others)
    left = ("OtherRemoval",) if ways > 1 else ()
    yield Plan(passages=None, tests=full, left_out=left, runs=runs)
    narrow = Deletion(steps=_STEPS, orders=12, width=1)
    runs = _removals(count, 12, 1) + again
    yield Plan(passages=None, tests=(narrow, *fine), left_out=left, runs=runs)
    # Ten random orders with their mirror images are the fewest that can give p < 0.05.
    quick = Deletion(steps=_STEPS, orders=10, width=1)
    some = (quick, Sanity(shares=(1.0,), draws=2), Stability(draws=1), Deception())
    runs = _removals(count, 10, 1) + 3 * passes + 2 * count
    yield Plan(passages=None, tests=some, left_out=left, runs=runs)
    for most in _PASSAGES:
        parts = [u for u in _joined(units, most) if not u]
        if len(parts) < count:
            runs = _removals(len(parts), 10, 1) + 3 * passes + 2 * len(parts)
            yield Plan(passages=most, tests=some, left_out=left, runs=runs)
    few = len([u for u in _joined(units, _PASSAGES[-1]) if not u])
    yield Plan(
        passages=_PASSAGES[-1] if few < count else None,
        tests=(quick, Deception()),
        left_out=("Sanity", "Stability", *left),
        runs=_removals(few, 10, 1),
    )


def _joined(units: Sequence[Unit], most: int) -> list[bool]:
    """Per passage, whether it is a special unit."""
    special = dict(zip(owners(units, most), (unit.special for unit in units), strict=True))
    return list(special.values())


def _removals(units: int, orders: int, width: int) -> int:
    """Most reduced inputs of the deletion test: its orders, and the search for the limits."""
    if units <= EXACT:
        return 1 << units
    return min(1 << min(units, 30), 2 * _STEPS * (1 + orders) + units * (1 + 7 * width))


def _accelerated(model: nn.Module) -> bool:
    first = next(model.parameters(), None)
    return first is not None and first.device.type != "cpu"


def _parameters(model: nn.Module) -> int:
    """Those that every position meets: not the tables of embeddings."""
    tables = {
        id(parameter)
        for module in model.modules()
        if isinstance(module, nn.Embedding)
        for parameter in module.parameters()
    }
    return sum(p.numel() for p in model.parameters() if id(p) not in tables)


def _passes(method: Method, units: int) -> int:
    """Runs of the model behind one explanation, a backward pass as two."""
    if isinstance(method, Occlusion):
        return units + 1
    return 3 * method.steps if isinstance(method, IntegratedGradients) else 3


@dataclass
class _Shown:
    """A method whose first answer is the explanation that is shown."""

    method: Method
    attribution: Attribution
    _asked: bool = field(default=False, init=False)

    def __call__(
        self, subject: Subject, batch: Batch, target: Sequence[int] | None = None
    ) -> Attribution:
        if self._asked:
            return self.method(subject, batch, target)
        self._asked = True
        return self.attribution


@dataclass(frozen=True)
class _InPassages:
    """A method that explains units, as one that explains passages."""

    method: Method
    parts: Passages

    def __call__(
        self, subject: Subject, batch: Batch, target: Sequence[int] | None = None
    ) -> Attribution:
        return self.parts.of(self.method(self.parts.subject, batch, target))


@dataclass(frozen=True)
class _Told:
    """A test that says when it begins."""

    test: Test
    what: str
    progress: Callable[[str], None]

    def __call__(self, case: Case) -> Finding:
        self.progress(self.what)
        return self.test(case)


#: A verdict in one sentence, to be read after its label and a colon.
HEADLINES: dict[Label, Said] = {
    "trusted": Said(
        en="no test found this explanation wrong on this input.",
        zh="没有一项检验发现这个解释在此输入上有错。",
    ),
    "doubtful": Said(
        en="the tests leave doubt about this explanation.",
        zh="经过检验，对这个解释仍有疑问。",
    ),
    "refuted": Said(
        en="the tests speak against this explanation. Do not rely on it.",
        zh="检验结果与这个解释不符，请勿采信。",
    ),
}


def _notes(findings: Sequence[Finding], planned: Plan, units: Sequence[Unit]) -> Iterator[Said]:
    ran = sum(finding.outcome != "skipped" for finding in findings)
    yield Said(
        en=f"One input proves little: {ran} of {len(findings)} tests could say something about it. "
        "To judge the method, audit many inputs with zhuyi audit.",
        zh=f"单个输入说明不了多少：{len(findings)} 项检验中有 {ran} 项适用。"
        "要评判这种方法，请用 zhuyi audit 检验许多输入。",
    )
    if planned.passages is not None:
        count = sum(not unit.special for unit in units)
        parts = sum(not special for special in _joined(units, planned.passages))
        yield Said(
            en=f"To bound the cost, the {count} pieces of this long input were removed in {parts} "
            "passages of neighbors: the verdict is about passages, not about single pieces.",
            zh=f"为限制开销，这个长输入的 {count} 个部分按 {parts} 段相邻内容去除："
            "结论针对各段，而不是单个部分。",
        )
    if planned.left_out:
        names = ", ".join(planned.left_out)
        yield Said(en=f"Left out to bound the cost: {names}.", zh=f"为限制开销，未做：{names}。")
