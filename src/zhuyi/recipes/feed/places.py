"""From scores to places in a list, before and after."""

import math
from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt

from zhuyi.recipes.feed.listing import Gone, Offer, RuleOnFeed
from zhuyi.recipes.feed.movielens import Film
from zhuyi.recipes.feed.protocol import best
from zhuyi.steer.rule import CLAMP, Rule

Floats = npt.NDArray[np.float64]

_NOBODY = np.empty(0, dtype=np.int64)
_TITLES = 5


def log_shares(scores: Floats) -> Floats:
    """ln of the softmax over the last axis; films that are not offered have -inf."""
    top = scores.max(-1, keepdims=True)
    shifted = scores - np.where(np.isfinite(top), top, 0.0)
    total = np.exp(shifted).sum(-1, keepdims=True)
    # where nothing is offered the sum is 0, and every share stays 0
    logs: Floats = shifted - np.log(np.where(total > 0, total, 1.0))
    return logs


def log_odds(log_share: Floats) -> Floats:
    """ln(p / (1 - p)) of ln p."""
    with np.errstate(divide="ignore"):
        odds: Floats = log_share - np.log(-np.expm1(np.minimum(log_share, -1e-12)))
    return odds


def place_of(scores: Floats, film: int) -> int | None:
    """Where a film stands, 1 is first; None where it is not offered.

    Example:
        >>> place_of(np.array([0.5, 2.0, -np.inf]), 0), place_of(np.array([0.5, -np.inf]), 1)
        (2, None)
    """
    own = scores[film]
    if np.isneginf(own):
        return None
    ahead = (scores > own).sum() + (scores[:film] == own).sum()
    return int(ahead) + 1


def offers_of(
    after: Floats, before: Floats, without: Mapping[str, Floats], at: int
) -> tuple[Offer, ...]:
    """The first films under all rules, without their reasons."""
    shares = np.exp(log_shares(after))
    found = []
    for place, film in enumerate(best(after, _NOBODY, at).tolist(), start=1):
        place_before = place_of(before, film)
        assert place_before is not None, "rules never add a film to those that may be offered"
        found.append(
            Offer(
                film=film,
                share=float(shares[film]),
                place=place,
                place_before=place_before,
                place_without={name: place_of(scores, film) for name, scores in without.items()},
                reasons=(),
            )
        )
    return tuple(found)


def gone_of(after: Floats, before: Floats, at: int) -> tuple[Gone, ...]:
    """Films that the rules took out of the list, in their old order."""
    now = set(best(after, _NOBODY, at).tolist())
    return tuple(
        Gone(film=film, place_before=place, place=place_of(after, film))
        for place, film in enumerate(best(before, _NOBODY, at).tolist(), start=1)
        if film not in now
    )


def rule_on_feed(
    rule: Rule,
    seen: Sequence[int],
    shown: Sequence[int],
    after: Floats,
    without: Floats,
    films: Sequence[Film],
    at: int,
) -> RuleOnFeed:
    """What one rule did.

    Args:
        rule: the rule.
        seen: films of the history that it means.
        shown: films that it means and that may be offered but for rules.
        after: scores under all rules.
        without: scores under all but this one.
        films: the catalog.
        at: films of the list.
    """
    now, then = (set(best(one, _NOBODY, at).tolist()) for one in (after, without))
    about = sorted(shown)
    shares_now, shares_then = (np.exp(log_shares(one)) for one in (after, without))
    weighs = rule.action in ("boost", "damp")
    return RuleOnFeed(
        id=rule.id,
        action=rule.action,
        seen=len(seen),
        shown=len(shown),
        titles=tuple(films[film].title for film in dict.fromkeys((*seen, *shown)))[:_TITLES],
        moved=len(now - then),
        among_before=len(then & set(about)),
        among=len(now & set(about)),
        share_before=float(shares_then[about].sum()),
        share=float(shares_now[about].sum()),
        dose=rule.bias if weighs else None,
        clamped=weighs and not rule.beyond and abs(math.log(rule.weight or 1.0)) > CLAMP,
    )
