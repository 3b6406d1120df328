"""Texts from whatever holds them."""

import numpy as np
import pandas as pd
import polars as pl
import pytest

from zhuyi.errors import InputError
from zhuyi.learn.text.reading import read_texts

TEXTS = ("一", "two", "")


@pytest.mark.parametrize(
    "held",
    [
        list(TEXTS),
        TEXTS,
        np.array(TEXTS),
        np.array(TEXTS, dtype=object),
        np.array(TEXTS)[:, None],
        pd.Series(TEXTS),
        pd.Series(TEXTS, dtype="string"),
        pd.Series(TEXTS, dtype="category"),
        pd.DataFrame({"text": TEXTS}),
        pl.Series("text", TEXTS),
        pl.DataFrame({"text": TEXTS}),
        ["一", "two", None],
        ["一", "two", float("nan")],
        pd.Series(["一", "two", None]),
        pl.Series(["一", "two", None]),
        pd.Series(["一", "two", pd.NA], dtype="string"),
    ],
)
def test_containers(held: object) -> None:
    assert read_texts(held) == TEXTS


@pytest.mark.parametrize(
    ("held", "said"),
    [
        ("one text", "put it into a list"),
        ([1, 2], "got int in row 0"),
        (["a", ["b"]], "got list in row 1"),
        (np.zeros((2, 2)), "the shape"),
        (pd.DataFrame({"a": ["x"], "b": ["y"]}), "got 2 columns"),
        ({"a": "x"}, "got dict"),
        (None, "got NoneType"),
    ],
)
def test_what_is_no_text_is_refused(held: object, said: str) -> None:
    with pytest.raises(InputError, match=said):
        read_texts(held)


def test_no_texts() -> None:
    assert read_texts([]) == ()
