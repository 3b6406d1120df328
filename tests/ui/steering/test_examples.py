"""A person's own examples: read by what the model takes, or refused with the place."""

import gzip
from pathlib import Path

import numpy as np
import pytest

from zhuyi.errors import InputError
from zhuyi.learn import AttentionClassifier
from zhuyi.ui.steering import examples
from zhuyi.ui.steering.asking import CHARACTERS
from zhuyi.ui.steering.desk import Given
from zhuyi.ui.steering.table_desk import TableDesk


def test_texts_of_a_table_with_a_column_text(tmp_path: Path) -> None:
    path = tmp_path / "notes.csv"
    path.write_text("name;text\nfirst;否认高血压\n;糖尿病2年\nempty;\n", encoding="utf-8")
    found = examples.texts(path)
    assert [(one.name, one.given) for one in found] == [
        ("first", Given(text="否认高血压")),
        ("糖尿病2年", Given(text="糖尿病2年")),
    ]


def test_texts_of_a_file_of_one_column(tmp_path: Path) -> None:
    path = tmp_path / "notes.jsonl.gz"
    lines = '{"note": "good"}\n{"note": "' + "x" * 5000 + '"}\n'
    path.write_bytes(gzip.compress(lines.encode()))
    assert [len(one.given.text or "") for one in examples.texts(path)] == [4, CHARACTERS]
    other = tmp_path / "two.csv"
    other.write_text("a,b\n1,2\n")
    with pytest.raises(InputError, match="a column 'text', or one column only"):
        examples.texts(other)


def test_rows_are_read_by_the_models_columns(tmp_path: Path, table: AttentionClassifier) -> None:
    path = tmp_path / "rows.csv"
    path.write_text(
        "name,dose,ward,smoker,seen,more\nA,51.5,west,yes,2020-03-04,x\n,,south,false,,y\n"
    )
    found = examples.records(path, table.schema_.columns)
    assert [one.name for one in found] == ["A", "row 2 · 行"]
    assert found[0].given.record == {
        "dose": 51.5, "ward": "west", "smoker": True, "stage": None,
        "seen": "2020-03-04T00:00:00", "count": None,
    }  # fmt: skip
    desk = TableDesk(table, "t", found)
    for one in desk.examples:
        assert desk.decide(desk.batch(one.given))[0].shares
    expected = table.predict_proba(
        [{"dose": 51.5, "ward": "west", "smoker": True, "stage": None, "seen": "2020-03-04",
          "count": None}]
    )[0]  # fmt: skip
    assert desk.decide(desk.batch(found[0].given))[0].shares == pytest.approx(
        expected.tolist(), abs=1e-6
    )


def test_rows_that_cannot_be(tmp_path: Path, table: AttentionClassifier) -> None:
    path = tmp_path / "rows.csv"
    path.write_text("dose\nhigh\n")
    with pytest.raises(InputError, match=r"'dose' must be numeric, got 'high' in row 1"):
        examples.records(path, table.schema_.columns)
    path.write_text("other\n1\n")
    with pytest.raises(InputError, match="none of the model's columns"):
        examples.records(path, table.schema_.columns)


def test_series_of_lines_and_of_rows(tmp_path: Path) -> None:
    lines = tmp_path / "s.jsonl"
    lines.write_text('{"series": [[1, 2], [3, null]], "name": "one"}\n\n{"series": [1, 2.5]}\n')
    found = examples.series(lines)
    assert [name for name, _ in found] == ["one", "series 2"]
    np.testing.assert_array_equal(found[0][1], [[1, 2], [3, np.nan]])
    np.testing.assert_array_equal(found[1][1], [[1], [2.5]])
    rows = tmp_path / "s.csv"
    rows.write_text("name,t1,t2,t3\nx,1,2,\n,4,5,6\n")
    found = examples.series(rows)
    assert [name for name, _ in found] == ["x", "row 2 · 行"]
    np.testing.assert_array_equal(found[0][1], [[1], [2], [np.nan]])


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "holds no series"),
        ("x", "line 1 of s.jsonl is no JSON"),
        ("[" * 100_000, "line 1 of s.jsonl is no JSON"),
        ('{"series": 5}', "line 1 of s.jsonl must be"),
        ('{"series": []}', "as many numbers each"),
        ('{"series": [[1], [1, 2]]}', "as many numbers each"),
        ('{"series": [["x"]]}', "as many numbers each"),
        ('{"series": [[true]]}', "as many numbers each"),
        ('{"series": [[' + "9" * 400 + "]]}", "too large"),
    ],
)
def test_lines_that_are_no_series(tmp_path: Path, text: str, said: str) -> None:
    path = tmp_path / "s.jsonl"
    path.write_text(text)
    with pytest.raises(InputError, match=said):
        examples.series(path)


def test_files_that_are_not_there(tmp_path: Path) -> None:
    for read in (examples.texts, examples.series):
        with pytest.raises(InputError):
            read(tmp_path / "gone.jsonl")


def test_only_so_many_are_taken(tmp_path: Path) -> None:
    path = tmp_path / "many.csv"
    path.write_text("text\n" + "a text\n" * 1_000)
    assert len(examples.texts(path)) == examples.MOST
