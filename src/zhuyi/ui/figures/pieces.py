"""One input's pieces on paper: the text in color, and the largest values as bars."""

from collections.abc import Sequence
from itertools import zip_longest

import numpy as np
from matplotlib.axes import Axes
from matplotlib.patches import Rectangle

from zhuyi.core.record import Attribution, Unit, Verdict
from zhuyi.errors import InputError, OptionError
from zhuyi.trace.words import gaps
from zhuyi.ui.figures.paper import AGAINST, FOR, Paper, belief, cells, families, plain
from zhuyi.ui.notebook.picturing import texts_of

_LINE = 74.0  # cells of a line
_LINES = 30  # of text; more is cut off, which is said
_CELL = 0.098  # inches


def draw_pieces(
    attribution: Attribution,
    row: int,
    *,
    verdict: Verdict | None,
    decisions: Sequence[str],
    title: str,
    most: int,
) -> Paper:
    """The text above, bars below; see `plotting.plot_attribution`."""
    count = len(attribution.units)
    if not 0 <= row < count:
        raise OptionError(f"batch must be from 0 to {count - 1}, got {row}")
    if most < 1:
        raise OptionError(f"most must be at least 1, got {most}")
    units = attribution.units[row]
    values = attribution.values[row, : len(units)].detach().double().cpu().numpy()
    if not len(units):
        raise InputError(f"input {row} has no pieces, so there is nothing to plot")
    if not np.isfinite(values).all():
        raise InputError(f"input {row} has values that are not finite, which cannot be drawn")
    own = [i for i, unit in enumerate(units) if not unit.special] or list(range(len(units)))
    ranked = sorted(own, key=lambda i: -abs(values[i]))[:most]
    laid = _laid_out(units)
    lines = min(max(line for _, line, _, _ in laid) + 1, _LINES)
    paper = Paper(_LINE * _CELL + 0.4, 0.27 * lines + 0.24 * len(ranked) + 1.9)
    text, bars = paper.subplots(2, 1, height_ratios=(0.27 * lines, 0.24 * len(ranked) + 0.3))
    top = max(float(np.abs(values[own]).max()), 1e-300)
    _draw_text(text, laid, values / top, lines)
    _draw_bars(bars, [units[i].label for i in ranked], values[ranked], signed=attribution.signed)
    target = attribution.target[row]
    named = decisions[target] if 0 <= target < len(decisions) else ""
    said = [f"Decision explained: {named or f'class {target}'}. Values by {attribution.method}."]
    if attribution.signed:
        said.append("Blue speaks for the decision; orange, hatched, against it.")
    if len(ranked) < len(own):
        said.append(f"Bars: the {len(ranked)} largest of {len(own)} pieces.")
    if max(line for _, line, _, _ in laid) >= _LINES:
        said.append(f"Of the text, the first {_LINES} lines are shown.")
    paper.write(title, [*said, *belief(verdict, row, attribution.method)])
    return paper


def _draw_text(
    axes: Axes, laid: list[tuple[str, int, float, float]], shares: np.ndarray, lines: int
) -> None:
    """Each piece before its color; a piece that speaks against the decision is underlined."""
    for (shown, line, cell, width), share in zip(laid, shares, strict=True):
        if line >= lines:
            break
        strength = min(abs(float(share)), 1.0)
        color = FOR if share >= 0 else AGAINST
        box = Rectangle((cell, line + 0.06), width, 0.82, color=color, alpha=0.62 * strength, lw=0)
        axes.add_patch(box)
        if share < 0 and strength >= 0.08:
            axes.plot([cell, cell + width], [line + 0.9] * 2, color=AGAINST, lw=1.2, ls="--")
        axes.text(
            cell + width / 2, line + 0.5, plain(shown), ha="center", va="center", fontsize=8.5,
            family=families(),
        )  # fmt: skip
    axes.set_xlim(0, _LINE)
    axes.set_ylim(lines, 0)
    axes.set_axis_off()


def _draw_bars(axes: Axes, names: list[str], values: np.ndarray, *, signed: bool) -> None:
    places = np.arange(len(names))[::-1]
    colors = [FOR if value >= 0 else AGAINST for value in values]
    hatches = ["" if value >= 0 else "////" for value in values]
    axes.barh(places, values, color=colors, hatch=hatches, edgecolor="white", height=0.72)
    axes.set_yticks(places, [plain(_cut(name)) for name in names], fontsize=8, family=families())
    for place, value in zip(places, values, strict=True):
        said = f"{value:+.3g}" if signed else f"{value:.3g}"
        axes.annotate(
            said.replace("-", "−"), (value, place), fontsize=7,
            xytext=(3 if value >= 0 else -3, 0), textcoords="offset points", va="center",
            ha="left" if value >= 0 else "right",
        )  # fmt: skip
    axes.axvline(0.0, color="black", linewidth=0.8)
    axes.margins(x=0.12)
    axes.tick_params(axis="x", labelsize=7)
    axes.spines[["top", "right", "left"]].set_visible(False)
    axes.tick_params(axis="y", length=0)
    axes.set_xlabel("value", fontsize=8)


def _laid_out(units: Sequence[Unit]) -> list[tuple[str, int, float, float]]:
    """Per piece what is shown, its line, its first cell and its width in cells."""
    found: list[tuple[str, int, float, float]] = []
    line, cell = 0, 0.0
    for unit, gap in zip_longest(units, gaps(units, texts_of(units)), fillvalue=""):
        assert isinstance(unit, Unit)
        shown = _cut(unit.label, int(_LINE) - 2)
        width = max(cells(shown), 1.0) + 0.4
        if "\n" in gap and cell:
            line, cell = line + 1, 0.0
        if cell:
            cell += 1.0 if gap else 0.15
        if cell and cell + width > _LINE:
            line, cell = line + 1, 0.0
        found.append((shown, line, cell, width))
        cell += width
    return found


def _cut(text: str, most: int = 34) -> str:
    if cells(text) <= most:
        return text
    while cells(text) >= most:
        text = text[:-1]
    return f"{text}…"
