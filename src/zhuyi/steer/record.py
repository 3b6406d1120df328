"""What is known of a steering: what matched, how strong, and what came of it."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import torch

from zhuyi.core import AttentionMatrix, Bias
from zhuyi.steer.dose import Dose, aligned, biased_matrix
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

    Over the rows for which a rule holds, padding left out, the heads and sites where it holds, and
    the inputs in which it means something.

    Args:
        steered: rule id -> sum of the shares with the rules.
        plain: the same from the same scores without the rules (but what came in from earlier
            layers had them).
        counts: rule id -> rows, heads and sites that were summed.
        short: rule id -> those in which an asked share was not reached though it could be seen.
    """

    steered: dict[str, float] = field(default_factory=dict)
    plain: dict[str, float] = field(default_factory=dict)
    counts: dict[str, int] = field(default_factory=dict)
    short: dict[str, int] = field(default_factory=dict)

    def measure(self, call: BiasedCall, bias: Bias | None, dose: Dose) -> None:
        """Add one call. Cost: two streamed passes a rule."""
        plain = call.matrix()
        steered = plain if bias is None else biased_matrix(plain, bias)
        for one in dose.holding(call):
            where = dose.meant(one, call)
            if not bool(where.any()):
                continue
            name, asked = one.rule.id, one.rule.at_least
            for kept, matrix in ((self.plain, plain), (self.steered, steered)):
                share = _share(matrix, aligned(one.keys, call.shape[3]))[where]
                kept[name] = kept.get(name, 0.0) + float(share.double().sum())
            if asked is not None:
                low = (share > 0) & (share < asked * (1 - 1e-3))
                self.short[name] = self.short.get(name, 0) + int(low.sum())
            self.counts[name] = self.counts.get(name, 0) + int(where.sum())


def _share(matrix: AttentionMatrix, keys_BK: torch.Tensor) -> torch.Tensor:
    """The share [B, H, Q] that every row gives to some keys."""
    B, H, _, _ = matrix.shape
    hit = keys_BK.to(matrix.query.device, matrix.query.dtype)[:, None, :, None]
    with torch.no_grad():
        share_BHQ: torch.Tensor = (matrix @ hit.expand(B, H, -1, -1))[..., 0]
    return share_BHQ.float().cpu()
