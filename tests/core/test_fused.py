"""Every fact about PyTorch's kernels that core/backends/fused.py relies on, pinned down."""

import math

import pytest
import torch
from torch.nn import functional as F

from zhuyi import Bias, Mask, attend
from zhuyi.core.backends import fused, stretches
from zhuyi.errors import BackendUnavailable, OptionError


def kernel(q, k, v, causal=False):
    op = torch.ops.aten._scaled_dot_product_flash_attention_for_cpu
    return op(q, k, v, 0.0, causal, scale=0.3)


def added_to(call):
    return stretches._added(call, stretches._stretches(call))


def inputs(dtype=torch.float32, heads=4, groups=2, queries=6, keys=6, width=8):
    generator = torch.Generator().manual_seed(0)
    shapes = ((2, heads, queries, width), (2, groups, keys, width), (2, groups, keys, width))
    return [torch.randn(s, generator=generator, dtype=torch.float64).to(dtype) for s in shapes]


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32, torch.bfloat16, torch.float16])
@pytest.mark.parametrize("causal", [False, True])
def test_fact_cpu_lse_is_natural_log_in_float32_and_grouped(dtype, causal):
    q, k, v = inputs(dtype)
    output, lse = kernel(q, k, v, causal)
    assert lse.dtype == (torch.float64 if dtype == torch.float64 else torch.float32)
    assert output.dtype == dtype
    scores = 0.3 * q.double() @ k.double().repeat_interleave(2, 1).transpose(-1, -2)
    if causal:
        scores = scores.masked_fill(torch.ones(6, 6).triu(1).bool(), -math.inf)
    torch.testing.assert_close(lse.double(), torch.logsumexp(scores, -1), atol=1e-5, rtol=0)


def test_fact_causal_is_aligned_to_the_left_when_lengths_differ():
    q, k, v = inputs(queries=3, keys=6)
    output, _ = kernel(q, k, v, True)
    torch.testing.assert_close(output[:, :, 0], v.repeat_interleave(2, 1)[:, :, 0])


def test_fact_cpu_kernel_equals_the_public_call_bit_for_bit():
    q, k, v = inputs(queries=40, keys=40)
    output, _ = kernel(q, k, v)
    public = F.scaled_dot_product_attention(q, k, v, scale=0.3, enable_gqa=True)
    assert torch.equal(output, public)


def test_fact_public_call_takes_grouped_heads_and_broadcast_masks():
    q, k, v = inputs()
    keep = torch.tensor([[True] * 6, [True] * 4 + [False] * 2])[:, None, None, :]
    grouped = F.scaled_dot_product_attention(q, k, v, attn_mask=keep, enable_gqa=True)
    repeated = F.scaled_dot_product_attention(
        q, k.repeat_interleave(2, 1), v.repeat_interleave(2, 1), attn_mask=keep.expand(2, 4, 6, 6)
    )
    torch.testing.assert_close(grouped, repeated, atol=1e-6, rtol=0)


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_fact_public_call_gives_zero_for_rows_that_see_nothing(dtype):
    q, k, v = inputs(dtype)
    keep = torch.ones(2, 1, 6, 6, dtype=torch.bool)
    keep[1, 0, 3] = False
    output = F.scaled_dot_product_attention(q, k, v, attn_mask=keep, enable_gqa=True)
    assert (output[1, :, 3] == 0).all()
    assert torch.isfinite(output).all()


