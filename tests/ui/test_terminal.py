"""The terminal: color is never the only sign, and no text can steer it."""

import io
from dataclasses import replace
from pathlib import Path

import pytest
from rich.console import Console

from tests.ui.synthetic import synthetic_check, synthetic_look
from zhuyi.core.record import Label, Unit
from zhuyi.ui.looked import Looked
from zhuyi.ui.terminal import inner_links, printable, show, standing_heads, words


def found(label: str | None = None) -> Looked:
    looked, _, _ = synthetic_look(layers=2, heads=7, length=12, width=16, label=label)
    return looked


def shown(looked: Looked, *, color: bool) -> str:
    stream = io.StringIO()
    console = Console(
        file=stream,
        width=100,
        force_terminal=color,
        color_system="truecolor" if color else None,
        highlight=False,
        legacy_windows=False,
    )
    show(looked, console, page=Path("page.html"))
    return stream.getvalue()


def test_without_color_the_numbers_still_rank() -> None:
    text = shown(found(), color=False)
    assert "\x1b" not in text
    section = text.split("What counted most")[1].split("Strongest links")[0]
    values = [float(line.split()[1]) for line in section.strip().splitlines()]
    assert len(values) == 8
    assert values == sorted(values, reverse=True)
    assert "NOT VERIFIED" in text
    assert "page.html" in text


@pytest.mark.parametrize(
    ("label", "sign"),
    [("trusted", "✔ TRUSTED: "), ("doubtful", "? DOUBTFUL: "), ("refuted", "✘ REFUTED: ")],
)
def test_the_verdict_comes_right_after_the_decision(label: Label, sign: str) -> None:
    text = shown(replace(found(), checked=synthetic_check(label)), color=False)
    assert "NOT VERIFIED" not in text
    lines = [line.rstrip() for line in text.splitlines()]
    at = next(i for i, line in enumerate(lines) if line.startswith("Decided: "))
    assert lines[at + 1] == f"{sign}headline word"
    first = {"trusted": "supports", "doubtful": "cautions", "refuted": "refutes"}[label]
    assert f"It {first}: word." in lines[at + 2], "what speaks against it comes first"
    assert any(line.startswith("Tells nothing here: ") for line in lines)
    assert "It informs" not in text, "the page has it"
    assert "note word" in lines
    assert "not proof" in text
    color = shown(replace(found(), checked=synthetic_check(label)), color=True)
    assert {"trusted": "\x1b[1;32m", "doubtful": "\x1b[1;33m", "refuted": "\x1b[1;31m"}[
        label
    ] in color


def test_a_deletion_test_that_could_not_run_is_told() -> None:
    checked = synthetic_check("doubtful")
    deletion, *others = checked.verdict.findings
    findings = (replace(deletion, outcome="skipped"), *others)
    checked = replace(checked, verdict=replace(checked.verdict, findings=findings))
    text = shown(replace(found(), checked=checked), color=False)
    assert "– not tested It cautions: word." in text


def test_strong_words_are_underlined_as_well_as_colored() -> None:
    looked = found()
    text = words(looked)
    values = [v for v, u in zip(looked.values, looked.units, strict=True) if not u.special]
    strongest = looked.units[looked.values.index(max(values))]
    styles = {text.plain[s.start : s.end]: str(s.style) for s in text.spans}
    assert "bold" in styles[strongest.label]
    assert "underline" in styles[strongest.label]
    assert "not dim" not in str(styles)
    assert text.plain.replace("  ", " ").strip() == " ".join(u.label for u in looked.units)


def test_the_second_text_of_a_pair_keeps_its_own_gaps() -> None:
    looked = found()
    units = (
        Unit(label="a", positions=(0,), span=(0, 1)),
        Unit(label="b", positions=(1,), span=(3, 4)),
        Unit(label="[SEP]", positions=(2,), special=True),
        Unit(label="c", positions=(3,), span=(0, 1)),
        Unit(label=",", positions=(4,), span=(1, 2)),
        Unit(label="d", positions=(5,), span=(3, 4)),
    )
    pair = replace(looked, units=units, values=(0.0,) * 6, texts=("a  b", "c, d"))
    assert pair.gaps() == ("", "  ", " ", "\n\n", "", " ")
    assert words(pair).plain == "a  b [SEP]   c, d"


def test_escape_sequences_are_disarmed() -> None:
    evil = "\x1b[2J\x1b]0;owned\x07[bold red]x"
    text = shown(replace(found(evil), checked=synthetic_check("refuted", evil)), color=False)
    assert "\x1b" not in text
    assert "\x07" not in text
    assert "[bold red]x" in text, "markup is text"
    assert printable("a\tb\u202ec") == "a␣b·c"


def test_links_are_between_words_one_per_head() -> None:
    looked = found()
    links = inner_links(looked, 6)
    assert len(links) == 6
    assert len({(head.layer, head.head) for head, _ in links}) == 6
    for _, link in links:
        assert not {0, 11} & {link.query, link.key}
        assert link.query != link.key
    weights = [link.weight for _, link in links]
    assert weights == sorted(weights, reverse=True)


def test_standing_heads_have_different_habits() -> None:
    heads = standing_heads(found(), 6)
    assert heads
    assert len({head.reason for head in heads}) == len(heads)
    calm = replace(found(), heads=tuple(replace(h, standing=0.0) for h in found().heads))
    assert standing_heads(calm, 6) == []
    assert "no head differs much" in shown(calm, color=False)
