"""A head's details against the oracle: the page's arithmetic, done here in NumPy."""

import numpy as np
import numpy.typing as npt
import pytest
import torch

from tests.oracle import masks
from tests.oracle.attention import attention
from zhuyi.core import AttentionMatrix, Bias, Mask
from zhuyi.ui.view.detail import DENSE_LIMIT, Detail, describe, interval_mask
from zhuyi.ui.view.pack import pack, unpack

Float = npt.NDArray[np.float64]


def page_weights(detail: Detail) -> tuple[Float, Float]:
    """Scores and weights as `operator.js` computes them, from the encoded bytes."""
    arrays = {k: v.astype(np.float64) for k, v in unpack(pack({}, detail.arrays))[1].items()}
    lse = arrays["lse"][:, None]
    if detail.kind == "logs":
        logs = arrays["logs"] - arrays["shift"][:, None]
        scores = np.where(np.isinf(lse), -np.inf, logs + np.where(np.isinf(lse), 0, lse))
    else:
        scores = detail.scale * arrays["query"] @ arrays["key"].T
        scores = scores + arrays["row"][:, None] + arrays["column"]
        if detail.softcap > 0:
            scores = detail.softcap * np.tanh(scores / detail.softcap)
        if "start" in arrays:
            place = np.arange(scores.shape[1])
            seen = (place >= arrays["start"][:, None]) & (place < arrays["stop"][:, None])
            scores = np.where(seen & (arrays["keep"] > 0), scores, -np.inf)
    return scores, np.exp(scores - lse)


