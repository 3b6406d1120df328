"""Which token ids vectors stand for, where a model is given vectors in the place of ids."""

from collections.abc import MutableMapping
from typing import Final

from torch import Tensor
from torch.utils.weak import WeakTensorKeyDictionary

_IDS: Final[MutableMapping[Tensor, Tensor]] = WeakTensorKeyDictionary()


def remember_ids(vectors: Tensor, ids: Tensor) -> None:
    """Say of this very tensor "B T E" which ids "B T" it stands for, as long as it lives."""
    _IDS[vectors] = ids


def ids_of(vectors: Tensor) -> Tensor | None:
    """The ids "B T" that a tensor stands for, or None where nobody said so."""
    return _IDS.get(vectors)
