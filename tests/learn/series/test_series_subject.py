"""The subject of a series estimator: what tests of explanations ask of it, and what they find."""

import numpy as np
import pytest
import torch

from zhuyi.errors import InputError, OptionError, ShapeError
from zhuyi.explain import InputGradient, IntegratedGradients, Occlusion
from zhuyi.learn import Contributions, SeriesAttentionClassifier, SeriesAttentionRegressor
from zhuyi.learn.series.stretches import ABSENT
from zhuyi.trace.subject import (
    DifferentiableSubject,
    ModelSubject,
    NearbySubject,
    RemovableSubject,
)
from zhuyi.verify import Deletion, verify

from .signals import last_of_one_channel, shortened

WAYS = ("training mean", "stretches drawn from the training data, on average", "missing")


@pytest.fixture(scope="module")
def decided() -> tuple[SeriesAttentionClassifier, list[np.ndarray]]:
    X, y = last_of_one_channel()
    series = shortened(X)
    model = SeriesAttentionClassifier(max_epochs=25, stretches=3, width=16, random_state=0)
    return model.fit(series, y), series


@pytest.mark.parametrize("way", WAYS)
def test_the_verdict_is_trusted_where_one_stretch_decides(
    decided: tuple[SeriesAttentionClassifier, list[np.ndarray]], way: str
) -> None:
    model, series = decided
    subject = model.subject().removing(way)
    verdict = verify(subject, subject.read(series[:40]), Contributions(), tests=[Deletion()])
    assert verdict.label == "trusted"
    assert verdict.inputs.count("trusted") >= 38


def test_a_lie_about_the_same_decisions_is_refuted(
    decided: tuple[SeriesAttentionClassifier, list[np.ndarray]],
) -> None:
    model, series = decided
    subject = model.subject()
    batch = subject.read(series[:32])
    true = Contributions()(subject, batch)
    lie = type(true)(**{**vars(true), "values": -true.values})
    assert verify(subject, batch, lie, tests=[Deletion()]).label == "refuted"


def test_all_default_tests_run(
    decided: tuple[SeriesAttentionClassifier, list[np.ndarray]],
) -> None:
    model, series = decided
    verdict = verify(model.subject(), model.subject().read(series[:20]), Contributions())
    assert {one.test for one in verdict.findings} == {
        "Deletion", "OtherRemoval", "Sanity", "Stability", "Deception",
    }  # fmt: skip
    assert verdict.label != "refuted"


