"""Trackers: numbers as they come, one offline page at the end; and which sink a target means."""

import subprocess
import sys
import types
from pathlib import Path

import pytest

from tests.ui.live.trainings import Remembering, log, tiny
from zhuyi.errors import OptionError
from zhuyi.ui.live import FolderSink, LogSink, MlflowSink, open_sinks, opening
from zhuyi.ui.view.page import BUDGET


class Run:
    """Acts like a run of W&B or trackio."""

    def __init__(self) -> None:
        self.logged: list[tuple[int, dict[str, object]]] = []

    def log(self, values: dict[str, object], step: int) -> None:
        self.logged.append((step, values))


class Mlflow:
    """Acts like the module `mlflow`."""

    def __init__(self) -> None:
        self.metrics: list[tuple[int, dict[str, float]]] = []
        self.texts: dict[str, str] = {}

    def active_run(self) -> None: ...

    def log_metrics(self, metrics: dict[str, float], step: int) -> None:
        self.metrics.append((step, metrics))

    def log_text(self, text: str, artifact_file: str) -> None:
        self.texts[artifact_file] = text


def test_a_tracker_gets_numbers_only_unless_told_how_to_wrap_more() -> None:
    run, truth = Run(), Remembering()
    log(tiny(), [truth, run])
    assert dict(run.logged) == truth.numbers


def test_a_tracker_that_shows_pages_gets_one_at_the_end() -> None:
    run = Run()
    log(tiny(), LogSink(run, image=lambda rgb: rgb.shape, html=lambda text: text))
    images = [(step, values) for step, values in run.logged if "attention/heads_0" in values]
    assert [step for step, _ in images] == [0, 2, 6, 8]
    assert images[0][1]["attention/heads_0"] == (79, 155, 3)
    (step, last) = run.logged[-1]
    assert step == 8
    page = last["attention/page"]
    assert isinstance(page, str)
    assert page.lower().startswith("<!doctype html>")
    assert len(page) < BUDGET
    assert page.count('data-zhuyi="moment/') == 10


def test_mlflow_gets_metrics_and_the_page() -> None:
    run, truth = Mlflow(), Remembering()
    log(tiny(), [truth, run])
    assert dict(run.metrics) == truth.numbers
    assert list(run.texts) == ["attention.html"]


def test_a_client_of_mlflow_is_told_its_run() -> None:
    kind = type("MlflowClient", (), {"log_metric": lambda *_: None, "log_text": lambda *_: None})
    with pytest.raises(OptionError, match=r"pass MlflowSink\(client, run_id=\.\.\.\)"):
        open_sinks(kind())


@pytest.mark.filterwarnings("ignore")
def test_the_real_mlflow(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    mlflow = pytest.importorskip("mlflow")
    monkeypatch.setenv("MLFLOW_ALLOW_FILE_STORE", "true")
    mlflow.set_tracking_uri((tmp_path / "mlruns").as_uri())
    client = mlflow.MlflowClient()
    experiment = client.create_experiment("attention")
    run = client.create_run(experiment).info.run_id
    log(tiny(), MlflowSink(client, run_id=run), steps=3)
    history = client.get_metric_history(run, "attention/layer_01/reach")
    assert [one.step for one in history] == [0, 2]
    assert [one.path for one in client.list_artifacts(run)] == ["attention.html"]


def test_without_a_look_there_is_no_page() -> None:
    run, tracker = Mlflow(), Run()
    for sink in (MlflowSink(run), LogSink(tracker, html=str)):
        sink.close()
        sink.close()
    assert (run.texts, tracker.logged) == ({}, [])


def test_the_temporary_folder_is_removed(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    log(tiny(), Mlflow(), steps=2)
    assert list(tmp_path.iterdir()) == []


def test_a_sink_that_fails_to_close_keeps_none_open() -> None:
    class Stuck(Remembering):
        def close(self) -> None:
            raise OSError("no network")

    one, other = Remembering(), Remembering()
    with pytest.warns(UserWarning, match="no network"):
        log(tiny(), [one, Stuck(), other], steps=2)
    assert one.closed == other.closed == 1


def test_several_targets_get_the_same() -> None:
    one, two = Remembering(), Remembering()
    log(tiny(), [one, (two,)])
    assert one.steps() == two.steps()
    assert one.closed == two.closed == 1


def test_a_folder_without_tensorboard_is_plain_files(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(opening, "find_spec", lambda name: None)
    log(tiny(), tmp_path / "a", steps=2)
    assert (tmp_path / "a" / "zhuyi" / "run.json").exists()
    assert capsys.readouterr().err.count("tensorboard is not installed") == 1


def test_a_folder_with_tensorboard_is_event_files(tmp_path: Path) -> None:
    pytest.importorskip("tensorboard")
    log(tiny(), str(tmp_path / "a"), steps=2)
    assert list((tmp_path / "a").rglob("events.out.tfevents.*"))
    assert not list((tmp_path / "a").rglob("run.json"))


def test_a_summary_writer_is_written_into(tmp_path: Path) -> None:
    pytest.importorskip("tensorboard")
    from torch.utils.tensorboard import SummaryWriter

    writer = SummaryWriter(str(tmp_path))
    log(tiny(), writer, steps=2)
    writer.add_scalar("loss", 1.0, 0)  # it is still open
    writer.close()
    (events,) = tmp_path.rglob("events.out.tfevents.*")
    text = events.read_bytes()
    assert b"attention/layer_00/reach" in text
    assert b"zhuyi" in text


@pytest.mark.parametrize("target", [3, None, object(), [3], types.SimpleNamespace(log=3)])
def test_other_targets_are_refused(target: object) -> None:
    with pytest.raises(OptionError, match="looks go to a folder, a SummaryWriter"):
        open_sinks(target)


def test_a_sink_is_taken_as_it_is(tmp_path: Path) -> None:
    sink = FolderSink(tmp_path)
    assert open_sinks(sink) == (sink,)


def test_nothing_heavy_is_imported() -> None:
    heavy = ("tensorboard", "mlflow", "wandb", "lightning", "transformers", "starlette", "PIL")
    code = f"import sys, zhuyi.ui.live; print([n for n in {heavy!r} if n in sys.modules])"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "[]"
