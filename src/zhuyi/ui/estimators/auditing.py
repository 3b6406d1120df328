"""A saved estimator and the rows of a file through one audit; units are the columns."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

import zhuyi.explain
from zhuyi.audit import About, AuditReport, audit, default_methods
from zhuyi.audit.progress import Listener
from zhuyi.audit.report import AuditedInput, DataSummary, Interval, Piece
from zhuyi.core.record import Said
from zhuyi.errors import InputError, OptionError
from zhuyi.learn import Contributions
from zhuyi.learn.subject import GlassBoxSubject
from zhuyi.recipes.intervals import bootstrap
from zhuyi.recipes.scoring import Rmse
from zhuyi.trace.subject import Batch
from zhuyi.ui.audit_log import Log, write_audit
from zhuyi.ui.auditing import Choice
from zhuyi.ui.data import OnBad, Row
from zhuyi.ui.estimators.cells import number, truth
from zhuyi.ui.estimators.predicting import (
    Asked,
    Opened,
    Predictions,
    open_model,
    predictions,
    read_rows,
    task_of,
)
from zhuyi.ui.estimators.record import digest, unseen_in_training
from zhuyi.ui.estimators.scoring import Metric, mean_auroc, r2
from zhuyi.ui.estimators.sheet import Cell, Sheet
from zhuyi.ui.labels import named_labels, one_class_only
from zhuyi.ui.looked import Looked
from zhuyi.ui.picturing import with_input
from zhuyi.verify import Method

MISSING: Final = "(missing)"
_LABELS: Final = Said(
    en="Any number of labels can hold; of each row the likeliest one was explained and tested.",
    zh="可以同时有任意多个标签；每一行只解释并检验其中最可能的一个。",
)
_LONGEST: Final = 200  # characters of a cell that the page shows
_MOST: Final = 400  # rows where no limit is asked for; 50 make a verdict that can be sure


def audit_estimator(
    folder: Path,
    data: Path,
    choice: Choice,
    *,
    target: str | None,
    groups: Sequence[str],
    text: str | None,
    limit: int | None,
    on_bad: OnBad,
    progress: Listener,
) -> AuditReport:
    """Audit a saved estimator on the rows of a file.

    Of the very file that it was fitted on, only rows that training did not see are audited.

    Args:
        folder: the model.
        data: the file.
        choice: how.
        target: column of the right answers; None takes the one it was fitted to, where it is there.
        groups: columns that divide the rows into groups.
        text: the column of text, where the folder does not say it.
        limit: how many rows to take, from the start.
        on_bad: what to do with a row that cannot be read.
        progress: called before every part.
    Raises: InputError: rows that do not fit the model. OptionError: options that do not.
    """
    opened = open_model(folder, text)
    asked, offered, note = _rows(opened, data, limit, on_bad)
    said = predictions(opened, asked)
    names = _targets(opened, asked.sheet, target)
    right = _truth(opened, asked.sheet, names)
    methods = None if choice.methods is None else _methods(choice.methods)
    subject = opened.model.subject()
    batch: Batch = asked.inputs if opened.text is not None else subject.read(asked.inputs)
    report = audit(
        subject,
        batch,
        truth=right,
        groups={name: _groups(asked.sheet, name) for name in groups} or None,
        methods=methods,
        own=Contributions() if methods is None or Contributions() in methods else None,
        about=About(
            title=folder.resolve().name,
            task=f"What is {' and '.join(names or opened.kept.targets) or said.labels[0]}?",
            data=_summary(opened, asked, offered, names, groups),
            rows=asked.sheet.rows,
        ),
        seed=choice.seed,
        max_calls=choice.max_calls,
        max_seconds=choice.max_seconds,
        folder=choice.folder,
        fresh=choice.fresh,
        progress=progress,
    )
    same = None if right is None else one_class_only(right)
    several = [_LABELS] if said.task == "labels" else []
    remarks = [_remark(one) for one in asked.notes]
    limits = (note, *([same] if same else []), *several, *remarks)
    report = replace(
        report,
        inputs=_shown(report, opened, asked, said),
        quality=_quality(report, said, asked.sheet, names),
        limits=(*limits, *report.limits),
        model={
            **report.model,
            "estimator": type(opened.model).__name__,
            "explanation": opened.model.explanation_,
        },
    )
    if choice.log is not None:
        _write(choice.log, report, subject, batch, asked, number=said.task == "number")
    return report


def _write(
    log: Log,
    report: AuditReport,
    subject: GlassBoxSubject,
    batch: Batch,
    asked: Asked,
    *,
    number: bool,
) -> None:
    """The audit in the log folder; of a number no probability is told."""

    def described(own: Batch, looked: Looked) -> Looked:
        found = with_input(subject, own, looked)
        return replace(found, probability=None, alternatives=()) if number else found

    write_audit(log, report, subject, batch, asked.sheet.rows, describe=described)


def _rows(opened: Opened, data: Path, limit: int | None, on_bad: OnBad) -> tuple[Asked, int, Said]:
    """The rows to audit, how many the file has, and whether training saw them."""
    if limit is not None and limit < 1:
        raise OptionError(f"--limit must be at least 1, got {limit}")
    asked = read_rows(opened, data)
    broken = asked.sheet.broken
    if broken and on_bad == "refuse":
        raise InputError(
            f"{asked.sheet.name}, row {broken[0].row}: {broken[0].reason.en} (skip leaves such "
            "rows out)"
        )
    places = unseen_in_training(asked.sheet, data, opened.kept)
    unseen = places is not None
    if places is None:
        places = list(range(len(asked.sheet)))
    offered = len(places)
    if limit is not None:
        places = places[:limit]
    elif offered > _MOST:  # from the whole file, which may be in some order
        places = [places[n * offered // _MOST] for n in range(_MOST)]
    rows = len(asked.sheet) + len(broken)
    seen = not unseen and bool(opened.kept.digest) and digest(data) == opened.kept.digest
    return _taken(asked, places), rows, _note(unseen, seen, len(places), offered)


def _note(unseen: bool, seen: bool, used: int, offered: int) -> Said:
    """Whether training saw the rows."""
    some = "" if used == offered else f" of {offered:,}"
    if unseen:
        return Said(
            en=f"Audited were {used:,}{some} rows that were held out from training.",
            zh=f"审计的是训练时留出的 {offered:,} 行中的 {used:,} 行。",
        )
    if seen:
        return Said(
            en=f"Audited were {used:,}{some} rows, on all of which the model was trained: on those "
            "it decides better than on others.",
            zh=f"审计的是 {offered:,} 行中的 {used:,} 行，模型训练时都见过；对见过的行，"
            "它的判断会显得更好。",
        )
    return Said(
        en=f"Audited were {used:,}{some} rows. Whether the model has seen them in training is not "
        "known; on rows that it has seen it decides better than on others.",
        zh=f"审计的是 {offered:,} 行中的 {used:,} 行。不知道模型在训练中是否见过这些行；"
        "对见过的行，它的判断会显得更好。",
    )


def _taken(asked: Asked, places: Sequence[int]) -> Asked:
    inputs: Any = asked.inputs
    if isinstance(inputs, list):
        inputs = [inputs[place] for place in places]
    else:
        inputs = inputs.iloc[list(places)]
    return replace(asked, sheet=asked.sheet.taken(places), inputs=inputs)


def _targets(opened: Opened, sheet: Sheet, asked: str | None) -> tuple[str, ...]:
    """Columns of the right answers, () where they are not known."""
    if asked is not None:
        sheet.column(asked, "--target")
        return (asked,)
    known = opened.kept.targets
    return known if known and all(name in sheet.columns for name in known) else ()


def _truth(opened: Opened, sheet: Sheet, names: Sequence[str]) -> tuple[str | None, ...] | None:
    """Per row the right class's name; of labels and numbers there is no one name."""
    if not names or task_of(opened.model) != "classes":
        return None
    known = set(map(str, opened.model.labels_))
    rows = [
        Row(number=row, text="", label=str(cell) if str(cell) in known else _word(cell))
        for row, cell in zip(sheet.rows, sheet.columns[names[0]], strict=True)
    ]
    return named_labels(rows, opened.model.labels_)


