"""zhuyi: see where a model looks, believe the picture only when proven, and steer it."""

from typing import TYPE_CHECKING, Any

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
from .steer import Rules, certify, steer
from .trace import Keep, Tape, watch
from .trace.subject import Subject

if TYPE_CHECKING:
    from .ui.live import AttentionLogger

__version__ = "0.1.0"

__all__ = [
    "About",
    "AttentionLogger",
    "AttentionMatrix",
    "AttentionSummary",
    "AuditReport",
    "Bias",
    "Keep",
    "Mask",
    "Rules",
    "Statistics",
    "Subject",
    "Tape",
    "attend",
    "attend_and_summarize",
    "audit",
    "certify",
    "explain",
    "layers",
    "steer",
    "trace",
    "verify",
    "watch",
]


def __getattr__(name: str) -> Any:
    """`AttentionLogger`, which writes files, is fetched when it is first used."""
    if name == "AttentionLogger":
        from .ui.live import AttentionLogger

        return AttentionLogger
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
