"""A folder of runs to serve: made-up looks, written by the real sinks."""

import time
from dataclasses import replace
from pathlib import Path

from tests.ui.synthetic import details, synthetic_look
from zhuyi.ui.live.folder import FolderSink
from zhuyi.ui.live.sinks import Sink
from zhuyi.ui.view.document import detail_pack, moment_of, track_pack
from zhuyi.ui.view.page import bundle

STEPS = (0, 50, 100)
VIEW = bundle()  # read once: it may be built anew while tests run
TEXT = "<img src=x onerror=window.stolen=1>"


def write_run(sink: Sink, steps: tuple[int, ...] = STEPS, label: str | None = None) -> None:
    """Two layers of two heads on 12 tokens, the last step in full."""
    looked, matrices, values = synthetic_look(layers=2, heads=2, length=12, width=8, label=label)
    found = {
        index: detail
        for index, head in enumerate(looked.heads)
        if (detail := details(matrices, values)(head)) is not None
    }
    sink.track("probe", "a probe", track_pack(looked))
    for place, step in enumerate(steps):
        last = step == steps[-1]
        probability = 0.5 + 0.4 * place / len(steps)
        moment = moment_of(
            replace(looked, probability=probability),
            step=step,
            time=time.time(),
            details=found if last else None,
            written=place + 1,
            compact=True,
        )
        sink.moment("probe", moment)
        if last:
            sink.details("probe", step, {i: detail_pack(i, one) for i, one in found.items()})
    sink.close()


def logdir_at(root: Path, *runs: str) -> Path:
    """A folder with runs of plain files."""
    for run in runs or ("a",):
        write_run(FolderSink(root / run))
    return root
