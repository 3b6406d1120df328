"""From fitted estimators to records: sums, decisions, folds; each with a twin that must fail."""

from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import f1_score

from zhuyi.errors import InputError, OptionError
from zhuyi.learn import AttentionClassifier, AttentionRegressor
from zhuyi.recipes.baselines import Measured
from zhuyi.recipes.intervals import Interval
from zhuyi.recipes.records import Options
from zhuyi.recipes.scoring import F1, Rmse
from zhuyi.recipes.showing import (
    audited,
    cell,
    decisions,
    in_order,
    largest_gap,
    measure_ours,
    published,
    score,
    sums_to_decision,
    taken,
)
from zhuyi.recipes.splits import Fold, StratifiedFolds

ROWS = 80


@pytest.fixture(scope="module")
def table() -> pd.DataFrame:
    draw = np.random.default_rng(0)
    return pd.DataFrame(
        {
            "heat": draw.normal(size=ROWS),
            "wear": np.where(draw.random(ROWS) < 0.1, np.nan, draw.normal(size=ROWS)),
            "kind": draw.choice(["a", "b", "c"], ROWS),
        }
    )


def targets(table: pd.DataFrame) -> dict[str, Any]:
    # Some noise: a column that tells the target is warned of.
    noise = np.random.default_rng(1).normal(size=(2, ROWS))
    hot, worn = table["heat"] + 0.3 * noise[0] > 0, table["wear"].fillna(0.0) + noise[1] > 0.5
    return {
        "binary": hot.to_numpy(),
        "classes": np.where(hot, "hot", np.where(worn, "worn", "well")),
        "labels": pd.DataFrame({"hot": hot, "worn": worn}),
        "number": 30.0 * table["heat"].to_numpy() + 100.0 + noise[0],
    }


@pytest.fixture(scope="module")
def fitted(table: pd.DataFrame) -> dict[str, Any]:
    found = {}
    for name, target in targets(table).items():
        kind = AttentionRegressor if name == "number" else AttentionClassifier
        found[name] = kind(max_epochs=3, random_state=0).fit(table, target)
    return found


KINDS = ("binary", "classes", "labels", "number")


@pytest.mark.parametrize("kind", KINDS)
def test_contributions_sum_to_the_decision(
    fitted: dict[str, Any], table: pd.DataFrame, kind: str
) -> None:
    check = sums_to_decision(fitted[kind], table)
    assert check.held
    assert "over 80 decisions" in check.measured
    assert largest_gap(fitted[kind], table) < 1e-5


class Bent:
    """An estimator whose explanation forgets a little of one factor in one row."""

    def __init__(self, real: Any) -> None:
        self.real = real

    def __getattr__(self, name: str) -> Any:
        return getattr(self.real, name)

    def explain(self, rows: Any, **options: Any) -> pd.DataFrame:
        frame = self.real.explain(rows, **options)
        frame.loc[len(frame) - 1, "contribution"] += 3e-5
        return frame


@pytest.mark.parametrize("kind", ["binary", "labels"])
def test_a_sum_that_is_a_little_off_is_caught(
    fitted: dict[str, Any], table: pd.DataFrame, kind: str
) -> None:
    check = sums_to_decision(Bent(fitted[kind]), table)
    assert not check.held
    assert "3.0e-05" in check.measured


@pytest.mark.parametrize("kind", KINDS)
def test_a_decision_is_the_models_and_its_factors_add_up(
    fitted: dict[str, Any], table: pd.DataFrame, kind: str
) -> None:
    model = fitted[kind]
    found = decisions(
        model, table.iloc[:8], [5, 2], titles=["row 5", "row 2"], truth=["", "hot"], unit=" K",
        verify=False,
    )  # fmt: skip
    assert [one.title for one in found] == ["row 5", "row 2"]
    assert [one.truth for one in found] == ["", "hot"]
    for row, one in zip((5, 2), found, strict=True):
        total = one.constant + sum(factor.contribution for factor in one.factors)
        rows = table.iloc[[row]]
        if kind == "number":
            assert total == pytest.approx(model.predict(rows)[0], abs=1e-6)
            assert one.said == f"{total:.4g} K"
        else:
            place = list(model.labels_).index(one.label)
            share = model.predict_proba(rows)[0, place]
            assert one.said == f"{share:.1%}"
            if kind != "binary":
                assert share == model.predict_proba(rows)[0].max()
            logits = np.atleast_1d(model.decision_function(rows)[0])
            assert total == pytest.approx(logits[place if len(logits) > 1 else 0], abs=1e-6)
        sizes = [abs(factor.contribution) for factor in one.factors]
        assert sizes == sorted(sizes, reverse=True)
        assert sum(factor.weight for factor in one.factors) == pytest.approx(1.0, abs=1e-6)
        assert {factor.name for factor in one.factors} == set(table.columns)
        assert one.verdict == "not verified"


