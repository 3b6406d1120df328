"""Rules that cannot both hold, named by both ids."""

from collections.abc import Iterator, Sequence

import torch
from torch import Tensor

from zhuyi.errors import RuleConflict
from zhuyi.steer.dose import Active


def refuse_conflicts(active: Sequence[Active], layers: int | None = None) -> None:
    """Hard contradictions in what matched, wherever rules hold together.

    Args:
        active: the rules, as they matched.
        layers: attention sites of a pass, if known.
    Raises:
        RuleConflict: for a share of keys that are all vetoed, or shares of different keys that ask
            for all of a row's attention or more. All of them count, not only two.
    """
    shares = [one for one in active if one.rule.action == "share"]
    vetoes = [one for one in active if one.rule.action == "veto"]
    if not shares:
        return
    # The largest first, so that a conflict is told by few rules.
    shares.sort(key=lambda one: -(one.rule.at_least or 0.0))
    for together in _places([*vetoes, *shares], layers):
        meant = [one for one in shares if one in together]
        for share in meant:
            _refuse_vetoed(share, [one for one in vetoes if one in together])
        if sum(one.rule.at_least or 0.0 for one in meant) >= 1:
            everywhere = torch.ones(1, 1, dtype=torch.bool)
            _refuse_sums((), meant, everywhere)


def _places(active: Sequence[Active], layers: int | None) -> Iterator[list[Active]]:
    """Which rules hold together, for every kind of layer and head there is."""
    named = [one.rule.layers.highest or 0 for one in active if one.rule.layers is not None]
    depth = layers or max([0, *named]) + 2
    heads = max((head for one in active for head in one.rule.heads), default=-1) + 2
    told = set[tuple[int, ...]]()
    for layer in range(depth):
        for head in range(heads):
            held = tuple(
                place
                for place, one in enumerate(active)
                if (one.rule.layers is None or one.rule.layers.holds(layer, depth))
                and (not one.rule.heads or head in one.rule.heads)
            )
            if held not in told:
                told.add(held)
                yield [active[place] for place in held]


def _refuse_vetoed(share: Active, vetoes: Sequence[Active]) -> None:
    """Of keys that are vetoed in part, the others carry the share."""
    senders = {one.rule.sender: one for one in vetoes}
    for sender, example in {(): None, **senders}.items():
        meant = [one for one in vetoes if one.rule.sender in ((), sender)]
        gone = torch.zeros_like(share.keys)
        for veto in meant:
            gone = gone | veto.keys
        rows = _both(share.rows, None if example is None else example.rows)
        lost = share.keys.any(1) & ~(share.keys & ~gone).any(1)
        if bool((lost & rows.any(1)).any()):
            names = [one.rule.id for one in meant if bool((one.keys & share.keys).any())]
            raise RuleConflict(
                f"rule {share.rule.id!r} asks for a share of what {_named(names)} "
                f"veto{'es' if len(names) == 1 else ''}: drop one of them"
            )


def _refuse_sums(chosen: tuple[Active, ...], left: Sequence[Active], rows_BL: Tensor) -> None:
    """Every set of shares whose keys are apart, in inputs and rows where all of them hold."""
    asked = sum(one.rule.at_least or 0.0 for one in chosen)
    if asked >= 1 - 1e-9:
        raise RuleConflict(
            f"{_named([one.rule.id for one in chosen])} together ask for {asked:g} of the "
            "attention: less than 1 can be had"
        )
    for place, one in enumerate(left):
        if asked + sum(other.rule.at_least or 0.0 for other in left[place:]) < 1 - 1e-9:
            return
        apart = one.keys.any(1)
        for other in chosen:
            apart = apart & ~(one.keys & other.keys).any(1)
        rows = rows_BL & _both(one.rows, None) & apart[:, None]
        if bool(rows.any()):
            _refuse_sums((*chosen, one), left[place + 1 :], rows)


def _both(one: Tensor | None, other: Tensor | None) -> Tensor:
    """Rows of both, bool "B|1 L|1"; None are all rows."""
    rows = torch.ones(1, 1, dtype=torch.bool)
    for given in (one, other):
        rows = rows if given is None else rows & given
    return rows


def _named(ids: Sequence[str]) -> str:
    names = [repr(one) for one in ids]
    if len(names) == 1:
        return f"rule {names[0]}"
    return f"rules {', '.join(names[:-1])} and {names[-1]}"


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
