"""docs/steering-truth.md and its curves, made from scripts/steering_truth_results.json."""

import json
import math
import statistics
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from scripts.steering_truth_curves import Curve, drawing
from scripts.steering_truth_words import (
    BARS,
    CURVES_SAY,
    ENDING,
    HEAD,
    SECTIONS,
    Column,
    Section,
)

ROOT: Final = Path(__file__).resolve().parents[1]
RESULTS: Final = Path(__file__).resolve().parent / "steering_truth_results.json"
PAGE: Final = ROOT / "docs" / "steering-truth.md"
IMAGES: Final = ROOT / "docs" / "images"
#: t(0.975) by degrees of freedom.
T: Final = (math.nan, 12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262)


@dataclass(frozen=True, kw_only=True)
class Mean:
    """A number over seeds.

    Args:
        value: the mean.
        half: half of the 95 % interval by Student's t; None for a single seed.
        least, most: the extremes.
    """

    value: float
    half: float | None
    least: float
    most: float


Rows = Mapping[tuple[str, float | None], Mapping[str, Mean]]


@dataclass(frozen=True, kw_only=True)
class Form:
    """One form of a task over its seeds.

    Args:
        task, variant: as in the records.
        seeds: how many.
        rows: by method and dose.
        chosen: by method, the numbers at the dose that each seed chose, and those doses.
    """

    task: str
    variant: str
    seeds: int
    rows: Rows
    chosen: Mapping[str, tuple[Mapping[str, Mean], Sequence[float]]]

    def at(self, method: str, name: str, dose: float | None = None) -> Mean:
        """One number."""
        return self.rows[method, dose][name]


def mean(values: Sequence[float]) -> Mean:
    """The mean of a number over seeds, with its interval."""
    half = None
    if len(values) > 1:
        spread = statistics.stdev(values)
        half = T[len(values) - 1] * spread / math.sqrt(len(values))
    return Mean(value=statistics.fmean(values), half=half, least=min(values), most=max(values))


def forms(known: Sequence[Mapping[str, Any]]) -> list[Form]:
    """The records by form, in the order of the page."""
    groups: dict[tuple[str, str], list[Mapping[str, Any]]] = {}
    for one in known:
        groups.setdefault((one["task"], one["variant"]), []).append(one)
    order = [section.task for section in SECTIONS]
    found = [_form(task, variant, runs) for (task, variant), runs in groups.items()]
    return sorted(found, key=lambda form: order.index(form.task))


def _form(task: str, variant: str, runs: Sequence[Mapping[str, Any]]) -> Form:
    rows: dict[tuple[str, float | None], list[Mapping[str, float]]] = {}
    chosen: dict[str, list[tuple[Mapping[str, float], float]]] = {}
    for run in runs:
        for line in run["lines"]:
            rows.setdefault((line["method"], line["dose"]), []).append(line["numbers"])
            if line["chosen"]:
                chosen.setdefault(line["method"], []).append((line["numbers"], line["dose"]))
    return Form(
        task=task,
        variant=variant,
        seeds=len(runs),
        rows={key: _means(all_numbers) for key, all_numbers in rows.items()},
        chosen={
            method: (_means([numbers for numbers, _ in found]), [dose for _, dose in found])
            for method, found in chosen.items()
        },
    )


def _means(given: Sequence[Mapping[str, float]]) -> Mapping[str, Mean]:
    return {name: mean([one[name] for one in given]) for name in given[0]}


def page() -> str:
    """The text of the page, from the records."""
    whole = json.loads(RESULTS.read_text(encoding="utf-8"))
    found = forms(whole["runs"])
    seconds = sum(one["seconds"] for one in whole["runs"])
    lines = [HEAD, "## The bars", "", *_bars(found), ""]
    for section in SECTIONS:
        own = [form for form in found if form.task == section.task]
        if own:
            lines += _section(section, own)
    made = whole["made_with"]
    lines += [
        ENDING,
        f"{len(whole['runs'])} runs, {seconds / 60:.0f} minutes of one core in all; torch "
        f"{made['torch']}, Python {made['python']}, one thread, float32.",
    ]
    return "\n".join(lines) + "\n"


def _bars(found: Sequence[Form]) -> Iterator[str]:
    yield "| task | bar | measured | seeds | held |"
    yield "|---|---|---|---|---|"
    for form in found:
        for task, method, what, says, holds in BARS:
            if task != form.task:
                continue
            if method in form.chosen:
                numbers, doses = form.chosen[method]
                shown = says(numbers, f"weight {_doses(doses)}")
            elif (method, None) in form.rows:
                numbers = dict(form.rows[method, None])
                for (other, dose), those in form.rows.items():
                    if dose is None:
                        numbers |= {f"{other}/{name}": one for name, one in those.items()}
                if not _fits(what, form):
                    continue
                shown = says(numbers, "")
            else:
                continue
            name = f"{task}, {form.variant}" if form.variant else task
            held = "yes" if holds(numbers) else "**no**"
            yield f"| {name} | {what} | {shown} | {form.seeds} | {held} |"


