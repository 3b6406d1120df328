"""A recipe's files: the JSON and its published schema, the Markdown, the folder, the terminal."""

import io
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from rich.console import Console

from tests.ui.synthetic_recipe import synthetic_recipe
from zhuyi.errors import InputError
from zhuyi.recipes.intervals import Interval
from zhuyi.recipes.records import RecipeReport
from zhuyi.ui.report.recipe.card import build_recipe_card
from zhuyi.ui.report.recipe.folder import save_run
from zhuyi.ui.report.recipe.publish_schema import PUBLISHED
from zhuyi.ui.report.recipe.record import SCHEMA, schema, to_json
from zhuyi.ui.terminal_recipe import show_run

EVIL = "</script> [a](http://e.org) *b* `c` |d|\n# title\n\ud83d\x1b[31m\u202e"
REPORT = synthetic_recipe()


def test_the_json_fits_its_schema_which_is_published() -> None:
    kind = jsonschema.Draft202012Validator
    kind.check_schema(schema())
    values = json.loads(to_json(REPORT))
    kind(schema()).validate(values)
    assert values["schema"] == SCHEMA == "zhuyi.recipe/1"
    assert json.loads(PUBLISHED.read_text(encoding="utf-8")) == schema(), (
        "python -m zhuyi.ui.report.recipe.publish_schema"
    )


BREAKING: dict[str, Callable[[Any], object]] = {
    "no parts": lambda values: values.pop("parts"),
    "another version": lambda values: values.update(schema="zhuyi.recipe/0"),
    "an unknown role": lambda values: values["parts"][0]["comparisons"][0]["scores"][0].update(
        role="best"
    ),
    "an unknown verdict": lambda values: values["parts"][0]["audit"].update(verdict="fine"),
    "half an audit": lambda values: values["parts"][0]["audit"]["methods"][0].pop("numbers"),
    "a field too many": lambda values: values["parts"][0]["checks"][0].update(more=1),
}


@pytest.mark.parametrize("how", BREAKING)
def test_the_schema_refuses(how: str) -> None:
    values = json.loads(to_json(REPORT))
    BREAKING[how](values)
    assert not jsonschema.Draft202012Validator(schema()).is_valid(values)


def test_the_schema_describes_its_fields() -> None:
    described = schema()["$defs"]["Score"]["properties"]
    assert described["source"]["description"].startswith("of a published figure")


def test_json_is_exact_and_can_be_written_whatever_it_holds() -> None:
    hostile = to_json(synthetic_recipe(evil=EVIL))
    hostile.encode("utf-8")
    assert EVIL in json.loads(hostile)["title"]["en"]
    assert to_json(REPORT, ascii_only=True).isascii()
    assert json.loads(to_json(REPORT, ascii_only=True)) == json.loads(to_json(REPORT))


def test_a_number_that_is_none_is_refused_by_its_place() -> None:
    part = REPORT.parts[1]
    comparison = part.comparisons[0]
    nan = Interval(value=float("nan"), lower=None, upper=None, how="")
    scores = (replace(comparison.scores[0], value=nan),)
    broken = replace(
        REPORT, parts=(replace(part, comparisons=(replace(comparison, scores=scores),)),)
    )
    with pytest.raises(
        InputError, match=r"parts\[0\]\.comparisons\[0\]\.scores\[0\]\.value\.value"
    ):
        to_json(broken)


def test_the_text_has_all_that_counts_and_ends_with_what_is_forbidden() -> None:
    text = build_recipe_card(REPORT)
    for part in ("✗ wrong: The first factor is a cause: 91.2 % (301 of 330 failures)",
                 "| with 2 mixing layers | ours | 0.802 | 0.741 … 0.863 | 455.0 |",
                 "Torque \\[Nm\\] = 65.7 +3.100", "further factors: 4 +0.200", "**Trusted**",
                 "notes.csv cannot be had", "> 高血压病史5年"):  # fmt: skip
        assert part in text, part
    assert text.index("## What this must not be used for") > text.index("A simulated engine")
    assert "禁止用途" in build_recipe_card(REPORT, lang="zh")
    assert "quick" not in text.lower()
    assert "quick run" in build_recipe_card(synthetic_recipe(quick=True)).lower()


def test_text_of_data_is_no_markdown() -> None:
    markdown_it = pytest.importorskip("markdown_it")
    html = markdown_it.MarkdownIt("gfm-like", {"linkify": False}).render(
        build_recipe_card(synthetic_recipe(evil=EVIL))
    )
    for tag in ("<a ", "<em>", "<code>", "</script>"):
        assert tag not in html, tag
    assert html.count("<h1>") == 1


def test_the_folder_holds_all_files(tmp_path: Path) -> None:
    page = save_run(REPORT, tmp_path / "new" / "out")
    assert sorted(path.name for path in page.parent.iterdir()) == [
        "manufacturing-failures-audit.html",
        "manufacturing.html",
        "manufacturing.json",
        "manufacturing.md",
    ]
    blocked = tmp_path / "file"
    blocked.write_text("")
    with pytest.raises(InputError, match="cannot make the folder"):
        save_run(REPORT, blocked / "out")


def printed(report: RecipeReport, *, lang: str = "en") -> str:
    stream = io.StringIO()
    show_run(report, Console(file=stream, width=200, highlight=False), page=None, lang=lang)
    return stream.getvalue()


def test_the_terminal_shows_the_models_side_by_side_and_limits_last() -> None:
    text = printed(REPORT)
    order = [text.index(part) for part in (
        "The factor named first is a true cause", "never a failure", "gradient boosting    ",
        "with 2 mixing layers", "the published rules", "✓ right", "✗ wrong", "machine 70",
        "The data are synthetic.", "Remaining life", "What this must not be used for",
    )]  # fmt: skip
    assert order == sorted(order)
    assert "设备故障及其原因" in printed(REPORT, lang="zh")


def test_text_of_data_cannot_steer_the_terminal() -> None:
    text = printed(synthetic_recipe(evil=EVIL))
    assert "\x1b" not in text
    assert "\u202e" not in text
