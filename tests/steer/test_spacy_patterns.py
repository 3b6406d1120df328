"""spaCy's patterns as selectors."""

import sys
from typing import Any

import pytest

from zhuyi.errors import InputError, OptionError
from zhuyi.steer.layout import Layout
from zhuyi.steer.spacy_patterns import SpacyPattern

pytest.importorskip("spacy")

ALLERGY = [{"LOWER": "allergic"}, {"LOWER": "to"}, {"IS_ALPHA": True, "OP": "+"}]


def words(text: str) -> Layout:
    """One position a word of the text."""
    spans, at = [], 0
    for word in text.split(" "):
        spans.append((at, at + len(word)))
        at += len(word) + 1
    return Layout(length=len(spans), text=text, spans=tuple(spans))


CASES: dict[str, tuple[list[dict[str, Any]], str, set[int]]] = {
    "the longest match": (ALLERGY, "is Allergic to tree nuts , and", {1, 2, 3, 4}),
    "one of several": ([{"LOWER": {"IN": ["he", "she"]}}], "She said he", {0, 2}),
    "an expression": ([{"TEXT": {"REGEX": r"^v\d+$"}}], "v1 vx v22", {0, 2}),
    "like a number": ([{"LIKE_NUM": True}, {"LOWER": "mg"}], "take 20 mg daily", {1, 2}),
    "nothing": ([{"LOWER": "x"}], "a b", set()),
}


@pytest.mark.parametrize("name", CASES)
def test_matches(name: str) -> None:
    pattern, text, positions = CASES[name]
    assert SpacyPattern(pattern).match(words(text)).positions == positions


def test_a_token_that_holds_more_is_said() -> None:
    found = SpacyPattern([{"LOWER": "nut"}]).match(
        Layout(length=1, text="nut,", spans=((0, 4),))  # spaCy parts the comma, the model does not
    )
    assert found.cut == {0}


@pytest.mark.parametrize("key", ["POS", "LEMMA", "ent_type", "_"])
def test_what_needs_a_trained_pipeline_is_refused(key: str) -> None:
    with pytest.raises(OptionError, match="only a trained pipeline knows"):
        SpacyPattern([{"LOWER": "a"}, {key: "NOUN"}])


def test_what_spacy_refuses() -> None:
    with pytest.raises(InputError, match="spaCy refuses the pattern"):
        SpacyPattern([{"LOWR": "a"}]).match(words("a"))
    with pytest.raises(InputError, match="spaCy refuses the pattern"):
        SpacyPattern([{"LOWER": "a"}], language="qq").match(words("a"))
    with pytest.raises(OptionError, match="language must be a code"):
        SpacyPattern([{"LOWER": "a"}], language="/models/mine")
    with pytest.raises(OptionError, match="at least one word"):
        SpacyPattern([])
    with pytest.raises(OptionError, match="at least one word"):
        SpacyPattern([{}])


def test_a_missing_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "spacy", None)
    with pytest.raises(InputError, match=r"need spaCy: pip install 'zhuyi\[spacy\]'"):
        SpacyPattern([{"LOWER": "never seen before"}]).match(words("a"))


def test_nobody_changes_a_pattern_from_outside() -> None:
    pattern = [{"LOWER": "a"}]
    selector = SpacyPattern(pattern)
    pattern[0]["LOWER"] = "b"
    pattern.append({"LOWER": "c"})
    assert selector == SpacyPattern([{"LOWER": "a"}])
    assert hash(selector) == hash(SpacyPattern([{"LOWER": "a"}]))