def test_of_two_classes_the_first_counts_the_other_way(
    fitted: dict[str, Any], table: pd.DataFrame
) -> None:
    first, second = (
        decisions(
            fitted["binary"], table[:6], [1], titles=["x"], truth=[""], labels=[label], verify=False
        )[0]
        for label in ("False", "True")
    )
    assert first.constant == -second.constant
    assert [f.contribution for f in first.factors] == [-f.contribution for f in second.factors]
    shares = [float(one.said.rstrip("%")) for one in (first, second)]
    assert sum(shares) == pytest.approx(100.0, abs=0.11)


def test_verdicts_come_from_all_inputs_and_lists_must_fit(
    fitted: dict[str, Any], table: pd.DataFrame
) -> None:
    found = decisions(fitted["binary"], table, [0], titles=["x"], truth=["y"], texts=["whole"])
    assert found[0].verdict in ("trusted", "doubtful", "refuted")
    assert found[0].text == "whole"
    with pytest.raises(OptionError, match=r"truth must have one entry a row \(1\), got 2"):
        decisions(fitted["binary"], table, [0], titles=["x"], truth=["y", "z"])


@pytest.mark.parametrize(
    ("value", "text"),
    [(None, "missing"), (float("nan"), "missing"), (0.1234567, "0.123457"), (1342.0, "1342"),
     (True, "True"), ("M", "M")],
)  # fmt: skip
def test_cells_as_text(value: object, text: str) -> None:
    assert cell(value) == text


def test_ours_is_fitted_and_scored_on_every_fold(table: pd.DataFrame) -> None:
    answers = targets(table)["binary"]
    folds = StratifiedFolds(folds=2, seed=1)(answers)
    seen: list[tuple[Any, Fold]] = []
    model = AttentionClassifier(max_epochs=3, random_state=0)
    found = measure_ours(
        "glass box", model, table, answers, folds, F1(), fitted=lambda m, f: seen.append((m, f))
    )
    assert [fold for _, fold in seen] == list(folds)
    expected = [
        f1_score(answers[fold.test], copy.predict(table.iloc[fold.test])) for copy, fold in seen
    ]
    assert found.folds == pytest.approx(expected)
    assert found.score.value == pytest.approx(np.mean(expected))
    assert found.seconds > 0
    assert "schema_" not in vars(model), "the given model stays unfitted"
    with pytest.raises(InputError, match="one fold at least"):
        measure_ours("none", model, table, answers, [], F1())


def test_numbers_and_named_labels_are_scored_too(table: pd.DataFrame) -> None:
    folds = (Fold(train=np.arange(60), test=np.arange(60, ROWS)),)
    answers = targets(table)
    regressor = AttentionRegressor(max_epochs=2, random_state=0)
    assert measure_ours("r", regressor, table, answers["number"], folds, Rmse()).score.value > 0
    seen = []
    measure_ours(
        "l", AttentionClassifier(max_epochs=2, random_state=0), table, answers["labels"], folds,
        _Exact(), fitted=lambda model, _: seen.append(model.labels_),
    )  # fmt: skip
    assert seen == [("hot", "worn")]


class _Exact:
    name = "exact"
    probabilities = False

    def __call__(self, answers: Any, said: Any) -> float:
        return float((answers == said).all(axis=1).mean())


def test_scores_keep_what_was_measured_and_come_in_order() -> None:
    interval = Interval(value=0.8, lower=0.7, upper=0.9, how="5 folds")
    measured = Measured(model="m", metric="F1", score=interval, folds=(0.8,), seconds=2.0)
    ours, simple = score(measured, "ours"), score(measured, "simple")
    known = published("paper", 0.9, "Somebody 2020, as reported")
    assert (ours.model, ours.value, ours.seconds) == ("m", interval, 2.0)
    assert (known.value.value, known.value.lower, known.seconds) == (0.9, None, None)
    assert in_order([known, ours, simple]) == (simple, ours, known)


def test_some_rows_of_anything(table: pd.DataFrame) -> None:
    assert taken(table, [3, 1]).index.tolist() == [3, 1]
    assert taken(np.arange(5), range(1, 3)).tolist() == [1, 2]
    assert taken(["a", "b", "c"], [2, 0]) == ["c", "a"]


def test_an_audit_is_on_the_contributions(fitted: dict[str, Any], table: pd.DataFrame) -> None:
    heard: list[str] = []
    options = Options(seed=2, listener=lambda part, step, done, total: heard.append(step))
    subject = fitted["binary"].subject()
    report = audited(
        subject, subject.read(table[:30]), title="m", task="t", options=options, part="p"
    )
    assert report.chosen == "Contributions()"
    assert report.settings["seed"] == 2
    assert len(report.inputs) == 30
    assert heard
    assert all(step.startswith("audit: ") for step in heard)
