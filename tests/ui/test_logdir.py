"""`--logdir` of look, audit and run: steps, tracks, numbers; event files and plain files."""

import csv
import json
import random
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.trace.subject_models import bert, bert_tokenizer
from tests.ui.synthetic_audit import synthetic_audit
from tests.ui.synthetic_recipe import synthetic_recipe
from tests.ui.test_cli import Result
from zhuyi.audit.serial import from_text
from zhuyi.errors import InputError
from zhuyi.learn import AttentionClassifier
from zhuyi.recipes import running
from zhuyi.recipes.records import Options, RecipeReport
from zhuyi.ui import audit_log, logdir
from zhuyi.ui.audit_log import Log, write_audit
from zhuyi.ui.live.folder_archive import FolderArchive
from zhuyi.ui.logdir import free_folder, name_of, next_step, recorder_in, where
from zhuyi.ui.view.archive import Archive
from zhuyi.ui.view.pack import split, unpack

TEXT = "the quick brown fox jumped over the lazy dog"
WORDS = TEXT.split()
X = np.random.default_rng(0).normal(size=(300, 3)).round(3)


@pytest.fixture(scope="module")
def classifiers(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """Two checkpoints of one model."""
    folder = tmp_path_factory.mktemp("models")
    for name, seed in (("tiny-100", 0), ("tiny-200", 1)):
        model = bert()
        for number, parameter in enumerate(model.parameters()):
            noise = np.random.default_rng(seed + number).normal(size=parameter.shape) * 0.02
            parameter.data += parameter.data.new_tensor(noise)
        model.config.id2label = {0: "BAD", 1: "GOOD", 2: "SO-SO"}
        model.save_pretrained(folder / name)
        bert_tokenizer().save_pretrained(folder / name)
    return folder / "tiny-100", folder / "tiny-200"


@pytest.fixture
def plain_files(monkeypatch: pytest.MonkeyPatch) -> None:
    """As where tensorboard is not installed."""
    monkeypatch.setattr(logdir, "_with_tensorboard", lambda: False)


def looked(capsys: pytest.CaptureFixture[str], *arguments: object) -> Result:
    return Result(capsys, "look", *arguments, "--no-verify", "--json")


def opened(folder: Path, *, events: bool) -> Archive:
    """What was written, as another program would read it."""
    if not events:
        return FolderArchive(folder)
    from zhuyi.ui.tensorboard.logdir import LogdirArchive

    return LogdirArchive(folder)


def tracks(archive: Archive) -> list[dict[str, Any]]:
    found = archive.index()["tracks"]
    assert isinstance(found, list)
    return found


def head(archive: Archive, track: dict[str, Any], step: int) -> dict[str, Any]:
    return unpack(split(archive.ask(f"moment/{track['id']}/{step}"))[0])[0]


@pytest.fixture(params=[False, True], ids=["plain files", "event files"])
def events(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> bool:
    if request.param:
        pytest.importorskip("tensorboard")
    else:
        monkeypatch.setattr(logdir, "_with_tensorboard", lambda: False)
    return bool(request.param)


# --- look ------------------------------------------------------------------------------------


def test_looks_at_two_checkpoints_are_two_steps_of_one_track(
    classifiers: tuple[Path, Path],
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
    events: bool,
) -> None:
    folder = tmp_path / "runs" / "x"
    found = [looked(capsys, one, "--text", TEXT, "--logdir", folder) for one in classifiers]
    assert [one.code for one in found] == [0, 0]
    assert [one.err.startswith(f"zhuyi: step {n}; ") for n, one in enumerate(found)] == [True] * 2
    assert ("tensorboard --logdir" in found[0].err) == events
    archive = opened(folder, events=events)
    (track,) = tracks(archive)
    assert track["name"] == TEXT
    assert track["steps"] == track["detailed"] == [0, 1]
    for step, one in enumerate(found):
        said = json.loads(one.out)
        moment = head(archive, track, step)
        assert moment["decision"] == said["decision"]["label"]
        assert moment["values"] == [float(f"{one['value']:.5g}") for one in said["units"]]
    first, second = (head(archive, track, step)["values"] for step in (0, 1))
    assert first != second
    entries = unpack(archive.ask(f"track/{track['id']}"))[0]["entries"]
    for entry in range(len(entries)):  # all heads are small enough to be there in full
        assert unpack(archive.ask(f"detail/{track['id']}/1/{entry}"))[0]["entry"] == entry


def test_another_text_is_another_track_and_steps_can_be_given(
    classifiers: tuple[Path, Path],
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
    plain_files: None,
) -> None:
    model = classifiers[0]
    looked(capsys, model, "--text", TEXT, "--logdir", tmp_path, "--step", "200")
    looked(capsys, model, "--text", "the lazy dog", "--logdir", tmp_path)
    looked(capsys, model, "--text", TEXT, "--logdir", tmp_path, "--step", "100")
    looked(capsys, model, "--text", TEXT, "--heads", "0", "--logdir", tmp_path, "--step", "7")
    steps = sorted((one["name"], one["steps"]) for one in tracks(FolderArchive(tmp_path)))
    assert steps == [("the lazy dog", [201]), (TEXT, [7]), (TEXT, [100, 200])]
    lines = (tmp_path / "zhuyi" / "scalars.jsonl").read_text().splitlines()
    assert {json.loads(line)["step"] for line in lines} == {7, 100, 200, 201}
    assert all("attention/layer_00/reach" in line for line in lines)
    assert len(list((tmp_path / "zhuyi" / "images").glob("*.png"))) == 4


def test_the_verdict_is_written(
    classifiers: tuple[Path, Path],
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
    plain_files: None,
) -> None:
    arguments = ("look", classifiers[0], "--text", "the lazy dog", "--json", "--logdir", tmp_path)
    said = json.loads(Result(capsys, *arguments).out)
    archive = FolderArchive(tmp_path)
    moment = head(archive, tracks(archive)[0], 0)
    assert moment["verdict"]["label"] == said["verdict"]["label"]
    assert moment["verdict"]["reasons"] == said["verdict"]["reasons"]


@pytest.mark.parametrize(
    ("more", "code", "said"),
    [
        (("--step", "3"), 2, "give --logdir FOLDER too"),
        (("--step", "-1", "--logdir", "{}/x"), 2, "--step must be from 0 to 2,147,483,647"),
        (("--step", "2147483648", "--logdir", "{}/x"), 2, "--step must be from 0"),
        (("--logdir", "{}/file"), 3, "it is a file, give a folder"),
        (("--logdir", "{}/file/x"), 3, "cannot write looks to"),
    ],
)
@pytest.mark.parametrize("verb", ["look", "audit"])
def test_a_wrong_folder_or_step_is_said_before_a_model_is_loaded(
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
    verb: str,
    more: tuple[str, ...],
    code: int,
    said: str,
) -> None:
    (tmp_path / "file").write_text("x")
    rest = ("--text", "a") if verb == "look" else ("--data", "no.csv", "--text-column", "text")
    found = Result(capsys, verb, "no/such/model", *rest, *(one.format(tmp_path) for one in more))
    assert (found.code, found.out) == (code, "")
    assert said in found.err


# --- where looks go --------------------------------------------------------------------------


def test_next_steps(tmp_path: Path, events: bool) -> None:
    assert next_step(tmp_path / "none") == 0
    report, one = synthetic_audit(), tmp_path / "a"
    model = AttentionClassifier(max_epochs=1, random_state=0).fit(X, X[:, 0] > 0)
    subject = model.subject()
    rows = [each.row for each in report.inputs][:1]
    short = replace(report, inputs=report.inputs[:1])
    batch = subject.read(X[:1])
    short = replace(short, inputs=(replace(short.inputs[0], values=(0.5, -0.25, 0.0)),))
    for expected in (0, 1):
        assert next_step(one) == expected
        write_audit(Log(folder=one), short, subject, batch, rows)
    write_audit(Log(folder=one, step=40), short, subject, batch, rows)
    assert next_step(one) == 41
    assert next_step(tmp_path) == 0  # a run below is another run


def test_the_way_to_see_it_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(logdir, "_with_tensorboard", lambda: True)
    assert "tensorboard --logdir runs/x, tab Attention" in where(Path("runs/x"))
    monkeypatch.setattr(logdir, "_with_tensorboard", lambda: False)
    assert "zhuyi serve --logdir runs/x" in where(Path("runs/x"))


def test_free_folders(tmp_path: Path) -> None:
    found = []
    for _ in range(3):
        found.append(free_folder(tmp_path, "medicine"))
        found[-1].mkdir()
    assert [one.name for one in found] == ["medicine", "medicine-2", "medicine-3"]


def test_names_are_one_short_line() -> None:
    assert name_of("a\n  b", "x") == "a b"
    assert name_of(" ", "x") == "x"
    assert name_of("a" * 61, "x") == "a" * 59 + "…"


def test_a_folder_that_cannot_be_made(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    with pytest.raises(InputError, match="cannot write looks to"):
        recorder_in(tmp_path / "file" / "x")


# --- audit -----------------------------------------------------------------------------------


def test_an_audit_of_texts(
    classifiers: tuple[Path, Path],
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
    plain_files: None,
) -> None:
    pick = random.Random(0)
    texts = [" ".join(pick.choice(WORDS) for _ in range(pick.randint(2, 5))) for _ in range(12)]
    lines = ["text,label", *(f"{text},{n % 3}" for n, text in enumerate(texts))]
    (tmp_path / "t.csv").write_text("\n".join(lines) + "\n")
    found = Result(
        capsys, "audit", classifiers[0], "--data", tmp_path / "t.csv", "--text-column", "text",
        "--label-column", "label", "--methods", "occlusion,received", "--json", "--quiet",
        "--logdir", tmp_path / "runs",
    )  # fmt: skip
    assert found.code == 0
    assert "looks are written to" in found.err
    report = from_text(found.out)
    archive = FolderArchive(tmp_path / "runs")
    assert [one["name"] for one in tracks(archive)] == [
        f"row {n + 1}: {texts[n]}" for n in range(8)
    ]
    for track, one in zip(tracks(archive), report.inputs, strict=False):
        moment = head(archive, track, 0)
        assert moment["decision"] == one.decision
        assert moment["probability"] == pytest.approx(one.probability, abs=1e-6)
        assert moment["values"] == pytest.approx(one.values, rel=1e-4)
        assert moment["verdict"]["label"] == one.label
        assert moment["method"] == report.chosen
        assert len(unpack(archive.ask(f"track/{track['id']}"))[0]["entries"]) == 12
    numbers: dict[str, float] = {}
    for line in (tmp_path / "runs" / "zhuyi" / "scalars.jsonl").read_text().splitlines():
        numbers |= json.loads(line)
    for row in report.methods:
        name = row.name.partition("(")[0]
        assert numbers[f"audit/{name}/skill"] == row.numbers["skill"].value
    shares = [numbers[f"audit/{label}"] for label in ("trusted", "doubtful", "refuted")]
    assert sum(shares) == pytest.approx(1.0)
    trusted = sum(one.label == "trusted" for one in report.inputs)
    assert shares[0] == trusted / len(report.inputs)
    assert numbers["audit/quality/accuracy"] == report.quality["accuracy"].value


def test_an_audit_of_a_table(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, plain_files: None
) -> None:
    """Of a number no probability is told, and contributions are in its own unit."""
    with open(tmp_path / "t.csv", "w", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(["a", "b", "c", "life"])
        noise = np.random.default_rng(1).normal(size=len(X))
        writer.writerows([*row, 40 * row[0] + 300 + 5 * n] for row, n in zip(X, noise, strict=True))
    fit = ("fit", tmp_path / "t.csv", "--target", "life", "-o", tmp_path / "m", "--quiet")
    assert Result(capsys, *fit).code == 0
    audit = ("audit", tmp_path / "m", "--data", tmp_path / "t.csv", "--limit", "20", "--json")
    said = Result(capsys, *audit, "--quiet", "--logdir", tmp_path / "runs", "--step", "6")
    report = from_text(said.out)
    archive = FolderArchive(tmp_path / "runs")
    assert len(tracks(archive)) == 8
    by_row = {int(one["name"].split()[1].rstrip(":")): one for one in tracks(archive)}
    for one in report.inputs[:8]:
        track = by_row[one.row]
        moment = head(archive, track, 6)
        assert moment["probability"] is None
        assert moment["decision"] == one.decision
        assert moment["values"] == pytest.approx(one.values, rel=1e-4)
        cells = unpack(archive.ask(f"track/{track['id']}"))[0]["cells"]
        assert [float(cell) for cell in cells] == X[one.row - 1].tolist()


def test_an_audit_that_cannot_be_written_keeps_its_report(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def full(_: Path, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(audit_log, "recorder_in", full)
    model = AttentionClassifier(max_epochs=1, random_state=0).fit(X, X[:, 0] > 0)
    write_audit(Log(folder=tmp_path), synthetic_audit(), model.subject(), [], [])
    assert "the audit is not written to" in capsys.readouterr().err


def test_comparing_two_reports_writes_nowhere(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    found = Result(capsys, "audit", "--compare", "a.json", "b.json", "--logdir", tmp_path)
    assert found.code == 2


# --- run -------------------------------------------------------------------------------------


def test_run_writes_every_fit_into_a_folder_of_its_own(
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    plain_files: None,
) -> None:
    report = synthetic_recipe()
    parts = tuple(replace(part, checks=()) for part in report.parts)

    def train(name: str, options: Options | None = None) -> RecipeReport:
        from zhuyi.learn.observing import observing

        assert options is not None
        assert options.observer is not None
        options.listener("failures", "glass box", 1, 2)
        with observing(options.observer):
            AttentionClassifier(max_epochs=1, random_state=0).fit(X, X[:, 0] > 0)
        return replace(report, parts=parts)

    monkeypatch.setattr(running, "run", train)
    for _ in range(2):
        found = Result(capsys, "run", "manufacturing", "--json", "--logdir", tmp_path / "runs")
        assert found.code == 0
    assert f"looks are written to {tmp_path}/runs/manufacturing-2" in found.err
    runs = {one.run for one in FolderArchive(tmp_path / "runs").tracks()}
    assert runs == {"manufacturing/failures/glass_box", "manufacturing-2/failures/glass_box"}


def test_run_without_a_folder_observes_nothing(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[Options] = []

    def train(name: str, options: Options | None = None) -> RecipeReport:
        assert options is not None
        asked.append(options)
        return synthetic_recipe()

    monkeypatch.setattr(running, "run", train)
    Result(capsys, "run", "manufacturing", "--json")
    assert asked[0].observer is None
