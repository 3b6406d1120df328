"""Alternative: is there another attention that gives the same decision?"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

from zhuyi.core.record import Finding, Outcome, Said
from zhuyi.errors import NotWatchable, OptionError, ShapeError
from zhuyi.trace.biased import biased
from zhuyi.trace.keep import Keep
from zhuyi.trace.subject import ModelSubject
from zhuyi.verify.again import chosen_rows, explained_again, mean_known, skipped
from zhuyi.verify.case import Case
from zhuyi.verify.other_attention import LARGEST, OtherAttention, Search, only_pass
from zhuyi.verify.ranks import likeness
from zhuyi.verify.removals import taken
from zhuyi.verify.wording import many

_PURPOSE = 4201
MOST_WEIGHTS = 4_000_000
"""Attention weights of one input (sites, heads, queries, keys) above which it is left out: the
search holds about twelve numbers a weight, so about 200 MB."""
_BATCH_WEIGHTS = 1_000_000


@dataclass(frozen=True, kw_only=True)
class Alternative:
    """Alternative: another attention with the same decision, which an explanation cannot rule out.

        maximize   JSD(weights, weights with a bias on every score)
        so that    TVD(decision, decision with these biases) <= tolerance

    JSD is the mean Jensen-Shannon divergence over sites, heads and real query rows (at the last
    site: those that the decision reads), in nats, at most ln 2. TVD is the total variation
    distance of the probabilities. Masked keys stay masked. See `other_attention.Search`.

    An input has an alternative when one was found with TVD <= tolerance and JSD >= `different` ln 2
    on which, if the method is known, the explanation of the removable units has a rank correlation
    with the original of at most `thresholds.alternative`. It cautions when more than half of the
    tested inputs have one: then the attention shown is one of several that lead here. Otherwise it
    supports, which is no proof: none was found in so many steps.

    Args:
        steps: of the search, >= 1.
        rate: of the search's first step, in units of scores, > 0.
        tolerance: largest TVD at which a decision counts as the same, in (0, 1).
        most: inputs looked at, >= 1, drawn from those with 3 units or more.
        different: least JSD that counts as another attention, as a share of ln 2, in (0, 1].
        attention: whether the explanation under test reads attention. An explanation by gradients
            alone, by removal or by lot is not weakened by another attention: with False the outcome
            is "informs" and no explanation is computed again.

    Returns: Finding; numbers "alternatives" and "inputs" (counts), "distance", "divergence",
        "correlation" (means), "too_long" (inputs left out); details "distance", "divergence" and
        "correlation", one number an input.
    Raises:  OptionError: settings out of range.
    Cost:    `steps` forward and backward passes of `most` inputs and one explanation of them;
        inputs with more than `MOST_WEIGHTS` attention weights are left out.
    Not:     a refutation. The biases may make an attention that no training would reach, and a
        decision near 0 or 1 hides large changes behind a small TVD (Wiegreffe & Pinter): it shows
        that this attention is not the only one, not that it is wrong. Nor does "supports" say that
        the attention is the cause.
    Ref:     Jain & Wallace 2019, arXiv:1902.10186, sec. 4.2.2 (there the weights of one layer are
        replaced; here scores of all layers get a bias); Wiegreffe & Pinter 2019, arXiv:1908.04626.

    Example:
        >>> Alternative(steps=10).tolerance
        0.02
    """

    steps: int = 30
    rate: float = 2.0
    tolerance: float = 0.02
    most: int = 8
    different: float = 0.25
    attention: bool = True

    def __post_init__(self) -> None:
        for name in ("steps", "most"):
            if getattr(self, name) < 1:
                raise OptionError(f"{name} must be at least 1, got {getattr(self, name)}")
        if not (math.isfinite(self.rate) and self.rate > 0.0):
            raise OptionError(f"rate must be a positive number, got {self.rate}")
        if not 0.0 < self.tolerance < 1.0:
            raise OptionError(f"tolerance must be within (0, 1), got {self.tolerance}")
        if not 0.0 < self.different <= 1.0:
            raise OptionError(f"different must be within (0, 1], got {self.different}")

    def __call__(self, case: Case) -> Finding:
        """Test the explanation."""
        if not isinstance(case.subject, ModelSubject):
            return skipped(self, *_NO_MODEL)
        rows = chosen_rows(case, self.most, case.generator(_PURPOSE))
        if not rows:
            return skipped(self, *_NO_UNITS)
        tried = _Tried(self, case, case.subject)
        try:
            batches, tried.too_long = _batches(case, case.subject, rows)
            for batch in batches:
                tried.search(batch)
        except (NotWatchable, ShapeError) as wrong:
            return skipped(self, *_no_bias(str(wrong)), calls=tried.calls)
        if not tried.inputs:
            return skipped(self, *_TOO_LONG, calls=tried.calls)
        return self._concluded(case, tried)

    def _concluded(self, case: Case, tried: "_Tried") -> Finding:
        seen = tried.inputs
        other = [one for one in seen.values() if self.is_alternative(one, case)]
        outcome: Outcome = "cautions" if 2 * len(other) > len(seen) else "supports"
        if not self.attention:
            outcome = "informs"
        own: list[Outcome] = ["skipped"] * len(case.removals)
        for row, one in seen.items():
            doubted: Outcome = "cautions" if one in other else "supports"
            own[row] = doubted if self.attention else "informs"
        names = ("distance", "divergence", "correlation")
        details = {
            name: tuple(
                getattr(seen[row], name) if row in seen else None for row in range(len(own))
            )
            for name in names
        }
        return Finding(
            test=type(self).__name__,
            settings=repr(self),
            outcome=outcome,
            said=_said(self, outcome, other, len(seen)),
            numbers={
                "alternatives": len(other),
                "inputs": len(seen),
                **{name: mean_known(list(details[name])) for name in names},
                "too_long": tried.too_long,
            },
            inputs=tuple(own),
            details=details,
            calls=tried.calls,
        )

    def is_alternative(self, found: "Tried", case: Case) -> bool:
        """Whether what was found for an input is another attention with the same decision."""
        if found.distance > self.tolerance or found.divergence < self.different * LARGEST:
            return False
        return found.correlation is None or found.correlation <= case.thresholds.alternative


@dataclass(frozen=True, eq=False)
class Tried:
    """The most different attention found for one input.

    Args:
        distance: TVD of the decision.
        divergence: mean JSD of the attention, in nats.
        correlation: of the explanation with the original; None where no method is known.
    """

    distance: float
    divergence: float
    correlation: float | None


@dataclass
class _Tried:
    """The inputs looked at so far, and what that cost."""

    test: Alternative
    case: Case
    subject: ModelSubject
    inputs: dict[int, Tried] = field(default_factory=dict)
    too_long: int = 0
    calls: int = 0

    def search(self, rows: list[int]) -> None:
        """Look for another attention of these inputs."""
        test, case = self.test, self.case
        search = Search(steps=test.steps, rate=test.rate, tolerance=test.tolerance)
        batch = taken(case.batch, rows)
        generator = case.generator(_PURPOSE + 1 + rows[0])
        found = search(self.subject, batch, case.removals.shares[rows], generator)
        self.calls += (test.steps + 4) * len(rows)
        correlations = self._correlations(rows, found)
        for row, distance, divergence, correlation in zip(
            rows, found.distance, found.divergence, correlations, strict=True
        ):
            self.inputs[row] = Tried(distance, divergence, correlation)

    def _correlations(self, rows: list[int], found: OtherAttention) -> Sequence[float | None]:
        case = self.case
        if case.method is None or not self.test.attention:
            return [None] * len(rows)
        self.calls += len(rows)
        with biased(self.subject.model, found.rule):
            after = explained_again(case, case.method, rows, taken(case.batch, rows))
        return [likeness(case.values(row), one) for row, one in zip(rows, after, strict=True)]


def _batches(case: Case, subject: ModelSubject, rows: list[int]) -> tuple[list[list[int]], int]:
    """Inputs of similar length together, and how many are too long to be looked at."""
    width = {row: sum(len(unit.positions) for unit in case.removals.units[row]) for row in rows}
    rows = sorted(rows, key=lambda row: (width[row], row))
    tape = only_pass(subject.watch(taken(case.batch, rows[:1]), Keep()))
    shapes = [one.matrix.shape for one in tape if one.matrix is not None]
    density = sum(math.prod(shape) for shape in shapes) / max(width[rows[0]], 1) ** 2
    batches: list[list[int]] = []
    too_long = 0
    for row in rows:
        weights = density * width[row] ** 2
        if weights > MOST_WEIGHTS:
            too_long += 1
        elif batches and weights * (len(batches[-1]) + 1) <= _BATCH_WEIGHTS:
            batches[-1].append(row)
        else:
            batches.append([row])
    return batches, too_long


_NO_MODEL = (
    "What decides here is not a PyTorch model whose attention could be changed.",
    "这里做判断的不是 PyTorch 模型，无法改变其注意力。",
)
_NO_UNITS = (
    "No input has 3 units or more, so two explanations of one input cannot be compared.",
    "没有一个输入含有 3 个或更多单元，无法比较同一输入的两个解释。",
)
_TOO_LONG = (
    "Every input looked at is too long for a search over all its attention weights.",
    "所看的输入都太长，无法搜索其全部注意力权重。",
)


def _no_bias(reason: str) -> tuple[str, str]:
    return (
        f"Another attention could not be looked for: {reason}.",
        f"无法寻找另一种注意力：{reason}。",
    )


def _said(test: Alternative, outcome: Outcome, other: Sequence[Tried], inputs: int) -> Said:
    percent = f"{100 * test.tolerance:g}"
    en = f"on {len(other)} of {many(inputs)} looked at"
    zh = f"所看 {inputs} 个输入中的 {len(other)} 个"
    known = [one.divergence for one in other]
    if known:
        far = f"{sum(known) / len(known):.2f} of at most {LARGEST:.2f}"
        en += f" (divergence {far}; the decision moves by at most {percent} %)"
        zh += f"（散度 {far.replace(' of at most ', '，最大 ')}；判断的变化不超过 {percent}%）"
    if outcome == "informs":
        return Said(
            en=f"A very different attention gives the same decision {en}. This explanation does "
            "not read attention, so that says nothing against it.",
            zh=f"{zh}，注意力可以大不相同而判断不变。此解释不依赖注意力，这并不否定它。",
        )
    if outcome == "cautions":
        read = any(one.correlation is not None for one in other)
        reads = ", with which the explanation reads differently," if read else ""
        zh_reads = "和由它得到的解释" if read else ""
        return Said(
            en=f"A very different attention{reads} gives the same decision {en}: the attention "
            "shown is one of several that lead there.",
            zh=f"{zh}，注意力{zh_reads}可以大不相同而判断不变：所示注意力只是多种可能之一。",
        )
    if other:
        return Said(
            en=f"A very different attention with the same decision was found only {en}, in "
            f"{test.steps} steps. That is no proof that the others have none.",
            zh=f"搜索 {test.steps} 步，只在{zh}找到了判断相同而大不相同的注意力。"
            "这并不证明其余的没有。",
        )
    return Said(
        en=f"No very different attention with the same decision was found in {test.steps} steps on "
        f"any of the {many(inputs)} looked at. That is no proof that there is none.",
        zh=f"搜索 {test.steps} 步，所看的 {inputs} 个输入都没有找到判断相同而大不相同的注意力。"
        "这并不证明它不存在。",
    )
