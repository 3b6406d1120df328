"""The models of the readmission part: their rows, what each is, and what they say of the same."""

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from zhuyi.core.record import Said
from zhuyi.learn import AttentionClassifier
from zhuyi.recipes import diabetes130
from zhuyi.recipes.baselines import base_rate, boosted_classifier, logistic
from zhuyi.recipes.medicine import readmission_words as words
from zhuyi.recipes.medicine.out_of_fold import (
    Answer,
    Answered,
    Fitting,
    ask_all,
    gap_of,
    simple,
)
from zhuyi.recipes.records import Options
from zhuyi.recipes.scoring import Auroc, MeanAuroc, Metric
from zhuyi.recipes.splits import Fold, GroupedFolds

if TYPE_CHECKING:
    import pandas as pd

PART = "readmission"
FEWEST = 100
"""Rows that a category needs to be one of its own, and a column to say anything at all."""

GLASS, MIXED, BOOSTING = "glass box", "glass box, with mixing", "gradient boosting"


@dataclass(frozen=True, kw_only=True)
class Effort:
    """How much is computed.

    Args:
        rows: of the table, whole patients drawn at random; None for all.
        folds: of the five that are run.
        batch: rows a step.
        epochs: most of the glass box.
        mixed_epochs: most with mixing layers.
        verified: encounters whose explanation is tested.
        audited: encounters that the audit looks at.
    """

    rows: int | None = None
    folds: int = 5
    batch: int = 512
    epochs: int = 8
    mixed_epochs: int = 4
    verified: int = 200
    audited: int = 80


QUICK = Effort(rows=20_000, folds=2, batch=128, epochs=8, mixed_epochs=3, verified=60, audited=40)


@dataclass(frozen=True, kw_only=True)
class Found:
    """What came of one of the two questions.

    Args:
        inputs: of its rows.
        answers: "N" truth values, or one column a class, "N C".
        folds: that were run.
        answered: by the models' names.
        fits: the glass boxes with their folds.
        gap: largest distance of contributions' sums from decisions, and of how many decisions.
    """

    inputs: "pd.DataFrame"
    answers: npt.NDArray[np.bool_]
    folds: tuple[Fold, ...]
    answered: dict[str, Answered]
    fits: list[tuple[Fold, Any]]
    gap: tuple[float, int]


def learned(
    rows: diabetes130.Encounters,
    labels: dict[str, str],
    effort: Effort,
    options: Options,
    question: Said,
) -> Found:
    """Ask all models one of the two questions.

    Args:
        rows: what is known and what happened, with whom each row is about.
        labels: what the classes are called, by the target's values as text, in their order.
        effort: how much to compute.
        options: for the seed and the listener.
        question: its name.
    """
    inputs, seed = gathered(rows.inputs), options.seed
    folds = GroupedFolds(folds=5, seed=seed)(rows.patients)[: effort.folds]
    named = np.array([labels[str(value)] for value in rows.target.tolist()])
    two = rows.target.dtype == np.bool_
    answers = (
        rows.target.astype(np.bool_)
        if two
        else np.stack([rows.target == name for name in labels], axis=1)
    )
    metric: Metric = Auroc() if two else MeanAuroc()
    glass, mixed = (
        Fitting(model=model, inputs=inputs, answers=named, groups=rows.patients)
        for model in _boxes(effort, seed)
    )
    models: dict[str, Answer] = {
        "base rate": simple(base_rate(), inputs, named),
        "logistic regression": simple(logistic(inputs), inputs, named),
        BOOSTING: simple(boosted_classifier(inputs, seed=seed), inputs, named),
        GLASS: glass,
        MIXED: mixed,
    }

    def told(name: str, done: int, total: int) -> None:
        options.listener(PART, f"{question.en}: {name}", done, total)

    return Found(
        inputs=inputs,
        answers=answers,
        folds=folds,
        answered=ask_all(models, answers, folds, metric, told),
        fits=glass.fits,
        gap=gap_of((*glass.fits, *mixed.fits), inputs),
    )


def _boxes(effort: Effort, seed: int) -> tuple[AttentionClassifier, AttentionClassifier]:
    """The glass box, and the one with mixing layers; many rows, so few passes over them."""
    glass = AttentionClassifier(
        max_epochs=effort.epochs,
        batch_size=effort.batch,
        learning_rate=1e-2,
        patience=3,
        random_state=seed,
    )
    mixed = AttentionClassifier(
        mixing_layers=1,
        max_epochs=effort.mixed_epochs,
        batch_size=effort.batch,
        weight_decay=0.1,
        dropout=0.1,
        random_state=seed,
    )
    return glass, mixed


def gathered(inputs: "pd.DataFrame", least: int = FEWEST) -> "pd.DataFrame":
    """The inputs with rare categories put together, and without columns that hardly ever differ.

    It looks at the inputs alone, never at the answers.

    Args:
        inputs: numbers and categories.
        least: rows that a category needs, and that must have another value than the commonest.
    """
    found = inputs.copy()
    for name in found.columns:
        counts = found[name].value_counts()
        if len(found) - found[name].isna().sum() - counts.iloc[0] < least:
            found = found.drop(columns=name)
        elif name not in diabetes130.COUNTS:
            rare = found[name].isin(counts[counts < least].index)
            found[name] = found[name].astype("object").mask(rare, words.RARE)
    return found


def some_patients(
    rows: diabetes130.Encounters, most: int | None, seed: int
) -> diabetes130.Encounters:
    """About `most` rows, all of a patient or none; None for every row."""
    if most is None or most >= len(rows.patients):
        return rows
    names, codes = np.unique(rows.patients, return_inverse=True)
    order = np.random.default_rng(seed).permutation(len(names))
    sizes = np.bincount(codes)[order]
    drawn = order[: int(np.searchsorted(np.cumsum(sizes), most, side="right"))]
    kept = np.flatnonzero(np.isin(codes, drawn))
    inputs = rows.inputs.iloc[kept].reset_index(drop=True)
    return replace(rows, inputs=inputs, target=rows.target[kept], patients=rows.patients[kept])
