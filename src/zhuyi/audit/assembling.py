"""Results of an audit as its report."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from zhuyi.audit import naming
from zhuyi.audit.heads import head_rows
from zhuyi.audit.inputs import About, Inputs
from zhuyi.audit.quality import by_group, quality
from zhuyi.audit.report import (
    AuditedInput,
    AuditReport,
    Budget,
    DataSummary,
    Interval,
    MethodRow,
    Piece,
)
from zhuyi.audit.scoring import read_scores, read_values
from zhuyi.audit.serial import from_values
from zhuyi.audit.stages import Result, Results, Work, as_finding_inputs
from zhuyi.core.record import Finding, Said, Unit, Verdict
from zhuyi.trace.words import gaps
from zhuyi.verify import conclude, judge

_TOLD = ("comprehensiveness", "sufficiency", "effect", "p", "skill_by_length")


def assemble(
    work: Work,
    results: Results,
    *,
    inputs: Inputs,
    about: About,
    settings: Mapping[str, str | int | float],
    model: Mapping[str, str | int],
    bounds: tuple[int | None, float | None],
) -> AuditReport:
    """The report, without what differs from run to run."""
    verdicts = {
        repr(method): _verdict(work, results, repr(method))
        for method in work.methods
        if repr(method) not in results.unavailable
    }
    verdict = verdicts[results.chosen]
    audited = _inputs(work, results, inputs, verdict)
    held = work.plan.held_back
    tested = sum(len(indices) for indices, _ in results.testing)
    groups, differences, said = by_group(
        audited, tuple(inputs.groups), seed=work.seed, several=len(work.subject.labels) > 1
    )
    ranked = sorted(results.skills.items(), key=lambda item: -(item[1] or 0.0))
    heads = head_rows([found["heads"] for _, found in results.testing])
    facts = {**model, "sites": len({row.site for row in heads}), "heads": len(heads)}
    return AuditReport(
        title=about.title,
        task=about.task,
        labels=tuple(work.subject.labels[:100]),
        model=facts,
        removal=work.subject.removal,
        data=_data(about, inputs),
        answer=_answer(work, results, about, verdicts),
        verdict=verdict.label,
        reasons=verdict.reasons,
        chosen=results.chosen,
        chosen_why=naming.choice(
            results.chosen,
            ranked,
            len(work.plan.choosing),
            held,
            own=results.chosen == work.own,
        ),
        attention=results.shown,
        quality=quality(audited),
        methods=_methods(work, results, verdicts),
        inputs=audited,
        subgroups=groups,
        differences=differences,
        subgroups_said=said,
        heads=heads,
        limits=naming.limits(
            work.subject.removal, held=held, tested=tested, groups=bool(inputs.groups)
        ),
        settings=settings,
        budget=_budget(work, results, bounds, verdict, tested),
    )


def _answer(work: Work, results: Results, about: About, verdicts: Mapping[str, Verdict]) -> Said:
    shown = verdicts.get(results.shown)
    return naming.answer(
        about.title,
        results.chosen,
        verdicts[results.chosen].label,
        results.shown,
        None if shown is None else shown.label,
        own=results.chosen == work.own,
    )


def _of_methods(parts: Sequence[Result]) -> list[tuple[Sequence[int], Mapping[str, Any]]]:
    return [(indices, found["methods"]) for indices, found in parts]


def _verdict(work: Work, results: Results, name: str) -> Verdict:
    """On the testing inputs that this method was tested on; `inputs` has one label an input."""
    count = len(work.batch)
    deletion = conclude(
        read_scores(_of_methods(results.testing), name),
        inputs=count,
        settings=repr(work.deletion),
        removal=work.subject.removal,
        thresholds=work.thresholds,
        seed=work.seed,
    )
    others = [
        as_finding_inputs(from_values(Finding, one), work.plan.sample, count)
        for one in results.findings.get(name, ())
    ]
    if results.exhausted and name not in results.findings:
        others = [_NOT_REACHED]
    return judge([deletion, *others], inputs=count, method=name, removal=work.subject.removal)


# Without the tests of the method itself an explanation that ignores the model could be trusted.
_NOT_REACHED = Finding(
    test="Sanity",
    settings="",
    outcome="cautions",
    said=Said(
        en="The budget ended before the method was tried on a shuffled model.",
        zh="预算用尽，没有在打乱的模型上检验这种方法。",
    ),
)


def _inputs(
    work: Work, results: Results, inputs: Inputs, verdict: Verdict
) -> tuple[AuditedInput, ...]:
    """Every input that was reached, in the order of the data."""
    # Where none were held back both lists speak of the same inputs; the later one counts.
    parts = {index: part for part in (*results.choosing, *results.testing) for index in part[0]}
    methods = _of_methods([*results.choosing, *results.testing])
    values, shown = read_values(methods, results.chosen), read_values(methods, results.shown)
    choosing = _choosing_verdict(work, results, verdict)
    found = []
    for index in sorted(parts):
        indices, part = parts[index]
        place = list(indices).index(index)
        split = "testing" if index in work.plan.testing else "choosing"
        own = verdict if split == "testing" else choosing
        deletion = own.finding("Deletion")
        assert deletion is not None
        units = inputs.units[index]
        target = part["targets"][place]
        found.append(
            AuditedInput(
                row=inputs.rows[index],
                pieces=_pieces(units, inputs.batch[index]),
                values=values.get(index, (0.0,) * len(units)),
                attention=shown.get(index, ()),
                decision=work.subject.labels[target] or f"class {target}",
                probability=part["probabilities"][place],
                truth=inputs.truth[index],
                groups={name: values[index] for name, values in inputs.groups.items()},
                split="testing" if split == "testing" else "choosing",
                label=own.inputs[index],
                reasons=own.input_reasons[index],
                numbers={name: numbers[index] for name, numbers in deletion.details.items()},
            )
        )
    return tuple(found)


def _choosing_verdict(work: Work, results: Results, verdict: Verdict) -> Verdict:
    """Labels of the inputs that served for the choice: their own scores, the method's verdict."""
    count = len(work.batch)
    deletion = conclude(
        read_scores(_of_methods(results.choosing), results.chosen),
        inputs=count,
        settings=repr(work.deletion),
        removal=work.subject.removal,
        thresholds=work.thresholds,
        seed=work.seed,
    )
    # The method is as good as the verdict on the other inputs says, not as it looks here.
    tested = verdict.finding("Deletion")
    assert tested is not None
    here = replace(deletion, outcome=tested.outcome)
    others = [replace(one, inputs=()) for one in verdict.findings if one.test != "Deletion"]
    return judge([here, *others], inputs=count, method=verdict.method, removal=verdict.removal)


