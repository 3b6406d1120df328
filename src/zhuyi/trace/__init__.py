"""Watching: see every attention call of a PyTorch model while it runs as ever."""

from zhuyi.trace.keep import Keep
from zhuyi.trace.tape import Pass, Sighting, Tape
from zhuyi.trace.watch import Watch, watch

__all__ = ["Keep", "Pass", "Sighting", "Tape", "Watch", "watch"]
