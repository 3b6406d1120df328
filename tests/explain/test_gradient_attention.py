"""Gradient attention against autograd through dense weights and the textbook's recursion."""

import numpy as np
import pytest
import torch

from tests import oracle
from tests.explain.dense import eager_gradients
from tests.trace.subject_models import bert, bert_tokenizer, gpt2, gpt_tokenizer, llama
from zhuyi.core import AttentionMatrix, Mask
from zhuyi.explain import GradientAttention
from zhuyi.explain.gradient_attention import carried
from zhuyi.trace.adapters.transformers_subject import TransformersSubject

TEXTS = ("The quick brown fox jumped.", "good film")


def subject_of(name: str) -> TransformersSubject:
    if name == "bert":
        return TransformersSubject(bert(), bert_tokenizer())
    if name == "next token":
        return TransformersSubject(gpt2(), gpt_tokenizer())
    return TransformersSubject(
        llama("LlamaForSequenceClassification", pad_token_id=1), gpt_tokenizer(padding=True)
    )


@pytest.mark.parametrize("target", [None, 1, (2, 0)])
@pytest.mark.parametrize("name", ["bert", "llama", "next token"])
def test_it_is_the_textbooks_recursion(name: str, target: int | tuple[int, int] | None) -> None:
    subject = subject_of(name)
    found = GradientAttention(own=True)(subject, TEXTS, target)
    encoded = subject._encode(TEXTS)
    last = encoded.real.sum(1) - 1

    def pick(outputs: object) -> torch.Tensor:
        logits = outputs.logits  # type: ignore[attr-defined]
        logits = logits[torch.arange(2), last] if name == "next token" else logits
        return logits[torch.arange(2), torch.tensor(found.target)]

    weights, gradients = eager_gradients(subject.model, dict(encoded.inputs), pick)
    rows = np.zeros(2, int) if name == "bert" else last.numpy()
    wanted = oracle.chefer(weights, gradients)[np.arange(2), rows]
    joined = subject.gather(TEXTS, torch.from_numpy(wanted)).numpy()
    np.testing.assert_allclose(found.values.numpy(), joined, atol=2e-5, rtol=2e-5)

    readout = np.zeros_like(wanted)
    readout[np.arange(2), rows] = 1.0
    own = subject.gather(TEXTS, torch.from_numpy(readout)).numpy()
    carried_only = GradientAttention()(subject, TEXTS, target).values.numpy()
    np.testing.assert_allclose(carried_only, joined - own, atol=2e-5, rtol=2e-5)
    assert carried_only.max() > 1e-3
    if isinstance(target, tuple):
        assert found.target == target


@pytest.mark.parametrize(("heads", "groups"), [(4, 4), (4, 2), (4, 1)])
def test_one_step_is_the_tile_wise_product(heads: int, groups: int) -> None:
    generator = torch.Generator().manual_seed(0)

    def draw(number: int, length: int) -> torch.Tensor:
        return torch.randn(2, number, length, 3, generator=generator, dtype=torch.float64)

    query, key, value, gradient = draw(heads, 7), draw(groups, 7), draw(groups, 7), draw(heads, 7)
    row = torch.rand(2, 7, generator=generator, dtype=torch.float64)
    row[:, 3] = 0.0
    matrix = AttentionMatrix(query, key, mask=Mask.causal())
    truth = oracle.attention(
        query.numpy(), key.numpy(), value.numpy(), keep_mask=oracle.causal(7, 7)
    )
    spread = np.stack(
        [value.numpy()[:, oracle.key_head(h, heads, groups)] for h in range(heads)], axis=1
    )
    change = np.einsum("bhqd,bhkd->bhqk", gradient.numpy(), spread)
    wanted = np.einsum("bq,bqk->bk", row, oracle.gradient_attention(truth.weights, change))
    found = carried(matrix, value, gradient, row).numpy()
    np.testing.assert_allclose(found, wanted, atol=1e-12, rtol=0)


def test_frozen_parameters_make_no_difference() -> None:
    subject = subject_of("bert")
    wanted = GradientAttention()(subject, TEXTS)
    subject.model.requires_grad_(False)
    found = GradientAttention()(subject, TEXTS)
    torch.testing.assert_close(found.values, wanted.values, atol=1e-6, rtol=1e-5)
    assert all(p.grad is None for p in subject.model.parameters())
