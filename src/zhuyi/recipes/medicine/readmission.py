"""Diabetes-130: who is back within 30 days, and what is done with insulin; split by patient."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from zhuyi.audit import AuditReport
from zhuyi.core.record import Said
from zhuyi.recipes import diabetes130
from zhuyi.recipes.data import fetch
from zhuyi.recipes.medicine import readmission_words as words
from zhuyi.recipes.medicine.names import both, told
from zhuyi.recipes.medicine.out_of_fold import among
from zhuyi.recipes.medicine.readmission_models import (
    BOOSTING,
    GLASS,
    MIXED,
    PART,
    QUICK,
    Effort,
    Found,
    learned,
    some_patients,
)
from zhuyi.recipes.medicine.verdicts import verdicts
from zhuyi.recipes.records import Check, Comparison, Decision, Options, Part, Role, Score, Table
from zhuyi.recipes.scoring import Auroc
from zhuyi.recipes.showing import audited, decisions, score, sums_check

BAR = 0.65
ROLES: dict[str, Role] = {"base rate": "trivial", GLASS: "ours", MIXED: "ours"}


def run(options: Options) -> Part:
    """Learn who comes back and what is done with insulin, compare, check and audit.

    Raises: DataUnavailable: if the table cannot be had.
    Cost:   about 20 minutes on one core, with `quick` 2.
    """
    effort = QUICK if options.quick else Effort()
    frame = diabetes130.load(fetch("diabetes130", download=options.download))
    back_rows = some_patients(diabetes130.readmission(frame), effort.rows, options.seed)
    insulin_rows = some_patients(diabetes130.insulin(frame), effort.rows, options.seed)
    back = learned(back_rows, words.BACK_LABELS, effort, options, words.BACK)
    insulin = learned(insulin_rows, words.INSULIN_LABELS, effort, options, words.INSULIN)
    options.listener(PART, "verdicts", 0, 1)
    return Part(
        name=PART,
        title=words.TITLE,
        answer=words.answer(_scores(back), _scores(insulin)),
        data=words.data(len(back.inputs), len(insulin.inputs), len(set(back_rows.patients))),
        comparisons=(
            _comparison(back, words.BACK, words.PUBLISHED),
            _comparison(insulin, words.INSULIN, ()),
        ),
        checks=(
            _enough(back),
            _no_answer(insulin),
            sums_check(max(back.gap[0], insulin.gap[0]), back.gap[1] + insulin.gap[1]),
            _verdicts(back, words.BACK, effort),
            _verdicts(insulin, words.INSULIN, effort),
        ),
        decisions=_decisions(back, insulin, rows=40),
        tables=(_by_answer(insulin), _by_group(back)),
        audit=_audit(back, effort, options),
        limits=words.LIMITS,
    )


# --- records ---------------------------------------------------------------------------------


def _scores(found: Found) -> tuple[Said, Said]:
    """Of our better model, and of boosting."""
    ours, other = (found.answered[name].measured.score for name in (GLASS, MIXED))
    best = max(ours, other, key=lambda one: one.value)
    return told(best), told(found.answered[BOOSTING].measured.score)


def _comparison(found: Found, question: Said, published: Sequence[Score]) -> Comparison:
    measured = [
        score(one.measured, ROLES.get(name, "simple")) for name, one in found.answered.items()
    ]
    return Comparison(
        title=question,
        metric="AUROC" if found.answers.ndim == 1 else "mean AUROC",
        better="higher",
        scores=(*measured, *published),
        note=words.folds(len(found.folds)),
    )


def _enough(back: Found) -> Check:
    value = back.answered[GLASS].measured.score
    return Check(
        name=words.ENOUGH, measured=str(value), bar=f"at least {BAR}", held=value.value >= BAR
    )


def _no_answer(insulin: Found) -> Check:
    forbidden = {*diabetes130.DRUGS, "change", "diabetesMed", "readmitted"}
    forbidden |= {*diabetes130.IDENTIFIERS, *diabetes130.OF_STAY, "discharge_disposition_id"}
    wrong = sorted(forbidden & set(insulin.inputs.columns))
    return Check(
        name=words.NO_LEAK,
        measured=f"{len(insulin.inputs.columns)} inputs; of {len(forbidden)} columns that carry it "
        f"{len(wrong)} among them",
        bar="none",
        held=not wrong,
    )


def _verdicts(found: Found, question: Said, effort: Effort) -> Check:
    fold, model = found.fits[0]
    rows = found.inputs.iloc[fold.test[: effort.verified]]
    return verdicts(model, rows).check(words.explained(question))


def _decisions(back: Found, insulin: Found, *, rows: int) -> tuple[Decision, ...]:
    """The likeliest and the least likely to be back of some, and one decision on insulin."""
    shown: list[tuple[Found, int]] = []
    fold = back.fits[0][0]
    said = back.answered[GLASS].said[fold.test[:rows]]
    shown += [(back, int(said.argmax())), (back, int(said.argmin()))]
    sure = insulin.answered[GLASS].said[insulin.fits[0][0].test[:rows]]
    shown.append((insulin, int(sure.max(axis=1).argmax())))
    found: list[Decision] = []
    for number, (asked, row) in enumerate(shown, start=1):
        fold, model = asked.fits[0]
        some = asked.inputs.iloc[fold.test[:rows]]
        truth = asked.answers[fold.test[row]]
        names = list(
            words.BACK_LABELS.values() if truth.ndim == 0 else words.INSULIN_LABELS.values()
        )
        happened = names[int(truth) if truth.ndim == 0 else int(truth.argmax())]
        found += decisions(model, some, [row], titles=[words.stay(number)], truth=[happened])
    return tuple(map(_readable, found))


def _readable(one: Decision) -> Decision:
    factors = (
        replace(factor, name=both(words.COLUMNS[factor.name]))
        if factor.name in words.COLUMNS
        else factor
        for factor in one.factors
    )
    return replace(one, factors=tuple(factors))


def _by_answer(found: Found) -> Table:
    from sklearn.metrics import roc_auc_score

    tested = np.concatenate([fold.test for fold in found.folds])
    rows = []
    for place, label in enumerate(words.INSULIN_LABELS.values()):
        truth = found.answers[tested, place]
        cells = [
            f"{roc_auc_score(truth, one.said[tested, place]):.3f}"
            for one in found.answered.values()
        ]
        rows.append((label, f"{truth.sum():,}", *cells))
    return Table(
        title=words.BY_ANSWER,
        header=("insulin", "stays", *found.answered),
        rows=tuple(rows),
        note=words.BY_ANSWER_NOTE,
    )


def _by_group(found: Found) -> Table:
    rows: list[tuple[str, ...]] = []
    for column in ("gender", "race", "age"):
        groups = found.inputs[column].fillna("missing").to_numpy()
        for group in sorted(set(groups)):
            members = groups == group
            said = [
                among(found.answered[name], found.answers, found.folds, members, Auroc())
                for name in (GLASS, BOOSTING)
            ]
            name = both(words.COLUMNS[column])
            rows.append((name, str(group), f"{members.sum():,}", *said))
    return Table(
        title=words.BY_GROUP,
        header=("column", "group", "stays", GLASS, BOOSTING),
        rows=tuple(rows),
        note=words.BY_GROUP_NOTE,
    )


def _audit(found: Found, effort: Effort, options: Options) -> AuditReport:
    fold, model = found.fits[0]
    tested = fold.test[: effort.audited]
    subject, names = model.subject(), list(words.BACK_LABELS.values())
    return audited(
        subject,
        subject.read(found.inputs.iloc[tested]),
        title="glass box, readmission within 30 days",
        task="is the patient back within 30 days",
        truth=[names[int(value)] for value in found.answers[tested]],
        options=options,
        part=PART,
    )
