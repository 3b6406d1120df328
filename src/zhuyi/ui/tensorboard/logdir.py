"""A folder of event files as an archive, without a TensorBoard that runs."""

from pathlib import Path

from zhuyi.errors import BackendUnavailable, InputError
from zhuyi.ui.tensorboard.board import ROOM, Board
from zhuyi.ui.tensorboard.memory import Memory
from zhuyi.ui.tensorboard.reading import BoardArchive
from zhuyi.ui.tensorboard.tags import PLUGIN


class LogdirArchive:
    """All tracks in the event files below a folder, see `view.archive`; every look is kept.

    Args:
        path: the folder that would be given to `tensorboard --logdir`.

    Raises: BackendUnavailable: if tensorboard is not installed.
            InputError: if there is no such folder.
    Cost:   reading takes about 10 s for 100 MB (TensorBoard's checksums are plain Python), and what
        was read stays in memory.
    """

    def __init__(self, path: Path) -> None:
        try:
            from tensorboard.backend.event_processing.data_provider import MultiplexerDataProvider
            from tensorboard.backend.event_processing.plugin_event_multiplexer import (
                EventMultiplexer,
            )
            from tensorboard.context import RequestContext
        except ImportError as error:
            raise BackendUnavailable(
                f"event files need tensorboard ({error}): pip install 'zhuyi[tensorboard]'"
            ) from None
        if not path.is_dir():
            raise InputError(f"there is no folder {path}")
        self._path = path
        # Other plug-ins' tensors are of no use here: one of each is kept.
        self._multiplexer = EventMultiplexer(
            size_guidance={"tensors": 1}, tensor_size_guidance={PLUGIN: 0}
        )
        provider = MultiplexerDataProvider(self._multiplexer, str(path))
        board = Board(provider, Memory(ROOM), context=RequestContext())
        self._archive = BoardArchive(board=board)

    def index(self) -> dict[str, object]:
        """What there is by now: new events are read first."""
        self._multiplexer.AddRunsFromDirectory(str(self._path))
        self._multiplexer.Reload()
        return self._archive.index()

    def ask(self, name: str) -> bytes:
        """The bytes of a name. Raises: InputError: if there is nothing of that name."""
        return self._archive.ask(name)