def test_protocols_and_units(
    decided: tuple[SeriesAttentionClassifier, list[np.ndarray]],
) -> None:
    model, series = decided
    subject = model.subject()
    for protocol in (RemovableSubject, ModelSubject, NearbySubject, DifferentiableSubject):
        assert isinstance(subject, protocol)
    assert subject.removals == WAYS
    counts = [len(units) for units in subject.units(series[:30])]
    assert counts == [3 * -(-len(one) // 4) for one in series[:30]]
    labels = [unit.label for unit in subject.units(series[:1])[0]]
    assert labels[:2] == ["channel 1, last 4 steps", "channel 2, last 4 steps"]


def test_decide_is_predict_proba(
    decided: tuple[SeriesAttentionClassifier, list[np.ndarray]],
) -> None:
    model, series = decided
    subject = model.subject()
    found = subject.decide(subject.read(series[:9]))
    np.testing.assert_allclose(found, model.predict_proba(series[:9]), atol=1e-7)
    np.testing.assert_array_equal(subject.decide(series[:9]), found)
    whole = torch.ones(9, max(map(len, subject.units(series[:9]))), dtype=torch.bool)
    for way in WAYS:
        np.testing.assert_allclose(subject.removing(way).decide(series[:9], whole), found)


def test_missing_removes_to_what_missing_values_say() -> None:
    X, y = last_of_one_channel(150)
    X[::3, -4:, 1] = np.nan
    model = SeriesAttentionClassifier(max_epochs=5, stretches=3, random_state=0).fit(X, y)
    subject = model.subject().removing("missing")
    keep = torch.ones(4, 9, dtype=torch.bool)
    keep[:, 1] = False  # the last steps of channel 2
    gone = X[1:5].copy()
    gone[:, -4:, 1] = np.nan
    np.testing.assert_allclose(
        subject.decide(subject.read(X[1:5]), keep), model.predict_proba(gone), atol=1e-7
    )


def test_steps_before_the_beginning_stay_so(
    decided: tuple[SeriesAttentionClassifier, list[np.ndarray]],
) -> None:
    model, series = decided
    shortest = min(series, key=len)
    with torch.no_grad():
        weights = model.module_.read(model.subject().read([shortest])).weights[0, 0]
    reached = 3 * -(-len(shortest) // 4)
    assert (weights[reached:] == 0.0).all()
    assert (weights[:reached] > 0.0).all()


def test_the_training_mean_is_the_mean_token(
    decided: tuple[SeriesAttentionClassifier, list[np.ndarray]],
) -> None:
    model, _ = decided
    X, _ = last_of_one_channel(6, seed=3)
    subject = model.subject()
    batch = subject.read(X)
    keep = torch.ones(6, 9, dtype=torch.bool)
    keep[:, [0, 4]] = False
    tokens = subject.embed(batch)
    tokens[:, [0, 4]] = subject.baseline(batch)[:, [0, 4]]
    logit = subject.decide_embedded(batch, tokens)[:, 1] * 2.0
    np.testing.assert_allclose(subject.decide(batch, keep)[:, 1], logit.sigmoid(), atol=1e-6)


def test_the_attention_can_be_watched(
    decided: tuple[SeriesAttentionClassifier, list[np.ndarray]],
) -> None:
    model, series = decided
    subject = model.subject()
    batch = subject.read(series[:5])
    tape = subject.watch(batch)
    matrix = tape[0].matrix
    assert matrix is not None
    told = model.explain(series[:5])
    for row in range(5):
        weights = matrix.weights()[row, 0, 0]
        expected = told[told["row"] == row]["weight"].to_numpy()
        np.testing.assert_allclose(weights[: len(expected)], expected, atol=1e-12)
    gathered = subject.gather(batch, matrix.weights()[:, 0, 0])
    np.testing.assert_allclose(gathered.sum(1), 1.0)


def test_methods_of_other_kinds_find_the_stretch() -> None:
    X, y = last_of_one_channel()
    model = SeriesAttentionClassifier(max_epochs=25, stretches=3, width=16, random_state=0)
    subject = model.fit(X, y).subject()
    batch = subject.read(X[:20])
    for method in (Occlusion(), InputGradient(), IntegratedGradients(steps=8), Contributions()):
        values = method(subject, batch).values
        assert (values.abs().argmax(1) == 1).float().mean() > 0.75, method


def test_nearby_moves_known_values_only() -> None:
    X, y = last_of_one_channel(200)
    X[:, 3, 0] = np.nan
    X[:, :, 2] *= 50.0
    subject = SeriesAttentionRegressor(max_epochs=1, random_state=0).fit(X, y * 1.0).subject()
    batch = subject.read(X)
    with subject.nearby(batch, size=0.1, generator=torch.Generator().manual_seed(0)) as near:
        assert isinstance(near, torch.Tensor)
        moved = near[..., 0] - batch[..., 0]
    known = batch[..., 1] == 0
    assert (moved[~known] == 0.0).all()
    for place, scale in ((1, 1.0), (2, 50.0)):
        own = moved[:, place::3][known[:, place::3]]
        assert abs(float(own.std()) / scale - 0.1) < 0.01


def test_what_is_no_batch_is_refused(
    decided: tuple[SeriesAttentionClassifier, list[np.ndarray]],
) -> None:
    subject = decided[0].subject()
    with pytest.raises(ShapeError, match="pass subject.read"):
        subject.decide(torch.zeros(3, 4))
    batch = subject.read(np.zeros((2, 12, 3)) + 1.0)
    with pytest.raises(ShapeError, match="keep must be bool"):
        subject.decide(batch, torch.ones(2, 9))
    with pytest.raises(InputError, match="state of 0, 1 or 2"):
        subject.decide(torch.full_like(batch, ABSENT + 1.0))
    with pytest.raises(InputError, match="no series"):
        subject.decide([])
    with pytest.raises(OptionError, match="got 'zeros'"):
        subject.removing("zeros")


def test_typical_stretches_are_typical_and_none_is_kept_as_it_came() -> None:
    X = np.random.default_rng(0).normal(5.0, 2.0, size=(400, 6, 1))
    model = SeriesAttentionRegressor(max_epochs=1, stretches=1, random_state=0)
    typical = model.fit(X, X[:, 0, 0] + X[:, 1, 0] ** 2).inputs_.typical[:, 0, :, 0]
    assert typical.shape == (32, 6)
    nearest = np.abs(typical[:, None] - X[None, :, :, 0]).max(-1).min(1)
    assert (nearest > 1e-6).mean() > 0.9
    # their means are spread as those of the data: deviation 2 / sqrt(6)
    means = typical.mean(1)
    assert abs(means.mean() - 5.0) < 0.1
    assert abs(means.std() - X[:, :, 0].mean(1).std()) < 0.1
