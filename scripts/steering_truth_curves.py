"""Dose curves as small SVG: weights on a logarithmic axis, shares from 0 to 1."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape
from typing import Final

WIDTH, HEIGHT = 560, 300
LEFT, TOP, RIGHT, BOTTOM = 48, 34, 190, 44
#: Color and dashes together, so that no line is told by its color alone.
STROKES: Final = (("#1b6ca8", ""), ("#b3421f", "6 4"), ("#3d7a3a", "2 3"), ("#6b4c9a", "9 3 2 3"))


@dataclass(frozen=True, kw_only=True)
class Curve:
    """One drawing.

    Args:
        name: of the file.
        title: above it.
        x: what the axis below is.
        lines: by name, points (weight, share) from left to right.
    """

    name: str
    title: str
    x: str
    lines: Mapping[str, Sequence[tuple[float, float]]]


def drawing(curve: Curve) -> str:
    """The drawing as SVG text."""
    weights = [weight for points in curve.lines.values() for weight, _ in points]
    low, high = math.log10(min(weights)), math.log10(max(weights))
    inner = WIDTH - LEFT - RIGHT

    def place(weight: float, share: float) -> tuple[float, float]:
        x = LEFT + inner * (math.log10(weight) - low) / max(high - low, 1e-9)
        return round(x, 1), round(TOP + (HEIGHT - TOP - BOTTOM) * (1 - share), 1)

    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" '
        f'width="{WIDTH}" height="{HEIGHT}" font-family="sans-serif" font-size="11">',
        f"<title>{escape(curve.title)}</title>",
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="#fff"/>',
        f'<text x="{LEFT}" y="18" font-size="12" fill="#222">{escape(curve.title)}</text>',
    ]
    for share in (0.0, 0.25, 0.5, 0.75, 1.0):
        _, y = place(10**low, share)
        parts.append(f'<path d="M{LEFT} {y}h{inner}" stroke="#ddd"/>')
        parts.append(
            f'<text x="{LEFT - 6}" y="{y + 4}" text-anchor="end" fill="#444">{share:.0%}</text>'
        )
    foot = HEIGHT - BOTTOM
    for weight in _spread(sorted(set(weights))):
        x, _ = place(weight, 0.0)
        parts.append(
            f'<text x="{x}" y="{foot + 16}" text-anchor="middle" fill="#444">{weight:.3g}</text>'
        )
    middle = LEFT + inner / 2
    parts.append(
        f'<text x="{middle}" y="{foot + 34}" text-anchor="middle" fill="#222">'
        f"{escape(curve.x)}</text>"
    )
    for number, (name, points) in enumerate(curve.lines.items()):
        parts += _line(number, name, [place(*point) for point in points])
    return "\n".join([*parts, "</svg>"]) + "\n"


def _line(number: int, name: str, places: Sequence[tuple[float, float]]) -> list[str]:
    color, dashes = STROKES[number % len(STROKES)]
    dash = f' stroke-dasharray="{dashes}"' if dashes else ""
    drawn = " ".join(f"{x},{y}" for x, y in places)
    y = TOP + 14 + 20 * number
    x = WIDTH - RIGHT + 14
    style = f'fill="none" stroke="{color}" stroke-width="2"{dash}'
    return [
        f'<polyline points="{drawn}" {style}/>',
        f'<path d="M{x} {y}h22" {style}/>',
        f'<text x="{x + 28}" y="{y + 4}" fill="#222">{escape(name)}</text>',
    ]


def _spread(weights: Sequence[float]) -> list[float]:
    """Weights that are far enough apart to be written."""
    span = math.log10(weights[-1] / weights[0]) or 1.0
    shown = [weights[0]]
    for weight in weights[1:]:
        if math.log10(weight / shown[-1]) > span / 9:
            shown.append(weight)
    return shown
