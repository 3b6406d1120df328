"""The figure of an audit: every method with its skill, its interval and its verdict in a word."""

from dataclasses import replace
from typing import Any

import pytest

pytest.importorskip("matplotlib")

from tests.ui.synthetic_audit import synthetic_audit
from zhuyi.audit.report import AuditReport

REPORT = synthetic_audit()


def drawn(report: AuditReport) -> Any:
    figure = report.plot()
    figure.canvas.draw()
    return figure.axes[0]


def test_dots_and_lines_are_the_skills_and_their_intervals() -> None:
    lines = [line for line in drawn(REPORT).lines if len(line.get_ydata()) and line.get_marker()]
    spans = {
        line.get_ydata()[0]: tuple(line.get_xdata())
        for line in lines
        if line.get_marker() == "None" and len(set(line.get_ydata())) == 1
    }
    dots = {
        line.get_ydata()[0]: (line.get_xdata()[0], line.get_marker())
        for line in lines
        if line.get_marker() != "None"
    }
    marks = {"trusted": "o", "doubtful": "D", "refuted": "X"}
    for place, method in enumerate(REPORT.methods):
        skill = method.numbers["skill"]
        assert dots[place] == (skill.value, marks[method.label])
        assert spans[place] == (skill.lower, skill.upper)


def test_every_method_has_its_name_and_verdict_in_words() -> None:
    axes = drawn(REPORT)
    names = [tick.get_text() for tick in axes.get_yticklabels()]
    assert names[0] == "Leave one out (used)"
    assert len(names) == len(REPORT.methods)
    words = [text.get_text() for text in axes.texts]
    assert words[0] == "✔ trusted  0.71"
    assert words[3] == "✘ refuted  0.12"


def test_a_method_that_was_not_tested_says_so() -> None:
    first, *others = REPORT.methods
    axes = drawn(replace(REPORT, methods=(replace(first, numbers={}), *others)))
    assert "skill not tested" in axes.texts[0].get_text()
    drawn(replace(REPORT, methods=(replace(first, numbers={}),)))


def test_the_caption_says_what_it_rests_on() -> None:
    said = REPORT.plot().get_supxlabel().replace("\n", " ")
    assert REPORT.answer.en in said
    assert "16 inputs that no method was chosen on" in said
    assert "cannot prove it right" in said


def test_hostile_names_are_drawn_as_text(tmp_path: Any) -> None:
    synthetic_audit(evil="$\\frac{1}{0}$ <b> \U0001f9ff\x1b").plot().savefig(tmp_path / "a.svg")
    assert "\x1b" not in (tmp_path / "a.svg").read_text(encoding="utf-8")
