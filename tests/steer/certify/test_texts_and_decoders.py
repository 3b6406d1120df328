"""Decoder classifiers and text estimators: steered, and certified at the level that holds."""

from typing import Any

import numpy as np
import pytest
import torch

from tests.steer.certify.test_exact import check
from tests.trace.subject_models import built, gpt2, gpt_tokenizer, llama
from tests.trace.test_watch import nothing_left
from zhuyi.learn import TextAttentionClassifier
from zhuyi.steer.certify import certify
from zhuyi.steer.rules import Rules
from zhuyi.steer.selectors import Regex, Tokens
from zhuyi.steer.steering import steer
from zhuyi.trace import TransformersSubject

transformers = pytest.importorskip("transformers")
TEXTS = ["the film was very good", "a film is not", "i love a quick film on you"]


def neox(**options: Any) -> Any:
    config = transformers.GPTNeoXConfig(
        vocab_size=len(gpt_tokenizer()), hidden_size=16, num_hidden_layers=3,
        num_attention_heads=4, intermediate_size=32, max_position_embeddings=64,
        initializer_range=0.4, num_labels=3, **options,
    )  # fmt: skip
    return built(transformers.GPTNeoXForSequenceClassification, config)


CLASSIFIERS = {
    "gpt2": lambda **options: gpt2("GPT2ForSequenceClassification", **options),
    "llama": lambda **options: llama("LlamaForSequenceClassification", **options),
    "gpt_neox": neox,
}


def decoder(name: str, *, padding: bool = True, side: str = "right") -> TransformersSubject:
    tokenizer = gpt_tokenizer(padding=padding)
    tokenizer.padding_side = side
    pad = {"pad_token_id": tokenizer.pad_token_id} if padding else {"pad_token_id": None}
    return TransformersSubject(CLASSIFIERS[name](**pad), tokenizer)


@pytest.mark.parametrize("side", ["left", "right"])
@pytest.mark.parametrize("padding", [True, False])
@pytest.mark.parametrize("name", sorted(CLASSIFIERS))
def test_a_veto_hides_a_word_from_a_decoder_classifier(name: str, padding: bool, side: str) -> None:
    subject = decoder(name, padding=padding, side=side)
    others = [text.replace("film", "zoos") for text in TEXTS]
    rules = Rules().veto(Regex("film|zoos"))
    plain = subject.decide(TEXTS), subject.decide(others)
    with steer(subject, rules) as steering:
        one, two = subject.decide(TEXTS), subject.decide(others)
        alone = torch.cat([subject.decide([text]) for text in TEXTS])
    assert torch.equal(one, two)
    torch.testing.assert_close(one, alone, rtol=0, atol=1e-5)  # padding changes nothing
    assert not torch.allclose(*plain, atol=1e-3)
    assert steering.matched["veto-1"].shown == ("film", "zoos")
    assert torch.equal(subject.decide(TEXTS), plain[0])
    assert nothing_left(subject.model)
    assert subject.model.config.pad_token_id == (1 if padding else None)


def test_a_decoder_classifier_decides_what_the_model_itself_decides() -> None:
    """Text by text, without padding: the model's own pooling cannot go wrong there."""
    subject = decoder("gpt2", padding=False)
    for text in TEXTS:
        ids = torch.tensor([subject.processor(text)["input_ids"]])
        with torch.no_grad():
            expected = subject.model(input_ids=ids).logits.softmax(1)
        torch.testing.assert_close(subject.decide([text]), expected, rtol=0, atol=1e-6)


@pytest.mark.parametrize("name", sorted(CLASSIFIERS))
def test_a_decoder_classifier_is_exact_but_not_where_it_reads(name: str) -> None:
    subject = decoder(name)
    check(certify(subject, Rules().veto(Regex("film"), id="v"), TEXTS, swaps=3)["v"], 3)
    found = certify(subject, Rules().veto(Tokens(-1), id="v"), TEXTS, swaps=2)["v"]
    assert found.level == "direct"
    assert "read-out" in {item.name for item in found.failed}


WRITTEN = ["a good film today", "a bad film now", "one good day now", "such a bad day"] * 8


@pytest.fixture(scope="module", params=[0, 1], ids=["pieces", "context"])
def estimator(request: pytest.FixtureRequest) -> TextAttentionClassifier:
    model = TextAttentionClassifier(max_epochs=3, random_state=0, mixing_layers=request.param)
    return model.fit(WRITTEN, [1, 0, 1, 0] * 8)


def test_text_estimators_are_exact_where_pieces_stand_alone(
    estimator: TextAttentionClassifier,
) -> None:
    """Pieces of two words that hold the vetoed one go with it, and no other depends on it."""
    found = certify(estimator, Rules().veto("film", id="v"), WRITTEN[:8], swaps=3)["v"]
    texts = ["a good film today", "a good day today", "a good xyzzy today", "a good bad today"]
    with steer(estimator, Rules().veto(Regex(r"(?<=good )\w+"))):
        shares = estimator.predict_proba(texts)
    apart = float(np.abs(shares - shares[0]).max())
    if estimator.mixing_layers:
        # There a neighbor goes with a known pair, and stays beside an unknown one: a trace.
        assert found.level == "direct"
        assert {"tokenizer", "unknown modules"} <= {item.name for item in found.failed}
        return
    assert found.level == "exact"
    assert not found.failed
    item = found.item("swaps")
    assert item is not None
    assert item.numbers["equal"] == 3
    assert apart <= 1e-6, "other words, known, unknown and in known pairs, decide the same"
    plain = estimator.predict_proba(texts)
    assert float(np.abs(plain - plain[0]).max()) > 1e-3
