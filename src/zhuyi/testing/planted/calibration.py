"""Verdicts on explanations whose verdict is known: the proof that `verify` tells true from false.

Adding a method: a `Known` here. Adding a test: `verify` runs it, so it is judged here with the
others. `python scripts/calibrate.py` writes docs/calibration.md from `judged`.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, Literal, TypeAlias

from zhuyi.core.record import Attribution, Label, Verdict
from zhuyi.explain import GradientAttention, IntegratedGradients, Occlusion, Random, Rollout
from zhuyi.testing.planted.explanations import (
    Constant,
    Decoys,
    HalfRight,
    Positional,
    ReadoutAttention,
    Reversed,
    Truth,
)
from zhuyi.testing.planted.record import Marked, Planted
from zhuyi.testing.promises import Explainer
from zhuyi.verify import Removals, Thresholds, verify
from zhuyi.verify.case import Test
from zhuyi.verify.removals import taken

Expected: TypeAlias = Literal["true", "false", "half", "open"]
"""What is known of an explanation; "open": a real method, right or wrong as its values show."""

DUE: Final[Mapping[Expected, Label]] = {"true": "trusted", "false": "refuted", "half": "doubtful"}
"""The verdict that is due to each kind whose truth is known."""


@dataclass(frozen=True, kw_only=True)
class Known:
    """An explanation of which it is known whether it is true.

    Args:
        name: what the tables call it.
        expected: what is known.
        make: from a task and a seed to the explanation.
        handed: whether only its values are given to `verify`, because nothing computed them.
        on: the models it is judged on; attention is only known to be false on deceptive ones.
    """

    name: str
    expected: Expected
    make: Callable[[Planted, int], Explainer]
    handed: bool = False
    on: Literal["all", "honest", "deceptive"] = "all"

    def applies(self, planted: Planted) -> bool:
        """Whether it is judged on this task."""
        return self.on == "all" or planted.deceptive == (self.on == "deceptive")


def _random_values(planted: Planted, seed: int) -> Explainer:
    return HalfRight(planted=planted, share=0.0, seed=seed)


KNOWN: Final = (
    Known(
        name="truth",
        expected="true",
        make=lambda planted, seed: Truth(planted=planted, seed=seed),
        handed=True,
    ),
    Known(name="Occlusion", expected="true", make=lambda planted, seed: Occlusion()),
    Known(name="Random", expected="false", make=lambda planted, seed: Random(seed=seed)),
    Known(name="random values", expected="false", make=_random_values, handed=True),
    Known(
        name="reversed truth",
        expected="false",
        make=lambda planted, seed: Reversed(method=Truth(planted=planted, seed=seed)),
        handed=True,
    ),
    Known(
        name="reversed Occlusion",
        expected="false",
        make=lambda planted, seed: Reversed(method=Occlusion()),
    ),
    Known(name="constant", expected="false", make=lambda planted, seed: Constant()),
    Known(name="positional", expected="false", make=lambda planted, seed: Positional()),
    Known(
        name="decoys",
        expected="false",
        make=lambda planted, seed: Decoys(planted=planted, seed=seed),
        handed=True,
    ),
    Known(
        name="deceptive attention",
        expected="false",
        make=lambda planted, seed: ReadoutAttention(),
        on="deceptive",
    ),
    Known(
        name="half right",
        expected="half",
        make=lambda planted, seed: HalfRight(planted=planted, seed=seed),
        handed=True,
    ),
    Known(
        name="IntegratedGradients",
        expected="open",
        make=lambda planted, seed: IntegratedGradients(steps=16),
    ),
    Known(
        name="GradientAttention", expected="open", make=lambda planted, seed: GradientAttention()
    ),
    Known(name="Rollout", expected="open", make=lambda planted, seed: Rollout()),
    Known(
        name="honest attention",
        expected="open",
        make=lambda planted, seed: ReadoutAttention(),
        on="honest",
    ),
)
"""The explanations that are judged."""


@dataclass(frozen=True, kw_only=True)
class Judged:
    """One explanation of one batch, and its verdict.

    Args:
        task: name of the planted task.
        seed: of the task's model.
        size: inputs in the batch.
        explanation: name of the explanation.
        expected: what is known of it.
        rightness: mean over inputs of 2 AUC - 1, how far it ranks causal units above the others:
            1 always, 0 like chance, -1 never.
        verdict: of `verify`.
    """

    task: str
    seed: int
    size: int
    explanation: str
    expected: Expected
    rightness: float
    verdict: Verdict = field(repr=False)

    @property
    def right(self) -> bool | None:
        """Whether the verdict is the one that is due; None where none is known to be."""
        due = DUE.get(self.expected)
        return None if due is None else self.verdict.label == due

    def number(self, test: str, name: str) -> float | None:
        """A number of a test's finding, or None where the test did not find it."""
        finding = self.verdict.finding(test)
        found = None if finding is None else finding.numbers.get(name)
        return float(found) if isinstance(found, float | int) else None

    def inputs(self) -> Counter[Label]:
        """How many inputs got which label."""
        return Counter(self.verdict.inputs)


