"""AttentionMatrix: gradients, memory, selection, and errors that name what is wrong.

Values against the oracle are in tests/contracts; here is what the oracle cannot say.
"""

import math
from unittest import mock

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.utils._python_dispatch import TorchDispatchMode

from zhuyi import AttentionMatrix, Bias, Mask, Statistics, attend, attend_and_summarize
from zhuyi.core import tally
from zhuyi.core.tally import strongest
from zhuyi.errors import MatrixTooLarge, OptionError, ShapeError


def inputs(B=1, H=4, G=2, Q=5, K=7, D=3, dtype=torch.float64, seed=0):
    generator = torch.Generator().manual_seed(seed)
    kind = {"generator": generator, "dtype": dtype}
    return torch.randn(B, H, Q, D, **kind), torch.randn(B, G, K, D, **kind)


MASKS = {
    "none": None,
    "causal": Mask.causal(2),
    "dead rows": Mask.causal(-2),
    "padding": Mask.padding(torch.tensor([1, 1, 1, 0, 1, 0])),
}


@pytest.mark.parametrize("mask", MASKS.values(), ids=MASKS.keys())
@pytest.mark.parametrize("question", ["received", "product", "transposed", "entropy", "weights"])
def test_gradients_are_right_in_query_key_bias_and_sink(question, mask):
    query, key = inputs(H=2, G=1, Q=4, K=6, D=2)
    table = torch.randn(2, 2, dtype=torch.float64)
    sink = torch.randn(2, dtype=torch.float64)
    weights = torch.rand(1, 4, dtype=torch.float64)
    columns = torch.randn(1, 1, 6, 2, dtype=torch.float64)
    rows = torch.randn(1, 2, 4, 2, dtype=torch.float64)

    def ask(query, key, table, sink, weights, columns, rows):
        bias = Bias.table(table, torch.arange(4) % 2, torch.arange(6) % 2)
        matrix = AttentionMatrix(query, key, bias=bias, mask=mask, softcap=2.0, sink=sink)
        answers = {
            "received": lambda: matrix.received(weights),
            "product": lambda: matrix @ columns,
            "transposed": lambda: matrix.T @ rows,
            "entropy": matrix.entropy,
            "weights": matrix.weights,
        }
        return answers[question]()

    arguments = (query, key, table, sink, weights, columns, rows)
    for tensor in arguments:
        tensor.requires_grad_()
    assert torch.autograd.gradcheck(ask, arguments)


def test_differentiable_answers_equal_streamed_answers():
    query, key = inputs(B=2, Q=300, K=300, D=8, dtype=torch.float32)
    plain = AttentionMatrix(query, key, mask=Mask.causal())
    tracked = AttentionMatrix(query.clone().requires_grad_(), key, mask=Mask.causal())
    for name in ("received", "entropy"):
        ours, theirs = getattr(tracked, name)(), getattr(plain, name)()
        assert ours.requires_grad
        torch.testing.assert_close(ours, theirs, atol=2e-5, rtol=0)


class LargestTensor(TorchDispatchMode):
    """Remembers the largest number of elements any operation produced."""

    def __init__(self):
        super().__init__()
        self.largest = 0

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        result = func(*args, **(kwargs or {}))
        for tensor in result if isinstance(result, tuple) else (result,):
            if isinstance(tensor, torch.Tensor):
                storage = tensor.untyped_storage().nbytes() // max(1, tensor.element_size())
                self.largest = max(self.largest, storage)
        return result


@pytest.mark.parametrize("gradient", [False, True])
def test_no_answer_holds_an_l_by_l_array(gradient):
    length = 2048
    query, key = inputs(H=2, Q=length, K=length, D=8, dtype=torch.float32)
    query.requires_grad_(gradient)
    matrix = AttentionMatrix(query, key, bias=Bias.per_key(torch.randn(length)))
    with LargestTensor() as watch:
        total = matrix.received().square().sum() + matrix.entropy().sum() + (matrix @ key).sum()
        if gradient:
            total.backward()
        else:
            matrix.summary(Statistics(entropy=True, max=True, topk=4, pooled=32, distance=True))
            matrix.pooled(16, "mean")
            matrix.lse()
            assert matrix.weights(cols=slice(3, 40)).shape == (1, 2, length, 37)
    # one head's weights have length ** 2 elements; a tile of all heads stays well below
    assert 0 < watch.largest <= length**2 / 3


