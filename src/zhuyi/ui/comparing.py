"""Two audits side by side: what got better or worse by more than chance."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from math import hypot, sqrt
from statistics import NormalDist
from typing import Literal

from zhuyi.audit.naming import method_name
from zhuyi.audit.report import AuditReport, GroupRow, Interval
from zhuyi.core.record import Said

SCHEMA = "zhuyi.compare/1"
"""Version of the comparison; a change of meaning changes the number."""

Direction = Literal["better", "worse", "within noise", "not comparable"]

_GOOD = {
    "accuracy": Said(en="right decisions", zh="判断正确率"),
    "skill": Said(en="skill", zh="技能"),
}
_RANK = {"refuted": 0, "doubtful": 1, "trusted": 2}
_WORDS = {
    "better": Said(en="better", zh="变好"),
    "worse": Said(en="worse", zh="变差"),
    "within noise": Said(en="chance could do this", zh="可能出于偶然"),
    "not comparable": Said(en="not comparable", zh="无法比较"),
}
_VERDICTS = {"trusted": "可信", "doubtful": "存疑", "refuted": "不成立"}


@dataclass(frozen=True, kw_only=True)
class Change:
    """One thing in both reports.

    Args:
        what: "verdict", "accuracy", "skill" or "trusted", with the method or group it is of.
        direction: where it moved; within noise unless the interval of the difference excludes 0.
        before, after: as the reports say, numbers or verdicts.
        difference: after - before with its interval, or None for a verdict.
        said: the same as a sentence.
    """

    what: str
    direction: Direction
    before: float | str
    after: float | str
    difference: Interval | None
    said: Said


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """What two reports say together.

    Args:
        schema: version of this record.
        old, new: titles.
        answer: in one sentence.
        worse, better: how many changes of each kind there are.
        changes: worse ones first, then better ones, then the rest.
        cautions: what makes the reports hard to compare.
    """

    schema: str = SCHEMA
    old: str
    new: str
    answer: Said
    worse: int
    better: int
    changes: tuple[Change, ...]
    cautions: tuple[Said, ...]


def compare(old: AuditReport, new: AuditReport) -> Comparison:
    """What got better or worse from one report to another.

        difference = after - before
        lower      = difference - z sqrt((after - after's lower)^2 + (before's upper - before)^2)

    and likewise upper, z widening the reports' 95 % to 1 - 0.05 / m for the m numbers compared.
    The two runs are taken as independent, which is careful where they saw the same inputs.

    Args:
        old, new: the reports, of the same schema (`serial.from_text` refuses others).

    Not: a causal statement: models, data and settings may all have changed; `cautions` says what.
    Ref: Newcombe 1998, doi:10.1002/(SICI)1097-0258(19980430)17:8<873; Zou & Donner 2008 (MOVER).
    """
    pairs = list(_numbers(old, new))
    z = NormalDist().inv_cdf(1 - 0.05 / (2 * max(len(pairs), 1))) / NormalDist().inv_cdf(0.975)
    changes = [*_verdicts(old, new)]
    changes += [_change(what, said, before, after, z) for what, said, before, after in pairs]
    order = {"worse": 0, "better": 1, "within noise": 2, "not comparable": 3}
    changes.sort(key=lambda change: order[change.direction])
    worse = sum(change.direction == "worse" for change in changes)
    better = sum(change.direction == "better" for change in changes)
    return Comparison(
        old=old.title,
        new=new.title,
        answer=_answer(worse, better, len(changes)),
        worse=worse,
        better=better,
        changes=tuple(changes),
        cautions=tuple(_cautions(old, new)),
    )


def _verdicts(old: AuditReport, new: AuditReport) -> Iterator[Change]:
    before, after = old.verdict, new.verdict
    step = _RANK[after] - _RANK[before]
    said = Said(
        en=f"The verdict on the explanations stays {after}."
        if not step
        else f"The verdict on the explanations went from {before} to {after}.",
        zh=f"对解释的结论仍为“{_VERDICTS[after]}”。"
        if not step
        else f"对解释的结论由“{_VERDICTS[before]}”变为“{_VERDICTS[after]}”。",
    )
    direction: Direction = "better" if step > 0 else "worse" if step < 0 else "within noise"
    yield Change(
        what="verdict", direction=direction, before=before, after=after, difference=None, said=said
    )


Pair = tuple[str, Said, Interval, Interval]


def _numbers(old: AuditReport, new: AuditReport) -> Iterator[Pair]:
    """Every number that both reports have and of which more is better."""
    if "accuracy" in old.quality and "accuracy" in new.quality:
        yield "accuracy", _GOOD["accuracy"], old.quality["accuracy"], new.quality["accuracy"]
    yield (
        "trusted",
        Said(en="explanations trusted", zh="可信解释的比例"),
        _trusted(old),
        _trusted(new),
    )
    before, after = _skill(old, old.chosen), _skill(new, new.chosen)
    if before is not None and after is not None:
        yield "skill", Said(en="skill of the explanations", zh="解释的技能"), before, after
    for name in (one.name for one in old.methods if one.name in {m.name for m in new.methods}):
        before, after = _skill(old, name), _skill(new, name)
        if before is None or after is None or name.startswith("Random("):
            continue
        told = method_name(name)
        said = Said(en=f"skill of {told.en}", zh=f"{told.zh}的技能")
        yield f"skill: {name}", said, before, after
    yield from _group_numbers(_by_place(old), _by_place(new))


def _skill(report: AuditReport, name: str) -> Interval | None:
    return next((one.numbers.get("skill") for one in report.methods if one.name == name), None)


def _by_place(report: AuditReport) -> dict[tuple[str, str], GroupRow]:
    return {(one.column, one.group): one for one in report.subgroups if not one.suppressed}


def _group_numbers(
    old: Mapping[tuple[str, str], GroupRow], new: Mapping[tuple[str, str], GroupRow]
) -> Iterator[Pair]:
    for place in (place for place in old if place in new):
        for name, told in _GOOD.items():
            if name in old[place].numbers and name in new[place].numbers:
                group = f"{place[0]} = {place[1]}"
                said = Said(en=f"{told.en} for {group}", zh=f"{group} 的{told.zh}")
                numbers = old[place].numbers[name], new[place].numbers[name]
                yield f"{name}: {group}", said, *numbers


def _trusted(report: AuditReport) -> Interval:
    """The share of inputs with a trusted explanation, with Wilson's interval at 95 %."""
    count = len(report.inputs)
    if not count:
        return Interval(value=0.0)
    share = sum(one.label == "trusted" for one in report.inputs) / count
    z = NormalDist().inv_cdf(0.975)
    middle = (share + z * z / (2 * count)) / (1 + z * z / count)
    half = z * sqrt(share * (1 - share) / count + z * z / (4 * count * count)) / (1 + z * z / count)
    return Interval(value=share, lower=middle - half, upper=middle + half)


