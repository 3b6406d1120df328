"""Glass boxes as a view shows them: factors as units, their cells or stretches, named positions."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Final

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from zhuyi.errors import InputError
from zhuyi.learn.columns import KNOWN, MISSING, Column
from zhuyi.learn.contributions import Contributions
from zhuyi.learn.series.subject import SeriesSubject
from zhuyi.learn.subject import GlassBoxSubject
from zhuyi.learn.table_subject import TableSubject
from zhuyi.learn.text.subject import TextSubject
from zhuyi.trace.subject import Batch
from zhuyi.ui.live.glancing import Glance, glances_of
from zhuyi.ui.live.probe import Probe
from zhuyi.ui.looked import Checked, Looked, Signal, Tokens

_GONE: Final = "(missing)"
_UNSEEN: Final = "(unseen in training)"
_REST: Final = "(the rest)"
_LONGEST: Final = 200  # characters of a cell that are shown
_MADE_UP: Final = "positions"  # what `draw` calls a sequence that nobody named


@dataclass(frozen=True, kw_only=True)
class Caption:
    """What is said of a look that its model does not know.

    Args:
        model: its name.
        task: what it was asked.
        reason: why its values are where they come from, one sentence.
        shift, factor: of a number, from the logit to its own unit; None where classes are decided.
    """

    model: str
    task: str
    reason: str
    shift: float | None = None
    factor: float = 1.0


def pictures(
    subject: GlassBoxSubject,
    batch: Batch,
    caption: Caption,
    checked: Sequence[Checked | None] | None = None,
) -> list[Glance]:
    """Look at what a glass box makes of some inputs, one by one.

    Args:
        subject: the model.
        batch: the inputs.
        caption: what else is to be said.
        checked: per input what the tests say of its contributions; None where nothing was tested.

    Returns: the looks. Values are contributions: they sum to the logit less the label's constant.
    Raises:  NotFinite: for a model whose numbers are not finite.
    Cost:    three forward passes of the inputs.

    Example:
        >>> from zhuyi.learn import AttentionClassifier
        >>> X = np.random.default_rng(0).normal(size=(100, 3))
        >>> model = AttentionClassifier(max_epochs=2, random_state=0).fit(X, X[:, 0] > 0)
        >>> subject = model.subject()
        >>> said = Caption(model="example", task="which side?", reason="By construction.")
        >>> pictures(subject, subject.read([[0.5, 1.0, 2.0]]), said)[0].looked.cells
        ('0.5', '1', '2')
    """

    def described(number: int, looked: Looked) -> Looked:
        one = batch[number : number + 1]
        tests = None if checked is None else checked[number]
        return _described(subject, one, replace(looked, checked=tests), caption)

    probe = Probe(
        model=subject,
        inputs=batch,
        method=Contributions(),
        most=len(batch),
        title=caption.model,
        describe=described,
    )
    with torch.no_grad():
        return glances_of(probe).look(False)


def cells_of(subject: TableSubject, codes_NK: Tensor) -> tuple[str, ...]:
    """The cells of one row as a person writes them, from their codes "N 2 + P"."""
    return tuple(
        _cell(column, code)
        for column, code in zip(subject.schema.columns, codes_NK.tolist(), strict=True)
    )


def signal_of(subject: SeriesSubject, codes_NL2: Tensor) -> Signal:
    """One series with the stretches that its units are, from their codes "N L 2"."""
    stretches, channels = subject.inputs.stretches, subject.inputs.channels
    values: npt.NDArray[np.float32] = np.full((len(channels), stretches.steps), np.nan, np.float32)
    spans = []
    codes = codes_NL2.numpy()
    for place, (start, stop) in enumerate(stretches.bounds):
        first, last = stretches.steps - stop, stretches.steps - start + 1
        for channel in range(len(channels)):
            own = codes[place * len(channels) + channel, first - last :]
            values[channel, first:last] = np.where(own[:, 1] == KNOWN, own[:, 0], np.nan)
            spans.append((channel, first, last))
    names = tuple(channel.name or "value" for channel in channels)
    count = len(subject.units(codes_NL2[None])[0])
    return Signal(names=names, values=values, spans=tuple(spans[:count]))


def _described(subject: GlassBoxSubject, batch: Batch, looked: Looked, caption: Caption) -> Looked:
    """The look with all that is said of it."""
    looked = replace(
        looked,
        task=caption.task,
        reason=caption.reason,
        values=tuple(value * caption.factor for value in looked.values),
    )
    if caption.shift is not None:
        with torch.no_grad():
            logit = float(subject.decide_embedded(batch, subject.embed(batch))[0, 0])
        said = logit * caption.factor + caption.shift
        looked = replace(
            looked,
            decision=f"{looked.decision}: {said:.6g}",
            probability=None,
            alternatives=(),
        )
    return with_input(subject, batch, looked)


def with_input(subject: GlassBoxSubject, batch: Batch, looked: Looked) -> Looked:
    """The look at a batch of one with the input itself: named positions, cells, series."""
    sequences = _named(looked.sequences, _positions(subject, batch))
    looked = replace(looked, sequences=sequences)
    if isinstance(subject, SeriesSubject):
        return replace(looked, signal=signal_of(subject, _codes(subject, batch)[0]))
    if isinstance(subject, TableSubject):
        return replace(looked, cells=cells_of(subject, _codes(subject, batch)[0]))
    return looked


def _named(sequences: Sequence[Tokens], positions: Tokens) -> tuple[Tokens, ...]:
    """The same sequences with names: of all positions, and of the one place that reads them."""
    count = len(positions.labels)
    read_out = Tokens(name="read-out", labels=("decision",), special=(False,))
    return tuple(
        read_out
        if one.name == _MADE_UP and len(one.labels) == 1 < count
        else positions
        if len(one.labels) == count
        else one
        for one in sequences
    )


def _positions(subject: GlassBoxSubject, batch: Batch) -> Tokens:
    """The positions that are read: columns, stretches, or pieces of a text."""
    if isinstance(subject, TableSubject):
        labels = subject.schema.names
        return Tokens(name="columns", labels=labels, special=(False,) * len(labels))
    if isinstance(subject, SeriesSubject):
        labels = subject.inputs.names
        return Tokens(name="stretches", labels=labels, special=(False,) * len(labels))
    if not isinstance(subject, TextSubject):
        raise InputError(f"tables, series and texts can be shown, got {type(subject).__name__}")
    text, factors = str(batch[0]), subject.factors(batch)[0]
    pieces = [
        (text[start:end], False) if first >= 0 else (_REST, True)
        for first, (start, end) in zip(factors.first, factors.spans, strict=True)
    ] or [("", False)]  # a text without a unit is one place that holds nothing
    return Tokens(
        name="pieces",
        labels=tuple(label for label, _ in pieces),
        special=tuple(added for _, added in pieces),
    )


def _codes(subject: TableSubject | SeriesSubject, batch: Batch) -> Tensor:
    return batch if isinstance(batch, Tensor) else subject.read(list(batch))


def _cell(column: Column, code: list[float]) -> str:
    value, state, *pieces = code
    if state == MISSING:
        return _GONE
    if state != KNOWN:
        return _UNSEEN
    if column.kind == "text":
        words = [column.categories[int(piece) - 1] for piece in pieces if piece > 0]
        text = ", ".join(words)
        return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"
    if column.kind == "date":
        return _date(value)
    named = column.by_category or column.kind == "ordinal"
    return column.categories[round(value)] if named else f"{value:.6g}"


def _date(days: float) -> str:
    moment = datetime.fromtimestamp(days * 86_400.0, UTC).replace(tzinfo=None)
    return moment.date().isoformat() if days.is_integer() else moment.isoformat(sep=" ")
