"""Steering where the truth is known: small trained models of which it is known what a rule must do.

Each task is one file with `measure(seed, ...) -> lines`; `scripts/steering_truth.py` runs them all
and writes docs/steering-truth.md.
"""

from zhuyi.testing.steering.baselines import instaboost, pasta, profiled_heads, spotlight
from zhuyi.testing.steering.record import Line

__all__ = ["Line", "instaboost", "pasta", "profiled_heads", "spotlight"]
