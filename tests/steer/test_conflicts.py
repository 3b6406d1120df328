"""Rules that cannot both hold: against all attention there could be, and named by their ids."""

import re
from itertools import product
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import linprog

from zhuyi.errors import RuleConflict
from zhuyi.steer.conflicts import refuse_conflicts
from zhuyi.steer.dose import Active
from zhuyi.steer.layers import LayerRange
from zhuyi.steer.rule import Rule
from zhuyi.steer.selectors import Column

KEYS = 6


def mask(*rows: set[int]) -> torch.Tensor:
    found = torch.zeros(len(rows), KEYS, dtype=torch.bool)
    for row, chosen in enumerate(rows):
        found[row, sorted(chosen)] = True
    return found


def one(id: str, *rows: set[int], share: float | None = None, **options: Any) -> Active:
    senders = options.pop("rows", None)
    action: Any = "veto" if share is None else "share"
    sender = (Column(options.pop("named", "x")),) if senders is not None else ()
    rule = Rule(
        id=id, action=action, select=(Column("x"),), at_least=share, sender=sender, **options
    )
    return Active(rule=rule, keys=mask(*rows), rows=senders)


def refused(*active: Active, layers: int | None = None) -> str:
    try:
        refuse_conflicts(active, layers)
    except RuleConflict as error:
        return str(error)
    return ""


def test_three_shares_that_only_together_ask_for_too_much() -> None:
    three = [one(name, {n}, share=0.4) for n, name in enumerate("abc")]
    told = refused(*three)
    assert (
        told
        == "rules 'a', 'b' and 'c' together ask for 1.2 of the attention: less than 1 can be had"
    )
    assert not refused(*three[:2])
    assert not refused(*three[:2], one("c", {1, 5}, share=0.4)), "shared keys serve both"


def test_the_fewest_are_named() -> None:
    told = refused(*(one(f"s{n}", {n}, share=s) for n, s in enumerate((0.1, 0.7, 0.1, 0.6))))
    assert re.findall(r"'(\w+)'", told) == ["s1", "s3"]


def test_only_where_they_hold_together() -> None:
    for apart in (
        ({"heads": (0,)}, {"heads": (1,)}),
        ({"layers": LayerRange("0")}, {"layers": LayerRange("1-2")}),
        ({"layers": LayerRange("0.0-0.4")}, {"layers": LayerRange("0.6-1.0")}),
        ({"rows": mask({0, 1})}, {"rows": mask({2})}),
    ):
        first, second = (one(n, {p}, share=0.6, **o) for n, p, o in zip("ab", (0, 1), apart))
        assert not refused(first, second, layers=5), apart
        assert refused(first, one("b", {1}, share=0.6), layers=5), apart
        veto = one("v", {0}, **{**apart[1], "guarantee": "direct"})
        assert not refused(first, veto, layers=5), apart
    # In different inputs of a batch they never meet either.
    assert not refused(one("a", {0}, set(), share=0.6), one("b", set(), {1}, share=0.6))
    assert refused(one("a", {0}, {0}, share=0.6), one("b", set(), {1}, share=0.6))


def test_vetoes_that_only_together_take_all_of_a_share() -> None:
    share = one("s", {0, 1}, share=0.2)
    first, second = one("v", {0}), one("w", {1, 2})
    assert not refused(share, first)
    assert refused(share, first, second) == (
        "rule 's' asks for a share of what rules 'v' and 'w' veto: drop one of them"
    )
    assert "what rule 'v' vetoes" in refused(one("s", {0}, share=0.2), first)
    here = one("w", {1}, rows=mask({3}), guarantee="direct")
    assert refused(share, first, here)
    assert not refused(one("s", {0, 1}, share=0.2, rows=mask({2}), named="y"), first, here)


@settings(max_examples=80, deadline=None, derandomize=True, database=None)
@given(
    st.lists(
        st.tuples(st.sets(st.integers(0, 3), min_size=1, max_size=2), st.floats(0.05, 0.9)),
        min_size=1,
        max_size=5,
    )
)
def test_nothing_that_could_be_had_is_refused_and_sets_apart_never_pass(
    asked: list[tuple[set[int], float]],
) -> None:
    """Against all weights there are (a linear program), and all sets of shares by brute force."""
    told = refused(*(one(f"s{n}", keys, share=share) for n, (keys, share) in enumerate(asked)))
    rows = [[-float(key in keys) for key in range(KEYS)] for keys, _ in asked]
    best = linprog(
        c=[1.0] * KEYS, A_ub=rows, b_ub=[-share for _, share in asked], bounds=(0, None)
    )  # the least attention that gives every share
    if told:
        assert best.fun >= 1 - 1e-6
    apart = 0.0
    for chosen in product((False, True), repeat=len(asked)):
        sets = [entry for entry, taken in zip(asked, chosen, strict=True) if taken]
        if sum(len(keys) for keys, _ in sets) == len(set().union(*(keys for keys, _ in sets))):
            apart = max(apart, sum(share for _, share in sets))
    assert bool(told) == (apart >= 1 - 1e-9)


def test_what_is_left_to_chance_is_not_refused() -> None:
    """Not found: shares that overlap in pairs and cannot be had all the same; each is lifted."""
    ring = [one(f"s{n}", {n, (n + 1) % 3}, share=0.7) for n in range(3)]
    assert not refused(*ring)


@pytest.mark.parametrize("shares", [0, 12])
def test_many_shares(shares: int) -> None:
    many = [one(f"s{n}", {n % KEYS}, share=0.15) for n in range(shares)]
    assert not refused(*many)
