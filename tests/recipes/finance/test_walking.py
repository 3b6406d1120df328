"""Walking forward: nothing that comes later reaches a decision, and what is scored adds up."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer

from tests.recipes.finance import markets
from zhuyi.errors import InputError
from zhuyi.learn import AttentionClassifier
from zhuyi.recipes.finance.market import CLASSES, Market, market
from zhuyi.recipes.finance.rivals import GLASS, LAST, LastReturn, Rival, rivals
from zhuyi.recipes.finance.study import splitter
from zhuyi.recipes.finance.walking import Walked, walk
from zhuyi.recipes.splits import Fold

SMALL = AttentionClassifier(width=4, max_epochs=1, random_state=0)


@pytest.fixture(scope="module")
def rows() -> Market:
    frame = markets.prices(tickers=("AA", "BB", "CC"))
    return market(frame, markets.tweets(frame))


def folds_of(rows: Market) -> tuple[Fold, ...]:
    return splitter(quick=True)(rows.days, rows.scored)


def contestants(*more: Rival) -> tuple[Rival, ...]:
    quick = [one for one in rivals(quick=True, seed=0) if one.role != "ours"]
    glass = Rival(name=GLASS, role="ours", make=lambda frame: clone(SMALL))
    return (*quick, glass, *more)


def with_another_future(rows: Market, first: int) -> Market:
    """The same market until a row; from there on other inputs and other answers."""
    order = np.arange(len(rows))
    order[first:] = np.random.default_rng(0).permutation(order[first:])
    inputs = rows.inputs.iloc[order].reset_index(drop=True)
    inputs.iloc[first:] *= 3.0
    return replace(rows, inputs=inputs, labels=rows.labels[order])


def moved_by_the_future(rows: Market, *more: Callable[[Market], Rival]) -> dict[str, float]:
    """By model, how much its decisions on the first block change when what follows it does."""
    folds = folds_of(rows)
    later = with_another_future(rows, int(folds[0].test.max()) + 1)
    shares = []
    for one in (rows, later):
        walked = walk(one, folds[:1], contestants(*(make(one) for make in more)))
        shares.append(walked.shares)
    return {name: float(np.abs(shares[0][name] - shares[1][name]).max()) for name in shares[0]}


def _scaled_on_all(rows: Market) -> Rival:
    """The broken twin: its scaler has seen all of the market."""
    mean, spread = rows.inputs.mean(), rows.inputs.std()

    def scaled(frame: pd.DataFrame) -> pd.DataFrame:
        return ((frame - mean) / spread).fillna(0.0)

    def make(frame: pd.DataFrame) -> Any:
        return make_pipeline(FunctionTransformer(scaled), LogisticRegression())

    return Rival(name="leaky", role="simple", make=make)


def test_the_future_moves_no_decision_but_the_leaky_twins(rows: Market) -> None:
    found = moved_by_the_future(rows, _scaled_on_all)
    leaky = found.pop("leaky")
    assert found == dict.fromkeys(found, 0.0)
    assert len(found) == 5
    assert leaky > 1e-3


def test_a_walk_without_a_purge_is_caught(rows: Market) -> None:
    for fold in folds_of(rows):
        assert rows.scored[fold.train].max() < rows.days[fold.test].min()
    # The broken twin learns up to the eve of the block: its last answers are of the block's days.
    test = folds_of(rows)[0].test
    eve = np.flatnonzero(rows.days < rows.days[test].min())
    assert not rows.scored[eve].max() < rows.days[test].min()


def test_what_a_walk_holds(rows: Market) -> None:
    folds = folds_of(rows)
    steps: list[tuple[str, int, int]] = []
    walked = walk(rows, folds, contestants(), lambda *step: steps.append(step))
    assert walked.rows.tolist() == np.concatenate([fold.test for fold in folds]).tolist()
    for shares in walked.shares.values():
        assert shares.shape == (len(walked.rows), 3)
        assert shares.sum(1) == pytest.approx(np.ones(len(shares)))
    assert walked.blocks == len(folds)
    assert [done for _, done, _ in steps] == list(range(len(folds) * 5))
    assert set(walked.gap) == {GLASS}
    assert walked.gap[GLASS] < 1e-5
    model, last = walked.last
    assert last.tolist() == folds[-1].test.tolist()
    again = model.predict_proba(rows.inputs.iloc[last])
    np.testing.assert_allclose(walked.shares[GLASS][-len(last) :], again)


def test_decisions_of_shares() -> None:
    walked = Walked(
        rows=np.arange(3),
        shares={"m": np.array([[0.3, 0.5, 0.2], [0.2, 0.3, 0.5], [0.4, 0.2, 0.4]])},
        seconds={},
        blocks=1,
        gap={},
        last=(None, np.arange(3)),
    )
    assert walked.decided("m").tolist() == [1, 2, 0]
    assert walked.ways("m").tolist() == [1, 0, 1]


def test_the_last_return_says_what_was() -> None:
    frame = pd.DataFrame({"return 1": [0.02, 0.0, -0.02]})
    model = LastReturn().fit(frame, np.asarray(CLASSES))
    np.testing.assert_array_equal(model.predict_proba(frame), np.eye(3))
    assert LAST in [one.name for one in rivals(quick=False, seed=0)]


def test_a_walk_that_cannot_be(rows: Market) -> None:
    with pytest.raises(InputError, match="a fold at least"):
        walk(rows, [], contestants())
    with pytest.raises(InputError, match="among the models"):
        walk(rows, folds_of(rows), contestants()[:1])
