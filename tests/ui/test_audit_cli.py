"""`zhuyi audit`: what it reads, runs, writes and prints, and how it fails."""

import json
import random
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest

from tests.trace.subject_models import bert, bert_tokenizer
from tests.ui.synthetic_audit import synthetic_audit
from tests.ui.test_cli import Result
from zhuyi.audit import Progress
from zhuyi.audit.journal import NAME
from zhuyi.audit.serial import from_text, to_text
from zhuyi.core.record import Said
from zhuyi.errors import InputError
from zhuyi.ui import auditing
from zhuyi.ui.auditing import METHODS
from zhuyi.ui.cli import audit as audit_verb
from zhuyi.ui.data import Row
from zhuyi.ui.labels import named_labels, one_class_only

WORDS = "the quick brown fox jumped over the lazy dog".split()


@pytest.fixture(scope="module")
def classifier(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("models") / "tiny-bert"
    model = bert()
    model.config.id2label = {0: "BAD", 1: "GOOD", 2: "SO-SO"}
    model.save_pretrained(folder)
    bert_tokenizer().save_pretrained(folder)
    return folder


@pytest.fixture(scope="module")
def table(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("data") / "reviews.csv"
    pick = random.Random(0)
    rows = [
        f"{' '.join(pick.choice(WORDS) for _ in range(pick.randint(2, 5)))},{i % 3},{'ab'[i % 2]}"
        for i in range(10)
    ]
    rows[3] = ",1,a"
    path.write_text("\n".join(["text,label,who", *rows]) + "\n", encoding="utf-8")
    return path


def audited(
    capsys: pytest.CaptureFixture[str], classifier: Path, table: Path, *more: object
) -> Result:
    return Result(
        capsys, "audit", classifier, "--data", table, "--text-column", "text",
        "--methods", "occlusion,received", *more,
    )  # fmt: skip


def test_from_a_table_to_four_files(
    classifier: Path, table: Path, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    folder = tmp_path / "out"
    options = ("--label-column", "label", "--group-column", "who", "-o", folder)
    result = audited(capsys, classifier, table, *options)
    assert (result.code, result.err) == (0, "")
    for part in ("tiny-bert", "What kind of text is this?", "Right decisions", "Random values",
                 "row 4: the text in column 'text' is empty", "report.html"):  # fmt: skip
        assert part in " ".join(result.out.split()), part
    names = {path.name for path in folder.iterdir()}
    assert {"report.json", "report.html", "card.md", "junit.xml"} <= names
    report = from_text((folder / "report.json").read_text(encoding="utf-8"))
    assert report.title == "tiny-bert"
    assert [one.row for one in report.inputs] == [1, 2, 3, 5, 6, 7, 8, 9, 10]
    assert report.inputs[0].truth == "BAD"
    assert report.inputs[3].truth == "GOOD"
    assert {one.groups["who"] for one in report.inputs} == {"a", "b"}
    assert report.data.columns == {"text": ("text",), "label": ("label",), "group": ("who",)}
    assert (report.data.rows, report.data.used, report.data.name) == (10, 9, "reviews.csv")
    assert {one.name.partition("(")[0] for one in report.methods} <= {
        "Occlusion", "Received", "Random",
    }  # fmt: skip
    assert names == {"report.json", "report.html", "card.md", "junit.xml"}, "finished: no journal"
    assert audited(capsys, classifier, table, *options, "--fresh").code == 0
    again = from_text((folder / "report.json").read_text(encoding="utf-8"))
    assert replace(again, run={}) == replace(report, run={})


def test_a_spent_budget_leaves_what_was_finished_for_the_next_run(
    classifier: Path, table: Path, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    options = ("--label-column", "label", "-o", tmp_path / "out")
    whole = audited(capsys, classifier, table, "--label-column", "label", "-o", tmp_path / "whole")
    assert whole.code == 0
    full = from_text((tmp_path / "whole" / "report.json").read_text(encoding="utf-8"))
    half = ("--max-calls", str(full.budget.calls // 2))
    assert audited(capsys, classifier, table, *options, *half).code == 0
    part = from_text((tmp_path / "out" / "report.json").read_text(encoding="utf-8"))
    assert part.budget.exhausted
    assert (tmp_path / "out" / NAME).exists()
    assert audited(capsys, classifier, table, *options).code == 0
    rest = from_text((tmp_path / "out" / "report.json").read_text(encoding="utf-8"))
    assert int(rest.run["parts taken over"]) > 0
    assert rest.inputs == full.inputs
    assert not (tmp_path / "out" / NAME).exists()


def test_json_on_stdout_is_the_report(
    classifier: Path, table: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    result = audited(capsys, classifier, table, "--json", "--limit", 3, "--quiet")
    assert result.out.isascii()
    report = from_text(result.out)
    assert [one.row for one in report.inputs] == [1, 2, 3]
    assert report.quality == {}


@pytest.mark.parametrize(("fail_on", "code"), [("doubtful", 1), ("refuted", 0), (None, 0)])
def test_fail_on_decides_the_exit_code(
    fail_on: str | None,
    code: int,
    classifier: Path,
    table: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    doubtful = replace(synthetic_audit(inputs=3), verdict="doubtful")
    monkeypatch.setattr(auditing, "audit", lambda *_, **__: doubtful)
    options = () if fail_on is None else ("--fail-on", fail_on)
    result = audited(capsys, classifier, table, *options)
    assert result.code == code
    assert ("the verdict is doubtful" in result.err) == (code == 1)


def test_one_class_only_is_said(
    classifier: Path,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(auditing, "audit", lambda *_, **__: synthetic_audit(inputs=2))
    path = tmp_path / "one.csv"
    path.write_text("text,label\nthe fox,good\nthe dog,GOOD\n")
    result = audited(capsys, classifier, path, "--label-column", "label", "--json")
    limits = json.loads(result.out)["limits"]
    assert "All labels in the data are GOOD" in limits[0]["en"]


def test_stopping_says_how_to_go_on(
    classifier: Path,
    table: Path,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def stopped(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(auditing, "audit", stopped)
    result = audited(capsys, classifier, table, "-o", tmp_path / "out")
    assert result.code == 130
    assert "the same command goes on from there" in result.err
    assert "Traceback" not in result.err
    assert "nothing was kept" in audited(capsys, classifier, table).err


USAGE: list[tuple[list[str], int, str]] = [
    ([], 2, "give a MODEL, --data FILE and --text-column"),
    (["M", "--data", "DATA"], 2, "give a MODEL"),
    (["M", "--data", "DATA", "--text-column", "text", "--task", "speech"], 2, "--task must be one"),
    (["M", "--data", "DATA", "--text-column", "text", "--on-bad", "x"], 2, "--on-bad must be one"),
    (["M", "--data", "DATA", "--text-column", "text", "--fail-on", "x"], 2, "--fail-on must be"),
    (["M", "--data", "DATA", "--text-column", "text", "--methods", "LIME"], 2, "--methods must be"),
    (["M", "--data", "DATA", "--text-column", "text", "--max-calls", "0"], 2, "must be above 0"),
    (["M", "--data", "DATA", "--text-column", "text", "--limit", "0"], 2, "limit must be at least"),
    (["M", "--data", "DATA", "--text-column", "text", "--fresh"], 2, "give -o FOLDER too"),
    (["M", "--data", "DATA", "--text-column", "txt"], 3, "no column 'txt': it has 'text', 'label'"),
    (["M", "--data", "DATA", "--text-column", "text", "--on-bad", "refuse"], 3, "row 4: the text"),
    (["M", "--data", "no.csv", "--text-column", "text"], 3, "cannot read no.csv"),
    (["M", "--data", "DATA", "--text-column", "text", "--label-column", "who"], 3, "label 'a'"),
    (["no/such/x", "--data", "DATA", "--text-column", "text"], 3, "is neither a folder"),
    (["--compare", "a.json"], 2, "--compare"),
    (["--compare", "a.json", "b.json"], 3, "cannot read a.json"),
    (["M", "--compare", "a.json", "b.json"], 2, "--compare takes two reports"),
]


@pytest.mark.parametrize(("arguments", "code", "said"), USAGE)
def test_wrong_usage_is_one_line(
    arguments: list[str],
    code: int,
    said: str,
    classifier: Path,
    table: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    real = {"M": str(classifier), "DATA": str(table)}
    result = Result(capsys, "audit", *(real.get(word, word) for word in arguments))
    assert result.code == code
    assert said in result.err
    assert result.err.count("\n") == 1
    assert result.out == ""


def test_compare_prints_and_fails_when_worse(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    old, new = tmp_path / "old.json", tmp_path / "new.json"
    old.write_text(to_text(synthetic_audit()), encoding="utf-8")
    new.write_text(to_text(synthetic_audit(shift=-0.6)), encoding="utf-8")
    same = Result(capsys, "audit", "--compare", old, old)
    assert (same.code, same.err) == (0, "")
    assert "Nothing moved by more than chance" in same.out
    worse = Result(capsys, "audit", "--compare", old, new)
    assert worse.code == 1
    assert "▼ worse" in worse.out
    found = json.loads(Result(capsys, "audit", "--compare", old, new, "--json").out)
    assert found["schema"] == "zhuyi.compare/1"
    assert found["worse"] > 0
    assert Result(capsys, "audit", "--compare", new, old).code == 0, "better is no failure"


def test_progress_is_plain_lines_where_stderr_is_no_terminal(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    now = [0.0]
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    show = audit_verb._progress(quiet=False)
    for second in range(0, 40, 4):
        now[0] = float(second)
        stage = Said(en="testing", zh="检验")
        show(Progress(stage=stage, done=second, total=100, seconds_left=200.0 - second))
    lines = capsys.readouterr().err.splitlines()
    assert lines == [f"testing: {n} of 100, about 3 min left" for n in (12, 24, 36)]
    audit_verb._progress(quiet=True)(Progress(stage=stage, done=1, total=2, seconds_left=None))
    assert capsys.readouterr().err == ""


def test_the_flags_name_every_method() -> None:
    assert audit_verb._METHODS == METHODS
    assert {type(one).__name__ for one in auditing._methods(METHODS)} == set(METHODS)


def test_labels_are_read_as_names_or_as_indices() -> None:
    def rows(*labels: str | None) -> list[Row]:
        return [Row(number=i, text="x", label=one) for i, one in enumerate(labels, 1)]

    names = ("NEGATIVE", "POSITIVE")
    assert named_labels(rows("POSITIVE", None, "NEGATIVE"), names) == ("POSITIVE", None, "NEGATIVE")
    assert named_labels(rows("positive", "Negative"), names) == ("POSITIVE", "NEGATIVE")
    assert named_labels(rows("1", "0", "1"), names) == ("POSITIVE", "NEGATIVE", "POSITIVE")
    assert named_labels(rows("1", "0"), ("1", "0")) == ("1", "0"), "names come before indices"
    assert named_labels(rows("a", "A"), ("a", "A")) == ("a", "A")
    assert named_labels(rows("1"), ("", "")) == ("class 1",)
    for labels in (("neutral",), ("1", "POSITIVE"), ("2",), ("-1",), ("POSITIVE", "2")):
        with pytest.raises(InputError, match=r"neither a name .* nor an index from 0 to 1"):
            named_labels(rows(*labels), names)
    with pytest.raises(InputError, match="row 2 has the label 'neutral'"):
        named_labels(rows("positive", "neutral"), names)


def test_one_class_needs_two_labels() -> None:
    assert one_class_only(["A", "B"]) is None
    assert one_class_only(["A"]) is None
    assert one_class_only([None, None]) is None
    said = one_class_only(["A", None, "A"])
    assert said is not None
    assert "A" in said.en
    assert "A" in said.zh


@pytest.mark.long
def test_an_interrupted_audit_goes_on(classifier: Path, table: Path, tmp_path: Path) -> None:
    """Ctrl-C in a process of its own, then the same command again."""
    folder = tmp_path / "out"
    command = [
        sys.executable, "-c", "from zhuyi.ui.cli import main; main()", "audit", str(classifier),
        "--data", str(table), "--text-column", "text", "-o", str(folder),
    ]  # fmt: skip
    first = subprocess.Popen(command, stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    journal = folder / "audit.journal.jsonl"
    while first.poll() is None and not (journal.exists() and journal.stat().st_size > 2000):
        time.sleep(0.01)
    first.send_signal(signal.SIGINT)
    _, said = first.communicate(timeout=120)
    assert first.returncode in (0, 130), said
    assert "Traceback" not in said
    again = subprocess.run(command, capture_output=True, text=True, check=False, timeout=300)
    assert again.returncode == 0, again.stderr
    report = from_text((folder / "report.json").read_text(encoding="utf-8"))
    assert len(report.inputs) == 9
