"""zhuyi: see where a model looks, believe the picture only when proven, and steer it."""

from .core import (
    AttentionMatrix,
    AttentionSummary,
    Bias,
    Mask,
    Statistics,
    attend,
    attend_and_summarize,
)

__version__ = "0.1.0"

__all__ = [
    "AttentionMatrix",
    "AttentionSummary",
    "Bias",
    "Mask",
    "Statistics",
    "attend",
    "attend_and_summarize",
]
