"""The truth: slow NumPy in float64 that imports nothing of zhuyi.

Every function is written the way a textbook would say it, so that reading it is checking it.
Arrays carry their shape as a suffix: B batch, H query heads, G key heads, Q queries, K keys,
D head width, S cells.
"""

from tests.oracle.attention import Truth, attention, key_head
from tests.oracle.biases import alibi_bias, outer_bias, per_key_bias, table_bias
from tests.oracle.masks import causal, padding, rows, segments, window
from tests.oracle.relevance import chefer, gradient_attention, received_rollout, rollout
from tests.oracle.statistics import distance, entropy, maximum, pooled, received, topk

__all__ = [
    "Truth",
    "alibi_bias",
    "attention",
    "causal",
    "chefer",
    "distance",
    "entropy",
    "gradient_attention",
    "key_head",
    "maximum",
    "outer_bias",
    "padding",
    "per_key_bias",
    "pooled",
    "received",
    "received_rollout",
    "rollout",
    "rows",
    "segments",
    "table_bias",
    "topk",
    "window",
]
