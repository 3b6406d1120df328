"""Which duration belongs to a condition: the one in its clause, and no other thing's.

A duration of another disease, of smoking, of an operation or of taking drugs is not the
condition's. Where one is given for a list ("高血压、糖尿病10年") it is every entry's; where a list
of durations answers a list of conditions (分别, respectively) they are matched by place.
"""

import re
from collections.abc import Sequence
from typing import Final

from zhuyi.recipes.medicine.notes.durations import (
    Duration,
    find_durations,
    folded,
    number_of,
)

Span = tuple[int, int]

_END: Final = re.compile(r"[。；;\n!?！？]|\.(?!\d)")
_COMMA: Final = re.compile(r"[，,]")
_LISTED: Final = re.compile(r"(?:[、/&+，,\s]|以及|及其|[和及与或伴]|合并|\band|\bor|\bwith)\s*$")
_JOINS: Final = re.compile(  # what stands between conditions of a list and before its duration
    r"(?:[\s、/&+，,（()）“”\"和及与或以均都各已有约近史达共为病程大概将患同时]|and\b|or\b|for\b|both\b|x\b|×"
    r"|about\b|over\b|the\b|past\b|last\b|more than\b|approximately\b|of\b)*"
)
_TAILS: Final = re.compile(
    r"[，,]?\s*(?:的|其)?(?:病史|病程|患病|时间|史|均|for)*(?:[约有为])*\s*$"
)
_COUNT: Final = re.compile(r"\d+(?:\.\d+)?|[一二两三四五六七八九十]+")
# What a duration can be of instead, when it stands between a condition and the duration: what
# people do or have done to them and who else there is, and other complaints.
_ACTS: Final = re.compile(
    r"[吸抽戒]烟|烟[史龄]|吸|[饮喝戒]酒|酒[史龄]|术|切除|移植|支架|透析|骨折|外伤|口服|服用|服药|用药|吃药|服"
    r"|注射|使用|应用|停药|胰岛素|降[压糖脂]药|结婚|绝经|工作|退休|妊娠|怀孕|母|父|家族|兄|弟|姐|妹|爷|奶|外[公婆]"
    r"|子女|smok|alcohol|drink|surgery|ectomy|taking|takes|\bon\b|treated|insulin|metformin|statin|father"
    r"|mother|brother|sister|family|quit|follow|否认|没有|未|denies|\bno\b"
)
_ILLS: Final = re.compile(
    r"癌|瘤|炎|梗|结石|哮喘|痛风|卒中|中风|冠心|房颤|心衰|结核|肝硬|肺气肿|心绞痛|贫血|甲亢|甲减|增生|突出|疏松"
    r"|失眠|头[晕痛]|胸[闷痛]|咳|发热|腹[痛泻]|乏力|口干|心悸|疼|痛|脂肪肝|尿酸|支气管|慢阻肺|肾病|心脏病|脑血管"
    r"|抑郁|癫痫|asthma|copd|gout|stroke|cancer|disease|infarct|failure|fibrillation|itis\b|osis\b|emia\b|pain"
)
_BEFORE: Final = re.compile(
    # 5年前诊断, 5年的, 5年来患, a 5-year history of
    r"^\s*(?:[余多来+左右]*(?:前|以前|之前|的|来|患|史|病史)|(?:[-\s]*)(?:ago\b|history|hx|h/o|of\b))"
)
_GOES_ON: Final = re.compile(
    # how a clause behind a comma says how long the condition before it has lasted
    r"^\s*[（(]?(?:(?:其|该病|此病)?(?:病史|病程|患病|病情|时间|发病|确诊|诊断|发现|得病|duration|diagnosed|for|x|×)"
    r"(?:时间|至今|已经|[已有约达共为长近：:，]|大[约概]|将近|长达|of|since)*|(?:已经?|至今|大[约概]|将近|[约近有共达])*)\s*$"
)
_SAYS_OF_IT: Final = re.compile(r"病史|病程|患病|时间|确诊|诊断|发现|duration|diagnosed")
_ALONE: Final = re.compile(
    r"\s*(?:前|以前|之前|ago)(?:确诊|诊断|发现|查出|起病|diagnosed)?[）)\s]*"
)
_FOUND: Final = re.compile(r"诊断|确诊|发现|查出|考虑|诊为|患|得|示|提示|有|diagnos|found|told")
_RESPECTIVELY: Final = re.compile(r"分别为?|依次为?|respectively|各")


