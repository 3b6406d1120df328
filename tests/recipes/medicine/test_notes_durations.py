"""Durations: every way of saying one, and what is none; and whose a duration is."""

import pytest

from zhuyi.recipes.medicine.notes.durations import find_durations, folded, number_of
from zhuyi.recipes.medicine.notes.lasting import years_of
from zhuyi.recipes.medicine.notes.naming import find_names

SAID = {
    "5年": 5.0,
    "五年": 5.0,
    "十五年": 15.0,
    "二十年": 20.0,
    "两年": 2.0,
    "5余年": 5.0,
    "5年余": 5.0,
    "十余年": 10.0,
    "10+年": 10.0,
    "5年多": 5.0,
    "半年": 0.5,
    "一年半": 1.5,
    "3年半": 3.5,
    "1.5年": 1.5,
    "2年3个月": 2.25,
    "3个月": 0.25,
    "6月余": 0.5,
    "1个多月": 1 / 12,
    "2周": 14 / 365.25,
    "三四年": 3.5,
    "3-5年": 4.0,
    "５年": 5.0,
    "5 years": 5.0,
    "five years": 5.0,
    "a 12-year history": 12.0,
    "x 4 yrs": 4.0,
    "x10yrs": 10.0,
    "20+ years": 20.0,
    "18 months": 1.5,
    "6 mo": 0.5,
    "two and a half years": 2.5,
    "half a year": 0.5,
    "a decade": 10.0,
    "twenty-five years": 25.0,
}
NONE = (
    *("2015年确诊", "二〇一五年", "2019年5月", "患者65岁", "多年", "数年", "60年代", "3年级"),
    *(
        "65-year-old man",
        "60 years old",
        "12 y/o",
        "several years",
        "since 2015",
        "60 years of age",
    ),
)
WHOSE = {
    # note: years of each name in it, in the order they stand
    "高血压病史5年，高血脂3年，糖尿病2年。": (5.0, 3.0, 2.0),
    "高血压、糖尿病10年": (10.0, 10.0),
    "高血压，病程约8年": (8.0,),
    "3年前诊断为糖尿病，吸烟20年": (3.0,),
    "3年前因头晕就诊，诊断为高血压": (3.0,),
    "有10年高血压史": (10.0,),
    "吸烟30年，高血压": (None,),
    "高血压，吸烟30年": (None,),
    "冠心病10年，高血压": (None,),
    "高血压，冠心病10年": (None,),
    "糖尿病，半年前确诊脂肪肝": (None,),
    "高血压，口服氨氯地平3年": (None,),
    "高血压，最高180/110mmHg，病史5年": (5.0,),
    "阑尾炎术后10年，高血压": (None,),
    "有高血压、高血脂和糖尿病，分别5年、3年和2年": (5.0, 3.0, 2.0),
    "有高血压、糖尿病，病史分别为5、3年": (5.0, 3.0),
    "高血压5年、糖尿病、冠心病": (5.0, None),
    "高血压。糖尿病5年": (None, 5.0),
    "hypertension and diabetes for 5 and 3 years, respectively": (5.0, 3.0),
    "hypertension for 5 years, smoker for 20 years": (5.0,),
    "a 12-year history of hypertension, diabetes x 4 years": (12.0, 4.0),
    "diabetes, smoked for 20 years": (None,),
    "hypertension, diabetes and high cholesterol for 6 years": (6.0, 6.0, 6.0),
}


@pytest.mark.parametrize("said", SAID)
def test_a_duration_has_its_years(said: str) -> None:
    found = find_durations(f"高血压{said}。" if not said.isascii() else f"diabetes {said}.")
    assert [one.years for one in found] == [pytest.approx(SAID[said], abs=1e-9)]


@pytest.mark.parametrize("said", NONE)
def test_dates_ages_and_vague_words_are_no_durations(said: str) -> None:
    assert find_durations(said) == ()


@pytest.mark.parametrize("note", WHOSE)
def test_a_duration_is_of_its_own_condition(note: str) -> None:
    spans = [(name.start, name.end) for name in find_names(note)]
    found = [years_of(note, start, end, spans) for start, end in spans]
    assert tuple(None if one is None else one.years for one in found) == WHOSE[note]


def test_numbers_of_all_kinds() -> None:
    assert [number_of(one) for one in ("十", "十二", "三十", "一百二十", "两", "7", "eleven")] == [
        *(10.0, 12.0, 30.0, 120.0, 2.0, 7.0, 11.0)
    ]


def test_folding_keeps_every_place() -> None:
    text = "Ⅱ型糖尿病，５年（Ｔ２ＤＭ）"
    assert len(folded(text)) == len(text)
    assert folded(text)[5:8] == ",5年"
