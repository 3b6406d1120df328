"""A recipe's run in the terminal. Color is never the only sign."""

from collections.abc import Callable, Iterable
from pathlib import Path

from rich.console import Console
from rich.table import Table
from rich.text import Text

from zhuyi.audit.naming import method_name
from zhuyi.core.record import Said
from zhuyi.recipes.records import Comparison, Decision, Part, RecipeReport
from zhuyi.recipes.scene import Scene
from zhuyi.ui.report.recipe import words
from zhuyi.ui.report.recipe.chart import best
from zhuyi.ui.report.recipe.decision import decided
from zhuyi.ui.report.recipe.numbers import ends, shown, signed
from zhuyi.ui.terminal import printable

Say = Callable[[Said], str]

_FACTORS = 5  # the page has more
_STYLES = {"trusted": "bold green", "doubtful": "bold yellow", "refuted": "bold red"}
_SIGNS = {"trusted": "✓ ", "doubtful": "? ", "refuted": "✗ "}


def show_run(report: RecipeReport, console: Console, *, page: Path | None, lang: str) -> None:
    """Print a run: per part the answer, the models side by side, checks, verdict, limits.

    Args:
        report: what was found.
        console: where to.
        page: where the page was written, or None.
        lang: "en" or "zh".
    """

    def say(said: Said) -> str:
        return printable(said.zh if lang == "zh" else said.en)

    console.print()
    console.print(Text(say(report.title), "bold"))
    if report.quick:
        console.print(Text(say(words.QUICK), "yellow"))
    for part in report.parts:
        _show_part(part, console, say)
    for name, why in report.skipped:
        line = f"{name}: {say(words.SKIPPED)} {why}"
        console.print(Text(printable(line), "yellow"))
    console.print()
    console.print(Text(say(words.FORBIDDEN), "bold red"))
    for one in report.forbidden:
        console.print(Text(f"  ✗ {say(one)}"))
    console.print()
    if page is None:
        console.print(Text("Add -o FOLDER for the page.", "dim"))
    else:
        console.print(Text.assemble("Page: ", (printable(str(page)), "bold")), soft_wrap=True)
    console.print()


def show_parts(scenes: Iterable[Scene], console: Console, *, lang: str) -> None:
    """Print what can be run, and the data that it needs.

    Args:
        scenes: whose parts.
        console: where to.
        lang: "en" or "zh".
    """
    for scene in scenes:
        table = _table(printable(scene.title.zh if lang == "zh" else scene.title.en))
        table.add_column(no_wrap=True)
        table.add_column()
        for name, part in scene.by_name.items():
            question = part.question.zh if lang == "zh" else part.question.en
            told = Text.assemble(printable(question), "\n", (printable(part.data), "dim"))
            table.add_row(Text(f"{scene.name} --part {name}", "bold"), told)
        console.print(table)
        console.print()


def _show_part(part: Part, console: Console, say: Say) -> None:
    console.print()
    console.print(Text(f"── {say(part.title)} ──", "bold"))
    console.print(Text(say(part.answer)))
    for comparison in part.comparisons:
        console.print()
        console.print(_scores(comparison, say))
    if part.checks:
        console.print()
    for one in part.checks:
        sign, style = ("✓", "bold green") if one.held else ("✗", "bold red")
        asked = f" ({say(words.BAR)} {one.bar})" if one.bar else ""
        word = say(words.HELD if one.held else words.FAILED)
        text = f" {say(one.name)}: {printable(one.measured + asked)}"
        console.print(Text.assemble((f"{sign} {word}", style), text))
    for decision in part.decisions:
        console.print()
        _show_decision(decision, console, say)
    if part.audit is not None:
        console.print()
        verdict, method = part.audit.verdict, method_name(part.audit.chosen)
        line = f"  {say(part.audit.answer)} ({say(words.EXPLAINED_BY)}: {say(method)})"
        console.print(Text.assemble(_verdict(verdict, say), line))
    console.print()
    console.print(Text(say(words.LIMITS), "bold"))
    for limit in part.limits:
        console.print(Text(f"  - {say(limit)}"))


def _scores(one: Comparison, say: Say) -> Table:
    table = _table(say(one.title))
    table.show_header = True
    seconds = any(score.seconds is not None for score in one.scores)
    for name in (say(words.MODEL), "", one.metric, "95 %"):
        table.add_column(printable(name))
    if seconds:
        table.add_column(say(words.SECONDS), justify="right")
    ours = best(one.scores, "ours", higher=one.better == "higher")
    for score in one.scores:
        strong = "bold" if score is ours else ""
        time = "" if score.seconds is None else f"{score.seconds:,.1f}"
        cells = [
            Text(printable(score.model), strong),
            Text(say(words.ROLES[score.role]), "dim"),
            Text(shown(score.value.value), strong),
            Text(ends(score.value), "dim"),
        ]
        table.add_row(*cells, *([Text(time, "dim")] if seconds else []))
    return table


def _show_decision(one: Decision, console: Console, say: Say) -> None:
    happened = f"  {say(words.HAPPENED)}: {one.truth}" if one.truth else ""
    console.print(
        Text.assemble(
            (printable(one.title), "bold"),
            printable(f"  {say(words.DECIDED)}: {decided(one)}{happened}  "),
            _verdict(one.verdict, say),
        )
    )
    if one.text:
        console.print(Text(f"  {printable(one.text)}", "italic"))
    table = Table(box=None, padding=(0, 2, 0, 2), show_header=False)
    for factor in one.factors[:_FACTORS]:
        value = "" if factor.value == factor.name else factor.value
        table.add_row(
            Text(printable(factor.name)), Text(printable(value)), signed(factor.contribution)
        )
    if rest := one.factors[_FACTORS:]:
        others = say(words.filled(words.OTHERS, n=len(rest)))
        table.add_row(Text(others, "dim"), "", signed(sum(f.contribution for f in rest)))
    console.print(table)


def _verdict(verdict: str, say: Say) -> tuple[str, str]:
    name = say(words.VERDICTS[verdict]) if verdict in words.VERDICTS else printable(verdict)
    return _SIGNS.get(verdict, "") + name, _STYLES.get(verdict, "dim")


def _table(title: str) -> Table:
    return Table(
        title=title,
        title_justify="left",
        title_style="bold",
        box=None,
        padding=(0, 2, 0, 0),
        show_header=False,
    )
