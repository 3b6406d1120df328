"""Pairs of positions that knowledge joins, for rules that link them; compiled by concept group.

    bias[i, j] = ln(w) if the concepts at i and j are within `max_hops` of each other, else 0
               = sum over groups g   ln(w) [i in g] [j is related to g]          rank = groups

A group is a set of positions that stand for the same concepts. Groups share no position, so no pair
is counted twice.
"""

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Final, NamedTuple, Protocol, runtime_checkable

import torch
from torch import Tensor

from zhuyi.core import Bias
from zhuyi.errors import OptionError
from zhuyi.steer.concepts import NAMES, check_names
from zhuyi.steer.layout import Layout
from zhuyi.steer.ontology import IS_A, Edges, Ontology, reached, read_ontology
from zhuyi.steer.phrases import Phrases
from zhuyi.steer.selectors import Matched, spanned

#: Beyond it the extra channels cost more than one array of the pairs.
LARGEST_RANK: Final = 64

Concepts = Mapping[str, tuple[str, ...]]


class Pair(NamedTuple):
    """Rows that attend to keys."""

    rows: frozenset[int]
    keys: frozenset[int]


@runtime_checkable
class Linking(Protocol):
    """A selector that joins positions."""

    def match(self, layout: Layout) -> Matched:
        """All positions that are joined to another."""
        ...

    def pairs(self, layout: Layout) -> list[Pair]:
        """Groups of rows with the keys they are joined to; no row is in two of them."""
        ...


@dataclass(frozen=True)
class Relation:
    """Concepts that an ontology or a graph joins.

    Args:
        relation: name of the relation in the ontology ("is_a", "part_of", ...).
        ontology: an OBO, OWL or SKOS file; or
        graph: phrase -> phrases that it is joined to.
        max_hops: steps between two concepts, either way, at most; 1 or more.
        names: which names of a concept count, as in `Concept`.
    Raises:
        OptionError: without or with both of ontology and graph, or for hops below 1.
    Not: knowledge of a sentence. Two concepts are joined wherever their names stand.

    Example:
        >>> drugs = Relation(graph={"metformin": ["diabetes"], "insulin": ["diabetes"]})
        >>> layout = Layout(length=2, text="metformin diabetes", spans=((0, 9), (10, 18)))
        >>> [(sorted(rows), sorted(keys)) for rows, keys in drugs.pairs(layout)]
        [([0], [1]), ([1], [0])]
    """

    relation: str = IS_A
    ontology: str = ""
    graph: Mapping[str, Sequence[str]] = field(default_factory=dict, hash=False)
    max_hops: int = 1
    names: tuple[str, ...] = NAMES

    def __post_init__(self) -> None:
        # Copied: nobody changes a rule from outside, and a list means what a tuple means.
        copy = {one: tuple(others) for one, others in self.graph.items()}
        object.__setattr__(self, "graph", copy)
        check_names(self.names)
        if bool(self.ontology) == bool(self.graph):
            raise OptionError("a relation needs an ontology or a graph, one of them")
        if self.max_hops < 1:
            raise OptionError(f"max_hops must be 1 or more, got {self.max_hops}")

    def match(self, layout: Layout) -> Matched:
        """All positions that are joined to another."""
        concepts, places = self._places(layout)
        joined = self._joined(concepts)
        used = [one for one in concepts if joined[one] & concepts]
        return spanned(layout, sorted(span for one in used for span in places[one]))

    def pairs(self, layout: Layout) -> list[Pair]:
        """Groups of rows with the keys they are joined to; no row is in two of them."""
        concepts, places = self._places(layout)
        joined = self._joined(concepts)
        at = {one: spanned(layout, places[one]).positions for one in concepts}
        groups: dict[frozenset[int], set[int]] = {}
        for row in sorted(frozenset[int]().union(*at.values())):
            near = frozenset[str]().union(*(joined[one] for one in concepts if row in at[one]))
            keys = frozenset[int]().union(*(at[one] for one in concepts & near))
            if keys:
                groups.setdefault(keys, set()).add(row)
        return [Pair(frozenset(rows), keys) for keys, rows in groups.items()]

    def _places(self, layout: Layout) -> tuple[frozenset[str], dict[str, list[tuple[int, int]]]]:
        """Concepts that the text names, and where; a name within a longer one does not count."""
        concepts, phrases, _ = self._known()
        places: dict[str, list[tuple[int, int]]] = {}
        for start, stop, name in phrases.longest(layout.text):
            for concept in concepts[name]:
                places.setdefault(concept, []).append((start, stop))
        return frozenset(places), places

    def _joined(self, concepts: frozenset[str]) -> dict[str, frozenset[str]]:
        _, _, edges = self._known()
        return {one: reached(one, edges, self.max_hops) - {one} for one in concepts}

    def _known(self) -> tuple[Concepts, Phrases, Edges]:
        if self.graph:
            return _of_graph(tuple(self.graph.items()))
        return _of_ontology(read_ontology(self.ontology), self.relation, self.names)


