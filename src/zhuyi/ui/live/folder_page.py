"""A folder of runs as one offline page, with as many steps as fit."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final

from zhuyi.errors import InputError
from zhuyi.ui.live.folder_archive import FolderArchive
from zhuyi.ui.view.archive import MemoryArchive, TrackIndex
from zhuyi.ui.view.pack import join, pack, split, unpack
from zhuyi.ui.view.page import BUDGET, page_of
from zhuyi.ui.view.series import series_pack

_BLOCK: Final = 160  # bytes that a pack costs in a page beside its own
_FOR_DETAILS: Final = 0.4  # share of the room that heads in full may take from the steps


def page_of_folder(path: str | Path, budget: int = BUDGET, title: str | None = None) -> str:
    """One page with the runs of a folder.

    Of each track as many steps are taken as fit, evenly thinned, the first and the last always;
    the view says how many of how many there are. Heads in full come from the last step backwards.

    Args:
        path: as for `FolderArchive`.
        budget: bytes the page may have. Where not even the first and last steps fit, it is larger.
        title: of the page; the folder's name when None.
    Raises: InputError: if there is no such folder, or no look in it.
    Cost:   reads every moment once, to know its size.
    """
    archive = FolderArchive(path, title)
    tracks = archive.tracks()
    if not tracks:
        raise InputError(f"{path} has no looks: log some with AttentionLogger({str(path)!r}, ...)")
    bare = page_of(MemoryArchive(title=archive.title, tracks=(), packs={}))
    room = int((budget - len(bare.encode())) * 3 / 4) // len(tracks)  # base64: 4 bytes for 3
    packs: dict[str, bytes] = {}
    kept = []
    for track in tracks:
        choice = _chosen(archive, track, room)
        packs.update(choice.packs)
        kept.append(choice.track)
    return page_of(MemoryArchive(title=archive.title, tracks=tuple(kept), packs=packs))


def evenly(count: int, most: int) -> list[int]:
    """At most `most` of `count` places, evenly spread, the first and the last among them.

    Example:
        >>> evenly(10, 4)
        [0, 3, 6, 9]
    """
    if count <= most:
        return list(range(count))
    if most < 2:
        return [count - 1][:most]
    return [round(i * (count - 1) / (most - 1)) for i in range(most)]


@dataclass
class _Choice:
    """What the page has of one track."""

    track: TrackIndex
    packs: dict[str, bytes] = field(default_factory=dict)


def _chosen(archive: FolderArchive, track: TrackIndex, room: int) -> _Choice:
    packs = {f"track/{track.id}": archive.ask(f"track/{track.id}")}
    moments = {step: archive.ask(f"moment/{track.id}/{step}") for step in track.steps}
    room -= sum(len(one) + _BLOCK for one in packs.values())
    share = _FOR_DETAILS if track.detailed else 0.0
    # A series costs about a twelfth of the moments it is read from.
    steps = _fitting(track.steps, moments, int((1 - share) * room * 0.92))
    packs[f"series/{track.id}"] = series_pack((step, split(moments[step])) for step in steps)
    left = room - sum(len(one) + _BLOCK for one in packs.values())
    left -= sum(len(moments[step]) + _BLOCK for step in steps)
    details = dict(_details(archive, track, steps, left))
    for step in steps:
        kept = details.get(step, {})
        packs[f"moment/{track.id}/{step}"] = _naming(moments[step], list(kept))
        packs |= {f"detail/{track.id}/{step}/{entry}": one for entry, one in kept.items()}
    index = replace(
        track,
        steps=tuple(steps),
        times=tuple(track.times[track.steps.index(step)] for step in steps),
        detailed=tuple(step for step in steps if details.get(step)),
    )
    return _Choice(index, packs)


def _fitting(steps: Sequence[int], moments: dict[int, bytes], room: int) -> list[int]:
    """The most steps that fit: halving finds it, as more steps take more room."""
    low, high = 2, len(steps)
    while low < high:
        middle = (low + high + 1) // 2
        size = sum(len(moments[steps[place]]) + _BLOCK for place in evenly(len(steps), middle))
        low, high = (middle, high) if size <= room else (low, middle - 1)
    return [steps[place] for place in evenly(len(steps), min(low, len(steps)))]


def _details(
    archive: FolderArchive, track: TrackIndex, steps: Sequence[int], room: int
) -> Iterator[tuple[int, dict[int, bytes]]]:
    """Per chosen step that has them, the heads in full that there is room for, latest first."""
    for step in sorted(set(steps) & set(track.detailed), reverse=True):
        kept: dict[int, bytes] = {}
        for entry, one in archive.details(track.id, step).items():
            if len(one) + _BLOCK <= room:
                room -= len(one) + _BLOCK
                kept[entry] = one
        yield step, kept


def _naming(moment: bytes, entries: list[int]) -> bytes:
    """The moment, which names the heads in full that the page has."""
    head, *layers = split(moment)
    header, arrays = unpack(head)
    if header.get("details") == sorted(entries):
        return moment
    return join([pack({**header, "details": sorted(entries)}, arrays), *layers])
