"""What is asked of the weights [B, H, Q, K]. A row of zeros (no key seen) answers 0 everywhere."""

import math
from typing import Literal

import numpy as np


def received(weights: np.ndarray, row_weights: np.ndarray | None = None) -> np.ndarray:
    """sum over i of r[i] * weights[i, j], r = 1 unless given as [Q], [B, Q] or [B, H, Q]."""
    num_batch, num_heads, num_queries, num_keys = weights.shape
    row = np.ones(num_queries) if row_weights is None else np.asarray(row_weights, np.float64)
    if row.ndim == 2:
        row = row[:, None, :]
    row_BHQ = np.broadcast_to(row, (num_batch, num_heads, num_queries))
    received_BHK = np.zeros((num_batch, num_heads, num_keys))
    for b, h, i in np.ndindex(*row_BHQ.shape):
        received_BHK[b, h] += row_BHQ[b, h, i] * weights[b, h, i]
    return received_BHK


def entropy(weights: np.ndarray) -> np.ndarray:
    """-sum over j of w ln w, in nats, with 0 ln 0 = 0. Returns [B, H, Q]."""
    entropy_BHQ = np.zeros(weights.shape[:3])
    for b, h, i in np.ndindex(*entropy_BHQ.shape):
        terms = [w * math.log(w) for w in weights[b, h, i] if w > 0]
        entropy_BHQ[b, h, i] = -math.fsum(terms) if terms else 0.0
    return entropy_BHQ


def maximum(weights: np.ndarray) -> np.ndarray:
    """The largest weight of each row. Returns [B, H, Q]."""
    return weights.max(axis=-1) if weights.size else np.zeros(weights.shape[:3])


def topk(weights: np.ndarray, k: int) -> tuple[np.ndarray, np.ndarray]:
    """The k largest weights of each row, largest first, and where they are. [B, H, Q, k] each."""
    indices = np.argsort(-weights, axis=-1, kind="stable")[..., :k]
    return np.take_along_axis(weights, indices, axis=-1), indices


def pooled(weights: np.ndarray, size: int, how: Literal["max", "mean"] = "max") -> np.ndarray:
    """A size x size picture: cell i covers positions floor(i L / size) to ceil((i + 1) L / size).

    The cells of adaptive pooling; neighbors overlap by one position where size does not divide L.
    """
    num_batch, num_heads, num_queries, num_keys = weights.shape
    pooled_BHSS = np.zeros((num_batch, num_heads, size, size))
    for b, h, s, t in np.ndindex(*pooled_BHSS.shape):
        top, bottom = s * num_queries // size, -(-(s + 1) * num_queries // size)
        left, right = t * num_keys // size, -(-(t + 1) * num_keys // size)
        cell = weights[b, h, top:bottom, left:right]
        pooled_BHSS[b, h, s, t] = cell.max() if how == "max" else cell.mean()
    return pooled_BHSS


def distance(weights: np.ndarray, offset: int = 0) -> np.ndarray:
    """sum over j of w[i, j] |i + offset - j|: how far each query looks, in positions. [B, H, Q]."""
    distance_BHQ = np.zeros(weights.shape[:3])
    for b, h, i in np.ndindex(*distance_BHQ.shape):
        apart_K = np.abs(i + offset - np.arange(weights.shape[-1]))
        distance_BHQ[b, h, i] = weights[b, h, i] @ apart_K
    return distance_BHQ
