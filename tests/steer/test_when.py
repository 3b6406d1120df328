"""Conditions: what they mean, what is refused, and that nothing of Python is run."""

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zhuyi.errors import OptionError
from zhuyi.steer.rules import Rules
from zhuyi.steer.when import holds

ROW = {"age": 70, "sex": "M", "dose": 2.5, "smokes": True, "profile/city": "北京", "年龄": 70}

TRUE = (
    *("age >= 65", "age == 70", "age==70.0", "dose < 3", "dose > -1e3", "age != 65"),
    *("sex == 'M'", 'sex == "M"', "sex in ['F', 'M']", "age in [1, 70]", "smokes"),
    *("smokes == true", "not age < 65", "not missing", "not missing == 1", "年龄 >= 65"),
    *("profile/city == '北京'", "age > 65 and sex == 'M'", "age < 65 or sex == 'M'"),
    # `and` binds closer than `or`, and `not` closer than both.
    *("smokes or missing and missing", "not (missing and smokes)", "(smokes or missing) and age>1"),
    *("not missing and smokes", "not not smokes", "sex > 'A'"),
)
FALSE = (
    *("age < 65", "sex == 'm'", "missing", "missing == 1", "missing != 1", "missing in [1]"),
    # Of another kind: never equal, and never unequal either.
    *("age == '70'", "sex == 1", "sex != 1", "smokes == 1", "age == true", "age", "sex"),
    *("(smokes or smokes) and missing", "not smokes", "sex in [1, 2]", "age in ['70']"),
)


@pytest.mark.parametrize("condition", TRUE)
def test_true(condition: str) -> None:
    assert holds(condition, ROW)


@pytest.mark.parametrize("condition", FALSE)
def test_false(condition: str) -> None:
    assert not holds(condition, ROW)


WRONG = (
    *("", "age >", "> 65", "age 65", "age == sex", "age = 65", "(age > 1", "age > 1)", "and"),
    *("age > 1 and", "not", "sex in 'M'", "sex in []", "sex in ['M'", "sex == 'M", "age > 1; x"),
    *("__import__('os')", "age.__class__()", "x[0]", "lambda: 1", "age + 1 > 2", "in in [1]"),
    *("true", "age > 1 age > 2", "(" * 100 + "age" + ")" * 100, "not " * 100 + "age", "a" * 1001),
)


@pytest.mark.parametrize("condition", WRONG)
def test_refused(condition: str) -> None:
    with pytest.raises(OptionError, match="condition"):
        holds(condition, ROW)


@given(st.text(max_size=40) | st.text(alphabet="ab ()[]'\"=<>!,and or not in 1.5", max_size=40))
def test_any_text_is_a_condition_or_an_error(text: str) -> None:
    with suppress(OptionError):
        assert holds(text, ROW) in (True, False)


def test_a_rule_with_no_condition_is_refused_when_it_is_made() -> None:
    with pytest.raises(OptionError, match="age >"):
        Rules().boost("a", 2, when="age >")


COMPARED = st.sampled_from(["==", "!=", "<", "<=", ">", ">="])


@given(st.integers(-100, 100), COMPARED, st.floats(-100, 100, allow_subnormal=False))
def test_comparisons_are_those_of_numbers(left: int, op: str, right: float) -> None:
    expected = {
        "==": left == right,
        "!=": left != right,
        "<": left < right,
        "<=": left <= right,
        ">": left > right,
        ">=": left >= right,
    }[op]
    assert holds(f"x {op} {right!r}", {"x": left}) == expected
