"""Heads on paper: one with the names of its positions, or many side by side."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt
import torch
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Colormap, LogNorm, Normalize

from zhuyi.core.record import Verdict
from zhuyi.errors import NotKept
from zhuyi.trace.tape import Sighting
from zhuyi.ui.figures.paper import GRAY, Paper, belief, cells, families, plain, ramp
from zhuyi.ui.figures.pooling import results, small
from zhuyi.ui.looked import Tokens
from zhuyi.ui.notebook.choosing import is_shifted
from zhuyi.ui.view.drawing import cut
from zhuyi.ui.view.pictures import floor_of

Array = npt.NDArray[np.float32]
What = Literal["weights", "scores", "results"]
_ONE = 256  # dots of a side of one head
_MANY = 48  # of one of many
_NAMED = 64  # names along a side, at most
_NUMBERED = 24  # numbers
_GAP = 3  # dots between heads
_SAID: dict[What, str] = {
    "weights": "Weights, after softmax: each row sums to 1.",
    "scores": "Scores, before softmax; only differences within a row mean anything.",
    "results": "Results: weights times values, one column a feature of the head.",
}
_LOGARITHMIC = "Logarithmic colors from an eighth of an even share; smaller weights are left empty."
_AXIS: dict[What, str] = {"weights": "weight", "scores": "score", "results": "result"}


@dataclass(frozen=True)
class _Drawn:
    """One head's dots, and the queries and keys that they stand for."""

    sighting: Sighting
    head: int
    pairs: tuple[int, int]
    dots: Array


def draw_heads(
    sightings: Sequence[Sighting],
    tokens: Tokens,
    *,
    head: int | None,
    what: What,
    verdict: Verdict | None,
    row: int,
    title: str,
) -> Paper:
    """One head where only one is asked for, else all of them side by side.

    Args:
        sightings: with one batch row each.
        tokens: names of the positions.
        head: index of the head, or None for all.
        what: which of the three.
        verdict: on an explanation of the same inputs, or None.
        row: index of the input in the verdict.
        title: "" for none.
    """
    single = head is not None and len(sightings) == 1
    shifted, size = is_shifted(sightings), _ONE if single else _MANY
    drawn = []
    for sighting in sightings:
        decoder = shifted and "decoder" in sighting.site.name.split(".")
        drawn += _dots(sighting, head, what, None if decoder else len(tokens.labels), size)
    believed = belief(verdict, row, "")
    if single:
        return _one(drawn[0], tokens, what, believed, title)
    return _many(drawn, what, believed, title)


def _dots(
    sighting: Sighting, head: int | None, what: What, length: int | None, size: int
) -> list[_Drawn]:
    """The dots of the asked heads of one site, without the padding behind the input."""
    matrix, value = sighting.matrix, sighting.value
    assert matrix is not None
    heads = [one for one in range(matrix.shape[1]) if head in (None, one)]
    if not heads:
        return []
    if what == "results" and value is None:
        raise NotKept(
            f"the tape holds no values of {sighting.site.name!r}: watch with Keep(value=True) to "
            "see results"
        )
    with torch.no_grad():
        own = matrix if length is None else cut(matrix, 0, length)
        if what == "results":
            assert value is not None
            every = results(own, value[:, :, : own.shape[3]], size=size)[heads]
        else:
            every = small(own.select(heads=heads), scores=what == "scores", size=size)
    pairs = own.shape[2], own.shape[3]
    return [
        _Drawn(sighting, one, pairs, dots.numpy()) for one, dots in zip(heads, every, strict=True)
    ]


def _one(one: _Drawn, tokens: Tokens, what: What, believed: list[str], title: str) -> Paper:
    """One head: a dot a pair, or a block of pairs, with the names of its positions."""
    queries, keys = one.pairs
    rows, columns = one.dots.shape
    # The longer the input, the smaller its weights: on an even scale nothing would be seen.
    logarithmic = what == "weights" and keys > _NAMED
    norm = _norm([one], what, logarithmic=logarithmic)
    width = min(max(0.17 * columns, 2.6), 7.0)
    height = width * min(max(rows / max(columns, 1), 0.4), 1.6)
    paper = Paper(width + 2.2, height + 1.9)
    axes = paper.add_subplot()
    dots = np.ma.masked_invalid(one.dots)
    axes.set_facecolor(GRAY)
    drawn = np.ma.maximum(dots, norm.vmin or 0.0) if logarithmic else dots
    axes.imshow(drawn, cmap=_colors(what), norm=norm, interpolation="nearest", aspect="auto")
    _name(axes, "y", _labels(tokens, queries), rows)
    axes.set_ylabel("position" if what == "results" else "query (looks)", fontsize=8)
    if what == "results":
        axes.set_xlabel("feature", fontsize=8)
        axes.tick_params(axis="x", labelsize=7)
    else:
        _name(axes, "x", _labels(tokens, keys), columns)
        axes.set_xlabel("key (is looked at)", fontsize=8)
        axes.xaxis.set_label_position("top")
    _bar(paper, axes, norm, what)
    site = one.sighting.site
    sentences = [f"Layer {site.index}, head {one.head} ({site.name}). {_SAID[what]}"]
    sentences += _pooled(one, what)
    sentences += [_LOGARITHMIC] if logarithmic else []
    if dots.mask is not np.ma.nomask and bool(np.any(dots.mask)):
        sentences.append("Gray: pairs that the mask hides.")
    paper.write(title, [*sentences, *believed])
    return paper


