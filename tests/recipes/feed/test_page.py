"""docs/feed.md says what was measured: its parts are what the kept numbers give now."""

import json
from pathlib import Path

import pytest

from scripts.feed_page import page

ROOT = Path(__file__).resolve().parents[3]
PAGE = ROOT / "docs" / "feed.md"
KEPT = ROOT / "scripts" / "feed_measured.json"


def test_the_page_is_what_was_measured() -> None:
    facts, text = json.loads(KEPT.read_text("utf-8")), PAGE.read_text("utf-8")
    assert page(facts, text) == text
    facts["fill 0"]["ndcg"] = [0.0] * len(facts["fill 0"]["ndcg"])
    assert page(facts, text) != text  # the twin: another number is another page


def test_a_page_without_its_parts_is_refused() -> None:
    with pytest.raises(ValueError, match="no part 'standings'"):
        page(json.loads(KEPT.read_text("utf-8")), "# A personal feed\n")


def test_nothing_of_the_data_is_kept() -> None:
    """Scores are; who watched what, and films by their titles, are not."""
    text = KEPT.read_text("utf-8")
    assert "Toy Story" not in text
    assert "history" not in text
