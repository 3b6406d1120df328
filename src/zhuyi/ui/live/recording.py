"""Write looks into sinks: the track once, then a moment a look, heads in full where asked."""

import re
import time
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from typing import Final

from zhuyi.errors import InputError
from zhuyi.ui.live.overview import overview
from zhuyi.ui.live.sinks import Sink
from zhuyi.ui.looked import Looked
from zhuyi.ui.view.archive import DetailOf, details_within
from zhuyi.ui.view.document import moment_of, track_pack

#: Bytes of heads in full at a step that has them.
KEEP: Final = 1_000_000
_MEANS: Final = ("reach", "distance", "first")


class Recorder:
    """Writes looks into sinks.

    Args:
        sinks: where they go.
        keep: bytes that the heads in full of one step may take, all tracks together; best first.

    Example:
        >>> from zhuyi.ui.live import FolderSink
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     Recorder([FolderSink(folder)]).scalars(0, {"loss": 0.5})
    """

    def __init__(self, sinks: Sequence[Sink], *, keep: int = KEEP) -> None:
        self.sinks = tuple(sinks)
        self._keep = keep
        self._heads: dict[str, int] = {}
        self._written: dict[str, int] = {}
        self._steps: dict[str, int] = {}

    def look(
        self,
        id: str,
        name: str,
        looked: Looked,
        *,
        step: int,
        detail_of: DetailOf | None = None,
        share: float = 1.0,
    ) -> None:
        """Write one look at one input.

        Args:
            id: of the track, letters, digits, "_" and "-"; looks with the same id are one track.
            name: what a person calls the input.
            looked: what was found; the heads and units must be those of the track's first look.
            step: of the training. A step that comes again replaces the one before.
            detail_of: gives one head in full; None writes none.
            share: of the bytes for heads in full that this track may take.
        Raises: InputError: if a sink cannot be written, or the number of heads changed.
        """
        known = self._heads.get(id)
        if known is None:
            pack = track_pack(looked)
            for sink in self.sinks:
                sink.track(id, name, pack)
            self._heads[id] = len(looked.heads)
        elif known != len(looked.heads):
            raise InputError(
                f"track {id!r} must have {known} heads, got {len(looked.heads)}: a "
                "probe may not change its shape while it is watched"
            )
        found = {}
        if detail_of is not None:
            found = details_within(looked, detail_of, int(self._keep * share))
        if self._steps.get(id) != step:
            self._steps[id] = step
            self._written[id] = self._written.get(id, 0) + 1
        moment = moment_of(
            looked,
            step=step,
            time=time.time(),
            details={entry: detail for entry, (detail, _) in found.items()},
            written=self._written[id],
            compact=True,
        )
        for sink in self.sinks:
            sink.moment(id, moment)
            if found:
                sink.details(id, step, {entry: pack for entry, (_, pack) in found.items()})

    def scalars(self, step: int, values: Mapping[str, float]) -> None:
        """Write numbers."""
        for sink in self.sinks:
            sink.scalars(step, values)

    def overview(self, step: int, looks: Mapping[str, Looked]) -> None:
        """Write the small pictures of all heads as an image: name of the input -> its look."""
        for number, looked in enumerate(looks.values()):
            name = "attention/heads" if len(looks) == 1 else f"attention/heads_{number}"
            picture = overview(looked.heads)
            for sink in self.sinks:
                sink.image(step, name, picture)

    def close(self) -> None:
        """Close all sinks, also where one of them fails."""
        with ExitStack() as stack:
            for sink in self.sinks:
                stack.callback(sink.close)


def numbers_of(looks: Sequence[Looked]) -> dict[str, float]:
    """Few numbers that tell the course of a training, by name.

    Per layer, the mean over its heads and over the inputs of `reach` (tokens that a query looks
    at), `distance` (positions between a query and what it looks at) and `first` (share of the
    first position); and the probability of what was decided.
    """
    sums: dict[str, list[float]] = {}
    for looked in looks:
        for head in looked.heads:
            for name in _MEANS:
                key = f"attention/layer_{head.layer:02d}/{name}"
                sums.setdefault(key, []).append(head.statistics[name])
    numbers = {key: sum(values) / len(values) for key, values in sums.items()}
    for number, looked in enumerate(looks):
        if looked.probability is not None:
            name = "probability" if len(looks) == 1 else f"probability_{number}"
            numbers[f"attention/{name}"] = looked.probability
    return numbers


def plain_id(text: str) -> str:
    """A track's id from any text: what may stand in one, the rest as "_".

    Example:
        >>> plain_id("loan 7, age < 30")
        'loan_7_age_30'
    """
    return re.sub(r"[^A-Za-z0-9_-]+", "_", text)[:48].strip("_") or "0"
