"""`View`: one thing in the form that its host can show."""

import io
from collections.abc import Collection
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console

from zhuyi.errors import InputError, OptionError
from zhuyi.ui.notebook.faces import Face
from zhuyi.ui.notebook.frame import framed, growth
from zhuyi.ui.notebook.host import notebook_shell
from zhuyi.ui.view.page import BUDGET, bundle, save_page

if TYPE_CHECKING:
    from zhuyi.ui.notebook.widget import ArchiveWidget

#: How large a cell's output may become, in bytes.
CELL = 2_000_000
#: Bytes that the heads of a widget may take in the kernel.
WIDGET = 16_000_000
_AROUND = 4_000  # bytes of the frame, of the lines below it and of quotes in the page's text
_WIDTH = 100  # of the text form, in characters


class View:
    """One thing as a notebook's cell, a file, a text or a widget. Made by `view`.

    A notebook shows it when it is a cell's last line; `show` shows it at once, and prints the text
    form in a terminal.

    Args:
        face: what is shown.
        budget: bytes that a cell's output may take; heads are left out above it, which is said.
        height: of the frame in pixels; None for one that fits what is shown.
    Raises: OptionError: for a budget or a height that is not positive.
    Cost:   nothing until it is shown; then what drawing costs, once.
    """

    def __init__(self, face: Face, *, budget: int = CELL, height: int | None = None) -> None:
        for name, value in (("budget", budget), ("height", height)):
            if value is not None and value <= 0:
                raise OptionError(f"{name} must be positive, got {value}")
        self._face = face
        self._budget = budget
        self._height = height

    def __repr__(self) -> str:
        return f"View({self._face.title!r})"

    def _repr_html_(self) -> str:
        return self._cell

    def _repr_mimebundle_(
        self, include: Collection[str] | None = None, exclude: Collection[str] | None = None
    ) -> dict[str, str]:
        """What a notebook stores of it: HTML that needs nothing else, and text."""
        made = {"text/html": lambda: self._cell, "text/plain": self.text}
        wanted = [name for name in made if include is None or name in include]
        return {name: made[name]() for name in wanted if name not in (exclude or ())}

    def show(self) -> None:
        """Display it at once: in the cell where it was asked for, or as text in a terminal."""
        shell = notebook_shell()
        if shell is None:
            self._face.tell(Console(highlight=False))
        else:
            shell.display_pub.publish(data=self._repr_mimebundle_(), metadata={})

    def text(self, *, width: int = _WIDTH) -> str:
        """The text form, without color.

        Args:
            width: of a line, in characters.
        """
        stream = io.StringIO()
        console = Console(
            file=stream, width=width, color_system=None, highlight=False, force_jupyter=False
        )
        self._face.tell(console)
        lines = (line.rstrip() for line in stream.getvalue().splitlines())
        return "\n".join(lines).strip("\n") + "\n"

    def save(self, path: Path | str) -> None:
        """Write the page as one offline HTML file, with a file's budget instead of a cell's.

        Args:
            path: of the file, written whole or not at all.
        Raises: InputError: a place that cannot be written; an older file stays.
        """
        save_page(self._face.page(BUDGET), Path(path))

    def widget(self) -> "ArchiveWidget":
        """The same view as a Jupyter widget, which asks the kernel for a head when it is opened.

        Some notebooks load the part that shows any widget from the network; `show` never does. Of
        a folder of runs `widget.refresh()` shows the steps that came since.

        Raises: InputError: when anywidget is not installed. OptionError: for an audit report.
        Cost:   heads in full up to 16 MB are held in the kernel.
        """
        try:
            from zhuyi.ui.notebook.widget import ArchiveWidget
        except ModuleNotFoundError as error:
            raise InputError(
                f"a widget needs {error.name}: pip install 'zhuyi[notebook]'; show() needs nothing"
            ) from None
        return ArchiveWidget(self._face.archive(WIDGET))

    @cached_property
    def _cell(self) -> str:
        """The HTML of a cell, within its budget."""
        text = self.text()
        # What stands around the page, and its quotes, take room too.
        around = growth(bundle()) + len(text.encode()) + _AROUND
        budget = max(1, self._budget - around)
        for _ in range(3):
            page = self._face.page(budget)
            height = self._height or self._face.height
            title, lines = self._face.title, self._face.lines()
            cell = framed(page, title=title, lines=lines, text=text, height=height)
            over = len(cell.encode()) - self._budget
            if over <= 0:
                break
            budget = max(1, budget - over)
        return cell
