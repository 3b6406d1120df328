"""NHANES: from history and measurements to the classes of drugs people take, one attention each."""

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from zhuyi.audit import AuditReport
from zhuyi.core.record import Said
from zhuyi.errors import DataUnavailable
from zhuyi.recipes import nhanes
from zhuyi.recipes.data import fetch
from zhuyi.recipes.medicine import nhanes_words as words
from zhuyi.recipes.medicine.names import CLASSES, COLUMNS, both, told
from zhuyi.recipes.medicine.nhanes_models import (
    BOOSTING,
    FEWEST,
    GLASS,
    LOGISTIC,
    MIXED,
    PART,
    QUICK,
    RULES,
    SMALL,
    Effort,
    Found,
    learned,
)
from zhuyi.recipes.medicine.out_of_fold import among, difference
from zhuyi.recipes.medicine.verdicts import Verdicts, verdicts
from zhuyi.recipes.records import Check, Comparison, Decision, Options, Part, Role, Table
from zhuyi.recipes.scoring import MeanAuroc
from zhuyi.recipes.showing import audited, decisions, score, sums_check

if TYPE_CHECKING:
    import pandas as pd

ROLES: dict[str, Role] = {"base rate": "trivial", GLASS: "ours", MIXED: "ours"}


def run(options: Options) -> Part:
    """Learn which classes of drugs people take, compare, check and audit.

    Raises: DataUnavailable: if neither the compilation nor the CDC's files can be had.
    Cost:   about 15 minutes on one core, with `quick` 3.
    """
    effort = QUICK if options.quick else Effort()
    frame, source = _frame(options)
    pressure = learned(nhanes.antihypertensive(frame), effort, options, words.PRESSURE)
    lipids = learned(nhanes.lipid_lowering(frame), effort, options, words.LIPIDS)
    options.listener(PART, "verdicts", 0, 1)
    both_found = ((pressure, words.PRESSURE), (lipids, words.LIPIDS))
    checks = [check for found, question in both_found for check in _bars(found, question)]
    gap = max(found.gap[0] for found, _ in both_found)
    checks.append(sums_check(gap, sum(found.gap[1] for found, _ in both_found)))
    checks.append(_nothing_leaks(frame, (pressure, lipids)))
    signals = [signal.check() for found, _ in both_found for signal in found.signals]
    recovered = [signal.held for signal in signals]
    checks += signals
    tested = (_verdicts(pressure, effort), _verdicts(lipids, effort))
    checks += [
        pair[0].check(words.explained(question))
        for pair, (_, question) in zip(tested, both_found, strict=True)
    ]
    return Part(
        name=PART,
        title=words.TITLE,
        answer=words.answer(
            _scores(pressure), _scores(lipids), (recovered.count(True), len(recovered))
        ),
        data=words.data(source, len(pressure.people.inputs), len(lipids.people.inputs)),
        comparisons=tuple(_comparison(found, question) for found, question in both_found),
        checks=tuple(checks),
        decisions=_decisions(pressure, lipids),
        tables=(
            _believed(*tested),
            *(_by_class(found, question) for found, question in both_found),
            *(_by_group(found, question) for found, question in both_found),
            _columns(),
        ),
        audit=_audit(pressure, effort, options),
        limits=words.LIMITS,
    )


def _frame(options: Options) -> tuple["pd.DataFrame", Said]:
    """All people: of the compilation where it is at hand, else of the CDC's own files."""
    try:
        path = fetch("nhanes_1999_2020", download=options.download)
    except DataUnavailable as compiled:
        from zhuyi.recipes.medicine.nhanes_files import build

        try:
            return build(download=options.download), words.FROM_FILES
        except DataUnavailable as files:
            raise DataUnavailable(f"{compiled}. Nor from the CDC's own files: {files}") from None
    return nhanes.load(path), words.COMPILED


# --- records ---------------------------------------------------------------------------------


def _scores(found: Found) -> tuple[Said, Said]:
    glass, boosting = (told(found.answered[name].measured.score) for name in (GLASS, BOOSTING))
    return glass, boosting


def _comparison(found: Found, question: Said) -> Comparison:
    scores = [
        score(one.measured, ROLES.get(name, "simple")) for name, one in found.answered.items()
    ]
    return Comparison(
        title=words.comparing(question),
        metric="mean AUROC",
        better="higher",
        scores=tuple(scores),
        note=words.folds(len(found.folds), len(found.drugs)),
    )


def _bars(found: Found, question: Said) -> list[Check]:
    boosting = found.answered[BOOSTING].measured
    checks = []
    for name, allowed in ((GLASS, 0.01), (MIXED, 0.0)):
        ours = found.answered[name].measured
        apart = difference(ours, boosting, found.folds)
        checks.append(
            Check(
                name=words.as_good(question, mixed=name == MIXED),
                measured=f"{ours.score.value:.3f} against {boosting.score.value:.3f}: {apart}",
                bar=f"difference at least {-allowed:g}",
                held=apart.value >= -allowed,
            )
        )
    return checks


