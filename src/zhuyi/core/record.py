"""The frozen records in which the sibling packages meet.

A record only holds; whoever computes it lives elsewhere. Letters: B inputs, N units, K keys.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

import torch


@dataclass(frozen=True, kw_only=True)
class Site:
    """One place in a model where attention runs.

    Args:
        name: module path, as in `model.named_modules()`; a second run of a shared module in the
            same pass gets "#2", a third "#3".
        kind: "self" when queries and keys come from the same sequence, else "cross".
        index: order of execution within a pass, from 0.
        heads: number of query heads H.
    """

    name: str
    kind: Literal["self", "cross"]
    index: int
    heads: int


@dataclass(frozen=True, kw_only=True)
class Unit:
    """A named piece of an input that a person recognizes: a word, a character, a patch, a column.

    Args:
        label: what a person reads.
        positions: the sequence positions (keys) that make it up, ascending.
        special: True for pieces the model adds ([CLS], <s>, ...), which are kept apart.
        span: start and end in the source text, in characters, or None.
    """

    label: str
    positions: tuple[int, ...]
    special: bool = False
    span: tuple[int, int] | None = None


@dataclass(frozen=True, kw_only=True)
class Attribution:
    """How much each unit of each input counts, according to one method. Evidence, not proof.

    Args:
        values: float32 [B, N], N the largest number of units; units that do not exist have 0.
        units: per input, its units in reading order.
        method: repr of the method object that computed it.
        target: per input, the index of the decision explained.
        signed: whether a negative value means "speaks against"; else values are >= 0.
        evidence: named numbers or short texts that back the values (for example the completeness
            error of integrated gradients).
    """

    values: torch.Tensor
    units: tuple[tuple[Unit, ...], ...]
    method: str
    target: tuple[int, ...]
    signed: bool
    evidence: Mapping[str, object] = field(default_factory=dict)
