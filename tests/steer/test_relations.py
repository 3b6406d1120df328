"""Links: who is joined to whom, and that the bias counts every pair once."""

import math
from pathlib import Path

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.steer.test_concepts import OBO, written
from zhuyi.errors import OptionError
from zhuyi.steer import relations
from zhuyi.steer.layout import Layout
from zhuyi.steer.relations import Pair, Relation, link_bias, link_masks
from zhuyi.steer.selectors import Text


def words(text: str) -> Layout:
    """One position a word of the text."""
    spans, at = [], 0
    for word in text.split(" "):
        spans.append((at, at + len(word)))
        at += len(word) + 1
    return Layout(length=len(spans), text=text, spans=tuple(spans))


def joined(relation: Relation, text: str) -> set[tuple[int, int]]:
    pairs = relation.pairs(words(text))
    return {(row, key) for pair in pairs for row in pair.rows for key in pair.keys}


def both(*pairs: tuple[int, int]) -> set[tuple[int, int]]:
    return {one for row, key in pairs for one in ((row, key), (key, row))}


CHAIN = {"a": ["b"], "b": ["c"], "c": ["d"]}


def test_hops() -> None:
    text = "a x b c a d"
    one = both((0, 2), (2, 4), (2, 3), (3, 5))
    two = one | both((0, 3), (3, 4), (2, 5))
    assert joined(Relation(graph=CHAIN), text) == one
    assert joined(Relation(graph=CHAIN, max_hops=2), text) == two
    assert joined(Relation(graph=CHAIN, max_hops=9), text) == two | both((0, 5), (4, 5))


def test_what_stands_alone_is_no_pair() -> None:
    assert not Relation(graph=CHAIN).pairs(words("a a x d"))
    assert not Relation(graph=CHAIN).match(words("a a x d")).positions
    assert Relation(graph=CHAIN).match(words("a x b d")).positions == {0, 2}


def test_an_ontology(tmp_path: Path) -> None:
    file = written(tmp_path, "made.obo", OBO)
    text = "cough and sweet blood and early sugar sickness"
    sweet, early = (2, 3), (5, 6, 7)
    one = both(*((row, key) for row in sweet for key in early))
    # A cough and sugar sickness are both disorders: two steps; the early kind is one more.
    two = one | both((0, 2), (0, 3))
    assert joined(Relation(ontology=file), text) == one
    assert joined(Relation(ontology=file, max_hops=2), text) == two
    assert joined(Relation("part_of", ontology=file), "islet of the pancreas") == both((0, 3))
    assert joined(Relation("part of", ontology=file), "islet of the pancreas") == both((0, 3))


def test_a_name_within_a_longer_one_is_not_meant() -> None:
    graph = {"heart failure": ["heart"], "heart": ["blood"]}
    assert joined(Relation(graph=graph), "heart failure blood") == set()
    assert joined(Relation(graph=graph), "heart failure heart blood") == both(
        (0, 2), (1, 2), (2, 3)
    )


def test_options() -> None:
    with pytest.raises(OptionError, match="needs an ontology or a graph"):
        Relation()
    with pytest.raises(OptionError, match="needs an ontology or a graph"):
        Relation(ontology="a.obo", graph=CHAIN)
    with pytest.raises(OptionError, match="max_hops must be 1 or more"):
        Relation(graph=CHAIN, max_hops=0)
    with pytest.raises(OptionError, match="a link needs a Relation, got Text"):
        link_masks([Text("a")], [words("a")])


def dense(select: list[Relation], layouts: list[Layout], bias: float) -> torch.Tensor:
    """ln(w) at every pair, by going through them."""
    length = max(layout.length for layout in layouts)
    found = torch.zeros(len(layouts), 1, length, length)
    for place, layout in enumerate(layouts):
        for relation in select:
            for pair in relation.pairs(layout):
                for row in pair.rows:
                    for key in pair.keys:
                        found[place, 0, row, key] = bias
    return found


LETTERS = st.lists(st.sampled_from("abcdxy"), min_size=1, max_size=8).map(" ".join)


@given(st.lists(LETTERS, min_size=1, max_size=3), st.integers(1, 3), st.booleans())
@settings(deadline=None)
def test_every_pair_counts_once(texts: list[str], hops: int, several: bool) -> None:
    select = [Relation(graph=CHAIN, max_hops=hops)]
    if several:
        select.append(Relation(graph={"a": ["b", "x"]}))
    layouts = [words(text) for text in texts]
    rows, keys = link_masks(select, layouts)
    length = rows.shape[1]
    assert rows.sum(-1).max() <= 1  # no row is in two groups
    strength = torch.tensor([math.log(2.0)])
    got = link_bias(rows, keys, strength).block(slice(0, length), slice(0, length))
    torch.testing.assert_close(
        got.expand(len(texts), 1, -1, -1), dense(select, layouts, math.log(2.0))
    )


def test_heads_of_their_own() -> None:
    rows, keys = link_masks([Relation(graph=CHAIN)], [words("a b")])
    got = link_bias(rows, keys, torch.tensor([0.0, 1.5])).block(slice(0, 2), slice(0, 2))
    assert got[0].tolist() == [[[0, 0], [0, 0]], [[0, 1.5], [1.5, 0]]]


def test_many_groups_fall_back_to_an_array_and_say_so(monkeypatch: pytest.MonkeyPatch) -> None:
    layouts, select = [words("a b c x d")], [Relation(graph=CHAIN)]
    rows, keys = link_masks(select, layouts)
    few = link_bias(rows, keys, torch.ones(1)).block(slice(0, 5), slice(0, 5))
    monkeypatch.setattr(relations, "LARGEST_RANK", 1)
    with pytest.warns(UserWarning, match=r"a link joins 4 groups.* 1 x 1 x 5 x 5 numbers"):
        many = link_bias(rows, keys, torch.ones(1))
    torch.testing.assert_close(many.block(slice(0, 5), slice(0, 5)), few)


def test_nothing_joined_is_rank_0() -> None:
    rows, keys = link_masks([Relation(graph=CHAIN)], [words("x y")])
    assert rows.shape == keys.shape == (1, 2, 0)
    bias = link_bias(rows, keys, torch.ones(1))
    assert not bias.block(slice(0, 2), slice(0, 2)).any()


def test_pairs_are_named() -> None:
    assert Relation(graph={"a": ["b"]}).pairs(words("a b")) == [
        Pair(frozenset({0}), frozenset({1})),
        Pair(frozenset({1}), frozenset({0})),
    ]
