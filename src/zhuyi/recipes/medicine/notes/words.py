"""What the part on notes says, in two languages."""

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from zhuyi.core.record import Said
from zhuyi.recipes.medicine.notes.phrases import CLASSES
from zhuyi.recipes.medicine.notes.shipped import NOTES

if TYPE_CHECKING:
    from zhuyi.recipes.medicine.notes.reading import Condition

PART: Final = "notes"
CHINESE_NAMES: Final = ("降压药", "降脂药", "控制血糖的药物")
"""The classes, as the article calls them."""

NOT_DECIDED: Final = "not called for 不需要"
REST: Final = "all other words 其余文字"

TITLE = Said(
    en="Clinical notes: which treatment classes the patient's own history calls for",
    zh="病历文本：患者本人的病史需要哪几类药物",
)
TASK = Said(
    en="does this note, by the patient's own conditions, call for this class of treatment?",
    zh="按患者本人的病情，这份病历是否需要这一类药物？",
)
COMPARED = Said(en="Templated notes that were held out", zh="未参与训练的模板病历")
BY_KIND = Said(en="By what a note holds", zh="按病历内容")
BY_KIND_NOTE = Said(
    en="A note may be of several kinds. Right: all three classes, and with durations those of "
    "every class that is called for. The last column is the rule with cues.",
    zh="一份病历可同时属于几类。“正确”指三类全对；含年限时，指所需各类的年限也全对。最后一列为带线索词的规则。",
)
SENTENCE_TITLE = Said(
    en="One sentence, three classes of treatment: which words does each rest on?",
    zh="一句话，三类药：每一类依据哪几个字？",
)
EXAMPLES = Said(
    en="The article's sentence, four notes that must not count, and 40 templated example "
    "notes that come with the package; nothing is downloaded. The model is in the package "
    "too, trained on templated notes of real people (NHANES).",
    zh="文章中的那句话、四份不应计入的病历，以及随包附带的 40 份模板示例病历，不下载任何内容。"
    "模型也在包内，以真实人群（NHANES）病情写成的模板病历训练。",
)
CHECK_SENTENCE = Said(
    en="高血压病史5年，高血脂3年，糖尿病2年。: each class by its own condition, with its years",
    zh="高血压病史5年，高血脂3年，糖尿病2年。每一类各看其病，年限读对",
)
CHECK_NOT_OWN = Said(
    en="Denied, absent, the father's, or normal: not counted as the patient's own",
    zh="否认的、没有的、父亲的、正常的，都不算患者本人的病",
)
CHECK_RIGHT = Said(
    en="Held-out templated notes: all classes and durations right",
    zh="未参与训练的模板病历：各类与年限全对",
)
CHECK_YEARS = Said(en="Durations right", zh="年限读对")
CHECK_PLACE = Said(
    en="The words attended most touch the patient's own mention of the condition",
    zh="最受关注的字词落在患者本人病情的所在处",
)
LIMITS: Final = (
    Said(
        en="Trained on templated text: which conditions go together is of real people (NHANES), "
        "how it is said is of our own patterns. Real notes are longer, messier and use other "
        "words; validate on notes of your own before any use.",
        zh="以模板文本训练：哪些病同时出现来自真实人群（NHANES），怎样表述则出自我们自己的句式。"
        "真实病历更长、更杂、用词不同；任何使用之前，请先在自己的病历上验证。",
    ),
    Said(
        en="The classes follow from the conditions by rule (high blood pressure: antihypertensive; "
        "and so on). Whether a person should be treated, and with what, is not decided here.",
        zh="类别由病情按规则得出（高血压对应降压药，依此类推）。某人是否应当治疗、用什么药，这里不作决定。",
    ),
    Said(
        en="Three conditions only. A measured pressure, lipid or glucose without a diagnosis is "
        "not judged, nor conditions in pregnancy, nor ones that are cured.",
        zh="只涉及三种病。没有诊断而只有血压、血脂、血糖数值的情形不作判断，妊娠期及已治愈的病情也不作判断。",
    ),
    Said(
        en="The model mixes units in two layers: its contributions sum to its decision, and still "
        "are evidence, not proof. The verdict beside them says what tests found.",
        zh="模型用两层混合上下文：各项贡献之和等于决定，但仍只是证据而非证明，旁边的结论说明检验的结果。",
    ),
    Said(
        en="Tested is why a class is called for, phrase by phrase. Why one is not called for is "
        "not explained: contributions point at the condition that is denied or somebody else's, "
        "and without it the answer is the same, so that tests refute them as reasons.",
        zh="检验的是为什么需要某一类药，逐个短语进行。为什么不需要则没有得到解释：贡献指向被否认的或"
        "他人的病名，而去掉它答案不变，因此检验否定以它为理由。",
    ),
    Said(
        en="Durations are read by rule from the clause of the attended phrase; calendar years and "
        "“for many years” are not turned into numbers.",
        zh="年限由规则从被关注词语所在的分句读出；具体年份与“多年”不换算成数字。",
    ),
)
KINDS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "own": "own condition 本人病情",
        "negated": "negation 否认",
        "family": "other people 他人病情",
        "normal": "normal findings 检查正常",
        "maybe": "spoken of only 仅提及",
        "trap": "similar word 相似词",
        "zh": "Chinese 中文",
        "en": "English 英文",
    }
)