def judged(
    planted: Planted,
    *,
    seed: int = 0,
    size: int = 32,
    batches: int = 1,
    known: Sequence[Known] = KNOWN,
    tests: Sequence[Test] | None = None,
    thresholds: Thresholds | None = None,
) -> Iterator[Judged]:
    """Judge explanations of a planted task's held-out inputs.

    Args:
        planted: the task; `size * batches` of its inputs are used.
        seed: of the explanations and the tests, and noted down.
        size: inputs of a batch.
        batches: how many batches, side by side.
        known: the explanations.
        tests: the tests to run; None for the default ones.
        thresholds: where a number becomes an outcome; None for the defaults.
    Cost: about two seconds a batch of 32 for all of `KNOWN`.
    """
    for place in range(batches):
        batch = taken(planted.batch, range(place * size, (place + 1) * size))
        causal = planted.causal_in(batch)
        removals = Removals(planted.subject, batch)
        for one in known:
            if not one.applies(planted):
                continue
            method = one.make(planted, 1000 * seed + place)
            attribution = method(planted.subject, batch, None)
            yield Judged(
                task=planted.name,
                seed=seed,
                size=size,
                explanation=one.name,
                expected=one.expected,
                rightness=rightness(attribution, causal),
                verdict=verify(
                    planted.subject,
                    batch,
                    attribution if one.handed else method,
                    tests=tests,
                    thresholds=thresholds,
                    seed=seed,
                    removals=removals,
                ),
            )


def rightness(attribution: Attribution, causal: Marked) -> float:
    """How far an explanation ranks causal units above the others.

        mean over inputs of 2 AUC - 1, over pairs of a causal unit and another (ties count 0)

    Args:
        attribution: the explanation.
        causal: per input, its causal units.
    Returns: from -1 to 1; a random explanation has 0 on average. Special units do not count.
    """
    found: list[float] = []
    for row, marks in enumerate(causal):
        values: list[float] = attribution.values[row].tolist()
        units = attribution.units[row]
        others = [n for n in range(len(units)) if n not in marks and not units[n].special]
        pairs = [(values[mark], values[other]) for mark in marks for other in others]
        found.append(sum((a > b) - (a < b) for a, b in pairs) / len(pairs))
    return sum(found) / len(found)


def share_right(cases: Sequence[Judged], expected: Expected) -> float:
    """Share of cases of a kind that got the verdict due to it.

    Raises: ValueError: if there are none: a share of nothing would pass any bar.
    """
    verdicts = [case.right for case in cases if case.expected == expected]
    if not verdicts:
        raise ValueError(f"no case is expected to be {expected!r}")
    return sum(bool(one) for one in verdicts) / len(verdicts)
