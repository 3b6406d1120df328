"""zhuyi: see where a model looks, believe the picture only when proven, and steer it."""

from . import explain, layers, trace, verify
from .audit import About, AuditReport, audit
from .core import (
    AttentionMatrix,
    AttentionSummary,
    Bias,
    Mask,
    Statistics,
    attend,
    attend_and_summarize,
)
from .trace import Keep, Tape, watch
from .trace.subject import Subject

__version__ = "0.1.0"

__all__ = [
    "About",
    "AttentionMatrix",
    "AttentionSummary",
    "AuditReport",
    "Bias",
    "Keep",
    "Mask",
    "Statistics",
    "Subject",
    "Tape",
    "attend",
    "attend_and_summarize",
    "audit",
    "explain",
    "layers",
    "trace",
    "verify",
    "watch",
]
