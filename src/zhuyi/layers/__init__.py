"""Attention as `nn.Module`, one family a file."""

from .attention import Attention, AttentionResult

__all__ = ["Attention", "AttentionResult"]