@lru_cache(maxsize=16)
def _of_ontology(
    read: Ontology, relation: str, names: tuple[str, ...]
) -> tuple[Concepts, Phrases, Edges]:
    concepts = read.called(read.names, names)
    return concepts, Phrases(concepts), read.either_way(relation)


@lru_cache(maxsize=16)
def _of_graph(graph: tuple[tuple[str, tuple[str, ...]], ...]) -> tuple[Concepts, Phrases, Edges]:
    edges: dict[str, set[str]] = {}
    for one, others in graph:
        for other in others:
            edges.setdefault(one, set()).add(other)
            edges.setdefault(other, set()).add(one)
    concepts = {one: (one,) for one in edges}
    return concepts, Phrases(concepts), {one: frozenset(near) for one, near in edges.items()}


def link_masks(select: Sequence[object], layouts: Sequence[Layout]) -> tuple[Tensor, Tensor]:
    """The pairs of a link rule in the rows of a batch.

    Args:
        select: the rule's selectors; each must be one that joins positions.
        layouts: one a row of the batch.

    Returns:
        rows bool [B, L, R] and keys bool [B, L, R]: row i and key j of one input are joined where
        they share a group r. A pair that several selectors join is there once.

    Raises: OptionError: for a selector that joins nothing.
    """
    for one in select:
        if not isinstance(one, Linking):
            raise OptionError(f"a link needs a Relation, got {type(one).__name__}")
    found = [
        _apart([pair for one in select if isinstance(one, Linking) for pair in one.pairs(layout)])
        for layout in layouts
    ]
    longest = max((layout.length for layout in layouts), default=0)
    rank = max((len(pairs) for pairs in found), default=0)
    rows, keys = (torch.zeros(len(layouts), longest, rank, dtype=torch.bool) for _ in range(2))
    for row, pairs in enumerate(found):
        for group, pair in enumerate(pairs):
            rows[row, sorted(pair.rows), group] = True
            keys[row, sorted(pair.keys), group] = True
    return rows, keys


def link_bias(rows: Tensor, keys: Tensor, strength: Tensor) -> Bias:
    """The bias of a link rule in one call.

    Args:
        rows: bool [B, Q, R], see `link_masks`, cut to the rows of the call.
        keys: bool [B, K, R], the same for its keys.
        strength: floating [H] or [1], ln(w) of each head; finite.

    Returns:
        Outer products of rank R; beyond `LARGEST_RANK` one array of all pairs, with a warning that
        says what it costs.
    """
    strength_1HQR = strength.float()[None, :, None, None]
    B, Q, R = rows.shape
    if R <= LARGEST_RANK:
        return Bias.outer(strength_1HQR * rows[:, None], keys[:, None].float())
    K = keys.shape[1]
    warnings.warn(
        f"a link joins {R} groups, more than {LARGEST_RANK}: its pairs are kept as an array of "
        f"{B} x {len(strength)} x {Q} x {K} numbers "
        f"({B * len(strength) * Q * K * 4 / 2**20:.1f} MiB a call)",
        stacklevel=2,
    )
    # The groups share no row, so the product counts every pair once.
    joined_BQK = rows.float() @ keys.float().transpose(1, 2)
    return Bias.dense(strength_1HQR * joined_BQK[:, None])


def _apart(pairs: Sequence[Pair]) -> list[Pair]:
    """The same pairs, each row in one group only."""
    keys: dict[int, frozenset[int]] = {}
    for pair in pairs:
        for row in pair.rows:
            keys[row] = keys.get(row, frozenset()) | pair.keys
    groups: dict[frozenset[int], set[int]] = {}
    for row in sorted(keys):
        groups.setdefault(keys[row], set()).add(row)
    return [Pair(frozenset(rows), group) for group, rows in groups.items()]
