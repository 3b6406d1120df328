"""Seeing a training: what is heard, that the fit stays the same, and what a subject of it says."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from zhuyi.errors import OptionError
from zhuyi.learn import (
    AttentionClassifier,
    AttentionRegressor,
    SeriesAttentionRegressor,
    TextAttentionClassifier,
)
from zhuyi.learn.observing import Epoch, Training, observing

X = np.random.default_rng(0).normal(size=(400, 4))
CLASSES = np.digitize(X[:, 0] + 0.3 * X[:, 1], [-0.5, 0.5])
SERIES = np.random.default_rng(1).normal(size=(120, 8, 2))
TEXTS = ["房间干净，服务很好", "房间很脏，服务不好", "clean rooms", "dirty rooms"] * 30


def table(**options: Any) -> AttentionClassifier:
    model = AttentionClassifier(max_epochs=4, random_state=0, **options)
    return model.fit(X, CLASSES)


def mixed() -> AttentionClassifier:
    return table(mixing_layers=1, dropout=0.3)


def numbers() -> AttentionRegressor:
    return AttentionRegressor(max_epochs=3, random_state=0).fit(X, X[:, 0] * 5 + X[:, 1] + 2)


def series() -> SeriesAttentionRegressor:
    model = SeriesAttentionRegressor(max_epochs=3, stretches=2, random_state=0)
    return model.fit(SERIES, SERIES[:, -2:, 0].mean(1))


def texts() -> TextAttentionClassifier:
    model = TextAttentionClassifier(max_epochs=3, dropout=0.2, random_state=0)
    return model.fit(TEXTS, [1, 0, 1, 0] * 30)


FITS: tuple[Callable[[], Any], ...] = (table, mixed, numbers, series, texts)


def watched(epoch: Epoch) -> None:
    """What an observer does at most: a copy, a decision, all attention."""
    subject, training = epoch.subject(), epoch.training
    batch = training.batch(training.probe(3))
    assert torch.isfinite(subject.decide(batch)).all()
    assert len(subject.watch(batch)) >= 1
    # however it is treated, the copy is no way back to the model
    with torch.no_grad():
        for parameter in subject.module.parameters():
            if not epoch.fitted:
                parameter.zero_()


@pytest.mark.parametrize("fit", FITS)
def test_the_fit_is_the_same_bit_for_bit(fit: Callable[[], Any]) -> None:
    torch_state = torch.get_rng_state()
    numpy_state = np.random.get_state()[1].copy()  # noqa: NPY002
    alone = fit()
    with observing(watched):
        seen = fit()
    assert seen.history_ == alone.history_
    assert seen.temperature_ == alone.temperature_
    for name, tensor in alone.module_.state_dict().items():
        assert torch.equal(tensor, seen.module_.state_dict()[name]), name
    assert torch.equal(torch.get_rng_state(), torch_state)
    assert np.array_equal(np.random.get_state()[1], numpy_state)  # noqa: NPY002


@pytest.mark.parametrize("fit", FITS[:4])
def test_the_subject_of_the_best_epoch_is_the_fitted_model(fit: Callable[[], Any]) -> None:
    """A copy that was not settled or not calibrated would fail here, and one of another epoch."""
    decided: dict[int, NDArray[Any]] = {}
    last: list[tuple[int, NDArray[Any], NDArray[Any]]] = []

    def heard(epoch: Epoch) -> None:
        subject = epoch.subject()
        batch = epoch.training.batch(range(20))
        told = subject.contributions(batch, (0,) * 20).numpy()
        if epoch.fitted:
            last.append((epoch.best_epoch, subject.decide(batch).numpy(), told))
        else:
            decided[epoch.progress.epoch] = np.concatenate([subject.decide(batch).numpy(), told], 1)

    with observing(heard):
        model = fit()
    best, shares, told = last[0]
    assert len(last) == 1
    assert list(decided) == list(range(1, model.n_epochs_ + 1))
    assert np.array_equal(decided[best], np.concatenate([shares, told], 1))
    others = [found for epoch, found in decided.items() if epoch != best]
    assert all(not np.array_equal(one, decided[best]) for one in others)


def test_what_is_heard_is_the_history() -> None:
    heard: list[Epoch] = []
    with observing(heard.append):
        model = table()
    assert [(one.progress.loss, one.progress.validation) for one in heard[:-1]] == model.history_
    assert [one.fitted for one in heard] == [False] * 4 + [True]
    assert {one.training for one in heard} == {heard[0].training}
    training = heard[0].training
    assert training.estimator == "AttentionClassifier"
    assert training.explanation == "computation"
    assert training.labels == ("0", "1", "2")
    assert training.task == "classes"
    assert not training.refit
    assert np.array_equal(training.held_back, model.validation_rows_)
    assert np.array_equal(training.target, CLASSES)
    assert heard[-1].best_epoch == 1 + int(np.argmin([one[1] or 0.0 for one in model.history_]))


def test_all_texts_are_learned_from_unseen_and_the_fitted_model_is_told_once() -> None:
    """A text classifier trains a second time, on all texts: that is no epoch of this training."""
    heard: list[tuple[int, bool]] = []
    with observing(lambda epoch: heard.append((epoch.progress.epoch, epoch.fitted))):
        texts()
    assert heard == [(1, False), (2, False), (3, False), (3, True)]


def test_a_training_that_goes_on_from_its_checkpoint(tmp_path: Any) -> None:
    table(checkpoint=tmp_path)
    heard: list[tuple[int, bool]] = []
    with observing(lambda epoch: heard.append((epoch.progress.epoch, epoch.fitted))):
        table(checkpoint=tmp_path)
    assert heard == [(4, True)]


def test_texts_come_as_they_were_given() -> None:
    heard: list[Epoch] = []
    with observing(heard.append):
        texts()
    assert heard[0].training.batch((1, 2)) == ["房间很脏，服务不好", "clean rooms"]
    assert heard[0].training.refit


def test_numbers_say_their_unit() -> None:
    heard: list[Epoch] = []

    def decided(epoch: Epoch) -> None:
        heard.append(epoch)
        if epoch.fitted:
            one = epoch.training
            logits = epoch.subject().watch(one.batch((0, 1))).logits
            assert logits is not None
            said.append(logits[:, 0].numpy() * one.factor[0] + one.shift[0])

    said: list[NDArray[Any]] = []
    with observing(decided):
        model = numbers()
    assert heard[0].training.task == "number"
    assert np.allclose(said[0], model.predict(X[:2]), rtol=1e-12)


def test_outside_the_block_nobody_hears_and_the_inner_one_counts() -> None:
    outer: list[Epoch] = []
    inner: list[Epoch] = []
    with observing(outer.append):
        with observing(inner.append):
            numbers()
        assert not outer
        numbers()
    heard = len(outer), len(inner)
    assert heard == (4, 4)
    numbers()
    assert (len(outer), len(inner)) == heard


def test_what_an_observer_raises_ends_the_training_and_the_block() -> None:
    def refuse(epoch: Epoch) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt), observing(refuse):
        table()
    table()


def test_a_subject_is_of_now_only() -> None:
    heard: list[Epoch] = []
    with observing(heard.append):
        table()
    with pytest.raises(OptionError, match="epoch 1 is over"):
        heard[0].subject()


# --- which inputs are looked at --------------------------------------------------------------


def training(target: NDArray[Any], held_back: tuple[int, ...] = ()) -> Training:
    return Training(
        estimator="",
        explanation="computation",
        labels=("a", "b", "c"),
        target=target,
        held_back=np.array(held_back, np.int64),
        batch=list,
        refit=False,
        task="classes",
        shift=np.zeros(3),
        factor=np.ones(3),
    )


@pytest.mark.parametrize(
    ("target", "held_back", "count", "expected"),
    [
        (np.array([2, 2, 0, 1, 0, 1]), (), 3, (2, 3, 0)),
        (np.array([2, 2, 0, 1, 0, 1]), (), 5, (2, 3, 0, 4, 5)),
        (np.array([2, 2, 0, 1, 0, 1]), (1, 4, 5), 2, (4, 5)),
        (np.array([[0, 0], [1, 1], [1, 0], [0, 1]]), (), 3, (1, 3, 0)),
        (np.array([[0.5], [-1.0], [2.0], [0.0], [1.0]]), (), 3, (1, 0, 2)),
        (np.array([0.5, -1.0]), (), 4, (1, 0)),
        (np.array([0, 1]), (), 9, (0, 1)),
    ],
)
def test_probes(
    target: NDArray[Any], held_back: tuple[int, ...], count: int, expected: tuple[int, ...]
) -> None:
    assert training(target, held_back).probe(count) == expected
