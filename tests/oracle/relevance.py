"""Explanations by dense linear algebra, as their papers write them. Layers come first to last."""

from collections.abc import Sequence

import numpy as np


def rollout(layers: Sequence[np.ndarray], residual: float = 0.5) -> np.ndarray:
    """Product of (a I + (1 - a) mean_H A_l) from the last layer down to the first. [B, L, L].

    Abnar & Zuidema 2020, arXiv:2005.00928, eq. 1.
    """
    num_batch, _, length, _ = layers[0].shape
    result_BLL = np.stack([np.eye(length)] * num_batch)
    for weights_BHLL in layers:
        step_BLL = residual * np.eye(length) + (1 - residual) * weights_BHLL.mean(axis=1)
        result_BLL = step_BLL @ result_BLL
    return result_BLL


def received_rollout(
    layers: Sequence[np.ndarray], readout: np.ndarray, residual: float = 0.5
) -> np.ndarray:
    """What of each key reaches the rows that are read out: readout [B, L] times rollout. [B, L]."""
    return np.einsum("bi,bij->bj", readout, rollout(layers, residual))


def gradient_attention(weights: np.ndarray, gradients: np.ndarray) -> np.ndarray:
    """mean over heads of max(0, gradient * weight). [B, Q, K]. Chefer et al. 2021, eq. 5."""
    return np.maximum(0.0, gradients * weights).mean(axis=1)


def chefer(layers: Sequence[np.ndarray], gradients: Sequence[np.ndarray]) -> np.ndarray:
    """R = I, then for each layer R <- R + gradient_attention(A, dA) R. Returns [B, L, L].

    Chefer, Gur & Wolf 2021, arXiv:2103.15679, eqs. 5 and 6, for self-attention only.
    """
    num_batch, _, length, _ = layers[0].shape
    result_BLL = np.stack([np.eye(length)] * num_batch)
    for weights_BHLL, gradients_BHLL in zip(layers, gradients, strict=True):
        result_BLL = result_BLL + gradient_attention(weights_BHLL, gradients_BHLL) @ result_BLL
    return result_BLL
