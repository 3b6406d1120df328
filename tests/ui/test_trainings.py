"""Fits written while they train: which, when, and that what is written is what the model says."""

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from zhuyi.errors import InputError
from zhuyi.learn import (
    AttentionClassifier,
    AttentionRegressor,
    SeriesAttentionRegressor,
    TextAttentionClassifier,
)
from zhuyi.learn.observing import observing
from zhuyi.recipes.records import silent
from zhuyi.ui import logdir
from zhuyi.ui.live.folder_archive import FolderArchive
from zhuyi.ui.live.recording import Recorder
from zhuyi.ui.trainings import Trainings, due
from zhuyi.ui.view.archive import TrackIndex
from zhuyi.ui.view.pack import split, unpack

X = np.random.default_rng(0).normal(size=(300, 4))
CLASSES = np.where(X[:, 0] + 0.3 * X[:, 1] > 0, "fails", "runs")
TEXTS = ["房间干净，服务很好", "房间很脏，服务不好", "clean rooms", "dirty rooms"] * 20


@pytest.fixture(autouse=True)
def plain_files(monkeypatch: pytest.MonkeyPatch) -> None:
    """As where tensorboard is not installed: quick to write and to read."""
    monkeypatch.setattr(logdir, "_with_tensorboard", lambda: False)


def classes(**options: Any) -> AttentionClassifier:
    return AttentionClassifier(**{"max_epochs": 3, "random_state": 0, **options}).fit(X, CLASSES)


def numbers() -> AttentionRegressor:
    y = 40 * X[:, 0] + 20 * X[:, 1] + 300
    return AttentionRegressor(max_epochs=2, random_state=0).fit(X, y)


def series() -> SeriesAttentionRegressor:
    waves = np.random.default_rng(1).normal(size=(120, 8, 2))
    model = SeriesAttentionRegressor(max_epochs=2, stretches=2, random_state=0)
    return model.fit(waves, waves[:, -2:, 0].mean(1))


def texts() -> TextAttentionClassifier:
    return TextAttentionClassifier(max_epochs=2, random_state=0).fit(TEXTS, [1, 0, 1, 0] * 20)


def written(folder: Path, fit: Callable[[], Any], *steps: str) -> Any:
    """Fit once for every step that a scene says it is at."""
    found = Trainings(folder, "scene")
    listener = found.heard(silent)
    model = None
    with observing(found.epoch):
        for number, step in enumerate(steps or ("glass box",)):
            listener("part", step, number, len(steps))
            model = fit()
    found.close()
    return model


def moments(folder: Path, track: TrackIndex) -> list[dict[str, Any]]:
    archive = FolderArchive(folder)
    archive.tracks()
    return [unpack(split(archive.ask(f"moment/{track.id}/{step}"))[0])[0] for step in track.steps]


def test_epochs_that_are_looked_at() -> None:
    assert [epoch for epoch in range(1, 700) if due(epoch)] == [
        *range(1, 11), 20, 40, 80, 160, 320, 640,
    ]  # fmt: skip


def test_what_is_written_is_what_the_model_says(tmp_path: Path) -> None:
    model = written(tmp_path, classes)
    tracks = FolderArchive(tmp_path).tracks()
    assert [one.run for one in tracks] == ["part/glass_box"] * 3
    assert all(one.steps == (1, 2, 3, 4) == one.detailed for one in tracks)
    for track in tracks:
        number, _, rest = track.name.removeprefix("input ").partition(",")
        row = int(number) - 1
        assert row in model.validation_rows_
        assert rest == f" held back; truth: {CLASSES[row]}"
        *during, last = moments(tmp_path, track)
        shares = model.predict_proba(X[row : row + 1])[0]
        label = model.classes_[shares.argmax()]
        told = model.explain(X[row : row + 1], labels=[label])
        assert last["decision"] == label
        assert last["probability"] == pytest.approx(shares.max(), abs=1e-6)
        assert np.allclose(last["values"], told["contribution"], rtol=1e-4, atol=1e-6)
        assert last["verdict"]["label"] in ("trusted", "doubtful", "refuted")
        assert last["verdict"]["findings"][0]["test"] == "Deletion"
        assert last["reason"].startswith("The fitted model, best after epoch ")
        assert [one["verdict"] for one in during] == [None] * 3
        assert during[0]["reason"].startswith("After epoch 1, the best so far: ")
        assert len({tuple(one["values"]) for one in during}) == 3


def test_the_verdict_is_the_one_that_explain_gives(tmp_path: Path) -> None:
    """The same test on the same rows: who is trusted must agree where both are sure."""
    model = written(tmp_path, lambda: classes(max_epochs=12))
    for track in FolderArchive(tmp_path).tracks():
        row = int(track.name.removeprefix("input ").partition(",")[0]) - 1
        last = moments(tmp_path, track)[-1]
        label = [last["decision"]]
        told = model.explain(X[row : row + 1], labels=label, verify=True)
        assert last["verdict"]["label"] == told["verdict"].iloc[0] == "trusted"


