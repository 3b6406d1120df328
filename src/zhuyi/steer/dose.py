"""From matched rules to the bias of one attention call: low rank, so the fused kernel stays on.

    per-key rules    sum_r ln(w_r) [key in S_r]                one number a key, rank 1
    rules with from  [row in F] sum_r ln(w_r) [key in S_r]     one outer product for each F
    links            sum_g ln(w) [row in g] [key near g]       one outer product for each group
    shares           ln(t / p) - ln((1 - T) / (1 - P)) [key in S]   one outer product each, in rows
                     where the share p is below t; T and P are the sums of all that are lifted there

`Form` "dense" writes the same numbers into one B x H x Q x K array, for comparison.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import combinations
from typing import Literal

import torch
from torch import Tensor

from zhuyi.core import AttentionMatrix, Bias
from zhuyi.core.bias_terms import PerKeyTerm
from zhuyi.errors import NotSteerable, OptionError
from zhuyi.steer.relations import link_bias
from zhuyi.steer.rule import Rule
from zhuyi.trace.collector import BiasedCall

Form = Literal["low-rank", "dense"]


@dataclass(frozen=True, kw_only=True, eq=False)
class Active:
    """A rule with what it means in the rows of this pass.

    Args:
        rule: the rule.
        keys: bool [B, L], the positions it is about.
        rows: bool [B, L], the rows it holds for, or None for all.
        links: of a link, rows and keys bool [B, L, R], see `relations.link_masks`; else None.
    """

    rule: Rule
    keys: Tensor
    rows: Tensor | None = None
    links: tuple[Tensor, Tensor] | None = None


@dataclass(frozen=True, kw_only=True)
class Dose:
    """The bias of every call of one pass.

    Args:
        active: rules that hold now, in order, and mean something.
        layers: attention sites of a pass, if known.
        form: how the bias is written.
        length: positions L that the rules were matched in.
        new: those at their end that this pass computes.
        cached: whether keys come from a cache, with room behind them or the oldest gone.
        real: bool [B, L], the positions that are no padding; None where all are real.
    """

    active: tuple[Active, ...]
    layers: int | None = None
    form: Form = "low-rank"
    length: int = 0
    new: int = 0
    cached: bool = False
    real: Tensor | None = None
    _made: dict[tuple[object, ...], Bias] = field(default_factory=dict, repr=False, compare=False)

    def holding(self, call: BiasedCall) -> list[Active]:
        """The rules that hold in this layer."""
        return [
            one
            for one in self.active
            if one.rule.layers is None or one.rule.layers.holds(call.site.index, self.layers)
        ]

    def meant(self, one: Active, call: BiasedCall) -> Tensor:
        """Rows and heads, bool [B, H, Q], in which a rule means something; no padding."""
        B, H, Q, _ = call.shape
        rows_BQ = one.keys.any(1)[:, None].expand(B, Q)
        if one.rows is not None:
            rows_BQ = rows_BQ & self._rows(one.rows, Q)
        if self.real is not None and self.new == Q:
            rows_BQ = rows_BQ & self._rows(self.real, Q)
        return (rows_BQ[:, None] & _heads(one.rule, H)[None, :, None]).expand(B, H, Q)

    def bias(self, call: BiasedCall) -> Bias | None:
        """What is added to the scores of a call; None where no rule holds.

        Raises:
            NotSteerable: if the call's keys are not the positions in which the rules were matched.
            OptionError: for a head that the call does not have.
        """
        chosen = [one for one in self.holding(call) if not one.rule.removes]
        if not chosen:
            return None
        self._check(chosen, call)
        # Layers in which the same rules hold, without a share, have the same bias.
        key = (*(one.rule.id for one in chosen), call.shape)
        if key not in self._made:
            total = self._total(chosen, call)
            if any(one.rule.action == "share" for one in chosen):
                return total
            self._made[key] = total
        return self._made[key]

    def _total(self, chosen: Sequence[Active], call: BiasedCall) -> Bias:
        shares = [one for one in chosen if one.rule.action == "share"]
        others = [one for one in chosen if one.rule.action != "share"]
        plain = [one for one in others if one.rows is None and one.links is None]
        terms = [_per_key(plain, call)] if plain else []
        terms += self._with_rows([one for one in others if one.rows is not None], call)
        terms += [self._link(one, call) for one in others if one.links is not None]
        for group in _apart(shares):
            terms.append(self._shares(group, call, terms))
        total = Bias(tuple(term for bias in terms for term in bias.terms))
        if self.form == "dense":
            _, _, Q, K = call.shape
            return Bias.dense(total.block(slice(0, Q), slice(0, K)).expand(call.shape).clone())
        return total

    def _check(self, chosen: Sequence[Active], call: BiasedCall) -> None:
        B, H, _, K = call.shape
        rows = chosen[0].keys.shape[0]
        if (rows, self.length) != (B, self.length if self.cached else K):
            raise NotSteerable(
                f"{call.site.name} attends to {K} keys in {B} rows, and the rules were matched in "
                f"{self.length} positions of {rows} rows of the model's own input: rules on such "
                "layers are not supported, name the layers that they shall hold in"
            )
        if self.cached and call.site.kind == "cross":
            raise NotSteerable(
                f"{call.site.name} attends to another sequence than the one that the rules were "
                "matched in: name the layers that they shall hold in"
            )
        for one in chosen:
            if one.rule.heads and max(one.rule.heads) >= H:
                raise OptionError(
                    f"rule {one.rule.id!r} names head {max(one.rule.heads)}, and {call.site.name} "
                    f"has {H} (0 to {H - 1})"
                )

    def _rows(self, rows_BL: Tensor, Q: int) -> Tensor:
        """Which rows [B, Q] of a call are meant; one that is no position (a read-out) never is."""
        if self.new != Q:
            return rows_BL.new_zeros(rows_BL.shape[0], Q)
        return rows_BL[:, rows_BL.shape[1] - Q :]

    def _with_rows(self, chosen: Sequence[Active], call: BiasedCall) -> list[Bias]:
        """Rules for some rows only; those that mean the same rows and heads are one product."""
        B, H, Q, K = call.shape
        groups: dict[tuple[object, ...], list[Active]] = {}
        for one in chosen:
            rule = one.rule
            groups.setdefault((rule.sender, rule.heads, math.isinf(rule.bias)), []).append(one)
        found, columns = [], []
        for (_, _, vetoed), group in groups.items():
            assert group[0].rows is not None
            rows_BQ = self._rows(group[0].rows, Q)
            heads_H = _heads(group[0].rule, H)
            if vetoed:
                # -inf times 0 is no number, so a veto for some rows is a table: row in F, key in S.
                hit_BK = torch.stack([aligned(one.keys, K) for one in group]).any(0)
                values = torch.zeros(1, len(heads_H), 2, 2)
                values[0, heads_H, 1, 1] = -math.inf
                found.append(Bias.table(values, rows_BQ.long(), hit_BK.long()))
                continue
            keys_BK = torch.zeros(B, K)
            for one in group:
                keys_BK = keys_BK + one.rule.bias * aligned(one.keys, K)
            columns.append(((rows_BQ[:, None] & heads_H[None, :, None]).float(), keys_BK))
        if columns:
            heads = max(rows_BHQ.shape[1] for rows_BHQ, _ in columns)
            rows = [rows_BHQ.expand(-1, heads, -1) for rows_BHQ, _ in columns]
            keys_BKR = torch.stack([keys_BK for _, keys_BK in columns], -1)
            found.append(Bias.outer(torch.stack(rows, -1), keys_BKR[:, None]))
        return found

    def _link(self, one: Active, call: BiasedCall) -> Bias:
        assert one.links is not None
        _, H, Q, K = call.shape
        rows_BLR, keys_BLR = one.links
        rows_BQR = torch.stack([self._rows(rows, Q) for rows in rows_BLR.unbind(-1)], -1)
        keys_BKR = torch.stack([aligned(keys, K) for keys in keys_BLR.unbind(-1)], -1)
        if one.rows is not None:
            rows_BQR = rows_BQR & self._rows(one.rows, Q)[..., None]
        return link_bias(rows_BQR, keys_BKR, _heads(one.rule, H) * one.rule.bias)

    def _shares(self, group: Sequence[Active], call: BiasedCall, before: Sequence[Bias]) -> Bias:
        """What lifts every row's shares to the asked ones, where the row sees the keys at all."""
        _, H, Q, K = call.shape
        matrix = call.matrix()
        for bias in before:
            matrix = biased_matrix(matrix, bias)
        device = matrix.query.device
        hit_BKS = torch.stack([aligned(one.keys, K) for one in group], -1).to(device)
        asked = [self._asked(one, call).to(device) for one in group]
        asked_BHQS = torch.stack([one.expand(call.shape[:3]) for one in asked], -1)
        with torch.no_grad():
            hits = hit_BKS.to(matrix.query.dtype)[:, None].expand(-1, H, -1, -1)
            share_BHQS = (matrix @ hits).float()
        lift_BHQS = _lifts(share_BHQS, asked_BHQS)
        most = torch.tensor([one.rule.clamped(math.inf) for one in group], device=device)
        return Bias.outer(torch.minimum(lift_BHQS, most), hit_BKS[:, None].float())

    def _asked(self, one: Active, call: BiasedCall) -> Tensor:
        """The share [B|1, H|1, Q|1] that a rule asks of a row; 0 where it asks nothing."""
        _, H, Q, _ = call.shape
        wanted = one.rule.at_least
        assert wanted is not None
        asked = _heads(one.rule, H)[None, :, None] * wanted
        return asked if one.rows is None else asked * self._rows(one.rows, Q)[:, None]


