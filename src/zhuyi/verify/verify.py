"""`verify`: run the tests on one explanation and say whether it may be believed."""

from collections.abc import Sequence

from zhuyi.core.record import Attribution, Finding, Label, Outcome, Said, Verdict
from zhuyi.errors import InputError, OptionError
from zhuyi.trace.subject import Batch, Subject
from zhuyi.verify.case import Case, Method, Test
from zhuyi.verify.deception import Deception
from zhuyi.verify.deletion import Deletion
from zhuyi.verify.other_removal import OtherRemoval
from zhuyi.verify.removals import Removals
from zhuyi.verify.sanity import Sanity
from zhuyi.verify.stability import Stability
from zhuyi.verify.thresholds import Thresholds


def verify(
    subject: Subject,
    batch: Batch,
    explanation: Attribution | Method,
    *,
    target: Sequence[int] | None = None,
    tests: Sequence[Test] | None = None,
    thresholds: Thresholds | None = None,
    seed: int = 0,
    removals: Removals | None = None,
) -> Verdict:
    """Whether an explanation may be believed: trusted, doubtful or refuted, and why.

    It is refuted when a test refutes it; trusted when the deletion test supports it and no test
    has a doubt (`Alternative` only tells); doubtful otherwise. An input's own explanation is never
    trusted more than the method is on the whole batch, because one lucky hit proves nothing.

    Args:
        subject: whatever decides.
        batch: B inputs; 16 or more give a verdict that can be sure, one alone hardly can.
        explanation: an attribution of this batch, or the method that makes it. With a method more
            can be tested (`Sanity`, `Stability`).
        target: per input, the decision to explain; None for the most likely.
        tests: the tests to run, in this order; None for `default_tests`.
        thresholds: where a number becomes an outcome.
        seed: of everything random; the same seed gives the same verdict.
        removals: answers of an earlier call on the same batch and targets, to be shared.

    Returns: the verdict, with every finding and number behind it.
    Raises:  InputError: values that are not finite. OptionError: an attribution of other
        inputs, or removals of other targets.
    Cost:    that of the tests; see each.
    Not:     a proof that the explanation is right: each test can only find it wrong.

    Example:
        >>> import torch
        >>> from torch import nn
        >>> from zhuyi.explain import Occlusion
        >>> from zhuyi.trace import ModuleSubject
        >>> model = nn.Sequential(nn.Flatten(), nn.Linear(3, 2, bias=False))
        >>> _ = model[1].weight.data.copy_(torch.tensor([[0.0, 0.0, 0.0], [4.0, 0.5, 0.0]]))
        >>> subject = ModuleSubject(model, unit_names=("a", "b", "c"), labels=("no", "yes"))
        >>> inputs = torch.rand(32, 3, generator=torch.Generator().manual_seed(0))
        >>> verify(subject, inputs, Occlusion(), tests=[Deletion()]).label
        'trusted'
    """
    if isinstance(explanation, Attribution):
        attribution, method = explanation, None
    else:
        attribution, method = explanation(subject, batch, target), explanation
    units = subject.units(batch)
    if attribution.units != units:
        raise OptionError(
            f"the attribution must be of this batch ({len(units)} inputs and their units), got one "
            f"of {len(attribution.units)} inputs"
        )
    if not bool(attribution.values.isfinite().all()):
        raise InputError("the attribution has values that are not finite: nothing can be ranked")
    if removals is None:
        removals = Removals(subject, batch, attribution.target)
    elif removals.targets != tuple(attribution.target) or removals.units != units:
        raise OptionError("removals must be of the same batch and targets: leave them out")
    case = Case(
        subject=subject,
        batch=batch,
        attribution=attribution,
        method=method,
        removals=removals,
        thresholds=Thresholds() if thresholds is None else thresholds,
        seed=seed,
    )
    findings = tuple(test(case) for test in (default_tests() if tests is None else tests))
    return judge(findings, inputs=len(units), method=attribution.method, removal=subject.removal)


def default_tests() -> tuple[Test, ...]:
    """The tests that `verify` runs when none are named."""
    return (Deletion(), Sanity(), Stability(), Deception(), OtherRemoval())


