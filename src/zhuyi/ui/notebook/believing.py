"""A verdict beside a picture: on a batch, or narrowed to the one input that is shown."""

from dataclasses import replace

from zhuyi.core.record import Finding, Label, Said, Verdict
from zhuyi.errors import OptionError
from zhuyi.ui.checking import HEADLINES
from zhuyi.ui.looked import Checked

#: What every picture of heads says that no verdict stands beside.
NOT_VERIFIED = Said(
    en="Not verified: attention shows where a model looked, not why it decided.",
    zh="未经验证：注意力显示模型看了哪里，并不说明它为何这样判断。",
)
#: The same where the values of a method are shown, which need not read attention.
NOT_TESTED = Said(
    en="Not verified: this is what one method says, not proof of why the model decided.",
    zh="未经验证：这只是一种方法的说法，不是模型为何这样判断的证明。",
)
WORDS: dict[Label, Said] = {
    "trusted": Said(en="Trusted", zh="可信"),
    "doubtful": Said(en="Doubtful", zh="存疑"),
    "refuted": Said(en="Refuted", zh="不可信"),
}
SIGNS: dict[Label, str] = {"trusted": "✔", "doubtful": "?", "refuted": "✘"}


def checked_of(verdict: Verdict, row: int | None, *, shown: str) -> Checked:
    """The verdict as a look carries it.

    Args:
        verdict: on a batch of inputs.
        row: index of the input that is shown, or None for the whole batch.
        shown: repr of the method whose values stand beside it; "" where heads alone do.

    Raises: OptionError: when the verdict is on fewer inputs.
    """
    count = len(verdict.inputs)
    if row is not None and row >= max(count, 1):
        raise OptionError(f"the verdict is on {count} inputs, so none is number {row}")
    notes = [] if shown == verdict.method else [_other(verdict.method, shown)]
    if row is None or count <= 1:
        notes += [] if count <= 1 else [_counted(verdict)]
        return Checked(verdict=verdict, headline=HEADLINES[verdict.label], notes=tuple(notes))
    label = verdict.inputs[row]
    narrowed = replace(
        verdict,
        label=label,
        reasons=verdict.input_reasons[row] if row < len(verdict.input_reasons) else (),
        inputs=(label,),
        input_reasons=(),
        findings=tuple(_narrowed(one, row) for one in verdict.findings),
    )
    notes.append(_one_of(count, row, verdict))
    return Checked(verdict=narrowed, headline=HEADLINES[label], notes=tuple(notes))


def _one_of(count: int, row: int, verdict: Verdict) -> Said:
    return Said(
        en=f"The verdict is that of input {row + 1} of {count}; the sentences of the tests speak "
        f"of all {count}, which together are {verdict.label}.",
        zh=f"结论针对 {count} 个输入中的第 {row + 1} 个；各项检验的说明针对全部 {count} 个输入，"
        f"它们的总体结论是：{WORDS[verdict.label].zh}。",
    )


def _other(tested: str, shown: str) -> Said:
    """What was tested is not what is shown."""
    if not shown:
        return Said(
            en=f"The verdict is on {tested}, not on what single heads look at.",
            zh=f"结论针对 {tested}，而不是单个注意力头所看的内容。",
        )
    return Said(
        en=f"The verdict is on {tested}; the values shown are those of {shown}.",
        zh=f"结论针对 {tested}；所示数值来自 {shown}。",
    )


def _narrowed(finding: Finding, row: int) -> Finding:
    """The finding with the outcome and the numbers of one input, where the test knows them."""
    details = {
        name: (values[row] if row < len(values) else None,)
        for name, values in finding.details.items()
    }
    outcome = finding.inputs[row] if row < len(finding.inputs) else finding.outcome
    return replace(finding, outcome=outcome, inputs=(), details=details)


def _counted(verdict: Verdict) -> Said:
    counts = {label: verdict.inputs.count(label) for label in WORDS}
    en = ", ".join(f"{counts[label]} {label}" for label in WORDS)
    zh = "，".join(f"{WORDS[label].zh} {counts[label]} 个" for label in WORDS)
    return Said(
        en=f"On {len(verdict.inputs)} inputs, taken one by one: {en}.",
        zh=f"{len(verdict.inputs)} 个输入逐个来看：{zh}。",
    )
