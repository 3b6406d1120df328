"""What is added to the scores: float64 arrays that broadcast to [B, H, Q, K]."""

import numpy as np


def per_key_bias(bias: np.ndarray) -> np.ndarray:
    """bias [K], [B, K] or [B, H, K]: one number per key, the same for every query."""
    bias = np.asarray(bias, dtype=np.float64)
    if bias.ndim == 1:
        return bias[None, None, None, :]
    if bias.ndim == 2:
        return bias[:, None, None, :]
    return bias[:, :, None, :]


def table_bias(values: np.ndarray, row_labels: np.ndarray, key_labels: np.ndarray) -> np.ndarray:
    """bias[i, j] = values[row_labels[i], key_labels[j]].

    values [R, C] or [B, H, R, C]; labels [Q] or [B, Q], [K] or [B, K].
    """
    values = np.asarray(values, dtype=np.float64)
    values = values[None, None] if values.ndim == 2 else values
    row_BQ, key_BK = np.atleast_2d(row_labels), np.atleast_2d(key_labels)
    num_batch = max(len(values), len(row_BQ), len(key_BK))
    num_heads = values.shape[1]
    bias_BHQK = np.zeros((num_batch, num_heads, row_BQ.shape[1], key_BK.shape[1]))
    for b, h, i, j in np.ndindex(*bias_BHQK.shape):
        row = row_BQ[b % len(row_BQ), i]
        column = key_BK[b % len(key_BK), j]
        bias_BHQK[b, h, i, j] = values[b % len(values), h, row, column]
    return bias_BHQK


def alibi_bias(slopes: np.ndarray, num_queries: int, num_keys: int, offset: int = 0) -> np.ndarray:
    """bias[h, i, j] = slopes[h] * (j - (i + offset)). Press et al. 2022, arXiv:2108.12409."""
    bias_HQK = np.zeros((len(slopes), num_queries, num_keys))
    for h, i, j in np.ndindex(*bias_HQK.shape):
        bias_HQK[h, i, j] = slopes[h] * (j - (i + offset))
    return bias_HQK[None]


def outer_bias(rows: np.ndarray, keys: np.ndarray) -> np.ndarray:
    """bias[b, h, i, j] = sum_r rows[b, h, i, r] keys[b, h, j, r], one number at a time."""
    B, H = max(rows.shape[0], keys.shape[0]), max(rows.shape[1], keys.shape[1])
    result = np.zeros((B, H, rows.shape[2], keys.shape[2]))
    for b, h, i, j in np.ndindex(*result.shape):
        left = rows[b % rows.shape[0], h % rows.shape[1], i]
        right = keys[b % keys.shape[0], h % keys.shape[1], j]
        result[b, h, i, j] = sum(left[r] * right[r] for r in range(len(left)))
    return result
