"""Series as they come: shapes, unequal lengths, missing values, and how time is cut."""

from itertools import pairwise

import numpy as np
import pandas as pd
import pytest

from zhuyi.errors import InputError, OptionError
from zhuyi.learn.series.knowledge import coded
from zhuyi.learn.series.reading import Series, channel_names, fitted_to, read_series
from zhuyi.learn.series.stretches import ABSENT, Stretches, chosen_count


def test_tables_and_cubes_and_lists() -> None:
    flat = read_series(np.arange(6.0).reshape(2, 3))
    assert flat.flat
    assert flat.values.shape == (2, 3, 1)
    assert not read_series(np.zeros((2, 3, 4))).flat
    frame = read_series(pd.DataFrame({"t1": [1.0, 2.0], "t2": [3.0, None]}))
    assert frame.flat
    assert np.isnan(frame.values[1, 1, 0])
    same = read_series([np.zeros((3, 2)), np.ones((3, 2))])
    assert same.values.shape == (2, 3, 2)


def test_unequal_lengths_are_aligned_by_their_end() -> None:
    found = read_series([[1.0, 2.0, 3.0], [9.0]])
    expected = [[1.0, 2.0, 3.0], [np.nan, np.nan, 9.0]]
    np.testing.assert_array_equal(found.values[:, :, 0], expected)
    np.testing.assert_array_equal(found.there, [[True] * 3, [False, False, True]])
    padded = read_series(np.array(expected)[:, :, None])
    np.testing.assert_array_equal(found.values, padded.values)


def test_a_gap_is_missing_and_not_before_the_beginning() -> None:
    values = np.array([[[np.nan, np.nan], [1.0, np.nan], [np.nan, np.nan]]])
    codes = coded(Series(values, False), Stretches(3, 1))
    np.testing.assert_array_equal(codes[0, :, :, 1], [[ABSENT, 0, 1], [ABSENT, 1, 1]])


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ([np.zeros((3, 2)), np.zeros((2, 1))], r"same channels, got \[1, 2\]"),
        ([[1.0, 2.0], [[]]], "series 2 must be"),
        (np.zeros((2, 3, 0)), "no channels"),
        (np.zeros((2, 2, 2, 2)), r"must be \(n, time, channel\)"),
    ],
)
def test_what_is_no_series_is_refused(wrong: object, said: str) -> None:
    with pytest.raises(InputError, match=said):
        read_series(wrong)
    with pytest.raises(ValueError, match="infinity"):
        read_series([[1.0, np.inf], [1.0]])


def test_stretches_cover_every_step_once_and_are_named_from_the_end() -> None:
    for steps, count in ((7, 3), (30, 6), (5, 5), (4, 1)):
        bounds = Stretches(steps, count).bounds
        assert bounds[0][0] == 1
        assert bounds[-1][1] == steps
        assert all(b == a + 1 for (_, a), (b, _) in pairwise(bounds))
    names = Stretches(7, 3).names(("a", "b"))
    assert names[:3] == ("a, last 2 steps", "b, last 2 steps", "a, steps 3-4 from the end")
    assert Stretches(2, 2).names(("",)) == ("last step", "step 2 from the end")


def test_codes_hold_each_stretch_of_each_channel() -> None:
    values = np.arange(14.0).reshape(1, 7, 2)
    codes = coded(Series(values, False), Stretches(7, 3))  # 2, 2 and 3 steps, the newest first
    assert codes.shape == (1, 6, 3, 2)
    np.testing.assert_array_equal(codes[0, 0], [[0, ABSENT], [10, 0], [12, 0]])
    np.testing.assert_array_equal(codes[0, 5, :, 0], values[0, :3, 1])


def test_longer_and_shorter_series_are_fitted_to_the_steps() -> None:
    values = np.arange(4.0).reshape(1, 4, 1)
    assert fitted_to(values, 2)[0, :, 0].tolist() == [2.0, 3.0]
    assert np.isnan(fitted_to(values, 5)[0, 0, 0])


def test_names_and_numbers_of_stretches() -> None:
    assert channel_names(None, 2) == ("channel 1", "channel 2")
    assert channel_names(None, 1) == ("",)
    assert [chosen_count(n, None) for n in (1, 2, 30, 1000)] == [1, 1, 5, 8]
    assert chosen_count(3, 9) == 3
    for wrong in (["a"], ["a", "a"], "ab", ["a", ""]):
        with pytest.raises(OptionError, match="channels must be"):
            channel_names(wrong, 2)