def test_losses_are_scalars_and_each_epoch_has_them(tmp_path: Path) -> None:
    model = written(tmp_path, lambda: classes(max_epochs=13))
    lines = (tmp_path / "part" / "glass_box" / "zhuyi" / "scalars.jsonl").read_text().splitlines()
    found: dict[int, dict[str, float]] = {}
    for line in map(json.loads, lines):
        found.setdefault(line.pop("step"), {}).update(line)
    losses = [
        (found[n]["loss/training"], found[n]["loss/validation"])
        for n in range(1, model.n_epochs_ + 1)
    ]
    assert losses == model.history_
    assert "loss/training" not in found[model.n_epochs_ + 1]
    assert 0.0 <= found[model.n_epochs_ + 1]["verdict/trusted"] <= 1.0
    assert "attention/layer_00/reach" in found[1]
    assert "attention/layer_00/reach" not in found[12]


def test_the_first_of_folds_and_blocks_is_written_and_each_model_by_itself(tmp_path: Path) -> None:
    steps = ("glass box, block 1", "boosting", "glass box, block 2", "mixed 2", "mixed 3")
    written(tmp_path, lambda: classes(max_epochs=1), *steps)
    runs = {one.run: one.steps for one in FolderArchive(tmp_path).tracks()}
    assert runs == {"part/glass_box": (1, 2), "part/boosting": (1, 2), "part/mixed": (1, 2)}


def test_numbers_are_in_their_own_unit(tmp_path: Path) -> None:
    model = written(tmp_path, numbers)
    tracks = FolderArchive(tmp_path).tracks()
    truths = []
    for track in tracks:
        row = int(track.name.removeprefix("input ").partition(",")[0]) - 1
        truths.append(float(track.name.rpartition(": ")[2]))
        assert truths[-1] == pytest.approx(40 * X[row, 0] + 20 * X[row, 1] + 300, rel=1e-5)
        last = moments(tmp_path, track)[-1]
        said = model.predict(X[row : row + 1])[0]
        assert last["decision"] == f"y: {said:.6g}"
        assert last["probability"] is None
        assert sum(last["values"]) + model.constants_["y"] == pytest.approx(said, rel=1e-4)
    assert truths == sorted(truths)  # from the lowest to the highest


@pytest.mark.parametrize("fit", [series, texts])
def test_series_and_texts_are_written_too(tmp_path: Path, fit: Callable[[], Any]) -> None:
    written(tmp_path, fit)
    archive = FolderArchive(tmp_path)
    tracks = archive.tracks()
    assert [one.steps for one in tracks] == [(1, 2, 3)] * len(tracks)
    header, arrays = unpack(archive.ask(f"track/{tracks[0].id}"))
    if fit is series:
        assert arrays["signal"].shape == (2, 8)
    else:
        assert header["source"] in TEXTS


def test_weights_can_be_had_from_what_was_written(tmp_path: Path) -> None:
    """A head in full: its scores, from which the page computes weights, are the model's."""
    model = written(tmp_path, classes)
    archive = FolderArchive(tmp_path)
    track = archive.tracks()[0]
    row = int(track.name.removeprefix("input ").partition(",")[0]) - 1
    header, arrays = unpack(archive.ask(f"detail/{track.id}/4/0"))
    assert header["form"] == "logs"
    weights = np.exp(
        arrays["logs"].astype(np.float64) - arrays["shift"].astype(np.float64)[:, None]
    )
    told = model.explain(X[row : row + 1])["weight"].to_numpy()
    assert np.allclose(weights[0] / weights[0].sum(), told, atol=2e-3)


def test_what_cannot_be_written_is_said_once_and_the_fit_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def full(self: Recorder, *_: object, **__: object) -> None:
        raise InputError("cannot write x: No space left on device")

    alone = classes()
    monkeypatch.setattr(Recorder, "look", full)
    seen = written(tmp_path, classes, "glass box", "glass box")
    assert seen.history_ == alone.history_
    said = capsys.readouterr().err
    assert said.count("part/glass_box is not written any further: cannot write x") == 1


def test_a_folder_that_cannot_be_made_is_said_and_the_fit_goes_on(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "part").write_text("a file")
    assert written(tmp_path, classes).n_epochs_ == 3
    assert "part/glass_box is not written any further: " in capsys.readouterr().err


def test_a_fit_that_is_stopped_keeps_what_was_written(tmp_path: Path) -> None:
    def stop(*_: object) -> None:
        raise KeyboardInterrupt

    found = Trainings(tmp_path, "scene")
    with pytest.raises(KeyboardInterrupt), observing(found.epoch):
        classes(progress=lambda progress: stop() if progress.epoch == 2 else None)
    found.close()
    assert [one.steps for one in FolderArchive(tmp_path).tracks()] == [(1,)] * 3
    assert FolderArchive(tmp_path).tracks()[0].run == "scene/model"


def test_names_that_are_no_folders_get_folders_of_their_own(tmp_path: Path) -> None:
    for name in ("../../x", "治疗方案", "另一个", "a" * 60 + "b", "a" * 60 + "c"):
        written(tmp_path, lambda: classes(max_epochs=1), name)
    runs = {one.run for one in FolderArchive(tmp_path).tracks()}
    assert len(runs) == 5
    assert all(run.startswith("part/") and ".." not in run for run in runs)


def test_nothing_of_tensorboard_is_imported() -> None:
    code = "import sys, zhuyi.ui.trainings; print('tensorboard' in sys.modules)"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout == "False\n"
