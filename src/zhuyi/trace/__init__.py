"""Watching: see every attention call of a PyTorch model while it runs as ever."""

from zhuyi.trace.adapters.transformers_subject import TransformersSubject
from zhuyi.trace.keep import Keep
from zhuyi.trace.module_subject import ModuleSubject
from zhuyi.trace.subject import DifferentiableSubject, ProjectedSubject, Subject
from zhuyi.trace.tape import Pass, Sighting, Tape
from zhuyi.trace.watch import Watch, watch

__all__ = [
    "DifferentiableSubject",
    "Keep",
    "ModuleSubject",
    "Pass",
    "ProjectedSubject",
    "Sighting",
    "Subject",
    "Tape",
    "TransformersSubject",
    "Watch",
    "watch",
]
