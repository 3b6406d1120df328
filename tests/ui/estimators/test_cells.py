"""Cells by their kind, and the few that are not of it."""

from datetime import UTC, date, datetime

import numpy as np
import pytest

from zhuyi.errors import InputError, OptionError
from zhuyi.learn.reading import KINDS
from zhuyi.ui.estimators.cells import Asked, kind_of, number, read_asked, truth, typed, values_as
from zhuyi.ui.estimators.frames import frame, plain_frame
from zhuyi.ui.estimators.sheet import Cell, Sheet

PROSE = [f"the machine number {n} stopped after a loud noise and some smoke" for n in range(9)]


@pytest.mark.parametrize(
    ("cells", "kind"),
    [
        (["1", "-2.5", "3e4", None], "numeric"),
        ([1, 2.5], "numeric"),
        (["true", "False", None], "boolean"),
        ([True, False], "boolean"),
        (["2020-01-02", "2020-01-02 10:30"], "date"),
        ([date(2020, 1, 2), None], "date"),
        (["007", "12"], "categorical"),
        (["yes", "no"], "categorical"),
        (["1", "x"], "categorical"),
        (["1_000", "2"], "categorical"),
        (["2020-13-40", "a"], "categorical"),
        ([None, None], "numeric"),
        (PROSE, "text"),
        (PROSE[:1] * 9, "categorical"),
    ],
)
def test_kinds_by_the_cells(cells: list[Cell], kind: str) -> None:
    assert kind_of("a", cells, range(1, len(cells) + 1)) == kind


def test_text_in_a_column_of_numbers_names_column_row_and_cell() -> None:
    cells: list[Cell] = [*map(str, range(30)), "?", "<5"]
    rows = range(11, 11 + len(cells))
    said = r"column 'torque Nm' holds numbers but for '\?' in row 41, '<5' in row 42: .*--missing "
    with pytest.raises(InputError, match=said + r'"\?".*--column "torque Nm"=categorical'):
        kind_of("torque Nm", cells, rows)
    with pytest.raises(InputError, match="holds dates but for 'soon' in row 12"):
        kind_of("day", ["2020-01-01"] * 11 + ["soon"], range(1, 13))
    # one in five is no slip
    assert kind_of("a", ["1", "2", "3", "4", "x"], range(5)) == "categorical"


def test_decimal_commas_are_refused() -> None:
    with pytest.raises(InputError, match="decimal comma \\('1,5' in row 1\\)"):
        kind_of("a", ["1,5", "2,25"], [1, 2])


def test_values_of_each_kind() -> None:
    assert values_as("numeric", "a", ["1", None, "2e1"], [1, 2, 3]) == [1.0, None, 20.0]
    assert values_as("boolean", "a", ["yes", "0", "TRUE"], [1, 2, 3]) == [True, False, True]
    assert values_as("date", "a", ["2020-01-02"], [1]) == [datetime(2020, 1, 2)]
    assert values_as("categorical", "a", [3.0, "b", True], [1, 2, 3]) == ["3", "b", "True"]
    with pytest.raises(InputError, match=r"must be numeric, got 'x' in row 7: .*say --column a="):
        values_as("numeric", "a", ["1", "x"], [6, 7])
    with pytest.raises(InputError, match=r"must be boolean, got 2 in row 6.*not known$"):
        values_as("boolean", "a", [2], [6], flag="")


def test_numbers_and_truths() -> None:
    assert [number(cell) for cell in ("1.", ".5", "inf", "1e400", True, "0x1", "१")] == [
        1.0, 0.5, None, None, None, None, 1.0,
    ]  # fmt: skip
    assert [truth(cell) for cell in ("Y", "n", 1, 0.0, 2, "2", None)] == [
        True, False, True, False, None, None, None,
    ]  # fmt: skip


def test_kinds_that_a_person_says() -> None:
    found = read_asked(["a=categorical", "b=c=ordinal:S < M<L"], ["a", "b=c"])
    assert found == {"a": Asked("categorical"), "b=c": Asked("ordinal", ("S", "M", "L"))}
    for kind in KINDS:
        assert read_asked([f"a={kind}"], ["a"])["a"].kind == kind


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("a", "must be NAME=KIND"),
        ("a=number", "must be NAME=KIND with a KIND of numeric"),
        ("Torqe=numeric", "is no column: did you mean 'torque'"),
        ("torque=numeric:1<2", "levels go with ordinal"),
        ("torque=ordinal:1", "are two or more"),
        ("torque=ordinal:1<1", "are two or more"),
    ],
)
def test_wishes_that_cannot_be(written: str, said: str) -> None:
    with pytest.raises(OptionError, match=said):
        read_asked([written], ["torque", "a"])


def test_frames() -> None:
    asked = {"size": Asked("ordinal", ("S", "M", "L"))}
    sheet = Sheet(
        "t",
        {
            "n": ("1", None),
            "size": ("M", None),
            "ok": ("true", None),
            "day": ("2020-01-02T01:00+01:00", None),
            "kind": ("x", None),
        },
        (1, 2),
    )
    columns = typed(sheet, asked)
    table = frame(columns, asked)
    assert table["size"].cat.ordered
    assert list(table["size"].cat.categories) == ["S", "M", "L"]
    assert str(table["day"].dtype) == "datetime64[us]"
    assert str(table["day"][0]) == "2020-01-02 00:00:00"
    assert list(table["ok"]) == [True, None]
    plain = plain_frame(columns, asked)
    day = datetime(2020, 1, 2, tzinfo=UTC).timestamp() / 86400
    assert plain.iloc[0].to_dict() == {"n": 1.0, "size": 1.0, "ok": 1.0, "day": day, "kind": "x"}
    assert list(plain.drop(columns="kind").iloc[1].isna()) == [True] * 4
    assert np.isnan(plain["n"][1])


def test_levels_that_a_column_does_not_keep_to() -> None:
    sheet = Sheet("t", {"size": ("S", "XL")}, (1, 9))
    with pytest.raises(InputError, match="'XL' in row 9, which is none of its levels S < M"):
        typed(sheet, {"size": Asked("ordinal", ("S", "M"))})
