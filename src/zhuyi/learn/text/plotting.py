"""A text colored by what its characters and words contribute."""

import unicodedata
from collections.abc import Mapping
from typing import TYPE_CHECKING, Final

from zhuyi.errors import InputError

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_FOR, _AGAINST = "#0072b2", "#d55e00"  # told apart by the color-blind too
_LINE: Final = 60  # cells; a character of a dense script takes two
_FONTS: Final = (  # that have Chinese, whichever is installed
    *("Noto Sans CJK SC", "Noto Sans CJK JP", "Source Han Sans SC", "Source Han Sans CN"),
    *("WenQuanYi Micro Hei", "WenQuanYi Zen Hei", "Microsoft YaHei", "SimHei"),
    *("PingFang SC", "Heiti SC", "Arial Unicode MS"),
)


def colored(text: str, frame: "pd.DataFrame", constants: Mapping[str, float]) -> "Figure":
    """The text, each unit behind its color: blue speaks for the label, orange against.

    Args:
        text: as it came.
        frame: lines of `explain` of this text, one a unit.
        constants: what each label starts from.
    Raises: InputError: when there are no lines.
    """
    from matplotlib.figure import Figure  # not pyplot: no global state, no window

    labels = list(dict.fromkeys(frame["label"]))
    if not labels:
        raise InputError("there is nothing to plot: the text has no piece that training saw")
    rows = max(place for _, place, _, _ in _laid_out(text, frame[frame["label"] == labels[0]])) + 1
    figure = Figure(figsize=(9, len(labels) * (0.7 + 0.32 * rows)))
    for place, label in enumerate(labels):
        axes = figure.add_subplot(len(labels), 1, place + 1)
        part = frame[frame["label"] == label]
        _draw(axes, text, part, rows)
        # of two classes the one constant speaks for the second, and against the first
        start = constants.get(label, -sum(constants.values()))
        total = part["contribution"].sum()
        verdict = ", ".join(dict.fromkeys(part["verdict"]))
        title = f"{label}: {total:+.2f} from the text, starts at {start:.2f} ({verdict})"
        axes.set_title(title.replace("$", r"\$"), loc="left", family=_families())
    figure.set_layout_engine("tight")
    return figure


def _draw(axes: "Axes", text: str, part: "pd.DataFrame", rows: int) -> None:
    from matplotlib.patches import Rectangle

    most = max(float(part["contribution"].abs().max()), 1e-12)
    families = _families()
    pairs = zip(_laid_out(text, part), part["contribution"], strict=True)
    for (shown, row, cell, width), value in pairs:
        color = _FOR if value >= 0 else _AGAINST
        strength = 0.75 * abs(value) / most
        axes.add_patch(Rectangle((cell, row), width, 0.86, color=color, alpha=strength, lw=0))
        axes.text(
            cell + width / 2, row + 0.43, shown.replace("$", r"\$"),
            ha="center", va="center", family=families,
        )  # fmt: skip
    axes.set_xlim(0, _LINE)
    axes.set_ylim(rows, -0.2)
    axes.set_axis_off()


def _laid_out(text: str, part: "pd.DataFrame") -> list[tuple[str, int, float, float]]:
    """Per unit what is shown, its line, its first cell and its width in cells."""
    found: list[tuple[str, int, float, float]] = []
    row, cell, before = 0, 0.0, 0
    for start, end in zip(part["start"], part["end"], strict=True):
        shown = text[start:end]
        width = float(sum(2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in shown))
        cell += 1.0 if start > before and cell else 0.0
        if cell and cell + width > _LINE:
            row, cell = row + 1, 0.0
        found.append((shown, row, cell, width))
        cell, before = cell + width, end
    return found


def _families() -> list[str]:
    """Installed fonts to look for a character in."""
    from matplotlib.font_manager import fontManager

    installed = {entry.name for entry in fontManager.ttflist}
    return ["DejaVu Sans", *(name for name in _FONTS if name in installed)]