def _many(drawn: list[_Drawn], what: What, believed: list[str], title: str) -> Paper:
    """A row a layer, a column a head, all in the same colors."""
    layers = list(dict.fromkeys(one.sighting.site.index for one in drawn))
    heads = sorted({one.head for one in drawn})
    logarithmic = what == "weights"
    norm = _norm(drawn, what, logarithmic=logarithmic)
    least = -math.inf if norm.vmin is None else norm.vmin
    side = max(max(one.dots.shape) for one in drawn)
    pitch = side + _GAP
    picture = np.ones((len(layers) * pitch - _GAP, len(heads) * pitch - _GAP, 4))
    colors = _colors(what)
    for one in drawn:
        rows = np.arange(side) * one.dots.shape[0] // side
        columns = np.arange(side) * one.dots.shape[1] // side
        dots = one.dots[np.ix_(rows, columns)]
        painted = np.asarray(colors(norm(np.maximum(dots, least))))
        painted[~np.isfinite(dots)] = colors.get_bad()
        top = layers.index(one.sighting.site.index) * pitch
        left = heads.index(one.head) * pitch
        picture[top : top + side, left : left + side] = painted
    inch = min(max(10 / len(heads), 0.28), 1.3)
    paper = Paper(max(len(heads) * inch + 1.6, 4.2), len(layers) * inch + 1.35)
    axes = paper.add_subplot()
    axes.imshow(picture, interpolation="nearest")
    middle = (side - 1) / 2
    axes.set_yticks([i * pitch + middle for i in range(len(layers))], [str(x) for x in layers])
    axes.set_xticks([i * pitch + middle for i in range(len(heads))], [str(x) for x in heads])
    axes.set_ylabel("layer", fontsize=8)
    axes.set_xlabel("head", fontsize=8)
    axes.xaxis.set_label_position("top")
    axes.tick_params(top=True, labeltop=True, bottom=False, labelbottom=False, length=0)
    axes.tick_params(labelsize=7)
    axes.spines[:].set_visible(False)
    _bar(paper, axes, norm, what)
    paper.write(title, [*_said_of_many(drawn, what, logarithmic), *believed])
    return paper


def _said_of_many(drawn: list[_Drawn], what: What, logarithmic: bool) -> list[str]:
    said = [f"{len(drawn)} heads, each with queries down and keys across. {_SAID[what]}"]
    if what == "results":
        said = [f"{len(drawn)} heads, each with positions down. {_SAID[what]}"]
    said += _pooled(max(drawn, key=lambda one: one.pairs), what)
    said += [_LOGARITHMIC] if logarithmic else []
    if not all(bool(np.isfinite(one.dots).all()) for one in drawn):
        said.append("Gray: pairs that the mask hides.")
    return said


def _pooled(one: _Drawn, what: What) -> list[str]:
    """What a dot stands for, where it is more than one pair."""
    queries, keys = one.pairs
    rows, columns = one.dots.shape
    down, across = math.ceil(queries / rows), math.ceil(keys / columns)
    if what == "results":
        return [f"Each row is the mean of up to {down} positions."] if down > 1 else []
    if down * across == 1:
        return []
    return [
        f"Pooled from {queries:,} × {keys:,} pairs: each dot is the largest of up to "
        f"{down} × {across}."
    ]


def _labels(tokens: Tokens, length: int) -> list[str]:
    """Names of the positions, or numbers where the sequence is another one."""
    if len(tokens.labels) == length:
        return [_short(plain(label)) for label in tokens.labels]
    return [f"#{position}" for position in range(length)]


def _short(label: str, most: int = 22) -> str:
    if cells(label) <= most:
        return label
    while cells(label) >= most:
        label = label[:-1]
    return label.removesuffix("\\") + "…"


def _name(axes: Axes, side: Literal["x", "y"], labels: list[str], dots: int) -> None:
    """Names along a side: all of a short sequence, every n-th of a long one."""
    numbered = labels[:2] == ["#0", "#1"]
    step = max(1, math.ceil(len(labels) / (_NUMBERED if numbered else _NAMED)))
    if numbered:  # round numbers
        step = next(n * 10**e for e in range(9) for n in (1, 2, 5) if n * 10**e >= step)
    shown = range(0, len(labels), step)
    places = [(position + 0.5) * dots / len(labels) - 0.5 for position in shown]
    names = [labels[position] for position in shown]
    size = 8.0 if len(shown) <= 24 else 5.5
    if side == "y":
        axes.set_yticks(places, names, fontsize=size, family=families())
        return
    axes.set_xticks(places, names, fontsize=size, family=families(), rotation=90)
    axes.tick_params(axis="x", top=True, labeltop=True, bottom=False, labelbottom=False)


def _norm(drawn: list[_Drawn], what: What, *, logarithmic: bool) -> Normalize:
    """From numbers to a place on the ramp, the same for all that are drawn."""
    every = np.concatenate([one.dots.ravel() for one in drawn])
    seen = every[np.isfinite(every)]
    if what == "results":
        most = float(np.abs(seen).max(initial=1e-12))
        return Normalize(-most, most)
    if what == "scores":
        least, most = float(seen.min(initial=np.inf)), float(seen.max(initial=-np.inf))
        return Normalize(least, most) if least < most else Normalize(least - 0.5, least + 0.5)
    if not logarithmic:
        return Normalize(0.0, max(float(seen.max(initial=0.0)), 1e-12))
    return LogNorm(floor_of(max(one.pairs[1] for one in drawn)), 1.0)


def _colors(what: What) -> Colormap:
    colors = colormaps["PuOr_r"] if what == "results" else ramp()
    return colors.with_extremes(bad=GRAY)


def _bar(paper: Paper, axes: Axes, norm: Normalize, what: What) -> None:
    mappable = ScalarMappable(norm, _colors(what))
    bar = paper.colorbar(mappable, ax=axes, shrink=0.8, pad=0.02, aspect=28)
    bar.set_label(_AXIS[what], fontsize=8)
    bar.ax.tick_params(labelsize=7)
    bar.outline.set_visible(False)
