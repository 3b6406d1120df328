"""`zhuyi steer`: what it prints, what it checks, and how it fails."""

import json
import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import typer

from tests.trace.subject_models import bert, bert_tokenizer
from zhuyi.errors import OptionError, ZhuyiError
from zhuyi.learn import AttentionClassifier, load
from zhuyi.steer import Column, Rules
from zhuyi.steer import steer as steer_block
from zhuyi.ui.cli.steer import steer

TEXT = "the quick brown fox jumped over the lazy dog."


@pytest.fixture(scope="module")
def classifier(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("models") / "tiny-bert"
    model = bert()
    model.config.id2label = {0: "BAD", 1: "GOOD", 2: "SO-SO"}
    model.save_pretrained(folder)
    bert_tokenizer().save_pretrained(folder)
    return folder


@pytest.fixture(scope="module")
def app() -> typer.Typer:
    made = typer.Typer(add_completion=False, pretty_exceptions_enable=False)
    made.command()(steer)
    return made


class Result:
    """Exit code, stdout and error of one run."""

    def __init__(
        self, app: typer.Typer, capsys: pytest.CaptureFixture[str], *arguments: object
    ) -> None:
        self.code, self.error = 0, ""
        try:
            app(args=[str(one) for one in arguments], standalone_mode=False)
        except SystemExit as stop:
            self.code = int(stop.code or 0)
        except OptionError as error:
            self.code, self.error = 2, str(error)
        except ZhuyiError as error:
            self.code, self.error = 3, str(error)
        self.out, self.err = capsys.readouterr()


def rules_file(folder: Path, *lines: str) -> Path:
    path = folder / "rules.yaml"
    path.write_text("\n".join(["version: 1", *lines]) + "\n", encoding="utf-8")
    return path


def test_terminal(
    app: typer.Typer, classifier: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rules = rules_file(
        tmp_path,
        "rules:",
        "  - {id: more, boost: {text: fox}, weight: 4}",
        "  - {id: never, veto: {text: dog}}",
        "  - {id: nothing, boost: {text: cat}, weight: 2}",
    )
    result = Result(app, capsys, classifier, "--text", TEXT, "--rules", rules)
    assert (result.code, result.err) == (0, "")
    assert re.search(r"Decided: .*\(\d+\.\d%\)  →  ", result.out)
    assert re.search(r"more +'fox' +\+1\.39 ", result.out)
    assert re.search(r"never +'dog' +veto ", result.out)
    assert "nothing here" in result.out
    assert "Measured on these inputs" in result.out
    strict = Result(app, capsys, classifier, "--text", TEXT, "--rules", rules, "--strict")
    assert strict.code == 1


def test_json_and_emphasis(
    app: typer.Typer, classifier: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    marked = "the quick (brown fox:2) jumped over the [lazy] dog."
    result = Result(app, capsys, classifier, "--text", marked, "--emphasis", "--json", "--quiet")
    found = json.loads(result.out)
    assert found["schema"] == "zhuyi.steer/1"
    assert found["labels"] == ["BAD", "GOOD", "SO-SO"]
    assert [one["shown"] for one in found["report"]["rules"]] == [["brown fox"], ["lazy"]]
    assert found["certificate"] is None
    (decision,) = found["decisions"]
    assert sum(decision["before"]) == pytest.approx(1, abs=1e-5)
    assert decision["before"] != decision["after"]


def test_checks(
    app: typer.Typer, classifier: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    others = tmp_path / "others.txt"
    others.write_text("the lazy dog jumped\n\nover the dog\n", encoding="utf-8")
    rule = "rules: [{id: more, boost: {text: fox}, weight: 4}]"
    call = (classifier, "--text", TEXT, "--others", others, "--check", "--rules")
    good = rules_file(tmp_path, rule, "expect: [{rule: more, collateral_kl: '<=0.0'}]")
    result = Result(app, capsys, *call, good)
    assert result.code == 0
    assert "✔ more: expected collateral KL <=0.0, found 0" in result.out
    bad = rules_file(tmp_path, rule, "expect: [{rule: more, effect: '>=0.99'}]")
    result = Result(app, capsys, *call, bad)
    assert result.code == 1
    assert "✘ more: expected effect >=0.99, found " in result.out
    none = rules_file(tmp_path, rule)
    assert "--check needs rules that expect" in Result(app, capsys, *call, none).error


def test_a_veto_is_certified_or_says_why_not(
    app: typer.Typer, classifier: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rules = rules_file(
        tmp_path,
        "rules: [{id: never, veto: {text: fox}}]",
        "expect: [{rule: never, invariant_to: swap}]",
    )
    call = (classifier, "--text", TEXT, "--rules", rules, "--check", "--json")
    result = Result(app, capsys, *call)
    assert result.error == ""
    found = json.loads(result.out)
    assert found["certificate"]["rules"][0]["rule"] == "never"
    assert found["report"]["rules"][0]["certified"]
    assert result.code == (0 if found["expected"][0]["held"] else 1)
    assert found["expected"][0]["found"] == "bit-equal"


WRONG = {
    "no rules": (["--text", TEXT], 2, "give --rules FILE"),
    "no text": (["--text", " ", "--emphasis"], 2, "at least one word"),
    "no marks": (["--text", TEXT, "--emphasis"], 3, "holds no marks"),
    "marks of two texts": (
        ["--text", "(a)", "--text", "(b)", "--emphasis"],
        2,
        "one --text, got 2",
    ),
    "no file": (["--text", TEXT, "--rules", "none.yaml"], 3, "cannot be read"),
    "no others": (["--text", "(a)", "--emphasis", "--others", "none.txt"], 3, "cannot read none"),
    "another task": (["--text", "(a)", "--emphasis", "--task", "similarity"], 2, "--task must be"),
    "no target": (["--text", "(fox)", "--emphasis", "--target", "UGLY"], 3, "is not one of the 3"),
}


@pytest.mark.parametrize("name", WRONG)
def test_wrong_usage(
    app: typer.Typer, classifier: Path, capsys: pytest.CaptureFixture[str], name: str
) -> None:
    arguments, code, told = WRONG[name]
    result = Result(app, capsys, classifier, *arguments)
    assert (result.code, result.out) == (code, "")
    assert told in result.error


ROWS = pd.DataFrame(np.random.default_rng(0).normal(size=(60, 3)), columns=["age", "dose", "sex"])


@pytest.fixture(scope="module")
def estimator(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("models") / "fitted"
    model = AttentionClassifier(max_epochs=5, random_state=0)
    model.fit(ROWS, np.where(ROWS.dose + ROWS.sex > 0, "ill", "well")).save(folder)
    return folder


def test_rows_of_a_fitted_model(
    app: typer.Typer, estimator: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    ROWS.to_csv(tmp_path / "rows.csv", index=False)
    rules = rules_file(
        tmp_path, "rules:", "  - {id: never, veto: {column: sex}}",
        "expect:", "  - {rule: never, invariant_to: swap}",
    )  # fmt: skip
    asked = (estimator, "--data", tmp_path / "rows.csv", "--rules", rules, "--check")
    shown = Result(app, capsys, *asked, "--limit", 12)
    assert shown.code == 0, shown.error
    assert "row 10\n" in shown.out
    assert "row 11\n" not in shown.out
    assert re.search(r"… and 2 more; \d+ of 12 changed\.", shown.out)
    assert "\n  [held] the gradient" in shown.out
    told = json.loads(Result(app, capsys, *asked, "--limit", 3, "--target", "ill", "--json").out)
    assert told["certificate"]["rules"][0]["level"] == "exact"
    model = load(estimator)
    before = model.predict_proba(ROWS[:3])
    with steer_block(model, Rules().veto(Column("sex"))):
        after = model.predict_proba(ROWS[:3])
    for row, said in enumerate(told["decisions"]):
        np.testing.assert_allclose(said["before"], before[row], rtol=0, atol=1e-6)
        np.testing.assert_allclose(said["after"], after[row], rtol=0, atol=1e-6)
    assert np.abs(before - after).max() > 1e-3


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ((), "give it rows with --data FILE"),
        (("--text", "a"), "--text is for language models"),
        (("--data", "rows.csv", "--emphasis"), "--emphasis is for language models"),
        (("--data", "rows.csv", "--limit", "0"), "--limit must be 1 or more, got 0"),
    ],
)
def test_what_a_fitted_model_is_not_asked(
    app: typer.Typer,
    estimator: Path,
    capsys: pytest.CaptureFixture[str],
    more: tuple[str, ...],
    said: str,
) -> None:
    result = Result(app, capsys, estimator, *more)
    assert result.code == 2
    assert said in result.error


def test_rows_are_for_fitted_models(
    app: typer.Typer, classifier: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    result = Result(app, capsys, classifier, "--data", "rows.csv")
    assert "--data is for models that zhuyi fit made" in result.error
    assert "give at least one --text" in Result(app, capsys, classifier).error
