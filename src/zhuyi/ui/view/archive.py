"""Where a view gets its bytes: an index, and packs by name.

    index()                  JSON values, see `index_values`
    ask("track/ID")          the track's pack
    ask("moment/ID/STEP")    the moment's packs, joined
    ask("detail/ID/STEP/N")  the pack of head N of the track
    ask("series/ID")         one pack with numbers of every step, see `view.series`

A host answers one name more, whatever its archive: "words/zh", the view's Chinese sentences
(`handed_over`).

A page has them inside, TensorBoard reads them from its event files, a notebook and a server hand
them on; the view asks all of them alike. IDs are letters, digits, "_" and "-".
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from zhuyi.errors import InputError
from zhuyi.ui.looked import HeadPicture, Looked
from zhuyi.ui.view.detail import Detail
from zhuyi.ui.view.document import SCHEMA, detail_pack, moment_of, track_pack
from zhuyi.ui.view.pictures import best_first
from zhuyi.ui.view.words import CHINESE, words_pack

DetailOf = Callable[[HeadPicture], Detail | None]


@dataclass(frozen=True, kw_only=True)
class TrackIndex:
    """What the index says of one track.

    Args:
        id: by which it is asked for.
        run: name of the run, "" where there is only one.
        name: of the probe's input.
        steps: steps that can be asked for, ascending.
        times: seconds since 1970, one a step.
        detailed: steps with details of heads.
        written: looks that were logged; more than there are steps where sampling dropped some.
    """

    id: str
    run: str = ""
    name: str = ""
    steps: tuple[int, ...] = (0,)
    times: tuple[float, ...] = (0.0,)
    detailed: tuple[int, ...] = (0,)
    written: int = 1


class Archive(Protocol):
    """Whatever has tracks to show."""

    def index(self) -> dict[str, object]:
        """What there is, as `index_values` puts it."""
        ...

    def ask(self, name: str) -> bytes:
        """The bytes of a name. Raises: InputError: if there is nothing of that name."""
        ...


def handed_over(archive: Archive, name: str) -> bytes:
    """What a host answers. Raises: InputError: if there is nothing of that name."""
    return words_pack() if name == CHINESE else archive.ask(name)


def index_values(title: str, tracks: Sequence[TrackIndex]) -> dict[str, object]:
    """The index as JSON values."""
    return {
        "schema": SCHEMA,
        "title": title,
        "tracks": [
            {
                "id": one.id,
                "run": one.run,
                "name": one.name,
                "steps": list(one.steps),
                "times": list(one.times),
                "detailed": list(one.detailed),
                "written": one.written,
            }
            for one in tracks
        ],
    }


@dataclass(frozen=True, kw_only=True)
class MemoryArchive:
    """An archive of packs that are there already.

    Args:
        title: of the whole.
        tracks: what the index says.
        packs: name -> bytes.
    """

    title: str
    tracks: tuple[TrackIndex, ...]
    packs: dict[str, bytes] = field(repr=False)

    def index(self) -> dict[str, object]:
        """What there is."""
        return index_values(self.title, self.tracks)

    def ask(self, name: str) -> bytes:
        """The bytes of a name. Raises: InputError: if there is nothing of that name."""
        if name not in self.packs:
            raise InputError(f"there is nothing called {name!r}")
        return self.packs[name]


def archive_of(looked: Looked, detail_of: DetailOf, *, budget: int) -> MemoryArchive:
    """One look as an archive.

    Args:
        looked: what was found.
        detail_of: gives one head's details, or None where it has none; called best heads first
            until the budget is used up.
        budget: bytes that the details' packs may take.
    """
    chosen = details_within(looked, detail_of, budget)
    packs = {"track/0": track_pack(looked)}
    packs |= {f"detail/0/0/{index}": packed for index, (_, packed) in chosen.items()}
    details = {index: detail for index, (detail, _) in chosen.items()}
    packs["moment/0/0"] = moment_of(looked, details=details).joined()
    track = TrackIndex(id="0", detailed=(0,) if details else ())
    return MemoryArchive(title=looked.model, tracks=(track,), packs=packs)


def details_within(
    looked: Looked, detail_of: DetailOf, budget: int
) -> dict[int, tuple[Detail, bytes]]:
    """Heads in full, best first, whose packs together take no more than `budget` bytes.

    Returns: place of the head -> its details and their pack.
    """
    found: dict[int, tuple[Detail, bytes]] = {}
    left, cheapest = budget, 0
    for index in best_first(looked.heads):
        if left <= 0 or cheapest > left:
            break  # equal shapes cost about the same, so the next would not fit either
        detail = detail_of(looked.heads[index])
        if detail is None:
            continue
        packed = detail_pack(index, detail)
        cheapest = min(cheapest or len(packed), len(packed))
        if len(packed) <= left:
            left -= len(packed)
            found[index] = (detail, packed)
    return found
