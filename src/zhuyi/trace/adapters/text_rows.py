"""One text as a row of token ids, and the ways to take some of its tokens away."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from torch import nn

from zhuyi.core.record import Unit

MASK, DELETION, PADDING = "mask token", "deletion", "padding mask"

# Models whose mixing takes no notice of the mask, or only of some of it: a token behind a padding
# mask would still be read.
_LEAKING = frozenset({"fnet", "convbert", "nystromformer", "yoso"})


@dataclass(frozen=True)
class Row:
    """A sequence of tokens as the model reads it.

    Args:
        ids: the tokens.
        types: the text of a pair that each belongs to, or None where the model takes none.
        units: the sequence's units.
        tokens: the tokens' spelling.
        unseen: positions that the attention mask hides.
    """

    ids: tuple[int, ...]
    types: tuple[int, ...] | None
    units: tuple[Unit, ...]
    tokens: tuple[str, ...]
    unseen: frozenset[int] = frozenset()

    @property
    def empty(self) -> bool:
        """Whether nothing is left to look at."""
        return len(self.unseen) == len(self.ids)

    def masked(self, positions: frozenset[int], stand_in: int) -> "Row":
        """These positions hold the token `stand_in`."""
        ids = tuple(stand_in if p in positions else i for p, i in enumerate(self.ids))
        return replace(self, ids=ids)

    def deleted(self, positions: frozenset[int]) -> "Row":
        """These positions are gone and the others close up."""
        kept = [p for p in range(len(self.ids)) if p not in positions]
        types = None if self.types is None else tuple(self.types[p] for p in kept)
        return replace(self, ids=tuple(self.ids[p] for p in kept), types=types)

    def hidden(self, positions: frozenset[int]) -> "Row":
        """These positions stay where they are and nothing can look at them."""
        return replace(self, unseen=self.unseen | positions)


def text_removals(model: nn.Module, mask_id: int | None, accepts: frozenset[str]) -> list[str]:
    """The ways to remove a unit of a text that this model and this tokenizer know.

    Args:
        model: a Hugging Face model.
        mask_id: the tokenizer's mask token, or None.
        accepts: names of the model's keyword arguments.
    """
    ways = [DELETION] if mask_id is None else [MASK, DELETION]
    config: Any = model.config
    if "attention_mask" in accepts and config.model_type not in _LEAKING:
        ways.append(PADDING)
    return ways


def removal_of(how: str, mask_id: int | None) -> Callable[[Row, frozenset[int]], Row]:
    """The way called `how`, as a function of a row and the positions to take away."""
    if how == DELETION:
        return Row.deleted
    if how == PADDING:
        return Row.hidden
    assert mask_id is not None, "the mask token is offered only where there is one"
    stand_in = mask_id
    return lambda row, positions: row.masked(positions, stand_in)
