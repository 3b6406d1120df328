"""Subgroups: are decisions or explanations worse for some group of inputs, beyond noise?"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from zhuyi.core.record import Said
from zhuyi.errors import InputError, OptionError, ShapeError
from zhuyi.verify.group_means import Codes, Numbers, chance_apart, drawn_means, holm

_NOISE = 0.05  # largest p-value, over all metrics of a call, that counts as beyond noise
_ENDS = (0.025, 0.975)


class Estimate(NamedTuple):
    """A mean with its bootstrap interval at 95 %; None where all numbers are equal."""

    value: float
    lower: float | None
    upper: float | None


@dataclass(frozen=True, kw_only=True)
class Group:
    """One group of inputs.

    Args:
        group: its name.
        count: inputs in it.
        suppressed: whether it is too small to show numbers of.
        numbers: metric -> mean with its interval; without the metrics that too few of its inputs
            have.
    """

    group: str
    count: int
    suppressed: bool
    numbers: Mapping[str, Estimate]


@dataclass(frozen=True, kw_only=True)
class Difference:
    """How far the groups are apart in one metric.

    Args:
        metric: its name.
        largest, smallest: the groups with the largest and the smallest mean.
        value: how far they are apart.
        lower, upper: bootstrap interval at 95 % of the one mean less the other.
        p: how often groups dealt out at random are as far apart.
        adjusted: the same for all metrics of the call together (Holm).
        beyond_noise: whether `adjusted` is at most 0.05 and the interval excludes 0.
    """

    metric: str
    largest: str
    smallest: str
    value: float
    lower: float
    upper: float
    p: float
    adjusted: float
    beyond_noise: bool


@dataclass(frozen=True, kw_only=True)
class Subgrouped:
    """All groups, what differs between them, and the same in words.

    Args:
        groups: every group, by name.
        differences: one a metric that at least two groups have.
        said: what differs beyond noise, or that nothing does, and what is suppressed.
    """

    groups: tuple[Group, ...]
    differences: tuple[Difference, ...]
    said: tuple[Said, ...]


@dataclass(frozen=True, kw_only=True)
class Subgroups:
    """Means by group with bootstrap intervals, and whether groups differ beyond noise.

        difference = largest mean - smallest mean of the groups

    Means and the difference are those of fairlearn's `MetricFrame`, intervals use its draws:
    inputs are drawn with replacement from all groups together. The interval of a difference is of
    the two groups that are farthest apart; `MetricFrame.difference_ci` takes the absolute value in
    every draw, so it can never reach 0 and says nothing about noise. The p-value deals the groups'
    names out at random and looks for any two groups as far apart, so that many groups do not look
    different by their number alone; Holm's correction does the same for many metrics.

    Args:
        least: inputs below which a group, or a group's metric, is suppressed, >= 2.
        resamples: draws behind the intervals and the p-values, >= 100.
        seed: of the draws.

    Returns: Subgrouped, when called with one group and one number of each metric an input.
    Raises:  OptionError: a setting is out of its range.
    Cost:    O(resamples B) for every metric.
    Not:     a proof of fairness: groups that nobody named, and differences smaller than the
        intervals, are not seen. Nor does a difference say why. Groups may differ in their inputs.
    Ref:     Weerts et al. 2023, arXiv:2303.16626 (fairlearn); Efron & Tibshirani 1993, ch. 13;
        Phipson & Smyth 2010 (p-values that are never zero).

    Example:
        >>> found = Subgroups(least=2, resamples=100)(
        ...     ["a", "a", "a", "b", "b", "b", "c"], {"correct": [1, 1, 0, 1, 0, 0, 1]}
        ... )
        >>> [(one.group, one.count, one.suppressed) for one in found.groups]
        [('a', 3, False), ('b', 3, False), ('c', 1, True)]
        >>> found.differences[0].beyond_noise
        False
    """

    least: int = 10
    resamples: int = 500
    seed: int = 0

    def __post_init__(self) -> None:
        for name, least in (("least", 2), ("resamples", 100), ("seed", 0)):
            if getattr(self, name) < least:
                raise OptionError(f"{name} must be at least {least}, got {getattr(self, name)}")

    def __call__(
        self,
        groups: Sequence[str],
        metrics: Mapping[str, Sequence[float | None]],
        *,
        column: str = "group",
    ) -> Subgrouped:
        """Compare the groups.

        Args:
            groups: the group of each input (B of them).
            metrics: name -> one number an input; None or NaN where there is none.
            column: what a person calls the grouping.
        Raises: ShapeError: a metric has another number of inputs. InputError: a number is
            infinite, or fairlearn is not installed.
        """
        table = _table(groups, metrics)
        names = sorted(set(groups))
        counts = {name: sum(group == name for group in groups) for name in names}
        shown = [name for name in names if counts[name] >= self.least]
        rows = [row for row, group in enumerate(groups) if group in shown]
        codes = np.array([shown.index(groups[row]) for row in rows], dtype=np.intp)
        table = {name: _without_few(v[rows], codes, self.least) for name, v in table.items()}
        table = {name: numbers for name, numbers in table.items() if not np.isnan(numbers).all()}
        drawn = drawn_means(table, codes, len(shown), draws=self.resamples, seed=self.seed)
        means, apart = _disaggregated(table, [shown[code] for code in codes], shown)
        differences = self._differences(table, codes, shown, means, apart, drawn)
        found = tuple(
            Group(
                group=name,
                count=counts[name],
                suppressed=name not in shown,
                numbers=_estimates(table, means, drawn, codes, shown, name),
            )
            for name in names
        )
        return Subgrouped(
            groups=found,
            differences=differences,
            said=_said(found, differences, column, self.least),
        )

    def _differences(
        self,
        table: Mapping[str, Numbers],
        codes: Codes,
        shown: list[str],
        means: Mapping[str, Numbers],
        apart: Mapping[str, float],
        drawn: Mapping[str, Numbers],
    ) -> tuple[Difference, ...]:
        compared = [name for name in table if np.isfinite(means[name]).sum() > 1]
        chances = {
            name: chance_apart(
                table[name], codes, len(shown), apart[name], draws=self.resamples, seed=self.seed
            )
            for name in compared
        }
        adjusted = holm(chances)
        differences = []
        for name in compared:
            largest, smallest = int(np.nanargmax(means[name])), int(np.nanargmin(means[name]))
            signed = drawn[name][:, largest] - drawn[name][:, smallest]
            lower, upper = (float(end) for end in np.nanquantile(signed, _ENDS))
            differences.append(
                Difference(
                    metric=name,
                    largest=shown[largest],
                    smallest=shown[smallest],
                    value=apart[name],
                    lower=lower,
                    upper=upper,
                    p=chances[name],
                    adjusted=adjusted[name],
                    beyond_noise=adjusted[name] <= _NOISE and lower > 0.0,
                )
            )
        return tuple(differences)


def _table(
    groups: Sequence[str], metrics: Mapping[str, Sequence[float | None]]
) -> dict[str, Numbers]:
    table: dict[str, Numbers] = {}
    for name, numbers in metrics.items():
        if len(numbers) != len(groups):
            raise ShapeError(
                f"{name!r} must have one number an input ({len(groups)}), got {len(numbers)}"
            )
        table[name] = np.array([np.nan if one is None else one for one in numbers], np.float64)
        if np.isinf(table[name]).any():
            raise InputError(f"{name!r} must be finite numbers or None, got an infinite one")
    return table


def _without_few(numbers: Numbers, codes: Codes, least: int) -> Numbers:
    """The numbers, without those of groups that have too few of them."""
    known = np.bincount(codes[~np.isnan(numbers)], minlength=int(codes.max(initial=-1)) + 1)
    return np.where(known[codes] < least, np.nan, numbers)


def _disaggregated(
    table: Mapping[str, Numbers], groups: Sequence[str], shown: Sequence[str]
) -> tuple[dict[str, Numbers], dict[str, float]]:
    """fairlearn's means by group, and its difference between groups, of each metric."""
    try:
        from fairlearn.metrics import MetricFrame
    except ImportError:
        raise InputError(
            "subgroups need fairlearn, which is not installed: pip install 'zhuyi[fairness]'"
        ) from None
    if not table:
        return {}, {}
    nothing = np.zeros(len(groups))
    frame = MetricFrame(
        metrics=dict.fromkeys(table, _mean_of),
        y_true=nothing,
        y_pred=nothing,
        sensitive_features=np.array(groups, dtype=object),
        sample_params={name: {"numbers": numbers} for name, numbers in table.items()},
    )
    by_group, difference = frame.by_group, frame.difference()
    means = {
        name: np.array([by_group.loc[group, name] for group in shown], np.float64) for name in table
    }
    return means, {name: float(difference[name]) for name in table}


