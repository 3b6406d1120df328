"""Agreement: where do other methods tell another story, unit by unit?"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import isfinite

from zhuyi.core.record import Finding, Said
from zhuyi.errors import NotWatchable, OptionError
from zhuyi.verify.again import mean_known, skipped
from zhuyi.verify.case import Case, Method
from zhuyi.verify.ranks import rank_correlation, ranks

_TOLD = 5  # names in the texts


@dataclass(frozen=True, kw_only=True)
class Agreement:
    """How alike other methods order the same units, and on which units they disagree most.

        correlation = Spearman's of the two orders of an input's removable units
        overlap     = share of the first k units of the one among the first k of the other
        gap of unit n = |rank in the one - rank in the other| / (N - 1)

    Orders run from what speaks for the decision most to what speaks against it most, as in the
    deletion test; methods without signs put what counts least last. Equal values share their rank;
    where the k-th place is tied, all that tie for it have their share of it. Numbers carry the
    other method's repr: "correlation: Rollout(residual=0.5)".

    Args:
        others: methods to compare with, at least one; the explained method itself may be among
            them.
        share: k is this share of an input's units, rounded down, at least 1; in (0, 1].

    Returns: Finding, whose outcome is "informs"; for each other method numbers "correlation",
        "overlap" (means over the inputs) and "disagree" (the units of the largest gaps, as text);
        details "correlation", "overlap", "gap" (the largest) and "unit" (its index among all units
        of the input) of each input and method, and "correlation" and "overlap" over all methods.
        "not_available" names the methods that cannot watch this model.
    Raises:  OptionError: no methods, or share out of range.
    Cost:    that of the other methods.
    Not:     a vote: methods that agree may all be wrong, and one that stands alone may be right.
        Disagreement is common among methods that people use (Krishna et al. 2022).
    Ref:     Krishna et al. 2022, arXiv:2202.01602, sec. 3 (top-k agreement, rank correlation).

    Example:
        >>> from zhuyi.explain import Occlusion, Random
        >>> len(Agreement(others=(Occlusion(), Random())).others)
        2
    """

    others: tuple[Method, ...]
    share: float = 0.2

    def __post_init__(self) -> None:
        if not self.others:
            raise OptionError("others must be methods to compare with, at least one, got none")
        if not 0.0 < self.share <= 1.0:
            raise OptionError(f"share must be above 0 and at most 1, got {self.share}")

    def __call__(self, case: Case) -> Finding:
        """Compare the explanation with the others."""
        absent: list[str] = []
        compared: dict[str, list[_Pair | None]] = {}
        for other in self.others:
            try:
                found = other(case.subject, case.batch, list(case.removals.targets))
            except NotWatchable:
                absent.append(repr(other))
                continue
            values: list[list[float]] = found.values.detach().double().tolist()
            compared[repr(other)] = [
                _compared(case, row, values[row], self.share) for row in range(len(case.removals))
            ]
        missing = ", ".join(absent)
        if not compared:
            return skipped(
                self,
                f"No other method can look into this model, so none could be compared: {missing}.",
                f"没有其他方法能观察这个模型，因此无法比较：{missing}。",
            )
        numbers: dict[str, float | int | str | None] = {
            "inputs": len(case.removals),
            "methods": len(compared),
            "not_available": missing or None,
        }
        for name, pairs in compared.items():
            numbers |= _numbers(name, pairs)
        return Finding(
            test=type(self).__name__,
            settings=repr(self),
            outcome="informs",
            said=_said(numbers, compared, missing),
            numbers=numbers,
            details=_details(compared),
        )


@dataclass(frozen=True)
class _Pair:
    """One input under two methods; `unit` is where they are farthest apart."""

    correlation: float | None
    overlap: float
    gap: float
    unit: int
    label: str


def _compared(case: Case, row: int, values: Sequence[float], share: float) -> _Pair | None:
    removable = case.removals.removable[row]
    own, other = case.values(row), [values[n] for n in removable]
    if len(removable) < 2 or not all(map(isfinite, (*own, *other))):
        return None
    gaps = ((ranks(own) - ranks(other)).abs() / (len(own) - 1)).tolist()
    place = max(range(len(gaps)), key=lambda n: gaps[n])
    return _Pair(
        correlation=rank_correlation(own, other),
        overlap=_overlap(own, other, max(1, int(len(own) * share + 1e-9))),
        gap=gaps[place],
        unit=removable[place],
        label=case.names(row)[place],
    )


def _overlap(one: Sequence[float], other: Sequence[float], first: int) -> float:
    """Share of the first k in common; a tie at the k-th place is shared among those that tie."""
    pairs = zip(_membership(one, first), _membership(other, first), strict=True)
    return sum(min(a, b) for a, b in pairs) / first


def _membership(values: Sequence[float], first: int) -> list[float]:
    """How much each unit is among the first k: 1, 0, or a part of 1 where it ties for the last."""
    last = sorted(values, reverse=True)[first - 1]
    above = sum(value > last for value in values)
    tied = sum(value == last for value in values)
    part = (first - above) / tied
    return [1.0 if value > last else part if value == last else 0.0 for value in values]


def _numbers(name: str, pairs: Sequence[_Pair | None]) -> dict[str, float | int | str | None]:
    known = [pair for pair in pairs if pair is not None]
    units = [
        f'"{label}" {len(gaps)}x: gap {sum(gaps) / len(gaps):.2f}'
        for label, gaps in _by_name(known)
    ]
    return {
        f"correlation: {name}": mean_known([pair.correlation for pair in known]),
        f"overlap: {name}": mean_known([pair.overlap for pair in known]),
        f"disagree: {name}": "; ".join(units) or None,
    }


def _by_name(pairs: Sequence[_Pair]) -> list[tuple[str, list[float]]]:
    """The units of the largest gaps, the most frequent and widest first."""
    gaps: dict[str, list[float]] = {}
    for pair in pairs:
        if pair.gap > 0.0:
            gaps.setdefault(pair.label, []).append(pair.gap)
    return sorted(gaps.items(), key=lambda item: (-sum(item[1]), item[0]))[:_TOLD]


def _details(compared: dict[str, list[_Pair | None]]) -> dict[str, tuple[float | None, ...]]:
    rows = list(zip(*compared.values(), strict=True))
    details: dict[str, tuple[float | None, ...]] = {
        "correlation": tuple(
            mean_known([pair.correlation for pair in row if pair is not None]) for row in rows
        ),
        "overlap": tuple(
            mean_known([pair.overlap for pair in row if pair is not None]) for row in rows
        ),
    }
    for name, pairs in compared.items():
        for field in ("correlation", "overlap", "gap", "unit"):
            details[f"{field}: {name}"] = tuple(
                None
                if pair is None or getattr(pair, field) is None
                else float(getattr(pair, field))
                for pair in pairs
            )
    return details


def _said(
    numbers: dict[str, float | int | str | None],
    compared: dict[str, list[_Pair | None]],
    missing: str,
) -> Said:
    known = {
        name: value
        for name in compared
        if isinstance(value := numbers[f"correlation: {name}"], float)
    }
    if not known:
        return Said(
            en="The other methods give values that cannot be put in order, so none could be "
            "compared.",
            zh="其他方法给出的数值无法排序，因此无法比较。",
        )
    kinds = [name.partition("(")[0] for name in known]
    plain = {
        name: kind if kinds.count(kind) == 1 else name
        for name, kind in zip(known, kinds, strict=True)
    }
    most, least = max(known, key=lambda name: known[name]), min(known, key=lambda name: known[name])
    units = [label for label, _ in _by_name([one for one in compared[least] if one is not None])]
    en = f"Most alike is the order of {plain[most]} (rank correlation {known[most]:.2f})"
    zh = f"与它的排序最接近的是 {plain[most]}（秩相关 {known[most]:.2f}）"
    if least != most:
        en += f", least alike that of {plain[least]} ({known[least]:.2f})"
        zh += f"，差别最大的是 {plain[least]}（{known[least]:.2f}）"
    if units:
        en += "; there they disagree most on " + ", ".join(f'"{label}"' for label in units)
        zh += "；与后者分歧最大的是" + "、".join(f"“{label}”" for label in units)
    if missing:
        en += f". Not available on this model: {missing}"
        zh += f"。在这个模型上不可用：{missing}"
    return Said(
        en=f"{en}. Agreement is no proof, nor is its lack.", zh=f"{zh}。一致或不一致都不是证明。"
    )