def judge(findings: Sequence[Finding], *, inputs: int, method: str, removal: str) -> Verdict:
    """Findings as a verdict; see `verify` for the rule.

    Args:
        findings: what the tests found, of one explanation.
        inputs: how many inputs it explains.
        method: what computed it.
        removal: how units were removed.
    """
    weighing = [one.outcome for one in findings if one.test not in _TELLS_ONLY]
    label = _label(weighing, _supported(findings))
    order = {"refutes": 0, "cautions": 1, "supports": 2, "skipped": 3, "informs": 4}
    told = sorted(findings, key=lambda finding: order[finding.outcome])
    own = [_of_input(findings, row, label) for row in range(inputs)]
    return Verdict(
        label=label,
        reasons=tuple(finding.said for finding in told),
        inputs=tuple(one for one, _ in own),
        input_reasons=tuple(reasons for _, reasons in own),
        findings=tuple(findings),
        method=method,
        removal=removal,
    )


# Another attention with the same output exists for true explanations too (Wiegreffe & Pinter 2019,
# arXiv:1908.04626; docs/calibration.md counts how often), so it is told and decides nothing.
_TELLS_ONLY = ("Alternative",)


def _supported(findings: Sequence[Finding]) -> bool:
    """Whether units were removed and it held: nothing else earns trust."""
    return any(one.test == "Deletion" and one.outcome == "supports" for one in findings)


def _label(outcomes: Sequence[Outcome], supported: bool) -> Label:
    if "refutes" in outcomes:
        return "refuted"
    return "trusted" if supported and "cautions" not in outcomes else "doubtful"


def _of_input(
    findings: Sequence[Finding], row: int, label: Label
) -> tuple[Label, tuple[Said, ...]]:
    """The label of one input's explanation, at most as good as the method's."""
    deletion = next((one for one in findings if one.test == "Deletion" and one.inputs), None)
    if label == "refuted":
        return label, (_METHOD_REFUTED,)
    own: Outcome = "skipped" if deletion is None else deletion.inputs[row]
    if own == "skipped":
        return "doubtful", (_NOTHING,)
    assert deletion is not None
    said = _own_said(own, float(deletion.details["skill"][row] or 0.0))
    against = tuple(
        one.said for one in findings if one.inputs and one.inputs[row] in ("refutes", "cautions")
        and one.test != "Deletion"
    )  # fmt: skip
    if own == "refutes":
        return "refuted", (said, *against)
    if own == "cautions" or against:
        return "doubtful", (said, *against)
    if label == "doubtful":
        return label, (said, _METHOD_DOUBTFUL)
    return "trusted", (said,)


def _own_said(own: Outcome, skill: float) -> Said:
    numbers = f"{skill:.2f}"
    if own == "supports":
        return Said(
            en=f"Here, removing what it names first changes the decision most (skill {numbers}).",
            zh=f"在这个输入上，先去掉它指出的部分，判断变化最大（技能 {numbers}）。",
        )
    if own == "refutes":
        return Said(
            en="Here, removing what it names first changes the decision hardly more than chance "
            f"would (skill {numbers}).",
            zh="在这个输入上，先去掉它指出的部分，判断的变化与随机几乎没有差别"
            f"（技能 {numbers}）。",
        )
    return Said(
        en=f"Here it is only partly right about what the decision rests on (skill {numbers}).",
        zh=f"在这个输入上，它只部分指出了判断的依据（技能 {numbers}）。",
    )


_METHOD_REFUTED = Said(
    en="The method is refuted on these inputs as a whole, so its picture of this one counts "
    "for nothing.",
    zh="这种方法在全部输入上已被否定，因此它对这个输入的图示不可信。",
)
_METHOD_DOUBTFUL = Said(
    en="But the method is doubtful on these inputs as a whole.",
    zh="但这种方法在全部输入上是存疑的。",
)
_NOTHING = Said(
    en="Nothing that can be removed changes this decision, so no explanation of it can be tested.",
    zh="去掉任何部分都不改变这个判断，因此对它的解释无法检验。",
)
