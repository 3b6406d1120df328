"""What an audit is given, less what the model cannot read."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from torch import Tensor

from zhuyi.audit.report import DataSummary, Skipped
from zhuyi.core.record import Said, Unit
from zhuyi.errors import InputError, OptionError
from zhuyi.trace.subject import Batch, Subject
from zhuyi.verify.removals import taken


@dataclass(frozen=True, kw_only=True)
class About:
    """What a report says of its model and data beside what it finds.

    Args:
        title: what a person calls the model.
        task: what the model is asked, in plain words.
        data: the data's name, rows and columns; None names the inputs only.
        rows: per input, its number in the data; None counts from 1.
    """

    title: str = "the model"
    task: str = ""
    data: DataSummary | None = None
    rows: Sequence[int] | None = None


@dataclass(frozen=True)
class Inputs:
    """The inputs that the model can read, with all that is known of them."""

    batch: Batch
    units: tuple[tuple[Unit, ...], ...]
    rows: tuple[int, ...]
    truth: tuple[str | None, ...]
    groups: Mapping[str, tuple[str, ...]]
    skipped: tuple[Skipped, ...] = field(default=())


def readable(
    subject: Subject,
    batch: Batch,
    truth: Sequence[str | None] | None,
    groups: Mapping[str, Sequence[str]] | None,
    about: About,
) -> Inputs:
    """The inputs without those that the model refuses, each named with its reason."""
    count = len(batch)
    if not count:
        raise InputError("there is nothing to audit: the batch is empty")
    rows = tuple(range(1, count + 1)) if about.rows is None else tuple(about.rows)
    given = {
        "truth": truth,
        "rows": rows,
        **{f"groups[{k!r}]": v for k, v in (groups or {}).items()},
    }
    for name, values in given.items():
        if values is not None and len(values) != count:
            raise OptionError(f"{name} must have one entry an input ({count}), got {len(values)}")
    kept, skipped = [], []
    for index in range(count):
        if isinstance(batch, Tensor):
            kept.append(index)
            continue
        try:
            subject.units(taken(batch, [index]))
            kept.append(index)
        except InputError as error:
            reason = str(error).removeprefix("input 1 ")
            skipped.append(Skipped(row=rows[index], reason=Said(en=reason, zh=reason)))
    if not kept:
        raise InputError(f"no input can be read; row {skipped[0].row}: {skipped[0].reason.en}")
    used = taken(batch, kept)
    return Inputs(
        batch=used,
        units=subject.units(used),
        rows=tuple(rows[index] for index in kept),
        truth=tuple(None if truth is None else truth[index] for index in kept),
        groups={name: tuple(v[index] for index in kept) for name, v in (groups or {}).items()},
        skipped=tuple(skipped),
    )
