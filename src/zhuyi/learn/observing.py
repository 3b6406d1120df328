"""To see a glass box while it trains: a seam that costs nothing where nobody looks.

`with observing(callback): model.fit(X, y)` calls back after each epoch, and once with the fitted
model. Nothing that the callback gets is the model in training, so what is fitted is the same bit
for bit as without it.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from functools import cache
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from zhuyi.errors import OptionError
from zhuyi.learn.fitting import Fitted, Standing
from zhuyi.learn.glass_box import GlassBox
from zhuyi.learn.subject import GlassBoxSubject
from zhuyi.learn.training import Progress
from zhuyi.trace.subject import Batch

Task = Literal["classes", "labels", "number"]


@dataclass(frozen=True, kw_only=True, eq=False)
class Training:
    """One fit that is seen; the same object at all its epochs.

    Args:
        estimator: name of the estimator's class.
        explanation: "computation", or "evidence" with mixing layers.
        labels: names of the C decisions.
        target: "B" class indices or standardized numbers, or "B C" flags, of the training inputs.
        held_back: indices of the validation inputs, from which no parameter learns; empty without.
        batch: the training inputs of these indices, as the subject takes them.
        refit: whether the fitted model learned from all inputs, also from those held back before.
        task: whether one class is decided, any of the labels, or a number.
        shift, factor: "C", from logits to what is decided: 0 and 1, of a number to its own unit.
    """

    estimator: str
    explanation: str
    labels: tuple[str, ...]
    target: NDArray[np.generic]
    held_back: NDArray[np.int64]
    batch: Callable[[Sequence[int]], Batch]
    refit: bool
    task: Task
    shift: NDArray[np.float64]
    factor: NDArray[np.float64]

    def probe(self, count: int) -> tuple[int, ...]:
        """Indices of some inputs to look at again and again, held-back ones where there are any.

        Of classes the first input of each in turn, of labels the first with each (and one without
        any), of numbers inputs evenly spread from the lowest to the highest.

        Args:
            count: how many at most, 1 or more.
        """
        rows = self.held_back if self.held_back.size else np.arange(len(self.target))
        answers = self.target[rows]
        if answers.ndim == 2 and answers.shape[1] == 1:
            answers = answers[:, 0]
        if answers.ndim == 1 and np.issubdtype(answers.dtype, np.floating):
            order = np.argsort(answers, kind="stable")
            places = np.linspace(0, len(order) - 1, min(count, len(order))).round()
            return tuple(rows[order[places.astype(np.int64)]].tolist())
        kinds = answers if answers.ndim == 1 else _first_label(answers)
        turn = np.zeros(len(rows), np.int64)  # how often its kind came before
        for kind in np.unique(kinds):
            turn[kinds == kind] = np.arange(np.count_nonzero(kinds == kind))
        return tuple(rows[np.lexsort((kinds, turn))[:count]].tolist())


@dataclass(frozen=True, kw_only=True, eq=False)
class Epoch:
    """What an observer hears.

    Args:
        training: which fit.
        progress: where it stands; after the fit that of its last epoch.
        fitted: whether this is the fitted model: the best epoch's parameters (or, where all inputs
            are learned from once more, those of that).
        best_epoch: whose parameters were kept, from 1; 0 while it trains.
    """

    training: Training
    progress: Progress
    fitted: bool
    best_epoch: int
    _subject: Callable[[], GlassBoxSubject] = field(repr=False)

    def subject(self) -> GlassBoxSubject:
        """A copy of the model as if training ended here: calibrated, in float64.

        Until it is fitted, what no training input has (a category never seen, a missing cell in a
        column that misses none) says something random.

        Cost:   a forward pass of the held-back inputs; none with `fitted`.
        Raises: OptionError: after the callback has returned, when the training has gone on.
        """
        return self._subject()


Observer = Callable[[Epoch], None]
"""Called after each epoch; what it raises ends the training."""

_OBSERVER: ContextVar[Observer | None] = ContextVar("zhuyi_observer", default=None)


@contextmanager
def observing(observer: Observer) -> Iterator[None]:
    """Within the block every fit of an estimator of `zhuyi.learn` is told to the observer.

    The inner of two such blocks counts. Fits in other threads or processes are not seen.

    Args:
        observer: called after each epoch and once with the fitted model.
    Cost: nothing but what the observer does.
    Not:  a way to change a training: what is handed out are copies.

    Example:
        >>> from zhuyi.learn import AttentionClassifier
        >>> X = np.random.default_rng(0).normal(size=(100, 3))
        >>> heard = []
        >>> with observing(lambda epoch: heard.append((epoch.progress.epoch, epoch.fitted))):
        ...     model = AttentionClassifier(max_epochs=2, random_state=0).fit(X, X[:, 0] > 0)
        >>> heard
        [(1, False), (2, False), (2, True)]
    """
    token = _OBSERVER.set(observer)
    try:
        yield
    finally:
        _OBSERVER.reset(token)


def observer() -> Observer | None:
    """Who is to be told, or None."""
    return _OBSERVER.get()


class Telling:
    """One fit's side of the seam.

    Args:
        observer: who is told.
        training: the fit, of the indices of its validation rows.
        subject: of a box that is ready.
    """

    def __init__(
        self,
        observer: Observer,
        training: Callable[[NDArray[np.int64]], Training],
        subject: Callable[[GlassBox], GlassBoxSubject],
    ) -> None:
        self._observer = observer
        self._training = training
        self._subject = subject
        self._of: Training | None = None
        self._now: Progress | None = None

    def epoch(self, standing: Standing) -> None:
        """After an epoch."""
        self._tell(standing.judged, standing.progress, standing.ended, 0)

    def fitted(self, fitted: Fitted, epochs: int) -> None:
        """After the fit; `epochs` is the most that it might have taken."""
        trained = fitted.trained
        loss, validation = trained.history[-1]
        best = trained.best_epoch == trained.epochs
        now = Progress(
            epoch=trained.epochs, epochs=epochs, loss=loss, validation=validation, best=best
        )
        self._tell(fitted.judged, now, lambda: fitted.module, trained.best_epoch)

    def _tell(
        self,
        judged: NDArray[np.int64],
        progress: Progress,
        module: Callable[[], GlassBox],
        best_epoch: int,
    ) -> None:
        def subject() -> GlassBoxSubject:
            if self._now is not progress:
                raise OptionError(
                    f"epoch {progress.epoch} is over: ask for its subject within the callback"
                )
            return self._subject(module())

        self._of, self._now = self._of or self._training(judged), progress
        self._observer(
            Epoch(
                training=self._of,
                progress=progress,
                fitted=best_epoch > 0,
                best_epoch=best_epoch,
                _subject=cache(subject),
            )
        )
        self._now = None


def _first_label(flags: NDArray[np.generic]) -> NDArray[np.int64]:
    """Per input of "B C" flags the place of its first label, C without any."""
    has = flags.astype(np.bool_)
    first: NDArray[np.int64] = np.where(has.any(1), has.argmax(1), has.shape[1])
    return first
