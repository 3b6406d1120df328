"""What a glass box reads: inputs as codes, and each factor of them embedded by itself."""

from abc import ABC, abstractmethod
from typing import Any, ClassVar, Protocol

import torch
from torch import Tensor, nn


class Embedding(nn.Module, ABC):
    """Codes of B inputs to one token for each of their N factors.

    A token must depend on its own factor alone: that is what makes a box without mixing layers a
    glass box.
    """

    movable: ClassVar[bool] = False
    """Whether the box is told, after training, where contributions start from (see `gauge`)."""

    @abstractmethod
    def forward(self, codes: Tensor) -> Tensor:
        """Tokens "B N W"."""

    def present(self, codes: Tensor) -> Tensor | None:
        """Which factors an input has, bool "B N"; None: every input has all of them."""
        return None

    def lift(self, codes: Tensor) -> Tensor | None:
        """What is added to the factors' scores whatever reads them, "B N"; None: nothing."""
        return None

    def lengths(self, codes: Tensor) -> Tensor | None:
        """How many places each input uses, "B", where that is unequal; None: all use all."""
        return None

    @abstractmethod
    def reset(self, generator: torch.Generator) -> None:
        """New parameters, drawn from `generator` alone."""

    def start(self, codes: Tensor, target: Tensor, effect: Tensor) -> None:
        """Before training: parameters from counting, where counting is a good start.

        Args:
            codes: of the training inputs.
            target: "B" class indices or numbers, or "B C".
            effect: "C D", by which the box reads a token's value.
        """

    def settle(self, codes: Tensor) -> None:
        """After training: give entries that training never used something to say on average."""


class Inputs(Protocol):
    """What a model knows of its inputs, learned from the training rows: plain JSON."""

    def embedding(self, width: int, generator: torch.Generator | None) -> Embedding:
        """An embedding into tokens of `width`; None leaves its parameters to be loaded."""
        ...

    def as_json(self) -> Any:
        """Plain JSON."""
        ...
