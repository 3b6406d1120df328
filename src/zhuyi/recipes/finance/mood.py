"""The mood of tweets: words that people use of gains and of losses, counted.

A list is the plainest honest choice. It learns nothing, so it cannot learn the future, and the
words behind a mood can be read. How much it says of prices is measured on the page.
"""

import re
from collections.abc import Sequence
from typing import Final

GOOD: Final = frozenset(
    """
    approval approved beat beating beats best boost boosts breakout bullish buy calls gain gained
    gains good great green growth high higher highs jump jumped jumps long love nice outperform
    positive profit profits raised raises rallies rally rebound record rise rises rising rose soar
    soars strength strong stronger surge surges top up upgrade upgraded upgrades win winner wins
    """.split()
)
BAD: Final = frozenset(
    """
    bad bearish concern concerns crash cut cuts decline declined declines down downgrade downgraded
    downgrades drop dropped drops fall falling falls fear fears fell fraud hate lawsuit loss
    losses lost low lower lows miss missed misses negative plunge plunges probe puts recall red risk
    sell selling short sink sinks slide slides slump sued tumble tumbles trouble underperform
    warning warns weak weaker weakness worries worst
    """.split()
)
NEGATIONS: Final = frozenset("no not never n't don't doesn't didn't isn't won't can't".split())
"""Right before a word they turn it around."""

_NO_WORD = re.compile(r"\$ ?\S+|AT_USER|URL")  # "$ low" is a company
_WORD = re.compile(r"[a-z']+")


def mood(tweets: Sequence[str]) -> float:
    """How people speak of a stock, in (-1, 1).

        (good - bad) / (good + bad + 2)

    over the words of all different tweets. Ticker symbols are no words.

    Args:
        tweets: texts in lower case, as the data hold them; no text gives 0.

    Example:
        >>> mood(["strong quarter , shares up"]), mood(["not good"]), mood([])
        (0.5, -0.333..., 0.0)
    """
    good = bad = 0
    for text in dict.fromkeys(tweets):
        before = ""
        for word in _WORD.findall(_NO_WORD.sub(" ", text)):
            turned = before in NEGATIONS
            good += word in (BAD if turned else GOOD)
            bad += word in (GOOD if turned else BAD)
            before = word
    return (good - bad) / (good + bad + 2)
