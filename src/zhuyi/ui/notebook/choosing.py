"""What of a tape is shown: which pass, input, layers and heads, and the names of the positions."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import torch

from zhuyi.core import AttentionMatrix
from zhuyi.core.record import Verdict
from zhuyi.errors import NotKept, OptionError
from zhuyi.trace.tape import Pass, Sighting, Tape
from zhuyi.ui.looked import Tokens
from zhuyi.ui.notebook.believing import checked_of

#: Labels that are taken for positions the model added.
ADDED = frozenset(
    ("[CLS]", "[SEP]", "[PAD]", "<s>", "</s>", "<pad>", "<bos>", "<eos>", "<cls>", "<|endoftext|>")
)
_ROWS = 64


@dataclass(frozen=True, kw_only=True)
class Choice:
    """What is shown.

    Args:
        batch: index of the input; None for the first of a tape, for all of an attribution.
        labels: a text per position, or None for numbers.
        layers: of the sites to show, their `index`; None for all.
        heads: indexes to show, among those that were kept; None for all.
        forward: index of the forward pass, where the tape holds several; None for the only one.
    """

    batch: int | None = None
    labels: Sequence[str] | None = None
    layers: Sequence[int] | None = None
    heads: Sequence[int] | None = None
    forward: int | None = None


def check_tape(
    tape: Tape, choice: Choice, verdict: Verdict | None
) -> tuple[tuple[Sighting, ...], Tokens]:
    """What would be drawn, before anything is.

    Raises: OptionError, NotKept: see `sightings_of`, `tokens_of` and `believing.checked_of`.
    """
    sightings = sightings_of(tape, choice)
    if verdict is not None:
        checked_of(verdict, choice.batch or 0, shown="")
    return sightings, tokens_of(sightings, choice.labels)


def sightings_of(tape: Tape, choice: Choice) -> tuple[Sighting, ...]:
    """The asked sightings, each cut to the one batch row that is shown.

    Raises:
        OptionError: for a pass, layer, head or batch row that does not exist.
        NotKept: when the tape holds statistics only.
    """
    found = pass_of(tape, choice.forward)
    places = {site.index: place for place, site in enumerate(found.sites)}
    layers = places if choice.layers is None else dict.fromkeys(choice.layers)
    for layer in layers:
        if layer not in places:
            raise OptionError(f"layer must be one of {_listed(places)}, got {layer}")
    chosen = [_one_row(found[places[layer]], choice.batch or 0) for layer in layers]
    most = max((matrix_of(sighting).shape[1] for sighting in chosen), default=0)
    for head in choice.heads or ():
        if not 0 <= head < most:
            raise OptionError(f"head must be from 0 to {most - 1}, got {head}")
    return tuple(chosen)


def tokens_of(sightings: Sequence[Sighting], labels: Sequence[str] | None) -> Tokens:
    """The sequence that the sightings look at; padding behind it, which nobody sees, is left out.

    Raises: OptionError: when there are more or fewer labels than positions.
    """
    lengths = _lengths(sightings)
    longest = max(lengths, default=0)
    if labels is None:
        used = lengths.get(longest, 0)
        names = tuple(f"#{position}" for position in range(used))
        return Tokens(name="positions", labels=names, special=(False,) * used)
    if isinstance(labels, str) or len(labels) not in {*lengths, *lengths.values()}:
        got = "one text" if isinstance(labels, str) else str(len(labels))
        raise OptionError(
            f"labels must name the {_listed(lengths.values())} positions of this input, one text "
            f"each, got {got}: pass the tokens of this input, special ones included"
        )
    names = tuple(str(label) for label in labels)
    return Tokens(name="text", labels=names, special=tuple(name in ADDED for name in names))


def is_shifted(sightings: Sequence[Sighting]) -> bool:
    """Whether some of them belong to a decoder that reads another sequence than the labels."""
    return any(sighting.site.kind == "cross" for sighting in sightings)


def pass_of(tape: Tape, forward: int | None) -> Pass:
    """The asked forward pass. Raises: OptionError: if there is none, or several to choose from."""
    passes = tape.passes
    if forward is None and len(passes) != 1:
        raise OptionError(
            f"the tape holds {len(passes)} forward passes: say which with forward=0 to "
            f"{len(passes) - 1}"
        )
    index = forward or 0
    if not 0 <= index < len(passes):
        raise OptionError(f"forward must be from 0 to {len(passes) - 1}, got {index}")
    return passes[index]


def _one_row(sighting: Sighting, row: int) -> Sighting:
    """The sighting on one input alone."""
    matrix = matrix_of(sighting)
    if not 0 <= row < matrix.shape[0]:
        raise OptionError(f"batch must be from 0 to {matrix.shape[0] - 1}, got {row}")
    value = None if sighting.value is None else sighting.value[row : row + 1]
    return replace(
        sighting, matrix=matrix.select(batch=[row]), value=value, output=None, summary=None
    )


def matrix_of(sighting: Sighting) -> AttentionMatrix:
    """Its matrix. Raises: NotKept: if the tape has statistics only."""
    if sighting.matrix is None:
        raise NotKept(
            f"the tape holds no queries and keys of {sighting.site.name!r}: watch with "
            "Keep(matrix=True) to see its heads"
        )
    return sighting.matrix


def _lengths(sightings: Sequence[Sighting]) -> dict[int, int]:
    """Positions of the sequences that are looked at -> those of them that somebody sees."""
    own = [matrix_of(one) for one in sightings if one.site.kind == "self"]
    found: dict[int, int] = {}
    for matrix in own or [matrix_of(one) for one in sightings]:
        keys = matrix.shape[3]
        if found.get(keys, 0) < keys:
            found[keys] = max(found.get(keys, 0), _seen(matrix))
    return found


def _seen(matrix: AttentionMatrix) -> int:
    """One past the last key that some query sees; block by block, never Q x K at once.

    By the scores, since padding may be hidden by a mask or by a bias of minus infinity.
    """
    queries, keys = matrix.shape[2], matrix.shape[3]
    if queries != keys or (matrix.mask is None and matrix.bias is None):
        return keys
    last = 0
    # From the end: where every key is seen, also under a causal mask, one block tells.
    for stop in range(queries, 0, -_ROWS):
        with torch.no_grad():
            block = matrix.scores(rows=slice(max(stop - _ROWS, 0), stop))
        places = block.isfinite().flatten(0, 2).any(0).nonzero()
        last = max(last, int(places[-1]) + 1 if len(places) else 0)
        if last == keys:
            break
    return last or keys


def _listed(numbers: Iterable[int]) -> str:
    """Some numbers in words, a long row of them as its ends."""
    row = sorted(set(numbers))
    if len(row) > 4 and row == list(range(row[0], row[-1] + 1)):
        return f"{row[0]} to {row[-1]}"
    return " or ".join(map(str, row)) or "none"
