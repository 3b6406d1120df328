"""An ontology as rules need it: concepts with their names, and what is joined to what.

OBO, OWL and OBO graphs are read by pronto, SKOS (Turtle, N-Triples, RDF/XML) by rdflib. A file is
read and nothing else: imports are not followed, no address is opened, entities are not expanded.
"""

import warnings
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from io import BytesIO
from pathlib import Path
from typing import Any, Final
from xml.parsers import expat
from xml.sax import SAXException

from zhuyi.errors import InputError, OptionError

#: Kinds of names, as OBO calls them. In SKOS a preferred label is a label, others are exact.
KINDS: Final = ("label", "exact", "narrow", "broad", "related", "id")
#: The relation from the special to the general.
IS_A: Final = "is_a"
_PRONTO: Final = (".obo", ".owl", ".json")
_RDFLIB: Final = {".ttl": "turtle", ".nt": "nt", ".rdf": "xml"}
_LARGEST: Final = 512 * 2**20  # bytes
_LONGEST_ENTITY: Final = 200  # characters: an abbreviated address, as Protege writes them

Edges = Mapping[str, frozenset[str]]


@dataclass(frozen=True, eq=False)
class Ontology:
    """Concepts by their identifiers.

    Args:
        names: concept -> kind of name -> names.
        joined: relation -> concept -> the concepts it points to ("is_a": the more general ones).
    """

    names: Mapping[str, Mapping[str, tuple[str, ...]]]
    joined: Mapping[str, Edges]

    def concept(self, named: str) -> str:
        """The identifier of a concept that is named by it, or by its label.

        Raises: OptionError: if there is none, or if several have the label.
        """
        if named in self.names:
            return named
        wanted = named.casefold()
        hits = [
            one
            for one, names in self.names.items()
            if any(label.casefold() == wanted for label in names.get("label", ()))
        ]
        if len(hits) != 1:
            what = f"is the label of {', '.join(sorted(hits)[:5])}" if hits else "is not in it"
            raise OptionError(f"{named!r} {what}: name the concept by its identifier")
        return hits[0]

    def below(self, concept: str, relation: str = IS_A) -> frozenset[str]:
        """The concept and all that point to it, over any number of steps."""
        pointing: dict[str, list[str]] = {}
        for one, others in self._edges(relation).items():
            for other in others:
                pointing.setdefault(other, []).append(one)
        return reached(concept, pointing)

    def either_way(self, relation: str) -> Edges:
        """For every concept those it is joined to in one step, whoever points to whom."""
        both: dict[str, set[str]] = {}
        for one, others in self._edges(relation).items():
            for other in others:
                both.setdefault(one, set()).add(other)
                both.setdefault(other, set()).add(one)
        return {one: frozenset(others) for one, others in both.items()}

    def called(self, concepts: Iterable[str], kinds: Iterable[str]) -> dict[str, tuple[str, ...]]:
        """Name -> the concepts that bear it, of some kinds of names."""
        found: dict[str, tuple[str, ...]] = {}
        for concept in sorted(concepts):
            names = {**self.names.get(concept, {}), "id": (concept,)}
            for kind in kinds:
                for name in names.get(kind, ()):
                    if concept not in found.get(name, ()):
                        found[name] = (*found.get(name, ()), concept)
        return found

    def _edges(self, relation: str) -> Edges:
        if relation not in self.joined:
            known = ", ".join(sorted(self.joined)) or "none"
            raise OptionError(f"there is no relation {relation!r}; there are: {known}")
        return self.joined[relation]


def read_ontology(file: str | Path) -> Ontology:
    """An ontology from a file; read once, and again after the file has changed.

    Args:
        file: .obo, .owl or .json (an OBO graph) by pronto; .ttl, .nt or .rdf (SKOS) by rdflib.
    Raises:
        InputError: if it cannot be read, is too large, or expands entities.
    Needs: pronto and rdflib (the extra `ontology`).
    """
    path = Path(file)
    if path.suffix.lower() not in (*_PRONTO, *_RDFLIB):
        kinds = ", ".join((*_PRONTO, *_RDFLIB))
        raise InputError(f"an ontology must be a file of one of the kinds {kinds}, got {file}")
    try:
        state = path.stat()
    except OSError as wrong:
        raise InputError(f"the ontology {file} cannot be read: {wrong.strerror}") from None
    if state.st_size > _LARGEST:
        raise InputError(f"the ontology {file} has {state.st_size} bytes: the limit is {_LARGEST}")
    return _read(path, state.st_mtime_ns, state.st_size)