def test_unequal_widths_stay_on_the_fused_kernel():
    q, k, _ = inputs()
    v = torch.randn(2, 2, 6, 20)
    called = []

    class Watch(torch.utils._python_dispatch.TorchDispatchMode):
        def __torch_dispatch__(self, func, types, args=(), kwargs=None):
            called.append(str(func))
            return func(*args, **(kwargs or {}))

    with Watch():
        output = attend(q, k, v, mask=Mask.padding(torch.ones(2, 6))).output
    assert output.shape == (2, 4, 6, 20)
    assert any("flash_attention_for_cpu" in name for name in called)
    assert not any("softmax" in name for name in called)


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_low_rank_bias_rides_on_the_fused_kernel_and_equals_the_dense_bias(dtype):
    q, k, v = inputs(dtype, queries=50, keys=60)
    row, col = torch.arange(50) % 3, torch.arange(60) % 4
    table = torch.randn(3, 4) * 3
    low = Bias.table(table, row, col) + Bias.per_key(torch.randn(2, 60) * 3)
    dense = Bias.dense(low.block(slice(0, 50), slice(0, 60)).double())
    truth = attend(q.double(), k.double(), v.double(), bias=dense).output
    matrix = attend(q, k, v, bias=low).matrix
    low_rank, rest = fused._split_bias(low, q, matrix.scale)
    assert rest is None
    assert low_rank is not None
    ours = fused.attend(matrix.inputs, v, 0.0).double()
    naive = F.scaled_dot_product_attention(
        q,
        k,
        v,
        attn_mask=dense.block(slice(0, 50), slice(0, 60)).to(dtype).expand(2, 4, -1, -1),
        enable_gqa=True,
    ).double()
    if dtype == torch.float32:
        assert (ours - truth).abs().max() <= 1e-5
    else:
        assert (ours - truth).abs().max() <= 2 * (naive - truth).abs().max() + 1e-3


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16, torch.float16])
def test_channels_hold_biases_to_float32_precision_in_any_dtype(dtype):
    q, k, _ = inputs(dtype, queries=50, keys=60)
    bias = Bias.per_key(torch.randn(2, 60) * 10)
    factors = bias.factors(50, 60)
    scale = 1 / math.sqrt(8)
    u, v = fused._precise(factors[0] / scale, factors[1], dtype)
    carried = scale * (u.double() @ v.double().transpose(-1, -2))
    exact = bias.block(slice(0, 50), slice(0, 60)).double()
    assert (carried - exact).abs().max() <= 2e-5


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32, torch.bfloat16])
def test_a_bias_per_key_is_one_row_that_the_kernel_takes_as_it_is(dtype):
    q, k, v = inputs(dtype, queries=50, keys=60)
    values = torch.randn(2, 60) * 3
    values[0, 7] = -math.inf
    keep = torch.arange(60) < 55
    call = {"bias": Bias.per_key(values), "mask": Mask.padding(keep)}
    matrix = attend(q, k, v, **call).matrix
    assert [added.shape for _, added in added_to(matrix.inputs)] == [(2, 1, 1, 60)]
    assert stretches.attend_in_stretches(matrix.inputs, v) is not None
    ours = attend(q, k, v, backend="fused", **call).output.double()
    truth = attend(q.double(), k.double(), v.double(), backend="streaming", **call).output
    assert (ours - truth).abs().max() <= {torch.bfloat16: 2e-2}.get(dtype, 2e-6)
    assert (matrix.weights()[0, :, :, 7] == 0).all()


def test_a_bias_per_key_that_wants_a_gradient_rides_on_channels():
    q, k, v = inputs()
    values = torch.randn(6, requires_grad=True)
    matrix = attend(q, k, v, bias=Bias.per_key(values)).matrix
    assert stretches.attend_in_stretches(matrix.inputs, v) is None
    (ours,) = torch.autograd.grad(fused.attend(matrix.inputs, v, 0.0).square().sum(), values)
    (theirs,) = torch.autograd.grad((matrix @ v).square().sum(), values)
    torch.testing.assert_close(ours, theirs, atol=1e-4, rtol=0)


def test_large_half_precision_biases_and_vetoes_leave_the_channels():
    q, _, _ = inputs(torch.float16)
    low, dense = fused._split_bias(Bias.per_key(torch.full((6,), 5e4)), q, 1.0)
    assert low is None
    assert dense is not None
    low, dense = fused._split_bias(Bias.per_key(torch.tensor([0.0, -math.inf])), q.float(), 1.0)
    assert low is None
    assert dense is not None


def test_a_backend_by_name_is_never_swapped():
    q, k, v = inputs()
    with pytest.raises(BackendUnavailable, match="softcap is not available"):
        attend(q, k, v, softcap=3.0, backend="fused")
    with pytest.raises(BackendUnavailable, match="no dropout"):
        attend(q, k, v, dropout=0.5, backend="streaming")
    with pytest.raises(BackendUnavailable, match="no dropout"):
        attend(q, k, v, dropout=0.5, sink=torch.zeros(4))
    with pytest.raises(OptionError, match="one of"):
        attend(q, k, v, backend="eager")


def test_long_masks_run_in_row_chunks():
    torch.manual_seed(0)
    q, k, v = (torch.randn(1, 1, 2100, 4) for _ in range(3))
    windowed = attend(q, k, v, mask=Mask.window(50, 10), backend="fused").output
    streamed = attend(q, k, v, mask=Mask.window(50, 10), backend="streaming").output
    torch.testing.assert_close(windowed, streamed, atol=1e-5, rtol=0)