def _nothing_leaks(frame: "pd.DataFrame", founds: Sequence[Found]) -> Check:
    """Whether any fitted model read a column that is no input; asked of the models themselves."""
    fits = [model for found in founds for _, model in (*found.glass, *found.mixed)]
    read = {str(name) for model in fits for name in model.feature_names_in_}
    wrong = sorted(name for name in read if nhanes.role(name) != "input")
    roles = [nhanes.role(str(column)) for column in frame.columns]
    return Check(
        name=words.NO_LEAK,
        measured=f"{len(fits)} models read {len(read)} columns, {len(wrong)} of them wrongly; "
        f"{roles.count('leakage')} columns that carry the answer and {roles.count('drug')} drugs "
        "kept out by name",
        bar="0 wrongly",
        held=not wrong,
    )


def _verdicts(found: Found, effort: Effort) -> tuple[Verdicts, Verdicts]:
    """Of the glass box, and of a quarter as many people of the one with mixing layers."""
    (fold, glass), (_, mixed) = found.glass[0], found.mixed[0]
    some = found.people.inputs.iloc[fold.test[: effort.verified]]
    return verdicts(glass, some), verdicts(mixed, some.iloc[: effort.verified // 4])


def _believed(pressure: tuple[Verdicts, Verdicts], lipids: tuple[Verdicts, Verdicts]) -> Table:
    rows = [
        (both(question), name, f"{one.rows}", f"{one.trusted}", f"{one.doubtful}", f"{one.refuted}")
        for question, pair in ((words.PRESSURE, pressure), (words.LIPIDS, lipids))
        for name, one in zip((GLASS, MIXED), pair, strict=True)
    ]
    return Table(
        title=words.BELIEVED,
        header=("question", "model", "people", "trusted", "doubtful", "refuted"),
        rows=tuple(rows),
        note=words.BELIEVED_NOTE,
    )


def _decisions(pressure: Found, lipids: Found) -> tuple[Decision, ...]:
    shown = (
        (pressure, "cc_cvd_hf", "bp_med_diur_loop"),
        (pressure, "cc_cvd_mi", "bp_med_beta"),
        (lipids, "cc_diabetes", "chol_med_statin"),
    )
    found: list[Decision] = []
    for number, (answers, condition, drug) in enumerate(shown, start=1):
        fold, model = answers.glass[0]
        people = answers.people.inputs.iloc[fold.test].reset_index(drop=True)
        row = int(np.flatnonzero((people[condition] == "Yes").to_numpy())[0])
        rows = [row, *(other for other in range(40) if other != row)]
        takes = bool(answers.people.taken[drug].iloc[fold.test[row]])
        found += decisions(
            model,
            people.iloc[rows],
            [0],
            titles=[words.person(number)],
            truth=[words.TAKES if takes else words.TAKES_NOT],
            labels=[both(CLASSES[drug])],
        )
    return tuple(map(_readable, found))


def _readable(one: Decision) -> Decision:
    factors = (replace(factor, name=both(COLUMNS[factor.name])) for factor in one.factors)
    return replace(one, factors=tuple(factors))


def _by_class(found: Found, question: Said) -> Table:
    from sklearn.metrics import roc_auc_score

    names = (RULES, LOGISTIC, BOOSTING, SMALL, GLASS, MIXED)
    tested = np.concatenate([fold.test for fold in found.folds])
    rows = []
    for place, drug in enumerate(found.drugs):
        takes = found.people.taken[drug].to_numpy()[tested]
        cells = [
            f"{roc_auc_score(takes, found.answered[name].said[tested, place]):.3f}"
            for name in names
        ]
        rows.append((both(CLASSES[drug]), f"{takes.sum():,}", f"{takes.mean():.1%}", *cells))
    return Table(
        title=words.by_class(question),
        header=("class", "people", "share", *names),
        rows=tuple(rows),
        note=words.BY_CLASS,
    )


def _by_group(found: Found, question: Said) -> Table:
    people, metric = found.people.inputs, MeanAuroc(least=FEWEST // 10)
    taken = found.people.taken[list(found.drugs)].to_numpy()
    ages = np.where(people["demo_age_years"] < 60, "under 60 years", "60 years or older")
    rows: list[tuple[str, ...]] = []
    for column, groups in (
        ("demo_gender", people["demo_gender"].fillna("missing").to_numpy()),
        ("demo_age_years", ages),
        ("demo_race", people["demo_race"].fillna("missing").to_numpy()),
    ):
        for group in sorted(set(groups)):
            members = groups == group
            said = [
                among(found.answered[name], taken, found.folds, members, metric)
                for name in (GLASS, BOOSTING)
            ]
            rows.append((both(COLUMNS[column]), str(group), f"{members.sum():,}", *said))
    return Table(
        title=words.by_group(question),
        header=("column", "group", "people", GLASS, BOOSTING),
        rows=tuple(rows),
        note=words.BY_GROUP,
    )


def _columns() -> Table:
    rows = tuple((name, said.en, said.zh) for name, said in COLUMNS.items())
    return Table(title=words.COLUMNS, header=("column", "English", "中文"), rows=rows,
                 note=words.COLUMNS_NOTE)  # fmt: skip


def _audit(found: Found, effort: Effort, options: Options) -> AuditReport:
    fold, model = found.glass[0]
    rows = found.people.inputs.iloc[fold.test[: effort.audited]]
    subject = model.subject()
    return audited(
        subject,
        subject.read(rows),
        title="glass box, classes of drugs against high blood pressure",
        task="which class is a treated person most likely to take",
        options=options,
        part=PART,
    )
