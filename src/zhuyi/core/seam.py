"""The seam through which an observer sees every call of `attend`, without being imported here."""

from collections.abc import Callable
from contextvars import ContextVar
from dataclasses import dataclass
from typing import TypeAlias

import torch

from .matrix import AttentionMatrix


@dataclass(frozen=True, kw_only=True)
class AttentionCall:
    """One call of `attend`, offered to the observer before it runs.

    Args:
        matrix: the weights as a lazy operator; nothing is computed until asked.
        value: [B, G, K, Dv].
        run: computes the output [B, H, Q, Dv] as `attend` would.
        backend: name of the backend `run` uses.
        dropout: the dropout rate `run` applies to the weights.
    """

    matrix: AttentionMatrix
    value: torch.Tensor
    run: Callable[[], torch.Tensor]
    backend: str
    dropout: float


Observer: TypeAlias = Callable[[AttentionCall], torch.Tensor | None]

observer: ContextVar[Observer | None] = ContextVar("zhuyi_observer", default=None)
"""Called with each AttentionCall in this context; a tensor it returns becomes the output."""
