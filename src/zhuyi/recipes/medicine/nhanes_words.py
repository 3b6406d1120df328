"""The sentences of the treatment part, in both languages."""

from typing import Final

from zhuyi.core.record import Said

TITLE: Final = Said(
    en="From history and measurements to the classes of drugs that people take",
    zh="从病史和检查到人们正在服用的药物类别",
)
PRESSURE: Final = Said(en="drugs against high blood pressure", zh="降压药")
LIPIDS: Final = Said(en="drugs against high blood lipids", zh="降脂药")

COMPILED: Final = Said(
    en="the compilation of the cardioStatsUSA authors (GPL-3, found on this machine, handed out "
    "by nobody; the CDC's data in it are in the public domain)",
    zh="cardioStatsUSA作者的汇编（GPL-3，取自本机，不随软件分发；其中的CDC数据属于公有领域）",
)
FROM_FILES: Final = Said(
    en="the CDC's own files (public domain), put together here; 1999 to 2018",
    zh="CDC的原始文件（公有领域），由本软件汇总；1999至2018年",
)

NO_LEAK: Final = Said(
    en="No column that says which drugs are taken is an input",
    zh="没有任何透露用药情况的列被用作输入",
)
TAKES: Final = "takes it · 正在服用"
TAKES_NOT: Final = "does not take it · 未服用"

BY_CLASS: Final = Said(
    en="AUROC over all held-out people, each answered by a model that did not learn from them. "
    "Classes that fewer than 100 people take are left out.",
    zh="所有留出者合在一起的AUROC，每人都由未用其数据训练的模型回答。服用者不足100人的类别未列入。",
)
BY_GROUP: Final = Said(
    en="Mean AUROC over the classes that 10 people or more of the group take, and 10 do not, in "
    "each fold; other groups, other classes: compare the models in a row, not the rows.",
    zh="对各折中该组内服用者与未服用者都不少于10人的类别取平均AUROC；各组所含类别不同，"
    "请在同一行内比较模型，不要比较不同的行。",
)
BELIEVED: Final = Said(
    en="May the explanations of single people be believed?", zh="对单个人的解释可信吗？"
)
BELIEVED_NOTE: Final = Said(
    en="The removal test on held-out people, each on the logit of the most likely class. With "
    "mixing layers a contribution holds what it learned of other columns too: look at its "
    "verdict before its picture.",
    zh="对留出者做移除检验，各取最可能类别的对数几率。加了混合层后，一项贡献也包含从其他列得来的信息："
    "看图之前先看结论。",
)
COLUMNS: Final = Said(en="What the columns mean", zh="各列的含义")
COLUMNS_NOTE: Final = Said(
    en="History is what people were told by a doctor; measurements were taken under treatment.",
    zh="病史为受访者被医生告知的诊断；测量值是在服药期间测得的。",
)

LIMITS: Final = (
    Said(
        en="It shows what people took, not what helped them: measurements were taken under "
        "treatment, so that a normal value may be a drug's success.",
        zh="它反映的是人们在服用什么，而不是什么对他们有效：测量是在治疗期间进行的，"
        "正常的数值可能正是药物的效果。",
    ),
    Said(
        en="Race and ethnicity are inputs because American guidelines used them; a class that "
        "follows from them is a fact about past prescribing, not about a body.",
        zh="种族与族裔作为输入，是因为美国的指南曾以此为据；由此得出的类别说明的是过去的处方习惯，"
        "而不是身体本身。",
    ),
    Said(
        en="The survey's weights are not used, and its years are not kept apart: neither shares "
        "nor scores are those of the population of today.",
        zh="没有使用调查权重，也没有区分年份：其中的比例和得分都不代表今天的人群。",
    ),
    Said(
        en="Classes that fewer than 100 people take are neither learned nor scored.",
        zh="服用者不足100人的类别既未学习也未评分。",
    ),
)


def answer(
    pressure: tuple[Said, Said], lipids: tuple[Said, Said], recovered: tuple[int, int]
) -> Said:
    """What came out.

    Args:
        pressure, lipids: the score of the glass box, and that of gradient boosting.
        recovered: signals of guidelines that the contributions found again, of how many.
    """
    found, count = recovered
    return Said(
        en="From 21 facts about a person the glass box tells who takes which class of drugs with a "
        f"mean AUROC of {pressure[0].en} for high blood pressure (gradient boosting "
        f"{pressure[1].en}) and {lipids[0].en} for high blood lipids (gradient boosting "
        f"{lipids[1].en}). Its contributions recover {found} of {count} signals that guidelines "
        "name, such as heart failure for a loop diuretic.",
        zh="根据每个人的21项信息，玻璃盒模型判断谁在服用哪类药物："
        f"降压药平均AUROC为{pressure[0].zh}，梯度提升为{pressure[1].zh}；"
        f"降脂药为{lipids[0].zh}，梯度提升为{lipids[1].zh}。"
        f"它的贡献值找回了{count}个指南信号中的{found}个，例如心力衰竭支持使用袢利尿剂。",
    )


def data(source: Said, pressure: int, lipids: int) -> Said:
    """Where the rows come from."""
    return Said(
        en=f"NHANES, the survey of the CDC, from {source.en}. {pressure:,} adults treated for high "
        f"blood pressure with a class on record; {lipids:,} adults with lipids measured, treated "
        "or not. Five folds of people.",
        zh=f"美国CDC的NHANES调查，来自{source.zh}。{pressure:,}名有用药类别记录的高血压治疗者；"
        f"{lipids:,}名测过血脂的成年人，无论是否治疗。按人分为五折。",
    )


def comparing(question: Said) -> Said:
    """Title of a comparison."""
    return Said(en=f"Who takes which: {question.en}", zh=f"谁在服用哪一类：{question.zh}")


def folds(count: int, classes: int) -> Said:
    """How a comparison was split."""
    return Said(
        en=f"{count} of 5 folds of people, {classes} classes; intervals over folds, corrected for "
        "shared training rows. Simple models are fitted once a class, ours once for all.",
        zh=f"按人分五折，运行其中{count}折，共{classes}个类别；区间跨折计算，并对共用的训练数据作了校正。"
        "简单模型每个类别各拟合一次，我们的模型对所有类别只拟合一次。",
    )


def as_good(question: Said, *, mixed: bool) -> Said:
    """A bar against boosting."""
    box = ("With mixing layers", "加混合层的") if mixed else ("The glass box", "")
    return Said(
        en=f"{box[0]}: as good as gradient boosting, {question.en}",
        zh=f"{box[1]}玻璃盒模型不逊于梯度提升：{question.zh}",
    )


def explained(question: Said) -> Said:
    """A bar for verdicts."""
    return Said(
        en=f"Explanations of single people stand the removal test: {question.en}",
        zh=f"对单个人的解释经得起移除检验：{question.zh}",
    )


def person(number: int) -> str:
    """Title of a decision."""
    return f"held-out person {number} · 留出者{number}"


def by_class(question: Said) -> Said:
    """Title of a table."""
    return Said(en=f"By class: {question.en}", zh=f"按类别：{question.zh}")


def by_group(question: Said) -> Said:
    """Title of a table."""
    return Said(
        en=f"For whom it is better or worse: {question.en}", zh=f"对哪些人更准或更差：{question.zh}"
    )
