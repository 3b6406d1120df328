"""The oracle against numbers worked out by hand: nothing here is computed by the oracle's rules."""

import ast
import math
from pathlib import Path

import numpy as np
import pytest

from tests import oracle

LN2 = math.log(2)
LN3 = math.log(3)


def column(*numbers: float) -> np.ndarray:
    """A [1, 1, len, 1] array: one head of width 1."""
    return np.array(numbers, dtype=np.float64)[None, None, :, None]


def test_two_keys_with_odds_of_three_to_one() -> None:
    # scores ln 3 and 0, so weights 3/4 and 1/4, lse = ln(3 + 1).
    truth = oracle.attention(column(LN3), column(1, 0), column(8, 4))
    np.testing.assert_allclose(truth.scores, [[[[LN3, 0]]]], atol=1e-15)
    np.testing.assert_allclose(truth.weights, [[[[0.75, 0.25]]]], atol=1e-15)
    np.testing.assert_allclose(truth.output, [[[[7.0]]]], atol=1e-14)
    np.testing.assert_allclose(truth.lse, [[[math.log(4)]]], atol=1e-15)


def test_default_scale_is_one_over_root_width() -> None:
    query = np.array([2.0, 0, 0, 0]).reshape(1, 1, 1, 4)
    key = np.array([3.0, 9, 9, 9]).reshape(1, 1, 1, 4)
    assert oracle.attention(query, key, key).scores.item() == 3.0
    assert oracle.attention(query, key, key, scale=2).scores.item() == 12.0


def test_bias_multiplies_the_odds() -> None:
    bias = np.array([LN3, 0.0])[None, None, None]
    truth = oracle.attention(column(0), column(5, 7), column(0, 1), bias=bias)
    np.testing.assert_allclose(truth.weights, [[[[0.75, 0.25]]]], atol=1e-15)


def test_softcap_comes_before_the_bias() -> None:
    # tanh(x) = 3/5 at x = ln 2, so a score of 2 ln 2 capped at 2 is 6/5.
    truth = oracle.attention(
        column(2 * LN2), column(1), column(1), softcap=2.0, bias=np.full((1, 1, 1, 1), 100.0)
    )
    assert truth.scores.item() == pytest.approx(101.2, abs=1e-12)


def test_sink_takes_its_share_and_is_dropped() -> None:
    # Three equal scores, one of them the sink: each key keeps 1/3.
    truth = oracle.attention(column(0), column(1, 1), column(3, 6), sink=np.array([0.0]))
    np.testing.assert_allclose(truth.weights, [[[[1 / 3, 1 / 3]]]], atol=1e-15)
    np.testing.assert_allclose(truth.output, [[[[3.0]]]], atol=1e-14)
    np.testing.assert_allclose(truth.lse, [[[LN3]]], atol=1e-15)


def test_row_without_keys_is_zero_and_not_nan() -> None:
    keep = np.array([[True, False], [False, False]])
    truth = oracle.attention(column(1, 1), column(1, 1), column(5, 7), keep_mask=keep)
    np.testing.assert_array_equal(truth.weights, [[[[1, 0], [0, 0]]]])
    np.testing.assert_array_equal(truth.output, [[[[5], [0]]]])
    np.testing.assert_array_equal(truth.lse, [[[1, math.inf]]])
    np.testing.assert_array_equal(oracle.entropy(truth.weights), [[[0, 0]]])


def test_bias_of_minus_infinity_masks() -> None:
    bias = np.array([-math.inf, 0.0])[None, None, None]
    truth = oracle.attention(column(0), column(5, 7), column(0, 1), bias=bias)
    np.testing.assert_array_equal(truth.weights, [[[[0, 1]]]])


def test_consecutive_query_heads_share_a_key_head() -> None:
    assert [oracle.key_head(head, 6, 2) for head in range(6)] == [0, 0, 0, 1, 1, 1]
    query = np.zeros((1, 4, 1, 1))
    value = np.array([10.0, 20.0]).reshape(1, 2, 1, 1)
    truth = oracle.attention(query, value, value)
    assert truth.output.ravel().tolist() == [10, 10, 20, 20]


def test_empty_batch() -> None:
    empty = np.zeros((0, 2, 3, 4))
    truth = oracle.attention(empty, empty, empty)
    assert truth.weights.shape == (0, 2, 3, 3)
    assert truth.lse.shape == (0, 2, 3)
    assert oracle.received(truth.weights).shape == (0, 2, 3)
    assert oracle.maximum(truth.weights).shape == (0, 2, 3)


WEIGHTS = np.array([[0.5, 0.5, 0.0, 0.0], [0.0, 0.25, 0.25, 0.5]])[None, None]


def test_received_are_sums_over_queries() -> None:
    np.testing.assert_array_equal(oracle.received(WEIGHTS), [[[0.5, 0.75, 0.25, 0.5]]])
    np.testing.assert_array_equal(
        oracle.received(WEIGHTS, np.array([2, 0])), [[[1.0, 1.0, 0.0, 0.0]]]
    )
    np.testing.assert_array_equal(
        oracle.received(WEIGHTS, np.array([[0, 4]])), [[[0.0, 1.0, 1.0, 2.0]]]
    )


def test_entropy_in_nats() -> None:
    np.testing.assert_allclose(oracle.entropy(WEIGHTS), [[[LN2, 1.5 * LN2]]], atol=1e-15)


