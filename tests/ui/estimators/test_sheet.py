"""Files as columns of cells: what is missing, what is broken, what a person may have meant."""

import io
import sys
from datetime import date
from pathlib import Path
from types import SimpleNamespace

import pytest

from zhuyi.errors import InputError, OptionError
from zhuyi.ui.estimators.sheet import Sheet, close_names, listed, read_sheet


def written(tmp_path: Path, text: str, name: str = "t.csv") -> Path:
    path = tmp_path / name
    path.write_text(text, encoding="utf-8")
    return path


def test_cells_are_stripped_and_missing_ones_are_none(tmp_path: Path) -> None:
    path = written(tmp_path, "a;b\n 1 ;NA\nnan;None\nN/A;null\n?;x\n")
    sheet = read_sheet(path, missing=["?"])
    assert sheet.columns == {"a": ("1", None, None, None), "b": (None, "None", None, "x")}
    assert sheet.rows == (1, 2, 3, 4)


def test_broken_rows_are_named_and_left_out(tmp_path: Path) -> None:
    sheet = read_sheet(written(tmp_path, "a,b\n1,2\n3\n4,5\n"))
    assert sheet.columns["a"] == ("1", "4")
    assert sheet.rows == (1, 3)
    assert [(one.row, one.reason.en) for one in sheet.broken] == [
        (2, "it has 1 fields, the header has 2")
    ]


def test_json_lines_keep_their_types(tmp_path: Path) -> None:
    lines = '{"a": 1.5, "b": true}\n{"a": null, "b": false}\n{"a": [1], "b": true}\n'
    sheet = read_sheet(written(tmp_path, lines, "t.jsonl"))
    assert sheet.columns == {"a": (1.5, None), "b": (True, False)}
    assert "'a' holds neither text, number nor date but list" in sheet.broken[0].reason.en


def test_parquet_keeps_dates(tmp_path: Path) -> None:
    pyarrow = pytest.importorskip("pyarrow")
    from pyarrow import parquet

    table = pyarrow.table({"day": [date(2020, 1, 2), None], "n": [1, 2]})
    parquet.write_table(table, tmp_path / "t.parquet")
    sheet = read_sheet(tmp_path / "t.parquet")
    assert sheet.columns == {"day": (date(2020, 1, 2), None), "n": (1, 2)}


@pytest.mark.parametrize(
    ("data", "name"), [(b"a,b\n1,2\n", "stdin.csv"), (b' {"a": "1", "b": "2"}\n', "stdin.jsonl")]
)
def test_standard_input(data: bytes, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=io.BytesIO(data)))
    sheet = read_sheet(Path("-"))
    assert (sheet.name, sheet.columns) == (name, {"a": ("1",), "b": ("2",)})
    monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=io.BytesIO(b" \n")))
    with pytest.raises(InputError, match="standard input is empty"):
        read_sheet(Path("-"))


def test_limit_takes_the_first_rows(tmp_path: Path) -> None:
    path = written(tmp_path, "a\n1\n2\n3\n")
    assert read_sheet(path, limit=2).rows == (1, 2)
    with pytest.raises(OptionError, match="limit must be at least 1"):
        read_sheet(path, limit=0)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("a,a\n1,2\n", "column 'a' stands 2 times"),
        ("a,b\n", "has no row that can be used under its header"),
        ("a,b\n1\n", "no row that can be used: row 1: it has 1 fields"),
    ],
)
def test_files_that_cannot_be_used(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(InputError, match=said):
        read_sheet(written(tmp_path, text))


def test_a_column_that_is_not_there_is_guessed() -> None:
    sheet = Sheet("t.csv", {"Torque [Nm]": ("1",), "speed": ("2",)}, (1,))
    assert sheet.column("speed", "--drop") == ("2",)
    with pytest.raises(InputError, match=r"no column 'torque nm' \(--target\): did you mean 'Tor"):
        sheet.column("torque nm", "--target")
    with pytest.raises(InputError, match=r"it has 'Torque \[Nm\]', 'speed'"):
        sheet.column("zzz", "--target")
    assert close_names("SPEED", ["speed", "Speed_"]) == ("speed", "Speed_")
    assert listed([str(n) for n in range(14)]).endswith("'11' and 2 more")


def test_taken_and_only() -> None:
    sheet = Sheet("t", {"a": ("1", "2"), "b": ("3", "4")}, (1, 5))
    assert sheet.taken([1]).rows == (5,)
    assert sheet.taken([1]).columns == {"a": ("2",), "b": ("4",)}
    assert sheet.only(["b"]).columns == {"b": ("3", "4")}