def _change(what: str, name: Said, before: Interval, after: Interval, z: float) -> Change:
    value = after.value - before.value
    ends = (before.lower, before.upper, after.lower, after.upper)
    direction: Direction = "not comparable"
    difference = Interval(value=value)
    if None not in ends:
        low, high, new_low, new_high = (float(end or 0.0) for end in ends)
        lower = value - z * hypot(after.value - new_low, high - before.value)
        upper = value + z * hypot(new_high - after.value, before.value - low)
        difference = Interval(value=value, lower=lower, upper=upper)
        direction = "better" if lower > 0 else "worse" if upper < 0 else "within noise"
    told = _WORDS[direction]
    moved = f"{before.value:.2f} → {after.value:.2f} ({value:+.2f}"
    if difference.lower is not None and difference.upper is not None:
        moved += f", {difference.lower:+.2f} … {difference.upper:+.2f}"
    said = Said(
        en=f"{name.en[0].upper()}{name.en[1:]}: {moved}): {told.en}.",
        zh=f"{name.zh}：{moved}）：{told.zh}。".replace("(", "（", 1),
    )
    return Change(
        what=what,
        direction=direction,
        before=before.value,
        after=after.value,
        difference=difference,
        said=said,
    )


def _answer(worse: int, better: int, count: int) -> Said:
    if not worse and not better:
        return Said(
            en=f"Nothing moved by more than chance in {count} comparisons.",
            zh=f"在 {count} 项比较中，没有超出偶然的变化。",
        )
    return Said(
        en=f"Of {count} comparisons {worse} got worse and {better} got better by more than chance.",
        zh=f"在 {count} 项比较中，{worse} 项变差、{better} 项变好，超出偶然。",
    )


def _cautions(old: AuditReport, new: AuditReport) -> Iterator[Said]:
    def differs(en: str, zh: str, before: object, after: object) -> Iterator[Said]:
        if before != after:
            yield Said(
                en=f"The reports differ in {en}: {before} and {after}.",
                zh=f"两份报告的{zh}不同：{before} 与 {after}。",
            )

    yield from differs("the data", "数据", old.data.name, new.data.name)
    yield from differs("the rows used", "所用行数", old.data.used, new.data.used)
    yield from differs("their labels", "标签", ", ".join(old.labels[:9]), ", ".join(new.labels[:9]))
    yield from differs("how units are removed", "去除方式", old.removal, new.removal)
    yield from differs(
        "the explanation method", "解释方法",
        method_name(old.chosen).en, method_name(new.chosen).en,
    )  # fmt: skip
    for name in sorted({*old.settings, *new.settings}):
        yield from differs(
            f"the setting {name!r}", f"设置“{name}”", old.settings.get(name), new.settings.get(name)
        )
