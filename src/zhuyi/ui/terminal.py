"""A look in the terminal. Color is never the only sign: weight and lines say the same."""

from collections.abc import Iterator
from pathlib import Path

from rich.console import Console
from rich.table import Table
from rich.text import Text

from zhuyi.core.record import Label, Outcome
from zhuyi.ui.looked import Checked, HeadPicture, Link, Looked

_STANDING = 3.0
_VERDICTS: dict[Label, tuple[str, str]] = {
    "trusted": ("✔ TRUSTED", "bold green"),
    "doubtful": ("? DOUBTFUL", "bold yellow"),
    "refuted": ("✘ REFUTED", "bold red"),
}
_OUTCOMES: dict[Outcome, str] = {
    "supports": "✔ for it",
    "cautions": "? a doubt",
    "refutes": "✘ against it",
    "informs": "· to know",
    "skipped": "– not tested",
}
_REASONS = 3  # the page has all
_NOT_VERIFIED = "NOT VERIFIED: attention shows where a model looked, not why it decided."
_NOT_TESTED = "NOT VERIFIED: this is what one method says, not proof of why the model decided."
_EVIDENCE = "Attention is evidence of where a model looked, not proof of why it decided."
_SHADES = ("#fff7e6", "#fde3b0", "#f9c566", "#ee9f27", "#c96f00")
_HABITS = {
    "reach": ("spreads over about {n:.0f} tokens per query", "focuses on about {n:.1f} tokens"),
    "distance": ("looks {n:.1f} tokens away on average", "stays {n:.1f} tokens near on average"),
    "peak": ("one key takes {p:.0%} of a query's weight", "no key dominates: largest {p:.0%}"),
    "max": ("strongest link carries {p:.0%}", "strongest link carries only {p:.0%}"),
    "first": ("rests on the first token, {p:.0%}", "hardly rests on the first token, {p:.0%}"),
    "special": ("rests on added tokens, {p:.0%}", "avoids added tokens, {p:.0%}"),
    "self": ("looks at the token itself, {p:.0%}", "hardly looks at itself, {p:.0%}"),
    "previous": ("looks at the token before, {p:.0%}", "hardly looks before, {p:.0%}"),
    "next": ("looks at the token after, {p:.0%}", "hardly looks after, {p:.0%}"),
}


_HINT = "Add -o report.html for the page with every head."


def show(looked: Looked, console: Console, *, page: Path | None, hint: str = _HINT) -> None:
    """Print what was found; parts that this look does not have are left out.

    Args:
        looked: what was found.
        console: where to.
        page: where the page was written, or None.
        hint: said when there is no page; "" for nothing.
    """
    console.print()
    console.print(
        Text.assemble((printable(looked.model), "bold"), "  ", (printable(looked.task), "dim"))
    )
    if looked.decision:
        chance = "" if looked.probability is None else f" ({looked.probability:.1%})"
        console.print(Text.assemble("Decided: ", (printable(looked.decision), "bold"), chance))
    if looked.checked is None:
        said = _NOT_VERIFIED if looked.heads else _NOT_TESTED
        console.print(Text(said, style="bold yellow"))
    else:
        _show_verdict(looked.checked, console)
    console.print()
    if looked.units:
        console.print(words(looked))
        console.print()
        console.print(_ranking(looked))
    if looked.heads:
        console.print(_links(looked))
        console.print(_heads(looked))
    _show_origin(looked, console)
    if page is not None:
        console.print(Text.assemble("Page: ", (printable(str(page)), "bold")), soft_wrap=True)
    elif hint:
        console.print(Text(printable(hint), style="dim"))
    console.print()


def _show_origin(looked: Looked, console: Console) -> None:
    """By which method and kernels the numbers came about, and what could not be seen."""
    if looked.method:
        said = f"Method {looked.method}. {looked.reason}".rstrip()
        console.print(Text(printable(said), style="dim"))
    if looked.heads:
        kernel = ", ".join(looked.kernels)
        backend = ", ".join(sorted({head.backend for head in looked.heads}))
        said = f"Kernel {kernel} (model), {backend} (weights); {looked.dtype} on {looked.device}."
        console.print(Text(printable(said), style="dim"))
    if looked.unseen:
        console.print(Text(printable(f"Not seen: {', '.join(looked.unseen)}"), style="yellow"))


def _show_verdict(checked: Checked, console: Console) -> None:
    """The verdict in icon, word and color, its first reasons, and how far it reaches."""
    sign, style = _VERDICTS[checked.verdict.label]
    console.print(Text.assemble((f"{sign}: ", style), (printable(checked.headline.en), "bold")))
    findings = [one for one in checked.findings() if one.outcome != "informs"]
    # A deletion test that could not run is the reason for a doubt, any other is a footnote.
    told = [one for one in findings if one.outcome != "skipped" or one.test == "Deletion"]
    table = Table(box=None, padding=(0, 1, 0, 0), show_header=False)
    table.add_column(no_wrap=True)
    table.add_column()
    for one in told[:_REASONS]:
        table.add_row(Text(f"  {_OUTCOMES[one.outcome]}"), Text(printable(one.said.en)))
    console.print(table)
    skipped = ", ".join(one.test for one in findings if one not in told)
    if skipped:
        console.print(Text(printable(f"Tells nothing here: {skipped}."), style="dim"))
    for note in checked.notes:
        console.print(Text(printable(note.en), style="dim"))
    console.print(Text(_EVIDENCE, style="dim"))


