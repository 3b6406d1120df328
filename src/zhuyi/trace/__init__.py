"""Watching: see every attention call of a PyTorch model while it runs as ever."""

from zhuyi.trace.adapters.transformers_subject import TransformersSubject
from zhuyi.trace.biased import biased
from zhuyi.trace.keep import Keep
from zhuyi.trace.module_subject import ModuleSubject
from zhuyi.trace.randomized import randomized
from zhuyi.trace.subject import (
    DifferentiableSubject,
    ModelSubject,
    NearbySubject,
    ProjectedSubject,
    RemovableSubject,
    Subject,
)
from zhuyi.trace.tape import Pass, Sighting, Tape
from zhuyi.trace.watch import Watch, watch

__all__ = [
    "DifferentiableSubject",
    "Keep",
    "ModelSubject",
    "ModuleSubject",
    "NearbySubject",
    "Pass",
    "ProjectedSubject",
    "RemovableSubject",
    "Sighting",
    "Subject",
    "Tape",
    "TransformersSubject",
    "Watch",
    "biased",
    "randomized",
    "watch",
]
