"""Rollout against the dense product of the textbook."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from tests import oracle
from tests.explain.dense import eager_weights
from tests.trace.subject_models import (
    bert,
    bert_tokenizer,
    built,
    gpt_tokenizer,
    llama,
    transformers,
    vit,
)
from zhuyi.core import AttentionMatrix, Mask
from zhuyi.errors import NotWatchable, OptionError
from zhuyi.explain import Rollout
from zhuyi.explain.rollout import roll_out
from zhuyi.trace.adapters.transformers_subject import TransformersSubject
from zhuyi.trace.readout import LastRow

TEXTS = ("The quick brown fox jumped.", "good film")


@pytest.mark.parametrize("residual", [0.0, 0.5, 0.9, 1.0])
@pytest.mark.parametrize("name", ["bert", "llama"])
def test_rollout_is_the_dense_product(name: str, residual: float) -> None:
    if name == "bert":
        subject = TransformersSubject(bert(), bert_tokenizer())
    else:
        subject = TransformersSubject(llama("LlamaForSequenceClassification"), gpt_tokenizer())
    encoded = subject._encode(TEXTS)
    body = subject.model.base_model
    layers = eager_weights(body, dict(encoded.inputs))
    assert layers[0].shape[1] == 4
    last = encoded.real.sum(1) - 1
    readout = np.zeros(encoded.real.shape)
    readout[np.arange(2), 0 if name == "bert" else last.numpy()] = 1.0
    wanted = oracle.received_rollout(layers, readout, residual)
    found = Rollout(residual=residual)(subject, TEXTS)
    joined = subject.gather(TEXTS, torch.from_numpy(wanted))
    np.testing.assert_allclose(found.values.numpy(), joined.numpy(), atol=2e-6, rtol=0)
    np.testing.assert_allclose(found.values.sum(1).numpy(), 1.0, atol=2e-6)
    assert (found.values >= 0).all()
    assert (found.signed, found.method) == (False, f"Rollout(residual={residual})")


@settings(max_examples=25, deadline=None)
@given(
    layers=st.integers(1, 4),
    groups=st.sampled_from([(1, 1), (2, 1), (4, 2)]),
    length=st.integers(1, 9),
    residual=st.floats(0, 1),
    causal=st.booleans(),
)
def test_the_chain_is_linear_algebra(
    layers: int, groups: tuple[int, int], length: int, residual: float, causal: bool
) -> None:
    generator = torch.Generator().manual_seed(length)
    heads, key_heads = groups

    def draw(number: int) -> torch.Tensor:
        return torch.randn(2, number, length, 4, generator=generator, dtype=torch.float64)

    matrices = [
        AttentionMatrix(draw(heads), draw(key_heads), mask=Mask.causal() if causal else None)
        for _ in range(layers)
    ]
    readout = torch.rand(2, length, generator=generator, dtype=torch.float64)
    readout /= readout.sum(1, keepdim=True)
    dense = []
    for matrix in matrices:
        keep = oracle.causal(length, length) if causal else None
        query, key = matrix.query.numpy(), matrix.key.numpy()
        dense.append(oracle.attention(query, key, key, keep_mask=keep).weights)
    wanted = oracle.received_rollout(dense, readout.numpy(), residual)
    found = roll_out(matrices, readout, residual=residual)
    np.testing.assert_allclose(found.numpy(), wanted, atol=1e-12, rtol=0)


def test_images_and_pairs() -> None:
    images = torch.randn(2, 3, 12, 12)
    found = Rollout()(TransformersSubject(vit()), images)
    assert found.values.shape == (2, 10)
    torch.testing.assert_close(found.values.sum(1), torch.ones(2))
    pairs = [("The fox.", "very good film"), ("dog", "lazy")]
    subject = TransformersSubject(bert("BertModel"), bert_tokenizer(), task="similarity")
    values = Rollout()(subject, pairs).values
    torch.testing.assert_close(values.sum(1), torch.full((2,), 2.0))  # one for each sentence
    alone = torch.cat((Rollout()(subject, pairs[:1]).values, values[1:]))
    torch.testing.assert_close(values, alone, atol=2e-6, rtol=0)


def test_no_chain_across_sequences() -> None:
    config = transformers.T5Config(
        vocab_size=len(bert_tokenizer()), d_model=16, d_kv=4, d_ff=16, num_layers=1, num_heads=4
    )
    tokenizer = bert_tokenizer()
    config.eos_token_id, config.decoder_start_token_id = tokenizer.sep_token_id, 0
    model = built(transformers.T5ForSequenceClassification, config)
    subject = TransformersSubject(model, tokenizer, readout=LastRow())
    with pytest.raises(NotWatchable, match=r"attends from one sequence to another|make no chain"):
        Rollout()(subject, TEXTS[:1])


@pytest.mark.parametrize("residual", [-0.1, 1.1, float("nan")])
def test_residual_is_a_share(residual: float) -> None:
    with pytest.raises(OptionError, match=r"residual must be in \[0, 1\]"):
        Rollout(residual=residual)