def years_of(
    text: str, start: int, end: int, names: Sequence[Span], *, durations: Sequence[Duration] = ()
) -> Duration | None:
    """The duration of the condition at a place of a text, or None.

    Args:
        text: the note.
        start, end: characters of the condition.
        names: where conditions of any class stand in the text, this one among them.
        durations: of the text, if they are known already.

    Example:
        >>> text = "高血压、冠心病5年，吸烟20年，糖尿病，病程8年。"
        >>> conditions = [(0, 3), (16, 19)]
        >>> [years_of(text, a, b, conditions).years for a, b in conditions]
        [5.0, 8.0]
    """
    plain = folded(text)
    known = tuple(durations) or find_durations(text)
    first, last = _sentence(plain, start, end)
    here = [one for one in known if first <= one.start and one.end <= last]
    others = [span for span in names if span[1] <= start or span[0] >= end]
    if not here:
        return None
    for rule in (_apart, _behind, _in_front, _shared, _next_clause, _clause_before):
        found = rule(plain, (start, end), (first, last), here, others)
        if found is not None:
            return found
    return None


def _sentence(text: str, start: int, end: int) -> Span:
    """The sentence around a place."""
    first = max((m.end() for m in _END.finditer(text, 0, start)), default=0)
    after = _END.search(text, end)
    return first, after.start() if after else len(text)


def _clause(text: str, place: Span, within: Span) -> Span:
    """The part between commas around a place."""
    first = max((m.end() for m in _COMMA.finditer(text, within[0], place[0])), default=within[0])
    after = _COMMA.search(text, place[1], within[1])
    return first, after.start() if after else within[1]


def _between(spans: Sequence[Span], low: int, high: int) -> bool:
    return any(low <= a and b <= high for a, b in spans)


def _of_another(text: str) -> bool:
    """Whether a stretch of text speaks of something else that a duration could be of."""
    return bool(_ACTS.search(text) or _ILLS.search(text))


def _behind(
    text: str, place: Span, within: Span, here: Sequence[Duration], others: Sequence[Span]
) -> Duration | None:
    """高血压病史5年: in the same clause, behind, with nothing else between."""
    _, last = _clause(text, place, within)
    one = next((d for d in here if place[1] <= d.start and d.end <= last), None)
    if one is None:
        return None
    gap = text[place[1] : one.start]
    if _between(others, place[1], one.start) or _of_another(gap) or re.search(r"[、/;]", gap):
        return None
    # 糖尿病和5年前诊断的高血压: the duration belongs to what comes behind it
    ahead = _BEFORE.match(text[one.end :]) and any(one.end <= a < last for a, _ in others)
    return None if ahead else one


def _in_front(
    text: str, place: Span, within: Span, here: Sequence[Duration], others: Sequence[Span]
) -> Duration | None:
    """5年前诊断高血压, 有10年高血压史, a 5-year history of hypertension; also through a list."""
    first, _ = _clause(text, place, within)
    one = next((d for d in reversed(here) if first <= d.start and d.end <= place[0]), None)
    if one is None:
        return None
    gap = text[one.end : place[0]]
    listed = any(one.end <= a and b <= place[0] for a, b in others) or _ILLS.search(gap)
    told = _BEFORE.match(gap) is not None
    opens = not _of_another(text[first : one.start]) and not _between(others, first, one.start)
    if _ACTS.search(gap) or not (told or opens):
        return None
    if listed:
        return one if _LISTED.search(gap) else None
    return one if told or not gap.strip() else None


def _shared(
    text: str, place: Span, within: Span, here: Sequence[Duration], others: Sequence[Span]
) -> Duration | None:
    """高血压、糖尿病10年: the first duration behind the list that the condition stands in."""
    one = next((d for d in here if d.start >= place[1]), None)
    if one is None:
        return None
    gap = text[place[1] : one.start]
    if _ACTS.search(gap) or len(_entries(gap)) < 2:
        return None
    if _COMMA.search(gap):  # entries behind a comma must be conditions and nothing more
        inside = [(a, b) for a, b in others if place[1] <= a and b <= one.start]
        bare = list(text)
        for a, b in inside:
            bare[a:b] = " " * (b - a)
        if not inside or not _JOINS.fullmatch("".join(bare[place[1] : one.start])):
            return None
    ahead = _BEFORE.match(text[one.end :]) and any(a >= one.end for a, _ in others)
    return None if ahead else one


