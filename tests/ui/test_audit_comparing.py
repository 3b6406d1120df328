"""Two audits side by side: what moved by more than chance, and what only seems to have."""

import io
import json
from dataclasses import replace
from math import hypot
from pathlib import Path

import pytest
from rich.console import Console

from tests.ui.synthetic_audit import synthetic_audit
from zhuyi.audit.report import AuditReport, Interval
from zhuyi.audit.serial import from_values, to_values
from zhuyi.ui.comparing import SCHEMA, Change, Comparison, compare
from zhuyi.ui.terminal_audit import show_audit, show_comparison

OLD = synthetic_audit()


def change(found: Comparison, what: str) -> Change:
    return next(one for one in found.changes if one.what == what)


def with_skill(report: AuditReport, value: float, half: float) -> AuditReport:
    """The report with the chosen method's skill set."""
    skill = Interval(value=value, lower=value - half, upper=value + half)
    methods = tuple(
        replace(one, numbers={**one.numbers, "skill": skill}) if one.chosen else one
        for one in report.methods
    )
    return replace(report, methods=methods)


def test_a_report_and_itself_are_the_same() -> None:
    found = compare(OLD, OLD)
    assert (found.worse, found.better, found.cautions) == (0, 0, ())
    assert {one.direction for one in found.changes} == {"within noise"}
    assert "Nothing moved by more than chance" in found.answer.en


def test_the_interval_is_that_of_the_difference() -> None:
    """One number alone: no correction, so 95 % as the reports say."""
    bare = replace(OLD, quality={}, subgroups=(), methods=OLD.methods[:1])
    found = compare(with_skill(bare, 0.7, 0.09), with_skill(bare, 0.5, 0.12))
    # Compared are the trusted share, the chosen skill and the same method's skill: 3 numbers.
    z = 2.3939797998185104 / 1.959963984540054  # normal quantiles of 1 - 0.05 / 6 and 0.975
    one = change(found, "skill")
    assert one.difference is not None
    assert one.difference.value == pytest.approx(-0.2)
    assert one.difference.lower == pytest.approx(-0.2 - z * hypot(0.12, 0.09), abs=1e-12)
    assert one.difference.upper == pytest.approx(-0.2 + z * hypot(0.12, 0.09), abs=1e-12)
    assert one.direction == "worse"
    assert found.changes[0].direction == "worse", "worse ones first"


@pytest.mark.parametrize(
    ("after", "direction"), [(0.95, "better"), (0.75, "within noise"), (0.3, "worse")]
)
def test_directions_of_the_chosen_skill(after: float, direction: str) -> None:
    found = compare(with_skill(OLD, 0.7, 0.04), with_skill(OLD, after, 0.04))
    assert change(found, "skill").direction == direction
    opposite = {"better": "worse", "worse": "better", "within noise": "within noise"}
    back = compare(with_skill(OLD, after, 0.04), with_skill(OLD, 0.7, 0.04))
    assert change(back, "skill").direction == opposite[direction]


def test_a_wide_interval_hides_a_large_difference() -> None:
    found = compare(with_skill(OLD, 0.7, 0.3), with_skill(OLD, 0.3, 0.3))
    assert change(found, "skill").direction == "within noise"


def test_without_an_interval_nothing_is_claimed() -> None:
    new = replace(OLD, quality={"accuracy": Interval(value=0.1)})
    one = change(compare(OLD, new), "accuracy")
    assert (one.direction, one.before, one.after) == ("not comparable", 0.86, 0.1)


def test_verdicts_methods_and_groups_are_compared() -> None:
    found = compare(OLD, replace(synthetic_audit(shift=-0.6), verdict="refuted"))
    assert change(found, "verdict").direction == "worse"
    assert "went from trusted to refuted" in change(found, "verdict").said.en
    assert change(found, "skill: IntegratedGradients(steps=32)").direction == "worse"
    assert change(found, "skill: channel = web").direction == "worse"
    assert not any("Chinese" in one.what for one in found.changes), "suppressed groups stay out"
    assert not any("Random" in one.what for one in found.changes)
    assert found.worse == sum(one.direction == "worse" for one in found.changes) > 5


def test_what_makes_reports_hard_to_compare_is_said() -> None:
    new = replace(OLD, removal="deletion", settings={**OLD.settings, "seed": 1}, chosen="Rollout()")
    said = " ".join(one.en for one in compare(OLD, new).cautions)
    for part in ("how units are removed: mask token and deletion", "'seed': 0 and 1",
                 "the explanation method: Leave one out and Attention rollout"):  # fmt: skip
        assert part in said


def test_it_is_a_record_like_the_report() -> None:
    found = compare(OLD, synthetic_audit(shift=-0.6))
    values = json.loads(json.dumps(to_values(found, "comparison"), allow_nan=False))
    assert values["schema"] == SCHEMA
    assert from_values(Comparison, values, "comparison") == found
    for one in found.changes:
        assert one.said.zh
        assert one.said.en.endswith(".")


def shown(draw: object) -> str:
    stream = io.StringIO()
    draw(Console(file=stream, width=100, highlight=False, legacy_windows=False))  # type: ignore[operator]
    return stream.getvalue()


def test_the_terminal_says_it_without_color() -> None:
    text = shown(
        lambda console: show_comparison(compare(OLD, synthetic_audit(shift=-0.6)), console)
    )
    assert "\x1b" not in text
    assert "▼ worse" in text
    assert "Skill of the explanations: 0.71 → 0.11 (-0.60" in text


def test_the_terminal_leads_with_the_verdict() -> None:
    text = shown(lambda console: show_audit(OLD, console, folder=Path("out")))
    assert "\x1b" not in text
    flat = " ".join(text.split())
    for part in ("✓ TRUSTED", "12 trusted, 8 doubtful, 4 refuted", "Right decisions: 86.0%",
                 "Leave one out (used here)", "Random values", "✗ refuted", "< 0.001",
                 "row 4: the text is empty", "out/report.html"):  # fmt: skip
        assert part in flat, part
    hostile = shown(lambda c: show_audit(synthetic_audit(evil="\x1b[2J[red]x"), c, folder=None))
    assert "\x1b" not in hostile
    assert "·[2J[red]x" in hostile
