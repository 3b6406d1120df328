"""Mood: words counted as people mean them."""

import pytest

from zhuyi.recipes.finance.mood import BAD, GOOD, mood


@pytest.mark.parametrize(
    ("tweets", "expected"),
    [
        ([], 0.0),
        (["nothing to see"], 0.0),
        (["shares surge on strong profit"], 3 / 5),
        (["shares plunge , weak outlook , lawsuit"], -3 / 5),
        (["upgrade", "downgrade"], 0.0),
        (["not good"], -1 / 3),
        (["no losses"], 1 / 3),
        (["strong"] * 50, 1 / 3),  # retold fifty times, said once
        (["$ low reports", "$low reports", "URL AT_USER"], 0.0),  # a company named LOW
        (["low volume"], -1 / 3),
        (["highest"], 0.0),  # whole words only
    ],
)
def test_by_hand(tweets: list[str], expected: float) -> None:
    assert mood(tweets) == pytest.approx(expected)


def test_no_word_is_both() -> None:
    assert not GOOD & BAD
    assert all(word == word.lower() for word in GOOD | BAD)
