"""A fitted series estimator as a Subject: units are stretches of channels, the newest first."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Final

import torch
from torch import Tensor

from zhuyi.core.record import Unit
from zhuyi.errors import InputError, ShapeError
from zhuyi.learn.columns import KNOWN, MISSING
from zhuyi.learn.glass_box import GlassBox
from zhuyi.learn.objectives import Objective
from zhuyi.learn.series.knowledge import SeriesInputs
from zhuyi.learn.series.reading import read_series
from zhuyi.learn.series.source import stretch_reader
from zhuyi.learn.series.stretches import ABSENT
from zhuyi.learn.subject import GlassBoxSubject
from zhuyi.steer.reading import Reader, Values
from zhuyi.trace.subject import Batch

MEAN: Final = "training mean"
DRAWN: Final = "stretches drawn from the training data, on average"
GONE: Final = "missing"
DRAWS: Final = 16


class SeriesSubject(GlassBoxSubject):
    """Series and the glass box that decides on them, as a Subject.

    A batch is a tensor of codes "B N L 2" (what `read` gives) or a sequence of series "T C". Units
    are the stretches that a series reaches. They can be removed in three ways: "training mean"
    (what such stretches say on average in training: the mean of their tokens), "stretches drawn
    from the training data, on average" (the decision of the mean logit over 16 stretches that
    training series held there, evenly spread over their means, each by itself) and "missing".

    Where channels tell the same, as the sensors of one machine do, a drawn stretch contradicts the
    others; an average one does not.

    For a regressor `decide` gives one column: the prediction's place between low and high,
    sigmoid((prediction - mean) / standard deviation), and logits are in standard deviations.

    Args:
        module: the fitted glass box.
        inputs: how series are read.
        labels: names of the C decisions.
        objective: from logits to probabilities.

    Example:
        >>> import numpy as np
        >>> from zhuyi.learn import SeriesAttentionClassifier
        >>> X = np.random.default_rng(0).normal(size=(100, 6, 2))
        >>> y = X[:, -1, 1] > 0
        >>> model = SeriesAttentionClassifier(max_epochs=5, stretches=2, random_state=0).fit(X, y)
        >>> subject = model.subject()
        >>> [unit.label for unit in subject.units(subject.read(X[:1]))[0]][:2]
        ['channel 1, last 3 steps', 'channel 2, last 3 steps']
    """

    def __init__(
        self, module: GlassBox, inputs: SeriesInputs, labels: Sequence[str], objective: Objective
    ) -> None:
        super().__init__(module, labels, objective, (MEAN, DRAWN, GONE))
        self.inputs = inputs
        self._typical = torch.from_numpy(inputs.typical)
        self._drawn = torch.from_numpy(inputs.spread(DRAWS))
        self._units = tuple(Unit(label=name, positions=(n,)) for n, name in enumerate(inputs.names))

    def read(self, series: object) -> Tensor:
        """Codes "B N L 2" of series as `fit` takes them.

        Raises: InputError: series that cannot be read, or of other channels.
        """
        return torch.from_numpy(self.inputs.encode(read_series(series)))

    def units(self, batch: Batch) -> tuple[tuple[Unit, ...], ...]:
        """Per series, the stretches that it reaches, the newest first."""
        # a series that began later lacks the last units, so the place of a unit is its position
        return tuple(self._units[:count] for count in self._counts(self._codes(batch)))

    def reader(self, values: Values = None) -> Reader:
        """Stretches by name, with their channel and steps.

        Step 0 is the first of the longest series in training: of shorter ones the end counts, and
        negative steps mean the same in all.
        """
        return stretch_reader(self.inputs, layers=self._sites, values=values)

    def decide(self, batch: Batch, keep: Tensor | None = None) -> Tensor:
        """Probabilities "B C", with the units outside `keep` (bool "B N") removed.

        Steps before a series began stay so: what is removed is what there was.
        """
        codes = self._codes(batch)
        with torch.no_grad():
            if keep is None:
                return self._objective.shares(self.module(codes)).float()
            gone = self._gone(codes, keep)
            if self._removal == GONE:
                missing = (gone[..., None] & (codes[..., 1] != ABSENT)).to(codes.dtype) * MISSING
                codes = torch.stack([codes[..., 0], torch.maximum(codes[..., 1], missing)], -1)
                return self._objective.shares(self.module(codes)).float()
            own, others = self.module.factors(codes), self._stand_ins()
            logits = [self.module(codes, torch.where(gone[..., None], one, own)) for one in others]
            return self._objective.shares(torch.stack(logits).mean(0)).float()

    def reference(self, rows: int) -> Tensor:
        """Codes of typical series, each stretch drawn by itself: none is one of the training.

        What `explain` judges the method on where a person asks about a few series only.
        """
        return torch.from_numpy(self.inputs.spread(rows, seed=1))

    def contributions(self, batch: Batch, target: tuple[int, ...]) -> Tensor:
        """What each stretch adds to the logit of the target, "B N"."""
        codes = self._codes(batch)
        return super().contributions(codes, target)[:, : max(self._counts(codes))]

    def baseline(self, batch: Batch) -> Tensor:
        """The mean token of each stretch over typical ones, "B N W"."""
        with torch.no_grad():
            tokens: Tensor = self.module.factors(self._typical).mean(0)
        return tokens.expand(len(self._codes(batch)), -1, -1).clone()

    @contextmanager
    def nearby(self, batch: Batch, *, size: float, generator: torch.Generator) -> Iterator[Batch]:
        """Series with Gaussian noise of `size` standard deviations of each channel.

        Missing values stay missing.
        """
        codes = self._codes(batch).clone()
        noise = torch.randn(codes.shape[:-1], generator=generator, device=generator.device)
        scale = [channel.scale for channel in self.inputs.channels]
        spread = torch.tensor(scale * self.inputs.stretches.count, dtype=codes.dtype)[:, None]
        known = codes[..., 1] == KNOWN
        codes[..., 0] += torch.where(known, size * spread * noise.to(codes), 0.0)
        yield codes

    def _stand_ins(self) -> Tensor:
        """Tokens "K N W" of what stands in removed stretches' places, one after the other."""
        if self._removal == DRAWN:
            drawn: Tensor = self.module.factors(self._drawn)
            return drawn
        mean: Tensor = self.module.factors(self._typical).mean(0, keepdim=True)
        return mean

    def _gone(self, codes: Tensor, keep: Tensor) -> Tensor:
        """Factors that are removed, bool "B N"."""
        most = max(self._counts(codes))
        if keep.dtype != torch.bool or tuple(keep.shape) != (len(codes), most):
            raise ShapeError(
                f"keep must be bool (B, N) = {(len(codes), most)}, got {keep.dtype} "
                f"{tuple(keep.shape)}"
            )
        gone = torch.zeros(codes.shape[:2], dtype=torch.bool)
        gone[:, :most] = ~keep
        return gone

    def _counts(self, codes: Tensor) -> list[int]:
        """Per series, how many units it has."""
        reached = (codes[..., 1] != ABSENT).any(-1)
        counts: list[int] = reached.sum(1).tolist()
        return counts

    def _codes(self, batch: Batch) -> Tensor:
        if not isinstance(batch, Tensor):
            if not len(batch):
                raise InputError("there are no series to decide on")
            batch = self.read([*batch])
        expected = (len(batch), len(self._units), self.inputs.stretches.longest, 2)
        if batch.dtype != torch.float64 or tuple(batch.shape) != expected:
            raise ShapeError(
                f"batch must be codes (B, N, L, 2) = {expected} in float64, got {batch.dtype} "
                f"{tuple(batch.shape)}: pass subject.read(series)"
            )
        if bool((~batch.isfinite()).any()) or not bool(
            ((batch[..., 1] >= KNOWN) & (batch[..., 1] <= ABSENT)).all()
        ):
            raise InputError("codes must be finite, with a state of 0, 1 or 2: use subject.read")
        return batch
