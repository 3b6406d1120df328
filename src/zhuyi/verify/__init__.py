"""Is the picture true? One test a file: an explanation in, a finding out."""

from zhuyi.verify.agreement import Agreement
from zhuyi.verify.alternative import Alternative
from zhuyi.verify.case import Case, Method, Test
from zhuyi.verify.deception import Deception
from zhuyi.verify.deletion import Deletion
from zhuyi.verify.infidelity import Infidelity
from zhuyi.verify.limits import Limits, limits
from zhuyi.verify.other_removal import OtherRemoval
from zhuyi.verify.removals import Removals
from zhuyi.verify.sanity import Sanity
from zhuyi.verify.scores import Score, conclude
from zhuyi.verify.stability import Stability
from zhuyi.verify.subgroups import Subgroups
from zhuyi.verify.thresholds import Thresholds
from zhuyi.verify.verify import default_tests, judge, verify

__all__ = [
    "Agreement",
    "Alternative",
    "Case",
    "Deception",
    "Deletion",
    "Infidelity",
    "Limits",
    "Method",
    "OtherRemoval",
    "Removals",
    "Sanity",
    "Score",
    "Stability",
    "Subgroups",
    "Test",
    "Thresholds",
    "conclude",
    "default_tests",
    "judge",
    "limits",
    "verify",
]
