"""Looks at a series, a table's row, an image, and halves of a look, and pages of them."""

import io
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from tests.ui.synthetic import details, synthetic_check, synthetic_look
from zhuyi.core.record import Label, Unit
from zhuyi.ui.looked import Looked, Picture, Signal, Tokens
from zhuyi.ui.view.archive import MemoryArchive, TrackIndex
from zhuyi.ui.view.document import moment_of, track_pack
from zhuyi.ui.view.pack import split
from zhuyi.ui.view.page import build_page, page_of
from zhuyi.ui.view.series import series_pack


def bare_look(verdict: Label | None = None, text: str = "word") -> Looked:
    """An attribution alone: values, and no heads."""
    looked, _, _ = synthetic_look(layers=1, heads=1, length=12, width=8)
    checked = None if verdict is None else synthetic_check(verdict, text)
    return replace(looked, heads=(), heads_in_model=0, sequences=(), kernels=(), checked=checked)


def series_look(
    *,
    channels: Sequence[str] = ("heart rate", "blood pressure"),
    length: int = 240,
    span: int = 20,
    signed: bool = True,
    common: bool = False,
    verdict: Label | None = "doubtful",
) -> Looked:
    """A series of noisy waves with a gap in the second channel; channel 0, part 3 counts most.

    Args:
        channels: their names.
        length: steps.
        span: steps of each stretch.
        signed: whether every third stretch speaks against.
        common: also stretches of all channels.
        verdict: of the tests.
    """
    generator = np.random.default_rng(7)
    steps = np.arange(length)
    values = np.stack(
        [
            60 + 20 * c + 10 * np.sin(steps / (6 + 3 * c)) + generator.normal(0, 1, length)
            for c in range(len(channels))
        ]
    ).astype(np.float32)
    if len(channels) > 1:
        values[1, length // 4 : length // 4 + span] = np.nan
    rows = [-1, *range(len(channels))] if common else list(range(len(channels)))
    spans = [
        (row, start, min(start + span, length)) for row in rows for start in range(0, length, span)
    ]
    importance = generator.random(len(spans)) ** 3 * 0.5
    importance[spans.index((0, 3 * span, 4 * span))] = 1.25
    if signed:
        importance[::3] *= -1
    names = ["all", *channels] if common else list(channels)
    units = tuple(
        Unit(label=f"{names[row + common]} · part {start // span}", positions=(i,))
        for i, (row, start, _) in enumerate(spans)
    )
    return replace(
        bare_look(verdict),
        model="synthetic/series",
        task="risk within a day",
        texts=(),
        decision="deteriorates",
        method="Occlusion()",
        units=units,
        values=tuple(importance.tolist()),
        signed=signed,
        signal=Signal(names=tuple(channels), values=values, spans=tuple(spans)),
    )


def table_look(
    count: int,
    *,
    signed: bool = True,
    verdict: Label | None = "trusted",
    names: Sequence[str] = (),
    cells: Sequence[str] = (),
    values: Sequence[float] = (),
) -> Looked:
    """A row of a table with `count` factors; value i falls off and every third one is against."""
    default = ("age", "income", "years at this address", "信用记录的长度（月）", "housing")
    shown = [*names, *(default[i] if i < 5 else f"column {i}" for i in range(len(names), count))]
    worth = [*values, *(1.6 / (i + 1) for i in range(len(values), count))]
    if signed and not values:
        worth = [-x if i % 3 == 1 else x for i, x in enumerate(worth)]
    text = [*cells, *(f"{17 * i % 101}.5" for i in range(len(cells), count))]
    return replace(
        bare_look(verdict),
        model="synthetic/table",
        task="will the loan be paid back",
        texts=(),
        decision="paid back",
        probability=0.73,
        alternatives=(),
        method="Contributions()",
        units=tuple(Unit(label=name, positions=(i,)) for i, name in enumerate(shown)),
        values=tuple(worth),
        signed=signed,
        cells=tuple(text),
    )


def image_look(side: int = 6) -> tuple[Looked, object]:
    """A picture of side x side patches with one head; with what gives its details."""
    length = side * side + 1
    looked, matrices, values = synthetic_look(layers=1, heads=2, length=length + 1, width=16)
    y, x = np.mgrid[0:120, 0:120]
    pixels = np.stack([x + 110, y + 110, (x + y) % 110 + 120], axis=-1).astype(np.uint8)
    stream = io.BytesIO()
    Image.fromarray(pixels).save(stream, "PNG")
    names = ("[CLS]", *(f"row {i // side}, column {i % side}" for i in range(side * side)))
    special = (True, *[False] * (side * side))
    units = tuple(Unit(label=name, positions=(i,), special=i == 0) for i, name in enumerate(names))
    labels = (*names, "[END]")
    picture = replace(
        looked,
        task="What is in this image?",
        texts=("stripes.png",),
        decision="stripes",
        units=units,
        values=looked.values[: len(units)],
        sequences=(Tokens(name="image", labels=labels, special=(*special, True)),),
        image=Picture(png=stream.getvalue(), grid=(side, side)),
    )
    return picture, details(matrices, values)


def with_heads(looked: Looked) -> Looked:
    """The same look with a model's heads beside it."""
    model, _, _ = synthetic_look(layers=1, heads=2, length=12, width=8)
    return replace(looked, heads=model.heads, heads_in_model=2, sequences=model.sequences)


def write(folder: Path, name: str, looked: Looked, detail_of: object = None) -> Path:
    """The page of a look."""
    path = folder / f"{name}.html"
    page = build_page(looked, detail_of or (lambda _: None))  # type: ignore[arg-type]
    path.write_text(page, encoding="utf-8")
    return path


def write_steps(folder: Path, name: str, looks: Sequence[Looked], ids: Sequence[str] = ()) -> Path:
    """A page with one step a look; with `ids`, each look is a track of its own."""
    packs: dict[str, bytes] = {}
    for step, looked in enumerate(looks):
        track = ids[step] if ids else "0"
        packs[f"track/{track}"] = track_pack(looked)
        packs[f"moment/{track}/{step}"] = moment_of(looked, step=step).joined()
    if not ids:
        moments = [(step, split(packs[f"moment/0/{step}"])) for step in range(len(looks))]
        packs["series/0"] = series_pack(moments)
    steps = tuple(range(len(looks)))
    if ids:
        tracks = tuple(
            TrackIndex(id=one, run=f"run {one}", steps=(i,), detailed=())
            for i, one in enumerate(ids)
        )
    else:
        times = tuple(float(step) for step in steps)
        tracks = (TrackIndex(id="0", steps=steps, times=times, detailed=(), written=len(looks)),)
    path = folder / f"{name}.html"
    archive = MemoryArchive(title="steps", tracks=tracks, packs=packs)
    path.write_text(page_of(archive), encoding="utf-8")
    return path


def drawn(opened: Any) -> Any:
    """Wait until the view stands there; returns the playwright page."""
    opened.page.wait_for_selector("#zhuyi[data-ready=yes]")
    opened.page.wait_for_selector("#model")
    return opened.page
