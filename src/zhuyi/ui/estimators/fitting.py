"""From all that is known before training to a fitted estimator with its score and its factors."""

import warnings
from collections.abc import Callable
from dataclasses import dataclass, field
from time import perf_counter
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from zhuyi.learn import (
    AttentionClassifier,
    AttentionRegressor,
    DataWarning,
    Progress,
    TextAttentionClassifier,
)
from zhuyi.ui.estimators.preparing import Prepared, Wish
from zhuyi.ui.estimators.scoring import Scored, baselines, is_better, scored
from zhuyi.ui.estimators.target import Target

UNFINISHED: Final = "unfinished-training"
"""Folder within the model's where a training that was stopped is kept."""
_EXPLAINED: Final = 1000  # rows from which the first factors are told
Say = Callable[[str], None]


@dataclass(frozen=True, kw_only=True)
class FactorRow:
    """How much a factor counts over many rows.

    Args:
        label: whose decision, or "" for all of them.
        factor: its name.
        size: mean of |contribution|, in logits or the target's unit.
        first: share of rows where it contributes most, in [0, 1].
    """

    label: str
    factor: str
    size: float
    first: float


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """A fitted model with what is known of it.

    Args:
        model: the estimator.
        prepared: what it was fitted on.
        scores: on the held-out rows; empty without any.
        better: whether it is better than the trivial model by more than chance; None without
            held-out rows.
        factors: the largest first, by label.
        seconds: for training.
    """

    model: Any
    prepared: Prepared
    scores: tuple[Scored, ...]
    better: bool | None
    factors: tuple[FactorRow, ...]
    seconds: float
    wish: Wish = field(repr=False)


def fit(prepared: Prepared, wish: Wish, say: Say) -> Outcome:
    """Train, and score the held-out rows against what is trivial and what is simple.

    Args:
        prepared: of `prepare`.
        wish: how.
        say: called with a line on where it stands.
    """
    begun = perf_counter()
    model = _estimator(prepared, wish, say)
    train = prepared.split.train
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DataWarning)  # said already
        model.fit(
            _taken(prepared.inputs, train),
            _answers(prepared.target, train),
            groups=_together(prepared, train),
        )
        seconds = perf_counter() - begun
        scores: tuple[Scored, ...] = ()
        if prepared.split.test.size:
            say("scoring the held-out rows, beside simple models")
            scores = _scores(model, prepared, wish, seconds)
        say("asking what counts")
        factors = _first_factors(model, prepared)
    trivial = next((one for one in scores if one.role == "trivial"), None)
    better = None if trivial is None else is_better(scores[-1], trivial)
    return Outcome(
        model=model, prepared=prepared, scores=scores, better=better, factors=factors,
        seconds=seconds, wish=wish,
    )  # fmt: skip


# --- the model ------------------------------------------------------------------------------


def _estimator(prepared: Prepared, wish: Wish, say: Say) -> Any:
    def progress(now: Progress) -> None:
        judged = "" if now.validation is None else f", on validation rows {now.validation:.4g}"
        say(f"epoch {now.epoch} of at most {now.epochs}: loss {now.loss:.4g}{judged}")

    options: dict[str, Any] = {
        "mixing_layers": wish.mixing_layers,
        "progress": progress,
        "random_state": wish.seed,
    }
    if wish.epochs is not None:
        options["max_epochs"] = wish.epochs
    if wish.threshold is not None:
        options["threshold"] = wish.threshold
    if wish.folder is not None:
        options["checkpoint"] = wish.folder / UNFINISHED
    if wish.text is not None:
        return TextAttentionClassifier(**options)
    options["columns"] = dict(prepared.columns) or None
    if wish.mixing_layers:  # what did best on held-out folds
        options |= {"bins": 8, "dropout": 0.1}
    kind = AttentionRegressor if prepared.target.task == "number" else AttentionClassifier
    return kind(**options)


def _answers(target: Target, rows: NDArray[np.int64]) -> Any:
    """As the estimator takes them: labels and numbers with their names."""
    import pandas as pd

    values = target.values[rows]
    if target.task == "labels":
        return pd.DataFrame(values, columns=list(target.names))
    return pd.Series(values, name=target.names[0]) if target.task == "number" else values


def _together(prepared: Prepared, rows: NDArray[np.int64]) -> list[str] | None:
    """Groups of the training rows, that those kept back to stop early are whole groups too."""
    if prepared.groups is None:
        return None
    found = [str(prepared.groups[row]) for row in rows.tolist()]
    return found if len(set(found)) > 1 else None


def _taken(inputs: Any, rows: NDArray[np.int64]) -> Any:
    if isinstance(inputs, list):
        return [inputs[row] for row in rows.tolist()]
    return inputs.iloc[rows]


def _scores(model: Any, prepared: Prepared, wish: Wish, seconds: float) -> tuple[Scored, ...]:
    """Of the simple models, then of ours."""
    target, split, groups = prepared.target, prepared.split, prepared.groups
    begun = perf_counter()
    test = _taken(prepared.inputs, split.test)
    if target.task == "number":
        said = model.predict(test)
    else:
        said = model.predict_proba(test)
        if target.task == "classes" and said.shape[1] == 2:
            said = said[:, 1]
    seconds += perf_counter() - begun
    name = "this glass box" if not wish.mixing_layers else "with mixing layers"
    cut = 0.5 if target.task == "number" else (model.threshold_ or 0.5)
    ours = scored(name, "ours", said, target, split, groups=groups, seconds=seconds, threshold=cut)
    others = baselines(prepared.plain, target, split, groups=groups, seed=wish.seed)
    return (*others, ours)


def _first_factors(model: Any, prepared: Prepared) -> tuple[FactorRow, ...]:
    """What counts over the held-out rows, or over those of training where none are held out."""
    rows = prepared.split.test if prepared.split.test.size else prepared.split.train
    table = model.explain(_taken(prepared.inputs, rows[:_EXPLAINED]))
    table = table.assign(size=table["contribution"].abs())
    by_label = prepared.target.task == "labels"
    found: list[FactorRow] = []
    for label in dict.fromkeys(table["label"]) if by_label else [""]:
        part = table[table["label"] == label] if by_label else table
        first = part.loc[part.groupby("row")["size"].idxmax(), "factor"].value_counts()
        explained = part["row"].nunique()
        # a factor of a text stands in few rows: its mean is over all of them
        sizes = (part.groupby("factor")["size"].sum() / explained).sort_values(ascending=False)
        found += [
            FactorRow(
                label=label,
                factor=str(name),
                size=float(size),
                first=float(first.get(name, 0)) / explained,
            )
            for name, size in sizes.items()
        ]
    return tuple(found)
