"""An audit in a log folder: its first inputs as tracks, what it measured as numbers by step."""

import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import torch

from zhuyi.audit.report import AuditedInput, AuditReport, MethodRow
from zhuyi.core.record import Said, Verdict
from zhuyi.errors import NotWatchable, ZhuyiError
from zhuyi.trace.subject import Batch, Subject
from zhuyi.ui.checking import HEADLINES
from zhuyi.ui.live.glancing import Glance, glances_of
from zhuyi.ui.live.probe import Probe
from zhuyi.ui.live.recording import numbers_of, plain_id
from zhuyi.ui.logdir import KEEP, name_of, next_step, recorder_in, track_of
from zhuyi.ui.looked import Checked, Looked

SHOWN: Final = 8
"""Inputs whose heads are looked at."""

_NUMBERS: Final = ("skill", "comprehensiveness", "sufficiency")
_LABELS: Final = ("trusted", "doubtful", "refuted")
_NOTE: Final = Said(
    en="From an audit: the method was judged on many inputs, this input's explanation by itself.",
    zh="来自一次审计：方法在许多输入上评判，这个输入的解释另行检验。",
)

Describe = Callable[[Batch, Looked], Looked]


@dataclass(frozen=True, kw_only=True)
class Log:
    """Where an audit is written beside its report.

    Args:
        folder: the log folder.
        step: of this audit, such as the checkpoint's; None for the next one in the folder.
    """

    folder: Path
    step: int | None = None


def write_audit(
    log: Log,
    report: AuditReport,
    subject: Subject,
    batch: Batch,
    rows: Sequence[int],
    *,
    describe: Describe = lambda _, looked: looked,
) -> None:
    """Write an audit: `SHOWN` inputs with their heads, and numbers of every method.

    What cannot be written is said on stderr: the report that somebody waited for is not lost to it.

    Args:
        log: where.
        report: what came out.
        subject: what was audited.
        batch: the inputs that were audited.
        rows: their numbers in the data, as the report gives them.
        describe: adds to a look at a batch of one what only the caller knows (a row's cells).
    Cost: one watched pass an input that is shown.
    """
    try:
        _write(
            log, report, subject, {row: batch[n : n + 1] for n, row in enumerate(rows)}, describe
        )
    except (ZhuyiError, OSError) as error:
        print(f"zhuyi: the audit is not written to {log.folder}: {error}", file=sys.stderr)


def _write(
    log: Log,
    report: AuditReport,
    subject: Subject,
    batches: Mapping[int, Batch],
    describe: Describe,
) -> None:
    step = next_step(log.folder) if log.step is None else log.step
    shown = report.inputs[:SHOWN]
    recorder = recorder_in(log.folder, keep=KEEP)
    recorder.scalars(step, dict(_numbers(report)))
    signed = any(value < 0 for one in report.inputs for value in one.values)
    looks: dict[str, Looked] = {}
    try:
        for one in shown:
            own = batches[one.row]
            glance = _glance(subject, own, report.title)
            looked = describe(own, _audited(glance.looked, report, one, signed))
            name = f"row {one.row}: {name_of(looked.source, one.decision)}"
            track = track_of(f"row-{one.row:07d}", looked)
            share, detail_of = 1 / len(shown), glance.detail_of
            recorder.look(track, name, looked, step=step, detail_of=detail_of, share=share)
            looks[name] = looked
        recorder.scalars(step, numbers_of(list(looks.values())))
    except NotWatchable:
        pass  # a model whose attention cannot be seen is audited by its decisions alone
    finally:
        recorder.close()


def _glance(subject: Subject, batch: Batch, title: str) -> Glance:
    """The heads on one input, without another explanation."""
    with torch.no_grad():
        return glances_of(Probe(model=subject, inputs=batch, method=None, title=title)).look(False)[
            0
        ]


def _audited(looked: Looked, report: AuditReport, one: AuditedInput, signed: bool) -> Looked:
    """The look with what the audit says of the input."""
    chosen = _chosen(report)
    verdict = Verdict(
        label=one.label,
        reasons=one.reasons,
        inputs=(one.label,),
        input_reasons=(one.reasons,),
        findings=() if chosen is None else chosen.findings,
        method=report.chosen,
        removal=report.removal,
    )
    return replace(
        looked,
        task=report.task,
        decision=one.decision,
        probability=one.probability,
        values=one.values,
        signed=signed,
        method=report.chosen,
        reason=report.chosen_why.en,
        checked=Checked(verdict=verdict, headline=HEADLINES[one.label], notes=(_NOTE,)),
    )


def _chosen(report: AuditReport) -> MethodRow | None:
    return next((row for row in report.methods if row.chosen), None)


def _numbers(report: AuditReport) -> Iterator[tuple[str, float]]:
    """Per method its skill and the like, the shares of verdicts, and the model's quality."""
    for row in report.methods:
        for name in _NUMBERS:
            if name in row.numbers:
                yield f"audit/{_short(row, report)}/{name}", row.numbers[name].value
    for label in _LABELS:
        count = sum(one.label == label for one in report.inputs)
        yield f"audit/{label}", count / max(len(report.inputs), 1)
    for name, interval in report.quality.items():
        yield f"audit/quality/{plain_id(name)}", interval.value


def _short(row: MethodRow, report: AuditReport) -> str:
    """The method's class; with its settings where two are of one class."""
    kind = row.name.partition("(")[0]
    alone = sum(one.name.partition("(")[0] == kind for one in report.methods) == 1
    return kind if alone else plain_id(row.name)
