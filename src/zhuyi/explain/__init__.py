"""Attribution methods: each takes a subject and a batch and says how much every unit counts."""

from zhuyi.explain.gradient_attention import GradientAttention
from zhuyi.explain.input_gradient import InputGradient
from zhuyi.explain.integrated_gradients import IntegratedGradients
from zhuyi.explain.occlusion import Occlusion
from zhuyi.explain.random import Random
from zhuyi.explain.received import Received
from zhuyi.explain.rollout import Rollout
from zhuyi.explain.value_norm import ValueNorm

__all__ = [
    "GradientAttention",
    "InputGradient",
    "IntegratedGradients",
    "Occlusion",
    "Random",
    "Received",
    "Rollout",
    "ValueNorm",
]
