"""Trainings written for tests, exactly known, and TensorBoards that show them."""

import json
import re
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from tests.ui.synthetic import details, synthetic_look
from zhuyi.ui.looked import Looked
from zhuyi.ui.tensorboard.sink import TensorBoardSink
from zhuyi.ui.view.archive import Archive
from zhuyi.ui.view.detail import Detail
from zhuyi.ui.view.document import Moment, detail_pack, moment_of, track_pack

EVIL = "</script><img src=x onerror=window.stolen=1>"


def at(look: int) -> float:
    """When the looks are said to have been, in seconds since 1970."""
    return 1.7e9 + 60 * look


@dataclass
class Written:
    """What was given to the sink, to be compared with what comes back."""

    track: bytes
    moments: dict[int, bytes] = field(default_factory=dict)
    details: dict[int, dict[int, bytes]] = field(default_factory=dict)


@dataclass(frozen=True)
class Looks:
    """One look that is written again and again, with other numbers at every step."""

    looked: Looked
    details: dict[int, Detail]

    def moment(self, step: int, *, written: int, detailed: bool = False) -> Moment:
        chance = 1 / (1 + step / 100)
        values = tuple(value * chance for value in self.looked.values)
        changed = replace(self.looked, probability=chance, values=values)
        full = self.details if detailed else None
        return moment_of(
            changed, step=step, time=at(written), written=written, details=full, compact=True
        )


def looks(label: str | None = None, length: int = 12) -> Looks:
    """2 layers of 3 heads; two heads in full."""
    looked, matrices, values = synthetic_look(
        layers=2, heads=3, length=length, width=8, label=label
    )
    all_details = details(matrices, values)
    full = {index: all_details(looked.heads[index]) for index in (4, 1)}
    return Looks(looked, {index: one for index, one in full.items() if one is not None})


def write(
    target: Any,
    steps: Sequence[int],
    *,
    detailed: Sequence[int] = (),
    what: Looks | None = None,
    name: str = "a probe",
) -> Written:
    """A training with looks at these steps."""
    what = what or looks()
    written = Written(track=track_pack(what.looked))
    sink = TensorBoardSink(target)
    sink.track("input_0", name, written.track)
    for count, step in enumerate(steps, start=1):
        moment = what.moment(step, written=count, detailed=step in detailed)
        sink.moment("input_0", moment)
        written.moments[step] = moment.joined()
        if step in detailed:
            packs = {index: detail_pack(index, one) for index, one in what.details.items()}
            sink.details("input_0", step, packs)
            written.details[step] = packs
    sink.close()
    return written


def tracks_of(archive: Archive) -> list[dict[str, Any]]:
    """What an archive's index says of its tracks."""
    tracks: Any = archive.index()["tracks"]
    return list(tracks)


@contextmanager
def tensorboards(folder: Path, *flags: Sequence[str]) -> Iterator[list[str]]:
    """TensorBoards in processes of their own on free ports of this machine; their addresses."""
    command = [sys.executable, "-m", "tensorboard.main", "--logdir", str(folder)]
    command += ["--host", "127.0.0.1", "--port", "0", "--reload_interval", "1"]
    with ExitStack() as stack:
        started = []
        for own in flags:
            said = stack.enter_context(tempfile.TemporaryFile("w+"))
            process = subprocess.Popen([*command, *own], stdout=said, stderr=said)
            stack.callback(_end, process)
            started.append((said, process))
        yield [_address(*one) for one in started]


def _end(process: "subprocess.Popen[bytes]") -> None:
    process.terminate()
    process.wait(timeout=20)


def _address(said: Any, process: "subprocess.Popen[bytes]") -> str:
    for _ in range(600):
        said.seek(0)
        if found := re.search(r"http://[^ ]+", said.read()):
            return found[0]
        if process.poll() is not None:
            break
        time.sleep(0.1)
    said.seek(0)
    raise AssertionError(f"TensorBoard did not start: {said.read()}")


def get(url: str) -> bytes:
    """What an address answers."""
    with urllib.request.urlopen(url, timeout=30) as response:
        body: bytes = response.read()
    return body


def tracks_when(url: str, there: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
    """Run -> track of a TensorBoard's index, once it has read what is waited for."""
    for _ in range(300):
        index = json.loads(get(f"{url}data/plugin/zhuyi/index"))
        tracks = {track["run"]: track for track in index["tracks"]}
        if there(tracks):
            return tracks
        time.sleep(0.1)
    raise AssertionError(f"TensorBoard has not read what was written: {tracks}")
