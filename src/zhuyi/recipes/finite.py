"""Scores that could not be computed are left out, and said: no run dies of them at its end."""

import math
from dataclasses import replace

from zhuyi.core.record import Said
from zhuyi.recipes.intervals import Interval
from zhuyi.recipes.records import Comparison, Part


def finite(part: Part) -> Part:
    """The part with finite numbers only.

    An interval whose ends are not finite (an AUROC of a fold with one class) becomes one without
    ends; a score without a value leaves its comparison, and the limits say so.

    Args:
        part: as a recipe made it.

    Example:
        >>> one = Interval(value=0.5, lower=math.nan, upper=math.nan, how="")
        >>> with_ends(one).lower is None
        True
    """
    limits = list(part.limits)
    comparisons = []
    for one in part.comparisons:
        kept = []
        for score in one.scores:
            if math.isfinite(score.value.value):
                kept.append(replace(score, value=with_ends(score.value)))
            else:
                limits.append(_missing(one, score.model))
        if kept:
            comparisons.append(replace(one, scores=tuple(kept)))
    return replace(part, comparisons=tuple(comparisons), limits=tuple(limits))


def with_ends(one: Interval) -> Interval:
    """The interval, without its ends where they are not finite."""
    if all(end is None or math.isfinite(end) for end in (one.lower, one.upper)):
        return one
    return replace(one, lower=None, upper=None)


def _missing(one: Comparison, model: str) -> Said:
    return Said(
        en=f"{one.metric} of {model} could not be computed and is left out.",
        zh=f"{model} 的 {one.metric} 无法计算，未列出。",
    )
