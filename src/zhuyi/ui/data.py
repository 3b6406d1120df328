"""A table of texts to audit, read from a file; every row that cannot be used is named."""

import itertools
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from zhuyi.audit.report import DataSummary, Skipped
from zhuyi.core.record import Said
from zhuyi.errors import InputError, OptionError
from zhuyi.ui.records import NOT_UTF8, Broken, Record, open_records

OnBad = Literal["skip", "refuse"]
LONGEST = 50_000
"""Characters of a text that is still taken for one; no model here reads a tenth of it."""


@dataclass(frozen=True, kw_only=True)
class Row:
    """One usable row.

    Args:
        number: its number among the file's records, from 1; the header does not count.
        text: the text.
        pair: the second text, or None where there is no such column.
        label: the label as the data writes it, or None where there is no such column.
        groups: column -> group.
    """

    number: int
    text: str
    pair: str | None = None
    label: str | None = None
    groups: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Table:
    """What a file held.

    Args:
        name: the file's name.
        offered: records that were looked at.
        rows: those that can be used.
        skipped: the others, with the reason.
        columns: role -> names of columns.
    """

    name: str
    offered: int
    rows: tuple[Row, ...]
    skipped: tuple[Skipped, ...]
    columns: Mapping[str, tuple[str, ...]]

    def summary(self) -> DataSummary:
        """The same without the rows, for a report."""
        return DataSummary(
            name=self.name,
            rows=self.offered,
            used=len(self.rows),
            skipped=self.skipped,
            columns=self.columns,
        )


def read_table(
    path: Path,
    *,
    text: str,
    pair: str | None = None,
    label: str | None = None,
    groups: Sequence[str] = (),
    on_bad: OnBad = "skip",
    limit: int | None = None,
) -> Table:
    """Read a .csv, .tsv, .jsonl or .parquet file (all but the last also as .gz).

    A CSV file is UTF-8 with a header; its delimiter is the one of , ; and tab that makes the
    header name the columns asked for. A JSON Lines file has one object a line.

    Args:
        path: the file.
        text, pair, label: names of columns; the last two may be None.
        groups: names of columns that divide the rows into groups.
        on_bad: what to do with a row that cannot be used: leave it out and name it, or refuse.
        limit: how many usable rows to take, from the start; None for all.

    Raises:
        OptionError: if a column is asked for twice, or `limit` is below 1.
        InputError: if the file cannot be read, a column is missing or stands twice, no row can be
            used, or (with on_bad="refuse") one cannot.

    Cost: one pass over the file; memory for the usable rows.

    Example:
        >>> path = Path("reviews.csv")
        >>> _ = path.write_text("review;stars\\nGood food;5\\n;1\\n", encoding="utf-8")
        >>> table = read_table(path, text="review", label="stars")
        >>> table.rows[0].text, table.skipped[0].row, table.skipped[0].reason.en
        ('Good food', 2, "the text in column 'review' is empty")
    """
    if limit is not None and limit < 1:
        raise OptionError(f"limit must be at least 1, got {limit}")
    singles = [name for name in (text, pair, label) if name is not None]
    wanted = [*singles, *groups]
    if len(set(singles)) < len(singles) or len(set(groups)) < len(groups):
        raise OptionError(f"each column must be named once for its role, got {', '.join(wanted)}")
    roles = {"text": (text,), "pair": () if pair is None else (pair,),
             "label": () if label is None else (label,), "group": tuple(groups)}  # fmt: skip
    columns = {role: names for role, names in roles.items() if names}
    rows, skipped = _collected(path, columns, on_bad, limit)
    if not rows:
        why = f": row {skipped[0].row}: {skipped[0].reason.en}" if skipped else " under its header"
        raise InputError(f"{path.name} has no row that can be used{why}")
    return Table(
        name=path.name,
        offered=len(rows) + len(skipped),
        rows=tuple(rows),
        skipped=tuple(skipped),
        columns=columns,
    )


def _collected(
    path: Path, columns: Mapping[str, tuple[str, ...]], on_bad: OnBad, limit: int | None
) -> tuple[list[Row], list[Skipped]]:
    wanted = list(dict.fromkeys(name for names in columns.values() for name in names))
    rows: list[Row] = []
    skipped: list[Skipped] = []
    with open_records(path, wanted) as (header, records):
        missing = [name for name in wanted if name not in header]
        if missing and header:
            raise InputError(f"{path.name} has no column {missing[0]!r}: it has {_listed(header)}")
        for number, record in zip(itertools.count(1), records):
            row = _row(number, record, columns)
            if isinstance(row, Row):
                rows.append(row)
            elif on_bad == "refuse":
                raise InputError(f"{path.name}, row {number}: {row.en} (skip leaves such rows out)")
            else:
                skipped.append(Skipped(row=number, reason=row))
            if len(rows) == limit:
                break
    return rows, skipped


def _listed(names: Sequence[str]) -> str:
    shown = ", ".join(repr(name) for name in names[:20])
    return shown + (f" and {len(names) - 20} more" if len(names) > 20 else "")


def _row(
    number: int, record: Record | Broken, columns: Mapping[str, tuple[str, ...]]
) -> Row | Said:
    """The row, or why there is none."""
    if isinstance(record, Broken):
        return record.reason
    texts: dict[str, str] = {}
    for role in ("text", "pair"):
        for name in columns.get(role, ()):
            found = _text(name, record)
            if isinstance(found, Said):
                return found
            texts[role] = found
    label: str | None = None
    for name in columns.get("label", ()):
        label = _word(record.get(name))
        if label is None:
            return Said(en=f"it has no label in column {name!r}", zh=f"“{name}” 列没有标签")
        if spoiled(label):
            return NOT_UTF8
    groups = {name: _word(record.get(name)) or "(none)" for name in columns.get("group", ())}
    if any(spoiled(group) for group in groups.values()):
        return NOT_UTF8
    return Row(
        number=number, text=texts["text"], pair=texts.get("pair"), label=label, groups=groups
    )


def _text(name: str, record: Record) -> str | Said:
    if name not in record:
        return Said(en=f"it has no field {name!r}", zh=f"没有 “{name}” 字段")
    value = record[name]
    if value is not None and not isinstance(value, str):
        return Said(
            en=f"column {name!r} holds no text but {_kind(value)}", zh=f"“{name}” 列不是文本"
        )
    if value is None or not value.strip():
        return Said(en=f"the text in column {name!r} is empty", zh=f"“{name}” 列的文本为空")
    if "\0" in value:
        return Said(
            en=f"the text in column {name!r} holds a zero byte", zh=f"“{name}” 列含有零字节"
        )
    if spoiled(value):
        return NOT_UTF8
    if len(value) > LONGEST:
        return Said(
            en=f"the text in column {name!r} has {len(value):,} characters, more than {LONGEST:,}",
            zh=f"“{name}” 列的文本有 {len(value):,} 个字符，超过 {LONGEST:,} 个",
        )
    return value


def spoiled(text: str) -> bool:
    """Whether it holds half a character: bytes that are not UTF-8, or half a JSON escape."""
    return any("\ud800" <= one <= "\udfff" for one in text)


def _kind(value: object) -> str:
    if isinstance(value, bool | int | float):
        return "a number"
    return "a list" if isinstance(value, list) else "something else"


def _word(value: Any) -> str | None:
    """A label or group as a word; 1 and 1.0 are the same one, as they are in a data frame."""
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return None
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return str(value).strip().replace("\0", "") or None
