"""Biases that the kernel adds itself: the same numbers as written out, on the fused kernel."""

import math

import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from torch.utils._python_dispatch import TorchDispatchMode

from zhuyi import Bias, Mask, attend
from zhuyi.core.backends import stretches

KERNEL = torch.ops.aten._scaled_dot_product_flash_attention_for_cpu
INF = math.inf


def numbers(*shape: int, seed: int = 0, dtype: torch.dtype = torch.float64) -> torch.Tensor:
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(shape, generator=generator, dtype=torch.float64).to(dtype)


def truth(q, k, v, bias, seen):
    """Written out in float64, without a line of ours: softmax(QK^T / sqrt(D) + bias) V."""
    n = q.shape[1] // k.shape[1]
    k, v = (one.double().repeat_interleave(n, 1) for one in (k, v))
    scores = q.double() @ k.transpose(-1, -2) / math.sqrt(q.shape[-1]) + bias
    weights = scores.masked_fill(~seen, -INF).softmax(-1).nan_to_num(0.0)
    return weights @ v


def triangle(queries: int, keys: int, offset: int = 0) -> torch.Tensor:
    return torch.ones(queries, keys, dtype=torch.bool).tril(offset)


class Calls(TorchDispatchMode):
    """Which kernels ran, and how many rows each of them computed."""

    def __init__(self) -> None:
        super().__init__()
        self.rows: list[int] = []

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        if "flash_attention_for_cpu" in str(func):
            self.rows.append(args[0].shape[2])
        assert "softmax" not in str(func)
        return func(*args, **(kwargs or {}))


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32, torch.bfloat16])
def test_fact_the_cpu_kernel_takes_a_row_beside_its_own_causal_mask(dtype) -> None:
    q, k, v = (numbers(2, n, 40, 8, seed=n, dtype=dtype) for n in (4, 2, 2))
    row = numbers(2, 1, 1, 40, dtype=torch.promote_types(dtype, torch.float32)) * 3
    row[0, ..., :2] = row[1, ..., 5] = -INF
    output, lse = KERNEL(q, k, v, 0.0, True, attn_mask=row)
    expected = truth(q, k, v, row.double(), triangle(40, 40))
    atol = {torch.float64: 1e-12, torch.float32: 2e-6, torch.bfloat16: 3e-2}[dtype]
    torch.testing.assert_close(output.double(), expected, atol=atol, rtol=0)
    assert (output[0, :, :2] == 0).all()
    assert (lse[0, :, :2] == 0).all(), "a row that sees nothing has a made-up log-sum-exp"


def test_fact_the_cpu_kernel_with_a_row_and_causal_has_a_gradient() -> None:
    tensors = [numbers(1, 2, 6, 4, seed=n).requires_grad_() for n in range(3)]
    row = numbers(1, 1, 1, 6)
    assert torch.autograd.gradcheck(lambda *t: KERNEL(*t, 0.0, True, attn_mask=row)[0], tensors)