def _pieces(units: Sequence[Unit], item: object) -> tuple[Piece, ...]:
    if isinstance(item, str):
        texts: tuple[str, ...] = (item,)
    elif isinstance(item, tuple | list) and all(isinstance(part, str) for part in item):
        texts = tuple(item)
    else:
        texts = ()
    between = gaps(units, texts) if texts else (" ",) * len(units)
    return tuple(
        Piece(label=unit.label, gap=gap, special=unit.special)
        for unit, gap in zip(units, between, strict=True)
    )


def _methods(
    work: Work, results: Results, verdicts: Mapping[str, Verdict]
) -> tuple[MethodRow, ...]:
    """One row a method, best first."""
    rows = []
    for name, verdict in verdicts.items():
        deletion = verdict.finding("Deletion")
        assert deletion is not None
        rows.append(
            MethodRow(
                name=name,
                attention=name in work.attention,
                chosen=name == results.chosen,
                choosing=results.skills.get(name),
                label=verdict.label,
                reasons=verdict.reasons,
                inputs=int(deletion.numbers["tested"] or 0),
                numbers=_intervals(verdict),
                findings=tuple(replace(one, inputs=(), details={}) for one in verdict.findings),
            )
        )
    return tuple(sorted(rows, key=_skill, reverse=True))


def _skill(row: MethodRow) -> float:
    """What rows are ordered by; those without a skill come last."""
    return row.numbers["skill"].value if "skill" in row.numbers else -2.0


def _intervals(verdict: Verdict) -> dict[str, Interval]:
    found: dict[str, Interval] = {}
    for finding in verdict.findings:
        numbers = finding.numbers
        if finding.test == "Deletion" and isinstance(numbers.get("skill"), float):
            found["skill"] = Interval(
                value=_float(numbers["skill"]),
                lower=_maybe(numbers["lower"]),
                upper=_maybe(numbers["upper"]),
            )
            found |= {name: Interval(value=_float(numbers[name])) for name in _TOLD}
        elif finding.test == "Sanity" and numbers.get("correlation") is not None:
            found["sanity"] = Interval(value=_float(numbers["correlation"]))
        elif finding.test == "Stability" and numbers.get("correlation") is not None:
            found["stability"] = Interval(value=_float(numbers["correlation"]))
        elif finding.test == "Infidelity" and numbers.get("scaled") is not None:
            found["infidelity"] = Interval(value=_float(numbers["scaled"]))
    return found


def _float(value: float | int | str | None) -> float:
    assert isinstance(value, float | int)
    return float(value)


def _maybe(value: float | int | str | None) -> float | None:
    return None if value is None else _float(value)


def _data(about: About, inputs: Inputs) -> DataSummary:
    known = about.data
    used = len(inputs.units)
    if known is None:
        rows = used + len(inputs.skipped)
        return DataSummary(name="inputs", rows=rows, used=used, skipped=inputs.skipped)
    skipped = sorted((*known.skipped, *inputs.skipped), key=lambda one: one.row)
    return replace(known, used=used, skipped=tuple(skipped))


def _budget(
    work: Work,
    results: Results,
    bounds: tuple[int | None, float | None],
    verdict: Verdict,
    tested: int,
) -> Budget:
    deletion = verdict.finding("Deletion")
    assert deletion is not None
    lower, upper = deletion.numbers.get("lower"), deletion.numbers.get("upper")
    width = None if lower is None or upper is None else (_float(upper) - _float(lower)) / 2
    return Budget(
        max_calls=bounds[0],
        max_seconds=bounds[1],
        calls=results.calls,
        exhausted=results.exhausted,
        said=naming.budget(
            tested,
            len(work.plan.testing),
            exhausted=results.exhausted,
            tried=results.chosen in results.findings,
            width=width,
        ),
    )
