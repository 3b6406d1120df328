"""The mathematics: attention as an operator, its masks, biases and statistics. Torch only."""

from .attend import Attended, Summarized, attend, attend_and_summarize
from .bias import Bias
from .mask import Mask
from .matrix import AttentionMatrix
from .record import Attribution, Site, Unit
from .statistics import AttentionSummary, Statistics

__all__ = [
    "Attended",
    "AttentionMatrix",
    "AttentionSummary",
    "Attribution",
    "Bias",
    "Mask",
    "Site",
    "Statistics",
    "Summarized",
    "Unit",
    "attend",
    "attend_and_summarize",
]
