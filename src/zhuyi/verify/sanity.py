"""Sanity: does the explanation change when the model forgets what it learned?"""

import math
from dataclasses import dataclass, field

from zhuyi.core.record import Finding, Outcome, Said
from zhuyi.errors import OptionError
from zhuyi.trace.randomized import randomized
from zhuyi.trace.subject import Batch, ModelSubject
from zhuyi.verify.again import LEAST, chosen_rows, explained_again, mean_known, skipped
from zhuyi.verify.case import Case, Method
from zhuyi.verify.ranks import likeness, unchanged
from zhuyi.verify.removals import Removals, taken
from zhuyi.verify.wording import many

_PURPOSE = 4001
_FLOOR = 0.3  # what two explanations may share because they are of the same input
_MOVED = 0.99  # effects that correlate more than this did not change: nothing was tested


@dataclass(frozen=True, kw_only=True)
class Sanity:
    """Sanity: an explanation of a model must change when the model forgets what it learned.

        rho = mean over inputs of Spearman(values before, values after the shuffle)

    The model's parameters are shuffled from the top (`zhuyi.trace.randomized`), the same inputs are
    explained again for the same decisions, and the values of the removable units are compared. The
    correlation is also taken of the absolute values, since a sign that flips hides a picture that
    stays; the larger of the two means counts. All other numbers are of the full shuffle.

    It refutes

    - when at least half of the explanations did not change at all, or
    - when rho is above `thresholds.sanity`, and surely so: rho - 2 se > max(0.3, control).

    se is that of chance: two unrelated orders of N units have a correlation with standard deviation
    1 / sqrt(N - 1). All inputs meet the same shuffled model (in a table even the same columns), so
    they do not count as independent, only shuffles do: se = sqrt(mean 1 / (N - 1)) / sqrt(draws).
    While rho is above the threshold and not sure, another shuffle is drawn, up to `draws` of them.

    The control asks what the truth would do: the loss of probability when a unit is removed, once
    with the model as it is, once shuffled, compared in the same way. Where even these stay alike (a
    column with huge numbers matters to any model; all weights are equal) an explanation may too. It
    is computed only when a refutation depends on it. A rho that is large and not surely so, or
    no larger than the control, informs; anything else supports.

    Args:
        shares: of the model's modules that are shuffled, ascending; the last is 1.
        draws: most shuffles of the whole model, >= 1.
        most: inputs that are explained again, >= 1, drawn from those with 3 units or more.

    Returns: Finding; numbers "correlation" (rho), "correlation_of_values", "correlation_of_sizes",
        "correlation_at_0.33" and so on, "standard_error", "control", "unchanged" (inputs),
        "inputs", "draws"; details "correlation", one number an input.
    Raises:  OptionError: settings out of range.
    Cost:    len(shares) explanations of `most` inputs, more in doubt: up to `draws` - 1, and one
        forward pass for each of their units. The model is back bit for bit afterwards.
    Not:     a test of truth: what draws lots anew at each call passes. It only finds explanations
        that look at the input and not at the model.
    Ref:     Adebayo et al. 2018, arXiv:1810.03292 (model parameter randomization test, Spearman
        with and without absolute values); the interval and the control are ours.

    Example:
        >>> Sanity(shares=(1.0,)).most
        16
    """

    shares: tuple[float, ...] = (1 / 3, 2 / 3, 1.0)
    draws: int = 5
    most: int = 16

    def __post_init__(self) -> None:
        ascending = list(self.shares) == sorted(set(self.shares))
        if not self.shares or not ascending or self.shares[0] <= 0 or self.shares[-1] != 1.0:
            raise OptionError(f"shares must ascend from above 0 to 1.0, got {self.shares}")
        for name in ("draws", "most"):
            if getattr(self, name) < 1:
                raise OptionError(f"{name} must be at least 1, got {getattr(self, name)}")

    def __call__(self, case: Case) -> Finding:
        """Test the explanation."""
        method, subject = case.method, case.subject
        if method is None:
            return skipped(self, *_NO_METHOD)
        if not isinstance(subject, ModelSubject) or not any(
            parameter.numel() for parameter in subject.model.parameters()
        ):
            return skipped(self, *_NO_MODEL)
        rows = chosen_rows(case, self.most, case.generator(_PURPOSE))
        if not rows:
            return skipped(self, *_NO_UNITS)
        trial = _Trial(case, method, subject, rows)
        partly = {share: trial.shuffle(share, 0) for share in self.shares[:-1]}
        seen = _Seen(trial.chance(), case.thresholds.sanity)
        for draw in range(self.draws):
            seen.draws.append(trial.shuffle(1.0, draw))
            if seen.settled():
                break
        if seen.correlation() is None:
            return skipped(self, *_NOT_FINITE, calls=trial.calls)
        return self._concluded(trial, seen, partly)

    def _concluded(self, trial: "_Trial", seen: "_Seen", partly: "dict[float, _Draw]") -> Finding:
        outcome = seen.outcome()
        numbers: dict[str, float | int | str | None] = {
            "correlation": seen.correlation(),
            "correlation_of_values": seen.mean(0),
            "correlation_of_sizes": seen.mean(1),
            **{f"correlation_at_{share:.2f}": draw.larger() for share, draw in partly.items()},
            "standard_error": seen.error(),
            "control": seen.control(seen.kind()),
            "unchanged": seen.unchanged(),
            "inputs": len(trial.rows),
            "draws": len(seen.draws),
        }
        per_input: list[float | None] = [None] * len(trial.case.removals)
        for place, row in enumerate(trial.rows):
            per_input[row] = mean_known([one.pairs[place][seen.kind()] for one in seen.draws])
        return Finding(
            test=type(self).__name__,
            settings=repr(self),
            outcome=outcome,
            said=_said(outcome, seen, len(trial.rows)),
            numbers=numbers,
            details={"correlation": tuple(per_input)},
            calls=trial.calls,
        )


