"""How much attention what a rule means has, and how much it should have; with gradients.

    p = sum over keys in S of A[row, key]                    one streamed product A @ X a layer
    e = the same of an even attention, over the keys that the row may see
    t = w e / (w e + 1 - e)     of boost, damp, veto (w = 0) and link: an even attention, ruled
    t = at_least                of a share

    penalty = mean over rows, heads and layers of   short(p, t)   where p < t (boost, share),
                                                                  where p > t (damp, veto)

Rows that see none of S, or nothing else (e is 0 or 1), cannot do otherwise and are not in the mean.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from typing import TypeAlias

import torch
from torch import Tensor

from zhuyi.core import AttentionMatrix
from zhuyi.core.record import Site
from zhuyi.errors import NotKept, OptionError, ShapeError
from zhuyi.steer.dose import Active, Dose
from zhuyi.steer.layout import Layout, Piece
from zhuyi.steer.matching import active_in, check_places, matched_in, real_in
from zhuyi.steer.penalty.supervision import CrossEntropy, Supervision
from zhuyi.steer.reading import Reading
from zhuyi.steer.rule import Rule
from zhuyi.trace.collector import BiasedCall
from zhuyi.trace.tape import Pass, Tape

Attention: TypeAlias = Tape | Pass | AttentionMatrix | Sequence[AttentionMatrix]
"""A watched pass, or the matrices of its layers in order."""

Reads: TypeAlias = Reading | Sequence[Layout] | Sequence[str]
"""What stands at the positions: row by row, or names that are the same in all rows."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Seen:
    """The attention on what one rule means, in one layer.

    Args:
        rule: the rule.
        share: "B H Q", on what it means.
        others: "B H Q", on all else.
        even: "B H Q", what an even attention would give.
        meant: bool "B H Q", where the rule holds.
    """

    rule: Rule
    share: Tensor
    others: Tensor
    even: Tensor
    meant: Tensor

    def asked(self) -> Tensor:
        """The share that the rule asks for, "B H Q"."""
        if self.rule.at_least is not None:
            return torch.full_like(self.even, self.rule.at_least)
        w = math.exp(self.rule.bias)
        return w * self.even / (w * self.even + 1.0 - self.even)

    def able(self) -> Tensor:
        """Where the rule holds and could be broken, bool "B H Q"."""
        if self.rule.weight == 1:  # neutral: it gives something a name
            return torch.zeros_like(self.meant)
        return (self.even > 0) & (self.even < 1) & self.meant

    def short(self, supervision: Supervision) -> Tensor:
        """How far it is from what is asked, "B H Q"; 0 where it is obeyed, or nothing is asked."""
        asked = self.asked()
        least = self.rule.action == "share" or self.rule.bias > 0
        wrong = self.able() & (self.share < asked if least else self.share > asked)
        # What is obeyed is not measured at all: 0 times a gradient that is no number is none.
        safe = torch.where(wrong, self.share, asked)
        rest = torch.where(wrong, self.others, 1.0 - asked)
        return torch.where(wrong, supervision.short(safe, rest, asked), 0.0)


def mass_penalties(
    rules: Sequence[Rule],
    attention: Attention,
    reads: Reads,
    *,
    supervision: Supervision | None = None,
    today: date | None = None,
) -> dict[str, Tensor]:
    """Each rule's part of `Rules.penalty`, by its id; see there."""
    measure = CrossEntropy() if supervision is None else supervision
    total: dict[str, Tensor] = {}
    places: dict[str, Tensor] = {}
    for seen in _seen(rules, attention, reads, today):
        name = seen.rule.id
        total[name] = total.get(name, 0.0) + seen.short(measure).sum()
        places[name] = places.get(name, 0) + seen.able().sum()
    return {name: one / places[name].clamp_min(1) for name, one in total.items()}


def attended(
    rules: Sequence[Rule], attention: Attention, reads: Reads, *, today: date | None = None
) -> dict[str, Tensor]:
    """Per rule, the share of attention on what it means in each input, "B", in [0, 1].

    The mean over the layers, heads and rows that it holds for; 0 where it means nothing. A rule of
    weight 1 has no effect and gives a name to what it is about, for `zhuyi.steer.penalty.Mass`.

    Args:
        rules, attention, reads, today: as in `Rules.penalty`.
    Cost: one streamed product a layer. Differentiable, in memory of O(L).
    Not: how much it is used. What is not attended to in one layer may have been read in another.
    """
    total: dict[str, Tensor] = {}
    places: dict[str, Tensor] = {}
    for seen in _seen(rules, attention, reads, today):
        name, meant = seen.rule.id, seen.meant & (seen.even > 0)
        share = torch.where(meant, seen.share, 0.0)
        total[name] = total.get(name, 0.0) + share.sum((1, 2))
        places[name] = places.get(name, 0) + meant.sum((1, 2))
    return {name: one / places[name].clamp_min(1) for name, one in total.items()}


