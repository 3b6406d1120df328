"""The table estimators: what they learn, what they say of it, and what they refuse."""

import itertools
import warnings
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from sklearn.metrics import f1_score
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from zhuyi.errors import InputError, OptionError
from zhuyi.learn import (
    AttentionClassifier,
    AttentionRegressor,
    DataWarning,
    Progress,
    UnseenWarning,
)
from zhuyi.learn.explaining import COLUMNS
from zhuyi.learn.fitting import _whole_groups
from zhuyi.learn.targets import read_classes
from zhuyi.learn.training import batch_size, rate

from .tables import mixed_frame, one_column_decides


def quick(**options: object) -> AttentionClassifier:
    return AttentionClassifier(**{"max_epochs": 12, "random_state": 0, **options})  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def fitted() -> tuple[AttentionClassifier, pd.DataFrame, np.ndarray]:
    frame, y = mixed_frame()
    return quick(max_epochs=60).fit(frame, y), frame, y


def test_a_mixed_frame_is_learned(
    fitted: tuple[AttentionClassifier, pd.DataFrame, np.ndarray],
) -> None:
    model, frame, y = fitted
    assert model.score(frame, y) > 0.8
    assert model.classes_.tolist() == ["treat", "wait"]
    assert model.feature_names_in_.tolist() == list(frame.columns)


@pytest.mark.parametrize("mixing", [0, 1])
def test_contributions_sum_to_the_decision(mixing: int) -> None:
    frame, y = mixed_frame()
    model = quick(mixing_layers=mixing).fit(frame, y)
    told = model.explain(frame)
    assert tuple(told.columns) == COLUMNS
    total = told.groupby("row")["contribution"].sum() + model.constants_["wait"]
    np.testing.assert_allclose(total, model.decision_function(frame), atol=1e-5)
    np.testing.assert_allclose(told.groupby("row")["weight"].sum(), 1.0, atol=1e-12)
    assert model.explanation_ == ("evidence" if mixing else "computation")
    assert set(told["verdict"]) == {"not verified"}


def test_values_are_told_as_they_came(
    fitted: tuple[AttentionClassifier, pd.DataFrame, np.ndarray],
) -> None:
    model, frame, _ = fitted
    told = model.explain(frame.iloc[[1]]).set_index("factor")["value"]
    assert told["ward"] == frame["ward"].iloc[1]
    assert told["seen"] == str(frame["seen"].iloc[1].date())
    assert bool(told["smoker"]) == bool(frame["smoker"].iloc[1])
    assert model.explain(frame.iloc[[0]]).set_index("factor")["value"]["dose"] is None


def test_the_other_class_has_the_opposite_contributions(
    fitted: tuple[AttentionClassifier, pd.DataFrame, np.ndarray],
) -> None:
    model, frame, _ = fitted
    both = model.explain(frame.iloc[:2], labels=["treat", "wait"])
    one, other = (both[both["label"] == label]["contribution"] for label in ("treat", "wait"))
    np.testing.assert_allclose(one, -other)
    with pytest.raises(OptionError, match="labels must be some of"):
        model.explain(frame, labels=["nobody"])


def test_many_classes() -> None:
    draw = np.random.default_rng(0)
    X = draw.normal(size=(300, 3))
    y = np.digitize(X[:, 1], [-0.5, 0.5])
    model = quick(max_epochs=40).fit(X, y)
    assert model.score(X, y) > 0.85
    told = model.explain(X[:20])
    logits = model.decision_function(X[:20])
    total = told.groupby("row")["contribution"].sum().to_numpy()
    chosen = logits.argmax(1)
    constants = np.array([model.constants_[str(c)] for c in chosen])
    np.testing.assert_allclose(total + constants, logits[np.arange(20), chosen], atol=1e-5)


