"""How far an audit is, for whoever shows it."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

from zhuyi.core.record import Said


@dataclass(frozen=True, kw_only=True)
class Progress:
    """One step of an audit.

    Args:
        stage: what is being done.
        done, total: parts finished and parts in all.
        seconds_left: an estimate from the parts so far, or None before the first.
    """

    stage: Said
    done: int
    total: int
    seconds_left: float | None


Listener: TypeAlias = Callable[[Progress], None]
"""Called before every part of an audit, and once at the end."""


def silent(_: Progress) -> None:
    """Shows nothing."""
