"""The audit's record: the one truth from which every page, card and file is rendered.

All of it but `run` is the same for the same model, data, settings and seed.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from zhuyi.core.record import Finding, Label, Said

SCHEMA = "zhuyi.audit/1"
"""Version of the report; a change of meaning changes the number."""


@dataclass(frozen=True, kw_only=True)
class Interval:
    """A number with the interval that it lies in, at 95 %.

    Args:
        value: the number.
        lower, upper: the ends, or None where no interval can be told.
    """

    value: float
    lower: float | None = None
    upper: float | None = None


@dataclass(frozen=True, kw_only=True)
class Skipped:
    """A row of the data that could not be used.

    Args:
        row: its number, from 1.
        reason: why.
    """

    row: int
    reason: Said


@dataclass(frozen=True, kw_only=True)
class DataSummary:
    """What was audited.

    Args:
        name: what a person calls the data.
        rows: rows offered.
        used: rows audited.
        skipped: rows left out, with the reason.
        columns: role ("text", "label", "group", ...) -> names of columns.
    """

    name: str
    rows: int
    used: int
    skipped: tuple[Skipped, ...] = ()
    columns: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Piece:
    """A unit as a page shows it.

    Args:
        label: what a person reads.
        gap: the text between it and the piece before.
        special: whether the model added it.
    """

    label: str
    gap: str = " "
    special: bool = False


@dataclass(frozen=True, kw_only=True)
class AuditedInput:
    """One input: what was decided, what it rests on, and whether to believe that.

    Args:
        row: its number in the data, from 1.
        pieces: its units in reading order.
        values: how much each counts by the chosen method (as many as pieces).
        attention: the same by the attention shown beside it, or empty where there is none.
        decision: label of what was decided.
        probability: its probability.
        truth: the label in the data, or None.
        groups: column -> group.
        split: "choosing" when it served to choose the method, else "testing".
        label: the verdict on `values`.
        reasons: why.
        numbers: skill, comprehensiveness, sufficiency, p, effect; None where not tested.
    """

    row: int
    pieces: tuple[Piece, ...]
    values: tuple[float, ...]
    attention: tuple[float, ...]
    decision: str
    probability: float
    truth: str | None
    groups: Mapping[str, str]
    split: Literal["choosing", "testing"]
    label: Label
    reasons: tuple[Said, ...]
    numbers: Mapping[str, float | None]


@dataclass(frozen=True, kw_only=True)
class MethodRow:
    """One explanation method under the same tests as all others.

    Args:
        name: repr of the method.
        attention: whether it reads attention only.
        chosen: whether the report's explanations are its.
        choosing: its skill on the inputs that the choice was made on, or None when not tried.
        label: the verdict on the inputs that the choice was not made on.
        reasons: why.
        inputs: how many of these there were.
        numbers: comprehensiveness, sufficiency, skill, p, ... on them.
        findings: what each test found, without the inputs' own numbers.
    """

    name: str
    attention: bool
    chosen: bool
    choosing: float | None
    label: Label
    reasons: tuple[Said, ...]
    inputs: int
    numbers: Mapping[str, Interval]
    findings: tuple[Finding, ...]


@dataclass(frozen=True, kw_only=True)
class GroupRow:
    """One group of inputs.

    Args:
        column: the column that names the group.
        group: its name.
        count: inputs in it.
        suppressed: whether it is too small to show numbers of.
        numbers: name -> number with its interval ("accuracy", "skill", ...).
    """

    column: str
    group: str
    count: int
    suppressed: bool
    numbers: Mapping[str, Interval]


@dataclass(frozen=True, kw_only=True)
class GroupDifference:
    """How far the groups of a column are apart in one number.

    Args:
        column: the column that names the groups.
        metric: the number ("accuracy", "skill", ...).
        largest, smallest: the groups with the largest and the smallest mean.
        value: largest - smallest.
        p: how often groups dealt out at random are as far apart, corrected for all metrics.
        beyond_noise: whether the difference is more than chance.
    """

    column: str
    metric: str
    largest: str
    smallest: str
    value: Interval
    p: float
    beyond_noise: bool


@dataclass(frozen=True, kw_only=True)
class HeadRow:
    """One attention head over the watched inputs.

    Args:
        layer: index of the site in the order of execution, from 0.
        head: index of the query head, from 0.
        site: module path.
        kind: "self" or "cross".
        numbers: entropy (nats), reach (exp of it, positions), distance (positions), first (share
            of weight on the first position), special (share on pieces the model added), peak (mean
            of the largest weight).
    """

    layer: int
    head: int
    site: str
    kind: str
    numbers: Mapping[str, float]


@dataclass(frozen=True, kw_only=True)
class Budget:
    """What the audit was allowed to spend, and what that did to its certainty.

    Args:
        max_calls: most inputs the model may decide, or None.
        max_seconds: most seconds, or None.
        calls: inputs that were decided for the report's results.
        exhausted: whether the budget ended the audit early.
        said: what that means for the report.
    """

    max_calls: int | None
    max_seconds: float | None
    calls: int
    exhausted: bool
    said: Said


@dataclass(frozen=True, kw_only=True)
class AuditReport:
    """Whether a model's explanations may be believed, with the evidence.

    Args:
        schema: version of this record.
        title: what a person calls the model.
        task: what the model is asked, in plain words.
        labels: names of the decisions.
        model: facts about the model (class, parameters, layers, heads, fingerprint, ...).
        removal: how units were removed.
        data: what was audited.
        answer: the report in one sentence.
        verdict: on the chosen method's explanations.
        reasons: why, the most important first.
        chosen: repr of the chosen method.
        chosen_why: how it was chosen.
        attention: repr of the attention shown beside it, or "" where there is none.
        quality: accuracy and the like, where the truth is known.
        methods: all methods under the same tests, best first.
        inputs: every input.
        subgroups: every group, where groups are known.
        differences: how far groups are apart, in every number.
        subgroups_said: the same in words.
        heads: every attention head.
        limits: what this report does not show.
        settings: seed, tests, thresholds, as text or numbers.
        budget: what was spent.
        run: what differs from run to run: date, seconds, memory, versions.
    """

    schema: str = SCHEMA
    title: str
    task: str
    labels: tuple[str, ...]
    model: Mapping[str, str | int]
    removal: str
    data: DataSummary
    answer: Said
    verdict: Label
    reasons: tuple[Said, ...]
    chosen: str
    chosen_why: Said
    attention: str
    quality: Mapping[str, Interval]
    methods: tuple[MethodRow, ...]
    inputs: tuple[AuditedInput, ...]
    subgroups: tuple[GroupRow, ...]
    differences: tuple[GroupDifference, ...] = ()
    subgroups_said: tuple[Said, ...] = ()
    heads: tuple[HeadRow, ...]
    limits: tuple[Said, ...]
    settings: Mapping[str, str | int | float]
    budget: Budget
    run: Mapping[str, str | int | float] = field(default_factory=dict)

    def save(self, path: Path | str) -> None:
        """Write one face of the report: .json, .html, .md (model card) or .xml (JUnit).

        Raises: InputError: another ending, or a place that cannot be written; an older file stays.
        """
        # A door from a record to its faces, opened only when it is used; so are those below.
        from zhuyi.ui.report.audit.folder import save_report

        save_report(self, Path(path))

    def show(self, *, budget: int | None = None) -> None:
        """Display the report: its page in a notebook's cell, or as text in a terminal.

        Args:
            budget: bytes that the cell may take, 2,000,000 when None; trusted inputs are left out
                first, which the page says.
        """
        from zhuyi.ui.notebook import view

        view(self, budget=budget).show()

    def plot(self, *, title: str = "") -> Any:
        """A matplotlib Figure: the skill of every method with its interval and verdict.

        Args:
            title: what to call it; "" for none.
        Raises: InputError: matplotlib is not installed.
        """
        from zhuyi.ui.figures import plot_report

        return plot_report(self, title=title)
