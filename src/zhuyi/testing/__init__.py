"""For people who add a kernel, a method or a test: how right is right, what every method promises.

`zhuyi.testing.planted` has trained models whose reasons are known. Nothing in the library imports
this package; tests do, ours and yours.
"""

from zhuyi.testing.numbers import (
    Probe,
    answers,
    assert_close_to_oracle,
    naive_answers,
    naive_attention,
    summary_answers,
)
from zhuyi.testing.planted import PLANTED, Planted
from zhuyi.testing.promises import (
    Explainer,
    check_absent_units_are_zero,
    check_batch_invariant,
    check_explanation,
    check_inputs_untouched,
    check_leaves_nothing_after_an_error,
    check_same_twice,
    check_well_formed,
)

__all__ = [
    "PLANTED",
    "Explainer",
    "Planted",
    "Probe",
    "answers",
    "assert_close_to_oracle",
    "check_absent_units_are_zero",
    "check_batch_invariant",
    "check_explanation",
    "check_inputs_untouched",
    "check_leaves_nothing_after_an_error",
    "check_same_twice",
    "check_well_formed",
    "naive_answers",
    "naive_attention",
    "summary_answers",
]
