"""The certificate: what may be claimed of each veto, and every check behind the claim.

A record that only holds. `Certificate.as_json` is what is saved, `str(certificate)` what is read.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, Literal

from zhuyi.core.record import Said
from zhuyi.steer.report import Leak
from zhuyi.steer.rule import GUARANTEES, Guarantee

State = Literal["held", "failed", "unchecked"]
"""What a check found; "unchecked" is shown as "could not be checked"."""

Number = float | int | str | None

#: What each level says, and no more.
CLAIMS: Final[dict[Guarantee, Said]] = {
    "steer": Said(
        en="nothing is guaranteed: only the measured effect may be told",
        zh="没有任何保证：只能说明测得的效果",
    ),
    "direct": Said(
        en="no attention that the rule covers looks at it; it may reach the output another way",
        zh="规则所及的注意力都不看它；它仍可能经由其他途径影响输出",
    ),
    "exact": Said(
        en="the output does not depend on what stands at these positions, given how many they are",
        zh="在位置与长度不变时，输出与这些位置上的内容无关",
    ),
    "input": Said(
        en="the model never receives it, whatever its architecture: a constant stands in its place",
        zh="模型从未收到它：无论何种结构，其位置上都是一个常数",
    ),
    "information": Said(
        en="what it says cannot be known from anything else either: never claimed here",
        zh="从其他任何信息中也无法得知它：本库从不作此声明",
    ),
}
_SHOWN: Final = {
    "en": {"held": "held", "failed": "FAILED", "unchecked": "could not be checked"},
    "zh": {"held": "成立", "failed": "不成立", "unchecked": "无法检查"},
}


@dataclass(frozen=True, kw_only=True)
class Item:
    """One check.

    Args:
        name: of the check ("taint", "normalization", ...).
        state: what it found.
        said: the same in one sentence.
        numbers: every number behind it.
    """

    name: str
    state: State
    said: Said
    numbers: Mapping[str, Number] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class RuleCertificate:
    """What may be claimed of one veto.

    Args:
        rule: id of the rule.
        asked: the guarantee that the rule asks for.
        level: the guarantee that may be claimed.
        offered: a stronger one that `zhuyi.steer.certify.removed` gives and that was tried here,
            or None.
        items: every check.
        leaks: what a probe finds of it elsewhere; told, and never claimed away.
        positions: how many positions were vetoed in the rows tried.
    """

    rule: str
    asked: Guarantee
    level: Guarantee
    offered: Guarantee | None
    items: tuple[Item, ...]
    leaks: tuple[Leak, ...]
    positions: int

    @property
    def kept(self) -> bool:
        """Whether no less may be claimed than the rule asks for."""
        return GUARANTEES.index(self.level) >= GUARANTEES.index(self.asked)

    def item(self, name: str) -> Item | None:
        """The check of this name, or None."""
        return next((one for one in self.items if one.name == name), None)

    @property
    def failed(self) -> tuple[Item, ...]:
        """Checks that failed."""
        return tuple(one for one in self.items if one.state == "failed")


@dataclass(frozen=True, kw_only=True)
class Certificate:
    """What may be claimed of the vetoes among some rules, on one model and some inputs.

    Args:
        model: class of the model.
        architecture: its kind, as far as it is known.
        rows: inputs on which it was tried.
        swaps: other contents tried for each of them.
        seed: of the contents.
        rules: one a veto, in order.
        versions: of what it ran on.
    """

    model: str
    architecture: str
    rows: int
    swaps: int
    seed: int
    rules: tuple[RuleCertificate, ...]
    versions: Mapping[str, str] = field(default_factory=dict)

    @property
    def level(self) -> Guarantee:
        """The weakest level of all vetoes; "steer" where there is none."""
        found = [GUARANTEES.index(one.level) for one in self.rules]
        return GUARANTEES[min(found, default=0)]

    @property
    def kept(self) -> bool:
        """Whether every veto may claim what it asks for."""
        return all(one.kept for one in self.rules)

    def __getitem__(self, rule: str) -> RuleCertificate:
        """The certificate of a rule. Raises: KeyError: if it is no veto of these rules."""
        for one in self.rules:
            if one.rule == rule:
                return one
        raise KeyError(rule)

    def as_json(self) -> dict[str, object]:
        """Plain numbers, texts, lists and dictionaries."""
        return {
            "schema": 1,
            "model": self.model,
            "architecture": self.architecture,
            "rows": self.rows,
            "swaps": self.swaps,
            "seed": self.seed,
            "level": self.level,
            "kept": self.kept,
            "versions": dict(self.versions),
            "rules": [_rule_json(one) for one in self.rules],
        }

    def text(self, language: Literal["en", "zh"] = "en") -> str:
        """The certificate as lines of text."""
        lines = []
        for one in self.rules:
            lines += _rule_lines(one, language)
        head = {
            "en": f"{self.model} ({self.architecture}), {self.rows} inputs x {self.swaps} swaps",
            "zh": f"{self.model}（{self.architecture}），{self.rows} 条输入 × {self.swaps} 次替换",
        }
        return "\n".join([head[language], *lines])

    def __str__(self) -> str:
        return self.text()


def _rule_lines(one: RuleCertificate, language: Literal["en", "zh"]) -> list[str]:
    claim, asked = getattr(CLAIMS[one.level], language), one.asked
    head = {
        "en": f"{one.rule}: {one.level} (asked: {asked}) - {claim}",
        "zh": f"{one.rule}：{one.level}（要求：{asked}）— {claim}",
    }
    lines = [head[language]]
    for item in one.items:
        lines.append(f"  [{_SHOWN[language][item.state]}] {getattr(item.said, language)}")
    lines += [f"  [-] {getattr(leak.said, language)}" for leak in one.leaks]
    if one.offered is not None:
        offer = {
            "en": f"  offered instead: {one.offered} - {CLAIMS[one.offered].en}",
            "zh": f"  可改用：{one.offered} — {CLAIMS[one.offered].zh}",
        }
        lines.append(offer[language])
    return lines


def _rule_json(one: RuleCertificate) -> dict[str, object]:
    return {
        "rule": one.rule,
        "asked": one.asked,
        "level": one.level,
        "claim": _said_json(CLAIMS[one.level]),
        "kept": one.kept,
        "offered": one.offered,
        "positions": one.positions,
        "items": [
            {
                "name": item.name,
                "state": item.state,
                "said": _said_json(item.said),
                "numbers": {name: _plain(number) for name, number in item.numbers.items()},
            }
            for item in one.items
        ],
        "leaks": [
            {
                "source": leak.source,
                "auc": leak.auc,
                "low": leak.low,
                "high": leak.high,
                "rows": leak.rows,
                "said": _said_json(leak.said),
            }
            for leak in one.leaks
        ],
    }


def _plain(number: Number) -> Number:
    """JSON has no NaN and no infinity: they are written as text."""
    return str(number) if isinstance(number, float) and not math.isfinite(number) else number


def _said_json(said: Said) -> dict[str, str]:
    return {"en": said.en, "zh": said.zh}
