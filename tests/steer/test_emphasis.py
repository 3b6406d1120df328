"""Marks of emphasis: the clean text, the weights, and every kind of broken mark."""

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from zhuyi.errors import OptionError
from zhuyi.steer.emphasis import escaped, parse_emphasis
from zhuyi.steer.layout import Layout
from zhuyi.steer.selectors import Matched
from zhuyi.steer.spans import Span


def weights(text: str) -> list[tuple[str, float]]:
    """What the rules say of the clean text, stretch by stretch."""
    clean, rules = parse_emphasis(text)
    found = []
    for rule in rules:
        (span,) = rule.select
        assert isinstance(span, Span)
        assert span.of == clean
        weight = 0.0 if rule.action == "veto" else rule.weight
        assert weight is not None
        found.append((clean[span.start : span.stop], weight))
    return found


CASES: dict[str, tuple[str, str, list[tuple[str, float]]]] = {
    "none": ("the weather", "the weather", []),
    "round": ("an (important) word", "an important word", [("important", 1.1)]),
    "twice": ("((a)) b", "a b", [("a", 1.21)]),
    "a number": ("(answer in JSON:1.5) now", "answer in JSON now", [("answer in JSON", 1.5)]),
    "spaces": ("(a: 1.5 )", "a", [("a", 1.5)]),
    "no digit in front": ("(a:.5)", "a", [("a", 0.5)]),
    "square": ("about [the weather]", "about the weather", [("the weather", 0.909091)]),
    "nested": ("((a) b:2)", "a b", [("a", 2.2), (" b", 2.0)]),
    "up and down": ("([a])", "a", []),
    "a tag": ('<hl w=1.5>a</hl> <hl w="0.5">b</hl>', "a b", [("a", 1.5), ("b", 0.5)]),
    "a veto": ("(a:0) [b (c:0)]", "a b c", [("a", 0.0), ("b ", 0.909091), ("c", 0.0)]),
    "a veto outside": ("((a:3) b:0)", "a b", [("a b", 0.0)]),
    "neighbors": ("(a)(b)", "ab", [("ab", 1.1)]),
    "a colon": ("(a: b:1.5)", "a: b", [("a: b", 1.5)]),
    "a time": ("at 3:15 (x)", "at 3:15 x", [("x", 1.1)]),
    "no number": ("(a:b)", "a:b", [("a:b", 1.1)]),
    "a number below zero": ("(a:-1)", "a:-1", [("a:-1", 1.1)]),
    "escaped": (r"\(a\) \[b\] \<hl w=2> \\", r"(a) [b] <hl w=2> \ ".rstrip(), []),
    "a backslash": (r"a\b", r"a\b", []),
    "left open": ("(a b", "(a b", []),
    "left open within": ("(a [b)", "a [b", [("a [b", 1.1)]),
    "not opened": ("a) b] c:1.5) </hl>", "a) b] c:1.5) </hl>", []),
    "crossed": ("(a [b) c]", "a [b c]", [("a [b", 1.1)]),
    "two open": ("((a)", "(a", [("a", 1.1)]),
    "empty": ("() (:2) x", "  x", []),
    "white space": ("( )x", " x", []),
    "Chinese": ("（不是）(糖尿病:2)", "（不是）糖尿病", [("糖尿病", 2.0)]),
    "a bad tag": ("<hl w=x>a</hl>", "<hl w=x>a</hl>", []),
    "markup": ("<b>(a)</b>", "<b>a</b>", [("a", 1.1)]),
}


@pytest.mark.parametrize("name", CASES)
def test_grammar(name: str) -> None:
    text, clean, expected = CASES[name]
    assert parse_emphasis(text)[0] == clean
    assert weights(text) == expected


def test_actions() -> None:
    _, rules = parse_emphasis("(a:2) (b:0.5) (c:0)")
    assert [rule.action for rule in rules] == ["boost", "damp", "veto"]
    assert [rule.bias for rule in rules] == [math.log(2), math.log(0.5), -math.inf]


@given(st.text())
def test_escaped_text_comes_back(text: str) -> None:
    assert parse_emphasis(escaped(text)) == (text, parse_emphasis("")[1])


@given(st.text(alphabet="ab ()[]:12.\\<hl w=>/"))
@settings(max_examples=300)
def test_any_text_gives_rules_on_what_is_left(text: str) -> None:
    clean, rules = parse_emphasis(text)
    # Nothing is invented or moved: the clean text is the text with some characters left out.
    rest = iter(text)
    assert all(letter in rest for letter in clean)
    stops = 0
    for rule in rules:
        (span,) = rule.select
        assert isinstance(span, Span)
        assert stops <= span.start < span.stop <= len(clean)
        stops = span.stop


