"""`zhuyi predict`: what it writes, what it says of the data, and how it fails."""

import csv
import io
import json
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from tests.ui.test_cli import Result
from zhuyi.learn import AttentionClassifier, AttentionRegressor, load
from zhuyi.ui.cli.predict import SCHEMA


def rows_of(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text)))


def cells(machines: Path) -> list[dict[str, object]]:
    """The table as Python values, read by other means than the command's."""
    found: list[dict[str, object]] = []
    for row in csv.DictReader(machines.read_text("utf-8").splitlines()):
        numbers = {n: None if row[n] == "" else float(row[n]) for n in ("torque Nm", "wear min")}
        found.append({**row, **numbers})
    return found


def test_predictions_are_the_models_own(
    classifier: Path, machines: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    result = Result(capsys, "predict", classifier, machines, "--keep", "serial")
    assert (result.code, result.err) == (0, "")
    found = rows_of(result.out)
    assert list(found[0]) == ["row", "serial", "prediction", "p(0)", "p(1)"]
    assert [row["row"] for row in found] == [str(n) for n in range(1, 241)]
    assert found[7]["serial"] == "M0007"
    model = load(classifier)
    assert isinstance(model, AttentionClassifier)
    shares = model.predict_proba(cells(machines))
    assert [float(row["p(1)"]) for row in found] == pytest.approx(shares[:, 1].tolist(), abs=1e-6)
    assert [row["prediction"] for row in found] == [str(one) for one in shares.argmax(1)]


def test_numbers(regressor: Path, machines: Path, capsys: pytest.CaptureFixture[str]) -> None:
    found = rows_of(Result(capsys, "predict", regressor, machines).out)
    assert list(found[0]) == ["row", "prediction"]
    model = load(regressor)
    assert isinstance(model, AttentionRegressor)
    said = model.predict(cells(machines))
    assert [float(row["prediction"]) for row in found] == pytest.approx(said.tolist(), rel=1e-9)


def test_factors_add_up_to_the_decision(
    classifier: Path, machines: Path, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    path = tmp_path / "factors.csv"
    result = Result(capsys, "predict", classifier, machines, "--explain", "-o", path)
    assert (result.code, result.out) == (0, "")
    found = rows_of(path.read_text(encoding="utf-8"))
    assert list(found[0]) == [
        "row", "label", "factor", "value", "score", "weight", "contribution", "verdict",
    ]  # fmt: skip
    model = load(classifier)
    assert isinstance(model, AttentionClassifier)
    logits = model.decision_function(cells(machines))
    for row in (1, 100, 240):
        own = [line for line in found if line["row"] == str(row)]
        total = model.constants_["1"] + sum(float(line["contribution"]) for line in own)
        assert total == pytest.approx(logits[row - 1], abs=1e-7)
        assert {line["factor"] for line in own} == {"quality", "torque Nm", "wear min"}
        assert {line["verdict"] for line in own} == {"not verified"}


def test_json_has_predictions_factors_and_verdicts(
    classifier: Path,
    machines: Path,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
) -> None:
    few = tmp_path / "few.csv"
    few.write_text("\n".join(machines.read_text("utf-8").splitlines()[:4]) + "\n", "utf-8")
    result = Result(capsys, "predict", classifier, few, "--verify", "--json", "--keep", "plant")
    assert result.out.isascii()
    found = json.loads(result.out)
    assert found["schema"] == SCHEMA == "zhuyi.predict/1"
    assert (found["task"], found["labels"]) == ("classes", ["0", "1"])
    assert found["explanation"] == "computation"
    assert [row["row"] for row in found["rows"]] == [1, 2, 3]
    for row in found["rows"]:
        assert sum(row["probabilities"].values()) == pytest.approx(1.0, abs=1e-9)
        assert set(row["kept"]) == {"plant"}
        assert len(row["factors"]) == 3
        assert {one["verdict"] for one in row["factors"]} <= {"trusted", "doubtful", "refuted"}


def test_what_the_data_lack_or_have_besides_is_said(
    classifier: Path, machines: Path, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    path = tmp_path / "new.csv"
    path.write_text("quality,Torque_Nm,wear min,shift\nX,40,10,late\nL,,200,early\nL\n", "utf-8")
    refused = Result(capsys, "predict", classifier, path)
    assert refused.code == 3
    assert "lacks 'torque Nm' (did you mean 'Torque_Nm'?)" in refused.err
    allowed = Result(capsys, "predict", classifier, path, "--allow-missing")
    assert allowed.code == 0
    assert len(rows_of(allowed.out)) == 2
    for said in (
        "read as missing in every row: 'torque Nm'",
        "not read, because training did not have them: 'Torque_Nm', 'shift'",
        "column 'quality': 1 cells of categories that training never saw ('X')",
        "1 rows were left out, the first row 3: it has 1 fields",
    ):
        assert said in allowed.err
    quiet = Result(capsys, "predict", classifier, path, "--allow-missing", "--quiet")
    assert (quiet.out, quiet.err) == (allowed.out, "")


def test_a_cell_of_another_kind_names_column_row_and_cell(
    classifier: Path, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    path = tmp_path / "new.csv"
    path.write_text("quality,torque Nm,wear min\nL,40,10\nL,high,10\n", "utf-8")
    result = Result(capsys, "predict", classifier, path)
    assert result.code == 3
    assert "column 'torque Nm' must be numeric, got 'high' in row 2" in result.err
    assert "--column" not in result.err, "a fitted model's kinds are what they are"


def test_standard_input(
    classifier: Path,
    machines: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from_file = Result(capsys, "predict", classifier, machines).out
    data = SimpleNamespace(buffer=io.BytesIO(machines.read_bytes()))
    monkeypatch.setattr(sys, "stdin", data)
    assert Result(capsys, "predict", classifier, "-").out == from_file


def test_columns_of_every_kind_and_all_of_them_missing(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    path = tmp_path / "kinds.csv"
    lines = [
        f"2024-0{n % 9 + 1}-11,{'true' if n % 3 else 'false'},{'SML'[n % 3]},{n / 7:.2f},"
        f"the {'left' if n % 2 else 'right'} engine made a strange noise at hour {n},{n % 2},"
        f"{'yes' if n % 5 else 'no'}"
        for n in range(80)
    ]
    path.write_text("\n".join(["day,ok,size,n,note,left,y", *lines]) + "\n", "utf-8")
    fit = Result(
        capsys, "fit", path, "--target", "left", "--target", "y", "--epochs", 2, "--quiet",
        "--column", "size=ordinal:S<M<L", "-o", tmp_path / "m",
    )  # fmt: skip
    assert "1 date, 1 boolean, 1 ordinal, 1 numeric, 1 text" in fit.out
    assert "the simple models do not read the columns of text" in " ".join(fit.out.split())
    whole = Result(capsys, "predict", tmp_path / "m", path)
    assert (whole.code, whole.err) == (0, "")
    assert list(rows_of(whole.out)[0]) == ["row", "prediction", "p(left)", "p(y)"]
    for row in rows_of(whole.out):
        held = [name for name in ("left", "y") if float(row[f"p({name})"]) > 0.5]
        assert row["prediction"] == "; ".join(held)
    nothing = tmp_path / "nothing.csv"
    nothing.write_text("id\n1\n", "utf-8")
    missing = Result(capsys, "predict", tmp_path / "m", nothing, "--allow-missing", "--explain")
    assert missing.code == 0
    told = rows_of(missing.out)
    assert {row["value"] for row in told} == {""}
    assert {row["label"] for row in told} == {"left", "y"}


def test_texts(reader: Path, capsys: pytest.CaptureFixture[str]) -> None:
    table = reader.parent / "reviews.csv"
    found = rows_of(Result(capsys, "predict", reader, table).out)
    assert len(found) == 60
    assert set(found[0]) == {"row", "prediction", "p(好)", "p(差)"}
    told = rows_of(Result(capsys, "predict", reader, table, "--explain").out)
    assert {"start", "end", "factor"} <= set(told[0])
    wrong = Result(capsys, "predict", reader, table, "--text", "reviews")
    assert (wrong.code, "lacks 'reviews' (did you mean 'review'?)" in wrong.err) == (3, True)


@pytest.mark.parametrize(
    ("options", "code", "said"),
    [
        (["NOWHERE", "DATA"], 3, "model.json"),
        (["MODEL", "no.csv"], 3, "cannot read no.csv"),
        (["MODEL", "DATA", "--keep", "nope"], 3, "no column 'nope' (--keep)"),
        (["MODEL", "DATA", "--text", "quality"], 2, "reads a table, not a column of text"),
        (["MODEL", "DATA", "-o", "no/such/folder.csv"], 2, "must be a file in a folder that"),
    ],
)
def test_wrong_usage_is_one_line(
    options: list[str],
    code: int,
    said: str,
    classifier: Path,
    machines: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    real = {"MODEL": str(classifier), "DATA": str(machines), "NOWHERE": str(classifier / "x")}
    result = Result(capsys, "predict", *(real.get(word, word) for word in options))
    assert result.code == code
    assert said in result.err
    assert result.err.count("\n") == 1
    assert result.out == ""


def test_a_model_from_python_is_read_too(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    rows = [[float(n % 7), float(n % 5)] for n in range(60)]
    model = AttentionClassifier(max_epochs=2, random_state=0).fit(rows, [n % 2 for n in range(60)])
    model.save(tmp_path / "m")
    path = tmp_path / "t.csv"
    path.write_text("x0,x1\n1,2\n3,\n", "utf-8")
    result = Result(capsys, "predict", tmp_path / "m", path)
    assert result.code == 0
    shares = model.predict_proba([[1.0, 2.0], [3.0, float("nan")]])
    told = [float(row["p(1)"]) for row in rows_of(result.out)]
    assert told == pytest.approx(shares[:, 1].tolist(), abs=1e-6)
