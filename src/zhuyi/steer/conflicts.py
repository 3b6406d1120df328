"""Rules that cannot both hold, named by both ids."""

from collections.abc import Iterator, Sequence

from zhuyi.errors import RuleConflict
from zhuyi.steer.dose import Active


def refuse_conflicts(active: Sequence[Active]) -> None:
    """Hard contradictions in what matched.

    Raises: RuleConflict: for a veto and a share of the same key, or shares that ask for more
        than all of a row's attention.
    """
    shares = [one for one in active if one.rule.action == "share"]
    vetoes = [one for one in active if one.rule.action == "veto"]
    for share in shares:
        for veto in vetoes:
            # A share of keys that are all vetoed cannot be had; of some, the others carry it.
            left = share.keys & ~veto.keys
            lost = share.keys.any(1) & ~left.any(1)
            if bool(lost.any()):
                raise RuleConflict(
                    f"rule {share.rule.id!r} asks for a share of what rule {veto.rule.id!r} "
                    "vetoes: drop one of them"
                )
    for place, first in enumerate(shares):
        for second in shares[place + 1 :]:
            apart = not bool((first.keys & second.keys).any())
            total = (first.rule.at_least or 0) + (second.rule.at_least or 0)
            if apart and total >= 1:
                raise RuleConflict(
                    f"rules {first.rule.id!r} and {second.rule.id!r} together ask for "
                    f"{total:g} of the attention: less than 1 can be had"
                )


def told_conflicts(active: Sequence[Active]) -> Iterator[str]:
    """Rules that work against each other, as sentences: defined, and maybe not meant."""
    for place, first in enumerate(active):
        for second in active[place + 1 :]:
            if not bool((first.keys & second.keys).any()):
                continue
            kinds = {first.rule.action, second.rule.action}
            names = f"rules {first.rule.id!r} and {second.rule.id!r}"
            if kinds == {"boost", "damp"}:
                yield f"{names} raise and lower the same keys: their weights are multiplied"
            elif "veto" in kinds and kinds & {"boost", "damp", "link"}:
                yield f"{names} meet on the same keys: the veto holds"
