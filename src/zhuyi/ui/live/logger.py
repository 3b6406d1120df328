"""`AttentionLogger`: watch a fixed probe on a schedule while a model trains."""

import sys
import warnings
from collections.abc import Callable
from types import TracebackType
from typing import Any, Final, Self

from torch import nn

from zhuyi.errors import OptionError
from zhuyi.trace.subject import Subject
from zhuyi.ui.live.glancing import Glance, Glances, NotFinite, glances_of
from zhuyi.ui.live.opening import Target, open_sinks
from zhuyi.ui.live.probe import Inputs, Probe, probe_of
from zhuyi.ui.live.recording import KEEP, Recorder, numbers_of
from zhuyi.ui.live.schedule import Doubling, Every
from zhuyi.ui.live.shades import coarser
from zhuyi.ui.live.untouched import untouched, writes_here

# What a model, a full disk or a tracker that cannot be reached may raise. Our own errors are
# among them; KeyboardInterrupt and assertions are not.
_FAILURES: Final = (
    RuntimeError, ValueError, TypeError, LookupError, AttributeError, ArithmeticError, OSError,
    MemoryError,
)  # fmt: skip


class AttentionLogger:
    """Looks at a probe every so many steps and writes what it sees where you can watch it.

    A look is one input, in evaluation mode, without gradients, after which the model's modes and
    torch's generators are as they were: training gives the same parameters, bit for bit, with the
    logger and without. Each look keeps small pictures and numbers of all heads; looks 1, 2, 4, 8,
    ... and the last also keep heads in full, from which every score, weight and result can be
    computed.

    Only the first process of a distributed training writes. The first look raises what is wrong
    with the set-up; a later one that fails warns once, and the training goes on.

    Args:
        where: a folder (TensorBoard's event files, or plain files where tensorboard is not
            installed), a `SummaryWriter`, the `mlflow` module, anything with
            `log(values, step=...)`, a `Sink`, or a list of these.
        probe: `(subject, batch)`, `(module, inputs)` or a `Probe`, which has more to choose.
        every: steps from one look to the next.
        keep: bytes of heads in full at a step that has them, best first; 0 for none.
        verify_every: looks from one test of the explanation to the next; None for none. A test
            costs hundreds of passes of the probe.
        verify_last: whether the last look's explanation is tested.

    Raises:
        OptionError: if an option or the probe's form is wrong.
        InputError: if a folder cannot be written.

    Cost:
        A look costs three to six passes of each input of the probe and one streamed pass over its
        heads: 0.25 s for an encoder of 10 million parameters and 72 heads at 128 tokens on one
        core. A thousand looks at 144 heads take 54 MB. On an accelerator, where steps are short,
        look less often: the heads are drawn on the CPU.

    Not:
        A proof. The verdict, where it was asked for, is about the probe's inputs only.

    Example:
        >>> import tempfile, torch
        >>> from zhuyi.ui.live import FolderArchive, FolderSink
        >>> model = nn.TransformerEncoderLayer(8, 2, 16, batch_first=True)
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     with AttentionLogger(FolderSink(folder), (model, torch.zeros(1, 5, 8)),
        ...                          every=2) as logger:
        ...         for step in range(5):
        ...             logger.step(step)
        ...     FolderArchive(folder).tracks()[0].steps
        (0, 2, 4)
    """

    def __init__(
        self,
        where: Target,
        probe: "Probe | tuple[Subject | nn.Module, Inputs]",
        *,
        every: int = 50,
        keep: int = KEEP,
        verify_every: int | None = None,
        verify_last: bool = False,
    ) -> None:
        if keep < 0:
            raise OptionError(f"keep must be 0 or more bytes, got {keep}")
        if verify_every is not None and verify_every < 1:
            raise OptionError(f"verify_every must be 1 or more looks, got {verify_every}")
        self._probe = probe_of(probe)
        self._due = Every(every)
        self._in_full = Doubling()
        self._keep = keep
        self._verify_every = verify_every
        self._verify_last = verify_last
        self._glances: Glances = glances_of(self._probe)
        self._recorder = Recorder(open_sinks(where) if writes_here() else (), keep=keep)
        self._latest: int | None = None  # step of the last call
        self._last: tuple[int, bool] | None = None  # step of the last look; were heads in full?
        self._warned: set[str] = set()
        self._closed = False

    def step(self, step: int | None = None) -> None:
        """Say that a step of the training is over; looks when one is due.

        Call it between two updates, not between `backward` and the optimizer's step.

        Args:
            step: its number; None counts by itself, from 0.
        Raises: OptionError: after `close`. What is wrong with the set-up, at the first look.
        """
        if self._closed:
            raise OptionError("this logger is closed: make another for another training")
        if step is None:
            step = 0 if self._latest is None else self._latest + 1
        self._latest = step
        if self._recorder.sinks and self._due(step):
            looks = self._in_full.looks + 1
            full = self._in_full()
            every = self._verify_every
            self._attempt(
                lambda: self._look(step, full, every is not None and looks % every == 0),
                looks == 1,
            )

    def close(self) -> None:
        """Look once more, keep the heads in full, and close the sinks. May be called again."""
        if self._closed:
            return
        self._closed = True
        try:
            if self._recorder.sinks and self._latest is not None:
                self._attempt(self._finish, False)
        finally:
            self._attempt(self._recorder.close, False)

    def for_transformers(self) -> Any:
        """A `TrainerCallback` for `transformers.Trainer(callbacks=[...])`.

        It looks after updates of the weights and closes the logger when training ends.
        """
        from zhuyi.trace.adapters.transformers_training import trainer_callback

        return trainer_callback(self.step, self.close)

    def for_lightning(self) -> Any:
        """A `Callback` for Lightning's `Trainer(callbacks=[...])`, of either of its packages.

        It looks after updates of the weights and closes the logger when training ends.
        """
        from zhuyi.trace.adapters.lightning_training import lightning_callback

        return lightning_callback(self.step, self.close)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if kind is not None:
            self._latest = None  # the model may be in any state: close without another look
        self.close()

    def _attempt(self, act: Callable[[], None], first: bool) -> None:
        """Do it; what fails is told once, and is an error only where nothing worked yet."""
        try:
            act()
        except NotFinite as error:
            self._warn(f"no look at step {self._latest}: {error}")
        except _FAILURES as error:
            if first:
                raise
            self._warn(
                f"logging attention at step {self._latest} failed: {error}", type(error).__name__
            )

    def _warn(self, text: str, kind: str = "") -> None:
        if kind not in self._warned:
            self._warned.add(kind)
            warnings.warn(f"{text}. The training goes on; this is said once.", stacklevel=4)

    def _look(self, step: int, full: bool, verify: bool) -> None:
        with untouched(self._glances.module):
            glances = self._glances.look(verify)
        self._say_left_out(len(glances))
        self._write(step, glances, full)

    def _finish(self) -> None:
        """The last look: heads in full, and a verdict if one was asked for."""
        if self._latest is None:
            return
        done = self._last == (self._latest, self._keep > 0) and not self._verify_last
        if not done:
            # Looks again where the last look had no heads in full, rather than to hold the queries
            # and keys of all layers in memory from one look to the next.
            self._look(self._latest, True, self._verify_last)

    def _write(self, step: int, glances: list[Glance], full: bool) -> None:
        full = full and self._keep > 0
        looks = {}
        for number, glance in enumerate(glances):
            name = self._probe.called(number, glance.looked.source)
            looks[f"{number} {name}"] = glance.looked
            self._recorder.look(
                str(number),
                name,
                coarser(glance.looked),
                step=step,
                detail_of=glance.detail_of if full else None,
                share=1 / len(glances),
            )
        if self._last is None or self._last[0] != step:
            self._recorder.scalars(step, numbers_of(list(looks.values())))
        if full:
            self._recorder.overview(step, looks)
        self._last = (step, full)

    def _say_left_out(self, shown: int) -> None:
        if self._last is None and self._glances.offered > shown:
            print(
                f"zhuyi: the probe has {self._glances.offered} inputs, the first {shown} are "
                "looked at; Probe(..., most=...) takes more",
                file=sys.stderr,
            )
