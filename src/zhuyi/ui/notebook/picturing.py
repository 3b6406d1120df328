"""Records as looks: what a tape, an attribution or a verdict has to show, with the rest left empty.

A look (`zhuyi.ui.looked`) is the one record that every face draws.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import torch

import zhuyi
from zhuyi.core.record import Attribution, Unit, Verdict
from zhuyi.trace.tape import Sighting, Tape
from zhuyi.ui.looked import HeadPicture, Looked
from zhuyi.ui.notebook.believing import checked_of
from zhuyi.ui.notebook.choosing import Choice, check_tape, is_shifted, matrix_of, pass_of
from zhuyi.ui.view.detail import Detail
from zhuyi.ui.view.drawing import Drawing, Drawn, draw


@dataclass(frozen=True, kw_only=True)
class Pictured:
    """One input as a look.

    Args:
        name: of the input among others.
        looked: what there is to show.
        drawn: the pictures of its heads with the matrices behind them, or None.
    """

    name: str
    looked: Looked
    drawn: Drawn | None = None

    def detail_of(self, head: HeadPicture) -> Detail | None:
        """Details of one head, see `view.archive.archive_of`."""
        if self.drawn is None:
            return None
        with torch.no_grad():  # a tape may hold the model's graph
            return self.drawn.detail_of(head)


def picture_tape(
    tape: Tape,
    choice: Choice,
    *,
    title: str,
    verdict: Verdict | None,
    drawing: Drawing | None = None,
) -> Pictured:
    """One input of a watched pass.

    Args:
        tape: what was watched, with matrices.
        choice: what of it is shown.
        title: what a person calls it.
        verdict: on an explanation of the same inputs, or None.
        drawing: how the heads are drawn, but for `heads`, which are those of `choice`.

    Raises: OptionError, NotKept: see `sightings_of` and `tokens_of`.
    Cost:   one streamed pass over each site.
    """
    sightings, tokens = check_tape(tape, choice, verdict)
    heads = None if choice.heads is None else tuple(choice.heads)
    how = replace(drawing or Drawing(), shifted=is_shifted(sightings))
    with torch.no_grad():
        drawn = draw(sightings, [tokens], replace(how, heads=heads))
    query = matrix_of(sightings[0]).query
    text = "" if choice.labels is None else " ".join(tokens.labels)
    looked = replace(
        _nothing(title, verdict, choice.batch or 0),
        task=_task(sightings),
        texts=(text,),
        sequences=tuple(drawn.sequences),
        heads=drawn.pictures,
        heads_in_model=sum(site.heads for site in pass_of(tape, choice.forward).sites),
        kernels=tuple(dict.fromkeys(sighting.kernel for sighting in sightings)),
        dtype=str(query.dtype).removeprefix("torch."),
        device=str(query.device),
        unseen=tape.unseen,
    )
    return Pictured(name=title, looked=looked, drawn=drawn)


def picture_attribution(
    attribution: Attribution,
    row: int,
    *,
    title: str,
    decisions: Sequence[str],
    verdict: Verdict | None,
) -> Pictured:
    """One input of an attribution.

    Args:
        attribution: what a method found.
        row: index of the input.
        title: what a person calls it.
        decisions: names of the decisions, or empty.
        verdict: on it, or None.
    """
    units = attribution.units[row]
    target = attribution.target[row]
    named = decisions[target] if 0 <= target < len(decisions) else ""
    looked = replace(
        _nothing(title, verdict, row, shown=attribution.method),
        # What is explained need not be what was decided, so no decision is claimed.
        task=f"What does “{named or f'class {target}'}” rest on?",
        texts=texts_of(units),
        method=attribution.method,
        units=units,
        values=tuple(attribution.values[row, : len(units)].detach().float().tolist()),
        signed=attribution.signed,
    )
    return Pictured(name=_snippet(row, units), looked=looked)


def picture_verdict(verdict: Verdict, *, title: str) -> Pictured:
    """A verdict alone."""
    looked = replace(
        _nothing(title, verdict, None, shown=verdict.method),
        task="May this explanation be believed?",
        method=verdict.method,
    )
    return Pictured(name=title, looked=looked)


def texts_of(units: Sequence[Unit]) -> tuple[str, ...]:
    """The text or texts of an input as far as its units tell: labels where they stood.

    Example:
        >>> units = (Unit(label="not", positions=(0,), span=(0, 3)),
        ...          Unit(label="bad", positions=(1,), span=(5, 8)))
        >>> texts_of(units)
        ('not  bad',)
    """
    texts, end = [""], 0
    for unit in units:
        if unit.span is None:
            continue
        if unit.span[0] < end:  # the spans of a pair's second text begin again at 0
            texts.append("")
        end = unit.span[1]
        before = texts[-1].ljust(unit.span[0])
        texts[-1] = before + unit.label[: end - unit.span[0]].ljust(end - unit.span[0])
    return tuple(texts)


def writable(text: str) -> str:
    """The text with "?" for what no file can hold: half an emoji, cut by a tokenizer."""
    return text.encode("utf-8", "replace").decode("utf-8")


def _nothing(title: str, verdict: Verdict | None, row: int | None, shown: str = "") -> Looked:
    """A look in which there is nothing yet but a title and what is believed of it."""
    versions: Mapping[str, str] = {"zhuyi": zhuyi.__version__, "torch": torch.__version__}
    return Looked(
        model=writable(title),
        task="",
        texts=("",),
        decision="",
        probability=None,
        alternatives=(),
        method="",
        reason="",
        units=(),
        values=(),
        signed=False,
        sequences=(),
        heads=(),
        heads_in_model=0,
        kernels=(),
        dtype="",
        device="",
        versions=versions,
        checked=None if verdict is None else checked_of(verdict, row, shown=shown),
    )


def _task(sightings: Sequence[Sighting]) -> str:
    """What is asked; heads of a part that was kept are numbered within it."""
    asked = "Where do the heads look in one forward pass?"
    if all(matrix_of(one).shape[1] == one.site.heads for one in sightings):
        return asked
    return f"{asked} (Only some were kept; they are numbered among themselves.)"


def _snippet(row: int, units: Sequence[Unit], most: int = 40) -> str:
    """How an input is called in a list of several."""
    words = " ".join(unit.label for unit in units if not unit.special)
    return f"{row + 1}: {words[:most]}{'…' if len(words) > most else ''}"
