"""From a watched pass to the pictures of its heads, on sequences with or without names."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import torch
from torch import Tensor

from zhuyi.core import AttentionMatrix, Bias, Mask
from zhuyi.errors import NotWatchable
from zhuyi.trace.tape import Sighting
from zhuyi.ui.looked import HeadPicture, Tokens
from zhuyi.ui.view.detail import Detail, describe
from zhuyi.ui.view.pictures import Seen, draw_site, stand_out

_NUMBERED = "positions"


@dataclass(frozen=True, kw_only=True)
class Drawing:
    """How to draw.

    Args:
        heads: indexes of the heads to draw; None for all.
        shifted: whether a decoder reads its text shifted by one, so that its words would name
            its positions wrongly.
        size: dots of a small picture's side.
        links: strongest links kept a head, and as many between two pieces of the input itself.
        progress: called with what is being done.
    """

    heads: tuple[int, ...] | None = None
    shifted: bool = False
    size: int = 64
    links: int = 8
    progress: Callable[[str], None] = lambda _: None


@dataclass(kw_only=True)
class Drawn:
    """What came out, with the matrices behind it.

    Args:
        sequences: those that were given, and one of numbers for positions without a text.
        pictures: one a sequence, layer and head, in that order, with `standing`.
        seen: (sequence of the keys, layer) -> the site as it was drawn.
        values: for the same place, the values [G, K, Dv] or None.
    """

    sequences: list[Tokens]
    pictures: tuple[HeadPicture, ...] = ()
    seen: dict[tuple[int, int], Seen] = field(default_factory=dict)
    values: dict[tuple[int, int], Tensor | None] = field(default_factory=dict)

    def detail_of(self, head: HeadPicture) -> Detail | None:
        """Details of one head, see `view.archive.archive_of`."""
        place = head.keys, head.layer
        seen, value_GKD = self.seen[place], self.values[place]
        matrix = seen.matrix.select(batch=[seen.batch], heads=[head.head])
        value = None
        if value_GKD is not None:
            # Of the heads that were kept, which may be fewer than the site has.
            group = head.head // (seen.matrix.shape[1] // value_GKD.shape[0])
            value = value_GKD[group, : head.shape[1]]
        return describe(matrix, value)


def draw(
    sightings: Sequence[Sighting], sequences: Sequence[Tokens], how: Drawing | None = None
) -> Drawn:
    """Pictures of all asked heads; positions without a text get a sequence of numbers.

    Args:
        sightings: of one pass, with matrices.
        sequences: the sequences of the batch, one a batch row, in order.
        how: how to draw.
    Raises: NotWatchable: for a sighting without a matrix.
    Cost:   one streamed pass over each site.
    """
    how = how or Drawing()
    drawn = Drawn(sequences=list(sequences))
    pictures: list[HeadPicture] = []
    for batch in range(len(sequences)):
        length = len(sequences[batch].labels)
        for number, sighting in enumerate(sightings):
            how.progress(f"drawing layer {number + 1} of {len(sightings)}")
            one = _seen(sighting, drawn.sequences, batch, length, how)
            place = one.keys, sighting.site.index
            drawn.seen[place] = one
            value = sighting.value
            drawn.values[place] = None if value is None else value[batch]
            if one.heads:
                pictures += draw_site(one, size=how.size, links=how.links)
    drawn.pictures = stand_out(tuple(pictures))
    return drawn


def _seen(
    sighting: Sighting, sequences: list[Tokens], batch: int, length: int, how: Drawing
) -> Seen:
    """One site with the sequences that ask and answer there."""
    if sighting.matrix is None:
        raise NotWatchable(f"{sighting.site.name} was seen without queries and keys")
    # A decoder reads the text shifted by one, so the text's words would name it wrongly, and
    # it may be longer than the text.
    decoder = "decoder" in sighting.site.name.split(".") and how.shifted
    whole = sighting.matrix.select(batch=[batch])
    matrix = whole if decoder else cut(sighting.matrix, batch, length)
    cross = sighting.site.kind == "cross"
    queries = _place(sequences, None if decoder else batch, matrix.shape[2])
    keys = _place(sequences, None if decoder and not cross else batch, matrix.shape[3])
    asked = range(matrix.shape[1]) if how.heads is None else how.heads
    heads = tuple(head for head in asked if head < matrix.shape[1])
    return Seen(
        site=sighting.site,
        matrix=matrix,
        batch=0,
        queries=queries,
        keys=keys,
        special=torch.tensor(sequences[keys].special),
        kernel=sighting.kernel,
        heads=tuple(dict.fromkeys(heads)),
    )


def _place(sequences: list[Tokens], batch: int | None, length: int) -> int:
    """Index of the sequence with these positions; made up of numbers where no text is known."""
    if batch is not None and len(sequences[batch].labels) == length:
        return batch
    for index, sequence in enumerate(sequences):
        if sequence.name == _NUMBERED and len(sequence.labels) == length:
            return index
    labels = tuple(f"#{position}" for position in range(length))
    sequences.append(Tokens(name=_NUMBERED, labels=labels, special=(False,) * length))
    return len(sequences) - 1


def cut(matrix: AttentionMatrix, batch: int, length: int) -> AttentionMatrix:
    """One batch row, without the padding that a longer neighbor gave it."""
    one = matrix.select(batch=[batch])
    queries, keys = one.shape[2], one.shape[3]
    if queries != keys or length >= keys:
        return one
    rows = cols = slice(0, length)
    mask = None
    if one.mask is not None:
        keep = one.mask.block(rows, cols)
        mask = None if bool(keep.all()) else Mask.dense(keep)
    bias = None
    if one.bias is not None:
        added = one.bias.block(rows, cols)
        # Some models hide padding by a bias; without the padding nothing is left of it.
        bias = Bias.dense(added) if bool(added.any()) else None
    return AttentionMatrix(
        one.query[:, :, :length],
        one.key[:, :, :length],
        bias=bias,
        mask=mask,
        scale=one.scale,
        softcap=one.softcap,
        sink=one.sink,
    )
