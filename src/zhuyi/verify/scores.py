"""Deletion scores of many inputs as one finding: numbers, intervals, outcome and sentence."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import torch

from zhuyi.core.record import Finding, Outcome, Said
from zhuyi.verify.resampling import chance, ratio_interval
from zhuyi.verify.thresholds import Thresholds
from zhuyi.verify.wording import many

FEW = 5
"""Inputs from which an interval is given, and trust with it: fewer promise too much."""

Numbers: TypeAlias = dict[str, float | int | str | None]


@dataclass(frozen=True, kw_only=True)
class Score:
    """One input's numbers, in probability.

    Args:
        row: which input.
        comprehensiveness, sufficiency: areas of the explanation's order.
        difference: comprehensiveness - sufficiency on the sizes of `effect`.
        effect: best - worst comprehensiveness.
        random: differences of random orders; each stands for its mirror image -x as well.
        by_length, effect_by_length, random_by_length: the same against positions removed.
    """

    row: int
    comprehensiveness: float
    sufficiency: float
    difference: float
    effect: float
    random: tuple[float, ...]
    by_length: float
    effect_by_length: float
    random_by_length: tuple[float, ...]

    @property
    def skill(self) -> float:
        """difference / effect; 0 where nothing has an effect."""
        return self.difference / self.effect if self.effect > 0 else 0.0

    @property
    def p(self) -> float:
        """Share of random orders, and of the explanation itself, that reach its difference."""
        sides = [*self.random, *(-one for one in self.random)]
        return (1 + sum(one >= self.difference - 1e-12 for one in sides)) / (1 + len(sides))


def conclude(
    scores: Sequence[Score],
    *,
    inputs: int,
    settings: str,
    removal: str,
    thresholds: Thresholds,
    seed: int = 0,
    calls: int = 0,
) -> Finding:
    """The finding of a deletion test.

    Args:
        scores: numbers of the inputs that could be scored.
        inputs: how many inputs there were (B); `scores` name theirs by `row`.
        settings: repr of the test.
        removal: how units were removed.
        thresholds: where a number becomes an outcome.
        seed: of the intervals.
        calls: what the test cost.
    """
    tested = [score for score in scores if score.effect >= thresholds.effect]
    outcomes: list[Outcome] = ["skipped"] * inputs
    for score in tested:
        outcomes[score.row] = own_outcome(score, thresholds)
    numbers = _numbers(scores, tested, removal, torch.Generator().manual_seed(seed % 2**31))
    outcome = _outcome(numbers, thresholds)
    return Finding(
        test="Deletion",
        settings=settings,
        outcome=outcome,
        said=_said(numbers, outcome, inputs, thresholds),
        numbers=numbers,
        inputs=tuple(outcomes),
        details=_details(scores, inputs),
        calls=calls,
    )


def own_outcome(score: Score, thresholds: Thresholds) -> Outcome:
    """What one input's score says of its own explanation."""
    if score.effect < thresholds.effect:
        return "skipped"
    if score.skill > thresholds.trusted:
        return "supports"
    return "refutes" if score.skill < thresholds.refuted else "cautions"


def _details(scores: Sequence[Score], inputs: int) -> dict[str, tuple[float | None, ...]]:
    by_row = {score.row: score for score in scores}
    found: dict[str, tuple[float | None, ...]] = {}
    for name in ("skill", "comprehensiveness", "sufficiency", "effect", "p"):
        numbers = [by_row.get(row) for row in range(inputs)]
        found[name] = tuple(None if one is None else float(getattr(one, name)) for one in numbers)
    return found


def _numbers(
    scores: Sequence[Score], tested: Sequence[Score], removal: str, generator: torch.Generator
) -> Numbers:
    numbers: Numbers = {"inputs": len(scores), "tested": len(tested), "removal": removal}
    if not tested:
        return numbers
    effect, difference = _column(tested, "effect"), _column(tested, "difference")
    lengths, widest = _column(tested, "by_length"), _column(tested, "effect_by_length")
    lower: float | None = None
    upper: float | None = None
    if len(tested) >= FEW:
        lower, upper = ratio_interval(difference, effect, generator)
    numbers |= {
        "comprehensiveness": float(_column(tested, "comprehensiveness").mean()),
        "sufficiency": float(_column(tested, "sufficiency").mean()),
        "effect": float(effect.mean()),
        "skill": float(difference.sum() / effect.sum()),
        "lower": lower,
        "upper": upper,
        "p": chance(difference, [score.random for score in tested], generator),
        "skill_by_length": float(lengths.sum() / widest.sum()),
        "p_by_length": chance(lengths, [score.random_by_length for score in tested], generator),
    }
    return numbers


