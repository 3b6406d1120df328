"""What each kind of target is trained on: one small class a kind of target."""

from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor
from torch.nn import functional as F


class Objective(Protocol):
    """From logits and targets to one loss a row, and from logits to what is predicted."""

    def losses(self, logits: Tensor, target: Tensor) -> Tensor:
        """One loss a row, "B"."""
        ...

    def shares(self, logits: Tensor) -> Tensor:
        """Probabilities, "B C'" with one column a label."""
        ...


@dataclass(frozen=True)
class Binary:
    """Two classes; one logit "B 1" speaks for the second: p = sigmoid(z)."""

    def losses(self, logits: Tensor, target: Tensor) -> Tensor:
        """Cross-entropy of targets 0 and 1, "B"."""
        return F.binary_cross_entropy_with_logits(
            logits[:, 0], target.to(logits.dtype), reduction="none"
        )

    def shares(self, logits: Tensor) -> Tensor:
        """Probabilities of both classes, "B 2"."""
        return torch.cat([(-logits).sigmoid(), logits.sigmoid()], 1)


@dataclass(frozen=True)
class Multiclass:
    """One of C classes: p = softmax(z)."""

    def losses(self, logits: Tensor, target: Tensor) -> Tensor:
        """Cross-entropy of class indices, "B"."""
        return F.cross_entropy(logits, target.long(), reduction="none")

    def shares(self, logits: Tensor) -> Tensor:
        """Probabilities "B C"; each row sums to 1."""
        return logits.softmax(1)


@dataclass(frozen=True)
class Multilabel:
    """Any number of C labels: each p = sigmoid(z).

    Args:
        positive: how much a row with the label counts against one without, C numbers; None: alike.
    """

    positive: tuple[float, ...] | None = None

    def losses(self, logits: Tensor, target: Tensor) -> Tensor:
        """Cross-entropy of targets 0 and 1, mean over the labels, "B"."""
        weights = None if self.positive is None else logits.new_tensor(self.positive)
        return F.binary_cross_entropy_with_logits(
            logits, target.to(logits.dtype), reduction="none", pos_weight=weights
        ).mean(1)

    def shares(self, logits: Tensor) -> Tensor:
        """Probabilities "B C", each label by itself."""
        return logits.sigmoid()


@dataclass(frozen=True)
class Squares:
    """Numbers, standardized: squared error."""

    def losses(self, logits: Tensor, target: Tensor) -> Tensor:
        """Squared error, mean over the outputs, "B"."""
        return (logits - target.to(logits.dtype)).square().mean(1)

    def shares(self, logits: Tensor) -> Tensor:
        """The prediction's place between low (0) and high (1): sigmoid of standard deviations."""
        return logits.sigmoid()


@dataclass(frozen=True)
class Places:
    """Each logit's place among typical ones: sigmoid((z - center) / spread).

    For tests of an explanation of logits: a probability near 0 or 1 hardly moves whatever is
    removed, its logit does. Nothing is trained on it.

    Args:
        center, spread: C numbers each; the spread above 0.
        two: whether the one logit speaks for the second of two classes.
    """

    center: tuple[float, ...]
    spread: tuple[float, ...]
    two: bool

    def losses(self, logits: Tensor, target: Tensor) -> Tensor:
        """None: it is no objective of a training."""
        raise NotImplementedError("places are for looking at decisions, not for training")

    def shares(self, logits: Tensor) -> Tensor:
        """Places "B C'" with one column a label; of two classes they sum to 1."""
        place = (logits - logits.new_tensor(self.center)) / logits.new_tensor(self.spread)
        return torch.cat([-place, place], 1).sigmoid() if self.two else place.sigmoid()
