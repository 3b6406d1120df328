"""The view's archive over what TensorBoard has read: tracks, kept steps, details.

TensorBoard keeps a random part of the steps of each tag (100 with the fast loader, 10 with the slow
one, all with `--samples_per_plugin zhuyi=0`), and ten detailed looks. No step is taken for granted:
the index lists what is there, and says how many looks were written.
"""

import hashlib
import json
import logging
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property, partial

from zhuyi.errors import InputError
from zhuyi.ui.tensorboard.board import ALL, Blobs, Board, Kept, Tag, Version
from zhuyi.ui.tensorboard.tags import details_tag, moment_tag, parse, track_tag
from zhuyi.ui.view.archive import TrackIndex, index_values
from zhuyi.ui.view.pack import join, split, unpack
from zhuyi.ui.view.series import SeriesRow, series_of_rows, series_row

_LOG = logging.getLogger(__name__)
_TITLE = "TensorBoard"
_LARGEST = 1 << 31  # steps of a series and numbers of looks stay below
_NUMBER = re.compile(r"[0-9]{1,18}")


@dataclass(frozen=True, kw_only=True)
class BoardTrack:
    """Where one track's tags are.

    Args:
        run: TensorBoard's run.
        track: the sink's id of the track.
        tags: tag -> what the listing says.
    """

    run: str
    track: str
    tags: dict[str, Tag]

    @cached_property
    def id(self) -> str:
        """What the view calls it: the same for the same run and track, whatever they contain."""
        said = json.dumps([self.run, self.track]).encode()
        return hashlib.blake2b(said, digest_size=12).hexdigest()

    @cached_property
    def layers(self) -> dict[str, Version]:
        """Tags of layers with their versions, by ascending layer."""
        found = [tag for tag in self.tags if (parse(tag) or ("", ""))[1].startswith("layer_")]
        return {tag: self.tags[tag].version for tag in sorted(found, key=lambda x: (len(x), x))}

    @property
    def version(self) -> tuple[tuple[str, Version], ...]:
        """Changes when anything of the track does."""
        return tuple(sorted((tag, one.version) for tag, one in self.tags.items()))


