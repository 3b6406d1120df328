"""The article's module: its own listing cannot run, ours does what the article says."""

import math

import pytest
import torch
from torch import nn

from zhuyi import Bias, Mask
from zhuyi.errors import OptionError, ShapeError
from zhuyi.layers import Attention


class ArticleListing(nn.Module):
    """The article's code, section 5.2, as printed."""

    def __init__(self, d_q: int, d_k: int) -> None:
        super().__init__()
        self.d_k = d_k
        self.query = nn.Linear(d_q, d_q)
        self.key = nn.Linear(d_k, d_k)
        self.value = nn.Linear(d_k, d_k)

    def forward(self, query, key, value):
        query, key, value = self.query(query), self.key(key), self.value(value)
        # the article writes a free d_k here; with its own integer it must fail too
        scores = query @ key.transpose(1, 2) / (torch.sqrt(self.d_k) + 1e-12)
        return torch.softmax(scores, -1) @ value


class ArticleListingWithRoot(ArticleListing):
    """The same with a square root that accepts an int: the second fault shows."""

    def forward(self, query, key, value):
        query, key, value = self.query(query), self.key(key), self.value(value)
        scores = query @ key.transpose(1, 2) / math.sqrt(self.d_k)
        return torch.softmax(scores, -1) @ value


def article_inputs():
    generator = torch.Generator().manual_seed(0)
    return (
        torch.randn(32, 512, generator=generator),
        torch.randn(32, 512, 1024, generator=generator),
        torch.randn(32, 512, 1024, generator=generator),
    )


def test_the_articles_listing_cannot_run():
    with pytest.raises(RuntimeError, match="cannot be multiplied"):
        ArticleListing(512, 1024)(*article_inputs())
    with pytest.raises(RuntimeError, match="cannot be multiplied"):
        ArticleListingWithRoot(512, 1024)(*article_inputs())
    # with a query that would fit, the root of an int is the next fault
    fitting = ArticleListing(1024, 1024)
    with pytest.raises(TypeError, match="sqrt"):
        fitting(torch.randn(32, 1, 1024), *article_inputs()[1:])


def test_ours_gives_the_articles_shapes():
    query, key, value = article_inputs()
    layer = Attention(512, 1024)
    with torch.no_grad():
        queries = torch.randn(32, 512, 512, generator=torch.Generator().manual_seed(1))
        many = layer(queries, key, value)
        one = layer(query, key, value)
        same = layer(query[:, None], key, value)
    assert many.output.shape == torch.Size([32, 512, 1024])
    assert many.matrix.shape == (32, 1, 512, 512)
    assert one.output.shape == torch.Size([32, 1024])
    assert torch.equal(one.output, same.output[:, 0])


def by_hand(layer, query, key, value):
    """softmax(q k^T / sqrt(d_k)) v per head, in float64 from the layer's own maps."""
    q, k, v = (
        m(x).double() for m, x in ((layer.query, query), (layer.key, key), (layer.value, value))
    )
    if layer.scale_keys:
        low, high = k.amin(-1, keepdim=True), k.amax(-1, keepdim=True)
        k = (k - low) / (high - low)
        assert k.min() == 0.0
        assert k.max() == 1.0
    results = []
    for q_h, k_h, v_h in zip(*(x.chunk(layer.num_heads, -1) for x in (q, k, v)), strict=True):
        weights = torch.softmax(q_h @ k_h.transpose(1, 2) / math.sqrt(q_h.shape[-1]), -1)
        results.append(weights @ v_h)
    return torch.cat(results, -1)


@pytest.mark.parametrize("num_heads", [1, 4])
@pytest.mark.parametrize("scale_keys", [False, True])
@pytest.mark.parametrize("concat_query", [False, True])
def test_the_formula(num_heads, scale_keys, concat_query):
    torch.manual_seed(1)
    layer = Attention(
        12,
        20,
        28,
        attention_width=16,
        output_width=8,
        num_heads=num_heads,
        scale_keys=scale_keys,
        concat_query=concat_query,
    )
    query, key, value = torch.randn(2, 5, 12), torch.randn(2, 7, 20), torch.randn(2, 7, 28)
    output, matrix = layer(query, key, value)
    expected = by_hand(layer, query, key, value)
    assert matrix.shape == (2, num_heads, 5, 7)
    torch.testing.assert_close(output[..., :8].double(), expected, atol=1e-5, rtol=0)
    if concat_query:
        assert torch.equal(output[..., 8:], query)
    else:
        assert output.shape == (2, 5, 8)


def test_constant_keys_scale_to_zero_without_nan():
    layer = Attention(4, scale_keys=True, bias=False)
    zeros = torch.zeros(1, 3, 4)
    output, matrix = layer(torch.randn(1, 2, 4), zeros, torch.randn(1, 3, 4))
    assert torch.isfinite(output).all()
    torch.testing.assert_close(matrix.weights(), torch.full((1, 1, 2, 3), 1 / 3))


@pytest.mark.parametrize(("kdim", "vdim"), [(None, None), (24, 40)])
@pytest.mark.parametrize("bias", [True, False])
def test_loads_a_multihead_attention_and_gives_its_output(kdim, vdim, bias):
    torch.manual_seed(2)
    source = nn.MultiheadAttention(32, 4, bias=bias, kdim=kdim, vdim=vdim, batch_first=True).eval()
    if bias:
        nn.init.normal_(source.in_proj_bias)
        nn.init.normal_(source.out_proj.bias)
    ours = Attention.from_multihead(source)
    query = torch.randn(3, 6, 32)
    key, value = torch.randn(3, 9, kdim or 32), torch.randn(3, 9, vdim or 32)
    keep = torch.arange(9)[None] < torch.tensor([9, 4, 1])[:, None]
    with torch.no_grad():
        expected, weights = source(
            query, key, value, key_padding_mask=~keep, average_attn_weights=False
        )
        output, matrix = ours(query, key, value, mask=Mask.padding(keep))
    torch.testing.assert_close(output, expected, atol=2e-6, rtol=0)
    torch.testing.assert_close(matrix.weights(), weights, atol=2e-6, rtol=0)
    assert not ours.training


def test_refuses_what_it_cannot_load():
    with pytest.raises(OptionError, match="add_bias_kv"):
        Attention.from_multihead(nn.MultiheadAttention(8, 2, add_bias_kv=True))


def test_bias_reaches_the_scores_and_gradients_flow():
    torch.manual_seed(3)
    layer = Attention(8, num_heads=2)
    x = torch.randn(1, 4, 8, requires_grad=True)
    forbidden = Bias.per_key(torch.tensor([0.0, 0.0, -math.inf, 0.0]))
    output, matrix = layer(x, x, x, attention_bias=forbidden)
    assert (matrix.weights()[..., 2] == 0).all()
    output.sum().backward()
    assert torch.isfinite(x.grad).all()
    assert layer.query.weight.grad.abs().sum() > 0


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        ({"query_width": 8, "num_heads": 3}, "divisible by num_heads"),
        ({"query_width": 8, "num_heads": 0}, "num_heads must be an integer >= 1"),
    ],
)
def test_wrong_options_are_named(arguments, text):
    with pytest.raises(OptionError, match=text):
        Attention(**arguments)


def test_wrong_shapes_are_named():
    layer = Attention(8)
    x = torch.randn(2, 4, 8)
    with pytest.raises(ShapeError, match=r"key must be \[B, K, 8\] with B = 2, got \(2, 4, 7\)"):
        layer(x, x[..., :7], x)
    with pytest.raises(ShapeError, match="as long as key"):
        layer(x, x, x[:, :3])
