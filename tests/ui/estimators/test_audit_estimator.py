"""`zhuyi audit model/`: rows of a table, units that say column and cell, and the page of them."""

import csv
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.conftest import Visit
from tests.ui.test_cli import Result
from zhuyi.audit.report import AuditReport
from zhuyi.audit.serial import from_text
from zhuyi.learn import AttentionRegressor, load
from zhuyi.ui.estimators.record import read

METHODS = ("--methods", "Contributions,Occlusion")


def audited(
    capsys: pytest.CaptureFixture[str], model: Path, data: Path, folder: Path, *more: object
) -> AuditReport:
    options = ("--data", data, "-o", folder, "--quiet", *METHODS, *more)
    result = Result(capsys, "audit", model, *options)
    assert (result.code, result.err) == (0, "")
    return from_text((folder / "report.json").read_text(encoding="utf-8"))


def test_a_classifier_on_the_rows_it_has_not_seen(
    classifier: Path, machines: Path, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    report = audited(capsys, classifier, machines, tmp_path / "a", "--group", "quality")
    held = read(classifier).held_out
    assert [one.row for one in report.inputs] == list(held)
    assert (report.data.rows, report.data.used) == (240, len(held))
    assert report.chosen == "Contributions()"
    assert "gives of itself (Contributions)" in report.answer.en
    assert f"Audited were {len(held)} rows that were held out" in report.limits[0].en
    assert report.data.columns == {
        "factor": ("quality", "torque Nm", "wear min"), "target": ("failure",),
        "group": ("quality",),
    }  # fmt: skip
    assert report.task == "What is failure?"
    assert report.model["estimator"] == "AttentionClassifier"
    lines = list(csv.DictReader(machines.read_text("utf-8").splitlines()))
    for one in report.inputs[:5]:
        line = lines[one.row - 1]
        assert one.truth == line["failure"]
        assert one.groups == {"quality": line["quality"]}
        assert [piece.label for piece in one.pieces] == [
            f"quality: {line['quality']}",
            f"torque Nm: {line['torque Nm'] or '(missing)'}",
            f"wear min: {line['wear min']}",
        ]
    right = sum(one.truth == one.decision for one in report.inputs)
    assert report.quality["accuracy"].value == pytest.approx(right / len(report.inputs))
    assert not list((tmp_path / "a").glob("*.jsonl")), "finished: no journal"


def test_rows_of_another_file_may_have_been_seen(
    classifier: Path, machines: Path, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    other = tmp_path / "other.csv"
    lines = machines.read_text(encoding="utf-8").splitlines()
    other.write_text("\n".join(lines[:41]) + "\n", encoding="utf-8")
    report = audited(capsys, classifier, other, tmp_path / "a", "--limit", 20)
    assert [one.row for one in report.inputs] == list(range(1, 21))
    assert (
        "20 of 40 rows. Whether the model has seen them in training is not" in report.limits[0].en
    )


def test_a_regressor_speaks_in_the_targets_unit(
    regressor: Path, machines: Path, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    report = audited(capsys, regressor, machines, tmp_path / "a", "--group", "plant")
    assert set(report.quality) == {"R²", "RMSE"}
    assert {one.truth for one in report.inputs} == {None}
    assert not any("confidence" in row.numbers for row in report.subgroups)
    model = load(regressor)
    assert isinstance(model, AttentionRegressor)
    lines = list(csv.DictReader(machines.read_text("utf-8").splitlines()))
    rows = [
        {"quality": lines[one.row - 1]["quality"], "failure": float(lines[one.row - 1]["failure"]),
         "torque Nm": float(lines[one.row - 1]["torque Nm"] or "nan")}
        for one in report.inputs
    ]  # fmt: skip
    said = model.predict(rows)
    table = model.explain(rows)
    for place, one in enumerate(report.inputs):
        assert float(one.decision) == pytest.approx(said[place], rel=1e-5)
        own = table[table["row"] == place].set_index("factor")["contribution"]
        wanted = [own[piece.label.split(":")[0]] for piece in one.pieces]
        assert list(one.values) == pytest.approx(wanted, rel=1e-4, abs=1e-4)
    assert "R²:" in Result(capsys, "audit", regressor, "--data", machines, "--quiet", *METHODS).out


def test_texts(reader: Path, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    table = reader.parent / "reviews.csv"
    report = audited(capsys, reader, table, tmp_path / "a")
    assert report.data.columns["text"] == ("review",)
    assert "".join(p.gap + p.label for p in report.inputs[0].pieces).startswith(("房间", "早餐"))


@pytest.mark.parametrize(
    ("options", "code", "said"),
    [
        (["--task", "next-token"], 2, "are for language models"),
        (["--target", "fails"], 3, "no column 'fails' (--target)"),
        (["--group", "nope"], 3, "no column 'nope' (--group-column)"),
        (["--target", "plant"], 3, "has the label 'plant"),
        (["--text-column", "quality"], 2, "reads a table"),
        (["--methods", "Contribution"], 2, "--methods must be of Received"),
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
    result = Result(capsys, "audit", classifier, "--data", machines, *options)
    assert result.code == code
    assert said in result.err
    assert result.err.count("\n") == 1


def test_the_page_shows_columns(
    regressor: Path,
    classifier: Path,
    machines: Path,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
    visit: Callable[..., Visit],
) -> None:
    audited(capsys, classifier, machines, tmp_path / "c")
    opened = visit(tmp_path / "c" / "report.html")
    page = opened.page
    assert page.locator("#list .input").first.locator(".cells .word").all_inner_texts()[0] in {
        f"quality: {one}" for one in "LMH"
    }
    told = page.locator("main").inner_text()
    for part in ("How columns were taken away", "held back, not in the verdict", "Contributions"):
        assert part in told
    assert "that word" not in told
    assert page.locator("#heads-section").is_hidden(), "of a single head"
    page.locator("#language").click()
    assert "去掉列的方式" in page.locator("main").inner_text()
    assert (opened.complaints, len(opened.requests)) == ([], 1)
    audited(capsys, regressor, machines, tmp_path / "r")
    number = visit(tmp_path / "r" / "report.html", viewport={"width": 390, "height": 800})
    told = number.page.locator("main").inner_text()
    assert "Predicted:" in told
    assert "% sure" not in told
    assert "R²: share of the variation" in told
    width = number.page.evaluate("document.documentElement.scrollWidth")
    assert width <= 390
    assert number.complaints == []
