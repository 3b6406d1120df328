"""Rules in every family of models: the weights that the formula says, vetoes to the bit."""

from typing import Any

import numpy as np
import pytest
import torch

transformers = pytest.importorskip("transformers")

from tests.trace.subject_models import (  # noqa: E402
    bert,
    bert_tokenizer,
    gpt2,
    gpt_tokenizer,
    llama,
    vit,
)
from tests.trace.test_watch import nothing_left  # noqa: E402
from tests.zoo.tiny import tiny_inputs, tiny_model  # noqa: E402
from zhuyi.errors import InputError, NotSteerable, OptionError, UnmatchedRule  # noqa: E402
from zhuyi.steer.rules import Rules  # noqa: E402
from zhuyi.steer.selectors import Column, Tokens  # noqa: E402
from zhuyi.steer.steering import steer  # noqa: E402
from zhuyi.trace import TransformersSubject, watch  # noqa: E402

ENCODERS = ("bert", "roberta", "distilbert", "electra", "albert", "modernbert", "nomic_bert")
DECODERS = (
    "gpt2",
    "llama",
    "qwen2",
    "qwen3",
    "mistral",
    "gemma2",
    "gemma3_text",
    "gpt_neox",
    "opt",
)
FAMILIES = (*ENCODERS, *DECODERS, "phi3", "gpt_oss", "smollm3")
VETOED = slice(3, 5)
#: Which words an expert takes together changes the last bit of all of them.
EXPERTS = {"gpt_oss"}


def model_and_inputs(name: str, attention: str = "sdpa") -> tuple[Any, dict[str, torch.Tensor]]:
    model = tiny_model(name, {})
    if attention == "eager" or name == "gpt_oss":
        model.set_attn_implementation("eager")
    return model, tiny_inputs(model)


def weights(model: Any, inputs: dict[str, torch.Tensor]) -> list[np.ndarray]:
    with torch.no_grad(), watch(model) as tape:
        model(**inputs)
    return [
        one.matrix.materialize().detach().double().numpy() for one in tape if one.matrix is not None
    ]


@pytest.mark.parametrize("attention", ["sdpa", "eager"])
@pytest.mark.parametrize("name", FAMILIES)
def test_the_first_layer_is_the_formula(name: str, attention: str) -> None:
    """weights = softmax(scores + ln w): w times the odds, whatever masks and sinks there are."""
    model, inputs = model_and_inputs(name, attention)
    rules = Rules().boost(Tokens(2, 4), 4.0).damp(Tokens(5, 6), 0.25, heads=[1])
    plain = weights(model, inputs)[0]
    with steer(model, rules, tokenizer=gpt_tokenizer()):
        found = weights(model, inputs)[0]
    factor = np.ones_like(plain)
    factor[..., 2:4] = 4.0
    factor[:, 1, :, 5:6] = 0.25
    expected = plain * factor
    # A sink takes part in the sum and has no odds of its own.
    sink = 1.0 - plain.sum(-1, keepdims=True) if name == "gpt_oss" else 0.0
    total = expected.sum(-1, keepdims=True) + sink
    expected = np.divide(expected, total, out=np.zeros_like(plain), where=total > 0)
    np.testing.assert_allclose(found, expected, rtol=0, atol=2e-5)
    assert np.abs(found - plain).max() > 0.05
    assert nothing_left(model)


@pytest.mark.parametrize("name", FAMILIES)
def test_a_veto_hides_what_stands_there_to_the_bit(name: str) -> None:
    model, inputs = model_and_inputs(name)
    other = dict(inputs)
    other["input_ids"] = inputs["input_ids"].clone()
    other["input_ids"][:, VETOED] = 7
    kept = [place for place in range(inputs["input_ids"].shape[1]) if place not in (3, 4)]
    with torch.no_grad():
        plain = model(**inputs)[0], model(**other)[0]
        found = {}
        for form in ("low-rank", "dense"):
            rules = Rules().veto(Tokens(3, 5)).boost(Tokens(1, 2), 2)
            with steer(model, rules, tokenizer=gpt_tokenizer(), form=form):
                found[form] = model(**inputs)[0], model(**other)[0]
        again = model(**inputs)[0]
    for one, two in found.values():
        if name in EXPERTS:  # a certificate refuses "exact" there
            torch.testing.assert_close(one[:, kept], two[:, kept], rtol=0, atol=1e-5)
        else:
            assert torch.equal(one[:, kept], two[:, kept])
    assert not torch.allclose(plain[0][:, kept], plain[1][:, kept], atol=1e-3)  # the broken twin
    real = inputs["attention_mask"].bool()[:, kept]
    low, dense = (found[form][0][:, kept][real] for form in ("low-rank", "dense"))
    scale = float(low.abs().max())
    torch.testing.assert_close(low, dense, rtol=0, atol=2e-5 * scale)
    assert torch.equal(again, plain[0])


