"""Masks: what a block says, and that the shortcuts the blocks take never change it."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from zhuyi import Mask
from zhuyi.errors import ShapeError


def parts(queries, keys, offset, left, right, seed):
    generator = torch.Generator().manual_seed(seed)
    keep = torch.rand(2, keys, generator=generator) > 0.3
    ids = torch.arange(keys)[None] // 3
    return (
        Mask.causal(offset)
        & Mask.window(left, right, offset)
        & Mask.padding(keep)
        & Mask.segments(torch.arange(queries) // 3, ids.expand(2, keys))
        & Mask.dense(torch.rand(queries, keys, generator=generator) > 0.1)
    )


@settings(max_examples=60, deadline=None)
@given(
    queries=st.integers(1, 20),
    keys=st.integers(1, 20),
    offset=st.integers(-8, 8),
    left=st.one_of(st.none(), st.integers(0, 8)),
    right=st.one_of(st.none(), st.integers(0, 8)),
    seed=st.integers(0, 99),
    data=st.data(),
)
def test_shortcuts_agree_with_the_block(queries, keys, offset, left, right, seed, data):
    mask = parts(queries, keys, offset, left, right, seed)
    whole = mask.block(slice(0, queries), slice(0, keys)).expand(2, 1, queries, keys)
    start = data.draw(st.integers(0, queries - 1))
    stop = data.draw(st.integers(start + 1, queries))
    low, high = mask.column_range(start, stop, keys)
    outside = whole[:, :, start:stop].clone()
    outside[..., low:high] = False
    assert not outside.any()
    for part in mask.parts:
        keep = part.block(slice(start, stop), slice(0, keys), "cpu")
        full = keep.expand(*keep.shape[:2], stop - start, keys).clone()
        for edge in part.partial_columns(start, stop, slice(low, high)):
            full[..., edge] = True
        assert full[..., low:high].all()


def test_rows_by_index_equal_rows_by_slice():
    mask = parts(7, 9, 1, 3, None, 0) & Mask.rows(torch.arange(7)[None] < torch.tensor([[7], [4]]))
    index = torch.tensor([5, 0, 3])
    whole = mask.block(slice(0, 7), slice(2, 8))
    assert torch.equal(mask.block(index, slice(2, 8)), whole[:, :, index])


def test_select_and_offset():
    mask = Mask.padding(torch.tensor([[1, 0], [1, 1]])) & Mask.causal(1)
    assert mask.offset == 1
    assert mask.select(batch=1).block(slice(0, 1), slice(0, 2)).all()
    assert not mask.select(batch=0).block(slice(0, 1), slice(0, 2)).all()


@pytest.mark.parametrize(
    ("make", "text"),
    [
        (lambda: Mask.padding(torch.ones(1, 2, 3)), r"keep must be a bool tensor \[B K\]"),
        (lambda: Mask.segments(torch.ones(3), torch.ones(3)), "query_ids must be integers"),
        (lambda: Mask.dense(torch.ones(3, 3)), "keep must be bool"),
    ],
)
def test_wrong_masks_are_named(make, text):
    with pytest.raises(ShapeError, match=text):
        make()
