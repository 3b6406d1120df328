"""What a view shows: looks at inputs, or an audit. Each can be a page, a text, lines below both."""

from collections.abc import Callable, Sequence
from functools import cached_property
from typing import Protocol

from rich.console import Console

from zhuyi.audit.report import AuditReport
from zhuyi.core.record import Said
from zhuyi.errors import OptionError
from zhuyi.ui.notebook.believing import NOT_TESTED, NOT_VERIFIED, SIGNS, WORDS
from zhuyi.ui.notebook.fitting import Fitted, fit
from zhuyi.ui.notebook.picturing import Pictured, writable
from zhuyi.ui.report.audit.page import build_audit_page
from zhuyi.ui.terminal import show
from zhuyi.ui.terminal_audit import show_audit
from zhuyi.ui.view.archive import Archive, MemoryArchive
from zhuyi.ui.view.page import page_of

_TOLD = 8  # inputs that the text form tells one by one


class Face(Protocol):
    """Whatever a view can show."""

    @property
    def title(self) -> str:
        """What it is called."""
        ...

    @property
    def height(self) -> int:
        """Pixels that a frame around its page should have."""
        ...

    def page(self, budget: int) -> str:
        """The page, in about as many bytes, or a little more where even the least is more."""
        ...

    def lines(self) -> tuple[Said, ...]:
        """What is said below the last page: what was left out, and what is believed of it."""
        ...

    def tell(self, console: Console) -> None:
        """Print the text form."""
        ...

    def archive(self, budget: int) -> Archive:
        """Its packs. Raises: OptionError: if it has none."""
        ...


class LookFace:
    """One input or several, drawn when they are first asked for.

    Args:
        title: what it is called.
        make: draws the inputs, once.
    """

    def __init__(self, title: str, make: Callable[[], Sequence[Pictured]]) -> None:
        self.title = writable(title)
        self._make = make
        self._fitted: Fitted | None = None

    @cached_property
    def inputs(self) -> tuple[Pictured, ...]:
        """The inputs."""
        return tuple(self._make())

    @property
    def height(self) -> int:
        """Room for all heads beside one, or for the words and the verdict."""
        looked = self.inputs[0].looked
        if looked.heads:
            return 860
        lines = sum(len(text) for text in looked.texts) // 90
        words = 170 + 30 * lines if looked.units else 0
        verdict = 220 if looked.checked is not None else 0
        return min(800, 400 + words + verdict + (80 if len(self.inputs) > 1 else 0))

    def page(self, budget: int) -> str:
        """The page, with as many heads as fit."""
        quiet = self._quiet()
        bare = page_of(MemoryArchive(title=self.title, tracks=(), packs={}), quiet=quiet)
        room = budget - len(bare.encode()) - 400  # the index
        self._fitted = fit(self.inputs, title=self.title, room=room)
        return page_of(self._fitted.archive, quiet=quiet)

    def lines(self) -> tuple[Said, ...]:
        """How much is inside, and the verdict."""
        assert self._fitted is not None
        return (*_inside(self._fitted), self._belief())

    def tell(self, console: Console) -> None:
        """One input after the other, the first few."""
        for one in self.inputs[:_TOLD]:
            show(one.looked, console, page=None, hint="")
        if len(self.inputs) > _TOLD:
            console.print(f"and {len(self.inputs) - _TOLD} more inputs")

    def archive(self, budget: int) -> Archive:
        """Packs with every head in full that fits."""
        return fit(self.inputs, title=self.title, room=budget * 4 // 3).archive

    def _belief(self) -> Said:
        """The verdict in a few words, or that there is none."""
        checks = [one.looked.checked for one in self.inputs]
        labels = [check.verdict.label for check in checks if check is not None]
        if not labels:
            return NOT_VERIFIED if self.inputs[0].looked.heads else NOT_TESTED
        if len(labels) == 1:
            word, sign = WORDS[labels[0]], SIGNS[labels[0]]
            return Said(en=f"{sign} {word.en}.", zh=f"{sign} {word.zh}。")
        counts = [(SIGNS[name], WORDS[name], labels.count(name)) for name in WORDS]
        return Said(
            en=", ".join(f"{sign} {word.en} {count}" for sign, word, count in counts) + ".",
            zh="，".join(f"{sign} {word.zh} {count}" for sign, word, count in counts) + "。",
        )

    def _quiet(self) -> str:
        """The text form of the first input, for where no script may run."""
        console = Console(
            file=None, width=100, color_system=None, highlight=False, force_jupyter=False
        )
        with console.capture() as caught:
            show(self.inputs[0].looked, console, page=None, hint="")
        return caught.get()


class AuditFace:
    """An audit report.

    Args:
        report: the report.
    """

    height = 820

    def __init__(self, report: AuditReport) -> None:
        self._report = report
        self.title = writable(report.title)

    def page(self, budget: int) -> str:
        """The audit's page, with as many inputs as fit."""
        bare = len(build_audit_page(self._report, budget=0).encode())
        return build_audit_page(self._report, budget=max(0, budget - bare))

    def lines(self) -> tuple[Said, ...]:
        """The answer, with the verdict in a word."""
        word, sign = WORDS[self._report.verdict], SIGNS[self._report.verdict]
        answer = self._report.answer
        return (Said(en=f"{sign} {word.en}: {answer.en}", zh=f"{sign} {word.zh}：{answer.zh}"),)

    def tell(self, console: Console) -> None:
        """The answer, why, the methods, the groups."""
        show_audit(self._report, console, folder=None, hint="")

    def archive(self, budget: int) -> Archive:
        """An audit has no packs."""
        raise OptionError("an audit report has no widget: use report.show(), or report.save(path)")


def _inside(fitted: Fitted) -> tuple[Said, ...]:
    """What the page holds of what there was."""
    if fitted.given > 1:
        left = fitted.given - fitted.inputs
        return (
            Said(
                en=f"{fitted.inputs} of {fitted.given} inputs"
                + (" (the others do not fit: raise budget=)." if left else "."),
                zh=f"{fitted.inputs}/{fitted.given} 个输入"
                + ("（其余放不下：可增大 budget=）。" if left else "。"),
            ),
        )
    if not fitted.shown:
        return ()
    left = fitted.shown < fitted.heads or fitted.full < fitted.shown
    return (
        Said(
            en=f"{fitted.shown} of {fitted.heads} heads, {fitted.full} of them in full"
            + (" (raise budget= for more)." if left else "."),
            zh=f"{fitted.shown}/{fitted.heads} 个注意力头，其中 {fitted.full} 个可完整查看"
            + ("（可增大 budget=）。" if left else "。"),
        ),
    )
