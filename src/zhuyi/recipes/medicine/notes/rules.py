"""Baselines by rule: a condition is named; a condition is named and no cue takes it back.

The second is in the manner of ConText (Harkema et al. 2009): cues before or behind a name say that
it is not there, or somebody else's, as far as a clause goes.
"""

import re
from collections.abc import Callable, Sequence
from typing import Final

import numpy as np
import numpy.typing as npt

from zhuyi.recipes.medicine.notes.durations import folded
from zhuyi.recipes.medicine.notes.naming import Name, find_names
from zhuyi.recipes.medicine.notes.phrases import CLASSES

_SENTENCE: Final = re.compile(r"[。；;\n]|\.(?!\d)")
_NOT_BEFORE: Final = re.compile(
    r"否认|否定|无|没有|没|未|排除|非|不[伴患是]|阴性|\b(?:no|not|denies|denied|negative|without|never|neither)\b"
)
_NOT_BEHIND: Final = re.compile(
    r"^[^，,。；;]{0,6}?(?:[：:]\s*(?:无|否认|阴性|no|none)|[（(][-－无][）)]|均?(?:无|否认)|阴性|已?排除|正常)"
    r"|^\s*(?:ruled out|excluded|absent|denied|normal)\b"
)
_OTHERS: Final = re.compile(
    r"家族|家[中里]|父|母|爷|奶|外[公婆]|祖|兄|弟|姐|妹|哥|叔|伯|舅|姑|姨|儿子|女儿|妻|丈夫|配偶|老伴|亲属"
    r"|\b(?:family|father|mother|parents?|brother|sister|uncle|aunt|grand\w+|son|daughter|wife|husband|fh)\b"
)
_FAMILY_BEHIND: Final = re.compile(
    r"^[^，,。；;]{0,4}家族史|^\s*(?:in|runs in) (?:the |his |her )?(?:family|\w*ther)"
)
_SELF: Final = re.compile(
    r"本人|自己|患者(?!的?[父母兄弟姐妹])|\b(?:patient|himself|herself|he|she)\b"
)
_TURN: Final = re.compile(r"但|而|，有|,有|，患|仅有|\b(?:but|however)\b")


def by_name(texts: Sequence[str]) -> npt.NDArray[np.bool_]:
    """[N, 3]: whether a condition of the class is named at all.

    Example:
        >>> by_name(["否认高血压"]).tolist()
        [[True, False, False]]
    """
    return _said(texts, lambda text, name: True)


def by_cues(texts: Sequence[str]) -> npt.NDArray[np.bool_]:
    """[N, 3]: whether a condition is named that no cue denies or gives to somebody else.

    Example:
        >>> by_cues(["否认高血压，糖尿病5年，父亲高血脂"]).tolist()
        [[False, False, False]]
        >>> by_cues(["否认高血压，但有糖尿病5年。父亲高血脂"]).tolist()
        [[False, False, True]]
    """
    return _said(texts, _own)


def _said(texts: Sequence[str], counts: Callable[[str, Name], bool]) -> npt.NDArray[np.bool_]:
    said = np.zeros((len(texts), len(CLASSES)), dtype=np.bool_)
    for row, text in enumerate(texts):
        plain = folded(text)
        for name in find_names(text):
            if counts(plain, name):
                said[row, list(name.labels)] = True
    return said


def _own(text: str, name: Name) -> bool:
    before, behind = text[: name.start], text[name.end :]
    ends = [match.end() for match in _SENTENCE.finditer(before)]
    before = before[ends[-1] :] if ends else before
    turns = [match.end() for match in _TURN.finditer(before)]
    scope = before[turns[-1] :] if turns else before
    if _FAMILY_BEHIND.search(behind) or _NOT_BEHIND.search(behind) or _NOT_BEFORE.search(scope):
        return False
    others = [match.end() for match in _OTHERS.finditer(before)]
    me = [match.end() for match in _SELF.finditer(before)]
    return not others or bool(me and me[-1] > others[-1])
