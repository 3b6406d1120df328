"""A recipe's page as a file and in a real browser, network off: text, charts, bars, languages."""

import base64
import hashlib
import itertools
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.ui.synthetic_recipe import NOTE, synthetic_recipe
from tests.ui.test_audit_page import parsed, silent
from zhuyi.recipes.records import Factor
from zhuyi.ui.report.recipe import markup
from zhuyi.ui.report.recipe.decision import marked
from zhuyi.ui.report.recipe.folder import save_run
from zhuyi.ui.report.recipe.markup import element
from zhuyi.ui.report.recipe.numbers import shown, signed, ticks
from zhuyi.ui.report.recipe.page import build_recipe_page

EVIL = "</script><img src=x onerror=window.stolen=1>\"'&amp;\u202e\ud83d<!--<script>"
Visit = Callable[..., Any]
REPORT = synthetic_recipe()


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_run(REPORT, tmp_path_factory.mktemp("recipe") / "out")


def ready(opened: Any) -> Any:
    opened.page.wait_for_selector("html[data-ready=yes]")
    return opened.page


# --- as a file --------------------------------------------------------------------------------


def test_policy_allows_exactly_the_script_and_style_inside() -> None:
    page = build_recipe_page(REPORT, audits={"failures": "audit.html"})
    tags = parsed(page)
    policy = next(a["content"] for t, a in tags.tags if a.get("http-equiv"))
    assert policy is not None
    assert policy.startswith("default-src 'none'; ")
    assert "unsafe" not in policy
    for kind, directive in (("script", "script-src"), ("style", "style-src")):
        inside = [body for tag, body in tags.inside if tag == kind]
        assert len(inside) == 1
        digest = base64.b64encode(hashlib.sha256(inside[0].encode()).digest()).decode()
        assert f"{directive} 'sha256-{digest}';" in policy
    for tag, attributes in tags.tags:
        assert not {"src", "style"} & set(attributes), tag
        assert not any(name.startswith("on") for name in attributes), tag
        assert str(attributes.get("href", "#")).startswith(("#", "data:,", "audit.html"))
    assert not re.search(r"\b(fetch|XMLHttpRequest|WebSocket|EventSource|innerHTML)\b", page)


def dangerous(page: str) -> list[str]:
    return [tag for tag, _ in parsed(page).tags if tag in ("img", "iframe", "object")]


def test_hostile_text_stays_text_and_the_test_can_fail(monkeypatch: pytest.MonkeyPatch) -> None:
    hostile = synthetic_recipe(evil=EVIL)
    page = build_recipe_page(hostile)
    assert not dangerous(page)
    assert page.count("&lt;img src=x") >= 12, "it did reach the page, as text"
    assert [tag for tag, _ in parsed(page).tags].count("script") == 1
    page.encode("utf-8")  # half an emoji could not be written
    monkeypatch.setattr(markup, "escaped", lambda text: text)
    assert dangerous(build_recipe_page(hostile))


def test_same_report_same_page() -> None:
    assert build_recipe_page(REPORT) == build_recipe_page(synthetic_recipe())


def test_an_attribute_cannot_be_left() -> None:
    assert element("p", title='" onclick="x') == '<p title="&quot; onclick=&quot;x"></p>'


@pytest.mark.parametrize(
    ("value", "text"),
    [(0.81234, "0.812"), (-14.934, "−14.93"), (123.45, "123.5"), (1234.5, "1,234"), (0.0, "0.000")],
)
def test_numbers(value: float, text: str) -> None:
    assert shown(value) == text
    assert signed(abs(value)) == "+" + shown(abs(value))


@pytest.mark.parametrize("values", [[0.0, 0.917], [12.1, 45.1], [-0.02, 0.003], [5.0], [0.0, 0.0]])
def test_an_axis_holds_all_values_in_few_round_steps(values: list[float]) -> None:
    found = ticks(values)
    assert found[0] <= min(values) <= max(values) <= found[-1]
    assert 2 <= len(found) <= 7
    steps = {round(b - a, 9) for a, b in itertools.pairwise(found)}
    assert len(steps) == 1


