"""A veto of the level "input": a constant in its place, in every kind of model."""

from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from tests.steer.certify import planted
from tests.steer.certify.planted import PLANTS
from tests.trace.subject_models import bert, bert_tokenizer, gpt2, gpt_tokenizer, llama, vit
from tests.trace.test_watch import nothing_left
from zhuyi.core.record import Unit
from zhuyi.errors import NotSteerable, NotWatchable, RuleConflict
from zhuyi.learn import AttentionClassifier, TextAttentionClassifier
from zhuyi.steer.certify import certify, removed
from zhuyi.steer.placeholder import Placeholder
from zhuyi.steer.reading import UnitReader
from zhuyi.steer.rules import Rules
from zhuyi.steer.selectors import Column, Tokens
from zhuyi.steer.steering import steer
from zhuyi.trace import TransformersSubject, watch

FILM = Rules().veto("film", id="v", guarantee="input")


@pytest.mark.parametrize("name", [name for name, plant in PLANTS.items() if plant.leaks])
def test_it_holds_for_every_breaker_of_exact(name: str) -> None:
    """Convolutions, pooling, normalization across positions: nothing that enters, nothing out."""
    model, rows = PLANTS[name].build().eval(), planted.inputs()
    place = planted.NAMES.index(planted.VETOED)
    other, zero = rows.clone(), rows.clone()
    other[:, place], zero[:, place] = 100.0, 0.0
    rules = Rules().veto(Column(planted.VETOED), guarantee="input")
    with torch.no_grad():
        expected = model(zero)
        with steer(model, rules, reader=planted.reader()) as steering:
            assert torch.equal(model(rows), expected)
            assert torch.equal(model(other), expected)
            with steering.off():
                assert not torch.equal(model(rows), model(other))
        assert not torch.equal(model(rows), model(other))
    assert nothing_left(model)


def test_a_model_without_attention_needs_none() -> None:
    reader = UnitReader([Unit(label=n, positions=(i,)) for i, n in enumerate("ab")])
    model = nn.Sequential(nn.Flatten(), nn.Linear(2, 1)).eval()
    one, other = torch.tensor([[[1.0], [2.0]]]), torch.tensor([[[1.0], [9.0]]])
    rules = Rules().veto(Column("b"), guarantee="input")
    with steer(model, rules, reader=reader):
        assert torch.equal(model(one), model(other))
    attends = pytest.raises(NotWatchable, match="no attention took place")
    with attends, steer(model, rules.boost(Column("a"), 2), reader=reader):
        model(one)


def test_a_word_is_the_mask_token_for_deciding_watching_and_vectors() -> None:
    subject = TransformersSubject(bert(), bert_tokenizer())
    texts, masked = ["a bad film", "the film was good"], ["a bad [MASK]", "the [MASK] was good"]
    plain = subject.decide(masked)
    embedded = subject.decide_embedded(masked, subject.embed(masked)).detach()
    with steer(subject, FILM) as steering:
        assert torch.equal(subject.decide(texts), plain)
        assert torch.equal(subject.watch(texts).logits.softmax(1), plain)  # type: ignore[union-attr]
        found = subject.decide_embedded(texts, subject.embed(texts))
    assert torch.equal(found.detach(), embedded)
    assert steering.matched["v"].shown == ("film",)
    assert not torch.equal(subject.decide(texts), plain)  # the broken twin: without the rule


def test_it_goes_together_with_other_rules_and_conflicts_with_shares() -> None:
    subject = TransformersSubject(bert(), bert_tokenizer())
    texts, masked = ["the film was very good"], ["the [MASK] was very good"]
    boost = Rules().boost("good", 4)
    with steer(subject, boost):
        expected = subject.decide(masked)
    with steer(subject, FILM + boost), watch(subject.model) as tape:
        found = subject.decide(texts)
    assert torch.equal(found, expected)
    # Attention may look at the constant: the rule is about what enters.
    assert float(tape[0].matrix.received()[0, :, 2].sum()) > 0.01  # type: ignore[union-attr]
    with pytest.raises(RuleConflict, match="vetoes"), steer(subject, FILM.share("film", 0.3)):
        subject.decide(texts)


