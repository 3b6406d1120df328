"""How long something has lasted: the durations in a Chinese or English text, in years.

Calendar years (2015年), ages (65岁, 65-year-old) and vague words (多年, several years) are none.
"""

import re
import unicodedata
from dataclasses import dataclass
from typing import Final

_CHINESE: Final = {c: n for n, c in enumerate("零一二三四五六七八九")} | {"〇": 0, "两": 2, "俩": 2}
_ENGLISH: Final = (
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen "
    "sixteen seventeen eighteen nineteen"
).split()
_TENS: Final = "twenty thirty forty fifty sixty seventy eighty ninety".split()
_WORDS: Final = (
    {word: float(n) for n, word in enumerate(_ENGLISH)}
    | {word: 10.0 * n for n, word in enumerate(_TENS, start=2)}
    | {
        f"{tens}-{ones}": 10.0 * n + m
        for n, tens in enumerate(_TENS, start=2)
        for m, ones in enumerate(_ENGLISH[1:10], start=1)
    }
    | {"a": 1.0, "an": 1.0, "half a": 0.5, "half": 0.5, "one and a half": 1.5, "a couple of": 2.0}
)
_UNITS: Final = {
    **dict.fromkeys(("年", "载", "year", "yr", "y", "annum"), 1.0),
    **dict.fromkeys(("月", "month", "mo", "mth"), 1 / 12),
    **dict.fromkeys(("周", "星期", "week", "wk", "w"), 7 / 365.25),
    **dict.fromkeys(("天", "日", "day", "d"), 1 / 365.25),
    "decade": 10.0,
}
_NUMBER: Final = r"(?:\d+(?:\.\d+)?|[〇零一二两俩三四五六七八九十百]+)"
_MORE: Final = r"(?:\s*[余多来几]|\s*\+)?"
_CHINESE_FORM: Final = re.compile(
    # 半年; 3年半; 3年2个月; 十余年; 3-5年; 3个月余; 2周
    rf"(?P<half>半)\s*个?年"
    rf"|(?<![\d.])(?P<low>\d+|[一二两三四五六七八九])\s*[-~～—至到]\s*(?P<high>{_NUMBER}){_MORE}\s*"
    r"(?P<rangeunit>年|个月|月|周|天)(?!代|级|轻|龄|份)"
    rf"|(?<![\d.第])(?P<years>{_NUMBER}){_MORE}\s*[年载](?!代|级|轻|龄|纪|生|出生)"
    rf"(?:(?P<andhalf>半)|[零又]?(?P<months>{_NUMBER})\s*个?月(?![日份\d]))?"
    r"|(?<=[史患病约近有程])(?P<more>年)余"
    rf"|(?<![\d.第年])(?P<number>{_NUMBER}){_MORE}\s*(?P<unit>个[余多]?月|月|个?星期|周|天)(?![日份\d]|岁)"
    r"|(?P<halfmonth>半)个月"
)
_TAIL: Final = re.compile(r"(?: ?(?:[余多+]|左右|以上))*")
_ENGLISH_FORM: Final = re.compile(
    r"(?:(?<![\w./])|(?<=\bx)|(?<=×))(?P<number>\d+(?:\.\d+)?|"
    + "|".join(sorted(map(re.escape, _WORDS), key=len, reverse=True))
    + r")(?P<andhalf> and a half)?\s*\+?[\s-]*"
    r"(?P<unit>years?|yrs?|y|months?|mths?|mos?|weeks?|wks?|days?|decades?)\b(?P<half> and a half)?"
    r"(?![\s-]*old\b|/o\b|[\s-]+of[\s-]+age)"
)
_CALENDAR: Final = 1800  # a year from here on is a date


@dataclass(frozen=True, kw_only=True)
class Duration:
    """A duration in a text.

    Args:
        start, end: characters of the text.
        years: in years.
    """

    start: int
    end: int
    years: float


def folded(text: str) -> str:
    """The text in plain half-width lower case, character for character.

    Example:
        >>> folded("Ｔ２ＤＭ，５年")
        't2dm,5年'
    """
    return "".join(_one(character) for character in text)


def find_durations(text: str) -> tuple[Duration, ...]:
    """All durations of a text, in the order they stand.

    Example:
        >>> [(d.years, d.start) for d in find_durations("高血压5年余，2015年起服药，糖尿病半年")]
        [(5.0, 3), (0.5, 19)]
        >>> [d.years for d in find_durations("a 60-year-old man, hypertension for two years")]
        [2.0]
    """
    plain = folded(text)
    found = [d for m in _CHINESE_FORM.finditer(plain) if (d := _chinese(m)) is not None]
    found += [d for m in _ENGLISH_FORM.finditer(plain) if (d := _english(m)) is not None]
    return tuple(sorted(found, key=lambda one: one.start))


def number_of(text: str) -> float:
    """The value of an Arabic, Chinese or English number.

    Example:
        >>> number_of("十五"), number_of("二十"), number_of("3.5"), number_of("twelve")
        (15.0, 20.0, 3.5, 12.0)
    """
    if text in _WORDS:
        return _WORDS[text]
    if text[0].isascii():
        return float(text)
    if not any(c in "十百" for c in text):
        # Two digits in a row are "three or four", in the middle of which the truth is taken to be.
        digits = [_CHINESE[c] for c in text]
        together = len(digits) == 2 and digits[1] == digits[0] + 1
        return sum(digits) / 2 if together else float("".join(map(str, digits)))
    total, current = 0, 0
    for character in text:
        if character in "十百":
            total += max(current, 1) * (10 if character == "十" else 100)
            current = 0
        else:
            current = _CHINESE[character]
    return float(total + current)


def _one(character: str) -> str:
    plain = unicodedata.normalize("NFKC", character).lower()
    return plain if len(plain) == 1 else character


def _chinese(match: re.Match[str]) -> Duration | None:
    got = match.groupdict()
    if got["half"]:
        years = 0.5
    elif got["more"]:
        years = 1.0
    elif got["halfmonth"]:
        years = 0.5 / 12
    elif got["low"]:
        middle = (number_of(got["low"]) + number_of(got["high"])) / 2
        if number_of(got["high"]) >= _CALENDAR:
            return None
        years = middle * _UNITS[got["rangeunit"].removeprefix("个")]
    elif got["years"]:
        years = number_of(got["years"])
        if years >= _CALENDAR or _is_date(got["years"]):
            return None
        years += 0.5 if got["andhalf"] else 0.0
        years += number_of(got["months"]) / 12 if got["months"] else 0.0
    else:
        unit = got["unit"].removeprefix("个").lstrip("余多")
        years = number_of(got["number"]) * _UNITS[unit]
    tail = _TAIL.match(match.string, match.end())
    assert tail is not None  # it matches nothing, at least
    return Duration(start=match.start(), end=tail.end(), years=years)


def _is_date(number: str) -> bool:
    """Whether Chinese digits spell a calendar year, as 二〇一五 does."""
    return len(number) == 4 and not any(c in "十百" for c in number)


def _english(match: re.Match[str]) -> Duration | None:
    unit = match["unit"]
    if unit not in _UNITS:
        unit = unit.removesuffix("s")
    number = number_of(match["number"])
    if number >= _CALENDAR:
        return None
    number += 0.5 if match["andhalf"] or match["half"] else 0.0
    return Duration(start=match.start(), end=match.end(), years=number * _UNITS[unit])
