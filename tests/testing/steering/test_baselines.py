"""PASTA, SpotLight and InstABoost against their papers' formulas on dense weights, in NumPy."""

import numpy as np
import pytest
import torch
from torch import Tensor

from zhuyi.layers import Attention
from zhuyi.testing.steering.baselines import instaboost, pasta, profiled_heads, spotlight
from zhuyi.testing.steering.network import draw_parameters
from zhuyi.trace.biased import Biased
from zhuyi.trace.collector import BiasRule
from zhuyi.trace.watch import watch

B, H, L = 2, 2, 6
KEYS = torch.tensor([[0, 1, 1, 0, 0, 0], [0, 0, 0, 0, 1, 0]]).bool()


class OneLayer(torch.nn.Module):
    """Attention of a sequence over itself."""

    def __init__(self) -> None:
        super().__init__()
        self.attention = Attention(8, num_heads=H)
        draw_parameters(self, torch.Generator().manual_seed(1))

    def forward(self, rows: Tensor) -> Tensor:
        return self.attention(rows, rows, rows).output


MODEL = OneLayer().eval()
ROWS = torch.randn(B, L, 8, generator=torch.Generator().manual_seed(2))


def weights(rule: BiasRule | None = None) -> np.ndarray:
    """The attention weights, float64 "B H L L"."""
    with torch.no_grad(), watch(MODEL) as tape:
        if rule is None:
            MODEL(ROWS)
        else:
            with Biased(MODEL, rule):
                MODEL(ROWS)
    return tape[0].matrix.materialize().double().numpy()


def again_one(scaled: np.ndarray) -> np.ndarray:
    return scaled / scaled.sum(-1, keepdims=True)


HIT = KEYS.numpy()[:, None, None, :]


def test_pasta_scales_the_other_keys_down_in_its_heads_only() -> None:
    before = weights()
    expected = before.copy()
    expected[:, 1] = again_one(np.where(HIT, before, 0.01 * before))[:, 1]
    np.testing.assert_allclose(weights(pasta(KEYS, [(0, 1)])), expected, atol=1e-6)


def test_pasta_leaves_a_layer_without_its_heads_alone() -> None:
    np.testing.assert_array_equal(weights(pasta(KEYS, [(1, 0)])), weights())


def test_instaboost_multiplies_after_the_softmax() -> None:
    before = weights()
    expected = again_one(np.where(HIT, 4.0 * before, before))
    np.testing.assert_allclose(weights(instaboost(KEYS, 4.0)), expected, atol=1e-6)


def test_spotlight_lifts_rows_below_its_share_by_the_paper_s_bias() -> None:
    before = weights()
    has = np.where(HIT, before, 0.0).sum(-1, keepdims=True)
    lift = np.maximum(np.log(0.4 / has), 0.0)
    expected = again_one(np.where(HIT, before * np.exp(lift), before))
    found = weights(spotlight(KEYS, 0.4))
    np.testing.assert_allclose(found, expected, atol=1e-6)
    low = has < 0.4
    reached = np.where(HIT, found, 0.0).sum(-1, keepdims=True)
    assert low.any()
    assert (reached[low] < 0.4).all(), "the paper's bias stays below the share it aims at"
    np.testing.assert_allclose(reached[~low], has[~low], atol=1e-6)


def test_all_heads_of_pasta_are_a_boost_by_one_over_alpha() -> None:
    every = [(0, head) for head in range(H)]
    np.testing.assert_allclose(
        weights(pasta(KEYS, every, alpha=0.25)), weights(instaboost(KEYS, 4.0)), atol=1e-6
    )


def test_heads_are_profiled_one_by_one() -> None:
    score = {(0, 0): 0.2, (0, 1): 0.9, (1, 0): 0.5}
    assert profiled_heads(lambda head: score[head], list(score), 2) == ((0, 1), (1, 0))


def test_a_wrong_formula_is_noticed() -> None:
    """The broken twin: scaling what is meant down instead of the others."""
    before = weights()
    expected = again_one(np.where(HIT, before, 0.01 * before))
    with pytest.raises(AssertionError):
        np.testing.assert_allclose(weights(pasta(~KEYS, [(0, 0), (0, 1)])), expected, atol=1e-6)
