"""Planted tasks: small trained models whose causal units are known, to test tests of truth."""

from zhuyi.testing.planted.calibration import (
    DUE,
    KNOWN,
    Judged,
    Known,
    judged,
    rightness,
    share_right,
)
from zhuyi.testing.planted.explanations import (
    Constant,
    Decoys,
    HalfRight,
    Positional,
    ReadoutAttention,
    Reversed,
    Truth,
)
from zhuyi.testing.planted.forbidden import deceptive, forbidden
from zhuyi.testing.planted.parity import parity
from zhuyi.testing.planted.recall import recall
from zhuyi.testing.planted.record import Planted
from zhuyi.testing.planted.shortcut import shortcut
from zhuyi.testing.planted.subject import PlantedSubject

PLANTED = (recall, shortcut, parity, forbidden, deceptive)
"""All planted tasks; each is called with a seed."""

__all__ = [
    "DUE",
    "KNOWN",
    "PLANTED",
    "Constant",
    "Decoys",
    "HalfRight",
    "Judged",
    "Known",
    "Planted",
    "PlantedSubject",
    "Positional",
    "ReadoutAttention",
    "Reversed",
    "Truth",
    "deceptive",
    "forbidden",
    "judged",
    "parity",
    "recall",
    "rightness",
    "share_right",
    "shortcut",
]
