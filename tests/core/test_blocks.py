"""Facts about torch that the streaming pass relies on, and the shape of its blocks."""

import pytest
import torch

from zhuyi import AttentionMatrix, Mask
from zhuyi.core import blocks
from zhuyi.core.blocks import row_blocks


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("columns", [1, 7, 16, 1000, 4096])
def test_fact_softmax_works_in_place(dtype, columns):
    scores = torch.randn(3, 17, columns, dtype=dtype)
    scores[0, 0, : columns // 2] = blocks.FLOOR
    apart = torch.softmax(scores, -1)
    torch.softmax(scores, -1, out=scores)
    assert torch.equal(scores, apart)


@pytest.mark.parametrize("scores", [False, True])
def test_blocks_cover_the_matrix_once(scores):
    torch.manual_seed(0)
    query, key = torch.randn(2, 6, 300, 4), torch.randn(2, 3, 310, 4)
    matrix = AttentionMatrix(query, key, mask=Mask.causal(10))
    whole, covered = matrix.weights(), torch.zeros(2, 6, 300, 310)
    for block in row_blocks(matrix.inputs, scores=scores):
        part = covered[block.batch, block.heads, block.rows, block.cols]
        assert not part.any()
        part += block.weights.flatten(0, 1)
        assert (block.scores is not None) == scores
        if block.scores is not None:
            relative = block.scores.exp() * block.peak[..., None]
            torch.testing.assert_close(relative, block.weights, atol=1e-6, rtol=0)
    torch.testing.assert_close(covered, whole, atol=1e-6, rtol=0)


def test_heads_are_shared_out_evenly():
    matrix = AttentionMatrix(torch.randn(1, 12, 512, 4), torch.randn(1, 12, 512, 4))
    sizes = {b.heads.stop - b.heads.start for b in row_blocks(matrix.inputs)}
    assert len(sizes) == 1


def test_masks_that_blind_no_row_are_known():
    keep = torch.tensor([[True, False], [True, True]])
    assert not Mask.causal(0).may_blind()
    assert Mask.causal(-1).may_blind()
    assert not Mask.padding(keep).may_blind()
    assert Mask.padding(~keep).may_blind()
    assert (Mask.padding(keep) & Mask.causal()).may_blind()
    assert Mask.window(1, 1).may_blind()
