"""The card, the JUnit file and the folder: what they say, and that no text in them can act."""

import json
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from xml.etree import ElementTree

import pytest

from tests.ui.synthetic_audit import synthetic_audit
from zhuyi.audit.report import AuditReport
from zhuyi.audit.serial import from_text
from zhuyi.errors import InputError, OptionError
from zhuyi.ui.report.audit.card import build_card, markdown
from zhuyi.ui.report.audit.folder import NAMES, load_report, save_audit, save_report
from zhuyi.ui.report.audit.junit import build_junit, fails

markdown_it = pytest.importorskip("markdown_it")
yaml = pytest.importorskip("yaml")

EVIL = (
    "</script><img src=x onerror=alert(1)> [a](http://e.org) *b* `c` |d| www.e.org a@e.org\n"
    "# title\n---\n- x: &y \ud83d \x00\u202e"
)
REPORT = synthetic_audit()


class Rendered(HTMLParser):
    """The tags of a rendered card, and its text."""

    def __init__(self, card: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.text = ""
        body = card.split("\n---\n", 1)[1]
        parser = markdown_it.MarkdownIt("gfm-like", {"linkify": False}).enable("table")
        self.feed(parser.render(body))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)

    def handle_data(self, data: str) -> None:
        self.text += data


def front(card: str) -> dict[str, object]:
    found: dict[str, object] = yaml.safe_load(card.split("\n---\n", 1)[0].removeprefix("---"))
    return found


# --- the card ---------------------------------------------------------------------------------


def test_the_card_has_what_a_card_must_have() -> None:
    card = build_card(REPORT)
    rendered = Rendered(card)
    for part in (
        "✓ trusted.", REPORT.answer.en, "Intended use", "Limits",
        "How the explanations were tested",
        "Results", "Groups", "Random values", "Leave one out (used here)", "0.71 (0.62 to 0.80)",
        "86.0 % (81.0 % to 91.0 %)", "too few", "Row 4 was left out: the text is empty.",
        "To be filled in:", "24 inputs one by one: 12 trusted, 8 doubtful, 4 refuted",
    ):  # fmt: skip
        assert part in rendered.text, part
    for article in ("12 Record-keeping", "13 Transparency", "14 Human oversight", "15 Accuracy"):
        assert article in rendered.text
    assert "claims that the system complies" in rendered.text
    assert "neither this card nor the audit claims" in rendered.text
    assert rendered.text.count("To be filled in:") == 6
    assert rendered.tags.count("table") == 5


def test_the_front_matter_is_what_hugging_face_reads() -> None:
    found = front(build_card(REPORT))
    assert found["tags"] == ["explainability", "faithfulness", "zhuyi-audit"]
    index = found["model-index"]
    assert index == [
        {
            "name": "demo/sentiment-mini",
            "results": [
                {
                    "task": {"type": "text-classification"},
                    "dataset": {"name": "reviews.csv", "type": "reviews.csv"},
                    "metrics": [
                        {"type": "accuracy", "name": "accuracy", "value": 0.86},
                        {"type": "explanation_skill", "name": "explanation skill", "value": 0.71},
                    ],
                }
            ],
        }
    ]


def test_hostile_text_is_only_text_in_the_card() -> None:
    card = build_card(synthetic_audit(evil=EVIL))
    card.encode("utf-8")
    rendered, honest = Rendered(card), Rendered(build_card(REPORT))
    assert rendered.tags == honest.tags, "no tag more, none less"
    assert "<img src=x onerror=alert(1)> [a](http://e.org) *b* `c` |d| www.e.org" in rendered.text
    name = front(card)["model-index"][0]["name"]  # type: ignore[index]
    assert name.startswith("</script><img src=x")
    assert "http://" not in card.split("\n---\n", 1)[1], "not even a bare link"
    assert "www." not in card.split("\n---\n", 1)[1]


def test_the_hostile_test_can_fail(monkeypatch: pytest.MonkeyPatch) -> None:
    """The broken twin: unescaped, the same text does become tags."""
    monkeypatch.setattr("zhuyi.ui.report.audit.card.markdown", lambda text: text)
    assert (
        Rendered(build_card(synthetic_audit(evil=EVIL))).tags != Rendered(build_card(REPORT)).tags
    )


@pytest.mark.parametrize(
    ("text", "shown"),
    [("- x", "\\- x"), ("1. x", "1\\. x"), ("2.13.0", "2.13.0"), ("a\nb", "a b"), ("+ x", "\\+ x")],
)
def test_openings_that_markdown_would_take_for_marks(text: str, shown: str) -> None:
    assert markdown(text) == shown


def test_a_bare_report_still_has_a_card() -> None:
    bare = replace(REPORT, methods=(), inputs=(), quality={}, subgroups=(), model={}, labels=())
    card = build_card(bare)
    assert "model-index" not in card
    assert "## Groups" not in card


# --- JUnit --------------------------------------------------------------------------------------