def test_a_block_of_weights_is_a_part_of_all_weights():
    query, key = inputs(Q=600, K=30)
    matrix = AttentionMatrix(query, key, mask=Mask.causal(-3))
    whole = matrix.weights()
    torch.testing.assert_close(matrix.weights(cols=slice(4, 9)), whole[..., 4:9])
    index = torch.tensor([599, 0, 300])
    torch.testing.assert_close(matrix.weights(index, slice(4, 9)), whole[:, :, index, 4:9])
    assert matrix.weights(rows=slice(5, 5), cols=slice(0, 2)).shape == (1, 4, 0, 2)
    assert matrix.weights(cols=slice(7, 7)).shape == (1, 4, 600, 0)


def test_materialize_refuses_above_the_limit():
    query, key = inputs(Q=50, K=50, dtype=torch.float32)
    with pytest.raises(MatrixTooLarge, match="40,000 bytes, limit_bytes is 39,999"):
        AttentionMatrix(query, key).materialize(limit_bytes=39_999)
    assert AttentionMatrix(query, key).materialize(limit_bytes=40_000).shape == (1, 4, 50, 50)


def test_select_gives_each_head_its_own_key_head():
    query, key = inputs(B=3)
    bias = Bias.dense(torch.randn(3, 4, 5, 7, dtype=torch.float64))
    matrix = AttentionMatrix(query, key, bias=bias, sink=torch.randn(4).double())
    chosen = matrix.select(batch=[2, 0], heads=[3, 1, 2])
    assert chosen.shape == (2, 3, 5, 7)
    expected = matrix.weights()[[2, 0]][:, [3, 1, 2]]
    torch.testing.assert_close(chosen.weights(), expected)
    with pytest.raises(ShapeError, match=r"in 0\.\.3"):
        matrix.select(heads=4)


def test_summary_select_and_rows():
    query, key = inputs(B=2, Q=6, K=6)
    keep = torch.tensor([[True] * 6, [True] * 4 + [False] * 2])
    asked = Statistics(entropy=True, max=True, topk=2, pooled=3, distance=True, lse=True)
    whole = attend_and_summarize(
        query, key, key, statistics=asked, mask=Mask.padding(keep), row_keep=keep
    )
    assert whole.summary.rows.tolist() == [6, 4]
    received = whole.summary.received.sum(-1)
    torch.testing.assert_close(received, torch.tensor([[6.0], [4.0]]).double().expand(2, 4))
    assert torch.isinf(whole.summary.lse[1, :, 4:]).all()
    assert (whole.summary.entropy[1, :, 4:] == 0).all()
    # the output of rows that do not count is still what the model computes
    expected = AttentionMatrix(query, key, mask=Mask.padding(keep)) @ key
    torch.testing.assert_close(whole.output, expected)
    part = whole.summary.select(batch=1, heads=[2])
    assert part.shape == (1, 1, 6, 6)
    assert torch.equal(part.topk[1], whole.summary.topk[1][1:2, 2:3])


def test_gradient_of_summarized_output():
    query, key = inputs(dtype=torch.float32)
    query.requires_grad_()
    output, summary = attend_and_summarize(query, key, key)
    assert not summary.received.requires_grad
    (ours,) = torch.autograd.grad(output.square().sum(), query)
    (theirs,) = torch.autograd.grad(attend(query, key, key).output.square().sum(), query)
    torch.testing.assert_close(ours, theirs)


def test_cached_keys_count_as_earlier_positions_in_distance():
    query = torch.zeros(1, 1, 1, 2)
    key = torch.zeros(1, 1, 5, 2)
    matrix = AttentionMatrix(query, key, mask=Mask.causal(4))
    assert matrix.distance().item() == pytest.approx(2.0)  # mean of 4, 3, 2, 1, 0


@settings(max_examples=40, deadline=None)
@given(
    columns=st.integers(1, 900),
    k=st.integers(1, 9),
    seed=st.integers(0, 10_000),
    ties=st.booleans(),
    groups=st.sampled_from([1, 8, 64]),
)
def test_strongest_equals_topk(columns, k, seed, ties, groups):
    values = torch.rand(3, columns, generator=torch.Generator().manual_seed(seed))
    if ties:
        values = (values * 4).round()
    k = min(k, columns)
    with mock.patch.object(tally, "GROUPS", groups):  # so that short rows are folded too
        found, place = strongest(values, k)
    assert torch.equal(found, values.topk(k).values)
    assert torch.equal(values.gather(-1, place), found)
    assert all(len(set(row.tolist())) == k for row in place)