def _mean_of(truth: Numbers, decided: Numbers, numbers: Numbers) -> float:
    """What MetricFrame computes of a group; the first two are what it insists on."""
    known = numbers[~np.isnan(numbers)]
    return float(known.mean()) if len(known) else float("nan")


def _estimates(
    table: Mapping[str, Numbers],
    means: Mapping[str, Numbers],
    drawn: Mapping[str, Numbers],
    codes: Codes,
    shown: list[str],
    group: str,
) -> dict[str, Estimate]:
    if group not in shown:
        return {}
    place = shown.index(group)
    estimates: dict[str, Estimate] = {}
    for name, numbers in table.items():
        own = numbers[(codes == place) & ~np.isnan(numbers)]
        if not len(own):
            continue
        # Equal numbers stay equal in every draw: an interval without width would be a lie.
        told = own.min() < own.max()
        ends = np.nanquantile(drawn[name][:, place], _ENDS) if told else (None, None)
        lower, upper = (None if end is None else float(end) for end in ends)
        estimates[name] = Estimate(float(means[name][place]), lower, upper)
    return estimates


def _said(
    groups: Sequence[Group], differences: Sequence[Difference], column: str, least: int
) -> tuple[Said, ...]:
    said = [_differs(one, groups, column) for one in differences if one.beyond_noise]
    suppressed = sum(group.suppressed for group in groups)
    if not differences:
        said.append(
            Said(
                en=f"{column}: fewer than two groups have {least} inputs, so none are compared.",
                zh=f"{column}：至少有 {least} 个输入的组不到两个，无法比较。",
            )
        )
    elif not said:
        said.append(
            Said(
                en=f"{column}: no difference between the groups is beyond noise. Small ones may "
                "exist unseen.",
                zh=f"{column}：各组之间没有超出随机波动的差异；较小的差异可能未被发现。",
            )
        )
    if suppressed:
        said.append(
            Said(
                en=f"{column}: groups with fewer than {least} inputs are not shown "
                f"({suppressed} of {len(groups)}).",
                zh=f"{column}：不显示少于 {least} 个输入的组（{len(groups)} 组中的 "
                f"{suppressed} 组）。",
            )
        )
    return tuple(said)


def _differs(one: Difference, groups: Sequence[Group], column: str) -> Said:
    low = next(group for group in groups if group.group == one.smallest)
    high = next(group for group in groups if group.group == one.largest)
    small, large = low.numbers[one.metric].value, high.numbers[one.metric].value
    return Said(
        en=f'{column}: {one.metric} is {small:.2f} for "{low.group}" ({low.count} inputs) but '
        f'{large:.2f} for "{high.group}" ({high.count} inputs); the difference {one.value:.2f} is '
        f"beyond noise (95 % interval {one.lower:.2f} to {one.upper:.2f}, "
        f"p = {one.adjusted:.3f}).",
        zh=f"{column}：{one.metric} 在“{low.group}”组（{low.count} 个输入）为 {small:.2f}，在"
        f"“{high.group}”组（{high.count} 个输入）为 {large:.2f}；差异 {one.value:.2f} 超出随机波动"
        f"（95% 区间 {one.lower:.2f} 至 {one.upper:.2f}，p = {one.adjusted:.3f}）。",
    )
