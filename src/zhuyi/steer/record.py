"""What is known of a steering: what matched, how strong, and what came of it."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import torch

from zhuyi.core import AttentionMatrix, Bias
from zhuyi.steer.dose import Dose, _aligned, _biased
from zhuyi.steer.rule import Rule
from zhuyi.steer.selectors import Matched
from zhuyi.trace.collector import BiasedCall


@dataclass(frozen=True, kw_only=True)
class MatchedRule:
    """What one rule meant in all that was read.

    Args:
        rule: the rule.
        rows: rows in which it meant something.
        offered: rows that were read.
        positions: positions in all.
        shown: the first few texts or names that matched, each once.
        cut: positions that also hold something else.
    """

    rule: Rule
    rows: int
    offered: int
    positions: int
    shown: tuple[str, ...]
    cut: int

    @classmethod
    def of(cls, rule: Rule, rows: Sequence[Matched]) -> "MatchedRule":
        """What a rule meant in some rows."""
        shown = dict.fromkeys(text for row in rows for text in row.shown)
        return cls(
            rule=rule,
            rows=sum(bool(row.positions) for row in rows),
            offered=len(rows),
            positions=sum(len(row.positions) for row in rows),
            shown=tuple(shown)[:8],
            cut=sum(len(row.cut) for row in rows),
        )

    def joined(self, other: "MatchedRule") -> "MatchedRule":
        """Both together."""
        shown = dict.fromkeys((*self.shown, *other.shown))
        return MatchedRule(
            rule=self.rule,
            rows=self.rows + other.rows,
            offered=self.offered + other.offered,
            positions=max(self.positions, other.positions),
            shown=tuple(shown)[:8],
            cut=max(self.cut, other.cut),
        )


@dataclass(kw_only=True)
class Shares:
    """Shares of attention on what rules are about, summed while a model runs.

    Args:
        steered: rule id -> sum over rows, heads and sites of the share with the rules.
        plain: the same from the same scores without the rules.
        counts: rule id -> rows, heads and sites that were summed.
    """

    steered: dict[str, float] = field(default_factory=dict)
    plain: dict[str, float] = field(default_factory=dict)
    counts: dict[str, int] = field(default_factory=dict)

    def measure(self, call: BiasedCall, bias: Bias | None, dose: Dose) -> None:
        """Add one call. Cost: two streamed passes a rule."""
        plain = call.matrix()
        steered = plain if bias is None else _biased(plain, bias)
        for one in dose.active:
            for kept, matrix in ((self.plain, plain), (self.steered, steered)):
                total, count = _share(matrix, _aligned(one.keys, call.shape[3]))
                kept[one.rule.id] = kept.get(one.rule.id, 0.0) + total
            self.counts[one.rule.id] = self.counts.get(one.rule.id, 0) + count


def _share(matrix: AttentionMatrix, keys_BK: torch.Tensor) -> tuple[float, int]:
    """Sum of the shares on some keys over rows and heads, of the rows in which they are meant."""
    B, H, Q, _ = matrix.shape
    used = keys_BK.any(1)
    hit = keys_BK.to(matrix.query.device, matrix.query.dtype)[:, None, :, None]
    with torch.no_grad():
        share_BHQ = (matrix @ hit.expand(B, H, -1, -1))[..., 0]
    return float(share_BHQ[used.to(share_BHQ.device)].double().sum()), int(used.sum()) * H * Q
