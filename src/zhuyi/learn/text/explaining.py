"""Explanations of texts as a table: one line for each row, label and piece, or unit."""

from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import TYPE_CHECKING, Final

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from zhuyi.learn.contributions import Contributions
from zhuyi.learn.explaining import COLUMNS, NOT_VERIFIED
from zhuyi.learn.text.reader import announce
from zhuyi.learn.text.subject import TextSubject
from zhuyi.learn.text.vocabulary import Factors, padded
from zhuyi.verify import Deletion, verify
from zhuyi.verify.removals import Removals

if TYPE_CHECKING:
    import pandas as pd

TEXT_COLUMNS: Final = (*COLUMNS, "start", "end")
_JUDGED: Final = 16  # texts, at least, on which the method is judged
_AT_ONCE: Final = 64  # texts whose numbers are held for all labels
_POSITIONS: Final = 1 << 16  # in one run; of these the pieces that touch a unit


def tabulate(
    subject: TextSubject,
    texts: Sequence[str],
    found: Sequence[Factors],
    asked: list[list[int]],
    *,
    verify: bool,
    by_unit: bool,
) -> "pd.DataFrame":
    """One line for each row, asked label and piece (or unit), in this order.

    Args:
        subject: the model.
        texts: as they came.
        found: the same as factors.
        asked: per row, indices of labels of the subject.
        verify: whether to test each text's explanation.
        by_unit: whether a line is a unit.
    """
    import pandas as pd  # the one place that needs it, and a second to import

    places = [(row, label) for row, labels in enumerate(asked) for label in labels]
    verdicts = _verdicts(subject, texts, places) if verify else [NOT_VERIFIED] * len(places)
    ruled = subject.module.ruling is not None
    names = (*TEXT_COLUMNS, "rules") if ruled else TEXT_COLUMNS
    lines: dict[str, list[object]] = {name: [] for name in names}
    told = zip(places, verdicts, _told(subject, texts, found, places), strict=True)
    for (row, label), verdict, (rules, *own) in told:
        one = found[row]
        numbers = _by_unit(subject, texts[row], *own[1:]) if by_unit else _by_piece(one, *own)
        keys, spans = _named(one, by_unit)
        columns = (
            *([row] * len(keys), [subject.labels[label]] * len(keys), keys),
            [texts[row][start:end] for start, end in spans],
            *(column.tolist() for column in numbers),
            [verdict] * len(keys),
            *([start for start, _ in spans], [end for _, end in spans]),
            *([_rules_of(one, rules, by_unit)] if ruled else []),
        )
        for name, column in zip(names, columns, strict=True):
            lines[name] += column
    return pd.DataFrame(lines).astype({"score": float, "weight": float, "contribution": float})


def _told(
    subject: TextSubject,
    texts: Sequence[str],
    found: Sequence[Factors],
    places: Sequence[tuple[int, int]],
) -> Iterator[tuple[list[str], Tensor, Tensor, Tensor]]:
    """Rules, score, weight and contribution of every factor, for each place; a few at a time."""
    # of two classes there is one logit, for the second: for the first it counts the other way
    two = len(subject.labels) == 2 and subject.module.shape.outputs == 1
    for _, portion in groupby(places, key=lambda place: place[0] // _AT_ONCE):
        some = list(portion)
        first, last = some[0][0], some[-1][0]
        those = slice(first, last + 1)
        announce(subject.vocabulary, texts[those], found[those])
        codes, ruling = torch.from_numpy(padded(found[those])), subject.module.ruling
        with torch.no_grad():
            read = subject.module.read(codes)
        rules = [[]] * len(codes) if ruling is None else ruling.by_factor(codes)
        scores, weights, parts = read.scores, read.weights, read.contributions
        for row, label in some:
            at = row - first, 0 if two else label
            sign = -1.0 if two and label == 0 else 1.0
            yield rules[row - first], scores[at], weights[at], sign * parts[at]


def _named(one: Factors, by_unit: bool) -> tuple[list[str], list[tuple[int, int]]]:
    """Keys and spans of the lines of one text."""
    if by_unit:
        return list(one.units.keys), list(one.units.spans)
    start = int((one.first < 0).sum())  # the rest, where there is one, comes first
    return list(one.keys[start:]), list(one.spans[start:])


def _rules_of(one: Factors, rules: list[str], by_unit: bool) -> list[str]:
    """Per line of a text, the rules that mean it; a unit is meant with a piece that touches it."""
    if not by_unit:
        return [rules[place] for place in (one.first >= 0).nonzero()[0]]
    found: list[dict[str, None]] = [{} for _ in one.units.keys]
    for first, last, told in zip(one.first, one.last, rules, strict=False):
        for unit in range(max(first, 0), last):
            found[unit] |= dict.fromkeys(told.split(", ") if told else ())
    return [", ".join(told) for told in found]


def _by_piece(one: Factors, *numbers: Tensor) -> list[NDArray[np.float64]]:
    there = one.first >= 0
    return [column[: len(there)].numpy()[there] for column in numbers]


def _by_unit(
    subject: TextSubject, text: str, weights: Tensor, parts: Tensor
) -> list[NDArray[np.float64]]:
    shared = [subject.gather([text], column[None])[0].numpy() for column in (weights, parts)]
    return [np.full(len(shared[0]), np.nan), *shared]


def _verdicts(
    subject: TextSubject, texts: Sequence[str], places: Sequence[tuple[int, int]]
) -> list[str]:
    """Each text's own verdict, for each label that it is asked about.

    Nothing about a method can be learned from a few texts, so made-up ones are tested with them.
    """
    found: dict[tuple[int, int], str] = {}
    for label in sorted({label for _, label in places}):
        rows = [row for row, one in places if one == label]
        more = subject.vocabulary.typical(max(_JUDGED - len(rows), 0))
        batch = [*(texts[row] for row in rows), *more]
        targets = [label] * len(batch)
        asked = Removals(subject, batch, targets, positions=_POSITIONS)
        verdict = verify(
            subject, batch, Contributions(), target=targets, tests=[Deletion()], removals=asked
        )
        said = verdict.inputs[: len(rows)]
        found |= {(row, label): one for row, one in zip(rows, said, strict=True)}
    return [found[place] for place in places]
