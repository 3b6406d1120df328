"""Explanations as a table: one line for each row, label and factor."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from zhuyi.learn.contributions import Contributions
from zhuyi.learn.glass_box import Read
from zhuyi.learn.reading import Cells
from zhuyi.learn.subject import GlassBoxSubject
from zhuyi.verify import Deletion, verify
from zhuyi.verify.removals import Removals

if TYPE_CHECKING:
    import pandas as pd

NOT_VERIFIED: Final = "not verified"
_POSITIONS: Final = 1 << 14  # in one run: a glass box is small
_JUDGED: Final = 16  # rows, at least, on which the method is judged
COLUMNS: Final = (
    *("row", "label", "factor", "value"),
    *("score", "weight", "contribution", "verdict"),
)


def tabulate(
    subject: GlassBoxSubject,
    names: Sequence[str],
    values: NDArray[np.object_],
    codes: Tensor,
    read: Read,
    asked: list[list[int]],
    factor: NDArray[np.float64],
    *,
    verify: bool,
    present: NDArray[np.bool_] | None = None,
) -> "pd.DataFrame":
    """One line for each row, asked label and factor, in this order.

    Args:
        subject: the model.
        names: of the N factors.
        values: "B N", each factor's value as a person wrote it.
        codes: the inputs as codes "B N ...".
        read: what the model made of them.
        asked: per row, indices of labels of the subject.
        factor: "C", from logits to the unit that contributions are told in.
        verify: whether to test each row's explanation.
        present: "B N", factors that an input has; the others get no line. None: all.
    """
    import pandas as pd  # the one place that needs it, and a second to import

    logits = read.logits.shape[1]
    places = [(row, label) for row, labels in enumerate(asked) for label in labels]
    rows = np.array([row for row, _ in places], np.int64)
    labels = np.array([label for _, label in places], np.int64)
    # of two classes there is one logit, for the second: for the first it counts the other way
    two = len(subject.labels) == 2 and logits == 1
    logit = np.zeros_like(labels) if two else labels
    sign = np.where(labels == 0, -1.0, 1.0) if two else np.ones(len(labels))
    contributions = read.contributions.numpy()[rows, logit] * (sign * factor[logit])[:, None]
    verdicts = _verdicts(subject, codes, places) if verify else [NOT_VERIFIED] * len(places)
    columns = (
        np.repeat(rows, len(names)),
        np.repeat(np.array(subject.labels, dtype=object)[labels], len(names)),
        np.tile(np.array(names, dtype=object), len(places)),
        values[rows].reshape(-1),
        read.scores.numpy()[rows, logit].reshape(-1),
        read.weights.numpy()[rows, logit].reshape(-1),
        contributions.reshape(-1),
        np.repeat(np.array(verdicts, dtype=object), len(names)),
    )
    kept = slice(None) if present is None else present[rows].reshape(-1)
    lines = {name: column[kept] for name, column in zip(COLUMNS, columns, strict=True)}
    return pd.DataFrame(lines)


def told_rules(
    found: list[list[str]], asked: list[list[int]], present: NDArray[np.bool_] | None = None
) -> list[str]:
    """The column `rules` of the lines that `tabulate` gives.

    Args:
        found: per row and factor, the rules that mean it.
        asked: per row, indices of labels.
        present: "B N", factors that an input has. None: all.
    """
    return [
        one
        for row, labels in enumerate(asked)
        for _ in labels
        for place, one in enumerate(found[row])
        if present is None or present[row, place]
    ]


def cell_values(cells: Sequence[Cells]) -> NDArray[np.object_]:
    """A table's cells "B N" as a person wrote them; None where missing."""
    return np.array([_shown(column) for column in cells], dtype=object).T.reshape(-1, len(cells))


def _verdicts(
    subject: GlassBoxSubject, codes: Tensor, places: Sequence[tuple[int, int]]
) -> list[str]:
    """Each row's own verdict, for each label that it is asked about.

    Nothing about a method can be learned from a few rows, so typical ones are tested with them.
    """
    judged = subject.by_logits()
    found: dict[tuple[int, int], str] = {}
    for label in sorted({label for _, label in places}):
        rows = [row for row, one in places if one == label]
        more = judged.reference(_JUDGED - len(rows)) if len(rows) < _JUDGED else None
        batch = codes[rows] if more is None else torch.cat([codes[rows], more])
        targets = [label] * len(batch)
        asked = Removals(judged, batch, targets, positions=_POSITIONS)
        verdict = verify(
            judged, batch, Contributions(), target=targets, tests=[Deletion()], removals=asked
        )
        said = verdict.inputs[: len(rows)]
        found |= {(row, label): one for row, one in zip(rows, said, strict=True)}
    return [found[place] for place in places]


def _shown(cells: Cells) -> list[object]:
    """The cells as a person wrote them; None where missing."""
    if cells.numbers is None:
        assert cells.texts is not None
        return list(cells.texts)
    numbers = [None if np.isnan(number) else float(number) for number in cells.numbers]
    if cells.kind == "boolean":
        return [None if number is None else bool(number) for number in numbers]
    if cells.kind == "date":
        return [None if number is None else _date(number) for number in numbers]
    return list(numbers)


def _date(days: float) -> str:
    moment = datetime.fromtimestamp(days * 86_400.0, UTC).replace(tzinfo=None)
    return moment.date().isoformat() if days.is_integer() else moment.isoformat()
