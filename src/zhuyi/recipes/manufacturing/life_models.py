"""Every model of remaining life: fitted on windows of training engines, asked of test engines."""

from collections.abc import Callable
from dataclasses import dataclass
from time import perf_counter
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from zhuyi.learn import SeriesAttentionRegressor
from zhuyi.recipes import baselines, cmapss
from zhuyi.recipes.records import Options, Role
from zhuyi.recipes.splits import Fold, GroupedFolds

GLASS_BOX: Final = "glass box"
LATER: Final = "glass box, three stretches of 10 cycles"
MIXED: Final = "with one mixing layer"
BOOSTING: Final = "gradient boosting on window statistics"
LINEAR: Final = "linear regression on window statistics"
TRIVIAL: Final = "mean remaining life"

LENGTH: Final = 30  # cycles in a window, as in the literature; the youngest test engine has run 31
TARGET: Final = "remaining life"

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class Cut:
    """The engines as windows.

    Args:
        train: windows of engines run to failure.
        left: cycles left at each one's end, at most `cmapss.CAP`.
        test: the last window of each test engine.
        truth: cycles that each test engine had left.
        lives: cycles that each training engine ran.
    """

    train: cmapss.Windows
    left: pd.Series
    test: cmapss.Windows
    truth: Floats
    lives: Floats

    @property
    def capped(self) -> Floats:
        """The truth as the benchmark scores it."""
        return np.minimum(self.truth, float(cmapss.CAP))


@dataclass(frozen=True, kw_only=True)
class Told:
    """What one model says of the test engines.

    Args:
        model: its name.
        role: trivial, simple or ours.
        said: cycles left, one a test engine.
        errors: per test engine, errors that the model made on engines it had not seen, where it
            said about the same.
        seconds: for fitting and predicting.
        fitted: the estimator, of ours.
    """

    model: str
    role: Role
    said: Floats
    errors: tuple[Floats, ...]
    seconds: float
    fitted: SeriesAttentionRegressor | None = None


def cut(engines: cmapss.Engines, *, stride: int) -> Cut:
    """Windows of 30 cycles and the 14 sensors that move; of test engines the last one.

    Args:
        engines: the benchmark.
        stride: cycles from one training window to the next.
    """
    train = cmapss.windows(engines.train, length=LENGTH, stride=stride)
    left = engines.train.assign(left=cmapss.remaining_life(engines.train))
    by_cycle = left.set_index(["unit", "cycle"])["left"]
    places = pd.MultiIndex.from_arrays([train.units, train.cycles])
    return Cut(
        train=train,
        left=pd.Series(by_cycle.loc[places].to_numpy(), name=TARGET),
        test=cmapss.windows(engines.test, length=LENGTH, last_only=True),
        truth=engines.remaining,
        lives=engines.train.groupby("unit")["cycle"].max().to_numpy(dtype=np.float64),
    )


def glass_box(options: Options, *, stretches: int = 1, mixing_layers: int = 0) -> Any:
    """Our model, unfitted.

    Args:
        options: quick takes fewer epochs.
        stretches: of time; one averages most noise away, and was best on validation engines.
        mixing_layers: with one, explanations are evidence.
    """
    epochs = 20 if options.quick else 30
    return SeriesAttentionRegressor(
        channels=cmapss.INFORMATIVE,
        stretches=stretches,
        mixing_layers=mixing_layers,
        width=32 if mixing_layers else 16,
        learning_rate=2e-3 if mixing_layers else 5e-3,
        max_epochs=epochs // 2 if mixing_layers else epochs,
        patience=8,
        batch_size=256,
        random_state=options.seed,
    )


def ours(name: str, model: Any, data: Cut) -> Told:
    """One of ours: whole engines are kept back to stop the training and to measure errors."""
    begun = perf_counter()
    fitted = model.fit(data.train.values, data.left, groups=data.train.units)
    said = np.asarray(fitted.predict(data.test.values))
    seconds = perf_counter() - begun
    errors = tuple(fitted.errors_.near(float(one)) for one in said)
    return Told(model=name, role="ours", said=said, errors=errors, seconds=seconds, fitted=fitted)


def simple(data: Cut, options: Options) -> tuple[Told, ...]:
    """A constant, a linear model and gradient boosting on statistics of the windows and the age."""
    inputs, asked = cmapss.statistics(data.train), cmapss.statistics(data.test)
    folds = GroupedFolds(folds=3 if options.quick else 5, seed=options.seed)(data.train.units)
    return (
        _simple(TRIVIAL, "trivial", lambda: baselines.mean_answer(), inputs, asked, data, folds),
        _simple(LINEAR, "simple", lambda: baselines.linear(inputs), inputs, asked, data, folds),
        _simple(
            BOOSTING,
            "simple",
            lambda: baselines.boosted_regressor(inputs, seed=options.seed),
            inputs,
            asked,
            data,
            folds,
        ),
    )


def _simple(
    name: str,
    role: Role,
    make: Callable[[], Any],
    inputs: pd.DataFrame,
    asked: pd.DataFrame,
    data: Cut,
    folds: tuple[Fold, ...],
) -> Told:
    """Fit on all training engines; errors come from folds of whole engines."""
    answers = data.left.to_numpy()
    begun = perf_counter()
    said = np.asarray(make().fit(inputs, answers).predict(asked), dtype=np.float64)
    seconds = perf_counter() - begun
    held_out = np.empty(len(answers))
    for fold in folds:
        held_out[fold.test] = baselines.predicted(
            make(), inputs, answers, fold, probabilities=False
        )
    errors = answers - held_out
    # the same number of them as a quarter of the windows, as ours have
    count = max(1, len(answers) // 4)
    nearest = [np.argsort(np.abs(held_out - one), kind="stable")[:count] for one in said]
    return Told(
        model=name,
        role=role,
        said=said,
        errors=tuple(errors[rows] for rows in nearest),
        seconds=seconds,
    )