@dataclass(frozen=True)
class _Draw:
    """What one shuffle did: per input the likeness of values and of sizes, and the control's."""

    pairs: list[tuple[float | None, float | None]]
    same: int
    control: list[tuple[float | None, float | None]] | None

    def mean(self, kind: int) -> float | None:
        return mean_known([pair[kind] for pair in self.pairs])

    def larger(self) -> float | None:
        return max((m for m in (self.mean(0), self.mean(1)) if m is not None), default=None)


@dataclass
class _Trial:
    """The inputs that are explained again, and what that cost."""

    case: Case
    method: Method
    subject: ModelSubject
    rows: list[int]
    calls: int = 0
    before: list[list[float]] = field(init=False)
    batch: Batch = field(init=False)

    def __post_init__(self) -> None:
        self.before = [self.case.values(row) for row in self.rows]
        self.batch = taken(self.case.batch, self.rows)

    def chance(self) -> float:
        """Standard deviation of the correlation of two unrelated orders, over these inputs."""
        shares = [1.0 / (len(values) - 1) for values in self.before]
        return math.sqrt(sum(shares) / len(shares))

    def shuffle(self, share: float, draw: int) -> _Draw:
        """Explain the inputs again on the shuffled model; with the control where it decides."""
        truth = None
        # The same generator for every share: the upper modules keep their shuffle (the cascade).
        with randomized(self.subject.model, share, self.case.generator(_PURPOSE + 1 + draw)):
            after = explained_again(self.case, self.method, self.rows, self.batch)
            found = _Draw(_pairs(self.before, after), _same(self.before, after), None)
            larger = found.larger()
            doubtful = larger is not None and larger > self.case.thresholds.sanity
            if share == 1.0 and (doubtful or 2 * found.same >= len(self.rows)):
                shuffled = Removals(self.subject, self.batch, self._targets())
                truth = _effects(shuffled, range(len(self.rows)))
                self.calls += shuffled.calls
        self.calls += len(self.rows)
        if truth is None:
            return found
        asked = self.case.removals.calls
        honest = _effects(self.case.removals, self.rows)
        self.calls += self.case.removals.calls - asked
        return _Draw(found.pairs, found.same, _pairs(honest, truth))

    def _targets(self) -> list[int]:
        return [self.case.removals.targets[row] for row in self.rows]


