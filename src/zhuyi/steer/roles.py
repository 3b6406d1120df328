"""Who says what in a chat: found by letting the tokenizer's own chat template render probes.

No list of known templates: what stands between two probes is what the template puts between two
speakers. Special tokens count as themselves (one private character each), so a text that only
spells "<|im_start|>assistant" changes no role.
"""

import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Final

#: What speakers are tried; a template that refuses one does not know it.
SPEAKERS: Final = ("system", "user", "assistant", "tool")
_PROBES: Final = ("Quebec seven", "Yankee three", "Oscar nine", "Tango four", "Hotel six")
_TALKS: Final = (
    ("user",),
    ("user", "assistant"),
    ("user", "assistant", "user"),
    ("user", "assistant", "user", "assistant"),
    ("system", "user"),
    ("system", "user", "assistant", "user"),
    ("user", "assistant", "tool", "assistant"),
)
Raw = Callable[[Sequence[int]], Sequence[str]]
"""Ids -> per position what it adds to the text, special tokens as private characters."""


@dataclass(frozen=True, kw_only=True)
class Roles:
    """How a template opens and closes what each speaker says.

    Args:
        openers: (text, speaker), the longest first.
        closers: speaker -> the text behind what he says; "" where there is none.
    """

    openers: tuple[tuple[str, str], ...] = ()
    closers: tuple[tuple[str, str], ...] = ()

    @property
    def known(self) -> bool:
        """Whether there is a template that could be read."""
        return bool(self.openers)

    def of(self, raw: Sequence[str]) -> list[str]:
        """Per position who says it; "" for what the template itself puts there.

        Args:
            raw: per position what it adds to the text.
        """
        starts, text = [], ""
        for piece in raw:
            starts.append(len(text))
            text += piece
        said = [""] * len(text)
        for start, stop, speaker in self._turns(text):
            said[start:stop] = [speaker] * (stop - start)
        ends = [*starts[1:], len(text)]
        return [
            next((one for one in said[start:end] if one), "")
            for start, end in zip(starts, ends, strict=True)
        ]

    def _turns(self, text: str) -> list[tuple[int, int, str]]:
        """Start, end and speaker of all that is said."""
        turns: list[tuple[int, int, str]] = []
        closers = dict(self.closers)
        at, speaker = 0, ""
        place = 0
        while place < len(text):
            opener = next((one for one in self.openers if text.startswith(one[0], place)), None)
            closer = closers.get(speaker, "")
            if opener is not None:
                if speaker:
                    turns.append((at, place, speaker))
                place += len(opener[0])
                at, speaker = place, opener[1]
            elif speaker and closer and self._closes(text, place, closer):
                turns.append((at, place, speaker))
                speaker = ""
                # What closes one may open the next, so it is not passed over.
                place += 1
            else:
                place += 1
        if speaker:
            turns.append((at, len(text), speaker))
        return turns

    def _closes(self, text: str, place: int, closer: str) -> bool:
        """Whether a speaker ends here: an empty line alone does not, he may have written it."""
        if not text.startswith(closer, place):
            return False
        after = place + len(closer)
        if after == len(text) or any(_is_private(letter) for letter in closer):
            return True
        starts = range(place, after + 1)
        return any(text.startswith(one, start) for one, _ in self.openers for start in starts)


def roles_of(tokenizer: Any, raw: Raw) -> Roles:
    """The roles of a tokenizer's chat template; unknown ones where it has none.

    Args:
        tokenizer: with `chat_template` and `apply_chat_template`, or without.
        raw: how its ids are spelled.
    Cost: a few short renderings, once.
    """
    if not getattr(tokenizer, "chat_template", None):
        return Roles()
    before: dict[str, list[str]] = {}
    after: dict[str, list[str]] = {}
    for talk in _TALKS:
        found = _rendered(tokenizer, raw, talk)
        if found is None:
            continue
        text, places = found
        ends = [place + len(probe) for place, probe in zip(places, _PROBES, strict=False)]
        gaps = [text[end:start] for end, start in zip(ends, places[1:], strict=False)]
        before.setdefault(talk[0], []).append(text[: places[0]])
        for (left, right), gap in zip(pairwise(talk), gaps, strict=True):
            after.setdefault(left, []).append(gap)
            before.setdefault(right, []).append(gap)
        after.setdefault(talk[-1], []).append(text[ends[-1] :])
    openers = {speaker: _common_end(gaps) for speaker, gaps in before.items()}
    closers = {speaker: _common_start(gaps) for speaker, gaps in after.items()}
    return Roles(
        openers=tuple(
            sorted(
                ((opener, speaker) for speaker, opener in openers.items() if opener),
                key=lambda one: -len(one[0]),
            )
        ),
        closers=tuple(closers.items()),
    )


def _rendered(tokenizer: Any, raw: Raw, talk: Sequence[str]) -> tuple[str, list[int]] | None:
    """A talk of probes as the template renders it, with their places; None if it refuses."""
    messages = [
        {"role": speaker, "content": probe} for speaker, probe in zip(talk, _PROBES, strict=False)
    ]
    try:
        text = tokenizer.apply_chat_template(messages, tokenize=False)
    except _refusals():
        return None
    ids = tokenizer(text, add_special_tokens=False)["input_ids"]
    spelled = "".join(raw(ids))
    places = [spelled.find(probe) for probe in _PROBES[: len(talk)]]
    if min(places) < 0 or places != sorted(places):
        return None
    return spelled, places


def _refusals() -> tuple[type[Exception], ...]:
    """What a template raises for a talk that it does not allow; the renderer has loaded jinja2."""
    plain = (ValueError, TypeError, KeyError)
    known = sys.modules.get("jinja2.exceptions")
    return plain if known is None else (*plain, known.TemplateError)


def _is_private(letter: str) -> bool:
    return letter >= "\U000f0000"


def _common_start(texts: Sequence[str]) -> str:
    first = min(texts, key=len)
    for place, letter in enumerate(first):
        if any(text[place] != letter for text in texts):
            return first[:place]
    return first


def _common_end(texts: Sequence[str]) -> str:
    return _common_start([text[::-1] for text in texts])[::-1]
