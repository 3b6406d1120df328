"""What is true of every attention matrix, on shapes and numbers that hypothesis makes up."""

import math
from dataclasses import dataclass

import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from zhuyi import AttentionMatrix, Bias, Mask, attend

EXACT = {"rtol": 0.0, "atol": 1e-10}
few = settings(max_examples=40, deadline=None, derandomize=True)


@dataclass(frozen=True)
class Drawn:
    """Random float64 tensors of a random shape, and a mask that leaves some rows without keys."""

    query: torch.Tensor
    key: torch.Tensor
    right: torch.Tensor
    left: torch.Tensor
    keep: torch.Tensor
    draw: torch.Generator

    @property
    def matrix(self) -> AttentionMatrix:
        return AttentionMatrix(self.query, self.key, mask=Mask.dense(self.keep))

    def random(self, *shape: int) -> torch.Tensor:
        return torch.randn(*shape, generator=self.draw, dtype=torch.float64)


@st.composite
def calls(draw: st.DrawFn) -> Drawn:
    batch, groups = draw(st.integers(1, 2)), draw(st.integers(1, 2))
    heads, width = groups * draw(st.integers(1, 3)), draw(st.integers(1, 5))
    queries, keys = draw(st.integers(1, 9)), draw(st.integers(1, 9))
    generator = torch.Generator().manual_seed(draw(st.integers(0, 2**31)))

    def random(*shape: int) -> torch.Tensor:
        return torch.randn(*shape, generator=generator, dtype=torch.float64)

    keep = torch.rand(batch, 1, queries, keys, generator=generator) < draw(st.floats(0.2, 1.0))
    return Drawn(
        query=random(batch, heads, queries, width),
        key=random(batch, groups, keys, width),
        right=random(batch, groups, keys, 2),
        left=random(batch, heads, queries, 2),
        keep=keep,
        draw=generator,
    )


def heads_of(call: Drawn, tensor: torch.Tensor) -> torch.Tensor:
    return tensor.repeat_interleave(call.query.shape[1] // tensor.shape[1], dim=1)


@few
@given(calls())
def test_rows_sum_to_one_or_to_nothing(call: Drawn) -> None:
    alive = call.keep.any(-1).expand(call.matrix.shape[:3]).double()
    torch.testing.assert_close(call.matrix.weights().sum(-1), alive, **EXACT)
    torch.testing.assert_close(call.matrix.received().sum(-1), alive.sum(-1), **EXACT)


@few
@given(calls())
def test_transpose_moves_to_the_other_side(call: Drawn) -> None:
    """<A X, R> = <X, A^T R>"""
    one = ((call.matrix @ call.right) * call.left).sum()
    other = (heads_of(call, call.right) * (call.matrix.T @ call.left)).sum()
    torch.testing.assert_close(one, other, **EXACT)


@few
@given(calls(), st.floats(-3, 3))
def test_products_are_linear(call: Drawn, factor: float) -> None:
    more = call.random(*call.right.shape)
    together = call.matrix @ (call.right + factor * more)
    apart = (call.matrix @ call.right) + factor * (call.matrix @ more)
    torch.testing.assert_close(together, apart, **EXACT)


@few
@given(calls())
def test_received_is_the_transpose_on_ones(call: Drawn) -> None:
    ones = torch.ones(*call.matrix.shape[:3], 1, dtype=torch.float64)
    torch.testing.assert_close(call.matrix.received(), (call.matrix.T @ ones)[..., 0], **EXACT)


@few
@given(calls(), st.floats(0.01, 100))
def test_a_bias_multiplies_the_odds(call: Drawn, weight: float) -> None:
    """bias = ln(w) on key 0: odds of key 0 against any other key grow by w."""
    keys = call.key.shape[2]
    bias = torch.zeros(keys, dtype=torch.float64)
    bias[0] = math.log(weight)
    before = AttentionMatrix(call.query, call.key).weights()
    after = AttentionMatrix(call.query, call.key, bias=Bias.per_key(bias)).weights()
    cross_before = weight * before[..., :1] * after[..., 1:]
    cross_after = after[..., :1] * before[..., 1:]
    torch.testing.assert_close(cross_after, cross_before, rtol=1e-9, atol=1e-12)


@few
@given(calls(), st.floats(-5, 5))
def test_a_constant_added_to_a_row_changes_only_its_normalizer(call: Drawn, shift: float) -> None:
    bias = Bias.dense(torch.full((1, 1, call.query.shape[2], 1), shift, dtype=torch.float64))
    moved = AttentionMatrix(call.query, call.key, mask=Mask.dense(call.keep), bias=bias)
    torch.testing.assert_close(moved.weights(), call.matrix.weights(), **EXACT)
    torch.testing.assert_close(moved.entropy(), call.matrix.entropy(), **EXACT)
    torch.testing.assert_close(moved.lse(), call.matrix.lse() + shift, **EXACT)


@few
@given(calls())
def test_order_of_keys_does_not_matter(call: Drawn) -> None:
    order = torch.randperm(call.key.shape[2], generator=call.draw)
    shuffled = AttentionMatrix(
        call.query, call.key[:, :, order], mask=Mask.dense(call.keep[..., order])
    )
    torch.testing.assert_close(shuffled.received(), call.matrix.received()[..., order], **EXACT)
    torch.testing.assert_close(shuffled.entropy(), call.matrix.entropy(), **EXACT)


@few
@given(calls())
def test_masks_and_biases_commute(call: Drawn) -> None:
    dense, causal = Mask.dense(call.keep), Mask.causal()
    per_key = Bias.per_key(call.random(call.key.shape[2]))
    full = Bias.dense(call.random(*call.keep.shape))
    one = AttentionMatrix(call.query, call.key, mask=dense & causal, bias=per_key + full)
    other = AttentionMatrix(call.query, call.key, mask=causal & dense, bias=full + per_key)
    torch.testing.assert_close(one.weights(), other.weights(), **EXACT)
    torch.testing.assert_close(one.received(), other.received(), **EXACT)


@few
@given(calls())
def test_entropy_lies_between_certainty_and_chance(call: Drawn) -> None:
    seen = call.keep.sum(-1).expand(call.matrix.shape[:3])
    entropy = call.matrix.entropy()
    assert bool((entropy >= 0).all())
    assert bool((entropy <= seen.clamp(min=1).double().log() + 1e-9).all())


@few
@given(calls())
def test_output_lies_between_the_values(call: Drawn) -> None:
    """Rows that see a key give a weighted mean of the values, so no more than their extremes."""
    output = attend(call.query, call.key, call.right, mask=Mask.dense(call.keep)).output
    values = heads_of(call, call.right)
    alive = call.keep.any(-1).expand(output.shape[:3])
    top, bottom = values.amax(2, keepdim=True), values.amin(2, keepdim=True)
    inside = (output <= top + 1e-9) & (output >= bottom - 1e-9)
    assert bool(inside[alive].all())
    assert bool((output[~alive] == 0).all())


def test_a_matrix_whose_rows_do_not_sum_to_one_is_noticed() -> None:
    """The broken twin: with a sink the first law above does not hold, and its check says so."""
    query = torch.zeros(1, 1, 2, 1, dtype=torch.float64)
    matrix = AttentionMatrix(query, query, sink=torch.zeros(1, dtype=torch.float64))
    assert matrix.weights().sum(-1).tolist() == [[[2 / 3, 2 / 3]]]