def test_many_labels_at_once() -> None:
    draw = np.random.default_rng(0)
    X = draw.normal(size=(300, 3))
    y = pd.DataFrame({"a": (X[:, 0] > 0).astype(int), "b": (X[:, 1] > 1.0).astype(int)})
    model = quick(max_epochs=40, class_weight="balanced").fit(X, y)
    assert model.predict_proba(X).shape == (300, 2)
    assert f1_score(y, model.predict(X), average="macro") > 0.85
    told = model.explain(X[:9])
    assert list(dict.fromkeys(told["label"])) == ["a", "b"]
    total = told.groupby(["row", "label"])["contribution"].sum().unstack()
    expected = model.decision_function(X[:9]) - [model.constants_[n] for n in "ab"]
    np.testing.assert_allclose(total[["a", "b"]], expected, atol=1e-5)
    assert model.subject().decide(model.subject().read(X[:9])).shape == (9, 2)
    with pytest.raises(InputError, match="labels \\['b'\\] have one class"):
        quick().fit(X, y.assign(b=0))


def test_a_regressor_tells_contributions_in_the_targets_unit() -> None:
    X = np.random.default_rng(0).normal(size=(300, 3))
    y = pd.Series(1000.0 + 50.0 * X[:, 0] - 20.0 * np.abs(X[:, 2]), name="price")
    model = AttentionRegressor(max_epochs=60, random_state=0).fit(X, y)
    assert model.score(X, y) > 0.9
    told = model.explain(X[:30])
    total = told.groupby("row")["contribution"].sum() + model.constants_["price"]
    np.testing.assert_allclose(total, model.predict(X[:30]), rtol=1e-8)
    assert set(told["label"]) == {"price"}


def test_same_seed_same_bits_and_global_generators_untouched() -> None:
    X, y = one_column_decides(120)
    torch_state, numpy_state = torch.get_rng_state(), np.random.get_state()  # noqa: NPY002
    runs = [quick(mixing_layers=1, dropout=0.2).fit(X, y).predict_proba(X) for _ in range(2)]
    free = quick(random_state=None).fit(X, y).predict_proba(X)
    np.testing.assert_array_equal(*runs)
    assert not np.array_equal(runs[0], free)
    assert torch.equal(torch.get_rng_state(), torch_state)
    assert all(
        np.array_equal(a, b)
        for a, b in zip(numpy_state, np.random.get_state(), strict=True)  # noqa: NPY002
    )


def test_unseen_categories_are_reported_and_read_as_an_average_one(
    fitted: tuple[AttentionClassifier, pd.DataFrame, np.ndarray],
) -> None:
    model, frame, _ = fitted
    new = frame.head(3).assign(ward=["east", "east", "north"])
    with pytest.warns(UnseenWarning, match="column 'ward' has 2 cell"):
        shares = model.predict_proba(new)
    assert np.isfinite(shares).all()
    assert model.unseen(new) == {"ward": {"east": 2}}
    sides = [model.decision_function(new.assign(ward=w)) for w in ("north", "south", "west")]
    with pytest.warns(UnseenWarning):
        east = model.decision_function(new)[0]
    assert min(s[0] for s in sides) - 1.0 <= east <= max(s[0] for s in sides) + 1.0


def test_problems_are_found_before_training() -> None:
    X, y = one_column_decides(100)
    X[:, 0] = 3.0
    with pytest.warns(DataWarning, match="column 'x0' is constant"):
        quick(max_epochs=1).fit(X, y)
    with pytest.raises(InputError, match="column 'x0' is constant"):
        quick(strict=True).fit(X, y)
    leaky = pd.DataFrame({"noise": np.arange(100.0) % 7, "answer": np.where(y, "yes", "no")})
    with pytest.raises(InputError, match="column 'answer' tells the target"):
        quick(strict=True).fit(leaky, y)
    names = pd.DataFrame({"noise": np.arange(100.0) % 7, "id": [f"p{n}" for n in range(100)]})
    with pytest.raises(InputError, match="column 'id' has a value of its own in every row"):
        quick(strict=True).fit(names, y)
    with pytest.raises(InputError, match="target has one class only, 1"):
        quick().fit(X, np.ones(100, int))
    with pytest.raises(InputError, match="n_samples = 1"):
        quick().fit(X[:1], y[:1])
    straight = np.random.default_rng(0).normal(size=(100, 2))
    with pytest.raises(InputError, match="column 'x1' tells the target"):
        AttentionRegressor(strict=True).fit(straight, 2.0 * straight[:, 1] - 1.0)


