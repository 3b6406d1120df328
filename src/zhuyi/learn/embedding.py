"""What a glass box reads: inputs as codes, and each factor of them embedded by itself."""

from abc import ABC, abstractmethod
from typing import Any, Protocol

import torch
from torch import Tensor, nn


class Embedding(nn.Module, ABC):
    """Codes of B inputs to one token for each of their N factors.

    A token must depend on its own factor alone: that is what makes a box without mixing layers a
    glass box.
    """

    @abstractmethod
    def forward(self, codes: Tensor) -> Tensor:
        """Tokens "B N W"."""

    def present(self, codes: Tensor) -> Tensor | None:
        """Which factors an input has, bool "B N"; None: every input has all of them."""
        return None

    @abstractmethod
    def reset(self, generator: torch.Generator) -> None:
        """New parameters, drawn from `generator` alone."""

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
