"""spaCy's token patterns as a selector; needs spaCy (the extra `spacy`), and no trained model."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from json import dumps, loads
from typing import Any, Final

from zhuyi.errors import InputError, OptionError
from zhuyi.steer.layout import Layout
from zhuyi.steer.selectors import Matched, spanned

#: What a trained pipeline would have to say of each word.
_TRAINED: Final = frozenset(
    {"POS", "TAG", "DEP", "LEMMA", "MORPH", "ENT_TYPE", "ENT_ID", "ENT_IOB", "ENT_KB_ID", "_"}
)
_LANGUAGE: Final = re.compile(r"[a-z]{2,3}")


@dataclass(frozen=True)
class SpacyPattern:
    """Every match of one of spaCy's token patterns.

    Args:
        pattern: one mapping a word, as `spacy.matcher.Matcher` takes them: `LOWER`, `TEXT`,
            `SHAPE`, `LIKE_NUM`, `IN`, `REGEX`, `OP`, ...
        language: whose rules part the text into words ("en", "de", "zh", or "xx" for any).
    Raises:
        OptionError: for attributes that only a trained pipeline knows (`POS`, `LEMMA`, ...).
        InputError: on matching, if spaCy is missing or refuses the pattern.

    Example:
        >>> SpacyPattern([{"LOWER": "allergic"}, {"LOWER": "to"}, {"IS_ALPHA": True}]).language
        'en'
    """

    pattern: Sequence[Mapping[str, Any]] = field(hash=False)
    language: str = "en"

    def __post_init__(self) -> None:
        # A list and a tuple are the same pattern, and nobody changes it under us.
        object.__setattr__(self, "pattern", tuple(dict(one) for one in self.pattern))
        if not self.pattern or not all(self.pattern):
            raise OptionError(
                "a spaCy pattern must hold at least one word, and say something of each"
            )
        trained = {key.upper() for one in self.pattern for key in one} & _TRAINED
        if trained:
            raise OptionError(
                f"the spaCy pattern asks for {', '.join(sorted(trained))}, which only a trained "
                "pipeline knows: use LOWER, TEXT, SHAPE, LIKE_NUM, IN, REGEX and the like"
            )
        if not _LANGUAGE.fullmatch(self.language):
            raise OptionError(f"language must be a code such as 'en', got {self.language!r}")

    def match(self, layout: Layout) -> Matched:
        """Tokens of the longest matches."""
        pattern = dumps(self.pattern, sort_keys=True)
        return spanned(layout, _spans(layout.text, pattern, self.language))


def _spans(text: str, pattern: str, language: str) -> Iterator[tuple[int, int]]:
    nlp, matcher = _matcher(pattern, language)
    doc = nlp.make_doc(text)
    for _, start, stop in matcher(doc):
        span = doc[start:stop]
        yield span.start_char, span.end_char


@lru_cache(maxsize=32)
def _matcher(pattern: str, language: str) -> tuple[Any, Any]:
    try:
        import spacy
        from spacy.matcher import Matcher
    except ModuleNotFoundError:
        raise InputError("spaCy patterns need spaCy: pip install 'zhuyi[spacy]'") from None
    try:
        nlp = spacy.blank(language)
        matcher = Matcher(nlp.vocab, validate=True)
        matcher.add("rule", [loads(pattern)], greedy="LONGEST")
    except (ImportError, ValueError) as wrong:  # spaCy's pattern error is a ValueError
        raise InputError(f"spaCy refuses the pattern {pattern} ({language}): {wrong}") from None
    return nlp, matcher
