"""Tables of every kind give the same cells, and what cannot be read is named."""

import datetime

import narwhals as nw
import numpy as np
import pandas as pd
import pytest

from zhuyi.errors import InputError, OptionError
from zhuyi.learn.columns import KNOWN, MISSING, UNSEEN, Column, encode, learn_column
from zhuyi.learn.reading import as_kind, cell_key, read_table
from zhuyi.learn.schema import Schema, learn_schema

from .tables import mixed_frame

KINDS = {
    "dose": "numeric",
    "ward": "categorical",
    "smoker": "boolean",
    "stage": "ordinal",
    "seen": "date",
    "count": "numeric",
}


def test_kinds_of_pandas_columns() -> None:
    frame, _ = mixed_frame()
    assert {cells.name: cells.kind for cells in read_table(frame)} == KINDS


def test_polars_and_pandas_give_the_same_codes() -> None:
    pl = pytest.importorskip("polars", reason="polars is not installed")
    frame, _ = mixed_frame(60)
    schema = learn_schema(read_table(frame))
    other = pl.DataFrame(
        {
            "dose": [None if np.isnan(d) else d for d in frame["dose"]],
            "ward": [None if pd.isna(w) else w for w in frame["ward"]],
            "smoker": frame["smoker"].tolist(),
            "stage": pl.Series(
                frame["stage"].astype(str).tolist(), dtype=pl.Enum(["low", "mid", "high"])
            ),
            "seen": frame["seen"].dt.to_pydatetime().tolist(),
            "count": frame["count"].tolist(),
        }
    )
    again = read_table(other)
    assert {cells.name: cells.kind for cells in again} == KINDS
    np.testing.assert_array_equal(schema.encode(again)[0], schema.encode(read_table(frame))[0])


def test_rows_as_mappings_are_read_like_a_frame() -> None:
    rows = [{"age": 60, "sex": "f"}, {"age": None, "sex": "m"}]
    age, sex = read_table(rows)
    np.testing.assert_array_equal(age.numbers, [60.0, np.nan])
    assert sex.texts == ("f", "m")
    with pytest.raises(InputError, match="row 2 must have the columns \\['sex'\\]"):
        read_table([rows[0], {"age": 3}])


def test_dates_are_days_since_1970() -> None:
    (cells,) = read_table([{"when": datetime.date(1970, 1, 11)}, {"when": None}])
    np.testing.assert_array_equal(cells.numbers, [10.0, np.nan])
    noon = datetime.datetime(1970, 1, 2, 12, tzinfo=datetime.timezone(datetime.timedelta(hours=6)))
    (cells,) = read_table([{"when": noon}])
    assert cells.numbers is not None
    assert cells.numbers[0] == 1.25


def test_whole_numbers_are_one_category_however_written() -> None:
    assert [cell_key(c) for c in (3, 3.0, np.float32(3), "3", None, float("nan"))] == [
        "3", "3", "3", "3", None, None,
    ]  # fmt: skip


def test_the_piecewise_edges_are_the_quantiles() -> None:
    values = np.arange(101.0)
    (cells,) = read_table(values[:, None])
    column = learn_column(cells, None, bins=4)
    np.testing.assert_allclose(column.edges, [0.0, 25.0, 50.0, 75.0, 100.0])
    assert (column.center, column.missing) == (50.0, 0.0)
    assert column.scale == pytest.approx(np.std(values))


def test_ordinal_codes_follow_the_declared_order() -> None:
    frame, _ = mixed_frame(30)
    cells = read_table(frame)[3]
    codes, _ = encode(learn_column(cells, None, bins=8), cells)
    order = {"low": 0.0, "mid": 1.0, "high": 2.0}
    np.testing.assert_array_equal(codes[:, 0], [order[s] for s in frame["stage"]])


def test_missing_and_unseen_have_states_of_their_own() -> None:
    (train,) = read_table([{"ward": w} for w in ("a", "b", None)])
    column = learn_column(train, None, bins=8)
    (new,) = read_table([{"ward": w} for w in ("b", "z", None, "z")])
    codes, unseen = encode(column, new)
    assert codes[:, 1].tolist() == [KNOWN, UNSEEN, MISSING, UNSEEN]
    assert unseen == {"z": 2}


def test_a_schema_is_plain_json_and_comes_back() -> None:
    frame, _ = mixed_frame()
    schema = learn_schema(read_table(frame), {"count": "categorical"})
    assert Schema.from_json(schema.as_json()) == schema


def test_draws_are_quantiles_of_a_column_and_no_rows() -> None:
    (cells,) = read_table(np.arange(1000.0)[:, None])
    draws = np.array(learn_column(cells, None, bins=8).draws)[:, 0]
    assert abs(draws.mean() - 499.5) < 5.0
    assert draws.min() > 0.0, "the extremes of the data are not kept"


@pytest.mark.parametrize(
    ("table", "said"),
    [
        ([[1.0], [np.inf]], "column 'x0' must hold finite numbers, got infinity in row 2"),
        (np.empty((3, 0)), "0 feature"),
    ],
)  # fmt: skip
def test_what_cannot_be_read_is_named(table: object, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        read_table(table)


def test_a_cell_of_another_kind_names_its_row() -> None:
    (cells,) = read_table([{"age": "60"}, {"age": "old"}])
    assert as_kind(read_table([{"age": "60"}])[0], "numeric").numbers is not None
    with pytest.raises(InputError, match="column 'age' must be numeric, got 'old' in row 2"):
        as_kind(cells, "numeric")
    numbers = read_table(np.array([[1.0], [2.0]]))[0]
    with pytest.raises(InputError, match="must be date, got numeric"):
        as_kind(numbers, "date")
    with pytest.raises(InputError, match="must be boolean \\(0 or 1\\), got 2"):
        as_kind(numbers, "boolean")


def test_kinds_that_do_not_exist_are_refused_by_name() -> None:
    cells = read_table([{"age": 1.0}, {"age": 2.0}])
    with pytest.raises(OptionError, match="must be one of .*'text'.*, got 'prose'"):
        learn_schema(cells, {"age": "prose"})
    with pytest.raises(OptionError, match="names 'agee'"):
        learn_schema(cells, {"agee": "numeric"})


def test_a_column_of_wrong_json_is_refused() -> None:
    good = learn_schema(read_table([{"age": 1.0}, {"age": 2.0}])).as_json()[0]
    for change in ({"scale": 0.0}, {"kind": "text"}, {"edges": ["x"]}, {"extra": 1}):
        with pytest.raises(InputError):
            Column.from_json({**good, **change})


def test_narwhals_says_which_categoricals_are_ordered() -> None:
    """The fact of another library that ordinal columns rest on."""
    frame, _ = mixed_frame(30)
    found = nw.from_native(frame, eager_only=True)["stage"].dtype
    assert isinstance(found, nw.Enum)
    assert list(found.categories) == ["low", "mid", "high"]