def _per_key(chosen: Sequence[Active], call: BiasedCall) -> Bias:
    B, H, _, K = call.shape
    heads = H if any(one.rule.heads for one in chosen) else 1
    values_BHK = torch.zeros(B, heads, K)
    for one in chosen:
        hit_BHK = aligned(one.keys, K)[:, None] & _heads(one.rule, H)[None, :, None]
        values_BHK = values_BHK + torch.where(hit_BHK, one.rule.bias, 0.0)
    return Bias.per_key(values_BHK)


def _lifts(share_BHQS: Tensor, asked_BHQS: Tensor) -> Tensor:
    """The bias of each share's keys by which every share is at least the asked one; exact.

    Lifting some keys lowers all others, which may then have to be lifted as well.
    """
    able = (share_BHQS > 0) & (asked_BHQS > 0)
    lifted = able & (share_BHQS < asked_BHQS)
    for _ in range(share_BHQS.shape[-1]):
        asked = torch.where(lifted, asked_BHQS, 0.0).sum(-1, keepdim=True)
        had = torch.where(lifted, share_BHQS, 0.0).sum(-1, keepdim=True)
        others = (1.0 - asked).clamp_min(1e-6) / (1.0 - had).clamp_min(1e-6)
        more = lifted | (able & (share_BHQS * others < asked_BHQS * (1 - 1e-6)))
        if bool((more == lifted).all()):
            break
        lifted = more
    lift = (asked_BHQS.clamp_min(1e-30) / share_BHQS.clamp_min(1e-30)).log() - others.log()
    # A row that sees none of the keys cannot be lifted; one that sees nothing else need not be.
    return torch.where(lifted, lift, 0.0)


