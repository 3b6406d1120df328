"""Splits: nothing on both sides, nothing from the future, every row tested once a repeat."""

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from zhuyi.errors import InputError, OptionError, ShapeError
from zhuyi.recipes.splits import Fold, GroupedFolds, StratifiedFolds, WalkForward


def whole(folds: tuple[Fold, ...], rows: int, repeats: int) -> None:
    for fold in folds:
        assert sorted([*fold.train, *fold.test]) == list(range(rows))
    tested = np.concatenate([fold.test for fold in folds])
    assert np.bincount(tested, minlength=rows).tolist() == [repeats] * rows


@given(
    labels=st.lists(st.integers(0, 2), min_size=12, max_size=60),
    folds=st.integers(2, 4),
    repeats=st.integers(1, 3),
)
def test_stratified_folds_are_whole_and_even(labels: list[int], folds: int, repeats: int) -> None:
    values = np.array([*labels, *[0, 1, 2] * folds])
    found = StratifiedFolds(folds=folds, repeats=repeats)(values)
    assert len(found) == folds * repeats
    whole(found, len(values), repeats)
    for label in range(3):
        share = [int((values[fold.test] == label).sum()) for fold in found]
        assert max(share) - min(share) <= 1


@given(groups=st.lists(st.integers(0, 9), min_size=10, max_size=80), folds=st.integers(2, 4))
def test_grouped_folds_keep_groups_together(groups: list[int], folds: int) -> None:
    values = np.array([*groups, *range(10)])
    found = GroupedFolds(folds=folds, repeats=2)(values)
    whole(found, len(values), 2)
    for fold in found:
        assert not set(values[fold.train]) & set(values[fold.test])


def test_rows_dealt_out_singly_would_split_groups() -> None:
    """The broken twin: what GroupedFolds is there to prevent does happen without it."""
    groups = np.repeat(np.arange(20), 5)
    split = [
        len(set(groups[fold.train]) & set(groups[fold.test]))
        for fold in StratifiedFolds()(np.zeros(100, dtype=int))
    ]
    assert min(split) > 10


@pytest.mark.parametrize("kind", [StratifiedFolds, GroupedFolds])
def test_the_same_seed_gives_the_same_folds(kind: Callable[..., object]) -> None:
    values = np.arange(40) % 8
    before = np.random.get_state(legacy=False)["state"]["key"].tolist()  # noqa: NPY002
    same = [kind(seed=3)(values)[0].test.tolist() for _ in range(2)]  # type: ignore[operator]
    other = kind(seed=4)(values)[0].test.tolist()  # type: ignore[operator]
    assert same[0] == same[1] != other
    assert np.random.get_state(legacy=False)["state"]["key"].tolist() == before  # noqa: NPY002
    first, second = kind(repeats=2, folds=2)(values)[0::2]  # type: ignore[operator]
    assert first.test.tolist() != second.test.tolist()


def test_too_little_to_split_is_named() -> None:
    with pytest.raises(InputError, match="every label needs 5 rows for 5 folds, one has 1"):
        StratifiedFolds()(np.array([0] * 9 + [1]))
    with pytest.raises(InputError, match="5 folds need as many groups, got 2"):
        GroupedFolds()(np.array([0, 0, 1, 1]))
    with pytest.raises(OptionError, match="folds"):
        StratifiedFolds(folds=1)


def test_many_labels_are_only_shuffled() -> None:
    whole(StratifiedFolds(folds=2)(np.zeros((10, 3), dtype=bool)), 10, 1)


CALENDAR = np.arange("2020-01-01", "2020-03-01", dtype="datetime64[D]")


@given(
    lag=st.integers(1, 6),
    embargo=st.integers(0, 6),
    test=st.integers(1, 9),
    train=st.one_of(st.none(), st.integers(20, 40)),
)
def test_walking_forward_never_looks_ahead(
    lag: int, embargo: int, test: int, train: int | None
) -> None:
    days = np.repeat(CALENDAR, 2)  # two stocks
    scored = days + lag
    split = WalkForward(train=train, test=test, embargo=embargo, least=20)
    folds = split(days, scored)
    assert np.array_equal(
        np.concatenate([f.test for f in folds]), np.flatnonzero(days >= CALENDAR[20])
    )
    for fold in folds:
        begin = days[fold.test].min()
        if len(fold.train):
            # The answer of every training row was known `embargo` days before the block.
            assert (scored[fold.train] + embargo < begin).all()
            if train is not None:
                assert days[fold.train].min() >= begin - train
        gone = (days < begin) & ~np.isin(np.arange(len(days)), fold.train)
        if train is None:
            assert gone.sum() == 2 * min(lag + embargo, int((begin > CALENDAR).sum()))


def test_without_a_purge_the_answer_would_be_known_too_late() -> None:
    """The broken twin: the rows that are purged do overlap the block."""
    scored = CALENDAR + 3
    fold = WalkForward(test=5, embargo=0, least=20)(CALENDAR, scored)[0]
    begin = CALENDAR[fold.test[0]]
    kept = np.flatnonzero(begin > CALENDAR)
    assert (scored[kept] >= begin).sum() == 3
    assert (scored[fold.train] >= begin).sum() == 0


def test_walking_forward_says_what_does_not_fit() -> None:
    with pytest.raises(InputError, match="more than 252 days, got 60"):
        WalkForward()(CALENDAR, CALENDAR + 1)
    with pytest.raises(InputError, match="scored after"):
        WalkForward(least=10)(CALENDAR, CALENDAR)
    with pytest.raises(ShapeError, match=r"must be \[N\]"):
        WalkForward(least=10)(CALENDAR, CALENDAR[1:])
    with pytest.raises(OptionError, match="at least least = 252"):
        WalkForward(train=10)