def tensors(queries: int, keys: int, width: int) -> tuple[torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(3)
    query = torch.randn(1, 1, queries, width, generator=generator) * 2 + 1
    # A mean that all keys share is what trained models have.
    key = torch.randn(1, 1, keys, width, generator=generator) * 2 + 5
    return query, key


CASES = {
    "small is dense": (12, 12, 16, None, None, {}),
    "long is an operator": (90, 90, 8, None, None, {}),
    "cross": (40, 90, 8, None, None, {}),
    "causal": (90, 90, 8, Mask.causal(), masks.causal(90, 90), {}),
    "window": (90, 90, 8, Mask.window(5, 2), masks.window(90, 90, 5, 2), {}),
    "softcap": (90, 90, 8, None, None, {"softcap": 4.0}),
}


@pytest.mark.parametrize("name", CASES)
def test_page_agrees_with_the_oracle(name: str) -> None:
    queries, keys, width, mask, keep, options = CASES[name]
    query, key = tensors(queries, keys, width)
    matrix = AttentionMatrix(query, key, mask=mask, **options)
    detail = describe(matrix, None)
    assert detail is not None
    assert detail.kind == ("logs" if name == "small is dense" else "operator")
    truth = attention(query.numpy(), key.numpy(), key.numpy(), keep_mask=keep, **options)
    scores, weights = page_weights(detail)
    seen = np.isfinite(truth.scores[0, 0])
    assert np.array_equal(np.isfinite(scores), seen)
    assert np.abs(scores[seen] - truth.scores[0, 0][seen]).max() <= detail.score_error + 2e-5
    assert np.abs(weights - truth.weights[0, 0]).max() <= detail.weight_error + 2e-5
    assert detail.weight_error < 0.02
    if "softcap" not in options:
        assert np.abs(weights.sum(-1) - 1).max() < 1e-4, "a row must not sum to 1.01"


def test_the_stated_error_is_not_generous() -> None:
    query, key = tensors(90, 90, 8)
    detail = describe(AttentionMatrix(query, key), None)
    assert detail is not None
    truth = attention(query.numpy(), key.numpy(), key.numpy())
    scores, _ = page_weights(detail)
    measured = float(np.abs(scores - truth.scores[0, 0]).max())
    assert 0.5 * detail.score_error < measured


def test_bias_makes_it_dense_or_nothing() -> None:
    query, key = tensors(90, 90, 8)
    bias = torch.randn(90, 90, generator=torch.Generator().manual_seed(0))
    detail = describe(AttentionMatrix(query, key, bias=Bias.dense(bias)), None)
    assert detail is not None
    assert detail.kind == "logs"
    truth = attention(query.numpy(), key.numpy(), key.numpy(), bias=bias.numpy())
    assert np.abs(page_weights(detail)[1] - truth.weights[0, 0]).max() < 2e-3
    length = DENSE_LIMIT + 1
    query, key = tensors(length, length, 4)
    long = AttentionMatrix(query, key, bias=Bias.per_key(torch.zeros(length)))
    assert describe(long, None) is None


def test_sink_rows_sum_to_less_than_one() -> None:
    query, key = tensors(90, 90, 8)
    sink = torch.tensor([3.0])
    detail = describe(AttentionMatrix(query, key, sink=sink), None)
    assert detail is not None
    truth = attention(query.numpy(), key.numpy(), key.numpy(), sink=sink.numpy())
    assert np.abs(page_weights(detail)[1] - truth.weights[0, 0]).max() < 0.02
    assert truth.weights[0, 0].sum(-1).min() < 0.99


def test_rows_that_see_nothing_stay_empty() -> None:
    query, key = tensors(6, 6, 16)
    keep = torch.ones(1, 6, dtype=torch.bool)
    keep[0, 4:] = False
    detail = describe(AttentionMatrix(query, key, mask=Mask.rows(keep)), None)
    assert detail is not None
    scores, weights = page_weights(detail)
    assert weights[4:].tolist() == [[0.0] * 6] * 2
    assert not np.isfinite(scores[4:]).any()


@pytest.mark.parametrize(
    "mask",
    [
        Mask.causal(),
        Mask.window(3, 0),
        Mask.padding(torch.tensor([[True] * 300 + [False] * 20])),
        Mask.padding(torch.tensor([[False] * 20 + [True] * 300])) & Mask.causal(),
        Mask.segments(torch.arange(320) // 50, torch.arange(320) // 50),
    ],
    ids=["causal", "window", "right padding", "left padding", "segments"],
)
def test_interval_masks_are_exact(mask: Mask) -> None:
    interval = interval_mask(mask, 320, 320)
    assert interval is not None
    place = np.arange(320)
    seen = (place >= interval.start[:, None]) & (place < interval.stop[:, None])
    block = mask.block(slice(0, 320), slice(0, 320)).expand(1, 1, 320, 320)[0, 0].numpy()
    assert np.array_equal(seen & (interval.keep > 0), block)


def test_a_mask_that_hides_nothing_is_left_out() -> None:
    query, key = tensors(90, 90, 8)
    keep = torch.ones(1, 90, dtype=torch.bool)
    detail = describe(AttentionMatrix(query, key, mask=Mask.padding(keep)), None)
    assert detail is not None
    assert "start" not in detail.arrays
    keep[0, -1] = False
    detail = describe(AttentionMatrix(query, key, mask=Mask.padding(keep)), None)
    assert detail is not None
    assert detail.arrays["keep"].sum() == 89


def test_a_mask_with_holes_is_no_interval() -> None:
    keep = torch.rand(20, 20, generator=torch.Generator().manual_seed(0)) > 0.5
    assert interval_mask(Mask.dense(keep), 20, 20) is None


def test_results_are_within_half_a_step() -> None:
    query, key = tensors(90, 90, 8)
    value = torch.randn(90, 5, generator=torch.Generator().manual_seed(1)) * 3
    detail = describe(AttentionMatrix(query, key), value)
    assert detail is not None
    arrays = unpack(pack({}, detail.arrays))[1]
    rounded = arrays["value"].astype(np.float64) * arrays["step"]
    truth = attention(query.numpy(), key.numpy(), value.numpy()[None, None])
    error = np.abs(truth.weights[0, 0] @ rounded - truth.output[0, 0])
    assert (error <= arrays["step"] / 2 + 1e-6).all()
    assert error.max() > 0


def test_numbers_beyond_float16_are_left_out() -> None:
    query, key = tensors(90, 90, 8)
    assert describe(AttentionMatrix(query * 1e6, key, scale=1e-6), None) is None
