"""One group of inputs: every method explains it, and each explanation is scored by removal."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from zhuyi.audit.serial import from_values, to_values
from zhuyi.core.record import Attribution
from zhuyi.errors import NotWatchable
from zhuyi.trace.subject import Batch, Subject
from zhuyi.verify import Case, Deletion, Method, Removals, Thresholds
from zhuyi.verify.scores import Score


def score_group(
    subject: Subject,
    batch: Batch,
    methods: Sequence[Method],
    removals: Removals,
    *,
    deletion: Deletion,
    thresholds: Thresholds,
    seed: int,
) -> dict[str, Any]:
    """Explanations of a group and their scores, as plain JSON values.

    Args:
        subject, batch: the group.
        methods: what explains it.
        removals: the group's removals, shared by all methods.
        deletion: the test that scores.
        thresholds, seed: of the test.

    Returns: per method (by repr) "values" (one list an input), "scores" (by the row within the
        group); or "unavailable" with the reason where a method cannot work on this model.
    """
    found: dict[str, Any] = {}
    for method in methods:
        name = repr(method)
        try:
            attribution = method(subject, batch, removals.targets)
        except NotWatchable as error:
            found[name] = {"unavailable": str(error)}
            continue
        case = Case(
            subject=subject,
            batch=batch,
            attribution=attribution,
            method=method,
            removals=removals,
            thresholds=thresholds,
            seed=seed,
        )
        found[name] = {
            "values": _values(attribution),
            "scores": to_values(deletion.scores(case)),
        }
    return found


def _values(attribution: Attribution) -> list[list[float]]:
    return [
        row[: len(units)]
        for row, units in zip(attribution.values.tolist(), attribution.units, strict=True)
    ]


def read_scores(
    results: Sequence[tuple[Sequence[int], Mapping[str, Any]]], name: str
) -> list[Score]:
    """A method's scores from the results of several groups, with rows as indices of inputs.

    Args:
        results: per group, its inputs' indices and what `score_group` returned.
        name: repr of the method; groups that it was not tested on are passed over.
    """
    scores = []
    for indices, result in results:
        for one in result.get(name, {}).get("scores", ()):
            score = from_values(Score, one)
            scores.append(replace(score, row=indices[score.row]))
    return scores


def read_values(
    results: Sequence[tuple[Sequence[int], Mapping[str, Any]]], name: str
) -> dict[int, tuple[float, ...]]:
    """A method's values by the input's index."""
    return {
        index: tuple(values)
        for indices, result in results
        for index, values in zip(indices, result.get(name, {}).get("values", ()), strict=False)
    }
