"""A look made small enough for a cell: coarser pictures first, then fewer heads; always said."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from zhuyi.ui.looked import HeadPicture, Looked
from zhuyi.ui.notebook.picturing import Pictured
from zhuyi.ui.view.archive import MemoryArchive, TrackIndex, archive_of
from zhuyi.ui.view.detail import Detail
from zhuyi.ui.view.document import moment_of, track_pack
from zhuyi.ui.view.pictures import best_first

_SMALLEST = 16  # dots of a picture's side, below which it shows nothing
_PLAIN = 32  # dots of a side to which pictures give way, so that heads in full have half the room
_BLOCK = 160  # characters around a pack in a page
_ENTRY = 250  # characters of a track in the index


@dataclass(frozen=True, kw_only=True)
class Fitted:
    """What fits.

    Args:
        archive: the packs.
        shown, heads: heads with a picture, and heads there are.
        full: heads that can be opened in full.
        inputs, given: inputs inside, and inputs there are.
    """

    archive: MemoryArchive
    shown: int
    heads: int
    full: int
    inputs: int
    given: int


def fit(inputs: Sequence[Pictured], *, title: str, room: int) -> Fitted:
    """As much of some inputs as fits: pictures of heads first, heads in full with what is left.

    Args:
        inputs: what there is to show, in order.
        title: of the whole.
        room: characters of base64 that the packs may take; the first input always stays.
    """
    if len(inputs) == 1:
        return _one(inputs[0], room)
    packs: dict[str, bytes] = {}
    tracks: list[TrackIndex] = []
    for number, one in enumerate(inputs):
        ours = {
            f"track/{number}": track_pack(one.looked),
            f"moment/{number}/0": moment_of(one.looked).joined(),
        }
        cost = sum(map(_characters, ours.values())) + _ENTRY + 6 * len(one.name.encode())
        if cost > room and tracks:
            break
        room -= cost
        packs |= ours
        tracks.append(TrackIndex(id=str(number), name=one.name, detailed=()))
    archive = MemoryArchive(title=title, tracks=tuple(tracks), packs=packs)
    return Fitted(archive=archive, shown=0, heads=0, full=0, inputs=len(tracks), given=len(inputs))


def _one(one: Pictured, room: int) -> Fitted:
    looked = _drawn_within(one.looked, room)
    left = room - _cost(looked)

    def detail_of(head: HeadPicture) -> Detail | None:
        detail = one.detail_of(head)
        if detail is not None and _characters_of(detail) > left:
            # Scores and weights of a long input alone, where its values do not fit as well.
            plain = {k: v for k, v in detail.arrays.items() if k not in ("value", "step")}
            detail = replace(detail, arrays=plain)
        return detail

    # Base64 takes four characters for three bytes.
    archive = archive_of(looked, detail_of, budget=max(0, left * 3 // 4 - _BLOCK))
    return Fitted(
        archive=archive,
        shown=len(looked.heads),
        heads=one.looked.heads_in_model,
        full=sum(name.startswith("detail/") for name in archive.packs),
        inputs=1,
        given=1,
    )


def _drawn_within(looked: Looked, room: int) -> Looked:
    """The look with pictures coarse enough, and heads few enough, to fit."""
    while 2 * _cost(looked) > room and _largest(looked) > _PLAIN:
        looked = replace(looked, heads=tuple(map(_coarser, looked.heads)))
    while _cost(looked) > room and _largest(looked) > _SMALLEST:
        looked = replace(looked, heads=tuple(map(_coarser, looked.heads)))
    while (cost := _cost(looked)) > room and len(looked.heads) > 1:
        keep = max(1, min(len(looked.heads) - 1, len(looked.heads) * max(room, 1) // cost))
        best = sorted(best_first(looked.heads)[:keep])
        looked = replace(looked, heads=tuple(looked.heads[index] for index in best))
    return looked


def _coarser(head: HeadPicture) -> HeadPicture:
    """Half as many dots a side, each the largest of what it stands for."""
    rows, columns = head.thumbnail.shape
    if max(rows, columns) <= _SMALLEST:
        return head
    return replace(head, thumbnail=_halved(_halved(head.thumbnail, 0), 1))


def _halved(dots: npt.NDArray[np.uint8], axis: int) -> npt.NDArray[np.uint8]:
    if dots.shape[axis] <= _SMALLEST:
        return dots
    starts = np.arange(0, dots.shape[axis], 2)
    halved: npt.NDArray[np.uint8] = np.maximum.reduceat(dots, starts, axis=axis)
    return halved


def _largest(looked: Looked) -> int:
    return max((max(head.thumbnail.shape) for head in looked.heads), default=0)


def _cost(looked: Looked) -> int:
    return _characters(track_pack(looked)) + _characters(moment_of(looked).joined())


def _characters(data: bytes) -> int:
    return 4 * (len(data) + 2) // 3 + _BLOCK


def _characters_of(detail: Detail) -> int:
    """From above: numbers in half precision deflate little."""
    return 4 * sum(array.nbytes for array in detail.arrays.values()) // 3