@lru_cache(maxsize=8)
def _read(path: Path, changed: int, size: int) -> Ontology:
    try:
        content = path.read_bytes()
    except OSError as wrong:
        raise InputError(f"the ontology {path} cannot be read: {wrong.strerror}") from None
    kind = path.suffix.lower()
    if kind in (".owl", ".rdf"):
        _refuse_entities(content, path)
    try:
        return _by_pronto(content, path) if kind in _PRONTO else _by_rdflib(content, path)
    except ModuleNotFoundError as missing:
        raise InputError(
            f"reading the ontology {path} needs {missing.name}: pip install 'zhuyi[ontology]'"
        ) from None


def _by_pronto(content: bytes, path: Path) -> Ontology:
    from pronto.ontology import Ontology as Pronto

    # pronto would open an archive of any size, and an address as well as a path.
    if content[:2] == b"\x1f\x8b" or content[:3] == b"BZh" or content[:5] == b"\xfd7zXZ":
        raise InputError(f"the ontology {path} is compressed: unpack it")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of statements in the file that rules have no use for
            read = Pronto(BytesIO(content), import_depth=0, threads=1, encoding="utf-8")
            terms = [term for term in read.terms() if not term.obsolete]
            names = {term.id: _names(term) for term in terms}
            joined: dict[str, dict[str, frozenset[str]]] = {IS_A: {}}
            for term in terms:
                general = [one.id for one in term.superclasses(distance=1, with_self=False)]
                joined[IS_A][term.id] = frozenset(general)
                for relation, others in term.relationships.items():
                    ends = frozenset(one.id for one in others)
                    for name in {relation.id, relation.name or relation.id}:
                        joined.setdefault(name, {})[term.id] = ends
    except (
        ValueError,
        TypeError,
        KeyError,
        SyntaxError,
        AttributeError,
        NotImplementedError,
    ) as no:
        raise InputError(f"the ontology {path} cannot be read: {no}") from None
    return Ontology(names=names, joined=joined)


def _names(term: Any) -> dict[str, tuple[str, ...]]:
    names: dict[str, tuple[str, ...]] = {"label": (term.name,)} if term.name else {}
    for synonym in sorted(term.synonyms, key=lambda one: one.description):
        kind = synonym.scope.lower()
        names[kind] = (*names.get(kind, ()), synonym.description)
    return names


def _by_rdflib(content: bytes, path: Path) -> Ontology:
    import rdflib
    from rdflib.namespace import RDFS, SKOS

    graph = rdflib.Graph()
    try:
        graph.parse(data=content, format=_RDFLIB[path.suffix.lower()])
    except (
        ValueError,
        SyntaxError,
        AssertionError,
        rdflib.exceptions.Error,
        SAXException,
    ) as wrong:
        raise InputError(f"the ontology {path} cannot be read: {wrong}") from None
    names: dict[str, dict[str, tuple[str, ...]]] = {}
    kinds = (
        (SKOS.prefLabel, "label"),
        (RDFS.label, "label"),
        (SKOS.altLabel, "exact"),
        (SKOS.hiddenLabel, "exact"),
    )
    for predicate, kind in kinds:
        for concept, name in sorted(graph.subject_objects(predicate)):
            kept = names.setdefault(str(concept), {})
            kept[kind] = tuple(dict.fromkeys((*kept.get(kind, ()), str(name))))
    joined: dict[str, dict[str, set[str]]] = {IS_A: {}, "related": {}}
    steps = (
        (SKOS.broader, IS_A, False),
        (SKOS.narrower, IS_A, True),
        (RDFS.subClassOf, IS_A, False),
        (SKOS.related, "related", False),
    )
    for predicate, relation, back in steps:
        for one, other in graph.subject_objects(predicate):
            start, end = (other, one) if back else (one, other)
            joined[relation].setdefault(str(start), set()).add(str(end))
    return Ontology(
        names=names,
        joined={
            relation: {one: frozenset(others) for one, others in edges.items()}
            for relation, edges in joined.items()
        },
    )


def _refuse_entities(content: bytes, path: Path) -> None:
    """Refuse XML whose entities point outside or grow; short ones abbreviate addresses."""

    def entity(name: str, is_parameter: bool, value: str | None, *_: str | None) -> None:
        if is_parameter or value is None or "&" in value or len(value) > _LONGEST_ENTITY:
            raise InputError(
                f"the ontology {path} declares the entity {name!r}, which opens another file or "
                "grows: entities are not expanded"
            )

    parser = expat.ParserCreate()
    parser.EntityDeclHandler = entity
    try:
        parser.Parse(content, True)
    except expat.ExpatError as wrong:
        raise InputError(f"the ontology {path} is no XML: {wrong}") from None


def reached(
    start: str, joined: Mapping[str, Iterable[str]], hops: int | None = None
) -> frozenset[str]:
    """The start and all that can be reached from it in so many steps, None for any number."""
    found, edge = {start}, [start]
    while edge and (hops is None or hops > 0):
        edge = [one for place in edge for one in joined.get(place, ()) if one not in found]
        found.update(edge)
        hops = None if hops is None else hops - 1
    return frozenset(found)
