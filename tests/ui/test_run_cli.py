"""`zhuyi run`: what it runs, writes and prints, and how it fails."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from tests.ui.synthetic_recipe import synthetic_recipe
from tests.ui.test_cli import Result
from zhuyi.errors import DataUnavailable, OptionError
from zhuyi.recipes import running
from zhuyi.recipes.records import Options, RecipeReport
from zhuyi.ui.cli import run as run_verb

REPORT = synthetic_recipe()


def all_held(report: RecipeReport) -> RecipeReport:
    parts = tuple(
        replace(part, checks=tuple(replace(check, held=True) for check in part.checks))
        for part in report.parts
    )
    return replace(report, parts=parts)


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, Options]]:
    """Nothing is run: what is asked for is written down, and a report made by hand comes."""
    calls: list[tuple[str, Options]] = []

    def answer(name: str, options: Options | None = None) -> RecipeReport:
        assert options is not None
        calls.append((name, options))
        options.listener("failures", "glass box", 1, 2)
        return all_held(REPORT) if options.seed == 0 else REPORT

    monkeypatch.setattr(running, "run", answer)
    return calls


def test_flags_become_options(
    capsys: pytest.CaptureFixture[str], asked: list[tuple[str, Options]]
) -> None:
    parts = ("--part", "life", "--part", "failures")
    found = Result(capsys, "run", "manufacturing", *parts, "--quick", "--offline")
    assert found.code == 0
    name, options = asked[0]
    assert name == "manufacturing"
    assert options.parts == ("life", "failures")
    assert (options.quick, options.download, options.seed) == (True, False, 0)
    Result(capsys, "run", "finance")
    assert asked[1][1].parts == ()
    assert (asked[1][1].quick, asked[1][1].download) == (False, True)


def test_files_and_summary(
    capsys: pytest.CaptureFixture[str], asked: list[tuple[str, Options]], tmp_path: Path
) -> None:
    found = Result(capsys, "run", "manufacturing", "-o", tmp_path / "out", "--lang", "zh")
    assert found.code == 0
    assert "设备故障及其原因" in found.out
    page = tmp_path / "out" / "manufacturing.html"
    assert '<html lang="zh-Hans">' in page.read_text(encoding="utf-8")
    assert (tmp_path / "out" / "manufacturing.json").is_file()


def test_json_is_all_that_is_printed(
    capsys: pytest.CaptureFixture[str], asked: list[tuple[str, Options]]
) -> None:
    found = Result(capsys, "run", "manufacturing", "--json")
    assert json.loads(found.out)["schema"] == "zhuyi.recipe/1"


def test_a_check_that_failed_is_exit_code_1(
    capsys: pytest.CaptureFixture[str], asked: list[tuple[str, Options]]
) -> None:
    found = Result(capsys, "run", "manufacturing", "--seed", "3", "--json")
    assert found.code == 1
    assert "1 check(s) did not hold: The first factor is a cause" in found.err
    assert json.loads(found.out)["seed"] == 3


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("cooking",), "the scenes are medicine, finance, manufacturing, got 'cooking'"),
        ((), "give a scene"),
        (("finance", "--lang", "de"), "--lang must be one of en, zh"),
        (("finance", "--seed", "x"), "--seed"),
        (("manufacturing", "--part", "cooking"), "parts of manufacturing are failures, life"),
    ],
)
def test_wrong_usage_is_exit_code_2(
    capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...], said: str
) -> None:
    found = Result(capsys, "run", *arguments)
    assert found.code == 2
    assert said in found.err
    assert found.out == ""


def test_data_that_cannot_be_had_is_exit_code_3(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(name: str, options: Options | None = None) -> RecipeReport:
        raise DataUnavailable("no part of manufacturing can run here")

    monkeypatch.setattr(running, "run", refuse)
    found = Result(capsys, "run", "manufacturing")
    assert found.code == 3
    assert "no part of manufacturing can run here" in found.err


def test_a_library_that_is_missing_is_named(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def lack(name: str, options: Options | None = None) -> RecipeReport:
        raise ModuleNotFoundError("No module named 'bt'", name="bt")

    monkeypatch.setattr(running, "run", lack)
    found = Result(capsys, "run", "finance")
    assert found.code == 3
    assert "needs bt: pip install 'zhuyi[recipes]'" in found.err


def test_the_list_names_every_part_with_its_data(capsys: pytest.CaptureFixture[str]) -> None:
    found = Result(capsys, "run", "--list", "manufacturing")
    assert found.code == 0
    for part in (
        "manufacturing --part failures",
        "manufacturing --part life",
        "AI4I 2020",
        "FD001",
    ):
        assert part in found.out


def test_the_scenes_of_the_flag_are_those_there_are() -> None:
    assert running.NAMES == run_verb._SCENES
    with pytest.raises(OptionError, match="the scenes are"):
        running.scene("cooking")
