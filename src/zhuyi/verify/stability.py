"""Stability: a small change that does not change the decision must not change the explanation."""

import math
from dataclasses import dataclass

from zhuyi.core.record import Finding, Outcome, Said
from zhuyi.errors import NotWatchable, OptionError
from zhuyi.trace.subject import NearbySubject
from zhuyi.verify.again import LEAST, chosen_rows, explained_again, mean_known, skipped
from zhuyi.verify.case import Case, Method
from zhuyi.verify.ranks import likeness
from zhuyi.verify.removals import taken
from zhuyi.verify.wording import many

_PURPOSE = 4101


@dataclass(frozen=True, kw_only=True)
class Stability:
    """Stability: a small change that keeps the decision must not change the explanation much.

        correlation = mean over inputs and draws of Spearman(values(x), values(x'))
        sensitivity = max over draws of |values(x') - values(x)| / |values(x)|     (per input)

    x' is x with Gaussian noise of `size` standard deviations on what enters the model (see
    `nearby` of the subject); lengths are Euclidean, over the removable units. Only draws after
    which the most likely decision is still the same count: a new decision deserves a new
    explanation. Inputs on whose decision no single unit, nor all together, has an effect of
    `thresholds.effect` are left out: there the values are near zero and their order is noise.

    Args:
        size: of the noise, in standard deviations, > 0.
        draws: changed copies of each input, >= 1.
        most: inputs that are explained again, >= 1, drawn from those with 3 units or more.

    Returns: Finding; numbers "correlation", "sensitivity" (mean over inputs), "inputs" (tested),
        "decision_changed" (draws left out), "no_effect" (inputs left out); details "correlation"
        and "sensitivity", one number an input. It cautions below `thresholds.stability`. An input
        is doubted by itself only when the method is.
    Raises:  OptionError: settings out of range.
    Cost:    `draws` explanations and forward passes of `most` inputs, and a forward pass for each
        of their units, shared with the other tests.
    Not:     truth: a constant, or what looks at the words and not at the model, is perfectly
        stable. Nor robustness against an adversary, who would search for the worst change.
    Ref:     Yeh et al. 2019, arXiv:1901.09392, eq. 2 (max-sensitivity, there with the ball of a
        radius; divided by the length as Captum's `sensitivity_max` does); Ghorbani et al. 2019,
        arXiv:1710.10547 (rank correlation).

    Example:
        >>> Stability(size=0.1).draws
        3
    """

    size: float = 0.02
    draws: int = 3
    most: int = 16

    def __post_init__(self) -> None:
        if not (math.isfinite(self.size) and self.size > 0.0):
            raise OptionError(f"size must be a positive number, got {self.size}")
        for name in ("draws", "most"):
            if getattr(self, name) < 1:
                raise OptionError(f"{name} must be at least 1, got {getattr(self, name)}")

    def __call__(self, case: Case) -> Finding:
        """Test the explanation."""
        if case.method is None:
            return skipped(self, *_NO_METHOD)
        if not isinstance(case.subject, NearbySubject):
            return skipped(self, *_NO_NEARBY)
        chosen = chosen_rows(case, self.most, case.generator(_PURPOSE))
        if not chosen:
            return skipped(self, *_NO_UNITS)
        asked = case.removals.calls
        rows = [row for row in chosen if _effect(case, row) >= case.thresholds.effect]
        asked = case.removals.calls - asked
        if not rows:
            return skipped(self, *_NO_EFFECT, calls=asked)
        try:
            seen = [self._draw(case, case.method, case.subject, rows, n) for n in range(self.draws)]
        except NotWatchable:
            return skipped(self, *_NO_NEARBY, calls=asked)
        changes = [
            _Change(row, case.values(row), [draw[place] for draw in seen])
            for place, row in enumerate(rows)
        ]
        calls = asked + 2 * self.draws * len(rows)
        return self._concluded(case, changes, len(chosen) - len(rows), calls)

    def _draw(
        self, case: Case, method: Method, subject: NearbySubject, rows: list[int], draw: int
    ) -> list[list[float] | None]:
        """Per input, its values after one small change, or None where the decision changed."""
        generator = case.generator(_PURPOSE + 1 + draw)
        batch = taken(case.batch, rows)
        with subject.nearby(batch, size=self.size, generator=generator) as near:
            decided: list[int] = subject.decide(near).argmax(1).tolist()
            after = explained_again(case, method, rows, near)
        before: list[int] = case.removals.shares[rows].argmax(1).tolist()
        return [
            values if was == now else None
            for values, was, now in zip(after, before, decided, strict=True)
        ]

    def _concluded(
        self, case: Case, changes: "list[_Change]", no_effect: int, calls: int
    ) -> Finding:
        likenesses = {change.row: change.likeness() for change in changes}
        sensitivities = {change.row: change.sensitivity() for change in changes}
        correlation = mean_known(list(likenesses.values()))
        if correlation is None:
            return skipped(self, *_NOTHING_KEPT, calls=calls)
        bar = case.thresholds.stability
        outcome: Outcome = "cautions" if correlation < bar else "supports"
        own: list[Outcome] = ["skipped"] * len(case.removals)
        for row, found in likenesses.items():
            if found is not None:
                own[row] = "cautions" if outcome == "cautions" and found < bar else "supports"
        tested = sum(found is not None for found in likenesses.values())
        return Finding(
            test=type(self).__name__,
            settings=repr(self),
            outcome=outcome,
            said=_said(outcome, correlation, tested, self.size),
            numbers={
                "correlation": correlation,
                "sensitivity": mean_known(list(sensitivities.values())),
                "inputs": tested,
                "decision_changed": sum(after is None for one in changes for after in one.after),
                "no_effect": no_effect,
            },
            inputs=tuple(own),
            details={
                "correlation": tuple(likenesses.get(row) for row in range(len(own))),
                "sensitivity": tuple(sensitivities.get(row) for row in range(len(own))),
            },
            calls=calls,
        )


