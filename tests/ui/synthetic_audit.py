"""An audit report without a model: several methods with all verdicts, groups, heads, odd texts."""

import math
import random
from collections.abc import Sequence
from typing import Literal

from zhuyi.audit.report import (
    AuditedInput,
    AuditReport,
    Budget,
    DataSummary,
    GroupDifference,
    GroupRow,
    HeadRow,
    Interval,
    MethodRow,
    Piece,
    Skipped,
)
from zhuyi.core.record import Finding, Label, Outcome, Said

TEXTS = (
    "The soup was cold , the waiter rude , and yet the desert was truly wonderful .",
    "A slow film that never finds its story .",
    "Great acting , a clever script and a finale that stays with you for days .",
    "I would not recommend this to anyone who values their time .",
    "这 部 电 影 很 好 看",
    "Not bad at all , in fact a delight .",
    "The battery died after two days and nobody answered my calls .",
    "It works .",
)
LABELS: tuple[Label, ...] = ("trusted", "trusted", "doubtful", "trusted", "refuted", "doubtful")
SKILLS = {"trusted": 0.74, "doubtful": 0.31, "refuted": -0.12}
SAID = {
    "trusted": Said(
        en="Removing its strongest words changed the decision far more than removing others.",
        zh="去掉它认为最重要的词，对判断的影响远大于去掉其他词。",
    ),
    "doubtful": Said(
        en="Removing its strongest words changed the decision, but chance could do about as much.",
        zh="去掉它认为最重要的词改变了判断，但随机去掉词也可能有差不多的影响。",
    ),
    "refuted": Said(
        en="Removing its strongest words changed the decision less than removing random ones.",
        zh="去掉它认为最重要的词，影响反而小于随机去掉的词。",
    ),
}
METHODS: tuple[tuple[str, bool, Label, float, float | None], ...] = (
    ("Occlusion()", False, "trusted", 0.71, 0.69),
    ("IntegratedGradients(steps=32)", False, "doubtful", 0.38, 0.41),
    ("GradientAttention()", False, "doubtful", 0.33, 0.35),
    ("Rollout(residual=0.5)", True, "refuted", 0.12, 0.14),
    ("Received()", True, "refuted", -0.08, -0.05),
    ("Random(seed=0)", False, "refuted", 0.01, None),
)


def whiskers(value: float, half: float) -> Interval:
    return Interval(value=value, lower=max(value - half, -1.0), upper=min(value + half, 1.0))


