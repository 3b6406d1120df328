"""The desk of a saved estimator of series: an example, its stretches of time as factors."""

from collections.abc import Sequence
from typing import Final

import numpy as np
import torch
from numpy.typing import NDArray

from zhuyi.core.record import Said, Verdict
from zhuyi.errors import InputError
from zhuyi.learn import SeriesAttentionClassifier, SeriesAttentionRegressor
from zhuyi.learn.columns import KNOWN
from zhuyi.trace.subject import Batch
from zhuyi.ui.steering.desk import (
    ColumnOf,
    Decision,
    Example,
    Explained,
    Given,
    Kind,
    Measure,
    Piece,
)
from zhuyi.ui.steering.glass_box import GlassBoxDesk

_MADE_UP: Final = 4
_BESIDE: Final = 63
_TYPICAL: Final = Said(
    en="The examples are made up of stretches that are typical of each channel and time by "
    "itself: no series of the training data is in the model. Serve your own with --examples.",
    zh="示例由各通道、各时段各自的典型片段拼成：模型中没有保存任何一条训练序列。"
    "可用 --examples 提供自己的序列。",
)


class SeriesDesk:
    """Series of one or more channels.

    Args:
        model: the estimator.
        name: of it, for people.
        more: a person's own series "T C" with their names; made-up ones are offered without any.
    """

    kind: Kind = "series"
    unit = ""
    columns: tuple[ColumnOf, ...] = ()

    def __init__(
        self,
        model: SeriesAttentionClassifier | SeriesAttentionRegressor,
        name: str,
        more: Sequence[tuple[str, NDArray[np.float64]]] = (),
    ) -> None:
        self._box = GlassBoxDesk(model)
        self.steered = model.subject()
        self.model, self.title = name, f"zhuyi · {name}"
        self.labels: tuple[str, ...] = model.labels_
        self.many = self._box.many
        self.measure: Measure = self._box.measure
        names = [name for name, _ in more]
        if more:
            self._codes = torch.cat([self.steered.read([series]) for _, series in more])
        else:
            self._codes = self.steered.reference(_MADE_UP)
            names = [f"made up · 虚构 {number}" for number in range(1, _MADE_UP + 1)]
        self.examples = tuple(
            Example(name=name, given=Given(series=number)) for number, name in enumerate(names)
        )
        self.notes = (self._box.note, *(() if more else (_TYPICAL,)))

    def batch(self, given: Given) -> Batch:
        """One series as codes."""
        number = given.series
        if number is None or not 0 <= number < len(self._codes):
            raise InputError(f"there are examples 0 to {len(self._codes) - 1}")
        return self._codes[number : number + 1]

    def pieces(self, batch: Batch) -> tuple[Piece, ...]:
        """The stretches that it reaches, with the mean of each."""
        assert isinstance(batch, torch.Tensor)
        codes = batch[0].numpy()
        units = self.steered.units(batch)[0]
        return tuple(
            Piece(name=unit.label or "—", positions=unit.positions, text=_mean(codes[place]))
            for place, unit in enumerate(units)
        )

    def decide(self, batch: Batch) -> list[Decision]:
        """What the model says of each input."""
        return self._box.decide(batch)

    def explain(self, batch: Batch, target: int, decision: Decision) -> Explained:
        """What each stretch adds."""
        return Explained(values=self._box.values(batch, target))

    def names(self, indices: Sequence[int]) -> list[str]:
        """Names of some decisions."""
        return [self.labels[index] for index in indices]

    def judge(self, batch: Batch, target: int) -> tuple[Verdict, int] | None:
        """Of the removal test, among typical series."""
        return self._box.judge(batch, target)

    def beside(self, batch: Batch) -> Batch:
        """The series with typical ones after it."""
        return self._box.beside(batch, _BESIDE)


def _mean(codes: NDArray[np.float64]) -> str:
    known = codes[codes[:, 1] == KNOWN, 0]
    return f"{known.mean():.4g}" if known.size else "—"
