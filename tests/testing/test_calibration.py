"""Verdicts on planted truth: true explanations are trusted, false ones refuted. Quick version.

`scripts/calibrate.py` does the same with more seeds and sizes, and writes docs/calibration.md.
"""

from dataclasses import dataclass
from functools import cache

import pytest
import torch

from tests.testing.models import GENDER, TASKS, planted
from zhuyi.core.record import Attribution, Finding, Outcome, Said
from zhuyi.testing.planted import DUE, KNOWN, HalfRight, Judged, Truth, judged, rightness
from zhuyi.testing.planted.calibration import share_right
from zhuyi.verify import Case, Deletion

BAR = 0.95
SURE = tuple(known for known in KNOWN if known.expected in ("true", "false"))


@cache
def cases() -> tuple[Judged, ...]:
    """One batch of 32 inputs of every task, explained in every way that is known."""
    return tuple(case for name in TASKS for case in judged(planted(name), known=SURE))


def test_true_explanations_are_trusted_and_false_ones_refuted() -> None:
    for expected in ("true", "false"):
        wrong = [case for case in cases() if case.expected == expected and not case.right]
        assert share_right(cases(), expected) >= BAR, wrong


@pytest.mark.parametrize("name", [known.name for known in SURE])
def test_no_kind_of_explanation_is_judged_wrongly_more_often_than_once(name: str) -> None:
    mine = [case for case in cases() if case.explanation == name]
    assert mine
    assert sum(not case.right for case in mine) <= 1, mine


def test_no_false_explanation_is_trusted() -> None:
    false = [case for case in cases() if case.expected == "false"]
    assert len(false) >= 30
    assert all(case.verdict.label != "trusted" for case in false)


def test_the_deceptive_model_is_caught_by_name() -> None:
    (case,) = (case for case in cases() if case.explanation == "deceptive attention")
    assert case.task == "deceptive"
    assert case.verdict.label == "refuted"
    finding = case.verdict.finding("Deception")
    assert finding is not None
    assert finding.outcome == "refutes"
    assert finding.numbers["worst_unit"] in GENDER


@pytest.mark.parametrize("outcome", ["supports", "refutes"])
def test_a_test_that_always_says_the_same_fails(outcome: Outcome) -> None:
    """The broken twin: whatever is judged without looking is judged wrongly."""
    found = list(judged(planted("parity"), known=SURE, tests=[Blind(outcome=outcome)]))
    kind = "false" if outcome == "supports" else "true"
    assert share_right(found, kind) == 0.0


@dataclass(frozen=True, kw_only=True)
class Blind:
    """A deletion test that does not look."""

    outcome: Outcome

    def __call__(self, case: Case) -> Finding:
        return Finding(
            test=Deletion.__name__,
            settings=repr(self),
            outcome=self.outcome,
            said=Said(en="As ever.", zh="一如既往。"),
        )


def test_rightness_is_what_its_formula_says() -> None:
    task = planted("recall")
    truth = Truth(planted=task)(task.subject, task.batch)
    assert rightness(truth, task.causal) == 1.0
    wrong = Attribution(
        values=-truth.values,
        units=truth.units,
        method="wrong",
        target=truth.target,
        signed=True,
    )
    assert rightness(wrong, task.causal) == -1.0
    flat = Attribution(
        values=torch.zeros_like(truth.values),
        units=truth.units,
        method="flat",
        target=truth.target,
        signed=False,
    )
    assert rightness(flat, task.causal) == 0.0
    # one input with values 3, 1, 2, ...: causal 1 and 3 against the others, by hand
    values = torch.zeros(1, 10)
    values[0, 1], values[0, 2], values[0, 3] = 3.0, 2.0, 1.0
    mixed = Attribution(
        values=values, units=truth.units[:1], method="mixed", target=(0,), signed=False
    )
    # pairs: (3 against 2 and six 0) and (1 against 2 and six 0): 7 won + (6 won, 1 lost) of 14
    assert rightness(mixed, ((1, 3),)) == pytest.approx((7 + 5) / 14)


def test_half_right_is_half_right() -> None:
    task = planted("parity")
    found = HalfRight(planted=task, share=0.5, seed=3)(task.subject, task.batch)
    true = Truth(planted=task, seed=3)(task.subject, task.batch)
    same = (found.values == true.values).all(1)
    assert int(same.sum()) == 32
    assert 0.35 < rightness(found, task.causal) < 0.65


def test_a_share_of_nothing_is_an_error() -> None:
    with pytest.raises(ValueError, match="no case is expected to be 'half'"):
        share_right(cases(), "half")
    assert set(DUE) == {"true", "false", "half"}


@pytest.mark.long
def test_every_seed_and_size() -> None:
    """Models never used to choose a threshold; batches of 32 and 64."""
    found = [
        case
        for task in TASKS.values()
        for seed in (200, 201)
        for size in (32, 64)
        for case in judged(task(seed), seed=seed, size=size, known=SURE)
    ]
    for expected in ("true", "false"):
        wrong = [case for case in found if case.expected == expected and not case.right]
        assert share_right(found, expected) >= BAR, wrong
    assert all(case.verdict.label != "trusted" for case in found if case.expected == "false")
