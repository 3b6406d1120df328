"""The doors to the figures. Nothing here needs matplotlib; what is behind them does."""

import io
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from zhuyi.audit.report import AuditReport
from zhuyi.core.record import Attribution, Verdict
from zhuyi.errors import InputError, OptionError
from zhuyi.trace.tape import Tape
from zhuyi.ui.notebook.choosing import Choice, check_tape

if TYPE_CHECKING:
    from matplotlib.figure import Figure

What = Literal["weights", "scores", "results"]
_DATES = {"pdf": ("CreationDate",), "svg": ("Date",), "png": ()}


def plot_tape(
    tape: Tape,
    choice: Choice | None = None,
    *,
    layer: int | None = None,
    head: int | None = None,
    what: What = "weights",
    verdict: Verdict | None = None,
    title: str = "",
) -> "Figure":
    """All heads side by side, those of one layer, or one head with the names of its positions.

    A long input is pooled, and the caption says by what; the caption also carries the verdict, or
    says that there is none.

    Args:
        tape: what was watched, with matrices.
        choice: input, labels and forward pass; its layers and heads are those of `layer` and
            `head`.
        layer, head: which; None for all.
        what: weights (after softmax), scores (before it), or results (weights times values).
        verdict: on an explanation of the same inputs.
        title: what to call it.

    Returns: a matplotlib Figure of its own, outside pyplot's state; `figure.savefig` writes PDF,
        SVG or PNG.
    Raises:  OptionError: something that is not there. NotKept: a tape of statistics only, or one
        without values where results are asked for. InputError: matplotlib is not installed.
    Cost:    O(Q K D) time a head, in blocks of rows.
    Not:     the reason of a decision.

    Example:
        >>> import torch
        >>> from zhuyi import watch
        >>> layer = torch.nn.TransformerEncoderLayer(8, 2, batch_first=True).eval()
        >>> with watch(layer) as tape:
        ...     _ = layer(torch.randn(1, 3, 8))
        >>> figure = plot_tape(tape, layer=0, head=1)
        >>> figure.axes[0].get_images()[0].get_array().shape
        (3, 3)
    """
    _need_matplotlib()
    if what not in ("weights", "scores", "results"):
        raise OptionError(f"what must be 'weights', 'scores' or 'results', got {what!r}")
    from zhuyi.ui.figures.heads import draw_heads

    given = choice or Choice()
    asked = Choice(
        batch=given.batch,
        labels=given.labels,
        layers=None if layer is None else (layer,),
        heads=None if head is None else (head,),
        forward=given.forward,
    )
    sightings, tokens = check_tape(tape, asked, verdict)
    return draw_heads(
        sightings, tokens, head=head, what=what, verdict=verdict, row=asked.batch or 0, title=title
    )


def plot_attribution(
    attribution: Attribution,
    verdict: Verdict | None = None,
    *,
    batch: int = 0,
    decisions: Sequence[str] = (),
    title: str = "",
    most: int = 20,
) -> "Figure":
    """One input's pieces in color, and the largest values as bars.

    Blue speaks for the decision, orange and hatched against it.

    Args:
        attribution: what a method found.
        verdict: on it; without one the caption says "not verified".
        batch: index of the input.
        decisions: names of the decisions.
        title: what to call it.
        most: bars, at most; the caption says how many pieces have none.

    Returns: a matplotlib Figure of its own, outside pyplot's state.
    Raises:  OptionError: an input that is not there, no bars. InputError: an input without pieces,
        values that are not finite, or matplotlib is not installed.
    Cost:    O(pieces).
    Not:     a proof; see the verdict.
    """
    _need_matplotlib()
    from zhuyi.ui.figures.pieces import draw_pieces

    return draw_pieces(
        attribution, batch, verdict=verdict, decisions=decisions, title=title, most=most
    )


def plot_report(report: AuditReport, *, title: str = "") -> "Figure":
    """The skill of every method that an audit tested, with its interval and its verdict.

    Args:
        report: the audit.
        title: what to call it.

    Returns: a matplotlib Figure of its own, outside pyplot's state.
    Raises:  InputError: matplotlib is not installed.
    Cost:    O(methods).
    Not:     a comparison on other data than the audit's.
    """
    _need_matplotlib()
    from zhuyi.ui.figures.skill import draw_skill

    return draw_skill(report, title=title)


def save_figure(figure: "Figure", path: Path | str) -> None:
    """Write a figure so that the same figure gives the same bytes: without a date or random names.

    Args:
        figure: any matplotlib Figure.
        path: of a .pdf, .svg or .png file; PNG at 300 dots an inch.

    Raises: OptionError: another ending. InputError: a place that cannot be written.
    """
    from matplotlib import rc_context

    where = Path(path)
    ending = where.suffix.lower().removeprefix(".")
    if ending not in _DATES:
        raise OptionError(f"{where.name} must end in .pdf, .svg or .png")
    stream = io.BytesIO()
    with rc_context({"svg.hashsalt": "zhuyi"}):
        figure.savefig(stream, format=ending, dpi=300, metadata=dict.fromkeys(_DATES[ending]))
    try:
        where.write_bytes(stream.getvalue())
    except OSError as error:
        raise InputError(f"cannot write the figure {where}: {error.strerror}") from None


def _need_matplotlib() -> None:
    if find_spec("matplotlib") is None:
        raise InputError("plot needs matplotlib: pip install 'zhuyi[plot]'")
