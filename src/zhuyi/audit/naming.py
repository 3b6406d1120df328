"""Names and sentences of a report, for people who read neither code nor statistics."""

import re
from collections.abc import Sequence

from zhuyi.core.record import Label, Said

_NAMES = {
    "Received": Said(en="Received attention", zh="接收到的注意力"),
    "Rollout": Said(en="Attention rollout", zh="注意力展开"),
    "GradientAttention": Said(en="Gradient-weighted attention", zh="梯度加权注意力"),
    "ValueNorm": Said(en="Attention × value norm", zh="注意力×值范数"),
    "InputGradient": Said(en="Input gradient", zh="输入梯度"),
    "IntegratedGradients": Said(en="Integrated gradients", zh="积分梯度"),
    "Occlusion": Said(en="Leave one out", zh="逐一遮挡"),
    "Contributions": Said(en="Contributions", zh="各因素的贡献"),
    "Random": Said(en="Random values", zh="随机数值"),
}
_LABELS = {
    "trusted": Said(en="can be believed", zh="可信"),
    "doubtful": Said(en="is doubtful", zh="存疑"),
    "refuted": Said(en="must not be believed", zh="不可信"),
}


def method_name(written: str) -> Said:
    """A method's plain name from its repr.

    Example:
        >>> method_name("IntegratedGradients(steps=16)").en
        'Integrated gradients'
    """
    name = written.partition("(")[0]
    spaced = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", name)
    return _NAMES.get(name, Said(en=spaced, zh=spaced))


def label_said(label: Label) -> Said:
    """A verdict in plain words."""
    return _LABELS[label]


def answer(
    title: str,
    chosen: str,
    verdict: Label,
    shown: str,
    shown_label: Label | None,
    *,
    own: bool = False,
) -> Said:
    """The report in one or two sentences.

    Args:
        title: the model.
        chosen: repr of the method behind the explanations.
        verdict: on it.
        shown: repr of the attention shown beside it, or "".
        shown_label: the verdict on that.
        own: whether the chosen method is how the model explains itself.
    """
    name, told = method_name(chosen), _LABELS[verdict]
    en = f"The best explanation of {title} found here ({name.en}) {told.en}."
    zh = f"对 {title} 找到的最好解释（{name.zh}）{told.zh}。"
    if own:
        en = f"The explanation that {title} gives of itself ({name.en}) {told.en}."
        zh = f"{title} 给出的自身解释（{name.zh}）{told.zh}。"
    if shown and shown != chosen and shown_label is not None:
        attention, of_it = method_name(shown), _LABELS[shown_label]
        en += f" Its picture of attention ({attention.en}) {of_it.en}."
        zh += f"它的注意力图（{attention.zh}）{of_it.zh}。"
    elif shown:
        en += " It is a picture of attention."
        zh += "它本身就是注意力图。"
    return Said(en=en, zh=zh)


def choice(
    chosen: str,
    skills: Sequence[tuple[str, float | None]],
    count: int,
    held: bool,
    *,
    own: bool = False,
) -> Said:
    """How the method was chosen; `own` if it was not, being how the model explains itself."""
    name = method_name(chosen)
    told = ", ".join(
        f"{method_name(one).en} {'not testable' if skill is None else f'{skill:.2f}'}"
        for one, skill in skills
    )
    zh_told = "，".join(
        f"{method_name(one).zh} {'无法检验' if skill is None else f'{skill:.2f}'}"
        for one, skill in skills
    )
    if own:
        return Said(
            en=f"{name.en}: how the model explains itself, so this was not chosen by a test (skill "
            f"on {count} inputs: {told}).",
            zh=f"{name.zh}是模型对自身的解释，并非由检验选出"
            f"（在 {count} 个输入上的技能：{zh_told}）。",
        )
    if held:
        return Said(
            en=f"{name.en} did best on {count} inputs that were held back for the choice and are "
            f"not part of the verdict (skill: {told}).",
            zh=f"{name.zh}在专门留出、不计入结论的 {count} 个输入上表现最好（技能：{zh_told}）。",
        )
    return Said(
        en=f"{name.en} did best on the same {count} inputs that the verdict rests on, because "
        f"there are too few to hold any back: the verdict flatters it (skill: {told}).",
        zh=f"{name.zh}在这 {count} 个输入上表现最好；输入太少，无法另外留出，所以结论偏乐观"
        f"（技能：{zh_told}）。",
    )


def budget(tested: int, planned: int, *, exhausted: bool, tried: bool, width: float | None) -> Said:
    """What the budget did to the report's certainty.

    Args:
        tested, planned: inputs of the verdict that were reached, and all of them.
        exhausted: whether the budget ended the audit.
        tried: whether the tests of the chosen method itself (`Sanity`, ...) were reached.
        width: half the interval of skill, or None.
    """
    if not exhausted:
        return Said(
            en=f"All {planned} inputs that the verdict rests on were tested.",
            zh=f"结论所依据的 {planned} 个输入全部经过检验。",
        )
    en = f"The budget ended the audit after {tested} of {planned} inputs."
    zh = f"预算用尽，只检验了 {planned} 个输入中的 {tested} 个。"
    if width is not None and tested:
        full = width * (tested / planned) ** 0.5
        en += f" Skill is certain to ± {width:.2f}; all inputs would give about ± {full:.2f}."
        zh += f"技能的不确定度为 ±{width:.2f}；若检验全部输入，约为 ±{full:.2f}。"
    else:
        en += " That is too few for an interval, so nothing is sure."
        zh += "数量太少，给不出区间，任何结论都不确定。"
    if not tried:
        en += " The tests of the method itself (shuffled model, small changes) were not reached."
        zh += "对方法本身的检验（打乱模型、微小变化）没有做到。"
    return Said(en=en, zh=zh)


def limits(removal: str, *, held: bool, tested: int, groups: bool) -> tuple[Said, ...]:
    """What every report of this kind does not show."""
    said = [
        Said(
            en="The tests can find an explanation wrong; they cannot prove it right.",
            zh="这些检验能发现解释是错的，但不能证明它是对的。",
        ),
        Said(
            en=f"Units were removed by: {removal}. Inputs with pieces missing may be unlike "
            "anything the model has seen, and it may decide oddly on them.",
            zh=f"去除方式：{removal}。缺了一部分的输入可能与模型见过的都不同，"
            "模型在其上的判断可能反常。",
        ),
        Said(
            en="Leave one out removes units as the test does, which favors it over other methods.",
            zh="“逐一遮挡”与检验使用同一种去除方式，因此比其他方法占便宜。",
        ),
        Said(
            en="Explanations say what the decision rests on, not whether it is right or fair.",
            zh="解释说明判断依据什么，并不说明判断是否正确或公平。",
        ),
    ]
    if not held:
        said.append(
            Said(
                en="There were too few inputs to hold some back for the choice of the method.",
                zh="输入太少，无法留出一部分专门用来选择方法。",
            )
        )
    if tested < 32:
        said.append(
            Said(
                en=f"The verdict rests on {tested} inputs only; 32 or more are needed to be sure "
                "(docs/calibration.md).",
                zh=f"结论只依据 {tested} 个输入；至少需要 32 个才有把握"
                "（见 docs/calibration.md）。",
            )
        )
    if not groups:
        said.append(
            Said(
                en="No groups were named, so differences between groups were not looked for.",
                zh="没有指定分组，因此没有检查组间差异。",
            )
        )
    return tuple(said)
