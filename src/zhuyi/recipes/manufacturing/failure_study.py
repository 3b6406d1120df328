"""Every model of machine failures, fitted and scored on the same folds."""

import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from time import perf_counter
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import numpy.typing as npt
from sklearn.base import BaseEstimator, clone
from sklearn.metrics import f1_score

from zhuyi.audit import AuditReport
from zhuyi.learn import AttentionClassifier
from zhuyi.recipes import ai4i, baselines
from zhuyi.recipes.intervals import over_folds
from zhuyi.recipes.manufacturing.failure_models import (
    BOOSTING,
    GLASS_BOX,
    MIXED,
    RULES,
    boosting,
    glass_box,
    mixed,
)
from zhuyi.recipes.manufacturing.failure_modes import ByMode, Modes
from zhuyi.recipes.records import Decision, Options, Role, Score
from zhuyi.recipes.showing import audited, largest_gap, taken
from zhuyi.recipes.splits import Fold, StratifiedFolds

if TYPE_CHECKING:
    import pandas as pd

PART: Final = "failures"
_FOLDS = 5

Flags = npt.NDArray[np.bool_]


@dataclass(frozen=True, kw_only=True)
class Findings:
    """All that was measured.

    Args:
        f1, macro: every model's F1 of the failures, and the mean of both classes' F1.
        by_mode: the models of all modes by name.
        gap: how far contributions were from a decision at most.
        explained: decisions looked at for it.
        trusted: by model, the share of held-out machines whose own explanation is trusted.
        tested: how many machines that is of.
        decisions: some, of the glass box.
        audit: of the glass box.
        folds: how many were scored.
    """

    f1: tuple[Score, ...]
    macro: tuple[Score, ...]
    by_mode: dict[str, ByMode]
    gap: float
    explained: int
    trusted: dict[str, float]
    tested: int
    decisions: tuple[Decision, ...]
    audit: AuditReport
    folds: int


def study(data: ai4i.Failures, options: Options) -> Findings:
    """Fit and score every model on every fold; explain, verify and audit ours.

    Args:
        data: the machines.
        options: quick takes 1 x 5 folds instead of 5 x 5.

    Cost: see `machine_failures.run`.
    """
    repeats = 1 if options.quick else 5
    folds = StratifiedFolds(folds=_FOLDS, repeats=repeats, seed=options.seed)(data.failed)
    models = _models(options)
    steps = itertools.count(1)
    total = len(models) * len(folds) + 3 * _FOLDS + 2

    def step(name: str) -> None:
        options.listener(PART, name, next(steps), total)

    gap, explained = 0.0, 0
    ours: dict[str, AttentionClassifier] = {}
    for model in models:
        for fold in folds:
            step(model.name)
            fitted = model.scored(data, fold)
            if isinstance(fitted, AttentionClassifier):
                rows = taken(data.inputs, fold.test)
                gap, explained = max(gap, largest_gap(fitted, rows)), explained + len(rows)
                ours.setdefault(model.name, fitted)
    modes = Modes(data=data, options=options, step=step)
    by_mode = {name: modes.measured(name, folds[:_FOLDS]) for name in (BOOSTING, GLASS_BOX, MIXED)}
    step("verify")
    rows = _as_many_failed(data.failed, folds[0], seed=options.seed)
    tested = taken(data.inputs, rows)
    trusted = {name: _trusted(fitted, tested) for name, fitted in ours.items()}
    step("audit")
    subject = ours[GLASS_BOX].subject()
    report = audited(
        subject,
        subject.read(tested),
        title="the glass box of machine failures",
        task="whether a machine fails",
        truth=[str(failed) for failed in data.failed[rows]],
        options=options,
        part=PART,
    )
    return Findings(
        f1=tuple(model.score(data.failed, folds, "binary") for model in models),
        macro=tuple(model.score(data.failed, folds, "macro") for model in models),
        by_mode=by_mode,
        gap=max(gap, modes.gap),
        explained=explained + modes.explained,
        trusted=trusted,
        tested=len(rows),
        decisions=modes.decisions,
        audit=report,
        folds=len(folds),
    )


@dataclass(kw_only=True)
class _Model:
    """One model, and what it said of each fold's test rows."""

    name: str
    role: Role
    make: Callable[["pd.DataFrame"], BaseEstimator] | None
    source: str = ""
    said: list[Flags] = field(default_factory=list)
    seconds: float = 0.0

    def scored(self, data: ai4i.Failures, fold: Fold) -> Any:
        """Fit on a fold and write down what is said of its test rows; the fitted model."""
        rows, fitted = taken(data.inputs, fold.test), None
        begun = perf_counter()
        if self.make is None:
            said = ai4i.by_rules(rows)
        else:
            fitted = clone(self.make(data.inputs))
            fitted.fit(taken(data.inputs, fold.train), data.failed[fold.train])
            said = np.asarray(fitted.predict(rows), dtype=np.bool_)
        self.seconds += perf_counter() - begun
        self.said.append(said)
        return fitted

    def score(self, failed: Flags, folds: Sequence[Fold], average: str) -> Score:
        """F1 of the failures ("binary") or the mean of both classes' ("macro")."""
        values = [
            float(f1_score(failed[fold.test], said, average=average, zero_division=0.0))
            for fold, said in zip(folds, self.said, strict=True)
        ]
        return Score(
            model=self.name,
            role=self.role,
            value=over_folds(values, test_share=1.0 / (_FOLDS - 1)),
            seconds=self.seconds,
            source=self.source,
        )


def _models(options: Options) -> tuple[_Model, ...]:
    return (
        _Model(name="never a failure", role="trivial", make=lambda _: baselines.base_rate()),
        _Model(name="logistic regression", role="simple", make=baselines.logistic),
        _Model(name=BOOSTING, role="simple", make=lambda rows: boosting(rows, options)),
        _Model(name=GLASS_BOX, role="ours", make=lambda _: glass_box(options)),
        _Model(name=MIXED, role="ours", make=lambda _: mixed(options)),
        _Model(
            name=RULES,
            role="published",
            make=None,
            source="Matzka 2020, doi:10.24432/C5HS5C; measured here on the same folds",
        ),
    )


def _as_many_failed(failed: Flags, fold: Fold, *, seed: int) -> npt.NDArray[np.int64]:
    """All held-out machines that failed, and as many drawn from those that did not."""
    ill, well = fold.test[failed[fold.test]], fold.test[~failed[fold.test]]
    drawn = np.random.default_rng(seed).choice(well, size=min(len(ill), len(well)), replace=False)
    return np.sort(np.concatenate([ill, drawn]))


def _trusted(model: AttentionClassifier, rows: "pd.DataFrame") -> float:
    frame = model.explain(rows, verify=True)
    return float((frame.groupby("row")["verdict"].first() == "trusted").mean())
