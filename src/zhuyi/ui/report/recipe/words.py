"""Every sentence of a recipe's page that is not in the report itself, in two languages."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from zhuyi.core.record import Said
from zhuyi.recipes.records import Role


def _said(en: str, zh: str) -> Said:
    return Said(en=en, zh=zh)


ROLES: Final[Mapping[Role, Said]] = MappingProxyType(
    {
        "trivial": _said("trivial", "平凡基线"),
        "simple": _said("simple", "简单模型"),
        "ours": _said("ours", "我们的"),
        "published": _said("published", "已发表"),
    }
)

VERDICTS: Final[Mapping[str, Said]] = MappingProxyType(
    {
        "trusted": _said("Trusted", "可信"),
        "doubtful": _said("Doubtful", "存疑"),
        "refuted": _said("Refuted", "已被推翻"),
        "not verified": _said("Not verified", "未经检验"),
    }
)

CONTENTS = _said("What came out", "结论")
QUICK = _said(
    "A quick run: fewer folds, rows or epochs than the published figures. Its numbers are a first "
    "look, not a result.",
    "快速运行：折数、行数或轮数少于正式结果。这里的数字只供初步了解，不是结论。",
)
SKIPPED = _said("Not run, because its data cannot be had here:", "未运行，因为此处无法取得其数据：")
CHECKS_LINE = _said("{held} of {all} checks held", "{all} 项检查中有 {held} 项成立")
FORBIDDEN = _said("What this must not be used for", "禁止用途")
TO_FORBIDDEN = _said("What this must not be used for ↓", "查看禁止用途 ↓")

COMPARED = _said("Compared with simpler models", "与更简单的模型比较")
HIGHER = _said("further right is better", "越靠右越好")
LOWER = _said("further left is better", "越靠左越好")
TO_BEAT = _said("best simple model", "最好的简单模型")
OUR_BEST = _said("our best", "我们最好的")
MODEL = _said("model", "模型")
SECONDS = _said("seconds", "秒")
NO_INTERVAL = _said("no interval", "无区间")

CHECKS = _said("Checks", "检查")
HELD = _said("right", "成立")
FAILED = _said("wrong", "不成立")
BAR = _said("asked for:", "要求：")

DECISIONS = _said("Single decisions, and what they rest on", "单个决定及其依据")
DECISIONS_NOTE = _said(
    "A full bar to the right speaks for the decision, a dashed one to the left against it. Start "
    "and bars add up to the last line.",
    "向右的实心条支持该决定，向左的虚线条反对该决定。起点加上各条等于最后一行。",
)
DECIDED = _said("Decided", "决定")
HAPPENED = _said("What happened", "实际结果")
START = _said("start", "起点")
SUM = _said("sum", "合计")
OTHERS = _said("further factors: {n}", "其余 {n} 个因素")
FACTOR = _said("factor", "因素")
VALUE = _said("value", "取值")
WEIGHT = _said("attention", "注意力")
CONTRIBUTION = _said("contribution", "贡献")

TABLES = _said("Further figures", "其他数字")
AUDIT = _said("Can the explanations be believed?", "这些解释可信吗？")
EXPLAINED_BY = _said("Explained by", "解释方法")
SKILL = _said("Skill (1 = the best order there is, 0 = random)", "得分（1 最好，0 随机）")
INPUTS = _said("Inputs", "输入数")
FULL_AUDIT = _said("The whole audit", "完整审计")
LIMITS = _said("Limits", "局限")
DATA = _said("Data", "数据")

OFFLINE = _said("This page loads nothing and sends nothing.", "本页面不加载、也不发送任何内容。")
MADE = _said(
    "zhuyi {version}, zhuyi run {name}, seed {seed}. All numbers are in {name}.json.",
    "zhuyi {version}，zhuyi run {name}，随机种子 {seed}。所有数字见 {name}.json。",
)


def filled(said: Said, **values: object) -> Said:
    """A sentence with its {marks} filled in."""
    return Said(en=said.en.format(**values), zh=said.zh.format(**values))