def _apart(shares: Sequence[Active]) -> list[list[Active]]:
    """Shares that are found together: all of them where their keys are apart, else one by one."""
    meet = any(bool((one.keys & two.keys).any()) for one, two in combinations(shares, 2))
    if meet:
        return [[one] for one in shares]
    return [list(shares)] if shares else []


def biased_matrix(matrix: AttentionMatrix, bias: Bias) -> AttentionMatrix:
    """A call's weights with a bias more; keys that it vetoes everywhere hold nothing."""
    bias = bias.to(matrix.query.device)
    key_BGKD = matrix.key
    for term in bias.terms:
        if isinstance(term, PerKeyTerm):  # a share must not be NaN because a vetoed key is
            gone_BK = torch.isneginf(term.values).all(1)
            key_BGKD = key_BGKD.masked_fill(gone_BK[:, None, :, None], 0.0)
    return AttentionMatrix(
        matrix.query,
        key_BGKD,
        bias=bias if matrix.bias is None else matrix.bias + bias,
        mask=matrix.mask,
        scale=matrix.scale,
        softcap=matrix.softcap,
        sink=matrix.sink,
    )


def _heads(rule: Rule, heads: int) -> Tensor:
    """Bool [H], or [1] where a rule holds for all heads."""
    if not rule.heads:
        return torch.ones(1, dtype=torch.bool)
    mask = torch.zeros(heads, dtype=torch.bool)
    mask[list(rule.heads)] = True
    return mask


def aligned(keys_BL: Tensor, K: int) -> Tensor:
    """Known positions as keys of a call [B, K].

    A cache of fixed size has room behind them, which nobody may look at yet; one that slides has
    dropped the oldest.
    """
    B, L = keys_BL.shape
    if K == L:
        return keys_BL
    if K > L:
        return torch.cat([keys_BL, keys_BL.new_zeros(B, K - L)], dim=1)
    return keys_BL[:, L - K :]
