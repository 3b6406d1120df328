"""Answers are right, asked once, in full batches, and the budget's voice is heard."""

import pytest
import torch

from tests.verify.models import Weighted, columns_of, some_inputs
from zhuyi.errors import OptionError
from zhuyi.trace import ModuleSubject
from zhuyi.verify import Removals

WEIGHTS = [2.0, -1.0, 0.5]


class Counting(ModuleSubject):
    """Remembers how many inputs came in each call."""

    calls: list[int]

    def decide(self, batch, keep=None):  # type: ignore[no-untyped-def]
        self.calls.append(len(batch))
        return super().decide(batch, keep)


def counting() -> Counting:
    subject = Counting(Weighted(WEIGHTS), unit_names=("a", "b", "c"), labels=("no", "yes"))
    subject.calls = []
    return subject


def by_hand(row: torch.Tensor, gone: int, target: int) -> float:
    kept = [w * float(x) for i, (w, x) in enumerate(zip(WEIGHTS, row)) if not gone >> i & 1]
    yes = 1.0 / (1.0 + torch.exp(torch.tensor(-sum(kept), dtype=torch.float64)).item())
    return yes if target == 1 else 1.0 - yes


def test_every_set_is_what_the_model_says_without_these_units() -> None:
    subject, inputs = counting(), some_inputs(3, 3)
    removals = Removals(subject, inputs)
    pairs = [(row, gone) for row in range(3) for gone in range(8)]
    found = removals.probabilities(pairs)
    for (row, gone), p in zip(pairs, found, strict=True):
        assert p == pytest.approx(by_hand(inputs[row], gone, removals.targets[row]), abs=1e-6)


def test_nothing_is_asked_twice_and_repeats_cost_nothing() -> None:
    subject = counting()
    removals = Removals(subject, some_inputs(2, 3))
    subject.calls.clear()
    first = removals.probabilities([(0, 1), (0, 1), (1, 2), (0, 0)])
    assert sum(subject.calls) == 2, "p(everything) is known, and (0, 1) is one question"
    assert removals.probabilities([(1, 2), (0, 1)]) == [first[2], first[0]]
    assert sum(subject.calls) == 2
    assert removals.calls == 2 + 2


def test_runs_are_as_large_as_allowed_and_no_larger() -> None:
    subject = counting()
    removals = Removals(subject, some_inputs(4, 3), positions=9)
    subject.calls.clear()
    removals.probabilities([(row, gone) for row in range(4) for gone in range(1, 8)])
    assert max(subject.calls) == 3, "three inputs of three positions fit into nine"
    assert len(subject.calls) == -(-28 // 3)


def test_the_budget_is_asked_before_the_model_is() -> None:
    class Enough(Exception):
        pass

    def spend(inputs: int) -> None:
        if inputs > 1:
            raise Enough

    subject = counting()
    removals = Removals(subject, some_inputs(1, 3), spend=spend)
    subject.calls.clear()
    with pytest.raises(Enough):
        removals.probabilities([(0, 1), (0, 2)])
    assert not subject.calls


def test_answers_can_be_taken_over() -> None:
    subject, inputs = counting(), some_inputs(2, 3)
    first = Removals(subject, inputs)
    expected = first.probabilities([(0, 5), (1, 3)])
    second = Removals(subject, inputs)
    second.learn(first.known())
    before = second.calls
    assert second.probabilities([(0, 5), (1, 3)]) == expected
    assert second.calls == before


def test_targets_must_fit_the_batch() -> None:
    with pytest.raises(OptionError, match="one an input"):
        Removals(columns_of(Weighted(WEIGHTS), 3), some_inputs(2, 3), [1])


def test_runs_that_do_not_fit_into_memory_are_halved() -> None:
    class Small(Counting):
        def decide(self, batch, keep=None):  # type: ignore[no-untyped-def]
            if keep is not None and len(batch) > 5:
                raise torch.OutOfMemoryError("no memory for so many")
            return super().decide(batch, keep)

    subject, inputs = counting(), some_inputs(4, 3)
    pairs = [(row, gone) for row in range(4) for gone in range(1, 8)]
    expected = Removals(subject, inputs).probabilities(pairs)
    small = Small(Weighted(WEIGHTS), unit_names=("a", "b", "c"), labels=("no", "yes"))
    small.calls = []
    assert Removals(small, inputs).probabilities(pairs) == pytest.approx(expected, abs=1e-7)
    assert max(small.calls) <= 5


def test_other_failures_come_through() -> None:
    class Broken(Counting):
        def decide(self, batch, keep=None):  # type: ignore[no-untyped-def]
            if keep is not None:
                raise RuntimeError("something else")
            return super().decide(batch, keep)

    broken = Broken(Weighted(WEIGHTS), unit_names=("a", "b", "c"), labels=("no", "yes"))
    broken.calls = []
    with pytest.raises(RuntimeError, match="something else"):
        Removals(broken, some_inputs(4, 3)).probabilities([(0, 1), (1, 1)])