def _fits(what: str, form: Form) -> bool:
    """Whether a bar of the sensor task is one of this form: where it normalizes or does not."""
    if form.task != "sensor":
        return True
    return ("refuses" in what) != form.variant.endswith("none")


def _section(section: Section, own: Sequence[Form]) -> Iterator[str]:
    yield f"## {section.title}"
    yield ""
    yield section.text
    yield ""
    for form in own:
        if form.variant:
            yield f"**{form.variant}** ({_seeds(form)})"
        else:
            yield f"({_seeds(form)})"
        yield ""
        yield from _table(form, section.columns)
        yield ""
    for curve in _curves(section.task, own):
        yield f"![{curve.title}](images/{curve.name}.svg)"
        yield ""
        yield CURVES_SAY[curve.name]
        yield ""


def _seeds(form: Form) -> str:
    return f"{form.seeds} seeds" if form.seeds > 1 else "1 seed"


def _table(form: Form, columns: Sequence[Column]) -> Iterator[str]:
    names = {name for numbers in form.rows.values() for name in numbers}
    used = [one for one in columns if one.name in names]
    yield "| | dose | " + " | ".join(one.title for one in used) + " |"
    yield "|---|---|" + "---|" * len(used)
    for (method, dose), numbers in form.rows.items():
        if method in form.chosen:
            if dose != next(d for m, d in form.rows if m == method):
                continue
            numbers, doses = form.chosen[method]
            shown = f"{_doses(doses)} (found)"
        else:
            shown = "" if dose is None else f"{dose:g}"
        cells = [_cell(numbers.get(one.name), one) for one in used]
        yield f"| {method} | {shown} | " + " | ".join(cells) + " |"


def _doses(doses: Sequence[float]) -> str:
    low, high = min(doses), max(doses)
    return f"{low:g}" if low == high else f"{low:g} to {high:g}"


def _cell(one: Mean | None, column: Column) -> str:
    if one is None:
        return ""
    scale, digits = (100, 1) if column.percent else (1, column.digits)
    value = f"{one.value * scale:.{digits}f}"
    if float(value) == 0.0 and one.most > 0:
        value = f"{one.value * scale:.1e}"
    if one.half is None or one.half * scale < 0.5 * 10**-digits:
        return value
    return f"{value} ± {one.half * scale:.{digits}f}"


def _curves(task: str, own: Sequence[Form]) -> Iterator[Curve]:
    """The drawings of a task."""
    form = own[0]
    if task == "conflict":
        yield Curve(
            name="steering-conflict",
            title="Conflicting sources: obedience and collateral against the weight",
            x="weight of the named source (for PASTA 1/alpha)",
            lines={
                "boost, obedience": _points(form, "boost", "obedience"),
                "boost, collateral": _points(form, "boost", "collateral"),
                "PASTA, 2 heads, obedience": _points(
                    form, "PASTA, 2 profiled heads", "obedience", turned=True
                ),
                "PASTA, 2 heads, collateral": _points(
                    form, "PASTA, 2 profiled heads", "collateral", turned=True
                ),
            },
        )
    if task == "horn":
        yield Curve(
            name="steering-horn",
            title="Horn rules: conclusions of the weighed rule and of the others",
            x="weight of one rule",
            lines={
                "its own conclusion": _points(form, "damp or boost", "own"),
                "the others' conclusions": _points(form, "damp or boost", "others"),
                "whole step right": _points(form, "damp or boost", "exact"),
            },
        )
    if task == "shortcut":
        yield Curve(
            name="steering-finite",
            title="Shortcut column: what still comes through a finite weight",
            x="weight of the column",
            lines={
                "largest change of a probability": _points(form, "damp", "leak"),
                "decisions flipped": _points(form, "damp", "flipped"),
                "accuracy": _points(form, "damp", "accuracy"),
            },
        )


def _points(
    form: Form, method: str, name: str, *, turned: bool = False
) -> Sequence[tuple[float, float]]:
    """Doses of a method from low to high; a weight of 1 is no rule."""
    found = [
        (1 / dose if turned else dose, numbers[name].value)
        for (other, dose), numbers in form.rows.items()
        if other == method and dose is not None
    ]
    return sorted([*found, (1.0, form.at("no rule", name).value)])


def write_page() -> None:
    """Write the page and its drawings."""
    whole = json.loads(RESULTS.read_text(encoding="utf-8"))
    groups = forms(whole["runs"])
    for section in SECTIONS:
        own = [form for form in groups if form.task == section.task]
        for curve in _curves(section.task, own) if own else ():
            (IMAGES / f"{curve.name}.svg").write_text(drawing(curve), encoding="utf-8")
    PAGE.write_text(page(), encoding="utf-8")
