"""Explanations as a table: one line for each row, label and factor."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from zhuyi.learn.contributions import Contributions
from zhuyi.learn.glass_box import Read
from zhuyi.learn.reading import Cells
from zhuyi.learn.table_subject import TableSubject
from zhuyi.verify import Deletion, verify

if TYPE_CHECKING:
    import pandas as pd

NOT_VERIFIED: Final = "not verified"
COLUMNS: Final = (
    *("row", "label", "factor", "value"),
    *("score", "weight", "contribution", "verdict"),
)


def tabulate(
    subject: TableSubject,
    cells: Sequence[Cells],
    codes: Tensor,
    read: Read,
    asked: list[list[int]],
    factor: NDArray[np.float64],
    *,
    verify: bool,
) -> "pd.DataFrame":
    """One line for each row, asked label and factor, in this order.

    Args:
        subject: the model.
        cells: the rows as they came.
        codes: the same as codes "B N 2".
        read: what the model made of them.
        asked: per row, indices of labels of the subject.
        factor: "C", from logits to the unit that contributions are told in.
        verify: whether to test each row's explanation.
    """
    import pandas as pd  # the one place that needs it, and a second to import

    names, logits = subject.schema.names, read.logits.shape[1]
    places = [(row, label) for row, labels in enumerate(asked) for label in labels]
    rows = np.array([row for row, _ in places], np.int64)
    labels = np.array([label for _, label in places], np.int64)
    # of two classes there is one logit, for the second: for the first it counts the other way
    two = len(subject.labels) == 2 and logits == 1
    logit = np.zeros_like(labels) if two else labels
    sign = np.where(labels == 0, -1.0, 1.0) if two else np.ones(len(labels))
    contributions = read.contributions.numpy()[rows, logit] * (sign * factor[logit])[:, None]
    verdicts = _verdicts(subject, codes, places) if verify else [NOT_VERIFIED] * len(places)
    values = np.array([_shown(column) for column in cells], dtype=object).T.reshape(-1, len(names))
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
    return pd.DataFrame(dict(zip(COLUMNS, columns, strict=True)))


def _verdicts(subject: TableSubject, codes: Tensor, places: Sequence[tuple[int, int]]) -> list[str]:
    """Each row's own verdict, for each label that it is asked about."""
    found: dict[tuple[int, int], str] = {}
    for label in sorted({label for _, label in places}):
        rows = [row for row, one in places if one == label]
        targets = [label] * len(rows)
        verdict = verify(subject, codes[rows], Contributions(), target=targets, tests=[Deletion()])
        found |= {(row, label): said for row, said in zip(rows, verdict.inputs, strict=True)}
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
