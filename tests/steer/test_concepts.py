"""Concepts, relations and spaCy patterns on small ontologies made up here."""

import sys
from pathlib import Path

import pytest

from zhuyi.errors import InputError, OptionError
from zhuyi.steer.concepts import Concept
from zhuyi.steer.layout import Layout
from zhuyi.steer.ontology import read_ontology
from zhuyi.steer.phrases import Phrases

OBO = """format-version: 1.2
ontology: made-up

[Term]
id: X:1
name: disorder

[Term]
id: X:2
name: sugar sickness
synonym: "sweet blood" EXACT []
synonym: "blood trouble" BROAD []
synonym: "糖病" EXACT []
is_a: X:1 ! disorder

[Term]
id: X:3
name: early sugar sickness
synonym: "child's sugar" NARROW []
is_a: X:2

[Term]
id: X:4
name: cough
is_a: X:1

[Term]
id: X:5
name: pancreas

[Term]
id: X:6
name: old sickness
is_a: X:2
is_obsolete: true

[Term]
id: X:7
name: islet
relationship: part_of X:5 ! pancreas

[Typedef]
id: part_of
name: part of
"""

OWL = """<?xml version="1.0"?>
<!DOCTYPE rdf:RDF [ <!ENTITY made "http://made.up/onto#" > ]>
<rdf:RDF xmlns="http://made.up/onto#" xml:base="http://made.up/onto"
  xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"
  xmlns:owl="http://www.w3.org/2002/07/owl#"
  xmlns:oboInOwl="http://www.geneontology.org/formats/oboInOwl#"
  xmlns:rdfs="http://www.w3.org/2000/01/rdf-schema#">
  <owl:Ontology rdf:about="http://made.up/onto">
    <owl:imports rdf:resource="http://made.up/other.owl"/>
  </owl:Ontology>
  <owl:Class rdf:about="&made;A"><rdfs:label>disorder</rdfs:label></owl:Class>
  <owl:Class rdf:about="&made;B">
    <rdfs:label>sugar sickness</rdfs:label>
    <oboInOwl:hasExactSynonym>sweet blood</oboInOwl:hasExactSynonym>
    <rdfs:subClassOf rdf:resource="http://made.up/onto#A"/>
  </owl:Class>
</rdf:RDF>
"""

SKOS = """@prefix skos: <http://www.w3.org/2004/02/skos/core#> .
@prefix : <http://made.up/> .
:a a skos:Concept ; skos:prefLabel "disorder"@en .
:b skos:prefLabel "sugar sickness"@en, "糖病"@zh ; skos:altLabel "sweet blood" ; skos:broader :a .
:c skos:prefLabel "early sickness" ; skos:hiddenLabel "earli sickness" .
:b skos:narrower :c .
:d skos:prefLabel "pancreas" ; skos:related :b .
"""


def layout(text: str) -> Layout:
    """One position a character."""
    return Layout(length=len(text), text=text, spans=tuple((i, i + 1) for i in range(len(text))))


def written(folder: Path, name: str, text: str) -> str:
    (folder / name).write_text(text, encoding="utf-8")
    return str(folder / name)


@pytest.fixture
def obo(tmp_path: Path) -> str:
    return written(tmp_path, "made.obo", OBO)


def shown(concept: Concept, text: str) -> tuple[str, ...]:
    return concept.match(layout(text)).shown


def test_a_subtree_with_its_synonyms(obo: str) -> None:
    text = "Sweet  blood, a cough; early sugar\nsickness, a DISORDER, blood trouble, 有糖病的。"
    assert shown(Concept(obo, "X:2"), text) == ("Sweet  blood", "early sugar\nsickness", "糖病")
    assert shown(Concept(obo, "X:3"), text) == ("early sugar\nsickness",)
    assert shown(Concept(obo, "disorder"), text) == (
        *("Sweet  blood", "cough", "early sugar\nsickness", "DISORDER", "糖病"),
    )


def test_positions_are_those_of_the_name(obo: str) -> None:
    found = Concept(obo, "X:2").match(layout("no sweet blood"))
    assert found.positions == set(range(3, 14))
    assert not found.cut


def test_kinds_of_names(obo: str) -> None:
    text = "blood trouble, child's sugar, sweet blood, X:2"
    assert shown(Concept(obo, "X:2", names=("broad",)), text) == ("blood trouble",)
    assert shown(Concept(obo, "X:2", names=("narrow",)), text) == ("child's sugar",)
    assert shown(Concept(obo, "X:2", names=("id",)), text) == ("X:2",)
    with pytest.raises(OptionError, match="names must be some of label"):
        Concept(obo, "X:2", names=("lable",))


def test_whole_words_only(obo: str) -> None:
    assert shown(Concept(obo, "X:4"), "coughing, a cough.") == ("cough",)


def test_obsolete_concepts_do_not_count(obo: str) -> None:
    assert shown(Concept(obo, "X:2"), "old sickness") == ()