@dataclass(frozen=True, kw_only=True)
class BoardArchive:
    """All tracks of a TensorBoard, see `view.archive`.

    Args:
        board: TensorBoard's data as one request sees it.

    Cost: the index reads the small moment tensors of each track once, and again when there are new
        steps; a step reads its layers' tags, all kept steps of which stay in memory.
    Not:  everything that was logged, see above.
    """

    board: Board

    def index(self) -> dict[str, object]:
        """What there is; a track whose summaries are damaged is left out."""
        found = []
        for track in self._tracks().values():
            try:
                found.append(self._index_of(track))
            except InputError as error:
                _LOG.warning("zhuyi: track %s of run %s: %s", track.track, track.run, error)
        return index_values(_TITLE, found)

    def ask(self, name: str) -> bytes:
        """The bytes of a name. Raises: InputError: if there is nothing of that name."""
        kind, _, rest = name.partition("/")
        place, *numbers = rest.split("/")
        track = self._tracks().get(place)
        if track is None or not all(_NUMBER.fullmatch(one) for one in numbers):
            raise InputError(f"there is nothing called {name!r}")
        match kind, [int(one) for one in numbers]:
            case "track", []:
                return self._track_pack(track)
            case "series", []:
                return self._series(track)
            case "moment", [step]:
                return join(self._packs(track, step))
            case "detail", [step, entry]:
                return self._detail(track, step, entry)
        raise InputError(f"there is nothing called {name!r}")

    def _tracks(self) -> dict[str, BoardTrack]:
        """ID -> track, by run and name; what has no moment yet is left out."""
        found: dict[str, BoardTrack] = {}
        for run, tags in sorted(self.board.tags().items()):
            groups: dict[str, dict[str, Tag]] = {}
            for tag, one in tags.items():
                parsed = parse(tag)
                if parsed is not None:
                    groups.setdefault(parsed[0], {})[tag] = one
            for track, own in sorted(groups.items()):
                if track_tag(track) in own and moment_tag(track) in own:
                    one_track = BoardTrack(run=run, track=track, tags=own)
                    found[one_track.id] = one_track
        return found

    def _index_of(self, track: BoardTrack) -> TrackIndex:
        moments, details = self._moments(track), self._details(track)
        times = {step: one.time for step, one in (details | moments).items()}
        steps = sorted(times)
        return TrackIndex(
            id=track.id,
            run=track.run,
            name=track.tags[track_tag(track.track)].name or track.track,
            steps=tuple(steps),
            times=tuple(times[step] for step in steps),
            detailed=tuple(sorted(details)),
            written=max(len(steps), _written(moments)),
        )

    def _track_pack(self, track: BoardTrack) -> bytes:
        tag = track_tag(track.track)
        kept = self.board.latest(track.run, {tag: track.tags[tag].version}).get(tag, {})
        if not kept:
            raise InputError(f"TensorBoard has dropped the track {track.track}")
        return kept[max(kept)].data

    def _packs(self, track: BoardTrack, step: int) -> list[bytes]:
        """The moment's pack and its layers'; where layers of this step are missing, the others."""
        full, plain = self._details(track).get(step), self._moments(track).get(step)
        # One blob is less to read than all layers; but of a look that was written again, the slow
        # loader hands over the first blobs.
        if full is not None and (plain is None or full.time >= plain.time):
            return split(self._blob(track, full.keys[1]))
        if plain is None:
            raise InputError(f"step {step} of {track.track} is not among the kept steps")
        return [plain.data, *self._layers(track, step)]

    def _layers(self, track: BoardTrack, step: int) -> Iterator[bytes]:
        latest = self._latest(track)
        for tag, version in track.layers.items():
            kept = latest.get(tag, {})
            if step not in kept:
                kept = self._kept(track, tag, version)
            if step in kept and kept[step].data:
                yield kept[step].data

    def _detail(self, track: BoardTrack, step: int, entry: int) -> bytes:
        details = self._details(track)
        if step not in details:
            raise InputError(f"no heads of step {step} of {track.track} were kept in full")
        keys = details[step].keys
        entries = _entries(self._blob(track, keys[0]))
        if entry not in entries or entries.index(entry) + 2 >= len(keys):
            raise InputError(f"head {entry} was not kept in full at step {step}")
        return self.board.blob(keys[entries.index(entry) + 2])

    def _blob(self, track: BoardTrack, key: str) -> bytes:
        """A blob that is asked for again and again; the fast loader takes 50 ms for each."""
        version = track.tags[details_tag(track.track)].version
        load = partial(self.board.blob, key)
        return self.board.memory.get(("blob", key), version, load=load, size=len)

    def _series(self, track: BoardTrack) -> bytes:
        where = self.board.experiment, track.run, track.track
        memory = self.board.memory

        def rows() -> dict[int, tuple[float, SeriesRow]]:
            known: dict[int, tuple[float, SeriesRow]] = memory.peek(("rows", *where)) or {}
            return self._rows(track, known)

        def load() -> bytes:
            kept = memory.get(("rows", *where), track.version, load=rows, size=_row_bytes)
            return series_of_rows(row for _, row in kept.values())

        return memory.get(("series", *where), track.version, load=load, size=len)

    def _rows(
        self, track: BoardTrack, known: dict[int, tuple[float, SeriesRow]]
    ) -> dict[int, tuple[float, SeriesRow]]:
        """Per step its time and numbers; only what is not known is read."""
        found = {}
        times = {step: x.time for step, x in (self._details(track) | self._moments(track)).items()}
        for step, time in times.items():
            if step >= _LARGEST:
                continue
            if step in known and known[step][0] == time:
                found[step] = known[step]
                continue
            try:
                found[step] = time, series_row(step, self._packs(track, step))
            except InputError:
                continue  # whoever asks for this moment is told; the course of the others stands
        return found

    def _moments(self, track: BoardTrack) -> dict[int, Kept]:
        tag = moment_tag(track.track)
        return self._kept(track, tag, track.tags[tag].version)

    def _kept(self, track: BoardTrack, tag: str, version: Version) -> dict[int, Kept]:
        """A tag's steps; of a track that would fill the memory, evenly fewer in all its tags."""
        latest = self._latest(track).values()
        one_look = sum(len(one.data) for kept in latest for one in kept.values())
        most = min(ALL, max(2, self.board.memory.room // 2 // max(1, one_look)))
        return self.board.series(track.run, tag, version, most)

    def _latest(self, track: BoardTrack) -> dict[str, dict[int, Kept]]:
        """The last step of every layer: what a tab that opens shows, without reading the others."""
        return self.board.latest(track.run, track.layers) if track.layers else {}

    def _details(self, track: BoardTrack) -> dict[int, Blobs]:
        tag = details_tag(track.track)
        if tag not in track.tags:
            return {}
        found = self.board.blobs(track.run, tag, track.tags[tag].version)
        return {step: one for step, one in found.items() if len(one.keys) >= 2}


def _written(moments: dict[int, Kept]) -> int:
    """Looks that were logged, as the last one says."""
    if not moments:
        return 0
    try:
        header, _ = unpack(moments[max(moments)].data)
    except InputError:
        return 0
    count = header.get("written")
    return count if isinstance(count, int) and 0 <= count < _LARGEST else 0


def _row_bytes(rows: dict[int, tuple[float, SeriesRow]]) -> int:
    return sum(row.statistics.nbytes + row.values.nbytes + 500 for _, row in rows.values())


def _entries(blob: bytes) -> list[int]:
    """The heads of a blob sequence, in its order."""
    try:
        found = json.loads(blob)
    except ValueError:
        found = None
    if not isinstance(found, list) or not all(type(one) is int for one in found):
        raise InputError("the list of heads in the event file is damaged")
    return found
