"""The audit: one call from a model and its inputs to a report that every face renders."""

from zhuyi.audit.auditing import audit, default_methods
from zhuyi.audit.inputs import About
from zhuyi.audit.progress import Progress
from zhuyi.audit.report import (
    AuditedInput,
    AuditReport,
    Budget,
    DataSummary,
    GroupDifference,
    GroupRow,
    HeadRow,
    Interval,
    MethodRow,
    Piece,
    Skipped,
)

__all__ = [
    "About",
    "AuditReport",
    "AuditedInput",
    "Budget",
    "DataSummary",
    "GroupDifference",
    "GroupRow",
    "HeadRow",
    "Interval",
    "MethodRow",
    "Piece",
    "Progress",
    "Skipped",
    "audit",
    "default_methods",
]
