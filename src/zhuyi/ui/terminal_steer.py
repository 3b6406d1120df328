"""What rules did, in the terminal."""

from collections.abc import Sequence

from rich.console import Console
from rich.table import Table
from rich.text import Text

from zhuyi.steer.report import RuleReport
from zhuyi.ui.steered import Tried
from zhuyi.ui.terminal import printable

_SIGNS = (("[held]", "dim"), ("[FAILED]", "bold red"), ("[", "yellow"), ("offered", "yellow"))
_INPUTS = 10  # shown with their decisions; the table below is of all
_MEASURED = "Measured on these inputs, not guaranteed on others; a guarantee is said by its level."


def show(tried: Tried, texts: Sequence[str], console: Console) -> None:
    """Print what was found.

    Args:
        tried: what came of the rules.
        texts: what they were tried on, or the names of it.
        console: where to.
    """
    console.print()
    console.print(Text(printable(tried.model), style="bold"))
    rows = list(zip(texts, tried.before, tried.after, strict=True))
    for text, before, after in rows[:_INPUTS]:
        console.print(Text(printable(text if len(text) < 100 else text[:99] + "…"), style="dim"))
        old, new = _decision(tried, before, before), _decision(tried, after, before)
        console.print(Text.assemble("Decided: ", old, "  →  ", (new, "bold")))
    if len(rows) > _INPUTS:
        changed = sum(_best(before) != _best(after) for _, before, after in rows)
        console.print(Text(f"… and {len(rows) - _INPUTS} more; {changed} of {len(rows)} changed."))
    console.print()
    console.print(_rules(tried.report.rules))
    for told in tried.report.told:
        console.print(Text(printable(f"Note: {told}"), style="yellow"))
    if tried.certificate is not None:
        console.print()
        for line in str(tried.certificate).splitlines():
            lead = line.strip()
            style = next((sign[1] for sign in _SIGNS if lead.startswith(sign[0])), "")
            console.print(Text(printable(line), style=style))
    for one in tried.outcomes:
        sign, style = ("✔", "green") if one.held else ("✘", "bold red")
        said = f"{sign} {one.rule}: expected {one.expected}, found {one.found}"
        console.print(Text(printable(said), style=style))
    console.print(Text(_MEASURED, style="dim"))
    console.print()


def _decision(tried: Tried, shares: Sequence[float], before: Sequence[float]) -> str:
    best, first = _best(shares), _best(before)
    label = tried.labels[best] if tried.labels else str(best)
    said = f"{printable(label)} ({shares[best]:.1%})"
    if best != first:
        said += f", was first at {shares[first]:.1%}"
    return said


def _best(shares: Sequence[float]) -> int:
    return max(range(len(shares)), key=shares.__getitem__)


def _rules(rules: Sequence[RuleReport]) -> Table:
    table = Table(box=None, pad_edge=False)
    for name in ("rule", "means", "dose", "share of attention", "effect", "chance", "guarantee"):
        table.add_column(name)
    for one in rules:
        table.add_row(
            Text(printable(one.id)),
            Text(_means(one)),
            _dose(one),
            _change(one.share_before, one.share_after),
            f"{one.effect.mean:+.2%}",
            "–" if one.control is None else f"±{one.control.mean:.2%}",
            one.guarantee if one.certified or one.action != "veto" else "not certified",
        )
    return table


def _means(one: RuleReport) -> str:
    if not one.inputs:
        return "nothing here"
    shown = ", ".join(repr(text) for text in one.shown[:3])
    more = f" +{len(one.shown) - 3}" if len(one.shown) > 3 else ""
    cut = f" ({one.cut} cut)" if one.cut else ""
    return printable(f"{shown}{more}{cut}")


def _dose(one: RuleReport) -> str:
    if one.at_least is not None:
        return f"≥ {one.at_least:.0%}"
    if one.dose is None:
        return "veto" if one.action == "veto" else "–"
    return f"{one.dose:+.2f}" + (" (clamped)" if one.clamped else "")


def _change(before: float | None, after: float | None) -> str:
    if before is None or after is None:
        return "–"
    return f"{before:.1%} → {after:.1%}"
