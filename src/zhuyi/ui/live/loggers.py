"""Sinks for experiment trackers. They are called by shape, so that none has to be installed."""

import tempfile
from collections.abc import Callable, Mapping
from typing import Any, Final

from zhuyi.ui.live.folder import FolderSink
from zhuyi.ui.live.folder_page import page_of_folder
from zhuyi.ui.live.sinks import Rgb
from zhuyi.ui.view.document import Moment
from zhuyi.ui.view.page import BUDGET

#: Name of the page among a run's artifacts.
PAGE: Final = "attention.html"


class Spool:
    """Keeps looks in a temporary folder until they become one page.

    Args:
        budget: bytes the page may have; 0 for no page, then nothing is kept.
    """

    def __init__(self, budget: int) -> None:
        self._budget = budget
        self._folder: tempfile.TemporaryDirectory[str] | None = None
        self._sink: FolderSink | None = None
        self._looks = 0
        if budget:
            self._folder = tempfile.TemporaryDirectory(prefix="zhuyi-", ignore_cleanup_errors=True)
            self._sink = FolderSink(self._folder.name)

    def track(self, id: str, name: str, pack: bytes) -> None:
        """Keep a track."""
        if self._sink is not None:
            self._sink.track(id, name, pack)

    def moment(self, id: str, moment: Moment) -> None:
        """Keep a look."""
        if self._sink is not None:
            self._sink.moment(id, moment)
            self._looks += 1

    def details(self, id: str, step: int, packs: Mapping[int, bytes]) -> None:
        """Keep heads in full."""
        if self._sink is not None:
            self._sink.details(id, step, packs)

    def page(self) -> str | None:
        """All looks as one offline page, and the end of the spool; None without a look."""
        folder, self._folder, self._sink = self._folder, None, None
        if folder is None:
            return None
        with folder as name:
            return page_of_folder(name, self._budget, "attention") if self._looks else None


class LogSink:
    """Writes through `log({name: value}, step=...)`, as W&B and trackio have it.

    Numbers always; the picture of all heads and, at the end, the page only where it is said how
    such a logger wraps them: `LogSink(run, image=wandb.Image, html=wandb.Html)`.

    Args:
        run: has `log(values, step=...)`.
        image: makes of uint8 [rows, columns, 3] what the logger shows as an image, or None.
        html: makes of a page's text what the logger shows as a page, or None.
        budget: bytes the page may have.

    Example:
        >>> class Run:
        ...     def log(self, values, step):
        ...         print(step, values)
        >>> LogSink(Run()).scalars(50, {"attention/layer_00/reach": 3.25})
        50 {'attention/layer_00/reach': 3.25}
    """

    def __init__(
        self,
        run: Any,
        *,
        image: Callable[[Rgb], object] | None = None,
        html: Callable[[str], object] | None = None,
        budget: int = BUDGET,
    ) -> None:
        self._run = run
        self._image = image
        self._html = html
        self._spool = Spool(0 if html is None else budget)
        self._last = 0

    def track(self, id: str, name: str, pack: bytes) -> None:
        """Kept for the page."""
        self._spool.track(id, name, pack)

    def moment(self, id: str, moment: Moment) -> None:
        """Kept for the page."""
        self._last = max(self._last, moment.step)
        self._spool.moment(id, moment)

    def details(self, id: str, step: int, packs: Mapping[int, bytes]) -> None:
        """Kept for the page."""
        self._spool.details(id, step, packs)

    def scalars(self, step: int, values: Mapping[str, float]) -> None:
        """Log numbers."""
        self._last = max(self._last, step)
        self._run.log(dict(values), step=step)

    def image(self, step: int, name: str, rgb: Rgb) -> None:
        """Log a picture, if it is known how."""
        if self._image is not None:
            self._run.log({name: self._image(rgb)}, step=step)

    def close(self) -> None:
        """Log the page, if it is known how."""
        page = self._spool.page()
        if page is not None and self._html is not None:
            self._run.log({"attention/page": self._html(page)}, step=self._last)


class MlflowSink:
    """Writes metrics, and at the end one offline page as an artifact, into an MLflow run.

    Pictures are left out: the page has them, and MLflow would need Pillow.

    Args:
        client: the `mlflow` module (its active run is used) or an `MlflowClient`.
        run_id: of the run, needed with a client.
        budget: bytes the page may have.
    """

    def __init__(self, client: Any, *, run_id: str | None = None, budget: int = BUDGET) -> None:
        self._client = client
        self._run: tuple[str, ...] = () if run_id is None else (run_id,)
        self._spool = Spool(budget)

    def track(self, id: str, name: str, pack: bytes) -> None:
        """Kept for the page."""
        self._spool.track(id, name, pack)

    def moment(self, id: str, moment: Moment) -> None:
        """Kept for the page."""
        self._spool.moment(id, moment)

    def details(self, id: str, step: int, packs: Mapping[int, bytes]) -> None:
        """Kept for the page."""
        self._spool.details(id, step, packs)

    def scalars(self, step: int, values: Mapping[str, float]) -> None:
        """Log metrics."""
        if not self._run:
            self._client.log_metrics(dict(values), step=step)
            return
        for name, value in values.items():
            self._client.log_metric(*self._run, name, value, step=step)

    def image(self, step: int, name: str, rgb: Rgb) -> None:
        """Left out."""

    def close(self) -> None:
        """Log the page as the artifact attention.html."""
        page = self._spool.page()
        if page is not None:
            self._client.log_text(*self._run, page, PAGE)