def synthetic_audit(
    *, inputs: int = 24, shift: float = 0.0, evil: str | None = None, seed: int = 0
) -> AuditReport:
    """A report as an audit would fill it.

    Args:
        inputs: how many.
        shift: added to every skill and accuracy.
        evil: a text put wherever a user's text may stand.
        seed: of the values.
    """
    generator = random.Random(seed)
    return AuditReport(
        title=evil or "demo/sentiment-mini",
        task=evil or "Is this review positive or negative?",
        labels=(evil or "NEGATIVE", "POSITIVE"),
        model={"class": evil or "BertForSequenceClassification", "parameters": 22_713_986,
               "layers": 6, "heads": 12, "fingerprint": "9f2c41d07be1"},
        removal="mask token",
        data=_data(inputs, evil),
        answer=Said(
            en="The best explanation of demo/sentiment-mini found here (Leave one out) can be "
            "believed. Its picture of attention (Attention rollout) must not be believed.",
            zh="对 demo/sentiment-mini 找到的最好解释（逐一遮挡）可信。"
            "它的注意力图（注意力展开）不可信。",
        ),
        verdict="trusted",
        reasons=(
            Said(en="Removing the words it names changed decisions 0.71 as much as any order "
                 "could; random orders reach 0.",
                 zh="去掉它指出的词，对判断的影响达到可能上限的 0.71；随机顺序为 0。"),
            Said(en="On 9 of 24 inputs chance could do about as well: look at the verdict of each.",
                 zh="在 24 条输入中有 9 条，随机顺序也能做到差不多：请逐条查看结论。"),
            Said(en="Its attention was refuted: do not read it as the reason of a decision.",
                 zh="它的注意力未通过检验：不要把它当作判断的理由。"),
        ),
        chosen="Occlusion()",
        chosen_why=Said(
            en="It had the highest skill of 5 methods on 8 inputs that are not counted here.",
            zh="在另外 8 条不计入结果的输入上，它在 5 种方法中得分最高。",
        ),
        attention="Rollout(residual=0.5)",
        quality={"accuracy": whiskers(0.86 + shift / 4, 0.05), "most common": whiskers(0.54, 0.06),
                 "confidence": Interval(value=0.81)},
        methods=tuple(_method(one, shift, evil) for one in METHODS),
        inputs=tuple(_input(i, generator, evil) for i in range(inputs)),
        subgroups=_groups(shift, evil),
        differences=_differences(evil),
        subgroups_said=(
            Said(en="channel: decisions are right more often for web than for phone (91 % against "
                 "78 %), which chance could do.",
                 zh="channel：web 的正确率高于 phone，可能出于偶然。"),
        ),
        heads=tuple(_head(layer, head, generator) for layer in range(6) for head in range(12)),
        limits=(
            Said(en="Removing words makes texts that the model never saw in training.",
                 zh="去掉词之后的文本是模型训练时没有见过的。"),
            Said(en="It says nothing about inputs unlike these.",
                 zh="它不能说明与这些不同的输入。"),
        ),
        settings={"seed": 0, "tests": "Deletion(), Sanity(), Stability()", "trusted": 0.4,
                  "refuted": 0.25, "significance": 0.05},
        budget=Budget(
            max_calls=20_000, max_seconds=None, calls=18_211, exhausted=False,
            said=Said(en="The budget was not used up.", zh="预算没有用完。"),
        ),
        run={"date": "2026-11-22T20:14:00+00:00", "seconds": 84.2, "peak_memory_mb": 911,
             "torch": "2.13.0", "zhuyi": "0.1.0"},
    )  # fmt: skip


def _data(inputs: int, evil: str | None) -> DataSummary:
    return DataSummary(
        name=evil or "reviews.csv",
        rows=inputs + 3,
        used=inputs,
        skipped=(
            Skipped(row=4, reason=Said(en="the text is empty", zh="文本为空")),
            Skipped(row=9, reason=Said(en=evil or "3 fields, the header has 4", zh="字段数不对")),
            Skipped(row=17, reason=Said(en="it is not UTF-8", zh="不是 UTF-8 编码")),
        ),
        columns={"text": ("review",), "label": ("stars",), "group": ("channel", "language")},
    )


def _method(
    row: tuple[str, bool, Label, float, float | None], shift: float, evil: str | None
) -> MethodRow:
    name, attention, label, skill, choosing = row
    skill = max(min(skill + shift, 1.0), -1.0)
    outcome: Outcome = {"trusted": "supports", "doubtful": "cautions", "refuted": "refutes"}[label]  # type: ignore[assignment]
    return MethodRow(
        name=evil if evil and name == "Received()" else name,
        attention=attention,
        chosen=name == "Occlusion()",
        choosing=choosing,
        label=label,
        reasons=(SAID[label],),
        inputs=16,
        numbers={
            "comprehensiveness": whiskers(0.5 * skill + 0.11, 0.06),
            "sufficiency": whiskers(0.3 - 0.3 * skill, 0.05),
            "skill": whiskers(skill, 0.09),
            "p": Interval(value=0.0002 if skill > 0.3 else 0.41),
        },
        findings=(
            Finding(test="Deletion", settings="Deletion(orders=100)", outcome=outcome,
                    said=SAID[label],
                    numbers={"skill": skill, "orders": 100, "control": "length", "lower": None},
                    calls=2210),
            Finding(test="Sanity", settings="Sanity()", outcome="supports",
                    said=Said(en="Shuffling the model changed the explanation (correlation 0.04).",
                              zh="把模型随机化之后解释也变了（相关系数 0.04）。"),
                    numbers={"correlation": 0.04}, calls=64),
            Finding(test="Alternative", settings="Alternative(steps=40)", outcome="skipped",
                    said=Said(en="Not tested: this method does not read attention.",
                              zh="没有检验：该方法不读取注意力。")),
        ),
    )  # fmt: skip


