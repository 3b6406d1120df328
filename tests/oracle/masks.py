"""Who may see whom: boolean arrays that broadcast to [B, H, Q, K], True where a key is seen."""

import numpy as np


def causal(num_queries: int, num_keys: int, offset: int = 0) -> np.ndarray:
    """Query i sees keys j <= i + offset. Returns [Q, K]."""
    return window(num_queries, num_keys, None, 0, offset)


def window(
    num_queries: int, num_keys: int, left: int | None, right: int | None, offset: int = 0
) -> np.ndarray:
    """Query i sees keys i + offset - left <= j <= i + offset + right; None is unbounded."""
    keep_QK = np.zeros((num_queries, num_keys), dtype=bool)
    for i, j in np.ndindex(num_queries, num_keys):
        far_enough = left is None or j >= i + offset - left
        near_enough = right is None or j <= i + offset + right
        keep_QK[i, j] = far_enough and near_enough
    return keep_QK


def padding(keep: np.ndarray) -> np.ndarray:
    """keep [B, K]: keys that are there. Returns [B, 1, 1, K]."""
    return np.asarray(keep, dtype=bool)[:, None, None, :]


def rows(keep: np.ndarray) -> np.ndarray:
    """keep [B, Q]: queries that are there. Returns [B, 1, Q, 1]."""
    return np.asarray(keep, dtype=bool)[:, None, :, None]


def segments(query_ids: np.ndarray, key_ids: np.ndarray) -> np.ndarray:
    """Query i sees key j when their ids are equal. Ids are [Q] or [B, Q], [K] or [B, K]."""
    query_BQ, key_BK = np.atleast_2d(query_ids), np.atleast_2d(key_ids)
    num_batch = max(len(query_BQ), len(key_BK))
    query_BQ = np.broadcast_to(query_BQ, (num_batch, query_BQ.shape[1]))
    key_BK = np.broadcast_to(key_BK, (num_batch, key_BK.shape[1]))
    keep_B1QK = np.zeros((num_batch, 1, query_BQ.shape[1], key_BK.shape[1]), dtype=bool)
    for b, _, i, j in np.ndindex(*keep_B1QK.shape):
        keep_B1QK[b, 0, i, j] = query_BQ[b, i] == key_BK[b, j]
    return keep_B1QK
