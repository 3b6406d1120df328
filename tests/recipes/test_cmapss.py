"""FD001: remaining life, windows and their statistics, by hand and on the real files."""

import gzip
import hashlib
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from zhuyi.errors import InputError, OptionError
from zhuyi.recipes import cmapss


def text(lives: list[int], *, sensor: float = 1.0) -> str:
    """Lines as NASA writes them: 26 numbers and two blanks at the end."""
    lines = []
    for unit, life in enumerate(lives, start=1):
        for cycle in range(1, life + 1):
            numbers = [sensor * cycle] * 24
            lines.append(f"{unit} {cycle} " + " ".join(f"{n:.4f}" for n in numbers) + "  ")
    return "\n".join(lines) + "\n"


def files(folder: Path, train: str, test: str, left: str) -> tuple[Path, Path, Path]:
    paths = []
    for name, content in (("train_FD001", train), ("test_FD001", test), ("RUL_FD001", left)):
        paths.append(folder / f"{name}.txt.gz")
        paths[-1].write_bytes(gzip.compress(content.encode()))
    return paths[0], paths[1], paths[2]


def test_the_three_files_are_read(tmp_path: Path) -> None:
    found = cmapss.load(*files(tmp_path, text([3, 2]), text([2, 1]), "7 \n9 \n"), rows=(5, 3, 2))
    assert found.train["cycle"].tolist() == [1, 2, 3, 1, 2]
    assert found.remaining.tolist() == [7.0, 9.0]
    assert list(found.test)[:6] == ["unit", "cycle", *cmapss.SETTINGS, "sensor 1"]


@pytest.mark.parametrize(
    ("train", "left", "why"),
    [
        (text([3, 2]).replace("1 2 ", "1 4 ", 1), "7\n9\n", "cycles 1, 2, 3"),
        (text([3, 2]) + "2 3 1.0 1.0\n", "7\n9\n", "26 numbers a line"),
        (text([3, 2]).replace("1.0000", "broken", 1), "7\n9\n", "another type"),
        (text([3, 2]), "7\n", "engines.* must have 1 rows, got 2"),
    ],
)
def test_other_files_are_refused(tmp_path: Path, train: str, left: str, why: str) -> None:
    with pytest.raises(InputError, match=why):
        cmapss.load(*files(tmp_path, train, text([2, 1]), left), rows=None)


def test_a_re_split_copy_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="RUL_FD001.txt must have 100 rows, got 2"):
        cmapss.load(*files(tmp_path, text([3, 2]), text([2, 1]), "7\n9\n"))


def test_remaining_life_counts_down_to_zero_and_is_capped() -> None:
    frame = pd.DataFrame({"unit": [1] * 4 + [2], "cycle": [1, 2, 3, 4, 1]})
    assert cmapss.remaining_life(frame, cap=2).tolist() == [2.0, 2.0, 1.0, 0.0, 0.0]
    assert cmapss.remaining_life(frame, cap=None).tolist() == [3.0, 2.0, 1.0, 0.0, 0.0]


def test_windows_end_where_they_say_and_know_no_future() -> None:
    frame = pd.DataFrame({"unit": [1] * 4 + [2], "cycle": [1, 2, 3, 4, 1], "s": [1, 2, 3, 4, 9]})
    found = cmapss.windows(frame, length=3, stride=2, channels=("s",))
    assert found.units.tolist() == [1, 1, 2]
    assert found.cycles.tolist() == [2, 4, 1]
    expected = [[np.nan, 1.0, 2.0], [2.0, 3.0, 4.0], [np.nan, np.nan, 9.0]]
    np.testing.assert_array_equal(found.values[:, :, 0], expected)
    last = cmapss.windows(frame, length=3, channels=("s",), last_only=True)
    assert last.cycles.tolist() == [4, 1]
    with pytest.raises(OptionError, match="length"):
        cmapss.windows(frame, length=0)


def test_statistics_against_numpy() -> None:
    values = np.array([[np.nan, 1.0, 4.0], [2.0, 3.0, 7.0], [np.nan, np.nan, 9.0]])[:, :, None]
    found = cmapss.statistics(
        cmapss.Windows(
            values=values, units=np.arange(3), cycles=np.array([2, 5, 1]), channels=("s",)
        )
    )
    assert found["age"].tolist() == [2.0, 5.0, 1.0]
    assert found["s last"].tolist() == [4.0, 7.0, 9.0]
    np.testing.assert_allclose(found["s mean"], [2.5, 4.0, 9.0])
    np.testing.assert_allclose(found["s deviation"], [1.5, float(np.std([2.0, 3.0, 7.0])), 0.0])
    slope = float(np.polyfit([0, 1, 2], [2.0, 3.0, 7.0], 1)[0])
    np.testing.assert_allclose(found["s slope"], np.array([3.0, slope, 0.0]))


def test_the_real_benchmark(real_data: Path) -> None:
    found = cmapss.load()
    assert found.train["unit"].nunique() == found.test["unit"].nunique() == 100
    assert found.remaining[:3].tolist() == [112.0, 98.0, 69.0]
    unpacked = gzip.decompress((real_data / "train_FD001.txt.gz").read_bytes())
    assert hashlib.md5(unpacked, usedforsecurity=False).hexdigest().startswith("259f340b")
    deviation = found.train[list(cmapss.SENSORS)].std()
    assert {name for name in cmapss.SENSORS if deviation[name] > 0.01} == set(cmapss.INFORMATIVE)
    last = cmapss.windows(found.test, last_only=True)
    assert last.values.shape == (100, 30, 14)
    assert cmapss.remaining_life(found.train).max() == 125.0