def class_name(label: int) -> str:
    """A class in both languages."""
    return f"{CLASSES[label]} {CHINESE_NAMES[label]}"


def decided(phrase: str, years: float | None) -> str:
    """What a class rests on, with its duration.

    Example:
        >>> decided("高血压", 5.0), decided("糖尿病", None)
        ('called for 需要: 高血压, 5 years', 'called for 需要: 糖尿病')
    """
    return f"called for 需要: {phrase}" + ("" if years is None else f", {lasting(years)}")


def lasting(years: float | None) -> str:
    """A duration in words, "" for none.

    Example:
        >>> lasting(5.0), lasting(0.25), lasting(1.5)
        ('5 years', '3 months', '1.5 years')
    """
    if years is None:
        return ""
    if years < 1:
        return f"{years * 12:.2g} months"
    return f"{years:.3g} {'year' if years == 1 else 'years'}"


def lasting_zh(years: float | None) -> str:
    """The same in Chinese.

    Example:
        >>> lasting_zh(5.0), lasting_zh(0.5)
        ('5 年', '6 个月')
    """
    if years is None:
        return ""
    return f"{years * 12:.2g} 个月" if years < 1 else f"{years:.3g} 年"


def answer(right: float, place: float) -> Said:
    """What came out."""
    return Said(
        en=f"On held-out templated notes {right:.1%} are read right, classes and durations; in "
        f"{place:.1%} of the classes the words attended most are the patient's own condition.",
        zh=f"在未参与训练的模板病历上，{right:.1%} 的类别与年限全部读对；"
        f"{place:.1%} 的类别中，最受关注的字词正是患者本人的病情。",
    )


def sentence_answer(found: "Sequence[Condition]") -> Said:
    """What the classes rest on, in the order of `CLASSES`."""
    ordered = sorted(found, key=lambda one: CLASSES.index(one.label))
    en, zh = [], []
    for one in ordered:
        place = CLASSES.index(one.label)
        known = one.years is not None
        en.append(f"{one.label}: {one.phrase}" + (f", {lasting(one.years)}" if known else ""))
        told = f"，{lasting_zh(one.years)}" if known else ""
        zh.append(f"{CHINESE_NAMES[place]}：{one.phrase}{told}")
    return Said(en="; ".join(en) + ".", zh="；".join(zh) + "。")


def data(count: int, tested: int) -> Said:
    """Where the notes come from; of `count` people, 0 for made-up ones."""
    if not count:
        return Said(
            en=f"{tested:,} templated notes of made-up people (NHANES is not here), every "
            "combination of conditions equally often. The seed was not trained on.",
            zh=f"{tested:,} 份模板病历，人物为虚构（此处没有 NHANES），各种病情组合出现次数相同。"
            "所用随机种子未用于训练。",
        )
    return Said(
        en=f"{tested:,} notes written from the conditions of {count:,} adults of NHANES 1999-2020 "
        "with lipid data: real rows, templated text, labels by rule from the person's own "
        "conditions that the note tells. Combinations of conditions are equally frequent. The seed "
        "was not trained on.",
        zh=f"由 NHANES 1999-2020 中 {count:,} 名有血脂数据的成人的病情写成 {tested:,} 份病历："
        "真实的行、模板的文字，标签由病历所述患者本人的病情按规则得出。各种病情组合出现次数相同。"
        "所用随机种子未用于训练。",
    )


def note(learned: int) -> Said:
    """Under the comparison."""
    return Said(
        en=f"The rules know the same names of conditions as the notes are written with, which "
        f"helps them. TF-IDF learned from {learned:,} notes, the shipped model from {NOTES:,}. "
        "Intervals: bootstrap of notes. No published figure: nobody else has these notes.",
        zh=f"规则所用的病名与写病历所用的相同，这对规则有利。TF-IDF 以 {learned:,} 份病历学习，"
        f"随包模型以 {NOTES:,} 份学习。区间为对病历的自助法。没有已发表的数字可比。",
    )
