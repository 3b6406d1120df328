"""TensorBoard's data provider as the reading needs it: bytes by run, tag and step.

Only the provider is used: with the fast loader TensorBoard gives a plug-in nothing else. It has
no way to ask for one step of a tag, so what was read is remembered as long as the tag has no newer
step; the last step alone can be had cheaply.
"""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final, Protocol, TypeVar

import numpy as np

from zhuyi.errors import InputError
from zhuyi.ui.tensorboard.memory import Memory
from zhuyi.ui.tensorboard.tags import PLUGIN

#: Steps of a tag to ask for where everything that the loader has kept is wanted.
ALL: Final = 1_000_000
#: Bytes that answers may take in memory.
ROOM: Final = 256 << 20

Version = tuple[int, float]
"""Last step and wall time of a tag: a newer one means that its steps have changed."""


class Provider(Protocol):
    """What we use of `tensorboard.data.provider.DataProvider`."""

    def list_tensors(self, ctx: Any, **which: Any) -> Any:
        """run -> tag -> last step and time."""
        ...

    def read_tensors(self, ctx: Any, **which: Any) -> Any:
        """run -> tag -> steps with arrays."""
        ...

    def list_blob_sequences(self, ctx: Any, **which: Any) -> Any:
        """run -> tag -> last step and time."""
        ...

    def read_blob_sequences(self, ctx: Any, **which: Any) -> Any:
        """run -> tag -> steps with keys of blobs."""
        ...

    def read_blob(self, ctx: Any, *, blob_key: str) -> bytes:
        """One blob."""
        ...


@dataclass(frozen=True, kw_only=True)
class Tag:
    """What a listing says of one tag."""

    version: Version
    name: str = ""


@dataclass(frozen=True)
class Kept:
    """One step of a tag that TensorBoard has kept."""

    step: int
    time: float
    data: bytes


@dataclass(frozen=True)
class Blobs:
    """One step of a blob sequence: the keys by which its blobs are read."""

    step: int
    time: float
    keys: tuple[str, ...]


class Board:
    """Our data in TensorBoard, as one request sees it.

    Args:
        provider: TensorBoard's.
        memory: shared by all requests.
        context, experiment: as TensorBoard names the request's.
    """

    def __init__(
        self,
        provider: Provider,
        memory: Memory | None = None,
        *,
        context: object,
        experiment: str = "",
    ) -> None:
        self.provider = provider
        self.memory = Memory(ROOM) if memory is None else memory
        self.context = context
        self.experiment = experiment

    def tags(self) -> dict[str, dict[str, Tag]]:
        """Run -> tag -> what is said of it, tensors and blob sequences alike."""
        found: dict[str, dict[str, Tag]] = {}
        for listing in (self.provider.list_tensors, self.provider.list_blob_sequences):
            runs = listing(self.context, experiment_id=self.experiment, plugin_name=PLUGIN)
            for run, tags in (runs or {}).items():
                known = found.setdefault(run, {})
                for tag, one in tags.items():
                    version = int(one.max_step or 0), _time(one.max_wall_time)
                    known[tag] = Tag(version=version, name=str(one.display_name or ""))
        return found

    def series(self, run: str, tag: str, version: Version, most: int = ALL) -> dict[int, Kept]:
        """At most so many kept steps of a tensor tag, ascending, the last one among them."""
        return self.memory.get(
            ("steps", self.experiment, run, tag),
            (version, most),
            load=lambda: self._tensors(run, [tag], most).get(tag, {}),
            size=lambda kept: sum(len(one.data) + 200 for one in kept.values()),
        )

    def latest(self, run: str, tags: Mapping[str, Version]) -> dict[str, dict[int, Kept]]:
        """The last step of several tensor tags, in one request."""
        return self.memory.get(
            ("latest", self.experiment, run, *sorted(tags)),
            tuple(sorted(tags.items())),
            load=lambda: self._tensors(run, tags, 1),
            size=lambda kept: sum(len(x.data) + 200 for one in kept.values() for x in one.values()),
        )

    def blobs(self, run: str, tag: str, version: Version) -> dict[int, Blobs]:
        """Every kept step of a blob sequence, ascending; the blobs stay where they are."""
        return self.memory.get(
            ("blobs", self.experiment, run, tag),
            version,
            load=lambda: self._blobs(run, tag),
            size=lambda kept: sum(300 * len(one.keys) for one in kept.values()),
        )

    def blob(self, key: str) -> bytes:
        """One blob. Raises: InputError: if TensorBoard has dropped it since."""
        from tensorboard.errors import PublicError

        try:
            return self.provider.read_blob(self.context, blob_key=key)
        except (PublicError, KeyError, IndexError):
            raise InputError("TensorBoard has dropped this look by now") from None

    def _tensors(self, run: str, tags: Iterable[str], most: int) -> dict[str, dict[int, Kept]]:
        try:
            found = self.provider.read_tensors(self.context, **self._which(run, tags, most))
        except (TypeError, ValueError) as error:
            raise InputError(f"a tensor of {', '.join(tags)} is damaged: {error}") from None
        return {
            tag: _by_step(
                Kept(int(one.step), _time(one.wall_time), _bytes(one.numpy)) for one in data
            )
            for tag, data in (found or {}).get(run, {}).items()
        }

    def _blobs(self, run: str, tag: str) -> dict[int, Blobs]:
        which = self._which(run, [tag], ALL)
        found = self.provider.read_blob_sequences(self.context, **which) or {}
        return _by_step(
            Blobs(int(one.step), _time(one.wall_time), tuple(x.blob_key for x in one.values))
            for one in found.get(run, {}).get(tag, ())
        )

    def _which(self, run: str, tags: Iterable[str], most: int) -> dict[str, object]:
        from tensorboard.data.provider import RunTagFilter

        return {
            "experiment_id": self.experiment,
            "plugin_name": PLUGIN,
            "downsample": most,
            "run_tag_filter": RunTagFilter(runs=[run], tags=list(tags)),
        }


One = TypeVar("One", Kept, Blobs)


def _by_step(all_kept: Iterable[One]) -> dict[int, One]:
    """By ascending step; a step that was written twice is taken as it was written last."""
    ordered = sorted(all_kept, key=lambda one: (one.step, one.time))
    return {one.step: one for one in ordered}


def _time(seconds: float | None) -> float:
    """Seconds since 1970; 0 for what is none, since an event file may say anything."""
    return seconds if seconds is not None and math.isfinite(seconds) else 0.0


def _bytes(array: object) -> bytes:
    """A tensor's bytes; none where something else than bytes was written under our name."""
    if not isinstance(array, np.ndarray) or array.dtype != np.uint8:
        return b""
    return array.tobytes()
