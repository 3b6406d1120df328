"""`zhuyi fit`: what it trains, keeps, prints, and how it fails."""

import json
import re
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from tests.ui.test_cli import Result
from zhuyi.errors import InputError
from zhuyi.learn import AttentionClassifier, AttentionRegressor, TextAttentionClassifier, load
from zhuyi.ui.estimators import fitting
from zhuyi.ui.estimators.fitting import UNFINISHED
from zhuyi.ui.estimators.record import NAME, SCHEMA, read


def fitted(
    capsys: pytest.CaptureFixture[str], data: Path, *more: object, target: str = "failure"
) -> Result:
    return Result(capsys, "fit", data, "--target", target, "--epochs", 4, "--quiet", *more)


def test_from_a_table_to_a_model_with_its_score(
    machines: Path, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    folder = tmp_path / "model"
    options = ("--drop", "serial", "--drop", "plant", "-o", folder)
    result = fitted(capsys, machines, *options)
    assert result.code == 0
    assert result.err == ""
    told = " ".join(result.out.split())
    for part in (
        "failure from machines.csv", "240 rows; factors: 1 categorical, 2 numeric",
        "it has two values", "Trained on 192, held out 48 (drawn at random)",
        "trivial: shares of classes 0.500", "logistic regression", "gradient boosting",
        "this glass box", "What counts most", "A glass box: for every row",
        f"zhuyi audit {folder} --data {machines}",
    ):  # fmt: skip
        assert part in told, part
    assert {path.name for path in folder.iterdir()} == {"model.json", "weights.safetensors", NAME}
    model = load(folder)
    assert isinstance(model, AttentionClassifier)
    assert model.schema_.names == ("quality", "torque Nm", "wear min")
    kept = read(folder)
    assert kept.targets == ("failure",)
    assert kept.unused == ("serial", "plant")
    assert len(kept.held_out) == 48
    text = (folder / NAME).read_text(encoding="utf-8")
    assert "M0003" not in text, "names and numbers, no row of the data"
    again = fitted(capsys, machines, *options, "--json")
    values = json.loads(again.out)
    assert values["schema"] == SCHEMA
    assert values["model"].pop("seconds") > 0
    assert _timeless(values) == _timeless(json.loads(text))


def _timeless(values: dict[str, Any]) -> dict[str, Any]:
    """The record without what differs from run to run."""
    values["model"].pop("seconds", None)
    for score in values["scores"]:
        score.pop("seconds", None)
    return values


def test_the_score_is_that_of_the_held_out_rows(
    machines: Path, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    """Absolute values, against scikit-learn on the rows that fit.json names."""
    import pandas as pd
    from sklearn.metrics import f1_score, roc_auc_score

    result = fitted(capsys, machines, "--drop", "serial", "-o", tmp_path / "m", "--json")
    values = json.loads(result.out)
    frame = pd.read_csv(machines)
    held = frame.iloc[[row - 1 for row in values["split"]["held_out"]]]
    model = load(tmp_path / "m")
    assert isinstance(model, AttentionClassifier)
    names = list(values["columns"])
    said = model.predict_proba(held[names].astype({"quality": object, "plant": object}))[:, 1]
    ours = values["scores"][-1]
    assert ours["role"] == "ours"
    assert ours["value"] == pytest.approx(roc_auc_score(held["failure"], said), abs=1e-12)
    assert ours["others"]["F1"] == pytest.approx(f1_score(held["failure"], said >= 0.5), abs=1e-12)
    assert ours["lower"] <= ours["value"] <= ours["upper"]
    shares = pd.Series(said >= 0.5, index=held.index) == held["failure"].astype(bool)
    assert ours["others"]["accuracy"] == pytest.approx(shares.mean(), abs=1e-12)


def test_a_number_and_several_labels(
    machines: Path, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    number = fitted(capsys, machines, "--drop", "serial", "-o", tmp_path / "n", target="torque Nm")
    assert "RMSE: lower is better" in number.out
    assert "rows were left out" in number.out
    assert "without a target" in number.out
    regressor = load(tmp_path / "n")
    assert isinstance(regressor, AttentionRegressor)
    assert regressor.labels_ == ("torque Nm",)
    table = machines.read_text(encoding="utf-8").splitlines()
    path = tmp_path / "labels.csv"
    path.write_text(
        "\n".join(f"{line},{'worn' if not n else n % 2}" for n, line in enumerate(table)) + "\n",
        encoding="utf-8",
    )
    result = fitted(capsys, path, "--target", "worn", "--drop", "serial", "-o", tmp_path / "l")
    assert "mean AUROC" in result.out
    assert "What counts most for worn" in result.out
    labels = load(tmp_path / "l")
    assert isinstance(labels, AttentionClassifier)
    assert labels.labels_ == ("failure", "worn")


def test_texts(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    path = tmp_path / "reviews.csv"
    lines = [f"{'房间很干净' if n % 2 else '早餐真难吃'}{n},{'好' if n % 2 else '差'}"
             for n in range(60)]  # fmt: skip
    path.write_text("\n".join(["text,says", *lines]) + "\n", encoding="utf-8")
    result = fitted(capsys, path, "--text", "text", "-o", tmp_path / "m", target="says")
    assert result.code == 0
    assert "characters, logistic" in result.out
    assert isinstance(load(tmp_path / "m"), TextAttentionClassifier)
    assert read(tmp_path / "m").text == "text"


def test_groups_are_held_out_whole(
    machines: Path, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    result = fitted(capsys, machines, "--drop", "serial", "--group", "plant", "-o", tmp_path / "m")
    assert "(whole groups)" in result.out
    held = set(read(tmp_path / "m").held_out)
    rows = [line.split(",") for line in machines.read_text("utf-8").splitlines()[1:]]
    inside = {row[4] for number, row in enumerate(rows, 1) if number in held}
    outside = {row[4] for number, row in enumerate(rows, 1) if number not in held}
    assert inside
    assert not inside & outside


def test_problems_are_said_first_and_end_a_strict_run(
    machines: Path,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    said = fitted(capsys, machines, "--test-share", 0)
    assert said.code == 0
    assert "! identifier: column 'serial' has a value of its own in every row" in said.err
    assert "nothing is known of how good it is" in said.out
    assert "Add -o FOLDER to keep the model" in said.out
    monkeypatch.setattr(fitting, "fit", lambda *_: pytest.fail("it was trained all the same"))
    strict = fitted(capsys, machines, "--strict", "-o", tmp_path / "m")
    assert strict.code == 1
    assert "a problem of the data (--strict), nothing was trained" in strict.err
    assert not (tmp_path / "m").exists()
    listed = json.loads(fitted(capsys, machines, "--strict", "--json").out)
    assert [one["name"] for one in listed["problems"]] == ["identifier"]


def test_a_model_that_is_no_better_than_nothing(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    path = tmp_path / "noise.csv"
    lines = [f"{n * 7919 % 104729},{(n * 104729 + 5) % 7 % 2}" for n in range(200)]
    path.write_text("\n".join(["x,y", *lines]) + "\n", encoding="utf-8")
    result = fitted(capsys, path, target="y")
    assert result.code == 0
    assert "not better than saying nothing by more than chance" in result.out
    assert fitted(capsys, path, "--strict", target="y").code == 1


USAGE: list[tuple[list[str], int, str]] = [
    ([], 2, "say what to predict: --target COLUMN"),
    (["--target", "Failure"], 3, "did you mean 'failure'?"),
    (["--target", "failure", "--task", "rank"], 2, "--task must be one of"),
    (["--target", "failure", "--test-share", "1.5"], 2, "--test-share must be within"),
    (["--target", "failure", "--threshold", "high"], 2, "--threshold must be f1 or within"),
    (["--target", "failure", "--column", "wear min=number"], 2, "NAME=KIND"),
    (["--target", "failure", "--column", "quality=numeric"], 3, "must be numeric, got 'L' in row"),
    (["--target", "failure", "--resume"], 2, "give -o FOLDER too"),
    (["--target", "failure", "--mixing-layers", "-1"], 2, "mixing_layers must be"),
    (["--target", "failure", "--epochs", "0"], 2, "max_epochs must be"),
]


@pytest.mark.parametrize(("options", "code", "said"), USAGE)
def test_wrong_usage_is_said(
    options: list[str],
    code: int,
    said: str,
    machines: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    result = Result(capsys, "fit", machines, *options, "--quiet")
    assert result.code == code
    assert said in result.err
    assert "Traceback" not in result.err
    assert result.out == ""


def test_text_among_numbers_is_named(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, machines: Path
) -> None:
    path = tmp_path / "odd.csv"
    lines = machines.read_text(encoding="utf-8").splitlines()
    fields = lines[17].split(",")
    fields[3] = "unknown"
    lines[17] = ",".join(fields)
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    result = fitted(capsys, path)
    assert result.code == 3
    assert "column 'wear min' holds numbers but for 'unknown' in row 17" in result.err
    assert fitted(capsys, path, "--missing", "unknown", "--drop", "serial").code == 0


def test_a_stopped_training_says_how_to_go_on_and_does(
    machines: Path, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    """The same model as without the interruption, bit for bit."""
    options = ("--drop", "serial", "--epochs", 12)
    whole = fitted(capsys, machines, *options, "-o", tmp_path / "whole")
    assert whole.code == 0
    seen: list[str] = []

    def stops(line: str) -> None:
        seen.append(line)
        if line.startswith("epoch 7 "):
            raise KeyboardInterrupt

    folder = tmp_path / "part"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("zhuyi.ui.cli.fit.progress_line", lambda _: stops)
        stopped = fitted(capsys, machines, *options, "-o", folder)
    assert stopped.code == 130
    assert "the same command with --resume goes on" in stopped.err
    assert (folder / UNFINISHED).is_dir()
    went_on: list[str] = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("zhuyi.ui.cli.fit.progress_line", lambda _: went_on.append)
        assert fitted(capsys, machines, *options, "-o", folder, "--resume").code == 0
    assert not any(line.startswith("epoch 1 ") for line in went_on)
    assert any(line.startswith("epoch 12 ") for line in went_on)
    assert not (folder / UNFINISHED).exists()
    name = "weights.safetensors"
    assert (folder / name).read_bytes() == (tmp_path / "whole" / name).read_bytes()
    nothing = fitted(capsys, machines, *options, "-o", folder, "--resume")
    assert (nothing.code, "holds no training that was stopped" in nothing.err) == (2, True)


def test_a_spoiled_record_is_an_error(tmp_path: Path) -> None:
    assert read(tmp_path).targets == ()
    for text in ("{", "[]", '{"schema": "x"}', f'{{"schema": "{SCHEMA}", "text": null}}'):
        (tmp_path / NAME).write_text(text, encoding="utf-8")
        with pytest.raises(InputError, match=re.escape(f"{NAME} is no record of a fit")):
            read(tmp_path)


@pytest.mark.long
def test_ctrl_c_in_a_process_of_its_own(machines: Path, tmp_path: Path) -> None:
    folder = tmp_path / "m"
    command = [
        sys.executable, "-c", "from zhuyi.ui.cli import main; main()", "fit", str(machines),
        "--target", "failure", "--drop", "serial", "--epochs", "2000", "-o", str(folder),
    ]  # fmt: skip
    first = subprocess.Popen(command, stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    while first.poll() is None and not list(folder.glob(f"{UNFINISHED}/*")):
        time.sleep(0.05)
    first.send_signal(signal.SIGINT)
    _, said = first.communicate(timeout=120)
    assert first.returncode == 130, said
    assert "--resume" in said
    assert "Traceback" not in said