@pytest.mark.parametrize("kind", ["bert", "llama", "gpt2"])
@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16, torch.float64])
def test_other_precisions(kind: str, dtype: torch.dtype) -> None:
    model = {"bert": bert, "llama": llama, "gpt2": gpt2}[kind]()
    known = bert_tokenizer() if kind == "bert" else gpt_tokenizer()
    ids = torch.tensor([known("the quick brown fox")["input_ids"]])
    rules = Rules().boost("quick", 6).damp("fox", 0.2)
    with torch.no_grad():
        with steer(model.double(), rules, tokenizer=known):
            expected = model(ids).logits
        with steer(model.to(dtype), rules, tokenizer=known):
            found = model(ids).logits.double()
    tolerance = {torch.bfloat16: 0.1, torch.float16: 2e-2, torch.float64: 0.0}[dtype]
    scale = float(expected.abs().max())
    torch.testing.assert_close(found, expected, rtol=0, atol=tolerance * scale)


def test_images_are_steered_by_patches() -> None:
    model = vit(num_labels=3)
    subject = TransformersSubject(model)
    pixels = torch.randn(3, 3, 12, 12, generator=torch.Generator().manual_seed(0))
    other = pixels.clone()
    other[:, :, 4:8, 8:12] = 3.0  # patch (1, 2)
    with steer(subject, Rules().veto(Column("(1, 2)")).boost(Column("(0, *)"), 2)) as steering:
        one, two = subject.decide(pixels), subject.decide(other)
        direct = model(pixel_values=pixels).logits.softmax(1)
    assert torch.equal(one, two)
    torch.testing.assert_close(one, direct)
    assert not torch.equal(subject.decide(pixels), subject.decide(other))
    assert steering.matched["veto-1"].shown == ("(1, 2)",)
    assert steering.matched["boost-2"].positions == 9
    # The model by itself does not say which position is which patch.
    with pytest.raises(NotSteerable, match="pass tokenizer="):
        steer(model, Rules().veto(Column("(1, 2)")))


@pytest.mark.parametrize("task", ["text-classification", "next-token", "similarity", "embedding"])
def test_every_task_of_a_subject(task: Any) -> None:
    model = {
        "text-classification": lambda: bert(),
        "next-token": lambda: gpt2(),
        "similarity": lambda: bert("BertModel"),
        "embedding": lambda: bert("BertModel"),
    }[task]()
    known = gpt_tokenizer() if task == "next-token" else bert_tokenizer()
    subject = TransformersSubject(model, known, task=task)
    texts: list[Any] = ["the quick fox", "a bad dog"]
    batch = [(one, "the lazy fox") for one in texts] if task == "similarity" else texts
    plain = subject.decide(batch)
    keep = torch.ones(2, max(len(units) for units in subject.units(batch)), dtype=torch.bool)
    keep[:, 2] = False
    with steer(subject, Rules().boost("the", 20).veto("bad")) as steering:
        found = subject.decide(batch)
        subject.decide(batch, keep)
        tape = subject.watch(batch)
        if task != "embedding":
            torch.testing.assert_close(subject.decide(batch), found)
        assert bool((tape.logits is not None) and tape.logits.isfinite().all())
    assert steering.matched["veto-2"].positions > 0
    if task != "embedding":  # without anything removed it is 1 by definition
        assert not torch.allclose(found, plain, atol=1e-4)
    assert torch.equal(subject.decide(batch), plain)


def test_embeddings_in_the_place_of_ids_are_those_of_a_text_that_is_known() -> None:
    subject = TransformersSubject(bert(), bert_tokenizer())
    batch = ["the quick fox", "a bad dog jump"]
    with steer(subject, Rules().veto("bad")):
        found = subject.decide(batch)
        vectors = subject.embed(batch)
        logits = subject.decide_embedded(batch, vectors)
        point = vectors.clone().requires_grad_()
        subject.decide_embedded(batch, point)[1].sum().backward()
        assert subject.watch(batch, gradient=True).logits is not None
        with pytest.raises(InputError, match="whose text is not known"):
            subject.model(inputs_embeds=vectors.clone())
    torch.testing.assert_close(logits.softmax(1), found, rtol=0, atol=1e-6)
    assert float(point.grad[1, 2].abs().max()) == 0.0  # "bad"
    assert float(point.grad[1, 3].abs().max()) > 0.0


def test_what_is_refused() -> None:
    known = bert_tokenizer()
    with pytest.raises(OptionError, match="fitted estimator, got str"):
        steer("bert", Rules().veto("a"))  # type: ignore[arg-type]
    t5 = tiny_model("t5", {})
    with pytest.raises(NotSteerable, match="reads two sequences"):
        steer(t5, Rules().veto("a"), tokenizer=known)
    model = bert()
    ids = torch.tensor([known("the quick fox")["input_ids"]])
    rules = Rules().boost("the", 2, heads=[9])
    refused = pytest.raises(OptionError, match=r"names head 9, and .* has 4")
    with refused, torch.no_grad(), steer(model, rules, tokenizer=known):
        model(ids)
    refused = pytest.raises(NotSteerable, match="'boost-1' means nothing")
    rules = Rules().boost("nowhere", 2)
    with refused, torch.no_grad(), steer(model, rules, tokenizer=known, strict=True):
        model(ids)
    with torch.no_grad(), pytest.warns(UnmatchedRule), steer(model, rules, tokenizer=known):
        assert torch.equal(model(ids).logits, model(ids).logits)
    assert nothing_left(model)
