"""From what a person has (a folder, a writer, a run of a tracker) to sinks."""

import sys
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final, TypeAlias

from zhuyi.errors import OptionError
from zhuyi.ui.live.folder import FolderSink
from zhuyi.ui.live.loggers import LogSink, MlflowSink
from zhuyi.ui.live.sinks import Sink

Target: TypeAlias = Any
"""A folder, a `SummaryWriter`, the `mlflow` module, a tracker's run, a `Sink`, or some of these."""

_SINK: Final = ("track", "moment", "details", "scalars", "image", "close")
_WRITER: Final = ("add_scalar", "add_image", "flush")
_MLFLOW: Final = ("active_run", "log_metrics", "log_text")


def open_sinks(target: Target) -> tuple[Sink, ...]:
    """The sinks that a target means.

    | target | sink |
    |---|---|
    | a folder | `TensorBoardSink` where tensorboard is installed, else `FolderSink`, and says so |
    | a `SummaryWriter` | `TensorBoardSink`, into its event file |
    | the module `mlflow` | `MlflowSink` |
    | has `log(values, step=...)` | `LogSink`, numbers only |
    | has the methods of `Sink` | itself |
    | a list of these | all of them |

    Raises: OptionError: for anything else. InputError: if a folder cannot be written.
    """
    if isinstance(target, str | Path):
        return (_of_folder(target),)
    if isinstance(target, Sequence):
        return tuple(sink for one in target for sink in open_sinks(one))
    if _has(target, _SINK):
        sink: Sink = target
        return (sink,)
    if _has(target, _WRITER):
        from zhuyi.ui.tensorboard.sink import TensorBoardSink

        return (TensorBoardSink(target),)
    if type(target).__name__ == "MlflowClient":
        raise OptionError("an MlflowClient does not say which run: pass MlflowSink(client, "
                          "run_id=...)")  # fmt: skip
    if _has(target, _MLFLOW):
        return (MlflowSink(target),)
    if _has(target, ("log",)):
        return (LogSink(target),)
    raise OptionError(
        "looks go to a folder, a SummaryWriter, the mlflow module, something with "
        f"log(values, step=...), a Sink, or a list of these; got {type(target).__name__}"
    )


def _of_folder(path: str | Path) -> Sink:
    if find_spec("tensorboard") is None:
        print(
            f"zhuyi: tensorboard is not installed, so looks are plain files in {path}/zhuyi: "
            f"see them with `zhuyi serve --logdir {path}`",
            file=sys.stderr,
        )
        return FolderSink(path)
    from zhuyi.ui.tensorboard.sink import TensorBoardSink

    return TensorBoardSink(path)


def _has(target: object, names: Sequence[str]) -> bool:
    return all(callable(getattr(target, name, None)) for name in names)