def _word(cell: Cell) -> str | None:
    """A label as its class is called: whole numbers without a point."""
    found = number(cell)
    if found is not None and found.is_integer():
        return str(int(found))
    return None if cell is None else str(cell)


def _groups(sheet: Sheet, name: str) -> list[str]:
    cells = sheet.column(name, "--group-column")
    return ["(none)" if cell is None else str(cell) for cell in cells]


def _summary(
    opened: Opened, asked: Asked, offered: int, names: Sequence[str], groups: Sequence[str]
) -> DataSummary:
    sheet = asked.sheet
    factors = {"text": opened.names} if opened.text is not None else {"factor": opened.names}
    roles = {**factors, "target": tuple(names), "group": tuple(groups)}
    return DataSummary(
        name=sheet.name,
        rows=offered,
        used=len(sheet),
        skipped=sheet.broken,
        columns={role: columns for role, columns in roles.items() if columns},
    )


def _remark(note: str) -> Said:
    return Said(en=f"Of the data: {note}.", zh=f"关于数据：{note}。")


def _methods(names: Sequence[str]) -> tuple[Method, ...]:
    known = {type(one).__name__: one for one in (Contributions(), *default_methods())}
    return tuple(known[name] if name in known else vars(zhuyi.explain)[name]() for name in names)