def _column(scores: Sequence[Score], name: str) -> torch.Tensor:
    return torch.tensor([getattr(score, name) for score in scores], dtype=torch.float64)


def _outcome(numbers: Numbers, bar: Thresholds) -> Outcome:
    """Trust needs to be surely above the bar, refusal surely below it; see docs/calibration.md."""
    if not numbers["tested"]:
        return "skipped"
    skill = number(numbers, "skill")
    sure = numbers["lower"] is not None
    lower, upper = (number(numbers, "lower"), number(numbers, "upper")) if sure else (skill, skill)
    better = number(numbers, "p") <= bar.significance
    if lower > bar.trusted and better and sure:
        return "supports" if number(numbers, "p_by_length") <= bar.significance else "cautions"
    if upper < bar.refuted or (upper < bar.trusted and not better):
        return "refutes"
    return "cautions"


def number(numbers: Mapping[str, float | int | str | None], name: str) -> float:
    """One of a finding's numbers that is known to be there."""
    value = numbers[name]
    assert isinstance(value, float | int)
    return float(value)


def _said(numbers: Numbers, outcome: Outcome, inputs: int, bar: Thresholds) -> Said:
    if not numbers["inputs"]:
        return Said(en="No input was tested by removal.", zh="没有输入经过去除检验。")
    if outcome == "skipped":
        least = f"{bar.effect:.2f}"
        return Said(
            en=f"No unit or group of units changes the decision by {least} when it is removed: "
            "there is nothing an explanation could be right about.",
            zh=f"去掉任何词或词组，判断的概率变化都不到 {least}：没有可供解释对错的依据。",
        )
    skill, p = number(numbers, "skill"), number(numbers, "p")
    on, zh_on = (
        f"{numbers['tested']} of {many(inputs)}",
        f"{inputs} 个输入中的 {numbers['tested']} 个",
    )
    zh_tail = (
        f"（技能 {skill:.2f}，随机为 0，最好为 1；p = {p:.4f}；{zh_on}；"
        f"去除方式：{numbers['removal']}）"
    )
    tail = (
        f"(skill {skill:.2f}, where random is 0 and the best possible is 1; p = {p:.4f}; {on}; "
        f"removed by: {numbers['removal']})"
    )
    if outcome == "supports":
        return Said(
            en=f"Removing what it names first changes the decision most {tail}.",
            zh=f"先去掉它指出的部分，判断变化最大{zh_tail}。",
        )
    if outcome == "refutes":
        return Said(
            en=f"Removing what it names first changes the decision hardly more than removing units "
            f"at random {tail}.",
            zh=f"先去掉它指出的部分，判断的变化与随机去掉几乎没有差别{zh_tail}。",
        )
    if numbers["lower"] is None and skill > bar.trusted:
        return Said(
            en=f"Removing what it names first changes the decision most {tail}; but it takes {FEW} "
            f"inputs or more to be sure of a method, and here are {numbers['tested']}.",
            zh=f"先去掉它指出的部分，判断变化最大{zh_tail}；但要确信一种方法至少需要 {FEW} 个输入，"
            f"这里只有 {numbers['tested']} 个。",
        )
    if number(numbers, "p_by_length") > bar.significance >= p:
        return Said(
            en=f"It beats random orders only because it names longer pieces first {tail}.",
            zh=f"它胜过随机顺序，只是因为先指出较长的部分{zh_tail}。",
        )
    return Said(
        en=f"Removing what it names first changes the decision more than chance would, but far "
        f"less than it could {tail}."
        if p <= bar.significance
        else f"Too few inputs to tell it from chance {tail}.",
        zh=f"先去掉它指出的部分，判断的变化大于随机，但远不及可能的程度{zh_tail}。"
        if p <= bar.significance
        else f"输入太少，无法与随机区分{zh_tail}。",
    )