def suite(report: AuditReport, **options: object) -> ElementTree.Element:
    root = ElementTree.fromstring(build_junit(report, **options))  # type: ignore[arg-type]
    found = root.find("testsuite")
    assert found is not None
    return found


def results(found: ElementTree.Element) -> dict[str, str]:
    return {
        case.attrib["name"]: next((child.tag for child in case if child.tag != "system-out"), "ok")
        for case in found.iter("testcase")
    }


def test_every_check_is_a_test_case() -> None:
    found = suite(REPORT)
    assert results(found) == {
        "explanations by Occlusion()": "ok",
        "Deletion": "ok",
        "Sanity": "ok",
        "Alternative": "skipped",
        "channel: accuracy": "ok",
        "channel: skill": "skipped",
    }
    counted = [len(list(found.iter(tag))) for tag in ("testcase", "failure", "skipped")]
    assert [int(found.attrib[name]) for name in ("tests", "failures", "skipped")] == counted
    assert found.attrib["errors"] == "0"


def test_doubt_fails_only_where_asked_and_refutation_always() -> None:
    for fail_on, tag in ((None, "skipped"), ("refuted", "skipped"), ("doubtful", "failure")):
        doubtful = replace(REPORT, verdict="doubtful")
        assert results(suite(doubtful, fail_on=fail_on))["explanations by Occlusion()"] == tag
        assert results(suite(doubtful, fail_on=fail_on))["channel: skill"] == tag
        refuted = replace(REPORT, verdict="refuted")
        assert results(suite(refuted, fail_on=fail_on))["explanations by Occlusion()"] == "failure"


@pytest.mark.parametrize(
    ("verdict", "fail_on", "expected"),
    [
        ("trusted", "doubtful", False), ("doubtful", "doubtful", True),
        ("refuted", "doubtful", True),
        ("doubtful", "refuted", False), ("refuted", "refuted", True), ("refuted", None, False),
    ],
)  # fmt: skip
def test_what_a_build_must_not_pass(verdict: str, fail_on: str | None, expected: bool) -> None:
    report = replace(REPORT, verdict=verdict)  # type: ignore[arg-type]
    assert fails(report, fail_on) is expected  # type: ignore[arg-type]


def test_hostile_text_is_only_text_in_the_junit_file() -> None:
    text = build_junit(synthetic_audit(evil=EVIL))
    assert "\x00" not in text
    found = ElementTree.fromstring(text.encode("utf-8"))
    tags = {element.tag for element in found.iter()}
    assert tags == {
        "testsuites", "testsuite", "properties", "property", "testcase", "system-out", "skipped",
    }  # fmt: skip
    assert "<img src=x onerror=alert(1)>" in found[0].attrib["name"]


# --- the folder -----------------------------------------------------------------------------------


def test_the_folder_has_all_files_and_the_json_is_the_report(tmp_path: Path) -> None:
    folder = tmp_path / "new" / "folder"
    save_audit(REPORT, folder)
    assert sorted(path.name for path in folder.iterdir()) == sorted(NAMES)
    assert from_text((folder / "report.json").read_text(encoding="utf-8")) == REPORT
    assert load_report(folder / "report.json") == REPORT
    save_audit(synthetic_audit(inputs=3), folder)
    assert len(load_report(folder / "report.json").inputs) == 3


def test_a_failed_write_leaves_whole_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    save_audit(REPORT, tmp_path)
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.replace", full)
    with pytest.raises(InputError, match="No space left on device"):
        save_audit(synthetic_audit(inputs=3), tmp_path)
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before


def test_one_file_by_its_ending(tmp_path: Path) -> None:
    for name in ("a.json", "a.html", "a.md", "a.xml"):
        save_report(REPORT, tmp_path / name)
    assert json.loads((tmp_path / "a.json").read_text(encoding="utf-8"))["title"] == REPORT.title
    assert (tmp_path / "a.html").read_text(encoding="utf-8").startswith("<!doctype html>")
    assert (tmp_path / "a.md").read_text(encoding="utf-8") == build_card(REPORT)
    assert (tmp_path / "a.xml").read_text(encoding="utf-8") == build_junit(REPORT)
    with pytest.raises(OptionError, match=r"must end in \.json, \.html, \.md, \.xml"):
        save_report(REPORT, tmp_path / "a.pdf")


def test_files_that_are_no_report_are_named(tmp_path: Path) -> None:
    path = tmp_path / "old.json"
    with pytest.raises(InputError, match=r"cannot read .*old\.json"):
        load_report(path)
    path.write_bytes(b"\xff\xfe")
    with pytest.raises(InputError, match=r"old\.json is not UTF-8"):
        load_report(path)
    path.write_text('{"schema": "zhuyi.audit/0"}')
    with pytest.raises(InputError, match=r"old\.json: report\.schema must be 'zhuyi\.audit/1'"):
        load_report(path)
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match="cannot make the folder"):
        save_audit(REPORT, tmp_path / "file")