# --- what the page shows ----------------------------------------------------------------------


def _shown(
    report: AuditReport, opened: Opened, asked: Asked, said: Predictions
) -> tuple[AuditedInput, ...]:
    """Inputs whose pieces say column and cell; of numbers with the predicted number."""
    place = {row: place for place, row in enumerate(asked.sheet.rows)}
    contributed = report.chosen == repr(Contributions())
    found = []
    for one in report.inputs:
        at = place[one.row]
        if opened.text is None:
            pieces = tuple(
                Piece(label=f"{name}: {_cell(asked.sheet, name, at)}") for name in opened.names
            )
            one = replace(one, pieces=pieces)
        if said.task == "number":
            one = replace(one, decision=f"{said.said[at]:.6g}")
            if contributed:  # the model counts in standard deviations, people in the target's unit
                values = tuple(value * opened.model.scale_ for value in one.values)
                one = replace(one, values=values)
        found.append(one)
    return tuple(found)


def _cell(sheet: Sheet, name: str, place: int) -> str:
    if name not in sheet.columns:
        return MISSING
    cell = sheet.columns[name][place]
    if cell is None:
        return MISSING
    text = f"{cell:.10g}" if isinstance(cell, float) else str(cell)
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"


def _quality(
    report: AuditReport, said: Predictions, sheet: Sheet, names: Sequence[str]
) -> dict[str, Interval]:
    """Of numbers and of many labels what can be said of them; of classes what the audit says."""
    if not names or said.task == "classes":
        return dict(report.quality)
    if said.task == "number":
        return _of_numbers(said, sheet.columns[names[0]])
    if set(names) != set(said.labels):
        return {}
    flags = [[truth(sheet.columns[label][p]) for label in said.labels] for p in range(len(sheet))]
    rows = [place for place, one in enumerate(flags) if None not in one]
    answers = np.array([flags[place] for place in rows], np.int64).reshape(len(rows), -1)
    shares = np.array(said.shares)[rows]
    if not any(len(set(column.tolist())) == 2 for column in answers.T):
        return {}
    return {"mean AUROC": _interval(mean_auroc, answers, shares)}


def _of_numbers(said: Predictions, cells: Sequence[Cell]) -> dict[str, Interval]:
    known = [(p, value) for p, cell in enumerate(cells) if (value := number(cell)) is not None]
    if len(known) < 2:
        return {}
    answers = np.array([value for _, value in known])
    told = np.array([float(said.said[place]) for place, _ in known])
    return {"R²": _interval(r2, answers, told), "RMSE": _interval(Rmse(), answers, told)}


def _interval(metric: Metric, answers: NDArray[Any], said: NDArray[Any]) -> Interval:
    found = bootstrap(lambda rows: metric(answers[rows], said[rows]), len(answers), draws=200)
    return Interval(value=found.value, lower=found.lower, upper=found.upper)
