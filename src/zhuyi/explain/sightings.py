"""What a tape must have to be explained: self-attention over one sequence, layer after layer."""

from collections.abc import Iterator, Sequence

from torch import Tensor

from zhuyi.core import AttentionMatrix
from zhuyi.errors import NotWatchable, OptionError
from zhuyi.trace.tape import Sighting, Tape

# Most numbers of a block of weights held at once (over B, H, rows and K), and most of its rows.
_BLOCK_ELEMENTS = 1 << 20
_BLOCK_ROWS = 128


def one_sequence(tape: Tape) -> tuple[Sighting, ...]:
    """The tape's sightings, when all of them look from one sequence to itself.

    Raises: NotWatchable: if queries and keys are different sequences anywhere, or their length or
        number changes between layers: then rows of one layer are not keys of the next.
    """
    sightings = tuple(tape)
    first = _extent(sightings[0])
    for sighting in sightings:
        site, extent = sighting.site, _extent(sighting)
        if site.kind == "cross" or extent[1] != extent[2]:
            raise NotWatchable(
                f"{site.name or 'the model itself'} attends from one sequence to another, so the "
                "layers make no chain: use Occlusion, or a subject's own contributions"
            )
        if extent != first:
            raise NotWatchable(
                f"{site.name} works on {extent[0]} x {extent[1]} positions and "
                f"{sightings[0].site.name} on {first[0]} x {first[1]}, so the layers make no "
                "chain: use Occlusion"
            )
    return sightings


def matrix_of(sighting: Sighting) -> AttentionMatrix:
    """The sighting's matrix; the methods here ask the watch to keep it."""
    if sighting.matrix is None:
        raise NotWatchable(f"{sighting.site.name} was seen without its queries and keys")
    return sighting.matrix


def value_of(sighting: Sighting) -> Tensor:
    """The sighting's values "B G K Dv"."""
    if sighting.value is None:
        raise NotWatchable(f"{sighting.site.name} was seen without its values")
    return sighting.value


def output_of(sighting: Sighting) -> Tensor:
    """The sighting's result "B H Q Dv", a part of the model's graph."""
    if sighting.output is None:
        raise NotWatchable(f"{sighting.site.name} was seen without its result")
    return sighting.output


def row_blocks(row: Tensor, elements_a_row: int) -> Iterator[Tensor]:
    """Indices of the rows "B Q" that are not zero everywhere, a block at a time.

    Args:
        row: weights of the query rows.
        elements_a_row: how many numbers one row of a block will hold.
    """
    matters = (row != 0).any(0).nonzero().squeeze(1)
    size = max(1, min(_BLOCK_ROWS, _BLOCK_ELEMENTS // max(1, elements_a_row)))
    for first in range(0, len(matters), size):
        yield matters[first : first + size]


def logits_of(tape: Tape) -> Tensor:
    """The tape's logits, which a subject sets."""
    if tape.logits is None:
        raise NotWatchable("the tape has no logits: a Subject's watch() must set them")
    return tape.logits


def chosen_layers(count: int, layer: int | None) -> Sequence[int]:
    """Indices of the layers that a `layer` option means: one, counted from the end if negative.

    Raises: OptionError: if there is no such layer.
    """
    if layer is None:
        return range(count)
    if not -count <= layer < count:
        raise OptionError(f"layer must be in [{-count}, {count}), got {layer}")
    return (layer % count,)


def _extent(sighting: Sighting) -> tuple[int, int, int]:
    source = sighting.matrix if sighting.matrix is not None else sighting.summary
    if source is None:
        raise NotWatchable(f"{sighting.site.name} was seen without a matrix or a summary")
    batch, _, queries, keys = source.shape
    return batch, queries, keys
