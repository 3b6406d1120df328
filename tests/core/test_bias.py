"""Biases: blocks by hand, factors equal to blocks, and errors."""

import pytest
import torch

from zhuyi import Bias
from zhuyi.errors import ShapeError


def everything():
    torch.manual_seed(0)
    return (
        Bias.per_key(torch.randn(2, 3, 6))
        + Bias.per_key(torch.randn(6))
        + Bias.table(torch.randn(2, 3, 4, 5), torch.arange(7) % 4, torch.arange(6) % 5)
        + Bias.table(torch.randn(2, 2), torch.randint(2, (2, 7)), torch.randint(2, (2, 6)))
        + Bias.outer(torch.randn(1, 3, 7, 2), torch.randn(2, 1, 6, 2))
        + Bias.outer(torch.randn(7, 1), torch.randn(6, 1))
        + Bias.alibi(torch.rand(3), offset=2)
    )


def test_factors_multiply_to_the_block():
    bias = everything()
    u, v = bias.factors()
    assert u.shape[:3] == (2, 3, 7)
    assert v.shape[:3] == (2, 3, 6)
    block = bias.block(slice(0, 7), slice(0, 6))
    torch.testing.assert_close(u @ v.transpose(-1, -2), block, atol=1e-5, rtol=0)


def test_blocks_by_hand():
    table = Bias.table(
        torch.tensor([[1.0, 2.0], [3.0, 4.0]]), torch.tensor([1, 0]), torch.tensor([0, 1, 1])
    )
    assert table.block(slice(0, 2), slice(0, 3))[0, 0].tolist() == [[3, 4, 4], [1, 2, 2]]
    alibi = Bias.alibi(torch.tensor([0.5]), offset=1)
    assert alibi.block(slice(0, 2), slice(0, 3))[0, 0].tolist() == [[-0.5, 0, 0.5], [-1, -0.5, 0]]


def test_dense_has_no_factors_and_rows_by_index_work():
    dense = Bias.dense(torch.randn(3, 7, 6))
    assert dense.factors() is None
    index = torch.tensor([6, 1])
    both = dense + everything()
    whole = both.block(slice(0, 7), slice(1, 5))
    torch.testing.assert_close(both.block(index, slice(1, 5)), whole[:, :, index])


def test_select_keeps_meaning():
    bias = everything()
    whole = bias.block(slice(0, 7), slice(0, 6)).expand(2, 3, 7, 6)
    part = bias.select(batch=1, heads=[2, 0]).block(slice(0, 7), slice(0, 6))
    torch.testing.assert_close(part, whole[1:2, [2, 0]])


@pytest.mark.parametrize(
    ("make", "text"),
    [
        (lambda: Bias.dense(torch.ones(2, 2, dtype=torch.int64)), "bias must be floating"),
        (lambda: Bias.per_key(torch.ones(1, 1, 1, 1)), "per_key values must be floating"),
        (lambda: Bias.table(torch.ones(2, 2), torch.tensor([2]), torch.tensor([0])), r"in 0\.\.1"),
        (lambda: Bias.table(torch.ones(2), torch.tensor([0]), torch.tensor([0])), "table values"),
        (lambda: Bias.outer(torch.ones(2), torch.ones(2, 1)), "outer rows must be floating"),
        (lambda: Bias.outer(torch.ones(2, 1), torch.ones(2, 3)), "outer keys must be R = 1"),
        (lambda: Bias.alibi(torch.ones(1, 2)), r"slopes must be floating \[H\]"),
    ],
)
def test_wrong_biases_are_named(make, text):
    with pytest.raises(ShapeError, match=text):
        make()