@dataclass(frozen=True)
class _Change:
    """One input's values, and those after each small change that kept the decision."""

    row: int
    before: list[float]
    after: list[list[float] | None]

    def likeness(self) -> float | None:
        return mean_known([likeness(self.before, one) for one in self.after if one is not None])

    def sensitivity(self) -> float | None:
        """None where no change can be measured, or the values have no length to measure it by."""
        length = math.hypot(*self.before)
        kept = [one for one in self.after if one is not None]
        if not kept or length == 0.0 or not math.isfinite(length):
            return None
        found = max(math.dist(self.before, one) / length for one in kept)
        return found if math.isfinite(found) else None


def _effect(case: Case, row: int) -> float:
    """How far p(target) moves when any one unit, or all of them, are removed."""
    sets = [1 << n for n in range(len(case.removals.removable[row]))]
    sets.append(case.removals.everything(row))
    chances = [
        case.removals.whole[row],
        *case.removals.probabilities([(row, gone) for gone in sets]),
    ]
    return max(chances) - min(chances)


_NO_METHOD = (
    "Only the explanation's values are known and not the method that made them, so it cannot be "
    "asked about slightly changed inputs.",
    "只知道解释的数值，不知道计算它的方法，因此无法对稍有变化的输入再算一次。",
)
_NO_NEARBY = (
    "These inputs cannot be changed a little: what enters the model cannot be reached.",
    "这里的输入无法稍作改变：够不到进入模型的数值。",
)
_NO_UNITS = (
    f"No input has {LEAST} units or more, so two explanations of one input cannot be compared.",
    f"没有一个输入含有 {LEAST} 个或更多单元，无法比较同一输入的两个解释。",
)
_NO_EFFECT = (
    "On none of the inputs looked at does removing a unit change the decision, so the order of the "
    "units means nothing there.",
    "在所看的输入上，去掉任何单元都不改变判断，单元的顺序没有意义。",
)
_NOTHING_KEPT = (
    "Even the small changes changed the decision, or left an explanation that is not a number, so "
    "no two explanations of the same decision can be compared.",
    "即使很小的变化也改变了判断（或使解释不是有限数），没有同一判断的两个解释可供比较。",
)


def _said(outcome: Outcome, correlation: float, inputs: int, size: float) -> Said:
    percent = f"{100 * size:g}"
    how = f"rank correlation {correlation:.2f} over {many(inputs)}, noise of {percent} %"
    zh_how = f"{inputs} 个输入的平均秩相关 {correlation:.2f}，噪声 {percent}%"
    if outcome == "cautions":
        return Said(
            en=f"A change so small that the decision stays the same changes the explanation much "
            f"({how}): what it names first is partly chance.",
            zh=f"判断不变的微小变化就使解释大为改变（{zh_how}）：它先指出什么，带有偶然性。",
        )
    return Said(
        en=f"Small changes that leave the decision as it is leave the explanation much as it is "
        f"({how}).",
        zh=f"不影响判断的微小变化，也几乎不影响解释（{zh_how}）。",
    )