def printable(text: str) -> str:
    """The text without characters that could steer a terminal."""
    return "".join(c if c.isprintable() else "␣" if c.isspace() else "·" for c in text)


def words(looked: Looked) -> Text:
    """The input colored by importance; the strongest are bold and underlined as well."""
    shares = _shares(looked)
    text = Text()
    pieces = zip(looked.units, looked.values, shares, looked.gaps(), strict=True)
    for unit, value, share, gap in pieces:
        if unit.span is not None or not text.plain.endswith(" "):
            text.append("".join(" " if c.isspace() else printable(c) for c in gap))
        if unit.special:
            text.append(f"{printable(unit.label)} ", style="dim")
            continue
        style = ""
        if share >= 0.08:
            shade = _SHADES[min(int(share * len(_SHADES)), len(_SHADES) - 1)]
            style = f"black on {shade}" if value >= 0 else "black on #a9cdf5"
            style += " bold underline" if share >= 0.6 else " underline" if share >= 0.3 else ""
        text.append(printable(unit.label), style=style)
    return text


def inner_links(looked: Looked, count: int) -> list[tuple[HeadPicture, Link]]:
    """The strongest link of each head between two different pieces of the input itself.

    One per head and pair: a head that always looks at the token before would fill the list.
    """
    chosen: list[tuple[HeadPicture, Link]] = []
    used: set[object] = set()
    for head, link in sorted(_all_inner(looked), key=lambda pair: -pair[1].weight):
        place, pair = (head.keys, head.layer, head.head), (head.keys, link.query, link.key, "pair")
        if place not in used and pair not in used:
            used |= {place, pair}
            chosen.append((head, link))
    return chosen[:count]


def standing_heads(looked: Looked, count: int) -> list[HeadPicture]:
    """Heads that differ most from the others, one per habit."""
    chosen: dict[str, HeadPicture] = {}
    for head in sorted(looked.heads, key=lambda head: -head.standing):
        if head.standing >= _STANDING:
            chosen.setdefault(head.reason, head)
    return list(chosen.values())[:count]


def habit(head: HeadPicture) -> str:
    """In plain words, how the head differs."""
    name = head.reason[1:]
    high, low = _HABITS[name]
    value = head.statistics[name]
    return (high if head.reason[0] == "+" else low).format(n=value, p=value)


def _shares(looked: Looked) -> list[float]:
    plain = [abs(v) for v, u in zip(looked.values, looked.units, strict=True) if not u.special]
    top = max(plain, default=0.0) or 1.0
    return [min(abs(value) / top, 1.0) for value in looked.values]


def _all_inner(looked: Looked) -> Iterator[tuple[HeadPicture, Link]]:
    for head in looked.heads:
        asking, answering = looked.sequences[head.queries], looked.sequences[head.keys]
        for link in head.links:
            same = head.queries == head.keys and link.query == link.key
            if not (same or asking.special[link.query] or answering.special[link.key]):
                yield head, link


def _table(title: str) -> Table:
    return Table(
        title=title,
        title_justify="left",
        title_style="bold",
        box=None,
        padding=(0, 2, 0, 0),
        show_header=False,
    )


def _ranking(looked: Looked) -> Table:
    table = _table("What counted most")
    shares = _shares(looked)
    order = [i for i in range(len(shares)) if not looked.units[i].special]
    for index in sorted(order, key=lambda i: -shares[i])[:8]:
        bar = "█" * max(1, round(shares[index] * 20))
        label = Text(printable(looked.units[index].label), style="bold")
        table.add_row(label, Text(f"{looked.values[index]:.4g}"), Text(bar, style="#d98a00"))
    return table


def _links(looked: Looked) -> Table:
    table = _table("\nStrongest links" + (" between them" if looked.units else ""))
    for head, link in inner_links(looked, 6):
        query = printable(looked.sequences[head.queries].labels[link.query])
        key = printable(looked.sequences[head.keys].labels[link.key])
        place = f"layer {head.layer}, head {head.head}"
        table.add_row(Text(f"{query} → {key}"), Text(f"{link.weight:.3f}"), Text(place, "dim"))
    if not table.row_count:
        table.add_row(Text("none: every strong link goes to an added token or to itself", "dim"))
    return table


def _heads(looked: Looked) -> Table:
    table = _table("\nHeads that stand out")
    for head in standing_heads(looked, 6):
        table.add_row(Text(f"layer {head.layer}, head {head.head}", "bold"), Text(habit(head)))
    if not table.row_count:
        table.add_row(Text("no head differs much from the others", "dim"))
    table.add_row(Text(""))
    return table
