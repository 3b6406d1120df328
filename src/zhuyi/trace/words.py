"""Cut a text into what a reader sees as one piece, and join a tokenizer's tokens into those pieces.

A piece is a word (letters, digits and marks of any script, with inner apostrophes, and numbers
with inner points and commas), one character of a script written without spaces (Han, kana, Thai
and its neighbors), or one punctuation mark or symbol. Knows nothing of any tokenizer library.
"""

import unicodedata
from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import dataclass

from zhuyi.core.record import Unit

# Scripts that put no space between words: a character is the piece a reader can point at.
_SPACELESS = (
    (0x0E00, 0x0EFF),  # Thai, Lao
    (0x1000, 0x109F),  # Myanmar
    (0x1780, 0x17FF),  # Khmer
    (0x2E80, 0x2FDF),  # CJK radicals
    (0x3005, 0x3007),  # iteration mark, zero
    (0x3040, 0x30FF),  # Hiragana, Katakana
    (0x31F0, 0x31FF),  # Katakana extensions
    (0x3400, 0x4DBF),  # Han extension A
    (0x4E00, 0x9FFF),  # Han
    (0xF900, 0xFAFF),  # Han compatibility
    (0xFF66, 0xFF9D),  # half-width Katakana
    (0x20000, 0x3FFFF),  # Han extensions B and on
)
_APOSTROPHES = "'’ʼ"
_JOINER = "\u200d"
_VISIBLE_SPACE = {" ": "␣", "\n": "⏎", "\t": "⇥", "\r": "⏎", "\u3000": "␣"}


@dataclass(frozen=True)
class Token:
    """One position of a sequence as its tokenizer reports it.

    Args:
        label: the token as the vocabulary spells it.
        start: first character in the source text.
        end: one past the last character; equal to `start` when the token has no text.
        special: True when the tokenizer added it.
        text: which of the input's texts it comes from (0 or 1).
    """

    label: str
    start: int
    end: int
    special: bool
    text: int = 0


def is_spaceless(character: str) -> bool:
    """Whether `character` belongs to a script written without spaces between words."""
    code = ord(character)
    return any(low <= code <= high for low, high in _SPACELESS)


def pieces(text: str) -> tuple[tuple[int, int], ...]:
    """Spans of the words, characters and marks of a text, in reading order, without white space.

    Args:    text: any text.
    Returns: (start, end) pairs in characters, ascending, not overlapping.

    Example:
        >>> text = "Don't pay 3.50, 注意!"
        >>> [text[a:b] for a, b in pieces(text)]
        ["Don't", 'pay', '3.50', ',', '注', '意', '!']
    """
    found: list[tuple[int, int]] = []
    start = 0
    while start < len(text):
        if text[start].isspace():
            start += 1
            continue
        end = _piece_end(text, start)
        found.append((start, end))
        start = end
    return tuple(found)


def _piece_end(text: str, start: int) -> int:
    wordlike = _is_word(text[start]) and not is_spaceless(text[start])
    end = start + 1
    while end < len(text):
        character = text[end]
        goes_on = wordlike and _is_word(character) and not is_spaceless(character)
        if goes_on or _is_attached(character) or text[end - 1] == _JOINER:
            end += 1
        elif wordlike and end + 1 < len(text) and _joins(text[end - 1], character, text[end + 1]):
            end += 2
        else:
            break
    return end


def _is_word(character: str) -> bool:
    return character == "_" or unicodedata.category(character)[0] in "LN"


def _is_attached(character: str) -> bool:
    # Marks (accents, vowel signs, variation selectors) and joiners belong to what stands before.
    return unicodedata.category(character)[0] == "M" or character in (_JOINER, "\u200c")


def _joins(before: str, middle: str, after: str) -> bool:
    if middle in _APOSTROPHES:
        return before.isalnum() and after.isalnum() and not is_spaceless(after)
    return middle in ".," and before.isdigit() and after.isdigit()


def join_tokens(tokens: Sequence[Token], texts: Sequence[str]) -> tuple[Unit, ...]:
    """Units of one sequence: its tokens joined into pieces, special tokens apart.

    A token that covers several pieces joins them into one unit; a token of blanks or without text
    goes to the unit that follows it, or to the one before when none follows. Line breaks and tabs
    are units of their own.

    Args:
        tokens: the sequence's tokens, in order, without padding.
        texts: the input's texts (one, or the two of a pair).
    Returns: units in order of their first position; every position is in exactly one unit.
    """
    cuts = tuple(_Cuts.of(text) for text in texts)
    groups: list[_Group] = []
    waiting: list[int] = []
    for position, token in enumerate(tokens):
        if token.special:
            _flush(groups, waiting)
            groups.append(_Group(token.text, 0, 0, [position], token.label))
            continue
        start, end = _trimmed(texts[token.text], token.start, token.end)
        if not texts[token.text][start:end].strip(" "):
            waiting.append(position)
            continue
        start, end = cuts[token.text].widened(start, end)
        last = groups[-1] if groups else None
        if last is not None and last.label is None and last.meets(token.text, start, end):
            last.positions += [*waiting, position]
            last.start, last.end = min(last.start, start), max(last.end, end)
        else:
            groups.append(_Group(token.text, start, end, [*waiting, position], None))
        waiting = []
    _flush(groups, waiting)
    return tuple(group.unit(texts) for group in groups)


