"""The audit's page as a file and in a real browser, network off: text, filters, languages."""

import base64
import hashlib
import json
import re
from collections.abc import Callable
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from tests.ui.synthetic_audit import synthetic_audit
from zhuyi.ui.report.audit.page import build_audit_page

EVIL = "</script><img src=x onerror=window.stolen=1>%%SCRIPT%%{n}\u2028<!--<script>"
Visit = Callable[..., Any]
REPORT = synthetic_audit()


class Tags(HTMLParser):
    """Every tag with its attributes, and the text inside scripts and styles."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.inside: list[tuple[str, str]] = []
        self.data: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        self.data = []

    def handle_data(self, data: str) -> None:
        self.data.append(data)

    def handle_endtag(self, tag: str) -> None:
        if tag in ("script", "style"):
            self.inside.append((tag, "".join(self.data)))


def parsed(page: str) -> Tags:
    tags = Tags()
    tags.feed(page)
    return tags


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    written = tmp_path_factory.mktemp("audit") / "report.html"
    written.write_text(build_audit_page(REPORT), encoding="utf-8")
    return written


def ready(opened: Any) -> Any:
    opened.page.wait_for_selector("html[data-ready=yes]")
    return opened.page


def open_all(page: Any) -> None:
    """Everything that unfolds, and what unfolds inside of it."""
    for _ in range(3):
        page.evaluate("document.querySelectorAll('details').forEach((one) => { one.open = true; })")
        page.wait_for_timeout(80)
    assert page.locator(".finding .numbers").count() >= 18


def silent(opened: Any, path: Path) -> None:
    assert opened.complaints == []
    others = [url for url in opened.requests if not url.startswith("data:")]
    assert others == [path.resolve().as_uri()], "the page asked for something"


def text(page: Any, name: str) -> str:
    return str(page.text_content(f"#{name}"))


# --- as a file --------------------------------------------------------------------------------


def test_policy_allows_exactly_the_script_and_style_inside() -> None:
    tags = parsed(build_audit_page(REPORT))
    policy = next(a["content"] for t, a in tags.tags if a.get("http-equiv"))
    assert policy is not None
    assert policy.startswith("default-src 'none'; ")
    assert "unsafe" not in policy
    assert "http" not in policy
    for kind, directive in (("script", "script-src"), ("style", "style-src")):
        inside = [body for tag, body in tags.inside if tag == kind][-1]
        digest = base64.b64encode(hashlib.sha256(inside.encode()).digest()).decode()
        assert f"{directive} 'sha256-{digest}';" in policy
    for tag, attributes in tags.tags:
        assert not {"src", "style"} & set(attributes), tag
        assert not any(name.startswith("on") for name in attributes), tag
        assert str(attributes.get("href", "#")).startswith(("#", "data:,"))
    assert not re.search(
        r"\b(fetch|XMLHttpRequest|WebSocket|EventSource|innerHTML)\b", build_audit_page(REPORT)
    )


def test_hostile_text_stays_data_and_the_test_can_fail(monkeypatch: pytest.MonkeyPatch) -> None:
    hostile = synthetic_audit(evil=EVIL)
    tags = parsed(build_audit_page(hostile))
    assert not [tag for tag, _ in tags.tags if tag in ("img", "iframe", "object")]
    assert [tag for tag, _ in tags.tags].count("script") == 2
    monkeypatch.setattr("zhuyi.ui.report.audit.page.to_json", json.dumps)
    assert [tag for tag, _ in parsed(build_audit_page(hostile)).tags if tag == "img"]


def test_same_report_same_page() -> None:
    assert build_audit_page(REPORT) == build_audit_page(synthetic_audit())


def test_a_page_that_cannot_hold_all_keeps_the_worst(visit: Visit, tmp_path: Path) -> None:
    small = tmp_path / "small.html"
    small.write_text(build_audit_page(REPORT, budget=14_000), encoding="utf-8")
    page = ready(visit(small))
    assert page.locator('[data-verdict="refuted"]').text_content() == "Refuted 4"
    page.click('[data-verdict="refuted"]')
    assert page.locator("#list .input").count() == 4
    page.click('[data-verdict="trusted"]')
    assert page.locator("#list .input").count() < 12
    assert re.search(r"carries \d+ of 24 inputs; report.json has all", text(page, "matching"))
    assert len(small.read_bytes()) < len(build_audit_page(REPORT).encode())


# --- in a browser -----------------------------------------------------------------------------


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [400, 1280])
def test_every_part_opens_in_silence_and_fits(
    path: Path, visit: Visit, scheme: str, width: int
) -> None:
    opened = visit(path, color_scheme=scheme, viewport={"width": width, "height": 800})
    page = ready(opened)
    open_all(page)
    for stat in ("reach", "distance", "first", "special", "peak", "entropy"):
        page.select_option("#stat", stat)
        assert page.locator("#heads button").count() == 72
    page.click("#language")
    for _ in range(3):
        page.click("#theme")
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    silent(opened, path)


def test_it_leads_with_the_answer(path: Path, visit: Visit) -> None:
    page = ready(visit(path, viewport={"width": 1280, "height": 800}))
    seen = page.evaluate(
        """() => [...document.querySelectorAll('h1, .word-verdict, .answer, .verdict li')]
        .filter((e) => e.getBoundingClientRect().bottom < innerHeight).map((e) => e.textContent)"""
    )
    assert seen == [
        "demo/sentiment-mini",
        "Trusted: it passed the tests",
        REPORT.answer.en,
        *(reason.en for reason in REPORT.reasons),
    ]
    for part in ("86 % (81 % to 91 %)", "24 of 27 rows of reviews.csv", "Leave one out"):
        assert part in text(page, "facts").replace("\xa0", " "), part
    assert page.locator(".verdict svg.icon").count() == 1, "a sign beside the color"


def test_verdicts_are_told_apart_without_color(path: Path, visit: Visit) -> None:
    page = ready(visit(path))
    shapes = {
        label: page.get_attribute(f"#by-verdict [data-verdict={label}] .shape", "d")
        for label in ("trusted", "doubtful", "refuted")
    }
    assert len(set(shapes.values())) == 3
    for chip in page.locator("#list .chip").all():
        assert chip.text_content() in ("Trusted", "Doubtful", "Refuted")


def test_filters_find_what_they_say(path: Path, visit: Visit) -> None:
    page = ready(visit(path))

    def rows() -> list[int]:
        shown = page.locator("#list .row").all_text_contents()
        return [int(one.removeprefix("row ")) for one in shown]

    def expected(keep: Callable[[Any], bool]) -> list[int]:
        return [one.row for one in REPORT.inputs if keep(one)]

    assert len(rows()) == 20
    page.click("#more")
    assert rows() == expected(lambda one: True)
    for label in ("trusted", "doubtful", "refuted"):
        page.click(f"#by-verdict [data-verdict={label}]")
        assert rows() == expected(lambda one, label=label: one.label == label)
    page.click("#by-verdict [data-verdict=all]")
    page.click("#more")
    page.select_option("#by-right", "wrong")
    assert rows() == expected(lambda one: one.truth not in (None, one.decision))
    assert "the data say" in str(page.text_content("#list"))
    page.select_option("#by-right", "untold")
    assert rows() == expected(lambda one: one.truth is None)
    page.select_option("#by-right", "any")
    page.select_option("#by-group", '["channel","phone"]')
    assert rows() == expected(lambda one: one.groups["channel"] == "phone")
    page.select_option("#by-group", "")
    page.fill("#find", "battery DIED")
    assert rows() == expected(lambda one: any(p.label == "battery" for p in one.pieces))
    page.fill("#find", "no such text")
    assert rows() == []
    assert "No input matches" in text(page, "matching")


def test_order_puts_the_least_believable_first(path: Path, visit: Visit) -> None:
    page = ready(visit(path))
    page.select_option("#by-order", "worst")
    chips = page.locator("#list .chip").all_text_contents()
    rank = {"Refuted": 0, "Doubtful": 1, "Trusted": 2}
    assert [rank[one] for one in chips] == sorted(rank[one] for one in chips)
    page.select_option("#by-order", "sure")
    shares = re.findall(r"([\d.]+)\xa0% sure", text(page, "list"))
    assert [float(one) for one in shares] == sorted(map(float, shares))


def test_sentences_and_numbers_are_the_report(path: Path, visit: Visit) -> None:
    page = ready(visit(path))
    for index in (0, 3, 4):
        one = REPORT.inputs[index]
        item = page.locator("#list .input").nth(index)
        plain = [piece for piece in one.pieces if not piece.special]
        assert item.locator(".words").first.text_content() == (
            plain[0].label + "".join(piece.gap + piece.label for piece in plain[1:])
        )
        item.locator("summary").click()
        item.locator("tbody tr").first.wait_for()
        first = item.locator("tbody tr").first.locator("td").all_text_contents()
        sizes = [0.0 if p.special else abs(v) for p, v in zip(one.pieces, one.values, strict=True)]
        best = sizes.index(max(sizes))
        assert first[0] == one.pieces[best].label
        assert float(first[1].replace("−", "-")) == pytest.approx(one.values[best], rel=5e-3)
        assert float(first[2]) == pytest.approx(one.attention[best], rel=5e-3)
        assert "not tested on this input, not a reason" in str(item.text_content())
        strongest = (
            item.locator(".words")
            .first.locator(".word")
            .evaluate_all(
                "(words) => words.map((w) => Number(w.style.getPropertyValue('--share')))"
            )
        )
        assert max(strongest) == pytest.approx(1.0)


def test_whiskers_stand_where_the_numbers_are(path: Path, visit: Visit) -> None:
    page = ready(visit(path))
    rows = page.locator("#methods tr:not(.findings)").all()[1:]
    assert len(rows) == len(REPORT.methods)
    for row, method in zip(rows, REPORT.methods, strict=True):
        picture = row.locator("svg.whisker").first
        skill = method.numbers["skill"]
        place = float(picture.locator(".dot").get_attribute("cx"))
        assert place == pytest.approx(5 + 158 * (skill.value + 1) / 2, abs=0.01)
        ends = [float(picture.locator(".range").get_attribute(end)) for end in ("x1", "x2")]
        assert ends == pytest.approx(
            [5 + 158 * (end + 1) / 2 for end in (skill.lower or 0, skill.upper or 0)], abs=0.01
        )
        zero = float(picture.locator(".zero").get_attribute("x1"))
        assert zero == pytest.approx(84.0), "random is marked in the middle"
        assert f"{skill.value:.2g}" in str(picture.get_attribute("aria-label")).replace("−", "-")
    assert "Random values" in text(page, "methods")


def test_small_groups_are_not_shown_in_numbers(path: Path, visit: Visit) -> None:
    page = ready(visit(path))
    row = page.locator("#groups tr", has_text="Chinese")
    assert "too few inputs to say anything" in str(row.text_content())
    assert row.locator("svg").count() == 0
    page.locator("#groups summary").first.click()
    page.locator("#groups .finding").first.wait_for()
    assert "more than chance" in text(page, "groups")


def test_both_languages_say_the_same(path: Path, visit: Visit) -> None:
    page = ready(visit(path))
    count = page.evaluate("document.querySelectorAll('main *').length")
    page.click("#language")
    assert page.get_attribute("html", "lang") == "zh-Hans"
    for said in (REPORT.answer.zh, REPORT.reasons[0].zh, REPORT.limits[0].zh, "可信：通过了检验"):
        assert said in str(page.text_content("main")), said
    assert REPORT.answer.en not in str(page.text_content("main"))
    assert page.evaluate("document.querySelectorAll('main *').length") == count
    page.click("#language")
    assert REPORT.answer.en in str(page.text_content("main"))


def test_strings_of_both_languages_have_the_same_names_and_marks() -> None:
    source = build_audit_page(REPORT)
    found = re.search(
        r"const STRINGS = \{\n  en: \{(.*?)\n  \},\n  zh: \{(.*?)\n  \},\n\};", source, re.S
    )
    assert found is not None
    entry = re.compile(r'(?:^|[ ,{])("?[\w. ]+"?): "((?:[^"\\]|\\.)*)"')
    english, chinese = (
        {name.strip(): said for name, said in entry.findall(part)} for part in found.groups()
    )
    assert len(english) > 100
    assert english.keys() == chinese.keys()
    for name, sentence in english.items():
        marks = [sorted(re.findall(r"\{(\w+)\}", one)) for one in (sentence, chinese[name])]
        assert marks[0] == marks[1], name


def test_keyboard_reaches_everything(path: Path, visit: Visit) -> None:
    opened = visit(path)
    page = ready(opened)
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    page.keyboard.press("Enter")
    page.focus("#by-verdict [data-verdict=refuted]")
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.dataset.verdict") == "refuted"
    assert page.locator("#list .input").count() == 4
    page.focus("#list summary")
    page.keyboard.press("Enter")
    assert page.locator("#list details[open]").count() == 1
    page.focus("#heads button[tabindex='0']")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowDown")
    assert text(page, "heads-readout").startswith("Layer 1, head 1 ")
    for _ in range(9):
        page.keyboard.press("ArrowUp")
    assert text(page, "heads-readout").startswith("Layer 0, head 1 ")
    silent(opened, path)


def test_hostile_text_is_inert_and_readable(visit: Visit, tmp_path: Path) -> None:
    hostile = tmp_path / "hostile.html"
    hostile.write_text(build_audit_page(synthetic_audit(evil=EVIL)), encoding="utf-8")
    opened = visit(hostile)
    page = ready(opened)
    open_all(page)
    page.click("#language")
    assert page.evaluate("window.stolen") is None
    assert page.locator("img").count() == 0
    assert page.text_content("h1") == EVIL
    page.select_option(
        "#by-group", json.dumps(["channel", EVIL], ensure_ascii=False, separators=(",", ":"))
    )
    assert page.locator("#list .input").count() == 8
    silent(opened, hostile)


def test_a_report_with_almost_nothing_still_opens(visit: Visit, tmp_path: Path) -> None:
    bare = replace(
        synthetic_audit(inputs=0), methods=(), subgroups=(), heads=(), quality={}, reasons=(),
        limits=(), differences=(), subgroups_said=(), attention="", settings={}, run={},
    )  # fmt: skip
    written = tmp_path / "bare.html"
    written.write_text(build_audit_page(bare), encoding="utf-8")
    opened = visit(written)
    page = ready(opened)
    assert "No input matches" in text(page, "matching")
    for name in ("quality-section", "groups-section", "heads-section"):
        assert page.locator(f"#{name}").is_hidden()
    silent(opened, written)


def test_print_shows_what_is_open_and_hides_the_controls(path: Path, visit: Visit) -> None:
    page = ready(visit(path))
    page.emulate_media(media="print")
    assert page.locator(".filters").is_hidden()
    assert page.locator("#verdict").is_visible()
    assert page.locator("#list .input").first.is_visible()