def test_columns_that_nearly_tell_the_target_are_named() -> None:
    X, y = one_column_decides(600)
    draw = np.random.default_rng(3)
    for wrong, named in ((3, True), (60, False)):
        said = np.where(y, "after", "before")
        said[draw.permutation(600)[:wrong]] = "unknown"
        table = pd.DataFrame({"noise": X[:, 0], "stage": said})
        with warnings.catch_warnings(record=True) as heard:
            warnings.simplefilter("always")
            quick(max_epochs=1).fit(table, y)
        assert any("'stage' tells the target by its value in nearly" in str(w.message)
                   for w in heard) is named  # fmt: skip
    rare = (np.arange(600) < 10).astype(int)  # too few to say anything by
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        flag = (np.arange(600) < 9).astype(bool)
        quick(max_epochs=1).fit(pd.DataFrame({"a": X[:, 0], "flag": flag}), rare)
    near = np.column_stack([X[:, 0], X[:, 1]])
    with pytest.warns(DataWarning, match="column 'x1' tells the target by its value in nearly"):
        AttentionRegressor(max_epochs=1).fit(near, X[:, 1] + 1e-3 * X[:, 2])


def test_clean_data_gives_no_warning() -> None:
    X, y = one_column_decides(100)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        quick(max_epochs=1).fit(X, y)


def test_options_are_checked_in_fit() -> None:
    X, y = one_column_decides(60)
    for wrong in (
        {"max_epochs": 0}, {"width": 6}, {"dropout": 1.0}, {"threshold": 2.0}, {"bins": 1},
        {"class_weight": "even"}, {"learning_rate": 0.0}, {"batch_size": 0},
        {"threshold": "f1", "validation_fraction": 0.0},
    ):  # fmt: skip
        with pytest.raises(OptionError):
            quick(**wrong).fit(X, y)


def test_class_weight_and_threshold_raise_the_recall_of_a_rare_class() -> None:
    draw = np.random.default_rng(0)
    X = draw.normal(size=(1200, 3))
    y = (X[:, 0] + draw.normal(size=1200) > 2.4).astype(int)
    recall = {}
    for name, options in (
        ("plain", {}), ("balanced", {"class_weight": "balanced"}), ("f1", {"threshold": "f1"}),
    ):  # fmt: skip
        model = quick(max_epochs=20, **options).fit(X, y)
        recall[name] = model.predict(X)[y == 1].mean()
    assert recall["plain"] + 0.2 < recall["balanced"]
    assert recall["plain"] < recall["f1"]


def test_training_stops_early_and_tells_its_progress() -> None:
    X, _ = one_column_decides(300)
    y = np.random.default_rng(5).integers(0, 2, 300)  # nothing to learn
    seen: list[Progress] = []
    model = quick(max_epochs=200, patience=4, progress=seen.append).fit(X, y)
    assert model.n_epochs_ == len(seen) < 60
    assert [p.epoch for p in seen] == list(range(1, len(seen) + 1))
    assert all(p.validation is not None for p in seen)
    assert not any(p.best for p in seen[-4:])


def test_an_interrupted_fit_goes_on_to_the_same_result(tmp_path: Path) -> None:
    X, y = one_column_decides(150)
    whole = quick(mixing_layers=1, dropout=0.1).fit(X, y)
    count = itertools.count(1)

    def interrupt(_: Progress) -> None:
        if next(count) == 7:
            raise KeyboardInterrupt

    resumed = quick(mixing_layers=1, dropout=0.1, checkpoint=tmp_path, progress=interrupt)
    with pytest.raises(KeyboardInterrupt):
        resumed.fit(X, y)
    epochs: list[int] = []
    resumed.set_params(progress=lambda p: epochs.append(p.epoch)).fit(X, y)
    assert epochs[0] == 6, "it goes on from the last checkpoint"
    np.testing.assert_array_equal(resumed.decision_function(X), whole.decision_function(X))
    with pytest.raises(OptionError, match="of other data or settings"):
        resumed.fit(X, 1 - y)
    with pytest.raises(OptionError, match="of other data or settings"):
        quick(mixing_layers=1, dropout=0.1, checkpoint=tmp_path, random_state=1).fit(X, y)