def test_words_of_a_text_are_marked_where_they_stand() -> None:
    html = str(marked(REPORT.parts[0].decisions[1]))
    assert re.sub("<[^>]*>", "", html) == NOTE, "nothing added, nothing lost"
    found = re.findall(r'<mark class="(\w+) (s\d)"[^>]*>([^<]*)</mark>', html)
    assert found == [("for", "s3", "高血压"), ("for", "s2", "高血脂"), ("against", "s2", "糖尿病")]


def test_a_word_that_occurs_twice_is_marked_twice() -> None:
    factors = tuple(Factor(name="ab", value="", weight=0.1, contribution=1.0) for _ in range(3))
    one = replace(REPORT.parts[0].decisions[1], factors=factors, text="abxab")
    assert re.sub(r" (class|title)=\"[^\"]*\"", "", marked(one)) == (
        "<mark>ab</mark>x<mark>ab</mark>"
    )


# --- in a browser -----------------------------------------------------------------------------


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [390, 1200])
def test_it_opens_in_silence_and_fits(path: Path, visit: Visit, scheme: str, width: int) -> None:
    opened = visit(path, color_scheme=scheme, viewport={"width": width, "height": 900})
    page = ready(opened)
    for _ in range(2):
        page.click("#language")
        page.click("#theme")
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    silent(opened, path)


def test_it_leads_with_the_answers(path: Path, visit: Visit) -> None:
    page = ready(visit(path, viewport={"width": 1200, "height": 900}))
    seen = page.evaluate(
        """() => [...document.querySelectorAll('h1, .answers li')]
        .filter((e) => e.getBoundingClientRect().bottom < innerHeight).map((e) => e.innerText)"""
    )
    assert seen[0] == REPORT.title.en
    assert [REPORT.parts[0].answer.en in seen[1], REPORT.parts[1].answer.en in seen[2]] == [
        True
    ] * 2
    assert page.inner_text(".tally-line") == "1 of 2 checks held"
    assert "notes.csv cannot be had" in page.inner_text(".skipped")


def test_dots_and_intervals_stand_where_the_numbers_are(path: Path, visit: Visit) -> None:
    page = ready(visit(path))
    for place, part in enumerate(REPORT.parts):
        table = page.locator(".comparison").nth(place)
        comparison = part.comparisons[0]
        numbers = [float(one) for one in table.locator(".axis-line text").all_text_contents()]
        low, high = numbers[0], numbers[-1]

        def expected(value: float, low: float = low, high: float = high) -> float:
            return 3.0 + 94.0 * (value - low) / (high - low)

        rows = table.locator("tbody tr").all()
        assert len(rows) == len(comparison.scores)
        for row, score in zip(rows, comparison.scores, strict=True):
            at = float(row.locator("svg.at").get_attribute("x").rstrip("%"))
            assert at == pytest.approx(expected(score.value.value), abs=0.01)
            if score.value.lower is None:
                assert row.locator(".range").count() == 0
                assert "no interval" in row.inner_text()
                continue
            ends = [float(row.locator(".range").get_attribute(e).rstrip("%")) for e in ("x1", "x2")]
            assert ends == pytest.approx(
                [expected(score.value.lower), expected(score.value.upper)], abs=0.01
            )


def test_roles_are_told_apart_without_color_and_the_best_is_named(path: Path, visit: Visit) -> None:
    page = ready(visit(path))
    marks = {
        role: page.locator(f".comparison tbody .track.{role} .mark").first.get_attribute("d")
        for role in ("trivial", "simple", "ours", "published")
    }
    assert len(set(marks.values())) == 4
    best = page.locator("tr.best").all_inner_texts()
    assert ["with 2 mixing layers" in best[0], "glass box" in best[1]] == [True, True]
    assert all("our best" in text for text in best)
    notes = page.locator(".comparison .note").all_inner_texts()
    assert "best simple model: gradient boosting, 0.781" in notes[0]
    assert "further right is better" in page.locator(".chart .way").first.inner_text()
    assert "further left is better" in page.locator(".chart .way").last.inner_text()


