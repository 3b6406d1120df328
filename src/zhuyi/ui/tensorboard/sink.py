"""A sink that writes looks into event files, beside everything else TensorBoard shows.

Written with TensorBoard's own records, never TensorFlow. Scalars and pictures are ordinary ones,
so people without the plug-in see them too.
"""

import atexit
import json
import sys
import time
from collections.abc import Mapping
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from zhuyi.errors import BackendUnavailable, InputError, OptionError
from zhuyi.ui.live.overview import png_of
from zhuyi.ui.tensorboard.tags import (
    CONTENT,
    FOLDER,
    PLUGIN,
    details_tag,
    layer_tag,
    moment_tag,
    parse,
    track_tag,
)

if TYPE_CHECKING:
    from zhuyi.ui.live.sinks import Rgb
    from zhuyi.ui.view.document import Moment

_QUEUE = 20  # records that may wait for the writing thread
_FLUSH = 10  # seconds until what was written is in the file


class SummaryWriter(Protocol):
    """The writer of `torch.utils.tensorboard` or of `tensorboardX`."""

    # Both have no public way to hand over a summary of one's own.
    def _get_file_writer(self) -> Any: ...


class TensorBoardSink:
    """Looks as summaries in an event file.

    Args:
        target: the folder of a run, or the `SummaryWriter` that the training writes to already.
            A folder gets a sub-folder "attention", a run of its own in TensorBoard: its slow loader
            follows one event file a folder, so two writers in one folder would lose one of them.
            A writer is left open by `close`.

    Raises: BackendUnavailable: if tensorboard is not installed.
            InputError: if the folder cannot be written.
            OptionError: if the target is neither.
    Cost:   about 5 ms of a writing thread per 60 kB (TensorBoard's checksums are plain Python).
    Not:    complete once TensorBoard reads it: it keeps a random part of the looks, see `reading`.

    Example:
        >>> import tempfile
        >>> from pathlib import Path
        >>> folder = tempfile.mkdtemp()
        >>> sink = TensorBoardSink(folder)
        >>> sink.scalars(3, {"attention/layer_00/reach": 7.5})
        >>> sink.close()
        >>> [path.name[:19] for path in Path(folder, "attention").iterdir()]
        ['events.out.tfevents']
    """

    def __init__(self, target: "str | PathLike[str] | SummaryWriter") -> None:
        try:
            from tensorboard.compat.proto import event_pb2, summary_pb2, tensor_pb2, types_pb2
            from tensorboard.summary.writer.event_file_writer import EventFileWriter
        except ImportError as error:
            raise BackendUnavailable(
                f"event files need tensorboard ({error}): pip install 'zhuyi[tensorboard]'"
            ) from None
        self._event, self._summary = event_pb2.Event, summary_pb2
        self._tensor, self._types = tensor_pb2.TensorProto, types_pb2
        self._told: set[str] = set()
        self._last: dict[str, Moment] = {}
        self._closed = False
        if isinstance(target, str | PathLike):
            try:
                self._own = EventFileWriter(str(Path(target) / FOLDER), _QUEUE, _FLUSH)
            except (OSError, ValueError) as error:  # ValueError: TensorBoard's paths are UTF-8
                raise InputError(f"cannot write looks to {str(target)!r}: {error}") from None
            self._borrowed = None
            # A training that ends by an error, or forgets to close, keeps its last looks too.
            atexit.register(self.close)
        elif callable(getattr(target, "_get_file_writer", None)):
            self._own, self._borrowed = None, target
        else:
            raise OptionError(
                "a TensorBoard sink writes to a folder or a SummaryWriter of torch or tensorboardX,"
                f" got {type(target).__name__}: pass one of these"
            )

    def track(self, id: str, name: str, pack: bytes) -> None:
        """Begin a track. Raises: InputError: for an id that no tag can have."""
        if parse(track_tag(id)) is None:
            raise InputError(f"a track's id must be 1 to 64 of A-Z a-z 0-9 _ -, got {id!r}")
        self._last.pop(id, None)
        # Half an emoji, cut by a tokenizer, cannot be written.
        text = name.encode("utf-8", "replace").decode("utf-8")
        self._add(0, None, [self._packed(track_tag(id), pack, text)])

    def moment(self, id: str, moment: "Moment") -> None:
        """Keep one look: one record with all its layers, so that no part can be cut off.

        Raises: InputError: for a step below 0, which TensorBoard does not know.
        """
        if moment.step < 0:
            raise InputError(f"a step must not be negative, got {moment.step}")
        values = [self._packed(moment_tag(id), moment.head)]
        values += [
            self._packed(layer_tag(id, layer), pack)
            for layer, pack in sorted(moment.layers.items())
        ]
        self._last[id] = moment
        self._add(moment.step, moment.time or None, values)

    def details(self, id: str, step: int, packs: Mapping[int, bytes]) -> None:
        """Keep heads in full, with the moment they belong to."""
        last = self._last.get(id)
        if last is None or last.step != step:
            raise OptionError(f"details of step {step} must follow the moment of step {step}")
        entries = sorted(packs)
        blobs = [json.dumps(entries).encode(), last.joined(), *(packs[one] for one in entries)]
        shape = {"dim": [{"size": len(blobs)}]}
        tensor = self._tensor(dtype=self._types.DT_STRING, tensor_shape=shape, string_val=blobs)
        value = self._value(details_tag(id), tensor, self._summary.DATA_CLASS_BLOB_SEQUENCE)
        self._add(step, last.time or None, [value])

    def scalars(self, step: int, values: Mapping[str, float]) -> None:
        """Keep numbers, as ordinary scalars."""
        value = self._summary.Summary.Value
        self._add(step, None, [value(tag=k, simple_value=float(v)) for k, v in values.items()])

    def image(self, step: int, name: str, rgb: "Rgb") -> None:
        """Keep a picture, as an ordinary image."""
        image = self._summary.Summary.Image(
            height=rgb.shape[0],
            width=rgb.shape[1],
            colorspace=3,
            encoded_image_string=png_of(rgb),
        )
        self._add(step, None, [self._summary.Summary.Value(tag=name, image=image)])

    def close(self) -> None:
        """Write what is left; a borrowed writer stays open."""
        if self._closed:
            return
        self._closed = True
        if self._own is not None:
            atexit.unregister(self.close)
            self._own.close()
        elif self._borrowed is not None:
            self._borrowed._get_file_writer().flush()

    def _packed(self, tag: str, data: bytes, name: str = "") -> Any:
        tensor = self._tensor(
            dtype=self._types.DT_UINT8,
            tensor_shape={"dim": [{"size": len(data)}]},
            tensor_content=data,
        )
        return self._value(tag, tensor, self._summary.DATA_CLASS_TENSOR, name)

    def _value(self, tag: str, tensor: Any, data_class: int, name: str = "") -> Any:
        """One value; what it is stands with the first of its tag, as the format wants it."""
        value = self._summary.Summary.Value(tag=tag, tensor=tensor)
        if tag not in self._told:
            self._told.add(tag)
            # Without a data class both loaders leave a plug-in's tag out.
            value.metadata.data_class = data_class
            value.metadata.display_name = name
            value.metadata.plugin_data.plugin_name = PLUGIN
            value.metadata.plugin_data.content = CONTENT
        return value

    def _add(self, step: int, at: float | None, values: list[Any]) -> None:
        now = time.time() if at is None else at
        summary = self._summary.Summary(value=values)
        event = self._event(wall_time=now, step=step, summary=summary)
        if self._own is not None:
            self._own.add_event(event)
        elif self._borrowed is not None:
            writer = self._borrowed._get_file_writer()
            writer.add_event(_as_its_own(event, writer), step, now)


def _as_its_own(event: Any, writer: Any) -> Any:
    """The event as the writer's package knows events: tensorboardX has compiled its own."""
    package = type(writer).__module__.partition(".")[0]
    own = sys.modules.get(f"{package}.proto.event_pb2")
    return event if own is None else own.Event.FromString(event.SerializeToString())