def _input(index: int, generator: random.Random, evil: str | None) -> AuditedInput:
    words: Sequence[str] = TEXTS[index % len(TEXTS)].split(" ")
    if evil and index % 5 == 0:
        words = [*words, evil]
    chinese = words[0] == "这"
    pieces = (
        Piece(label="[CLS]", gap="", special=True),
        *(Piece(label=word, gap="" if chinese or word in ".," else " ") for word in words),
        Piece(label="[SEP]", special=True),
    )
    values = [generator.gauss(0.0, 0.12) for _ in pieces]
    values[0] = values[-1] = 0.0
    values[1 + (index * 3) % (len(pieces) - 2)] = 0.62
    attention = [abs(generator.gauss(0.0, 0.2)) for _ in pieces]
    attention[0] += 0.9
    total = sum(attention)
    label = LABELS[index % len(LABELS)]
    split: Literal["choosing", "testing"] = "choosing" if index % 3 == 2 else "testing"
    positive = index % 2 == 0
    truth = None if index % 11 == 7 else ("POSITIVE" if positive ^ (index % 7 == 3) else "NEGATIVE")
    tested = index % 13 != 12
    return AuditedInput(
        row=index + 1 + (index > 2) + (index > 6),
        pieces=pieces,
        values=tuple(values),
        attention=tuple(value / total for value in attention),
        decision="POSITIVE" if positive else (evil or "NEGATIVE"),
        probability=0.55 + 0.44 * generator.random(),
        truth=truth,
        groups={"channel": ("web", "phone", evil or "shop")[index % 3],
                "language": "Chinese" if chinese else "English"},
        split=split,
        label=label,
        reasons=(SAID[label],),
        numbers={
            "skill": SKILLS[label] if tested else None,
            "comprehensiveness": 0.41,
            "sufficiency": 0.08,
            "p": 0.003 if label == "trusted" else 0.2,
            "effect": 0.55,
        },
    )  # fmt: skip


def _groups(shift: float, evil: str | None) -> tuple[GroupRow, ...]:
    rows = (("channel", "web", 96, 0.91, 0.70), ("channel", "phone", 61, 0.78, 0.52),
            ("channel", evil or "shop", 43, 0.84, 0.66), ("language", "English", 195, 0.87, 0.68),
            ("language", "Chinese", 5, 0.0, 0.0))  # fmt: skip
    return tuple(
        GroupRow(
            column=column,
            group=group,
            count=count,
            suppressed=count < 10,
            numbers={}
            if count < 10
            else {
                "accuracy": whiskers(accuracy + shift / 4, 1 / math.sqrt(count)),
                "skill": whiskers(skill + shift, 1 / math.sqrt(count)),
                "attention on the input": whiskers(0.4, 0.05),
            },
        )
        for column, group, count, accuracy, skill in rows
    )


def _differences(evil: str | None) -> tuple[GroupDifference, ...]:
    return (
        GroupDifference(column="channel", metric="accuracy", largest="web",
                        smallest=evil or "phone", p=0.09, beyond_noise=False,
                        value=Interval(value=0.13, lower=-0.02, upper=0.28)),
        GroupDifference(column="channel", metric="skill", largest="web", smallest="phone",
                        value=Interval(value=0.18, lower=0.05, upper=0.31), p=0.012,
                        beyond_noise=True),
    )  # fmt: skip


def _head(layer: int, head: int, generator: random.Random) -> HeadRow:
    entropy = 0.4 + 2.2 * generator.random()
    return HeadRow(
        layer=layer,
        head=head,
        site=f"bert.encoder.layer.{layer}.attention.self",
        kind="self",
        numbers={
            "entropy": entropy,
            "reach": math.exp(entropy),
            "distance": 6 * generator.random(),
            "first": generator.random() ** 2,
            "special": generator.random(),
            "peak": generator.random(),
        },
    )