def test_bars_start_at_zero_go_the_right_way_and_add_up(path: Path, visit: Visit) -> None:
    page = ready(visit(path))
    for place, one in enumerate(REPORT.parts[0].decisions):
        card = page.locator(".decision-card").nth(place)
        amounts = [
            float(text.replace("−", "-"))
            for text in card.locator("td.figure:not(.weight)").all_inner_texts()
        ]
        assert amounts[-1] == pytest.approx(sum(amounts[:-1]), abs=0.006)
        total = one.constant + sum(factor.contribution for factor in one.factors)
        assert amounts[-1] == pytest.approx(total, abs=0.001)
        widest = max(map(abs, amounts))
        for amount, bar in zip(amounts, card.locator("rect").all(), strict=True):
            left, width = (float(bar.get_attribute(n).rstrip("%")) for n in ("x", "width"))
            assert width == pytest.approx(50.0 * abs(amount) / widest, abs=0.05)
            assert (left if amount >= 0 else left + width) == pytest.approx(50.0, abs=0.01)
            assert bar.get_attribute("class") == ("for" if amount >= 0 else "against")
    assert page.locator(".decision-card .chip").all_inner_texts() == ["Trusted", "Not verified"]
    assert "further factors: 4" in page.locator(".decision-card").nth(1).inner_text()


def test_checks_say_right_or_wrong_with_their_numbers(path: Path, visit: Visit) -> None:
    page = ready(visit(path))
    lines = page.locator(".checks li").all_inner_texts()
    assert lines[0].startswith("right")
    assert "4.4e-15" in lines[0]
    assert "at most 1e-05" in lines[0]
    assert lines[1].startswith("wrong")
    assert "at least 95 %" in lines[1]


def test_the_audit_is_beside_it_and_opens(path: Path, visit: Visit) -> None:
    opened = visit(path)
    page = ready(opened)
    assert "Trusted" in page.inner_text(".verdict .word-verdict")
    assert "Leave one out" in page.inner_text(".verdict .facts")
    page.click(".verdict a")
    ready(opened)
    assert page.url.endswith("/manufacturing-failures-audit.html")
    assert opened.complaints == []


def test_chinese_is_chinese_throughout(path: Path, visit: Visit) -> None:
    page = ready(visit(path))
    page.click("#language")
    assert page.get_attribute("html", "lang") == "zh-Hans"
    for selector, part in (
        ("h1", REPORT.title.zh),
        (".forbidden", "禁止用途"),
        (".checks", "要求："),
    ):
        assert part in page.inner_text(selector)
    assert page.locator("[lang=en].t").first.is_hidden()
    assert "What this must not" not in page.inner_text("body")


def test_without_scripts_the_page_is_whole(path: Path, visit: Visit, tmp_path: Path) -> None:
    zh = tmp_path / "zh.html"
    zh.write_text(build_recipe_page(REPORT, lang="zh"), encoding="utf-8")
    page = visit(zh, java_script_enabled=False).page
    assert page.inner_text("h1") == REPORT.title.zh
    page = visit(path, java_script_enabled=False).page
    assert page.inner_text("h1") == REPORT.title.en
    assert page.locator(".chart .mark").count() >= 10
    assert not page.is_visible("#theme")


def test_it_ends_with_what_it_must_not_be_used_for(path: Path, visit: Visit) -> None:
    page = ready(visit(path))
    last = page.locator("main > section").last
    assert last.locator("h2").inner_text() == "What this must not be used for"
    assert last.locator("li").all_inner_texts() == [one.en for one in REPORT.forbidden]
