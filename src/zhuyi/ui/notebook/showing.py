"""`view`: from a record to what a notebook, a file or a terminal shows of it."""

from collections.abc import Sequence

from zhuyi.audit.report import AuditReport
from zhuyi.core.record import Attribution, Verdict
from zhuyi.errors import OptionError
from zhuyi.trace.tape import Tape
from zhuyi.ui.live import FolderArchive
from zhuyi.ui.notebook.choosing import Choice, check_tape
from zhuyi.ui.notebook.faces import AuditFace, Face, LookFace
from zhuyi.ui.notebook.picturing import (
    picture_attribution,
    picture_tape,
    picture_verdict,
)
from zhuyi.ui.notebook.runs import RunsFace
from zhuyi.ui.notebook.viewing import CELL, View

Thing = Tape | Attribution | Verdict | AuditReport | FolderArchive


def view(
    thing: Thing,
    *,
    choice: Choice | None = None,
    verdict: Verdict | None = None,
    decisions: Sequence[str] = (),
    title: str = "",
    budget: int | None = None,
    height: int | None = None,
) -> View:
    """A record in the form that its host can show: a cell, a text, a file or a widget.

    The cell's HTML is complete: it needs no network, no set-up call and no trust beyond that of a
    frame, and any number of them can stand in one notebook.

    Args:
        thing: a tape, an attribution, a verdict, an audit report, or the archive of a folder that
            an `AttentionLogger` wrote.
        choice: what of it is shown; None for all.
        verdict: on the explanation of the same inputs; None says "not verified".
        decisions: names of the decisions, for an attribution.
        title: what to call it.
        budget: bytes that a cell may take, 2,000,000 when None; what does not fit is left out and
            counted.
        height: of the frame in pixels; None for one that fits.

    Returns: a view, which draws when it is shown.
    Raises:  OptionError: another kind of thing, an input that is not there, labels of another
        length. NotKept: a tape of statistics only.
    Cost:    nothing until it is shown; then one streamed pass over each site of a tape.
    Not:     a proof. A picture of attention shows where a model looked.

    Example:
        >>> import torch
        >>> from zhuyi import watch
        >>> layer = torch.nn.TransformerEncoderLayer(8, 2, batch_first=True).eval()
        >>> with watch(layer) as tape:
        ...     _ = layer(torch.randn(1, 3, 8))
        >>> seen = view(tape, choice=Choice(labels=["see", "for", "yourself"]), title="one layer")
        >>> "NOT VERIFIED" in seen.text()
        True
    """
    face = _face(thing, choice or Choice(), verdict, decisions, title)
    return View(face, budget=CELL if budget is None else budget, height=height)


def _face(
    thing: Thing, choice: Choice, verdict: Verdict | None, decisions: Sequence[str], title: str
) -> Face:
    if isinstance(thing, AuditReport):
        return AuditFace(thing)
    if isinstance(thing, Verdict):
        called = title or f"Verdict on {thing.method}"
        return LookFace(called, lambda: [picture_verdict(thing, title=called)])
    if isinstance(thing, Attribution):
        called = title or thing.method
        rows = _rows(thing, choice.batch)
        return LookFace(
            called,
            lambda: [
                picture_attribution(thing, row, title=called, decisions=decisions, verdict=verdict)
                for row in rows
            ],
        )
    if isinstance(thing, Tape):
        called = title or "Attention"
        check_tape(thing, choice, verdict)
        return LookFace(
            called, lambda: [picture_tape(thing, choice, title=called, verdict=verdict)]
        )
    if isinstance(thing, FolderArchive):
        return RunsFace(thing, title or thing.title)
    raise OptionError(
        "view shows a Tape, an Attribution, a Verdict, an AuditReport or a FolderArchive, got "
        f"{type(thing).__name__}"
    )


def _rows(attribution: Attribution, batch: int | None) -> Sequence[int]:
    count = len(attribution.units)
    if batch is None:
        return range(count)
    if not 0 <= batch < count:
        raise OptionError(f"batch must be from 0 to {count - 1}, got {batch}")
    return (batch,)