@dataclass
class _Seen:
    """The shuffles of the whole model so far, and what they say."""

    chance: float
    threshold: float
    draws: list[_Draw] = field(default_factory=list)

    def mean(self, kind: int) -> float | None:
        return mean_known([draw.mean(kind) for draw in self.draws])

    def kind(self) -> int:
        """0 where values are more alike than their sizes, else 1."""
        values, sizes = self.mean(0), self.mean(1)
        return 1 if values is None or (sizes is not None and sizes > values) else 0

    def correlation(self) -> float | None:
        return self.mean(self.kind())

    def error(self) -> float:
        return self.chance / math.sqrt(len(self.draws))

    def control(self, kind: int) -> float | None:
        known = [draw.control for draw in self.draws if draw.control is not None]
        return mean_known([mean_known([pair[kind] for pair in pairs]) for pairs in known])

    def unchanged(self) -> int:
        return min(draw.same for draw in self.draws)

    def settled(self) -> bool:
        """Whether another shuffle could not change the outcome for good reason."""
        return self.outcome() != "informs"

    def outcome(self) -> Outcome:
        effects = self.control(0)
        if 2 * self.unchanged() >= len(self.draws[0].pairs):
            return "refutes" if effects is None or effects < _MOVED else "informs"
        means = {kind: self.mean(kind) for kind in (0, 1)}
        large = {k: mean for k, mean in means.items() if mean is not None and mean > self.threshold}
        for kind, mean in large.items():
            if mean - 2 * self.error() > max(_FLOOR, self.control(kind) or 0.0):
                return "refutes"
        return "informs" if large else "supports"


def _pairs(
    before: list[list[float]], after: list[list[float]]
) -> list[tuple[float | None, float | None]]:
    """Per input, how alike the values are, and how alike their sizes."""
    return [
        (likeness(one, other), likeness([abs(v) for v in one], [abs(v) for v in other]))
        for one, other in zip(before, after, strict=True)
    ]


def _same(before: list[list[float]], after: list[list[float]]) -> int:
    return sum(unchanged(one, other) for one, other in zip(before, after, strict=True))


def _effects(removals: Removals, rows: "list[int] | range") -> list[list[float]]:
    """Per input, the loss of probability when each removable unit is removed alone."""
    counts = [len(removals.removable[row]) for row in rows]
    asked = [(row, 1 << n) for row, count in zip(rows, counts, strict=True) for n in range(count)]
    left = iter(removals.probabilities(asked))
    return [
        [removals.whole[row] - next(left) for _ in range(count)]
        for row, count in zip(rows, counts, strict=True)
    ]


_NO_METHOD = (
    "Only the explanation's values are known and not the method that made them, so it cannot be "
    "asked about a model that knows nothing.",
    "只知道解释的数值，不知道计算它的方法，因此无法对打乱参数的模型再算一次。",
)
_NO_MODEL = (
    "What decides here has no parameters of PyTorch that could be shuffled.",
    "这里做判断的不是带参数的 PyTorch 模型，无法打乱参数。",
)
_NO_UNITS = (
    f"No input has {LEAST} units or more, so two explanations of one input cannot be compared.",
    f"没有一个输入含有 {LEAST} 个或更多单元，无法比较同一输入的两个解释。",
)
_NOT_FINITE = (
    "With shuffled parameters the explanation has values that are not numbers.",
    "打乱参数后，解释的数值不是有限数，无法比较。",
)


def _said(outcome: Outcome, seen: _Seen, inputs: int) -> Said:
    rho = f"{round(seen.correlation() or 0.0, 2) + 0.0:.2f}"  # never -0.00
    if outcome == "refutes":
        return Said(
            en=f"The explanation stays much the same (rank correlation {rho} over {many(inputs)}) "
            "when the model's parameters are shuffled: it does not depend on what the model "
            "learned.",
            zh=f"打乱模型的参数后，解释几乎不变（{inputs} 个输入的平均秩相关 {rho}）："
            "它并不取决于模型学到的东西。",
        )
    if outcome == "supports":
        return Said(
            en="The explanation changes when the model's parameters are shuffled (rank correlation "
            f"{rho} over {many(inputs)}), as it should: it depends on the model.",
            zh=f"打乱模型的参数后，解释随之改变（{inputs} 个输入的平均秩相关 {rho}），"
            "理应如此：它取决于模型。",
        )
    control = seen.control(seen.kind())
    beside = "" if control is None else f"; of the units' own effects {control:.2f}"
    zh_beside = "" if control is None else f"；单元实际影响的秩相关 {control:.2f}"
    return Said(
        en="Shuffling the model's parameters cannot tell here whether the explanation depends on "
        f"them (rank correlation {rho} over {many(inputs)}{beside}).",
        zh=f"打乱模型的参数在这里无法说明解释是否取决于模型（{inputs} 个输入的平均秩相关 {rho}"
        f"{zh_beside}）。",
    )