def test_maximum_and_topk() -> None:
    np.testing.assert_array_equal(oracle.maximum(WEIGHTS), [[[0.5, 0.5]]])
    values, indices = oracle.topk(WEIGHTS, 2)
    np.testing.assert_array_equal(values, [[[[0.5, 0.5], [0.5, 0.25]]]])
    np.testing.assert_array_equal(indices, [[[[0, 1], [3, 1]]]])


def test_pooled_cells_cover_and_overlap() -> None:
    np.testing.assert_array_equal(oracle.pooled(WEIGHTS, 2), [[[[0.5, 0.0], [0.25, 0.5]]]])
    np.testing.assert_array_equal(
        oracle.pooled(WEIGHTS, 2, how="mean"), [[[[0.5, 0.0], [0.125, 0.375]]]]
    )
    # 4 keys in 3 cells: [0, 2), [1, 3), [2, 4); 2 queries in 3 cells: 0, 0-1, 1.
    np.testing.assert_array_equal(
        oracle.pooled(WEIGHTS, 3),
        [[[[0.5, 0.5, 0.0], [0.5, 0.5, 0.5], [0.25, 0.25, 0.5]]]],
    )


def test_distance_in_positions() -> None:
    # Row 0: 0.5 * 1; row 1: 0.25 * 0 + 0.25 * 1 + 0.5 * 2.
    np.testing.assert_array_equal(oracle.distance(WEIGHTS), [[[0.5, 1.25]]])
    # With one cached key: row 0: 0.5 * 1 + 0.5 * 0; row 1: 0.25 * 1 + 0.25 * 0 + 0.5 * 1.
    np.testing.assert_array_equal(oracle.distance(WEIGHTS, offset=1), [[[0.5, 0.75]]])


def test_masks() -> None:
    np.testing.assert_array_equal(oracle.causal(2, 3), [[1, 0, 0], [1, 1, 0]])
    np.testing.assert_array_equal(oracle.causal(2, 3, offset=1), [[1, 1, 0], [1, 1, 1]])
    np.testing.assert_array_equal(oracle.window(3, 3, 1, 0), [[1, 0, 0], [1, 1, 0], [0, 1, 1]])
    np.testing.assert_array_equal(oracle.window(1, 4, 1, None, offset=2), [[0, 1, 1, 1]])
    np.testing.assert_array_equal(
        oracle.segments(np.array([7, 8]), np.array([7, 7, 8])), [[[[1, 1, 0], [0, 0, 1]]]]
    )
    keep = np.array([[True, False]])
    both = oracle.padding(keep) & oracle.rows(keep)
    np.testing.assert_array_equal(both, [[[[1, 0], [0, 0]]]])


def test_biases() -> None:
    np.testing.assert_array_equal(
        oracle.alibi_bias(np.array([0.5]), 2, 3, offset=1), [[[[-0.5, 0, 0.5], [-1, -0.5, 0]]]]
    )
    table = np.array([[1.0, 2.0], [3.0, 4.0]])
    np.testing.assert_array_equal(
        oracle.table_bias(table, np.array([1, 0]), np.array([0, 1, 1])),
        [[[[3, 4, 4], [1, 2, 2]]]],
    )
    assert oracle.per_key_bias(np.zeros(3)).shape == (1, 1, 1, 3)
    assert oracle.per_key_bias(np.zeros((2, 3))).shape == (2, 1, 1, 3)
    assert oracle.per_key_bias(np.zeros((2, 4, 3))).shape == (2, 4, 1, 3)


def test_rollout_of_two_layers_by_hand() -> None:
    swap = np.array([[0.0, 1.0], [1.0, 0.0]])[None, None]
    stay = np.array([[1.0, 0.0], [0.5, 0.5]])[None, None]
    # a = 1/2: S = [[.5, .5], [.5, .5]], T = [[1, 0], [.25, .75]]; T S has both rows (.5, .5),
    # S T has both rows (.625, .375).
    np.testing.assert_array_equal(oracle.rollout([swap, stay]), [[[0.5, 0.5], [0.5, 0.5]]])
    np.testing.assert_array_equal(oracle.rollout([stay, swap]), [[[0.625, 0.375]] * 2])
    np.testing.assert_array_equal(oracle.rollout([swap, stay], residual=1.0), [np.eye(2)])
    readout = np.array([[0.0, 1.0]])
    np.testing.assert_array_equal(oracle.received_rollout([stay], readout), [[0.25, 0.75]])


def test_gradient_attention_drops_what_speaks_against() -> None:
    weights = np.array([[[0.5, 0.5], [1.0, 0.0]], [[0.25, 0.75], [0.0, 1.0]]])[None]
    gradients = np.array([[[2.0, -4.0], [1.0, 5.0]], [[4.0, 4.0], [9.0, -1.0]]])[None]
    # Head 0: (1, 0), (1, 0); head 1: (1, 3), (0, 0); mean over heads.
    np.testing.assert_array_equal(
        oracle.gradient_attention(weights, gradients), [[[1.0, 1.5], [0.5, 0.0]]]
    )
    # R = I + A, then R + A R = I + 2 A + A A with A A = [[1.75, 1.5], [0.5, 0.75]].
    np.testing.assert_array_equal(
        oracle.chefer([weights] * 2, [gradients] * 2), [[[4.75, 4.5], [1.5, 1.75]]]
    )


def test_oracle_imports_nothing_of_ours() -> None:
    for path in Path(__file__).parent.glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                names = [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom):
                names = [node.module or ""]
            else:
                continue
            for name in names:
                assert name.split(".")[0] not in {"zhuyi", "torch"}, f"{path.name} imports {name}"
