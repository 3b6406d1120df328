"""Rules on texts in a real architecture: odds of the first layer against the definition."""

import math
from pathlib import Path

import pytest
import torch

from tests.steer.test_concepts import written
from tests.trace.subject_models import bert, bert_tokenizer
from zhuyi.steer.concepts import Concept
from zhuyi.steer.emphasis import parse_emphasis
from zhuyi.steer.relations import Relation
from zhuyi.steer.rules import Rules
from zhuyi.steer.selectors import Regex
from zhuyi.steer.spacy_patterns import SpacyPattern
from zhuyi.steer.steering import steer
from zhuyi.trace import watch

TEXT = "the quick brown fox over the lazy dog"
WORDS = TEXT.split()
ANIMALS = """format-version: 1.2
ontology: animals

[Term]
id: A:1
name: animal

[Term]
id: A:2
name: fox
is_a: A:1

[Term]
id: A:3
name: dog
is_a: A:1
"""


@pytest.fixture(scope="module")
def model() -> torch.nn.Module:
    return bert().eval()


def first_layer(model: torch.nn.Module, rules: Rules, text: str = TEXT) -> torch.Tensor:
    """Weights [H, Q, K] of the first layer, whose inputs no rule has touched yet."""
    tokenizer = bert_tokenizer()
    inputs = tokenizer(text, return_tensors="pt")
    with torch.no_grad(), steer(model, rules, tokenizer=tokenizer), watch(model) as tape:
        model(**inputs)
    return tape[0].matrix.weights()[0]


def expected(plain: torch.Tensor, factors: torch.Tensor) -> torch.Tensor:
    changed = plain.double() * factors.double()
    return (changed / changed.sum(-1, keepdim=True)).float()


def keys(**factors: float) -> torch.Tensor:
    """Per position the factor of its word; 1 for [CLS] and [SEP]."""
    return torch.tensor([1.0, *(factors.get(word, 1.0) for word in WORDS), 1.0])


def test_marks(model: torch.nn.Module) -> None:
    marked = "the (quick (brown:2)) fox over [the] lazy (dog:0)"
    text, rules = parse_emphasis(marked)
    assert text == TEXT
    factors = keys(quick=1.1, brown=2.2, dog=0.0)
    factors[6] = 1 / 1.1  # the second "the" only
    got = first_layer(model, rules, text)
    torch.testing.assert_close(got, expected(first_layer(model, Rules()), factors))


def test_a_concept_and_a_pattern(model: torch.nn.Module, tmp_path: Path) -> None:
    animals = Concept(written(tmp_path, "animals.obo", ANIMALS), "animal")
    rules = (
        Rules()
        .boost(animals, 3)
        .damp([Regex("quick|lazy"), SpacyPattern([{"LOWER": "over"}])], 0.5)
    )
    factors = keys(fox=3, dog=3, quick=0.5, lazy=0.5, over=0.5)
    got = first_layer(model, rules)
    torch.testing.assert_close(got, expected(first_layer(model, Rules()), factors))


@pytest.mark.parametrize("weight", [4.0, 0.25])
def test_a_link(model: torch.nn.Module, tmp_path: Path, weight: float) -> None:
    animals = Relation(ontology=written(tmp_path, "animals.obo", ANIMALS), max_hops=2)
    rules = Rules().link(animals, weight)
    factors = torch.ones(len(WORDS) + 2, len(WORDS) + 2)
    fox, dog = WORDS.index("fox") + 1, WORDS.index("dog") + 1
    factors[fox, dog] = factors[dog, fox] = weight
    got = first_layer(model, rules)
    torch.testing.assert_close(got, expected(first_layer(model, Rules()), factors))
    # One step joins neither to the other: the animal itself is not in the text.
    near = Rules().link(Relation(ontology=animals.ontology), weight)
    with pytest.warns(UserWarning, match="means nothing"):
        torch.testing.assert_close(first_layer(model, near), first_layer(model, Rules()))


def test_yaml_steers_as_calls_do(model: torch.nn.Module) -> None:
    rules = Rules().boost("fox", 2).veto(Regex("l.zy")).damp("dog", 0.5, heads=(0,))
    again = Rules.from_yaml(rules.to_yaml())
    got = first_layer(model, again)
    assert torch.equal(got, first_layer(model, rules))
    factors = keys(fox=2, lazy=0).expand(got.shape).clone()
    factors[0, :, -2] = 0.5
    torch.testing.assert_close(got, expected(first_layer(model, Rules()), factors))


def test_the_clamp_holds_for_links_too(model: torch.nn.Module) -> None:
    graph = {"fox": ["dog"]}
    plain = first_layer(model, Rules())
    fox, dog = WORDS.index("fox") + 1, WORDS.index("dog") + 1
    for beyond, factor in ((False, math.exp(3)), (True, 1000.0)):
        factors = torch.ones_like(plain)
        factors[:, fox, dog] = factors[:, dog, fox] = factor
        got = first_layer(model, Rules().link(Relation(graph=graph), 1000.0, beyond=beyond))
        torch.testing.assert_close(got, expected(plain, factors))
