"""Scores and weights of chosen rows in plain differentiable torch: the semantics, spelled out.

Slower than blocks.py and differentiable; both are held to the same oracle.
"""

import torch

from .inputs import Inputs
from .mask import Rows, take


def score_tile(inputs: Inputs, rows: Rows, cols: slice) -> torch.Tensor:
    """softcap(scale Q K^T) + bias, masked entries -inf: [B, H, r, c] in the inputs' dtype."""
    query_BHrD = take_dense(inputs.query, rows).to(inputs.dtype)
    key_BGcD = inputs.key[:, :, cols].to(inputs.dtype)
    B, H, r, D = query_BHrD.shape
    G = key_BGcD.shape[1]
    stacked_BGMD = query_BHrD.reshape(B, G, H // G * r, D)
    scores = stacked_BGMD @ key_BGcD.transpose(-1, -2) * inputs.scale
    scores = scores.reshape(B, H, r, key_BGcD.shape[2])
    if inputs.softcap is not None:
        scores = inputs.softcap * torch.tanh(scores / inputs.softcap)
    if inputs.bias is not None:
        scores = scores + inputs.bias.block(rows, cols)
    if inputs.mask is not None:
        keep = inputs.mask.block(rows, cols, scores.device)
        scores = scores.masked_fill(~keep, float("-inf"))
    return scores.to(inputs.dtype)


def take_dense(tensor: torch.Tensor, rows: Rows) -> torch.Tensor:
    """Query rows of a tensor whose rows never broadcast, also when there is only one."""
    if isinstance(rows, slice):
        return tensor[:, :, rows]
    return take(tensor, 2, rows) if tensor.shape[2] != 1 else tensor[:, :, rows.to(tensor.device)]


def weight_tile(inputs: Inputs, rows: Rows) -> tuple[torch.Tensor, torch.Tensor]:
    """Weights [B, H, r, K] and finite scores of the same shape; rows that see nothing get 0.

    Masked scores come back as 0, so that products with their zero weight stay 0, gradients too.
    """
    scores = score_tile(inputs, rows, slice(0, inputs.shape[3]))
    masked = torch.isneginf(scores)
    dead = masked.all(-1, keepdim=True)
    logits = scores.masked_fill(dead, 0.0)
    if inputs.sink is not None:
        sink_HB = inputs.sink.to(scores.dtype)[None, :, None, None].expand(*scores.shape[:3], 1)
        logits = torch.cat([logits, sink_HB], -1)
    weights = torch.softmax(logits, -1)
    if inputs.sink is not None:
        weights = weights[..., :-1]
    return weights.masked_fill(dead, 0.0), scores.masked_fill(masked, 0.0)
