"""Tables from files: every broken row is named by its number, skipped or refused, never a crash."""

import csv
import gzip
import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from zhuyi.errors import InputError, OptionError
from zhuyi.ui.data import LONGEST, Row, Table, read_table

pyarrow = pytest.importorskip("pyarrow")
parquet = pytest.importorskip("pyarrow.parquet")


@pytest.fixture
def write(tmp_path: Path) -> Callable[[str, str | bytes], Path]:
    def written(name: str, content: str | bytes) -> Path:
        path = tmp_path / name
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return path

    return written


Write = Callable[[str, str | bytes], Path]


def skipped(table: Table) -> dict[int, str]:
    return {one.row: one.reason.en for one in table.skipped}


def test_rows_roles_and_numbers(write: Write) -> None:
    path = write("a.csv", "id,text,label,who,where\n1,Good,pos,ann,x\n2,Bad,neg,,y\n")
    table = read_table(path, text="text", label="label", groups=("who", "where"))
    assert table.rows == (
        Row(number=1, text="Good", label="pos", groups={"who": "ann", "where": "x"}),
        Row(number=2, text="Bad", label="neg", groups={"who": "(none)", "where": "y"}),
    )
    assert (table.name, table.offered, table.skipped) == ("a.csv", 2, ())
    assert table.columns == {"text": ("text",), "label": ("label",), "group": ("who", "where")}
    summary = table.summary()
    assert (summary.rows, summary.used, summary.columns["group"]) == (2, 2, ("who", "where"))


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
@pytest.mark.parametrize("packed", [False, True])
def test_delimiters_quotes_line_ends_and_gzip(delimiter: str, packed: bool, write: Write) -> None:
    lines = [
        ["text", "label"],
        ['a "quoted" word, with; all\tof them', "0"],
        ["two\nlines", "1"],
        ["中文", "1"],
    ]
    body = "\r\n".join(
        delimiter.join('"' + field.replace('"', '""') + '"' for field in line) for line in lines
    )
    raw = b"\xef\xbb\xbf" + body.encode()
    path = write("b.csv.gz", gzip.compress(raw)) if packed else write("b.csv", raw)
    table = read_table(path, text="text", label="label")
    assert [(row.text, row.label) for row in table.rows] == [(a, b) for a, b in lines[1:]]


def test_a_semicolon_file_whose_texts_hold_commas(write: Write) -> None:
    path = write("c.csv", "text;label\none, two, three, four;1\n")
    assert read_table(path, text="text").rows[0].text == "one, two, three, four"


BROKEN_CSV = b"\n".join(
    [
        b"text,label",
        b"fine,1",  # 1
        b"one field too many,1,2",  # 2
        b"too few",  # 3
        b",1",  # 4
        b"   ,1",  # 5
        b"no label,",  # 6
        b"not \xff utf-8,1",  # 7
        b"zero \x00 byte,1",  # 8
        b"",  # an empty line is no record
        b'"quote" in the middle,1',  # 9
        b"x" * 100_000 + b",1",  # 10
        b"y" * 140_000 + b",1,1",  # 11: beyond the csv module's own limit, and wrong
        "中文,0".encode(),  # 12
        b'"never closed,1',  # 13
        b"swallowed,1",
    ]
)


def test_broken_rows_are_named_by_number(write: Write) -> None:
    limit = csv.field_size_limit()
    table = read_table(write("d.csv", BROKEN_CSV), text="text", label="label")
    assert [(row.number, row.text) for row in table.rows] == [(1, "fine"), (12, "中文")]
    said = skipped(table)
    assert list(said) == [2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 13]
    assert said[2] == "it has 3 fields, the header has 2"
    assert said[3] == "it has 1 fields, the header has 2"
    assert said[4] == said[5] == "the text in column 'text' is empty"
    assert said[6] == "it has no label in column 'label'"
    assert said[7] == "it holds bytes that are not UTF-8"
    assert said[8] == "the text in column 'text' holds a zero byte"
    assert said[9].startswith("its quotation marks do not match")
    assert said[10] == f"the text in column 'text' has 100,000 characters, more than {LONGEST:,}"
    assert said[11] == "it has 3 fields, the header has 2"
    assert said[13].startswith("its quotation marks do not match")
    assert table.offered == 13
    assert csv.field_size_limit() == limit, "the process's limit is put back"
    for one in table.skipped:
        assert one.reason.zh


def test_refusing_names_the_first_bad_row(write: Write) -> None:
    with pytest.raises(InputError, match=r"d\.csv, row 2: it has 3 fields, the header has 2"):
        read_table(write("d.csv", BROKEN_CSV), text="text", label="label", on_bad="refuse")