@dataclass
class _Group:
    text: int
    start: int
    end: int
    positions: list[int]
    label: str | None  # the token's own spelling, for special tokens only

    def meets(self, text: int, start: int, end: int) -> bool:
        return text == self.text and start < self.end and end > self.start

    def unit(self, texts: Sequence[str]) -> Unit:
        positions = tuple(self.positions)
        if self.label is not None:
            return Unit(label=self.label, positions=positions, special=True)
        label = "".join(_VISIBLE_SPACE.get(c, c) for c in texts[self.text][self.start : self.end])
        return Unit(label=label, positions=positions, span=(self.start, self.end))


def _flush(groups: list[_Group], waiting: list[int]) -> None:
    """Give tokens without text to the unit before them, or a unit of their own without one."""
    if not waiting:
        return
    if groups and groups[-1].label is None:
        groups[-1].positions += waiting
    else:
        groups.append(_Group(0, 0, 0, list(waiting), "␣"))
    waiting.clear()


def _trimmed(text: str, start: int, end: int) -> tuple[int, int]:
    """Take white space off both ends, unless white space is all there is."""
    left, right = start, end
    while left < right and text[left].isspace():
        left += 1
    while right > left and text[right - 1].isspace():
        right -= 1
    return (left, right) if left < right else (start, end)


@dataclass(frozen=True)
class _Cuts:
    """A text's pieces, to be found by their place: texts have thousands of both."""

    starts: tuple[int, ...]
    ends: tuple[int, ...]

    @classmethod
    def of(cls, text: str) -> "_Cuts":
        found = pieces(text)
        return cls(tuple(start for start, _ in found), tuple(end for _, end in found))

    def widened(self, start: int, end: int) -> tuple[int, int]:
        """The span with all of the pieces that it touches."""
        first, last = bisect_right(self.ends, start), bisect_left(self.starts, end) - 1
        if first > last:
            return start, end
        return min(start, self.starts[first]), max(end, self.ends[last])


def locate_tokens(labels: Sequence[str], text: str) -> tuple[tuple[int, int], ...]:
    """Spans of tokens in a text, for tokenizers that do not report them.

    Each token's plain spelling is looked for from where the last one ended, ignoring case and
    accents; a token that is not found (an unknown word, a byte) gets the stretch up to the next one
    that is.

    Args:
        labels: plain spellings, without the tokenizer's joining marks; "" for no text.
        text: the source text.
    Returns: one (start, end) pair per token, ascending.
    """
    folded, origin = _folded(text)
    spans: list[tuple[int, int] | None] = []
    cursor = 0
    for label in labels:
        wanted = _folded(label.strip())[0]
        at = folded.find(wanted, cursor) if wanted else -1
        # A hit far away is more likely a later copy of a word the tokenizer rewrote.
        if at < 0 or folded[cursor:at].count(" ") > 8:
            spans.append(None if label.strip() else (-1, -1))
            continue
        cursor = at + len(wanted)
        spans.append((origin[at], origin[cursor - 1] + 1))
    return _filled(spans, len(text))


def _folded(text: str) -> tuple[str, tuple[int, ...]]:
    """The text without case and accents, and for each of its characters where it came from."""
    letters: list[str] = []
    origin: list[int] = []
    for index, character in enumerate(text):
        for part in unicodedata.normalize("NFKD", character).casefold():
            if unicodedata.category(part) != "Mn":
                letters.append(" " if part.isspace() else part)
                origin.append(index)
    return "".join(letters), tuple(origin)


def _filled(spans: Sequence[tuple[int, int] | None], length: int) -> tuple[tuple[int, int], ...]:
    result: list[tuple[int, int]] = []
    cursor = 0
    for index, span in enumerate(spans):
        if span is None:
            later = (s for s in spans[index + 1 :] if s is not None and s[0] >= 0)
            span = (cursor, max(cursor, next(later, (length, length))[0]))
        elif span[0] < 0:
            span = (cursor, cursor)
        cursor = max(cursor, span[1])
        result.append(span)
    return tuple(result)


def gaps(units: Sequence[Unit], texts: Sequence[str]) -> tuple[str, ...]:
    """What stands in the source before each unit and after the one before it.

    Args:
        units: of one input, in reading order, those of a second text after those of the first.
        texts: the input's text or texts.
    Returns: one text a unit; a blank between units that have no place in the source.

    Example:
        >>> units = (Unit(label="a", positions=(0,), span=(0, 1)),
        ...          Unit(label="b", positions=(1,), span=(3, 4)))
        >>> gaps(units, ["a, b"])
        ('', ', ')
    """
    found: list[str] = []
    text = end = 0
    for unit in units:
        gap = " " if found else ""
        if unit.span is not None:
            # The spans of a pair's second text begin again at 0.
            if unit.span[0] < end and text + 1 < len(texts):
                text, end = text + 1, 0
                gap = "\n\n"
            else:
                gap = texts[text][end : unit.span[0]]
            end = unit.span[1]
        found.append(gap)
    return tuple(found)