def test_along_another_relation(obo: str) -> None:
    assert shown(Concept(obo, "X:5", via="part_of"), "islet") == ("islet",)
    assert shown(Concept(obo, "X:5"), "islet") == ()
    with pytest.raises(OptionError, match=r"no relation 'causes'; there are: is_a, part"):
        shown(Concept(obo, "X:5", via="causes"), "islet")


def test_unknown_and_ambiguous_concepts(obo: str, tmp_path: Path) -> None:
    with pytest.raises(OptionError, match="'X:99' is not in it"):
        shown(Concept(obo, "X:99"), "a")
    twice = written(tmp_path, "twice.obo", OBO.replace("name: cough", "name: pancreas"))
    with pytest.raises(OptionError, match="is the label of X:4, X:5"):
        shown(Concept(twice, "pancreas"), "a")


def test_a_changed_file_is_read_again(tmp_path: Path) -> None:
    path = written(tmp_path, "made.obo", OBO)
    assert shown(Concept(path, "X:4"), "cough wheeze") == ("cough",)
    written(tmp_path, "made.obo", OBO.replace("name: cough", "name: wheeze"))
    assert shown(Concept(path, "X:4"), "cough wheeze") == ("wheeze",)


def test_owl_with_an_import_that_is_not_followed(tmp_path: Path) -> None:
    # The network is refused in tests: following the import would fail.
    path = written(tmp_path, "made.owl", OWL)
    assert shown(Concept(path, "disorder"), "sweet blood, sugar sickness") == (
        *("sweet blood", "sugar sickness"),
    )


def test_skos(tmp_path: Path) -> None:
    path = written(tmp_path, "made.ttl", SKOS)
    text = "sweet blood, 糖病, earli sickness, pancreas"
    found = ("sweet blood", "糖病", "earli sickness")
    assert shown(Concept(path, "http://made.up/a"), text) == found
    assert shown(Concept(path, "sugar sickness"), text) == found
    assert read_ontology(path).joined["related"] == {"http://made.up/d": {"http://made.up/b"}}


LAUGHS = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 9}">' for n in range(1, 9))
HOSTILE = {
    "entities that grow": f'<!DOCTYPE x [<!ENTITY l0 "lol">{LAUGHS}]>',
    "an entity from outside": '<!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]>',
    "an entity of parameters": '<!DOCTYPE x [<!ENTITY % a "b">]>',
    "a long entity": f'<!DOCTYPE x [<!ENTITY a "{"a" * 300}">]>',
}


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
@pytest.mark.parametrize("suffix", ["owl", "rdf"])
@pytest.mark.parametrize("name", HOSTILE)
def test_entities_are_not_expanded(tmp_path: Path, name: str, suffix: str, encoding: str) -> None:
    path = tmp_path / f"hostile.{suffix}"
    text = f'<?xml version="1.0" encoding="{encoding}"?>{HOSTILE[name]}<x>hello</x>'
    path.write_bytes(text.encode(encoding))
    with pytest.raises(InputError, match="entities are not expanded"):
        read_ontology(path)


BROKEN = {
    "no XML": ("a.owl", b"<rdf", "is no XML"),
    "an archive": ("a.obo", b"\x1f\x8b\x08\x00", "is compressed"),
    "no OBO": ("a.obo", b"[Term]\nis_a is_a\n", "cannot be read"),
    "no ontology": ("a.json", b"[1, 2", "cannot be read"),
    "no Turtle": ("a.ttl", b"@prefix :", "cannot be read"),
    "no triples": ("a.nt", b"<a> <b>", "cannot be read"),
    "another kind": ("a.csv", b"a,b", "must be a file of one of the kinds .obo"),
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_file_that_cannot_be_read(tmp_path: Path, name: str) -> None:
    file, content, told = BROKEN[name]
    (tmp_path / file).write_bytes(content)
    with pytest.raises(InputError, match=told):
        read_ontology(tmp_path / file)


def test_no_file() -> None:
    with pytest.raises(InputError, match="No such file"):
        read_ontology("/nowhere/a.obo")
    with pytest.raises(InputError, match="must be a file of one of the kinds"):
        read_ontology("http://made.up/onto")


@pytest.mark.parametrize(("missing", "file"), [("pronto", "made.obo"), ("rdflib", "made.ttl")])
def test_a_missing_extra_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, missing: str, file: str
) -> None:
    monkeypatch.setitem(sys.modules, missing, None)
    monkeypatch.setitem(sys.modules, f"{missing}.ontology", None)
    path = written(tmp_path, file, OBO if missing == "pronto" else SKOS)
    with pytest.raises(InputError, match=rf"needs {missing}.*zhuyi\[ontology\]"):
        read_ontology(path)


def test_phrases_find_what_regular_expressions_would() -> None:
    phrases = Phrases(["heart", "heart failure", "糖", "糖尿病", "type-2", "..."])
    text = "Heart failure, heart; hearts 糖尿病 type - 2"
    assert [one[2] for one in phrases.longest(text)] == [
        *("heart failure", "heart", "糖尿病", "type-2"),
    ]
    assert sorted(one[2] for one in phrases.all(text)) == [
        *("heart", "heart", "heart failure", "type-2", "糖", "糖尿病"),
    ]
    assert not Phrases([" ", ""]).all(text)
