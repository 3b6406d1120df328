"""A fit in the terminal: what was read, what is wrong with it, how good it is, what counts."""

import math
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console
from rich.table import Table
from rich.text import Text

from zhuyi.ui.estimators.fitting import FactorRow, Outcome
from zhuyi.ui.estimators.preparing import Prepared
from zhuyi.ui.estimators.problems import Problem
from zhuyi.ui.estimators.scoring import Scored
from zhuyi.ui.terminal import printable

_CLASSES = 6
_FACTORS = 8
_LABELS = 4
_BROKEN = 5
_WIDTH = 24  # characters of the longest bar
_GLASS = (
    "A glass box: for every row the contributions of its factors add up to the decision. Whether "
    "they also tell what happens without a factor is for an audit to say."
)
_EVIDENCE = (
    "With mixing layers a factor's part holds what it learned of other columns too: evidence, not "
    "verified."
)


def show_problems(problems: Sequence[Problem], console: Console) -> None:
    """Print what a person should hear before training."""
    for one in problems:
        console.print(Text(f"! {one.name}: {printable(one.said)}", "yellow"))


def show_fit(outcome: Outcome, console: Console, *, data: Path, folder: Path | None) -> None:
    """Print the table, the scores side by side, the factors that count, and what to do next.

    Args:
        outcome: of the fit.
        console: where to.
        data: the file.
        folder: where the model is, or None.
    """
    prepared, target = outcome.prepared, outcome.prepared.target
    console.print()
    names = " and ".join(target.names)
    console.print(
        Text.assemble((printable(names), "bold"), f"  from {printable(prepared.sheet.name)}")
    )
    _show_data(prepared, console)
    console.print()
    if outcome.scores:
        console.print(_scores(outcome.scores, prepared))
        _show_judgement(outcome, console)
    else:
        console.print(Text("No rows were held out, so nothing is known of how good it is.", "bold"))
    console.print()
    for label in list(dict.fromkeys(one.label for one in outcome.factors))[:_LABELS]:
        console.print(_factors([one for one in outcome.factors if one.label == label], label))
    computed = outcome.model.explanation_ == "computation"
    console.print(Text(_GLASS if computed else _EVIDENCE, "dim"))
    console.print()
    if folder is None:
        console.print(Text("Add -o FOLDER to keep the model.", "dim"))
    else:
        line = Text.assemble("Model: ", (printable(str(folder)), "bold"))
        console.print(line, soft_wrap=True)
        told = f"Next: zhuyi audit {printable(str(folder))} --data {printable(str(data))} -o audit/"
        console.print(Text(told), soft_wrap=True)
    console.print()


def _show_data(prepared: Prepared, console: Console) -> None:
    target, split = prepared.target, prepared.split
    kinds = Counter(prepared.columns.values())
    factors = ", ".join(f"{count} {kind}" for kind, count in kinds.items()) or "one text"
    console.print(f"{len(prepared.sheet):,} rows; factors: {factors}")
    if target.task == "number":
        values = target.values
        told = f"a number from {values.min():.6g} to {values.max():.6g}"
    else:
        counts = list(target.counts.items())
        told = ", ".join(f"{name} {count:,}" for name, count in counts[:_CLASSES])
        told += f" and {len(counts) - _CLASSES} more" if len(counts) > _CLASSES else ""
    console.print(Text(f"To predict: {printable(told)} ({printable(target.why)})"))
    if split.test.size:
        how = "drawn at random" if prepared.groups is None else "whole groups"
        console.print(f"Trained on {split.train.size:,}, held out {split.test.size:,} ({how})")
    left = prepared.offered - len(prepared.sheet)
    if left:
        console.print(Text(f"{left:,} of {prepared.offered:,} rows were left out:", "yellow"))
        broken = prepared.sheet.broken
        for one in broken[:_BROKEN]:
            console.print(Text(f"  row {one.row}: {printable(one.reason.en)}", "yellow"))
        if len(broken) > _BROKEN:
            console.print(Text(f"  and {len(broken) - _BROKEN} more", "yellow"))
        if left > len(broken):
            console.print(Text(f"  {left - len(broken):,} without a target", "yellow"))


def _scores(scores: Sequence[Scored], prepared: Prepared) -> Table:
    held = prepared.split.test.size
    table = Table(box=None, padding=(0, 2, 0, 0), title=f"On {held:,} held-out rows",
                  title_justify="left", title_style="bold")  # fmt: skip
    others = list(scores[0].others)
    for name in ("model", scores[0].metric, *others, "seconds"):
        table.add_column(name, justify="left", no_wrap=name != "model")
    for one in scores:
        style = "bold" if one.role == "ours" else ""
        table.add_row(
            Text(one.model, style),
            Text(_interval(one), style),
            *(_number(one.others[name]) for name in others),
            f"{one.seconds:.1f}",
        )
    better = "lower is better" if scores[0].metric == "RMSE" else "higher is better"
    told = f"{scores[0].metric}: {better}; in brackets its interval at 95 %"
    if "text" in prepared.columns.values():
        told += "; the simple models do not read the columns of text"
    table.caption = Text(told, "dim")
    table.caption_justify = "left"
    return table


def _show_judgement(outcome: Outcome, console: Console) -> None:
    if outcome.better:
        return
    told = "✗ not better than saying nothing by more than chance: do not use its decisions"
    console.print(Text(told, "bold red"))


def _factors(rows: Sequence[FactorRow], label: str) -> Table:
    what = f" for {printable(label)}" if label else ""
    title = Text(f"What counts most{what}", "bold")
    table = Table(box=None, padding=(0, 2, 0, 0), title=title, title_justify="left")
    table.add_column("factor", no_wrap=False)
    table.add_column("mean |contribution|", no_wrap=True)
    table.add_column("counts most in", no_wrap=True)
    largest = max((one.size for one in rows), default=0.0) or 1.0
    for one in rows[:_FACTORS]:
        bar = "█" * max(1, round(one.size / largest * _WIDTH))
        table.add_row(
            Text(printable(one.factor)),
            Text(f"{one.size:8.3g} {bar}"),
            Text(f"{one.first:.0%} of rows"),
        )
    if len(rows) > _FACTORS:
        table.caption = Text(f"and {len(rows) - _FACTORS:,} more", "dim")
        table.caption_justify = "left"
    return table


def _interval(one: Scored) -> str:
    told = _number(one.score.value)
    if one.score.lower is None or one.score.upper is None:
        return told
    return f"{told} ({_number(one.score.lower)} to {_number(one.score.upper)})"


def _number(value: float) -> str:
    if not math.isfinite(value):
        return "–"
    return f"{value:.3f}" if abs(value) < 100 else f"{value:,.0f}"
