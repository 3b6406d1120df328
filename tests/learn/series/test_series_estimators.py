"""The series estimators: what they learn, what they say of it, and what they refuse."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch

from zhuyi.errors import InputError, OptionError
from zhuyi.learn import (
    DataWarning,
    SeriesAttentionClassifier,
    SeriesAttentionRegressor,
    load,
)
from zhuyi.learn.explaining import COLUMNS
from zhuyi.learn.series.interval import Errors
from zhuyi.learn.series.knowledge import SeriesInputs

from .signals import last_of_one_channel, shortened


def quick(**options: object) -> SeriesAttentionClassifier:
    given = {"max_epochs": 20, "stretches": 3, "width": 16, "random_state": 0, **options}
    return SeriesAttentionClassifier(**given)  # type: ignore[arg-type]


def quick_numbers(**options: object) -> SeriesAttentionRegressor:
    given = {"max_epochs": 30, "stretches": 3, "width": 16, "random_state": 0, **options}
    return SeriesAttentionRegressor(**given)  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def fitted() -> tuple[SeriesAttentionClassifier, np.ndarray, np.ndarray]:
    X, y = last_of_one_channel()
    return quick(channels=["a", "b", "c"]).fit(X, y), X, y


def test_the_stretch_that_decides_is_named(
    fitted: tuple[SeriesAttentionClassifier, np.ndarray, np.ndarray],
) -> None:
    model, X, y = fitted
    new, truth = last_of_one_channel(100, seed=7)
    assert model.score(new, truth) > 0.9
    told = model.explain(new)
    assert tuple(told.columns) == COLUMNS
    first = told.loc[told.groupby("row")["contribution"].apply(lambda c: c.abs().idxmax())]
    assert (first["factor"] == "b, last 4 steps").mean() > 0.95
    np.testing.assert_allclose(
        told[told["factor"] == "b, last 4 steps"]["value"].astype(float), new[:, -4:, 1].mean(1)
    )


@pytest.mark.parametrize("mixing", [0, 1])
def test_contributions_sum_to_the_decision(mixing: int) -> None:
    X, y = last_of_one_channel(150)
    X[np.random.default_rng(3).random(X.shape) < 0.1] = np.nan
    series = shortened(X)
    model = quick(mixing_layers=mixing, max_epochs=5).fit(series, y)
    told = model.explain(series)
    total = told.groupby("row")["contribution"].sum() + model.constants_["1"]
    np.testing.assert_allclose(total, model.decision_function(series), atol=1e-5)
    np.testing.assert_allclose(told.groupby("row")["weight"].sum(), 1.0, atol=1e-12)
    assert model.explanation_ == ("evidence" if mixing else "computation")
    lines = told.groupby("row").size().to_numpy()
    expected = [3 * -(-len(one) // 4) for one in series]  # three channels, stretches of 4 steps
    np.testing.assert_array_equal(lines, expected)


def test_many_classes_and_many_labels() -> None:
    X, _ = last_of_one_channel(250)
    means = X[:, -4:, 1].mean(1)
    classes = np.digitize(means, [-0.3, 0.3])
    model = quick(max_epochs=25).fit(X, classes)
    assert model.score(X, classes) > 0.85
    chosen = model.decision_function(X[:9])
    told = model.explain(X[:9]).groupby("row", sort=False)
    constants = np.array([model.constants_[str(c)] for c in chosen.argmax(1)])
    np.testing.assert_allclose(told["contribution"].sum() + constants, chosen.max(1), atol=1e-5)
    flags = pd.DataFrame({"up": means > 0, "old": X[:, :4, 2].mean(1) > 0}).astype(int)
    many = quick(max_epochs=25).fit(X, flags)
    assert many.predict_proba(X).shape == (250, 2)
    assert (many.predict(X) == flags.to_numpy()).mean() > 0.9
    assert list(dict.fromkeys(many.explain(X[:2])["label"])) == ["up", "old"]


def test_a_regressor_in_its_own_unit_with_an_interval_that_holds() -> None:
    draw = np.random.default_rng(0)
    X, _ = last_of_one_channel(900)
    y = pd.Series(100.0 + 20.0 * X[:, -4:, 1].mean(1) + draw.normal(size=900), name="life")
    model = quick_numbers(validation_fraction=0.3, max_epochs=40).fit(X[:600], y[:600])
    assert model.score(X[600:], y[600:]) > 0.9
    told = model.explain(X[600:])
    total = told.groupby("row")["contribution"].sum() + model.constants_["life"]
    np.testing.assert_allclose(total, model.predict(X[600:]), rtol=1e-8)
    low, high = model.predict_interval(X[600:], level=0.9).T
    inside = ((low <= y[600:]) & (y[600:] <= high)).mean()
    # of 300 rows at 90 % and errors of 180: 0.9 -+ 3 standard deviations
    assert 0.9 - 3 * 0.03 < inside < 0.9 + 3 * 0.03
    wider = model.predict_interval(X[600:], level=0.95)
    assert (wider[:, 0] <= low).all()
    assert (wider[:, 1] >= high).all()
    with pytest.raises(OptionError, match="level must be within"):
        model.predict_interval(X, level=1.0)
    with pytest.raises(InputError, match="needs 1999 validation rows, there are"):
        model.predict_interval(X, level=0.999)


def test_conformal_ends_against_the_formula() -> None:
    errors = np.arange(1.0, 200.0)  # 199 of them: ranks 10 and 190 at 90 %
    one_band = Errors((), np.zeros(199), errors)
    low, high = one_band.ends(np.zeros(2), 0.9)
    assert low.tolist() == [10.0, 10.0]
    assert high.tolist() == [190.0, 190.0]
    bands = Errors((0.5,), np.repeat([0.0, 1.0], 200), np.repeat([-5.0, 3.0], 200))
    low, high = bands.ends(np.array([0.0, 1.0]), 0.9)
    assert low.tolist() == high.tolist() == [-5.0, 3.0]
    assert set(bands.near(0.9).tolist()) == {3.0}


def test_whole_groups_are_kept_back() -> None:
    X, y = last_of_one_channel(120)
    groups = np.repeat([f"engine {n}" for n in range(12)], 10)
    for model in (quick(max_epochs=2).fit(X, y, groups), quick_numbers().fit(X, y, groups=groups)):
        held = np.unique(groups[model.validation_rows_])
        assert len(model.validation_rows_) == 10 * len(held) >= 0.15 * 120
    with pytest.raises(InputError, match="two groups or more"):
        quick().fit(X, y, np.zeros(120))
    with pytest.raises(ValueError, match="inconsistent"):
        quick().fit(X, y, groups[:9])


def test_missing_values_count_as_themselves() -> None:
    draw = np.random.default_rng(0)
    X = draw.normal(size=(300, 6, 2))
    y = draw.integers(0, 2, 300)
    X[y == 1, -2:, 0] = np.nan  # nothing but the gap tells
    model = quick(max_epochs=15).fit(X, y)
    assert model.score(X, y) == 1.0
    told = model.explain(X[y == 1][:1])
    top = told.loc[told["contribution"].idxmax()]
    assert top["factor"] == "channel 1, last 2 steps"
    assert top["value"] is None


def test_series_of_other_lengths_are_read_from_their_end() -> None:
    X, y = last_of_one_channel(120)
    model = quick(max_epochs=3).fit(X, y)
    longer = np.concatenate([np.full((120, 5, 3), 9.0), X], 1)
    np.testing.assert_array_equal(model.predict_proba(longer), model.predict_proba(X))
    young = np.concatenate([np.full((120, 5, 3), np.nan), X[:, 5:]], 1)
    np.testing.assert_array_equal(model.predict_proba(X[:, 5:]), model.predict_proba(young))
    cut = quick(max_epochs=3, steps=8).fit(X, y)
    assert cut.factors_[-1] == "channel 3, steps 6-8 from the end"
    with pytest.raises(InputError, match="3 channels as in training, got 2"):
        model.predict(X[:, :, :2])


def test_same_seed_same_bits_and_global_generators_untouched() -> None:
    X, y = last_of_one_channel(80)
    state = torch.get_rng_state()
    runs = [quick(max_epochs=4, mixing_layers=1).fit(X, y).predict_proba(X) for _ in range(2)]
    np.testing.assert_array_equal(*runs)
    assert torch.equal(torch.get_rng_state(), state)


def test_a_factor_reads_its_own_stretch_only(
    fitted: tuple[SeriesAttentionClassifier, np.ndarray, np.ndarray],
) -> None:
    model, X, _ = fitted
    changed = X[:5].copy()
    changed[:, -4:, 1] += 2.0
    with torch.no_grad():
        before, after = (model.module_.factors(model._codes(one)) for one in (X[:5], changed))
    place = model.factors_.index("b, last 4 steps")
    same = [n for n in range(9) if n != place]
    assert torch.equal(before[:, same], after[:, same])
    assert not torch.equal(before[:, place], after[:, place])


@pytest.mark.parametrize("mixing", [0, 1])
def test_saved_and_loaded_bit_for_bit(tmp_path: Path, mixing: int) -> None:
    X, y = last_of_one_channel(120)
    series = shortened(X)
    for model in (
        quick(max_epochs=3, mixing_layers=mixing).fit(series, y),
        quick_numbers(max_epochs=3, mixing_layers=mixing).fit(series, y * 2.0),
    ):
        folder = tmp_path / type(model).__name__
        model.save(folder)
        again = load(folder)
        assert type(again) is type(model)
        np.testing.assert_array_equal(again.predict(series), model.predict(series))
        assert again.explain(series).equals(model.explain(series))
    assert isinstance(again, SeriesAttentionRegressor)
    np.testing.assert_array_equal(
        again.predict_interval(series, 0.8), model.predict_interval(series, 0.8)
    )


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"steps": 10**9}, "whole numbers that fit"),
        ({"stretches": True}, "whole numbers that fit"),
        ({"stretches": 4}, "numbers of the shape"),
        ({"channels": []}, "must have channels"),
        ({"channels": [{"name": "a"}]}, "no edges"),
        ({"typical": [[[[1.0, 7.0]]]]}, "numbers of the shape"),
        ({"typical": "none"}, "no numbers"),
        ({"more": 1}, "wrong entries"),
    ],
)
def test_hostile_json_is_refused(
    fitted: tuple[SeriesAttentionClassifier, np.ndarray, np.ndarray],
    change: dict[str, object],
    said: str,
) -> None:
    found = json.loads(json.dumps(fitted[0].inputs_.as_json()))
    assert SeriesInputs.from_json(found).names == fitted[0].factors_
    with pytest.raises(InputError, match=said):
        SeriesInputs.from_json({**found, **change})


@pytest.mark.parametrize(
    "change",
    [
        {"name": 3}, {"center": "x"}, {"scale": 0.0}, {"edges": [[0.0, 1.0, 2.0]] * 2},
        {"slope_scale": -1.0}, {"extra": 1},
    ],
)  # fmt: skip
def test_hostile_channels_are_refused(
    fitted: tuple[SeriesAttentionClassifier, np.ndarray, np.ndarray], change: dict[str, object]
) -> None:
    found = json.loads(json.dumps(fitted[0].inputs_.as_json()))
    found["channels"][1] |= change
    with pytest.raises(InputError, match="a channel has"):
        SeriesInputs.from_json(found)


def test_problems_are_found_before_training() -> None:
    X, y = last_of_one_channel(60)
    X[:, :, 2] = 4.0
    with pytest.warns(DataWarning, match="channel 'channel 3' is constant"):
        quick(max_epochs=1).fit(X, y)
    with pytest.raises(InputError, match="channel 'channel 3' is constant"):
        quick(strict=True).fit(X, y)
    with pytest.warns(DataWarning, match="12 series are too few"):
        quick(max_epochs=1).fit(X[:12, :, :2], y[:12])
    for wrong in ({"stretches": 0}, {"bins": 1}, {"steps": 0}, {"channels": ["a"]}, {"width": 6}):
        with pytest.raises(OptionError):
            quick(**wrong).fit(X, y)


def test_a_plot_says_whether_it_was_verified(
    fitted: tuple[SeriesAttentionClassifier, np.ndarray, np.ndarray],
) -> None:
    model, X, _ = fitted
    (axes,) = model.plot(X, row=1).axes
    assert "not verified" in axes.get_title()
    assert len(axes.patches) == 9
