"""An audit, or two side by side, in the terminal. Color is never the only sign."""

from collections import Counter
from pathlib import Path

from rich.console import Console
from rich.table import Table
from rich.text import Text

from zhuyi.audit.naming import method_name
from zhuyi.audit.report import AuditReport, Interval
from zhuyi.core.record import Label
from zhuyi.ui.comparing import Comparison
from zhuyi.ui.terminal import printable

_SIGNS: dict[Label, tuple[str, str]] = {
    "trusted": ("✓ TRUSTED", "bold green"),
    "doubtful": ("? DOUBTFUL", "bold yellow"),
    "refuted": ("✗ REFUTED", "bold red"),
}
_ARROWS = {
    "worse": ("▼ worse", "bold red"),
    "better": ("▲ better", "bold green"),
    "within noise": ("· same", "dim"),
    "not comparable": ("  no interval", "dim"),
}
_METHODS = 8
_SKIPPED = 5
_REASONS = 4  # the page has all


_HINT = "Add -o FOLDER for the page, the card and the JUnit file."


def show_audit(
    report: AuditReport, console: Console, *, folder: Path | None, hint: str = _HINT
) -> None:
    """Print what an audit found: the answer, why, the methods, the groups.

    Args:
        report: the audit.
        console: where to.
        folder: where its files are, or None.
        hint: said when there is no folder; "" for nothing.
    """
    console.print()
    line = Text.assemble((printable(report.title), "bold"), "  ", (printable(report.task), "dim"))
    console.print(line)
    sign, style = _SIGNS[report.verdict]
    console.print(Text.assemble((sign, style), "  ", printable(report.answer.en)))
    for reason in report.reasons[:_REASONS]:
        console.print(Text(f"  - {printable(reason.en)}"))
    console.print()
    counts = Counter(one.label for one in report.inputs)
    parts = ", ".join(f"{counts[label]} {label}" for label in _SIGNS)
    console.print(Text(f"Explanations of {len(report.inputs)} inputs: {parts}"))
    if "accuracy" in report.quality:
        console.print(Text(f"Right decisions: {_figure(report.quality['accuracy'], share=True)}"))
    else:
        for name, value in report.quality.items():
            console.print(Text(f"{name}: {_figure(value)}"))
    console.print()
    console.print(_methods(report))
    for said in report.subgroups_said:
        console.print(Text(f"Groups: {printable(said.en)}"))
    console.print(Text(printable(report.budget.said.en), style="dim"))
    _print_skipped(report, console)
    if folder is not None:
        page = Text.assemble("Page: ", (printable(str(folder / "report.html")), "bold"))
        console.print(page, soft_wrap=True)
    elif hint:
        console.print(Text(printable(hint), "dim"))
    console.print()


def show_comparison(found: Comparison, console: Console) -> None:
    """Print what got better or worse.

    Args:
        found: the comparison.
        console: where to.
    """
    console.print()
    console.print(
        Text.assemble((printable(found.old), "bold"), " → ", (printable(found.new), "bold"))
    )
    console.print(Text(printable(found.answer.en), "bold"))
    for caution in found.cautions:
        console.print(Text(f"  ! {printable(caution.en)}", "yellow"))
    console.print()
    table = Table(box=None, padding=(0, 2, 0, 0), show_header=False)
    for change in found.changes:
        sign, style = _ARROWS[change.direction]
        table.add_row(Text(sign, style), Text(printable(change.said.en)))
    console.print(table)
    console.print()


def _methods(report: AuditReport) -> Table:
    table = Table(box=None, padding=(0, 2, 0, 0), title="Methods under the same tests",
                  title_justify="left", title_style="bold")  # fmt: skip
    for name in ("method", "verdict", "skill", "p"):
        table.add_column(name, justify="left", no_wrap=name != "method")
    for one in report.methods[:_METHODS]:
        sign, style = _SIGNS[one.label]
        name = method_name(one.name).en + (" (used here)" if one.chosen else "")
        table.add_row(
            Text(printable(name), "bold" if one.chosen else ""),
            Text(sign.lower(), style.removeprefix("bold ")),
            _figure(one.numbers.get("skill")),
            _chance(one.numbers.get("p")),
        )
    table.caption = Text("skill: 1 as good as any order can be, 0 random, -1 reversed", "dim")
    table.caption_justify = "left"
    return table


def _chance(one: Interval | None) -> str:
    if one is None:
        return "not tested"
    return "< 0.001" if one.value < 0.001 else f"{one.value:.3f}"


def _figure(one: Interval | None, *, share: bool = False) -> str:
    if one is None:
        return "not tested"
    told = [
        f"{value:.1%}" if share else f"{value:.2f}"
        for value in (one.value, one.lower, one.upper)
        if value is not None
    ]
    return told[0] if len(told) < 3 else f"{told[0]} ({told[1]} to {told[2]})"


def _print_skipped(report: AuditReport, console: Console) -> None:
    skipped = report.data.skipped
    if not skipped:
        return
    console.print(Text(f"{len(skipped)} of {report.data.rows} rows were left out:", "yellow"))
    for one in skipped[:_SKIPPED]:
        console.print(Text(f"  row {one.row}: {printable(one.reason.en)}", "yellow"))
    if len(skipped) > _SKIPPED:
        console.print(Text(f"  and {len(skipped) - _SKIPPED} more", "yellow"))
