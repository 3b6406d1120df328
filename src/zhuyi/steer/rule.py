"""One rule: what a person says of attention, in the model's own currency.

a weight w multiplies the odds of a key by w:   scores + ln(w)
1 is neutral, 0 is a veto (-inf in every layer and head); rules add up, a veto absorbs
"""

import math
from dataclasses import dataclass, field
from datetime import date
from typing import Final, Literal

from zhuyi.errors import OptionError
from zhuyi.steer.layers import LayerRange
from zhuyi.steer.selectors import Selector
from zhuyi.steer.when import parsed

Action = Literal["boost", "damp", "veto", "share", "link"]
Guarantee = Literal["steer", "direct", "exact", "input", "information"]

ACTIONS: Final[tuple[Action, ...]] = ("boost", "damp", "veto", "share", "link")
#: From the weakest claim to the strongest.
GUARANTEES: Final[tuple[Guarantee, ...]] = ("steer", "direct", "exact", "input", "information")
#: The largest |ln w| unless a rule asks for more: beyond it models repeat themselves and break.
CLAMP: Final = 3.0


@dataclass(frozen=True, kw_only=True)
class Rule:
    """One rule.

    Args:
        id: by which reports and conflicts name it.
        action: "boost" (w > 1), "damp" (0 < w < 1), "veto" (w = 0), "share" (at least a share of
            attention, found by closed loop) or "link" (keys related to the row's own concept).
        select: what it is about; several are a union.
        weight: multiplies the odds (boost, damp, link).
        at_least: share of attention in (0, 1) (share).
        sender: the rows it holds for ("from" in YAML); () for all rows.
        layers: the layers it holds in; None for all.
        heads: the heads it holds in; () for all.
        when: a condition on the row's values, see `steer.when`; "" for always.
        expires: the last day on which it holds, or None.
        guarantee: what a veto must be able to claim; a lower level raises under `strict`.
        beyond: whether |ln w| may be larger than 3.
        why: the reason, for people.
    Raises: OptionError: for a weight that does not fit the action, or a missing part.
    """

    id: str
    action: Action
    select: tuple[Selector, ...]
    weight: float | None = None
    at_least: float | None = None
    sender: tuple[Selector, ...] = ()
    layers: LayerRange | None = None
    heads: tuple[int, ...] = ()
    when: str = ""
    expires: date | None = None
    guarantee: Guarantee = "steer"
    beyond: bool = False
    why: str = field(default="", compare=False)

    def __post_init__(self) -> None:
        if not self.id or not self.select:
            raise OptionError(f"rule {self.id!r} must have an id and something it is about")
        if self.action not in ACTIONS:
            raise OptionError(f"rule {self.id!r}: action must be one of {', '.join(ACTIONS)}")
        if self.guarantee not in GUARANTEES:
            known = ", ".join(GUARANTEES)
            raise OptionError(f"rule {self.id!r}: guarantee must be one of {known}")
        if any(head < 0 for head in self.heads):
            raise OptionError(f"rule {self.id!r}: heads are numbered from 0, got {self.heads}")
        if self.when:
            parsed(
                self.when
            )  # a condition that cannot be read is found here, not in a model's call
        _check_strength(self)
        if (
            self.action == "veto"
            and self.guarantee not in ("steer", "direct")
            and not self.complete
        ):
            raise OptionError(
                f"rule {self.id!r}: a veto that is {self.guarantee!r} must hold in all layers, "
                "heads and rows: leave out layers, heads and from"
            )

    @property
    def complete(self) -> bool:
        """Whether it holds for all rows, in all layers and heads."""
        return not (self.sender or self.heads) and self.layers is None

    @property
    def removes(self) -> bool:
        """Whether what it means is kept from the model altogether, by a constant in its place."""
        return self.action == "veto" and self.guarantee == "input"

    @property
    def bias(self) -> float:
        """What is added to the scores: ln(w) within the clamp, -inf for a veto, 0 for a share."""
        if self.action == "veto":
            return -math.inf
        if self.weight is None:
            return 0.0
        return self.clamped(math.log(self.weight))

    def clamped(self, bias: float) -> float:
        """A bias within what this rule may use."""
        return bias if self.beyond else min(max(bias, -CLAMP), CLAMP)

    def holds_on(self, day: date) -> bool:
        """Whether it has not expired."""
        return self.expires is None or day <= self.expires


def usual_guarantee(action: Action, *, partial: bool) -> Guarantee:
    """What a rule claims unless it says otherwise; a partial one leaves a way around it."""
    if action != "veto":
        return "steer"
    return "direct" if partial else "exact"


def _check_strength(rule: Rule) -> None:
    name, weight, share = f"rule {rule.id!r}", rule.weight, rule.at_least
    if rule.action == "share":
        if weight is not None or share is None or not 0 < share < 1:
            raise OptionError(f"{name}: a share must have at_least in (0, 1) and no weight")
        return
    if share is not None:
        raise OptionError(f"{name}: at_least belongs to a share, not to a {rule.action}")
    if rule.action == "veto":
        if weight not in (None, 0, 0.0):
            raise OptionError(
                f"{name}: a veto has no weight but 0, got {weight}: a finite weight is a damp"
            )
        return
    if weight is None or not math.isfinite(weight) or weight <= 0:
        raise OptionError(f"{name}: weight must be a finite number above 0, got {weight}")
    if rule.action == "boost" and weight < 1:
        raise OptionError(f"{name}: a boost must have a weight of 1 or more, got {weight}")
    if rule.action == "damp" and weight > 1:
        raise OptionError(f"{name}: a damp must have a weight of 1 or less, got {weight}")
