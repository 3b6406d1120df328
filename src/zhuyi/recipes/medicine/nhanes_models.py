"""The models of the treatment part: what each is, and what they say of the same people."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from zhuyi.core.record import Said
from zhuyi.errors import InputError
from zhuyi.learn import AttentionClassifier
from zhuyi.recipes import nhanes
from zhuyi.recipes.baselines import base_rate, boosted_classifier, logistic
from zhuyi.recipes.medicine import guideline
from zhuyi.recipes.medicine.boosting import small_trees
from zhuyi.recipes.medicine.names import CLASSES, both
from zhuyi.recipes.medicine.nhanes_signals import Recovered, recovered
from zhuyi.recipes.medicine.out_of_fold import (
    Answer,
    Answered,
    Fitting,
    ask_all,
    gap_of,
    simple,
)
from zhuyi.recipes.records import Options
from zhuyi.recipes.scoring import MeanAuroc
from zhuyi.recipes.splits import Fold, StratifiedFolds

if TYPE_CHECKING:
    import pandas as pd

PART = "treatment"
FEWEST = 100
"""People who must take a class for it to be learned: with fewer an AUROC is mostly chance."""

RULES, LOGISTIC, BOOSTING = "guideline rules", "logistic regression", "gradient boosting"
SMALL, GLASS, MIXED = "gradient boosting, small trees", "glass box", "glass box, with mixing"


@dataclass(frozen=True, kw_only=True)
class Effort:
    """How much is computed.

    Args:
        folds: of the five that are run.
        epochs: most of the glass box.
        mixed_epochs: most with mixing layers.
        verified: people whose explanation is tested; a quarter of them with mixing layers.
        audited: people that the audit looks at.
    """

    folds: int = 5
    epochs: int = 40
    mixed_epochs: int = 20
    verified: int = 200
    audited: int = 80


QUICK = Effort(folds=2, epochs=12, mixed_epochs=12, verified=60, audited=40)


@dataclass(frozen=True, kw_only=True)
class Found:
    """What came of one of the two questions.

    Args:
        people: its rows.
        drugs: columns of the classes that were learned.
        folds: that were run.
        answered: by the models' names.
        glass, mixed: our fitted models with their folds.
        gap: largest distance of contributions' sums from decisions, and of how many decisions.
        signals: of guidelines, in the contributions.
    """

    people: nhanes.Treated
    drugs: tuple[str, ...]
    folds: tuple[Fold, ...]
    answered: dict[str, Answered]
    glass: list[tuple[Fold, Any]]
    mixed: list[tuple[Fold, Any]]
    gap: tuple[float, int]
    signals: tuple[Recovered, ...]


def learned(people: nhanes.Treated, effort: Effort, options: Options, question: Said) -> Found:
    """Ask all models one of the two questions.

    Args:
        people: rows, and what they take.
        effort: how much to compute.
        options: for the seed and the listener.
        question: its name.
    Raises: InputError: if an input carries the answer.
    """
    inputs, drugs = people.inputs, frequent(people.taken)
    check_inputs(inputs.columns)
    taken = people.taken[list(drugs)].astype(int)
    answers = taken.to_numpy().astype(bool)
    named = taken.rename(columns={drug: both(CLASSES[drug]) for drug in drugs})
    folds = StratifiedFolds(folds=5, seed=options.seed)(answers)[: effort.folds]
    points = guideline.scores(inputs, drugs)
    glass = Fitting(model=_glass_box(effort, options.seed), inputs=inputs, answers=named)
    mixed = Fitting(model=_mixed(effort, options.seed), inputs=inputs, answers=named)
    seed = options.seed
    models: dict[str, Answer] = {
        "base rate": simple(base_rate(), inputs, answers),
        RULES: lambda fold: points[fold.test],
        LOGISTIC: simple(logistic(inputs), inputs, answers),
        BOOSTING: simple(boosted_classifier(inputs, seed=seed), inputs, answers),
        SMALL: simple(small_trees(inputs, seed=seed), inputs, answers),
        GLASS: glass,
        MIXED: mixed,
    }

    def told(name: str, done: int, total: int) -> None:
        options.listener(PART, f"{question.en}: {name}", done, total)

    metric = MeanAuroc(least=FEWEST // 10)
    return Found(
        people=people,
        drugs=drugs,
        folds=folds,
        answered=ask_all(models, answers, folds, metric, told),
        glass=glass.fits,
        mixed=mixed.fits,
        gap=gap_of((*glass.fits, *mixed.fits), inputs),
        signals=recovered(glass.fits, inputs, people.people, drugs),
    )


def fit_all(people: nhanes.Treated, *, seed: int = 0) -> AttentionClassifier:
    """A glass box of all people, for somebody else's rows (`fhir.read_bundle`) and for `save`.

    Args:
        people: of `nhanes.antihypertensive` or `nhanes.lipid_lowering`.
        seed: of the training.

    Returns: the fitted model; its labels are the columns of the classes.
    Not:     what the report scores, which never learned from the rows it is scored on; and no
        prescription.
    """
    check_inputs(people.inputs.columns)
    taken = people.taken[list(frequent(people.taken))].astype(int)
    model: AttentionClassifier = _glass_box(Effort(), seed).fit(people.inputs, taken)
    return model


def frequent(taken: "pd.DataFrame", least: int = FEWEST) -> tuple[str, ...]:
    """The classes that enough people take, in order."""
    return tuple(str(name) for name in taken if taken[name].sum() >= least)


def check_inputs(columns: Sequence[str]) -> None:
    """Refuse inputs that carry the answer, or of which nobody has judged whether they do.

    Raises: InputError: it names them.

    Example:
        >>> check_inputs(["cc_egfr", "bp_med_n_pills"])
        Traceback (most recent call last):
            ...
        zhuyi.errors.InputError: bp_med_n_pills (leakage) must not be an input: leave it out
    """
    wrong = [f"{name} ({nhanes.role(name)})" for name in columns if nhanes.role(name) != "input"]
    if wrong:
        raise InputError(f"{', '.join(wrong)} must not be an input: leave it out")


def _glass_box(effort: Effort, seed: int) -> AttentionClassifier:
    return AttentionClassifier(
        max_epochs=effort.epochs, patience=8, batch_size=128, random_state=seed
    )


def _mixed(effort: Effort, seed: int) -> AttentionClassifier:
    # the classes are rare: what mixing layers could learn by heart has to be held back
    return AttentionClassifier(
        mixing_layers=1,
        max_epochs=effort.mixed_epochs,
        patience=8,
        batch_size=128,
        learning_rate=3e-3,
        weight_decay=0.1,
        dropout=0.2,
        random_state=seed,
    )
