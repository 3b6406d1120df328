"""A table of texts through one audit: labels by name, inputs as the model takes them."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import zhuyi.explain
from zhuyi.audit import About, AuditReport, audit, default_methods
from zhuyi.audit.progress import Listener
from zhuyi.errors import OptionError
from zhuyi.trace.adapters.transformers_subject import TransformersSubject
from zhuyi.trace.subject import Batch
from zhuyi.ui.audit_log import Log, write_audit
from zhuyi.ui.data import Table
from zhuyi.ui.labels import named_labels, one_class_only
from zhuyi.ui.questions import QUESTIONS
from zhuyi.verify import Method

METHODS = (
    "Received", "Rollout", "GradientAttention", "ValueNorm", "InputGradient",
    "IntegratedGradients", "Occlusion",
)  # fmt: skip
"""What can be compared by name; random values always are."""

_TEXTS = ("text-classification", "next-token", "similarity", "embedding")  # tasks that read texts


@dataclass(frozen=True, kw_only=True)
class Choice:
    """How a person wants an audit to be run.

    Args:
        methods: names of methods to compare, or None for all.
        seed: of everything random.
        max_calls, max_seconds: the budget, or None.
        folder: where finished parts are kept, or None.
        fresh: whether to forget what is kept there.
        log: where the audit is written step by step, or None.
    """

    methods: tuple[str, ...] | None = None
    seed: int = 0
    max_calls: int | None = None
    max_seconds: float | None = None
    folder: Path | None = None
    fresh: bool = False
    log: Log | None = None


def audit_table(
    subject: TransformersSubject, table: Table, choice: Choice, *, title: str, progress: Listener
) -> AuditReport:
    """Audit a model on the rows of a table.

    Args:
        subject: the model.
        table: what was read.
        choice: how.
        title: what a person calls the model.
        progress: called before every part.

    Raises:
        OptionError: if the task and the columns do not fit.
        InputError: if labels fit no decision of the model.
    """
    batch = _batch(subject, table)
    truth = None
    if "label" in table.columns:
        truth = named_labels(table.rows, subject.labels)
    groups = {
        column: [row.groups[column] for row in table.rows]
        for column in table.columns.get("group", ())
    }
    rows = [row.number for row in table.rows]
    report = audit(
        subject,
        batch,
        truth=truth,
        groups=groups or None,
        methods=None if choice.methods is None else _methods(choice.methods),
        about=About(
            title=title,
            task=QUESTIONS[subject.task],
            data=table.summary(),
            rows=rows,
        ),
        seed=choice.seed,
        max_calls=choice.max_calls,
        max_seconds=choice.max_seconds,
        folder=choice.folder,
        fresh=choice.fresh,
        progress=progress,
    )
    if choice.log is not None:
        write_audit(choice.log, report, subject, batch, rows)
    same = None if truth is None else one_class_only(truth)
    return report if same is None else replace(report, limits=(same, *report.limits))


def _batch(subject: TransformersSubject, table: Table) -> Batch:
    pairs = "pair" in table.columns
    if subject.task not in _TEXTS:
        raise OptionError(f"an audit reads texts; this model decides {subject.task}")
    if subject.task == "similarity" and not pairs:
        raise OptionError("similarity compares two texts: give --pair-column")
    if pairs and subject.task not in ("similarity", "text-classification"):
        raise OptionError(f"--pair-column does not fit a model that decides {subject.task}")
    return [row.text if row.pair is None else (row.text, row.pair) for row in table.rows]


def _methods(names: Sequence[str]) -> tuple[Method, ...]:
    """The audit's own settings where it uses the method, the method's defaults elsewhere."""
    usual = {type(one).__name__: one for one in default_methods()}
    found: list[Method] = []
    for name in names:
        found.append(usual[name] if name in usual else vars(zhuyi.explain)[name]())
    return tuple(found)
