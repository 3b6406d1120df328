"""Figures of explanations; matplotlib is imported when one is asked for."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

from zhuyi.errors import InputError

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

_FOR, _AGAINST = "#0072b2", "#d55e00"  # told apart by the color-blind too
_MOST = 20  # factors


def contributions(frame: "pd.DataFrame", constants: Mapping[str, float]) -> "Figure":
    """Bars of contributions, the largest first, one picture a label.

    Args:
        frame: lines of `explain` of one row.
        constants: what each label starts from.
    Raises: InputError: when there are no lines.
    """
    from matplotlib.figure import Figure  # not pyplot: no global state, no window

    labels = list(dict.fromkeys(frame["label"]))
    if not labels:
        raise InputError("there is nothing to plot: name a row that is in X")
    figure = Figure(figsize=(7, 0.6 + len(labels) * (0.8 + 0.3 * min(len(frame), _MOST))))
    for place, label in enumerate(labels):
        axes = figure.add_subplot(len(labels), 1, place + 1)
        part = frame[frame["label"] == label]
        part = part.iloc[part["contribution"].abs().argsort()[::-1][:_MOST]][::-1]
        names = [f"{f} = {v}" for f, v in zip(part["factor"], part["value"], strict=True)]
        colors = [_FOR if value >= 0 else _AGAINST for value in part["contribution"]]
        axes.barh(range(len(part)), part["contribution"], color=colors)
        # a dollar sign in a name is no formula
        axes.set_yticks(range(len(part)), [name.replace("$", r"\$") for name in names])
        axes.axvline(0.0, color="black", linewidth=0.8)
        start = constants.get(label, 0.0)
        verdict = ", ".join(dict.fromkeys(part["verdict"]))
        axes.set_title(f"{label} (starts at {start:.3g}; {verdict})".replace("$", r"\$"))
        axes.set_xlabel("contribution")
    figure.set_layout_engine("tight")
    return figure
