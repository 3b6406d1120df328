"""Texts that remember where something was said in them, and how long things last."""

from dataclasses import dataclass, field
from typing import Final

import numpy as np

_DIGITS: Final = "零一二三四五六七八九"


@dataclass(frozen=True, kw_only=True)
class Mention:
    """A condition of the patient's own, where a note says it.

    Args:
        label: index in `CLASSES`.
        start, end: characters of the note.
        years: how long the patient has had it, None where the note does not say.
    """

    label: int
    start: int
    end: int
    years: float | None


@dataclass
class Draft:
    """A text that is being written.

    Args:
        text: so far.
        mentions: of the patient's own conditions, so far.
    """

    text: str = ""
    mentions: list[Mention] = field(default_factory=list)

    def add(self, text: str) -> None:
        """Write on."""
        self.text += text

    def mention(self, name: str, labels: tuple[int, ...], years: float | None) -> None:
        """Write a name that the patient's own conditions go by; no label for any other name."""
        start = len(self.text)
        self.text += name
        for label in labels:
            self.mentions.append(Mention(label=label, start=start, end=len(self.text), years=years))

    def append(self, other: "Draft") -> None:
        """Write another draft behind this one."""
        start = len(self.text)
        self.text += other.text
        for one in other.mentions:
            self.mentions.append(
                Mention(
                    label=one.label,
                    start=start + one.start,
                    end=start + one.end,
                    years=one.years,
                )
            )


def chinese_number(number: int) -> str:
    """A number below 100 in characters.

    Example:
        >>> chinese_number(5), chinese_number(12), chinese_number(30)
        ('五', '十二', '三十')
    """
    tens, ones = divmod(number, 10)
    text = "" if not tens else "十" if tens == 1 else f"{_DIGITS[tens]}十"
    return text + (_DIGITS[ones] if ones or not tens else "")


def chinese_duration(rng: np.random.Generator) -> tuple[str, float]:
    """How long, in one of the many ways of Chinese notes, and the same in years."""
    years = int(rng.choice([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 12, 15, 18, 20, 25, 30]))
    draw = rng.random()
    if draw < 0.10:
        return str(rng.choice(["半年", "半年余", "半年多", "近半年", "约半年"])), 0.5
    if draw < 0.20:
        months = int(rng.choice([1, 2, 3, 4, 5, 6, 8, 9, 10, 11]))
        number = chinese_number(months) if rng.random() < 0.4 else str(months)
        number = number.replace("二", "两")
        return number + str(rng.choice(["个月", "月", "月余", "个多月", "个月余"])), months / 12
    if draw < 0.25:
        return f"{years}{rng.choice(['年半', '年半余'])}", years + 0.5
    if draw < 0.28:
        months = int(rng.integers(1, 12))
        return f"{years}年{months}个月", years + months / 12
    chinese = rng.random() < 0.3
    number = ("两" if years == 2 else chinese_number(years)) if chinese else str(years)
    space = " " if not chinese and rng.random() < 0.06 else ""
    if years >= 10 and rng.random() < 0.3:
        return number + str(rng.choice(["余年", "多年", "+年", "余载"])), float(years)
    before = str(rng.choice(["", "", "", "", "", "", "约", "近", "大约", "将近", "约有"]))
    after = str(rng.choice(["", "", "", "", "", "", "余", "多", "左右", "+"]))
    return f"{before}{number}{space}年{after}", float(years)


def english_duration(rng: np.random.Generator) -> tuple[str, float]:
    """The same in English."""
    years = int(rng.choice([1, 2, 3, 4, 5, 6, 7, 8, 10, 12, 15, 20, 25, 30]))
    words = ("one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")
    draw = rng.random()
    if draw < 0.12:
        months = int(rng.choice([2, 3, 4, 6, 8, 9, 18]))
        return f"{months} {rng.choice(['months', 'mo', 'months'])}", months / 12
    number = words[years - 1] if years <= 10 and rng.random() < 0.25 else str(years)
    unit = str(rng.choice(["years", "years", "years", "yrs", "yr", "y"]))
    if years == 1:
        unit = "year"
    if unit in ("yr", "y") and number != str(years):
        unit = "years"
    return f"{number}{'+' if draw > 0.96 and number == str(years) else ''} {unit}", float(years)
