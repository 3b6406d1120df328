"""Models of all five modes of failure at once, and what they name first for true failures."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
from sklearn.metrics import f1_score

from zhuyi.learn import AttentionClassifier
from zhuyi.recipes import ai4i, baselines
from zhuyi.recipes.manufacturing.failure_causes import CALLED, CAUSED, Named, named_first, together
from zhuyi.recipes.manufacturing.failure_models import (
    BOOSTING,
    GLASS_BOX,
    MIXED,
    boosting,
    glass_box,
    mixed,
)
from zhuyi.recipes.records import Decision, Options
from zhuyi.recipes.showing import decisions, largest_gap, taken
from zhuyi.recipes.splits import Fold

if TYPE_CHECKING:
    import pandas as pd

_SHOWN = ("HDF", "PWF", "OSF", "TWF")  # a decision each, of a held-out machine that failed so

Flags = npt.NDArray[np.bool_]


@dataclass(frozen=True, kw_only=True)
class ByMode:
    """A model of all modes at once, over five folds.

    Args:
        f1: by mode, of the machines that failed by it.
        named: what is named first for them; None for a model that names nothing.
    """

    f1: dict[str, float]
    named: Named | None


@dataclass(kw_only=True)
class Modes:
    """Models of all five modes at once, and what is seen in passing."""

    data: ai4i.Failures
    options: Options
    step: Callable[[str], None]
    gap: float = 0.0
    explained: int = 0
    decisions: tuple[Decision, ...] = ()

    def measured(self, name: str, folds: Sequence[Fold]) -> ByMode:
        """Fit on every fold, score each mode over all machines."""
        said = np.zeros(self.data.modes.shape, dtype=np.bool_)
        named = []
        for fold in folds:
            self.step(f"modes, {name}")
            if name == BOOSTING:
                model = boosting(self.data.inputs, self.options)
                answers = self.data.modes.to_numpy()
                found = baselines.predicted(
                    model, self.data.inputs, answers, fold, probabilities=False
                )
                said[fold.test] = found.astype(np.bool_)
            else:
                named.append(self._ours(name, fold, said))
        scores = {
            mode: float(f1_score(self.data.modes[mode], said[:, place], zero_division=0.0))
            for place, mode in enumerate(ai4i.MODES)
        }
        return ByMode(f1=scores, named=together(named) if named else None)

    def _ours(self, name: str, fold: Fold, said: Flags) -> Named:
        model = mixed(self.options) if name == MIXED else glass_box(self.options)
        model.fit(taken(self.data.inputs, fold.train), taken(self.data.modes, fold.train))
        rows, truth = taken(self.data.inputs, fold.test), taken(self.data.modes, fold.test)
        said[fold.test] = np.asarray(model.predict(rows), dtype=np.bool_)
        self.gap = max(self.gap, largest_gap(model, rows))
        self.explained += len(rows) * len(ai4i.MODES)
        failed = truth[list(CAUSED)].any(axis=1).to_numpy()
        if name == GLASS_BOX and not self.decisions:
            self.decisions = _shown(model, rows[failed], truth[failed])
        return named_first(model.explain(rows[failed]), truth[failed])


def _shown(
    model: AttentionClassifier, rows: "pd.DataFrame", modes: "pd.DataFrame"
) -> tuple[Decision, ...]:
    """One machine of each mode, told of by that mode's own label."""
    found = np.asarray(model.predict(rows), dtype=np.bool_)
    places = dict(_one_of_each(modes, found))
    shown = decisions(
        model,
        rows,
        list(places.values()),
        titles=[f"machine {rows.index[place] + 1}" for place in places.values()],
        truth=[f"failed by {CALLED[mode].en}" for mode in places],
        labels=list(places),
    )
    return tuple(
        replace(one, label=f"fails by {CALLED[one.label].en} ({one.label})") for one in shown
    )


def _one_of_each(modes: "pd.DataFrame", found: Flags) -> Iterator[tuple[str, int]]:
    """The first machine whose failure was found; where none was, the first that was missed."""
    for mode in _SHOWN:
        failed = modes[mode].to_numpy()
        right = failed & found[:, list(modes.columns).index(mode)]
        if failed.any():
            yield mode, int(np.flatnonzero(right if right.any() else failed)[0])
