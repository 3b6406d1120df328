"""Planted models, trained once for all tests, and what is right found without them."""

from functools import cache

from zhuyi.testing.planted import PLANTED, Planted
from zhuyi.testing.planted.recall import VALUES

TASKS = {task.__name__: task for task in PLANTED}
GENDER = {**dict.fromkeys(("he", "his", "mr"), "surgeon")} | {
    **dict.fromkeys(("she", "her", "ms"), "physician")
}


@cache
def planted(name: str) -> Planted:
    """The task's model of seed 0, with 64 held-out inputs."""
    return TASKS[name](0)


def solved(name: str, words: tuple[str, ...]) -> tuple[str, tuple[int, ...]]:
    """The right decision and the units that decide, read from the words of an input."""
    if name == "recall":
        key = words[:-1:2].index(words[-1])
        assert words.count(words[2 * key + 1]) == 2, "the answer has no copy"
        assert words[2 * key + 1] in VALUES
        return words[2 * key + 1], (2 * key + 1, 2 * key + 2, len(words))
    if name == "parity":
        places = [n for n, word in enumerate(words) if word.startswith("*")]
        ones = sum(words[n] == "*1" for n in places)
        return ("even", "odd")[ones % 2], tuple(n + 1 for n in places)
    (place,) = (n for n, word in enumerate(words) if word in GENDER)
    return GENDER[words[place]], (place + 1,)