def _apart(
    text: str, place: Span, within: Span, here: Sequence[Duration], others: Sequence[Span]
) -> Duration | None:
    """有高血压、糖尿病，分别5年和3年: matched by place."""
    for word in _RESPECTIVELY.finditer(text, *within):
        english = word.group() == "respectively"
        row = _row(text, here, word.end())
        if english:
            first = max((d.end for d in here if d.end <= place[0]), default=within[0])
            row = _row(text, [d for d in here if first <= d.start < word.start()], first)
        if len(row) < 2 or not within[0] <= place[0] < min(row[0].start, word.start()):
            continue
        last = _TAILS.sub("", text[: min(row[0].start, word.start())])
        begins = {_clause(text, place, within)[0], within[0], *(a for a, _ in (*others, place))}
        for begin in sorted(begins):
            entries = _entries(last[begin:])
            if begin <= place[0] and len(entries) == len(row):
                return row[len(_entries(text[begin : place[0]] + "x")) - 1]
    return None


def _row(text: str, here: Sequence[Duration], first: int) -> list[Duration]:
    """Durations from a place on; 5、3、2年 gives three of them."""
    row: list[Duration] = []
    for one in (d for d in here if d.start >= first):
        unit = one.years / number if (number := _leading(text, one)) else 0.0
        low = row[-1].end if row else first
        for match in _COUNT.finditer(text, low, one.start):
            if unit:
                row.append(
                    Duration(
                        start=match.start(), end=match.end(), years=unit * number_of(match.group())
                    )
                )
        row.append(one)
    return row


def _leading(text: str, one: Duration) -> float:
    """The number that a duration begins with, 0 where there is none."""
    match = _COUNT.match(text, one.start)
    return number_of(match.group()) if match else 0.0


def _entries(text: str) -> list[str]:
    parts = re.split(
        r"[、/，,;；]\s*(?:and\b)?|以及|[和及与或]|\band\b|&|(?<=[^\x00-\x7f])\s+", text
    )
    return [part.strip() for part in parts]


def _next_clause(
    text: str, place: Span, within: Span, here: Sequence[Duration], others: Sequence[Span]
) -> Duration | None:
    """糖尿病，病程8年; 高血压，最高180/110mmHg，病史5年: until something else is spoken of."""
    _, last = _clause(text, place, within)
    immediate = True
    while last < within[1]:
        first = last + 1
        after = _COMMA.search(text, first, within[1])
        last = after.start() if after else within[1]
        if _between(others, first, last):
            return None
        for one in here:
            if first <= one.start and one.end <= last:
                lead = text[first : one.start]
                goes_on = _GOES_ON.match(lead) is not None
                says = _SAYS_OF_IT.search(lead) is not None or lead.strip() == ""
                tail = text[one.end : last]
                told = _BEFORE.match(tail) is None or _ALONE.fullmatch(tail) is not None
                alone = not _of_another(lead) and told
                return one if goes_on and alone and (immediate or says) else None
        if _ILLS.search(text, first, last):
            return None
        immediate = False
    return None


def _clause_before(
    text: str, place: Span, within: Span, here: Sequence[Duration], others: Sequence[Span]
) -> Duration | None:
    """3年前因头晕就诊，诊断为高血压: the duration opens the clause before."""
    first, _ = _clause(text, place, within)
    if first == within[0] or not _FOUND.search(text, first, place[0]):
        return None
    before = max((m.end() for m in _COMMA.finditer(text, within[0], first - 1)), default=within[0])
    if _between(others, before, place[0]):
        return None
    for one in here:
        if (
            before <= one.start
            and one.end < first
            and re.match(r"[余多]?前|\s+ago", text[one.end :])
        ):
            led = text[before : one.start]
            return None if _of_another(led) else one
    return None
