"""The record: JSON that comes back equal, text in two languages, levels never flattered."""

import json

import pytest
import torch

from tests.steer.certify import planted
from tests.trace.subject_models import bert, bert_tokenizer
from zhuyi.errors import NotSteerable, OptionError
from zhuyi.steer.certify import Certificate, certify
from zhuyi.steer.certify.certificate import CLAIMS
from zhuyi.steer.rule import GUARANTEES
from zhuyi.steer.rules import Rules
from zhuyi.steer.selectors import Column
from zhuyi.trace import TransformersSubject

TEXTS = ["the film was very good", "a bad film"]


@pytest.fixture(scope="module")
def found() -> Certificate:
    subject = TransformersSubject(bert(), bert_tokenizer())
    rules = Rules().veto("film", id="v").veto("dog", id="absent")
    return certify(subject, rules, TEXTS, swaps=2)


def test_json_is_plain_and_whole(found: Certificate) -> None:
    written = json.loads(json.dumps(found.as_json(), allow_nan=False))
    assert written == found.as_json()
    assert written["level"] == "steer", "the weakest of all vetoes"
    assert [rule["level"] for rule in written["rules"]] == ["exact", "steer"]
    items = written["rules"][0]["items"]
    assert {item["state"] for item in items} == {"held"}
    assert all(item["said"]["en"] and item["said"]["zh"] for item in items)
    assert written["versions"]["dtype"] == "float32"


def test_numbers_that_json_lacks_are_texts() -> None:
    rules = Rules().veto(Column(planted.VETOED), id="v")
    model = planted.MeanPooled(planted.RevIN()).eval()
    rows = planted.inputs().half().float() * 1e30  # overflows on its way
    found = certify(model, rules, rows, reader=planted.reader(), swaps=1)
    assert json.loads(json.dumps(found.as_json(), allow_nan=False))["level"] != "exact"


def test_text_tells_every_item_in_both_languages(found: Certificate) -> None:
    english, chinese = str(found), found.text("zh")
    assert english.startswith("BertForSequenceClassification (bert), 2 inputs x 2 swaps")
    assert "v: exact (asked: exact)" in english
    assert "absent: steer (asked: exact)" in english
    assert "[FAILED] the rule means nothing" in english
    for item in found["v"].items:
        assert item.said.en in english
        assert item.said.zh in chinese
    assert "不成立" in chinese


def test_same_seed_gives_the_same_certificate() -> None:
    subject = TransformersSubject(bert(), bert_tokenizer())
    one, two = (certify(subject, Rules().veto("film"), TEXTS, swaps=2, seed=5) for _ in range(2))
    assert one.as_json() == two.as_json()


def test_information_is_never_claimed() -> None:
    subject = TransformersSubject(bert(), bert_tokenizer())
    rules = Rules().veto("film", id="v", guarantee="information")
    part = certify(subject, rules, TEXTS, swaps=1)["v"]
    assert part.level == "exact"
    assert part.asked == "information"
    assert not part.kept
    with pytest.raises(NotSteerable, match="asks for 'information' and may claim 'exact'"):
        certify(subject, rules, TEXTS, swaps=1, strict=True)


def test_every_level_has_a_claim() -> None:
    assert set(CLAIMS) == set(GUARANTEES)


def test_the_model_is_left_as_it_was() -> None:
    subject = TransformersSubject(bert(), bert_tokenizer())
    before = {name: one.clone() for name, one in subject.model.state_dict().items()}
    state = torch.random.get_rng_state()
    decided = subject.decide(TEXTS)
    certify(subject, Rules().veto("film"), TEXTS, swaps=2)
    assert torch.equal(subject.decide(TEXTS), decided)
    assert torch.equal(torch.random.get_rng_state(), state)
    assert all(torch.equal(before[n], one) for n, one in subject.model.state_dict().items())
    assert all(p.grad is None for p in subject.model.parameters())
    assert not any(one._forward_hooks or one._forward_pre_hooks for one in subject.model.modules())


def test_wrong_calls_are_refused() -> None:
    with pytest.raises(OptionError, match="swaps"):
        certify(planted.Model(torch.nn.Identity()), Rules(), planted.inputs(), swaps=0)
    with pytest.raises(OptionError, match="needs a torch"):
        certify("model", Rules(), TEXTS)  # type: ignore[arg-type]
    with pytest.raises(KeyError):
        Certificate(
            model="m", architecture="", rows=0, swaps=1, seed=0, rules=()
        )["nothing"]  # fmt: skip