def test_pipelines_and_grid_search() -> None:
    X, y = one_column_decides(120)
    pipe = make_pipeline(StandardScaler().set_output(transform="pandas"), quick(max_epochs=6))
    search = GridSearchCV(pipe, {"attentionclassifier__width": [8, 16]}, cv=2).fit(X, y)
    assert search.best_score_ > 0.7


def test_frames_of_other_columns_are_refused(
    fitted: tuple[AttentionClassifier, pd.DataFrame, np.ndarray],
) -> None:
    model, frame, _ = fitted
    with pytest.raises(ValueError, match="feature names"):
        model.predict(frame.rename(columns={"dose": "dosis"}))
    with pytest.raises(InputError, match="column 'dose' must be numeric, got 'much' in row 1"):
        model.predict(frame.head(1).astype({"dose": object}).assign(dose="much"))


def test_a_plot_says_where_it_starts_and_whether_it_was_verified(
    fitted: tuple[AttentionClassifier, pd.DataFrame, np.ndarray],
) -> None:
    model, frame, _ = fitted
    figure = model.plot(frame, row=2)
    (axes,) = figure.axes
    assert "not verified" in axes.get_title()
    widths = [bar.get_width() for bar in axes.patches]
    assert len(widths) == 6
    assert [abs(w) for w in widths] == sorted(abs(w) for w in widths)


def test_the_schedule_warms_up_and_falls() -> None:
    rates = [rate(step, 100, 1.0) for step in range(100)]
    assert rates[0] == 0.2
    assert max(rates) == rates[4] == pytest.approx(0.5 * (1 + np.cos(np.pi * 0.04)))
    assert rates[-1] < 1e-3
    assert [batch_size(n, None) for n in (10, 8500, 10**6)] == [16, 256, 512]


def test_a_large_group_is_not_held_back() -> None:
    together = np.repeat([0, 1], [900, 100])
    for seed in range(6):
        held = _whole_groups(together, 0.15, np.random.default_rng(seed))
        assert set(together[held].tolist()) <= {1}
    many = np.repeat(np.arange(40), 25)
    share = len(_whole_groups(many, 0.15, np.random.default_rng(0))) / len(many)
    assert 0.15 <= share <= 0.2


def test_numbers_beside_texts_in_a_list_stay_numbers() -> None:
    draw = np.random.default_rng(0)
    rows = [[float(draw.normal()), str(draw.choice(["a", "b"]))] for _ in range(40)]
    model = quick(max_epochs=1).fit(rows, [row[0] > 0 for row in rows])
    assert [column.kind for column in model.schema_.columns] == ["numeric", "categorical"]


def test_columns_in_another_order_are_refused_after_fitting_on_mappings() -> None:
    rows = [{"a": float(n), "b": float(-n % 7)} for n in range(40)]
    model = quick(max_epochs=1).fit(rows, [n % 2 for n in range(40)])
    with (
        pytest.raises(InputError, match="order of training"),
        warnings.catch_warnings(),
    ):
        warnings.simplefilter("ignore")  # scikit-learn: fitted without names
        model.predict(pd.DataFrame(rows)[["b", "a"]])


def test_labels_other_than_0_and_1_are_refused() -> None:
    flags = np.where(np.random.default_rng(0).random((40, 3)) > 0.5, 1, 0)
    with pytest.raises(InputError, match="must be 0 or 1"):
        read_classes(pd.DataFrame(flags * 2), 40, "AttentionClassifier")


def test_the_best_threshold_needs_both_classes_among_the_validation_rows() -> None:
    X = np.random.default_rng(0).normal(size=(203, 2))
    y = np.arange(203) >= 200
    with pytest.raises(OptionError, match="of both classes"):
        quick(max_epochs=1, threshold="f1").fit(X, y)