@pytest.fixture(params=["runs", "blocks"])
def small(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Limits by which short inputs are cut in runs, or in blocks of 20 or so rows."""
    blocks = request.param == "blocks"
    monkeypatch.setattr(stretches, "SHORTEST", 1000 if blocks else 12)
    monkeypatch.setattr(stretches, "FEW", 1000 if blocks else 12)
    monkeypatch.setattr(stretches, "CELLS", 2000)
    return str(request.param)


@st.composite
def calls(draw):
    """A bias made of all kinds of terms that are equal in runs of rows, and a mask."""
    B, H, G = 2, 4, draw(st.sampled_from([2, 4]))
    Q = draw(st.integers(32, 90))
    K = draw(st.sampled_from([Q, Q + 13, Q - 9]))
    edges = sorted(draw(st.sets(st.integers(1, Q - 1), max_size=4)))
    label = torch.zeros(Q, dtype=torch.long)
    for place in edges:
        label[place:] += 1
    kinds = draw(st.lists(st.sampled_from(["key", "outer", "heads", "table"]), min_size=1))
    seed, bias = draw(st.integers(0, 99)), None
    for n, kind in enumerate(kinds):
        hit = numbers(B, K, seed=seed + n) > 0.5
        rows = (label % 3 == n % 3).double()
        if kind == "key":
            values = torch.where(hit, -INF if draw(st.booleans()) else 1.5, 0.0)
            term = Bias.per_key(values.double())
        elif kind == "table":
            values = torch.tensor([[0.0, 0.0], [0.0, -INF]], dtype=torch.float64)
            term = Bias.table(values, (label % 2)[None].expand(B, -1), hit.long())
        else:
            heads = torch.arange(H).double() if kind == "heads" else torch.ones(1).double()
            u = rows[None, None, :, None] * heads[None, :, None, None]
            term = Bias.outer(u, hit[:, None, :, None].double() * 2)
        bias = term if bias is None else bias + term
    keep = torch.ones(B, K, dtype=torch.bool)
    keep[1, K - 5 :] = False
    kind = draw(st.sampled_from(["none", "padding", "causal", "later", "both"]))
    offset = 7 if kind in ("later", "both") else 0
    seen = torch.ones(Q, K, dtype=torch.bool)
    mask = None
    if kind not in ("none", "padding"):
        seen, mask = triangle(Q, K, offset), Mask.causal(offset)
    if kind in ("padding", "both"):
        seen = seen & keep[:, None, None]
        mask = Mask.padding(keep) if mask is None else mask & Mask.padding(keep)
    shapes = ((B, H, Q, 8), (B, G, K, 8), (B, G, K, draw(st.sampled_from([4, 8, 12]))))
    return [numbers(*shape, seed=seed + n) for n, shape in enumerate(shapes)], bias, mask, seen


@settings(max_examples=120, deadline=None, derandomize=True, database=None,
          suppress_health_check=list(HealthCheck))  # fmt: skip
@given(calls())
def test_they_are_the_truth_written_out(small: str, call) -> None:
    (q, k, v), bias, mask, seen = call
    Q, K = q.shape[2], k.shape[2]
    matrix = attend(q, k, v, bias=bias, mask=mask).matrix
    with Calls() as kernels:
        found = stretches.attend_in_stretches(matrix.inputs, v)
    heads = bias.block(slice(0, 1), slice(0, 1)).shape[1]
    if found is None:
        assert heads > 1, "a block for every head goes another way"
        found = attend(q, k, v, bias=bias, mask=mask).output
    else:
        assert sum(kernels.rows) >= Q
    expected = truth(q, k, v, bias.block(slice(0, Q), slice(0, K)), seen)
    torch.testing.assert_close(found, expected, atol=1e-12, rtol=0)


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16, torch.float16])
def test_low_precision_stays_as_near_as_one_call(small: str, dtype) -> None:
    q, k, v = (numbers(1, 2, 200, 16, seed=n, dtype=dtype) for n in range(3))
    rows = (torch.arange(200) > 120).float()[:, None]
    keys = numbers(200, 1, seed=7, dtype=torch.float32) * 3
    bias, mask = Bias.outer(rows, keys), Mask.causal()
    found = stretches.attend_in_stretches(attend(q, k, v, bias=bias, mask=mask).matrix.inputs, v)
    expected = truth(q, k, v, (rows @ keys.T).double(), triangle(200, 200))
    atol = {torch.float32: 2e-6, torch.bfloat16: 3e-2, torch.float16: 3e-3}[dtype]
    assert found is not None
    assert found.dtype == dtype
    torch.testing.assert_close(found.double(), expected, atol=atol, rtol=0)


@pytest.mark.parametrize("causal", [False, True])
def test_a_forbidden_key_does_not_change_one_bit_and_a_finite_one_does(small: str, causal) -> None:
    q, k, v = (numbers(1, 2, 96, 8, seed=n, dtype=torch.float32) for n in range(3))
    other = k.clone(), v.clone()
    other[0][:, :, 3], other[1][:, :, 3] = 50.0, -7.0
    rows, keys = (torch.arange(96) >= 40).long(), (torch.arange(96) == 3).long()
    found = {}
    for lowest in (-INF, -20.0):
        table = Bias.table(torch.tensor([[0.0, 0.0], [0.0, lowest]]), rows, keys)
        mask = Mask.causal() if causal else None
        found[lowest] = [attend(q, *one, bias=table, mask=mask).output[:, :, 40:]
                         for one in ((k, v), other)]  # fmt: skip
    assert torch.equal(*found[-INF])
    assert not torch.equal(*found[-20.0])  # the broken twin


def test_runs_are_rows_that_hear_the_same() -> None:
    every = Bias.outer(numbers(64, 1), numbers(64, 1))
    half = Bias.outer((torch.arange(64) > 30).double()[:, None], numbers(64, 1))
    third = Bias.table(numbers(2, 2), (torch.arange(64) > 9).long(), torch.zeros(64).long())
    assert every.runs(64, 60) is None
    assert half.runs(64, 2) == [slice(0, 31), slice(31, 64)]
    assert (half + third + half).runs(64, 3) == [slice(0, 10), slice(10, 31), slice(31, 64)]
    assert (half + third).runs(64, 2) is None
    assert Bias.per_key(numbers(64)).runs(64, 1) == [slice(0, 64)]
    assert (half + Bias.alibi(torch.ones(2))).runs(64, 64) is None


def test_what_goes_another_way() -> None:
    """A block for every head, other masks, and gradients where the kernel gives none."""
    q, k, v = (numbers(1, 2, 600, 8, seed=n) for n in range(3))
    half = Bias.outer((torch.arange(600) > 300).double()[:, None], numbers(600, 1))
    heads = Bias.outer(numbers(1, 2, 600, 1), numbers(600, 1))

    def ours(bias, query, mask=None):
        call = attend(query, k, v, bias=bias, mask=mask).matrix.inputs
        return stretches.attend_in_stretches(call, v)

    assert ours(heads, q) is None
    assert ours(half, q) is not None
    assert ours(half, q, Mask.window(3, 3)) is None
    assert ours(half, q, Mask.causal(-1)) is None
    assert ours(half, q, Mask.causal() & Mask.causal()) is None
    assert ours(half, q.clone().requires_grad_(), Mask.causal()) is None
    wanted = Bias.per_key(numbers(600).requires_grad_())
    assert ours(wanted, q) is None
    with torch.no_grad():
        assert ours(wanted, q) is not None


@pytest.mark.parametrize("causal", [False, True])
@pytest.mark.parametrize("kind", ["key", "outer", "every"])
def test_gradients_of_the_inputs(kind, causal) -> None:
    one, two = ([numbers(1, 2, 64, 8, seed=n).requires_grad_() for n in range(3)] for _ in range(2))
    keys = numbers(64)
    bias = {
        "key": Bias.per_key(keys),
        "outer": Bias.outer((torch.arange(64) > 30).double()[:, None], keys[:, None]),
        "every": Bias.outer(keys[:, None], keys[:, None]),
    }[kind]
    mask = Mask.causal() if causal else None
    attend(*one, bias=bias, mask=mask).output.square().sum().backward()
    seen = triangle(64, 64, 0 if causal else 64)
    truth(*two, bias.block(slice(0, 64), slice(0, 64)), seen).square().sum().backward()
    for ours, theirs in zip(one, two, strict=True):
        torch.testing.assert_close(ours.grad, theirs.grad, atol=1e-10, rtol=0)


@pytest.mark.parametrize("place", [0, 1, 2])
@pytest.mark.parametrize("biased", [False, True])
def test_tensors_that_are_not_dense_in_memory(place, biased) -> None:
    """The kernel reads a last dimension with gaps as if there were none."""
    tensors = [numbers(1, 2, 40, 8, seed=n) for n in range(3)]
    gaps = list(tensors)
    gaps[place] = tensors[place].transpose(-1, -2).contiguous().transpose(-1, -2)
    assert gaps[place].stride(-1) != 1
    bias = Bias.per_key(numbers(40)) if biased else None
    row = torch.zeros(40).double() if bias is None else bias.terms[0].values
    for mask, seen in ((None, triangle(40, 40, 40)), (Mask.causal(), triangle(40, 40))):
        found = attend(*gaps, bias=bias, mask=mask).output
        torch.testing.assert_close(found, truth(*tensors, row, seen), atol=1e-12, rtol=0)
