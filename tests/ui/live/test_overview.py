"""The picture of all heads: its colors against OKLab read backwards, its dots one by one."""

import io
import math
from itertools import pairwise

import numpy as np
import pytest

from tests.ui.live.trainings import noise, subject_of, tiny
from zhuyi.ui.live.glancing import glances_of
from zhuyi.ui.live.overview import light_ramp, overview, png_of
from zhuyi.ui.live.probe import Probe
from zhuyi.ui.live.shades import coarser
from zhuyi.ui.live.untouched import untouched
from zhuyi.ui.looked import Looked

# Per fourth of the ramp: lightness, chroma, hue in degrees, as the view's own colors have them.
FOURTHS = {
    0: (0.985, 0.006, 95),
    255: (0.25, 0.09, 285),
}


def to_oklch(color: np.ndarray) -> tuple[float, float, float]:
    """sRGB bytes to lightness, chroma and hue, by the published forward matrices."""
    share = color / 255
    linear = np.where(share <= 0.04045, share / 12.92, ((share + 0.055) / 1.055) ** 2.4)
    cones = np.cbrt(
        np.array(
            [
                [0.4122214708, 0.5363325363, 0.0514459929],
                [0.2119034982, 0.6806995451, 0.1073969566],
                [0.0883024619, 0.2817188376, 0.6299787005],
            ]
        )
        @ linear
    )
    lightness, a, b = (
        np.array(
            [
                [0.2104542553, 0.7936177850, -0.0040720468],
                [1.9779984951, -2.4285922050, 0.4505937099],
                [0.0259040371, 0.7827717662, -0.8086757660],
            ]
        )
        @ cones
    )
    return lightness, math.hypot(a, b), math.degrees(math.atan2(b, a)) % 360


@pytest.mark.parametrize("place", FOURTHS)
def test_the_ramp_ends_where_the_view_says(place: int) -> None:
    lightness, chroma, hue = to_oklch(light_ramp()[place].astype(np.float64))
    expected = FOURTHS[place]
    assert lightness == pytest.approx(expected[0], abs=0.004)
    assert chroma == pytest.approx(expected[1], abs=0.004)
    assert hue == pytest.approx(expected[2], abs=12 if expected[1] < 0.01 else 3)


def test_more_is_darker_everywhere() -> None:
    lightness = [to_oklch(color.astype(np.float64))[0] for color in light_ramp()]
    assert light_ramp().shape == (256, 3)
    assert all(later < earlier + 0.002 for earlier, later in pairwise(lightness))
    # Even steps: a fourth of the ramp is as the stops say.
    assert lightness[128] == pytest.approx(0.68, abs=0.01)


def looked() -> Looked:
    model = tiny()
    glances = glances_of(Probe(model=subject_of(model), inputs=noise(1, 5, 16)))
    with untouched(model):
        return glances.look(False)[0].looked


def test_every_head_stands_in_its_row_and_column() -> None:
    look = looked()
    picture = overview(look.heads)
    cell, gap = 35, 3  # 5 x 5 dots, at least 32 wide
    assert picture.shape == (2 * (cell + gap) + gap, 4 * (cell + gap) + gap, 3)
    for head in look.heads:
        top, left = head.layer * (cell + gap) + gap, head.head * (cell + gap) + gap
        for row in range(5):
            for column in range(5):
                dot = picture[top + 7 * row + 3, left + 7 * column + 3]
                code = head.thumbnail[row, column]
                np.testing.assert_array_equal(dot, light_ramp()[code])
        assert (picture[top - 1, left] == 255).all()


def test_the_png_holds_the_dots() -> None:
    image = pytest.importorskip("PIL.Image")
    rgb = np.random.default_rng(0).integers(0, 256, (7, 11, 3)).astype(np.uint8)
    with image.open(io.BytesIO(png_of(rgb))) as opened:
        np.testing.assert_array_equal(np.asarray(opened.convert("RGB")), rgb)


def test_no_heads_make_a_picture_too() -> None:
    assert overview(()).shape == (3, 3, 3)


def test_fewer_shades_are_near_and_keep_what_is_empty() -> None:
    look = looked()
    for before, after in zip(look.heads, coarser(look).heads):
        for old, new, shades in (
            (before.thumbnail, after.thumbnail, 22),
            (before.received, after.received, 16),
        ):
            step = 255 / (shades - 1)
            gap = np.abs(old.astype(int) - new.astype(int))
            assert gap[old >= step].max() <= step / 2 + 1
            assert ((new == 0) == (old == 0)).all()
            assert (new[old == 255] == 255).all()
            assert len(np.unique(new)) <= shades