def test_bad_bytes_beside_the_point_do_no_harm(write: Write) -> None:
    path = write("e.csv", b"text,note\nfine,\xff\n")
    assert len(read_table(path, text="text").rows) == 1


def test_one_class_only_is_a_table(write: Write) -> None:
    table = read_table(write("f.csv", "text,label\na,1\nb,1\n"), text="text", label="label")
    assert [row.label for row in table.rows] == ["1", "1"]


def test_limit_takes_the_first_usable_rows(write: Write) -> None:
    path = write("g.csv", "text\n \na\nb\nc\n".replace(" \n", '""\n'))
    table = read_table(path, text="text", limit=2)
    assert [row.number for row in table.rows] == [2, 3]
    assert table.offered == 3
    with pytest.raises(OptionError, match="at least 1, got 0"):
        read_table(path, text="text", limit=0)


def test_jsonl_rows(write: Write) -> None:
    lines = [
        b'\xef\xbb\xbf{"text": "fine", "label": 1, "who": null}',  # 1
        b'{"text": "float", "label": 1.0, "who": 3}',  # 2
        b'{"label": 1}',  # 3
        b'{"text": 7, "label": 1}',  # 4
        b'{"text": "broken", "label": }',  # 5
        b"[1]",  # 6
        b'{"text": "twice", "text": "x", "label": 1}',  # 7
        b'{"text": "half \\ud83d", "label": 1}',  # 8
        b'{"text": "\xff", "label": 1}',  # 9
        b'{"text": "", "label": 1}',  # 10
        b'{"text": "nan", "label": NaN}',  # 11
        b'{"text": ["a"], "label": 1}',  # 12
        b"[" * 100_000,  # 13
        b'{"text": "yes", "label": true}',  # 14
    ]
    table = read_table(
        write("h.jsonl", b"\n\n".join(lines)), text="text", label="label", groups=("who",)
    )
    assert [(row.number, row.text, row.label) for row in table.rows] == [
        (1, "fine", "1"), (2, "float", "1"), (14, "yes", "True"),
    ]  # fmt: skip
    assert [row.groups["who"] for row in table.rows] == ["(none)", "3", "(none)"]
    said = skipped(table)
    assert said[3] == "it has no field 'text'"
    assert said[4] == "column 'text' holds no text but a number"
    assert said[5].startswith("it is not JSON: ")
    assert said[6] == "it is not a JSON object"
    assert "twice" in said[7]
    assert said[8] == said[9] == "it holds bytes that are not UTF-8"
    assert said[10] == "the text in column 'text' is empty"
    assert said[11] == "it has no label in column 'label'"
    assert said[12] == "column 'text' holds no text but a list"
    assert said[13] == "its JSON is nested too deeply"


def test_a_pair_of_texts(write: Write) -> None:
    path = write("i.jsonl", '{"a": "one", "b": "two"}\n{"a": "one", "b": ""}\n')
    table = read_table(path, text="a", pair="b")
    assert (table.rows[0].text, table.rows[0].pair) == ("one", "two")
    assert skipped(table) == {2: "the text in column 'b' is empty"}


def test_parquet_rows(tmp_path: Path) -> None:
    path = tmp_path / "j.parquet"
    texts = ["fine", None, "", "x" * 100_000, "中文"]
    parquet.write_table(
        pyarrow.table({"text": texts, "label": [1.0, 1.0, 1.0, 1.0, None], "n": [1, 2, 3, 4, 5]}),
        path,
    )
    table = read_table(path, text="text", label="label", groups=("n",))
    assert table.rows == (Row(number=1, text="fine", label="1", groups={"n": "1"}),)
    assert list(skipped(table)) == [2, 3, 4, 5]
    with pytest.raises(InputError, match="row 1: column 'n' holds no text but a number"):
        read_table(path, text="n")


def test_parquet_with_bytes_that_are_no_text(tmp_path: Path) -> None:
    path = tmp_path / "k.parquet"
    raw = pyarrow.array([b"fine", b"\xff", b"end"], pyarrow.binary())
    texts = pyarrow.StringArray.from_buffers(3, raw.buffers()[1], raw.buffers()[2])
    parquet.write_table(pyarrow.table({"text": texts}), path)
    table = read_table(path, text="text")
    assert [row.text for row in table.rows] == ["fine", "end"]
    assert skipped(table) == {2: "it holds bytes that are not UTF-8"}


def test_without_pyarrow_the_extra_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(InputError, match=r"pip install 'zhuyi\[parquet\]'"):
        read_table(tmp_path / "x.parquet", text="text")


