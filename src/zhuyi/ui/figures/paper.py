"""A sheet of paper: a figure of its own, fonts that have the text, a caption that stays with it.

This module needs matplotlib and is imported when a figure is asked for, never before.
"""

import io
import textwrap
import unicodedata
from collections.abc import Sequence
from functools import cache
from typing import Final

from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import Colormap, ListedColormap
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties, findfont, fontManager, get_font

from zhuyi.core.record import Verdict
from zhuyi.ui.live.overview import light_ramp
from zhuyi.ui.notebook.believing import NOT_TESTED, NOT_VERIFIED, SIGNS, checked_of

FOR, AGAINST = "#0072b2", "#d55e00"  # told apart by the color-blind too
GRAY: Final = "#e4e4e7"
_SCREEN: Final = 144  # dots an inch in a notebook
_SMALL: Final = 7.5  # points, of a caption
_FONTS: Final = (  # that have Chinese, whichever is installed
    *("Noto Sans CJK SC", "Noto Sans CJK JP", "Source Han Sans SC", "Source Han Sans CN"),
    *("WenQuanYi Micro Hei", "WenQuanYi Zen Hei", "Microsoft YaHei", "SimHei"),
    *("PingFang SC", "Heiti SC", "Arial Unicode MS"),
)


class Paper(Figure):
    """A figure without pyplot: no global state, no window. A notebook shows it by itself.

    Args:
        width, height: in inches.
    """

    def __init__(self, width: float, height: float) -> None:
        super().__init__(figsize=(width, height), layout="constrained", facecolor="white")
        FigureCanvasAgg(self)

    def _repr_png_(self) -> bytes:
        stream = io.BytesIO()
        self.savefig(stream, format="png", dpi=_SCREEN)
        return stream.getvalue()

    def write(self, title: str, sentences: Sequence[str]) -> None:
        """The title above, and a caption below.

        Args:
            title: "" for none.
            sentences: of the caption.
        """
        width = self.get_figwidth()
        if title:
            self.suptitle(
                plain(title), x=0.01, ha="left", fontsize=11, fontweight="bold", family=families()
            )
        text = "\n".join(
            line for one in sentences for line in _wrapped(plain(one), int(width * 17.5))
        )
        self.supxlabel(text, x=0.01, ha="left", fontsize=_SMALL, color="#3f3f46", family=families())


def belief(verdict: Verdict | None, row: int, shown: str) -> list[str]:
    """What the caption says of how far the picture may be believed.

    Args:
        verdict: or None.
        row: index of the input.
        shown: repr of the method whose values are drawn, "" for heads.
    """
    if verdict is None:
        return [NOT_TESTED.en if shown else NOT_VERIFIED.en]
    checked = checked_of(verdict, row, shown=shown)
    label = checked.verdict.label
    said = f"{SIGNS[label]} {label.capitalize()}: {checked.headline.en}"
    return [said, *(note.en for note in checked.notes)]


def ramp() -> Colormap:
    """The view's light ramp: even steps of lightness, so gray print and any eye keep the order."""
    return ListedColormap(light_ramp() / 255, name="zhuyi")


@cache
def families() -> list[str]:
    """Installed fonts, in the order in which a character is looked for."""
    installed = {entry.name for entry in fontManager.ttflist}
    return ["DejaVu Sans", *(name for name in _FONTS if name in installed)]


def plain(text: str) -> str:
    """The text as it can be drawn: no formula, no line end, no character without a glyph."""
    drawn = (c if c.isprintable() and ord(c) in _glyphs() else _instead(c) for c in text)
    return "".join(drawn).replace("$", r"\$")


def cells(text: str) -> float:
    """Width of a text in characters; one of a dense script takes two."""
    return float(sum(2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in text))


def _instead(character: str) -> str:
    if unicodedata.combining(character) or unicodedata.category(character) == "Cf":
        return ""
    return " " if character.isspace() else "\N{REPLACEMENT CHARACTER}"


@cache
def _glyphs() -> frozenset[int]:
    """Every character that one of the fonts has."""
    found: set[int] = set()
    for name in families():
        found |= get_font(findfont(FontProperties(family=[name]))).get_charmap().keys()
    return frozenset(found)


def _wrapped(text: str, width: int) -> list[str]:
    """Lines of at most `width` cells; Chinese, which has no blanks, is broken anywhere."""
    if cells(text) == len(text):
        return textwrap.wrap(text, width)
    lines, line = [], ""
    for character in text:
        if cells(line + character) > width:
            lines.append(line)
            line = ""
        line += character
    return [*lines, line]