def _seen(
    rules: Sequence[Rule], attention: Attention, reads: Reads, today: date | None
) -> Iterator[Seen]:
    """What every rule sees in every layer that it holds in."""
    matrices = _matrices(attention)
    check_places(rules, len(matrices))
    layouts = _layouts(reads, matrices)
    day = today or date.today()
    active = [
        active_in(rule, [matched_in(rule, layout) for layout in layouts], layouts)
        for rule in rules
        if rule.holds_on(day)
    ]
    length = max((layout.length for layout in layouts), default=0)
    dose = Dose(
        active=tuple(active),
        layers=len(matrices),
        length=length,
        new=length,
        real=real_in(layouts),
    )
    for index, matrix in enumerate(matrices):
        yield from _at(index, matrix, dose)


def _at(index: int, matrix: AttentionMatrix, dose: Dose) -> Iterator[Seen]:
    """All rules in one layer, by one product with all of their keys."""
    B, H, Q, K = matrix.shape
    site = Site(name=f"layer {index}", kind="self", index=index, heads=H)
    call = BiasedCall(site=site, shape=(B, H, Q, K), matrix=lambda: matrix)
    holding = dose.holding(call)
    _check(holding, dose, call)
    groups = [(one.rule, rows, keys) for one in holding for rows, keys in _groups(one, dose, call)]
    if not groups:
        return
    keys_BKR = torch.stack([keys for _, _, keys in groups], -1).to(matrix.device)
    hits_B1KR = torch.cat([keys_BKR, ~keys_BKR], -1).to(matrix.dtype)[:, None]
    found_BHQR = matrix @ hits_B1KR
    even_BHQR = _even(matrix, hits_B1KR)
    R = len(groups)
    for place, (rule, meant, _) in enumerate(groups):
        yield Seen(
            rule=rule,
            share=found_BHQR[..., place],
            others=found_BHQR[..., R + place],
            even=even_BHQR[..., place].expand(B, H, Q),
            meant=meant.to(matrix.device),
        )


def _check(holding: Sequence[Active], dose: Dose, call: BiasedCall) -> None:
    """Refuse the attention of another input, and heads that do not exist."""
    B, H, _, K = call.shape
    for one in holding:
        rows = one.keys.shape[0]
        if (dose.length, rows) != (K, B):
            raise ShapeError(
                f"{call.site.name} has weights of {K} keys in {B} rows, and what the rules mean is "
                f"known of {dose.length} positions in {rows} rows: pass the layouts of the same "
                "call"
            )
        if max(one.rule.heads, default=0) >= H:
            raise OptionError(
                f"rule {one.rule.id!r} names head {max(one.rule.heads)}, and {call.site.name} has "
                f"{H} (0 to {H - 1})"
            )


def _groups(one: Active, dose: Dose, call: BiasedCall) -> Iterator[tuple[Tensor, Tensor]]:
    """Rows and heads "B H Q" with the keys "B K" that a rule means for them; several of a link."""
    meant_BHQ = dose.meant(one, call)
    if one.links is None:
        yield meant_BHQ, one.keys
        return
    Q = call.shape[2]
    for rows_BL, keys_BL in zip(*(part.unbind(-1) for part in one.links), strict=True):
        if rows_BL.shape[1] == Q:  # a row that is no position stands for no concept
            yield meant_BHQ & rows_BL[:, None], keys_BL


def _even(matrix: AttentionMatrix, hits_B1KR: Tensor) -> Tensor:
    """What an even attention over the keys that a row may see gives, "B|1 1 Q|1 2R"."""
    if matrix.mask is None:
        return hits_B1KR.mean(2, keepdim=True)
    with torch.no_grad():
        nothing = matrix.query.new_zeros(*matrix.query.shape[:3], 1)
        same = matrix.key.new_zeros(*matrix.key.shape[:3], 1)
        return AttentionMatrix(nothing, same, mask=matrix.mask) @ hits_B1KR


def _matrices(attention: Attention) -> list[AttentionMatrix]:
    if isinstance(attention, AttentionMatrix):
        return [attention]
    found = []
    for one in attention:
        matrix = one if isinstance(one, AttentionMatrix) else one.matrix
        if matrix is None:
            raise NotKept("a penalty needs attention matrices: watch with Keep(matrix=True)")
        found.append(matrix)
    return found


def _layouts(reads: Reads, matrices: Sequence[AttentionMatrix]) -> Sequence[Layout]:
    if isinstance(reads, Reading):
        return reads.layouts
    layouts = [one for one in reads if isinstance(one, Layout)]
    if layouts or not matrices:
        return layouts
    names = [str(one) for one in reads]
    pieces = tuple(Piece(name=name, positions=(place,)) for place, name in enumerate(names))
    return [Layout(length=len(names), pieces=pieces)] * matrices[0].shape[0]