@pytest.mark.parametrize("columns", [4095, 4096, 4097, 9000])
def test_strongest_folds_long_rows_and_only_those(columns):
    values = torch.rand(2, columns)
    with mock.patch.object(tally.torch, "arange", wraps=torch.arange) as folding:
        found, place = strongest(values, 8)
    assert folding.called == (columns >= tally.GROUPS * tally.LEAST_FOLD)
    assert torch.equal(found, values.topk(8).values)
    assert torch.equal(values.gather(-1, place), found)


@settings(max_examples=25, deadline=None)
@given(
    heads=st.sampled_from([(1, 1), (4, 2), (3, 1)]),
    queries=st.integers(1, 40),
    keys=st.integers(1, 40),
    seed=st.integers(0, 1000),
    shift=st.floats(-50, 50),
)
def test_algebra(heads, queries, keys, seed, shift):
    query, key = inputs(1, *heads, queries, keys, 4, seed=seed)
    matrix = AttentionMatrix(query, key)
    ones = torch.ones(1, 1, keys, 1, dtype=torch.float64)
    torch.testing.assert_close((matrix @ ones)[..., 0], torch.ones(1, heads[0], queries).double())
    shifted = AttentionMatrix(query, key, bias=Bias.per_key(torch.full((keys,), shift).double()))
    torch.testing.assert_close(shifted.received(), matrix.received())
    order = torch.randperm(keys, generator=torch.Generator().manual_seed(seed))
    permuted = AttentionMatrix(query, key[:, :, order]).received()
    torch.testing.assert_close(permuted, matrix.received()[..., order])
    assert (matrix.entropy() <= math.log(keys) + 1e-9).all()


@pytest.mark.parametrize(
    ("change", "text"),
    [
        ({"key": torch.zeros(1, 3, 7, 3).double()}, "a divisor of the query heads H = 4, got 3"),
        ({"key": torch.zeros(1, 2, 7, 4).double()}, "D = 3 as in query"),
        ({"key": torch.zeros(1, 2, 7, 3)}, "of query's dtype torch.float64"),
        ({"query": torch.zeros(4, 5, 3).double()}, r"query must be a tensor \[B H Q D\]"),
        ({"query": torch.zeros(1, 4, 5, 3, dtype=torch.int64)}, "float64, float32"),
        (
            {"bias": Bias.dense(torch.zeros(1, 4, 5, 6))},
            r"bias must broadcast to \(B, H, Q, K\) = \(1, 4, 5, 7\), got \(1, 4, 5, 6\): pass a",
        ),
        ({"mask": Mask.padding(torch.ones(1, 8))}, r"padding keep must broadcast to \(B, K\)"),
        ({"sink": torch.zeros(3)}, r"sink must be \[H\] = \[4\], got \(3,\)"),
    ],
)
def test_shape_errors_name_what_was_expected(change, text):
    query, key = inputs()
    given_inputs = {"query": query, "key": key, **change}
    with pytest.raises(ShapeError, match=text):
        AttentionMatrix(given_inputs.pop("query"), given_inputs.pop("key"), **given_inputs)


def test_option_errors():
    query, key = inputs()
    matrix = AttentionMatrix(query, key)
    with pytest.raises(OptionError, match="'max' or 'mean', got 'median'"):
        matrix.pooled(4, "median")
    with pytest.raises(OptionError, match="k must be an integer >= 1"):
        matrix.topk(0)
    with pytest.raises(OptionError, match="softcap"):
        AttentionMatrix(query, key, softcap=0.0)
    with pytest.raises(OptionError, match="step 1"):
        matrix.weights(rows=slice(0, 4, 2))
    with pytest.raises(ShapeError, match=r"rows must be in 0\.\.4, got 1\.\.5"):
        matrix.weights(rows=torch.tensor([1, 5]))
    with pytest.raises(ShapeError, match="row_weights must be floating"):
        matrix.received(torch.ones(6))
    with pytest.raises(ShapeError, match="right operand"):
        matrix @ torch.ones(1, 3, 7, 2)
    with pytest.raises(OptionError, match="topk"):
        Statistics(topk=-1)
    with pytest.raises(ShapeError, match=r"row_keep must be bool \[B, Q\]"):
        attend_and_summarize(query, key, key, row_keep=torch.ones(1, 4, dtype=torch.bool))
