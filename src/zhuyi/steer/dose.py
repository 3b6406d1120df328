"""From matched rules to the bias of one attention call: low rank, so the fused kernel stays on.

    per-key rules    sum_r ln(w_r) [key in S_r]                one number a key, rank 1
    rules with from  ln(w_r) [row in F_r] [key in S_r]         one outer product each
    shares           max(0, logit(t) - logit(share_i)) [key in S_r]   one outer product each

`Form` "dense" writes the same numbers into one B x H x Q x K array, for comparison.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor

from zhuyi.core import AttentionMatrix, Bias
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
    """

    rule: Rule
    keys: Tensor
    rows: Tensor | None = None


@dataclass(frozen=True, kw_only=True)
class Dose:
    """The bias of every call of one pass.

    Args:
        active: rules that hold now, in order, and mean something.
        layers: attention sites of a pass, if known.
        form: how the bias is written.
    """

    active: tuple[Active, ...]
    layers: int | None = None
    form: Form = "low-rank"

    def bias(self, call: BiasedCall) -> Bias | None:
        """What is added to the scores of a call; None where no rule holds."""
        chosen = [
            one
            for one in self.active
            if one.rule.layers is None or one.rule.layers.holds(call.site.index, self.layers)
        ]
        if not chosen:
            return None
        keys_only = [one for one in chosen if one.rows is None and one.rule.action != "share"]
        terms = [_per_key(keys_only, call)] if keys_only else []
        terms += [_with_rows(one, call) for one in chosen if one.rows is not None]
        for one in chosen:
            if one.rule.action == "share":
                terms.append(_share(one, call, terms))
        total = Bias(tuple(term for bias in terms for term in bias.terms))
        if self.form == "dense":
            _, _, Q, K = call.shape
            return Bias.dense(total.block(slice(0, Q), slice(0, K)).expand(call.shape).clone())
        return total


def _per_key(chosen: Sequence[Active], call: BiasedCall) -> Bias:
    B, H, _, K = call.shape
    heads = H if any(one.rule.heads for one in chosen) else 1
    values_BHK = torch.zeros(B, heads, K)
    for one in chosen:
        hit_B1K = _aligned(one.keys, K)[:, None].expand(B, heads, K)
        if one.rule.heads:
            hit_B1K = hit_B1K & _head_mask(one.rule, H)[None, :, None]
        values_BHK = values_BHK + torch.where(hit_B1K, one.rule.bias, 0.0)
    return Bias.per_key(values_BHK)


def _with_rows(one: Active, call: BiasedCall) -> Bias:
    """A rule for some rows only."""
    B, H, Q, K = call.shape
    assert one.rows is not None
    rows_BQ = _last(one.rows, Q)
    keys_BK = _aligned(one.keys, K)
    heads = _head_mask(one.rule, H) if one.rule.heads else torch.ones(1, dtype=torch.bool)
    if math.isinf(one.rule.bias):
        # -inf times 0 is no number, so a veto for some rows is a table: row in F, key in S.
        values = torch.zeros(1, len(heads), 2, 2)
        values[0, heads, 1, 1] = -math.inf
        values = values.expand(B, -1, -1, -1) if B > 1 else values
        return Bias.table(values, rows_BQ.long(), keys_BK.long())
    strength_HQ = torch.where(heads, one.rule.bias, 0.0)[None, :, None]
    rows = (strength_HQ * rows_BQ[:, None]).unsqueeze(-1)
    return Bias.outer(rows, keys_BK[:, None, :, None].float())


def _share(one: Active, call: BiasedCall, before: Sequence[Bias]) -> Bias:
    """What lifts every row's share on the keys to the asked one, where the row sees them at all."""
    _, H, Q, K = call.shape
    matrix = call.matrix()
    for bias in before:
        matrix = _biased(matrix, bias)
    keys_BK = _aligned(one.keys, K)
    wanted = one.rule.at_least
    assert wanted is not None
    device = matrix.query.device
    with torch.no_grad():
        hit_BHK1 = keys_BK.to(device, torch.float32)[:, None, :, None].expand(-1, H, -1, -1)
        share_BHQ = (matrix @ hit_BHK1.to(matrix.query.dtype))[..., 0].float()
    # A row that sees none of the keys cannot be lifted; one that sees nothing else need not be.
    able = (share_BHQ > 0) & (share_BHQ < wanted)
    inside = share_BHQ.clamp(1e-30, 1 - 1e-6)
    lift_BHQ = math.log(wanted / (1 - wanted)) - (inside / (1 - inside)).log()
    if not one.rule.beyond:
        lift_BHQ = lift_BHQ.clamp(max=one.rule.clamped(math.inf))
    lift_BHQ = torch.where(able, lift_BHQ, 0.0)
    if one.rows is not None:
        lift_BHQ = lift_BHQ * _last(one.rows, Q).to(device)[:, None]
    if one.rule.heads:
        lift_BHQ = lift_BHQ * _head_mask(one.rule, H).to(device)[None, :, None]
    return Bias.outer(lift_BHQ[..., None], hit_BHK1[:, :1])


def _biased(matrix: AttentionMatrix, bias: Bias) -> AttentionMatrix:
    bias = bias.to(matrix.query.device)
    return AttentionMatrix(
        matrix.query,
        matrix.key,
        bias=bias if matrix.bias is None else matrix.bias + bias,
        mask=matrix.mask,
        scale=matrix.scale,
        softcap=matrix.softcap,
        sink=matrix.sink,
    )


def _head_mask(rule: Rule, heads: int) -> Tensor:
    mask = torch.zeros(heads, dtype=torch.bool)
    mask[[head for head in rule.heads if head < heads]] = True
    return mask


def _aligned(keys_BL: Tensor, K: int) -> Tensor:
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


def _last(rows_BL: Tensor, Q: int) -> Tensor:
    return rows_BL[:, rows_BL.shape[1] - Q :]
