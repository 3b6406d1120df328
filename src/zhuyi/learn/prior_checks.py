"""Whether a trained model does what its prior asked for: looked at, told, and never assumed."""

import warnings
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Final, Literal

import torch
from torch import Tensor

from zhuyi.errors import InputError
from zhuyi.learn.glass_box import GlassBox
from zhuyi.learn.prior import Monotone
from zhuyi.learn.sources import with_cells
from zhuyi.learn.warnings_of_data import DataWarning
from zhuyi.learn.wishing import Wishes, known
from zhuyi.steer.matching import matched_in

Asked = Literal["monotone", "unused", "vetoed"]

_ROWS: Final = 256  # that are looked at
_SWAPS: Final = 8  # other cells that a row's cell is replaced by
_POINTS: Final = 49  # of a column at which a direction is looked at, at most
_ADVICE: Final[Mapping[Asked, str]] = {
    "monotone": "raise the prior's strength, or train longer",
    "unused": "raise the prior's strength, or veto it: Rules().veto(Column({!r}))",
    "vetoed": "a rule's condition may ask for it: this should not be",
}
_LEAST: Final = 1e-6  # log-odds: less is rounding


@dataclass(frozen=True, kw_only=True)
class PriorCheck:
    """What was found of one thing that was asked.

    Args:
        asked: "monotone" or "unused" (wishes), or "vetoed" (a rule that holds).
        what: in words.
        column: which.
        rows: that were looked at.
        broken: share of them in which it does not hold, in [0, 1].
        largest: by how much at most, in log-odds (of a regressor, standard deviations).
    """

    asked: Asked
    what: str
    column: str
    rows: int
    broken: float
    largest: float

    @property
    def told(self) -> str:
        """In words."""
        if not self.broken:
            return f"{self.what}: held in {self.rows} rows"
        return f"{self.what}: not in {self.broken:.1%} of {self.rows} rows, by {self.largest:.3g}"

    def as_json(self) -> dict[str, Any]:
        """Plain JSON."""
        return asdict(self)

    @classmethod
    def from_json(cls, data: object) -> "PriorCheck":
        """The check of `as_json`. Raises: InputError: when it is not one."""
        match data:
            case {
                "asked": "monotone" | "unused" | "vetoed" as asked,
                "what": str(what),
                "column": str(column),
                "rows": int(rows),
                "broken": int(broken) | float(broken),
                "largest": int(largest) | float(largest),
            }:
                return cls(
                    asked=asked, what=what, column=column, rows=rows, broken=float(broken),
                    largest=float(largest),
                )  # fmt: skip
        raise InputError("model.json has a check of a prior that is none")


@torch.no_grad()
def checked(model: GlassBox, wishes: Wishes, codes: Tensor) -> tuple[PriorCheck, ...]:
    """Look at every wish, and at every column that is vetoed in all rows.

    Args:
        model: trained.
        wishes: of its prior.
        codes: of training rows; 256 of them are looked at, evenly spread.
    Cost: 256 decisions for each of up to 49 values of a column with a direction, and for each of 8
        swaps of a column that should not matter.
    Not: a proof of a wish: between the values that were looked at it may be otherwise. A veto is
        proven by its form; here it is seen.
    """
    some = codes[:: max(1, len(codes) // _ROWS)][:_ROWS]
    found = [_direction(model, wishes, one, some) for one in wishes.prior.monotone]
    for name in wishes.prior.unused:
        found.append(_swapped(model, wishes, name, some, "unused"))
    for name in _vetoed(model, wishes):
        found.append(_swapped(model, wishes, name, some, "vetoed"))
    return tuple(found)


def tell(checks: Sequence[PriorCheck]) -> None:
    """Warn of wishes that were not met."""
    for one in checks:
        if one.broken:
            warnings.warn(
                f"asked of the training and not met: {one.told}; "
                + _ADVICE[one.asked].format(one.column),
                DataWarning,
                stacklevel=5,
            )


def _direction(model: GlassBox, wishes: Wishes, one: Monotone, codes: Tensor) -> PriorCheck:
    """Over all edges of the column's pieces and their middles, row by row."""
    place, points = wishes.place(one.column), wishes.points(one.column)
    if len(points) > _POINTS:
        points = points[torch.linspace(0, len(points) - 1, _POINTS).round().long()]
    odds = torch.stack(
        [
            wishes.odds(
                model(with_cells(codes, place, known(point.expand(len(codes)), codes))), one.label
            )
            for point in points
        ]
    )
    # against the highest before, so that a slow slide back is not missed
    odds = -odds if one.falls else odds
    lost = (odds.cummax(0).values - odds).amax(0)
    return _found("monotone", one.told, one.column, lost)


def _swapped(model: GlassBox, wishes: Wishes, name: str, codes: Tensor, asked: Asked) -> PriorCheck:
    place, before = wishes.place(name), model(codes)
    draws = torch.from_numpy(wishes.source.spread(_SWAPS))
    changed = [
        (model(wishes.source.swapped(codes, place, row)) - before).abs().amax(1) for row in draws
    ]
    what = f"{name!r} does not matter"
    return _found(asked, what, name, torch.stack(changed).amax(0))


def _found(asked: Asked, what: str, column: str, off: Tensor) -> PriorCheck:
    # of what holds by its form not even rounding is let pass
    least = 0.0 if asked == "vetoed" else _LEAST
    return PriorCheck(
        asked=asked,
        what=what,
        column=column,
        rows=len(off),
        broken=float((off > least).double().mean()),
        largest=float(off.max()),
    )


def _vetoed(model: GlassBox, wishes: Wishes) -> Iterator[str]:
    """Factors that a rule forbids in all rows, layers and heads."""
    layout = None if model.ruling is None else model.ruling.layout
    if layout is None:
        return
    gone = set[int]()
    for rule in wishes.prior.rules:
        if rule.action == "veto" and rule.complete and not rule.when:
            gone |= matched_in(rule, layout).positions
    yield from (wishes.source.names[place] for place in sorted(gone))