FILES: list[tuple[str, bytes, str]] = [
    ("empty.csv", b"", "is empty"),
    ("blank.csv", b" \n\n", "is empty"),
    ("bom.csv", b"\xef\xbb\xbf", "is empty"),
    ("header.csv", b"text,label\n", "has no row that can be used under its header"),
    ("bad.csv", b"text,label\n,1\n", "no row that can be used: row 1: the text in column"),
    ("other.csv", b"review,stars\na,1\n", "has no column 'text': it has 'review', 'stars'"),
    ("twice.csv", b"text,text\na,b\n", "column 'text' stands 2 times in the header"),
    ("utf16.csv", "text\na\n".encode("utf-16"), "is UTF-16 text: save it as UTF-8"),
    ("what.xlsx", b"PK", "must end in .csv"),
    ("none", b"text\na", "must end in .csv"),
    ("text.gz", b"text\na", "must end in .csv"),
    ("bad.csv.gz", b"text\na", "is not a whole gzip file"),
    ("empty.jsonl", b"\n", "is empty"),
    ("array.jsonl", b'[{"text": 1}]', "is a JSON array: write one object a line"),
    ("other.jsonl", b'{"review": "a"}\n{"stars": 1}', "no column 'text': it has 'review', 'stars'"),
    ("broken.jsonl", b"nonsense", "row 1: it is not JSON"),
    ("empty.parquet", b"", "is empty"),
    ("bad.parquet", b"PAR1 nonsense PAR1", "is not a Parquet file"),
]


@pytest.mark.parametrize(("name", "content", "said"), FILES, ids=[name for name, _, _ in FILES])
def test_files_that_are_no_table(name: str, content: bytes, said: str, write: Write) -> None:
    with pytest.raises(InputError) as caught:
        read_table(write(name, content), text="text")
    assert said in str(caught.value)


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    for path in (tmp_path / "missing.csv", tmp_path / "missing.parquet"):
        with pytest.raises(InputError, match=r"cannot read .*missing"):
            read_table(path, text="text")
    (tmp_path / "folder.csv").mkdir()
    with pytest.raises(InputError, match="cannot read"):
        read_table(tmp_path / "folder.csv", text="text")


def test_a_file_that_breaks_off_keeps_what_was_read(write: Write) -> None:
    body = "text\n" + "".join(f"row {n} {n * 7919 % 9973}\n" for n in range(40_000))
    whole = gzip.compress(body.encode())
    table = read_table(write("cut.csv.gz", whole[: len(whole) // 2 * 2 - 4000]), text="text")
    assert len(table.rows) > 10_000
    assert table.rows[0].text == "row 0 0"
    assert [one.reason.en for one in table.skipped] == ["the file breaks off here"]


def test_columns_have_one_role(write: Write) -> None:
    path = write("l.csv", "text,label\na,1\n")
    with pytest.raises(OptionError, match="once for its role"):
        read_table(path, text="text", label="text")
    with pytest.raises(OptionError, match="once for its role"):
        read_table(path, text="text", groups=("label", "label"))
    grouped = read_table(path, text="text", label="label", groups=("label",))
    assert grouped.rows[0].groups == {"label": "1"}


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(content=st.binary(max_size=300))
@pytest.mark.parametrize("ending", ["csv", "jsonl", "csv.gz", "parquet"])
def test_no_bytes_crash_it(ending: str, content: bytes, tmp_path: Path) -> None:
    path = tmp_path / f"any.{ending}"
    path.write_bytes(b"text,label\n" + content if ending == "csv" else content)
    try:
        table = read_table(path, text="text")
    except InputError:
        return
    assert table.offered == len(table.rows) + len(table.skipped)


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    texts=st.lists(
        st.text(
            st.characters(exclude_characters="\0", exclude_categories=["Cs"]), min_size=1
        ).filter(str.strip),
        min_size=1,
        max_size=8,
    )
)
def test_whatever_csv_and_json_write_is_read_back(texts: list[str], tmp_path: Path) -> None:
    plain = tmp_path / "back.csv"
    with plain.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerows([["text", "n"], *([text, i] for i, text in enumerate(texts))])
    lines = tmp_path / "back.jsonl"
    lines.write_text("\n".join(json.dumps({"text": text}) for text in texts), encoding="utf-8")
    table = tmp_path / "back.parquet"
    parquet.write_table(pyarrow.table({"text": texts}), table)
    for path in (plain, lines, table):
        found: Any = [row.text for row in read_table(path, text="text").rows]
        assert found == texts, path.name
