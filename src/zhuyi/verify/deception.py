"""Deception: does the explanation hide a unit that decides, or parade one that does nothing?"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import comb, isfinite

import torch

from zhuyi.core.record import Finding, Outcome, Said
from zhuyi.errors import OptionError
from zhuyi.verify.case import Case
from zhuyi.verify.wording import many

_TOLD = 5  # names in the texts
_SURE = 2  # deceived inputs that refute; one alone may be bad luck


@dataclass(frozen=True, kw_only=True)
class Deception:
    """Units with little of the explanation but a large effect when removed, and the reverse.

        effect_n = p(everything) - p(everything but unit n)
        share_n  = max(value_n, 0) / sum over removable units of max(value, 0)

    Of N removable units an equal share is 1 / N. A unit is *loud* when its effect is at least
    `effect`; a loud unit is *hidden* when its share is below `hidden` equal shares; a unit is
    *empty* when it has `several` equal shares or more and its effect is within `nothing` of 0. An
    input is deceived when one of its loud units is hidden; only inputs with a loud unit are
    counted. The rate is their share that is deceived.

    Values drawn by lot hide a unit now and then, sharply peaked ones nearly always. So the rate is
    set against the input's own values dealt out to its units at random: `expected` is the rate
    this gives (exact), and p says how often it hides as much and as deep, where a hidden unit's
    depth is the share of the other units with larger values. Refuted is what hides a loud unit on
    at least `thresholds.deception` of the inputs and more than chance would
    (`thresholds.significance`), two inputs at least; what hides as often as chance would is
    doubted, and the deletion test says the rest.

    Values that are all equal hide nothing. Of signed values only what speaks for the decision
    counts, because effects are looked at that speak for it: a unit said to speak against the
    decision that in truth carries it is hidden. With `hidden` below `effect` an explanation by the
    effects themselves can never be deceiving: its loud units have at least `effect` equal shares.

    Args:
        hidden: equal shares below which a loud unit is hidden, in (0, 1).
        effect: least loss of probability that makes a unit loud, in (0, 1].
        several: equal shares from which a unit is paraded, > 1.
        nothing: largest change of probability that counts as none, in [0, 1].
        draws: random deals behind p.

    Returns: Finding; numbers "rate", "expected", "p", "deceived", "loud" (inputs), "worst_share",
        "worst_effect", "worst_unit", "hidden_units", "empty_rate", "empty_units"; details
        "hidden" and "empty" (units), "worst_share" and "worst_effect" of each input.
    Raises:  OptionError: a setting is out of its range.
    Cost:    one forward pass for every removable unit, shared with the other tests.
    Not:     aware of what units do together: of two words that say the same, neither is missed
        alone, and of a parity each is. Such an input may have no loud unit, or an empty one that
        is not empty. Nor does it say that somebody meant to deceive.
    Ref:     Pruthi et al. 2020, arXiv:1909.07913 (attention that is trained to hide); the test
        against dealt-out values is ours.

    Example:
        >>> Deception(effect=0.5).hidden
        0.1
    """

    hidden: float = 0.1
    effect: float = 0.25
    several: float = 3.0
    nothing: float = 0.01
    draws: int = 4999

    def __post_init__(self) -> None:
        for name, value, good, expected in (
            ("hidden", self.hidden, 0.0 < self.hidden < 1.0, "between 0 and 1"),
            ("effect", self.effect, 0.0 < self.effect <= 1.0, "above 0 and at most 1"),
            ("several", self.several, self.several > 1.0, "above 1"),
            ("nothing", self.nothing, 0.0 <= self.nothing <= 1.0, "within [0, 1]"),
            ("draws", self.draws, self.draws >= 1, "at least 1"),
        ):
            if not good:
                raise OptionError(f"{name} must be {expected}, got {value}")

    def __call__(self, case: Case) -> Finding:
        """Test the explanation."""
        before = case.removals.calls
        rows = range(len(case.removals))
        units = [range(len(case.removals.removable[row])) for row in rows]
        case.removals.probabilities([(row, 1 << unit) for row in rows for unit in units[row]])
        looked = [self._look(case, row) for row in rows]
        numbers = self._numbers(case, looked)
        outcome = _outcome(case, numbers)
        said = _said(numbers, outcome, self.effect, looked)
        if outcome != "skipped":
            said = _with_empty(said, looked, case.thresholds.deception)
        return Finding(
            test=type(self).__name__,
            settings=repr(self),
            outcome=outcome,
            said=said,
            numbers=numbers,
            inputs=tuple(_own_outcome(one, outcome) for one in looked),
            details=_details(looked),
            calls=case.removals.calls - before,
        )

    def _look(self, case: Case, row: int) -> "_Looked":
        values, names = case.values(row), case.names(row)
        if not all(map(isfinite, values)):
            values = []  # they are in no order, so they neither hide nor show
        asked = [(row, 1 << unit) for unit in range(len(values))]
        whole = case.removals.whole[row]
        effects = [whole - left for left in case.removals.probabilities(asked)]
        shares = _shares(values)
        equal = 1.0 / max(len(values), 1)
        pieces = [
            _Piece(names[n], shares[n], effects[n], _depth(values, n)) for n in range(len(values))
        ]
        loud = [piece for piece in pieces if piece.effect >= self.effect]
        return _Looked(
            loud=loud,
            hidden=[piece for piece in loud if piece.share < self.hidden * equal],
            empty=[
                piece
                for piece in pieces
                if piece.share >= self.several * equal and abs(piece.effect) <= self.nothing
            ],
            dealt=sorted(p.depth if p.share < self.hidden * equal else 0.0 for p in pieces),
            concealed=sum(piece.share < self.hidden * equal for piece in pieces),
        )

    def _numbers(
        self, case: Case, looked: Sequence["_Looked"]
    ) -> dict[str, float | int | str | None]:
        tested = [one for one in looked if one.loud]
        numbers: dict[str, float | int | str | None] = {
            "inputs": len(looked),
            "loud": len(tested),
            "removal": case.subject.removal,
        }
        if not tested:
            return numbers
        hidden = [piece for one in tested for piece in one.hidden]
        worst = max(hidden, key=lambda piece: (piece.effect, -piece.share), default=None)
        empty = [one for one in looked if one.empty]
        return numbers | {
            "deceived": sum(bool(one.hidden) for one in tested),
            "rate": sum(bool(one.hidden) for one in tested) / len(tested),
            "expected": sum(one.expected() for one in tested) / len(tested),
            "p": self._chance(tested, case.generator(3)),
            "worst_unit": None if worst is None else worst.name,
            "worst_share": None if worst is None else worst.share,
            "worst_effect": None if worst is None else worst.effect,
            "hidden_units": _by_name(hidden),
            "empty_rate": len(empty) / len(looked),
            "empty_units": _by_name([piece for one in empty for piece in one.empty]),
        }

    def _chance(self, tested: Sequence["_Looked"], generator: torch.Generator) -> float:
        """How often dealt-out values hide as much and as deep; never 0."""
        observed = sum(max((piece.depth for piece in one.hidden), default=0.0) for one in tested)
        total = torch.zeros(self.draws, dtype=torch.float64)
        for one in tested:
            # The largest of h dealt out is at most the i-th smallest of N with C(i, h) / C(N, h).
            count, loud = len(one.dealt), len(one.loud)
            below = [comb(i, loud) / comb(count, loud) for i in range(1, count + 1)]
            lots = torch.rand(self.draws, generator=generator, dtype=torch.float64)
            place = torch.searchsorted(torch.tensor(below, dtype=torch.float64), lots, right=True)
            total += torch.tensor(one.dealt, dtype=torch.float64)[place.clamp(max=count - 1)]
        reached = int((total >= observed - 1e-9).sum())
        return (1 + reached) / (1 + self.draws)


@dataclass(frozen=True)
class _Piece:
    """One unit: its share, its effect, and how deep it lies below the others."""

    name: str
    share: float
    effect: float
    depth: float


@dataclass(frozen=True)
class _Looked:
    """What one input showed; `dealt` are the depths that its values could give, 0 if not hidden."""

    loud: list[_Piece]
    hidden: list[_Piece]
    empty: list[_Piece]
    dealt: list[float]
    concealed: int

    def expected(self) -> float:
        """Chance that one of the loud units is hidden when the values are dealt out by lot."""
        count, loud = len(self.dealt), len(self.loud)
        return 1.0 - comb(count - self.concealed, loud) / comb(count, loud)


def _shares(values: Sequence[float]) -> list[float]:
    """What speaks for the decision, as shares of it; equal shares where all values are equal."""
    if len(set(values)) <= 1:
        return [1.0 / len(values) for _ in values]
    positive = [max(value, 0.0) for value in values]
    total = sum(positive)
    return [value / total for value in positive] if total > 0.0 else positive


def _depth(values: Sequence[float], unit: int) -> float:
    """Share of the other units that have more; an equal one counts half. 1 is the very lowest."""
    more = sum(value > values[unit] for value in values)
    same = sum(value == values[unit] for value in values) - 1
    return (more + same / 2) / max(len(values) - 1, 1)


def _outcome(case: Case, numbers: dict[str, float | int | str | None]) -> Outcome:
    if not numbers["loud"]:
        return "skipped"
    rate, p = _number(numbers, "rate"), _number(numbers, "p")
    often = rate >= case.thresholds.deception and rate > 0.0
    beyond = p <= case.thresholds.significance
    if often and beyond and _number(numbers, "deceived") >= _SURE:
        return "refutes"
    return "cautions" if often or (beyond and rate > 0.0) else "supports"


def _own_outcome(looked: _Looked, outcome: Outcome) -> Outcome:
    if not looked.loud:
        return "skipped"
    if not looked.hidden:
        return "supports"
    return "refutes" if outcome == "refutes" else "cautions"


def _number(numbers: dict[str, float | int | str | None], name: str) -> float:
    value = numbers[name]
    assert isinstance(value, float | int)
    return float(value)


def _details(looked: Sequence[_Looked]) -> dict[str, tuple[float | None, ...]]:
    worst = [max(one.hidden, key=lambda piece: piece.effect, default=None) for one in looked]
    return {
        "hidden": tuple(float(len(one.hidden)) if one.loud else None for one in looked),
        "empty": tuple(float(len(one.empty)) for one in looked),
        "worst_share": tuple(None if piece is None else piece.share for piece in worst),
        "worst_effect": tuple(None if piece is None else piece.effect for piece in worst),
    }


def _grouped(pieces: Sequence[_Piece]) -> list[tuple[str, int, float, float]]:
    """Names with how often they came, their mean share and mean effect, the most striking first.

    A hidden unit strikes by its effect, an empty one by its share: the larger of the two.
    """
    groups: dict[str, list[_Piece]] = {}
    for piece in pieces:
        groups.setdefault(piece.name, []).append(piece)
    rows = [
        (
            name,
            len(found),
            sum(piece.share for piece in found) / len(found),
            sum(piece.effect for piece in found) / len(found),
        )
        for name, found in groups.items()
    ]
    return sorted(rows, key=lambda row: (-row[1] * max(row[2], row[3]), row[0]))


def _by_name(pieces: Sequence[_Piece]) -> str:
    return "; ".join(
        f'"{name}" {count}x: share {share:.2g}, effect {effect:.2f}'
        for name, count, share, effect in _grouped(pieces)[:_TOLD]
    )


def _percent(share: float) -> str:
    """A share in per cent with enough digits to tell it from nothing."""
    return f"{100 * share:.0f}" if share >= 0.1 else f"{100 * share:.2g}"


def _said(
    numbers: dict[str, float | int | str | None],
    outcome: Outcome,
    effect: float,
    looked: Sequence[_Looked],
) -> Said:
    if outcome == "skipped":
        return Said(
            en=f"No single unit, when removed, lowers the probability by {effect:.2f}: there is "
            "nothing that an explanation could hide alone.",
            zh=f"单独去掉任何一个单元，概率的下降都不到 {effect:.2f}：没有可供单独隐瞒的内容。",
        )
    deceived, loud = numbers["deceived"], numbers["loud"]
    if not deceived:
        return Said(
            en=f"It hides no unit that decides: on {many(int(loud or 0))} removing one unit lowers "
            f"the probability by {effect:.2f} or more, and each of these units is shown.",
            zh=f"它没有隐瞒起决定作用的单元：在 {loud} 个输入上，去掉一个单元会使概率下降 "
            f"{effect:.2f} 或更多，这些单元都显示出来了。",
        )
    hidden = [piece for one in looked for piece in one.hidden]
    name, _, share, fall = _grouped(hidden)[0]
    usual = f"{_number(numbers, 'expected') * _number(numbers, 'loud'):.1f}"
    p = f"{_number(numbers, 'p'):.4f}"
    begin = {
        "refutes": ("The explanation hides what decides", "解释隐瞒了起决定作用的内容"),
        "cautions": ("The explanation may hide what decides", "解释可能隐瞒了起决定作用的内容"),
        "supports": (
            "The explanation hides what decides only here and there",
            "解释只在个别输入上隐瞒了起决定作用的内容",
        ),
    }[outcome]
    return Said(
        en=f'{begin[0]}: "{name}" gets {_percent(share)} % of its weight, yet without it the '
        f"probability falls by {fall:.2f} ({deceived} of the {loud} inputs on which one unit "
        f"decides; the same values dealt out by lot would hide one on {usual}; p = {p}).",
        zh=f"{begin[1]}：“{name}”只得到 {_percent(share)}% 的权重，但去掉它之后，概率下降 "
        f"{fall:.2f}（在有单个单元起决定作用的 {loud} 个输入中，有 {deceived} 个如此；"
        f"同样的数值随机分配，会在 {usual} 个上发生；p = {p}）。",
    )


def _with_empty(said: Said, looked: Sequence[_Looked], least: float) -> Said:
    """The same, with what is paraded for nothing on at least this share of the inputs."""
    inputs = sum(bool(one.empty) for one in looked)
    if not inputs or inputs < least * len(looked):
        return said
    name, _, share, _ = _grouped([piece for one in looked for piece in one.empty])[0]
    return Said(
        en=f'{said.en} It also gives "{name}" {_percent(share)} % of its weight, though removing '
        f"it alone changes nothing (the like on {inputs} of {len(looked)} inputs).",
        zh=f"{said.zh}它还把 {_percent(share)}% 的权重给了“{name}”，但单独去掉它什么也不改变"
        f"（{len(looked)} 个输入中有 {inputs} 个类似）。",
    )