@pytest.mark.parametrize("build", [llama, gpt2])
def test_generation_with_a_cache_never_reads_the_word(build: Any) -> None:
    """Prompt and steps: the same tokens as from a prompt that holds the constant."""
    model, tokenizer = build(), gpt_tokenizer(padding=True)
    given = tokenizer("the film was very good and a film", return_offsets_mapping=True)
    ids, spans = torch.tensor([given["input_ids"]]), given["offset_mapping"]
    film = [any(a < stop and b > start for a, b in ((4, 8), (29, 33))) for start, stop in spans]
    blanked = torch.where(torch.tensor([film]), tokenizer.pad_token_id, ids)
    assert not torch.equal(ids, blanked)
    options = {"max_new_tokens": 6, "do_sample": False, "output_scores": True}
    options |= {"return_dict_in_generate": True, "pad_token_id": tokenizer.pad_token_id}
    expected = model.generate(blanked, attention_mask=torch.ones_like(ids), **options)
    with steer(model, FILM, tokenizer=tokenizer):
        found = model.generate(ids, attention_mask=torch.ones_like(ids), **options)
    new = slice(ids.shape[1], None)
    assert torch.equal(found.sequences[:, : ids.shape[1]], ids)
    assert "film" not in tokenizer.decode(expected.sequences[0, new])
    assert torch.equal(found.sequences[:, new], expected.sequences[:, new])
    for one, two in zip(found.scores, expected.scores, strict=True):
        assert torch.equal(one, two)


def test_estimators_of_tables_and_texts() -> None:
    rows = np.random.default_rng(0).normal(size=(60, 3))
    table = AttentionClassifier(max_epochs=3, random_state=0).fit(rows, rows[:, 0] > 0)
    other = rows.copy()
    other[:, 0] = 3.0
    rules = Rules().veto(Column("x0"), guarantee="input")
    with steer(table, rules):
        assert np.array_equal(table.predict_proba(rows), table.predict_proba(other))
    assert not np.array_equal(table.predict_proba(rows), table.predict_proba(other))
    texts = ["a good film", "a bad film", "a good day", "a bad day"] * 8
    model = TextAttentionClassifier(max_epochs=3, random_state=0).fit(texts, [1, 0, 1, 0] * 8)
    rules = Rules().veto(["good", "bad"], guarantee="input")
    with steer(model, rules):
        found = model.predict_proba(["a good film", "a bad film"])
    assert np.array_equal(found[0], found[1])
    found = model.predict_proba(["a good film", "a bad film"])
    assert not np.array_equal(found[0], found[1])


def test_patches_are_refused() -> None:
    subject = TransformersSubject(vit(), None)
    rules = Rules().veto(Column("(0, 1)"), guarantee="input")
    with pytest.raises(NotSteerable, match="gray them"), steer(subject, rules):
        subject.decide(torch.randn(1, 3, 12, 12))


def test_the_certificate_says_input_and_only_what_it_is_about() -> None:
    subject = TransformersSubject(bert("BertModel"), bert_tokenizer(), task="embedding")
    texts = ["the film was very good", "a lazy dog is not good", "a film", "a bad film"]
    found = certify(subject, FILM, texts, swaps=3, strict=True)["v"]
    assert (found.level, found.asked, found.kept, found.failed) == ("input", "input", True, ())
    item = found.item("removal")
    assert item is not None
    assert item.numbers == {"swaps": 3, "equal": 3}
    assert found.item("unknown modules") is None
    copied = certify(subject, Rules().veto(Tokens(2, 3), id="v", guarantee="input"),
                     ["the film was a film"], swaps=2)["v"]  # fmt: skip
    assert (copied.level, [one.name for one in copied.failed]) == ("direct", ["copies"])


def test_the_certificate_of_a_block_that_puts_nothing_there(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The broken twin: `steer` that leaves the word in is found out."""
    monkeypatch.setattr(Placeholder, "put_in_call", lambda *_: None)
    subject = TransformersSubject(bert(), bert_tokenizer())
    found = certify(subject, FILM, ["a bad film", "a film"], swaps=2)["v"]
    assert found.level == "steer"
    assert [one.name for one in found.failed] == ["removal"]


def test_it_is_what_removed_does_and_a_report_measures_it() -> None:
    subject = TransformersSubject(bert(), bert_tokenizer())
    texts = ["a bad film", "the film was good"]
    with removed(subject, FILM):
        expected: Tensor = subject.decide(texts)
    with steer(subject, FILM) as steering:
        assert torch.equal(subject.decide(texts), expected)
    report = steering.report(texts, draws=2)
    plain = subject.decide(texts)
    target = plain.argmax(1, keepdim=True)
    change = (expected - plain).gather(1, target).mean()
    assert report.rules[0].effect.mean == pytest.approx(float(change), abs=1e-6)
    assert report.rules[0].inputs == 2
