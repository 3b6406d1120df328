"""Received attention and value norms against their sums, written out in NumPy."""

import numpy as np
import pytest
import torch

from tests.explain.dense import eager_weights
from tests.trace.subject_models import bert, bert_tokenizer, gpt2, gpt_tokenizer, llama, vit
from zhuyi.errors import OptionError
from zhuyi.explain import Received, ValueNorm
from zhuyi.explain.value_norm import added_lengths
from zhuyi.trace.adapters.transformers_subject import TransformersSubject

TEXTS = ("The quick brown fox jumped.", "good film")


@pytest.mark.parametrize(("layer", "head"), [(None, None), (-1, None), (0, 2), (None, 1)])
@pytest.mark.parametrize("name", ["bert", "llama"])
def test_received_is_the_column_sum(name: str, layer: int | None, head: int | None) -> None:
    if name == "bert":
        subject = TransformersSubject(bert(), bert_tokenizer())
    else:
        subject = TransformersSubject(llama(), gpt_tokenizer())
    encoded = subject._encode(TEXTS)
    weights = np.stack(eager_weights(subject.model.base_model, dict(encoded.inputs)))
    weights = weights if layer is None else weights[[layer]]
    weights = weights if head is None else weights[:, :, [head]]
    wanted = subject.gather(TEXTS, torch.from_numpy(weights.mean((0, 2)).sum(1)))
    found = Received(layer=layer, head=head)(subject, TEXTS)
    np.testing.assert_allclose(found.values.numpy(), wanted.numpy(), atol=5e-6, rtol=0)
    # Absolute sums: what is received is what the real positions have given.
    torch.testing.assert_close(found.values.sum(1), encoded.real.sum(1).float())


def test_layers_and_heads_that_are_not_there() -> None:
    subject = TransformersSubject(bert(), bert_tokenizer())
    for method in (Received(layer=3), ValueNorm(layer=-4)):
        with pytest.raises(OptionError, match=r"layer must be in \[-3, 3\)"):
            method(subject, TEXTS)
    with pytest.raises(OptionError, match="head must be below 4, got 4"):
        Received(head=4)(subject, TEXTS)


@pytest.mark.parametrize("name", ["bert", "gpt2", "llama", "vit"])
def test_value_norm_is_the_length_of_what_is_added(name: str) -> None:
    batch: object = TEXTS
    if name == "bert":
        subject = TransformersSubject(bert(), bert_tokenizer())
        place = subject.model.bert.encoder.layer[-1].attention.output.dense.weight
    elif name == "gpt2":
        subject = TransformersSubject(gpt2(), gpt_tokenizer())
        place = subject.model.transformer.h[-1].attn.c_proj.weight.T
    elif name == "llama":
        subject = TransformersSubject(llama(), gpt_tokenizer())
        place = subject.model.model.layers[-1].self_attn.o_proj.weight
    else:
        subject = TransformersSubject(vit())
        place = subject.model.vit.layers[-1].attention.o_proj.weight
        batch = torch.randn(2, 3, 12, 12)
    tape = subject.watch(batch)
    sight = tape[-1]
    weights = sight.matrix.materialize().double().numpy()
    value = sight.value.double().numpy()
    value = value.repeat(weights.shape[1] // value.shape[1], axis=1)
    maps = place.detach().double().numpy().reshape(16, 4, 4)  # E H D
    added = np.einsum("ehd,bhkd->bhke", maps, value)
    joined = np.einsum("bhqk,bhke->bqke", weights, added)
    rows = subject.readout(tape).double().numpy()
    wanted = np.einsum("bq,bqk->bk", rows, np.linalg.norm(joined, axis=-1))
    found = ValueNorm()(subject, batch)
    joined_units = subject.gather(batch, torch.from_numpy(wanted)).numpy()
    np.testing.assert_allclose(found.values.numpy(), joined_units, atol=1e-5, rtol=1e-5)
    assert found.evidence["projection"] == "found"


def test_value_norm_without_a_projection() -> None:
    class Bare(TransformersSubject):
        """One that cannot show the map behind its attention."""

        def output_projection(self, site: object) -> None:
            return None

    subject = Bare(bert(), bert_tokenizer())
    tape = subject.watch(TEXTS)
    weights = tape[-1].matrix.materialize().double().numpy()[:, :, 0]
    value = tape[-1].value.double().numpy()
    wanted = np.sqrt((weights**2 * (value**2).sum(-1)).sum(1))
    found = ValueNorm()(subject, TEXTS)
    joined = subject.gather(TEXTS, torch.from_numpy(wanted)).numpy()
    np.testing.assert_allclose(found.values.numpy(), joined, atol=1e-5, rtol=1e-5)
    assert found.evidence["projection"] == "not found"
    lengths = added_lengths(tape[0].matrix, tape[0].value, subject.readout(tape), None)
    assert lengths.shape == (2, 9)
    all_layers = ValueNorm(layer=None)(subject, TEXTS).values
    one_by_one = [ValueNorm(layer=n)(subject, TEXTS).values for n in range(3)]
    torch.testing.assert_close(all_layers, torch.stack(one_by_one).mean(0))