@st.composite
def trees(draw: st.DrawFn, depth: int = 3) -> tuple[str, list[tuple[str, float]]]:
    """A marked text with the weight of each of its letters."""
    marked, expected = "", list[tuple[str, float]]()
    for _ in range(draw(st.integers(1, 3))):
        if depth == 0 or draw(st.booleans()):
            letters = draw(st.text(alphabet="abc(] ", min_size=1, max_size=3))
            marked += escaped(letters)
            expected += [(letter, 1.0) for letter in letters]
            continue
        inside, letters_of = draw(trees(depth=depth - 1))
        weight = draw(st.sampled_from([1.1, 1 / 1.1, 1.5, 0.25]))
        if weight == 1.1:
            marked += f"({inside})"
        elif weight < 1 and weight != 0.25:
            marked += f"[{inside}]"
        elif weight == 1.5:
            marked += f"<hl w=1.5>{inside}</hl>"
        else:
            marked += f"({inside}:0.25)"
        expected += [(letter, inner * weight) for letter, inner in letters_of]
    return marked, expected


@given(trees())
@settings(max_examples=150)
def test_weights_of_nested_marks_multiply(tree: tuple[str, list[tuple[str, float]]]) -> None:
    marked, expected = tree
    clean, rules = parse_emphasis(marked)
    assert clean == "".join(letter for letter, _ in expected)
    got = [1.0] * len(clean)
    for rule in rules:
        (span,) = rule.select
        assert isinstance(span, Span)
        assert rule.weight is not None
        for place in range(span.start, span.stop):
            got[place] = rule.weight
    for place, (letter, weight) in enumerate(expected):
        if letter.strip():  # a stretch of white space alone has no rule
            assert got[place] == pytest.approx(weight, rel=1e-5)


@pytest.mark.timeout(60)  # the square of the length would take far longer
def test_no_text_takes_long() -> None:
    for text in ("(" * 50_000, "([" * 20_000 + ")" * 20_000):
        parse_emphasis(text)
    many, rules = parse_emphasis("(a)[b]" * 1_000)
    assert (len(many), len(rules)) == (2_000, 2_000)
    seen = layout(list(many), joined="")
    assert [len(rule.select[0].match(seen).positions) for rule in rules.rules[::100]] == [1] * 20
    assert weights("(" * 20_000 + "a" + ")" * 20_000) == [("a", 1e6)]


# --- Span: where the characters are in what a model reads -------------------------------------


def layout(words: list[str], joined: str = " ", before: str = "") -> Layout:
    text, spans = before, list[tuple[int, int] | None]()
    for word in words:
        spans.append((len(text), len(text) + len(word)))
        text += word + joined
    return Layout(length=len(words), text=text, spans=tuple(spans))


def test_a_span_by_the_models_own_text() -> None:
    found = Span(4, 7).match(layout(["the", "cat", "sat"]))
    assert found == Matched(positions=frozenset({1}), shown=("cat",))


@pytest.mark.parametrize("before", ["", "system: the cat. user: "])
def test_a_span_is_found_in_what_a_tokenizer_gives_back(before: str) -> None:
    clean = "Über  JSON's (Fall)"
    start = clean.index("JSON")
    span = Span(start, start + 4, clean)
    # Lower-cased, accents stripped, signs set apart: as BERT's uncased tokenizer decodes it.
    found = span.match(layout(["uber", "json", "'", "s", "(", "fall", ")"], before=before))
    assert found == Matched(positions=frozenset({1}), shown=("json",))


def test_a_span_of_another_text_means_nothing() -> None:
    assert Span(0, 3, "the dog").match(layout(["the", "cat"])) == Matched()


def test_a_text_that_a_tokenizer_cannot_give_back() -> None:
    clean = "the cat jumped over the 猫"
    seen = layout(["the", "cat", "jump", "##ed", "over", "the", "[UNK]"])
    assert Span(0, 3, clean).match(seen).positions == {0}
    assert Span(20, 23, clean).match(seen).positions == {5}
    assert Span(4, 7, clean).match(seen).positions == {1}
    # What is not there as often as it was is not guessed.
    assert Span(8, 14, clean).match(seen) == Matched()
    assert Span(24, 25, clean).match(seen) == Matched()
    assert Span(0, 3, clean).match(layout(["the", "cat", "jump"])) == Matched()


def test_a_token_across_the_edge_is_said() -> None:
    found = Span(0, 2, "cats").match(layout(["cats"]))
    assert found.cut == {0}


@pytest.mark.parametrize("ends", [(3, 3), (-1, 2), (5, 2)])
def test_a_span_of_nothing_is_refused(ends: tuple[int, int]) -> None:
    with pytest.raises(OptionError, match="must hold characters"):
        Span(*ends)
    with pytest.raises(OptionError, match="of 2 characters"):
        Span(0, 3, "ab")
