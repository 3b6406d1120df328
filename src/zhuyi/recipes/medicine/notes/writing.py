"""Notes from real people's conditions: templated text, labels by rule from the person's own.

What a person has (which conditions go together, at which age and sex) is of NHANES; how it is said
is of the patterns in `chinese` and `english`. Nothing here is a real note.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal

import numpy as np
import numpy.typing as npt

from zhuyi.recipes.medicine.notes.chinese import CHINESE
from zhuyi.recipes.medicine.notes.composing import Composer, Person
from zhuyi.recipes.medicine.notes.english import ENGLISH
from zhuyi.recipes.medicine.notes.phrases import CLASSES
from zhuyi.recipes.medicine.notes.spans import Mention

if TYPE_CHECKING:
    import pandas as pd

Language = Literal["zh", "en"]

_ENGLISH_SHARE: Final = 0.3
_TOTAL_CHOLESTEROL: Final = 240.0  # mg/dL: high, as NHANES' own column has it
_LONGEST: Final = {"zh": 120, "en": 300}  # characters; a longer note is drawn anew
_TRIES: Final = 4


@dataclass(frozen=True, kw_only=True)
class Note:
    """A note and what is true of it.

    Args:
        text: the note.
        called: per class of `CLASSES`, whether the patient's own conditions call for it.
        mentions: where the patient's own conditions are said.
        language: "zh" or "en".
        kinds: what it holds: "own", "negated", "family", "normal", "maybe", ...
    """

    text: str
    called: tuple[bool, bool, bool]
    mentions: tuple[Mention, ...]
    language: Language
    kinds: tuple[str, ...]

    def years(self) -> tuple[float | None, ...]:
        """Per class, how long the patient has had the condition; None where it is not said."""
        found: list[float | None] = [None] * len(CLASSES)
        for mention in self.mentions:
            if mention.years is not None and found[mention.label] is None:
                found[mention.label] = mention.years
        return tuple(found)


def people(frame: "pd.DataFrame") -> tuple[Person, ...]:
    """The adults of NHANES with lipid data, and which of the three conditions they have.

    Hypertension: told by a doctor or treated. Lipids: treated, or total cholesterol of 240 mg/dL
    and more. Diabetes: as the compilation has it (told, treated, or HbA1c of 6.5 % and more).

    Args:
        frame: of `zhuyi.recipes.nhanes.load`.
    """
    known = frame[frame["chol_med_use"].notna()]
    told = (known["htn_aware"] == "Yes") | (known["bp_med_use"] == "Yes")
    lipids = (known["chol_med_use"] == "Yes") | (known["chol_total"] >= _TOTAL_CHOLESTEROL)
    sugar = known["cc_diabetes"] == "Yes"
    columns = zip(
        *(told, lipids, sugar, known["demo_age_years"], known["demo_gender"] == "Men"),
        strict=True,
    )
    return tuple(
        Person(has=(bool(a), bool(b), bool(c)), age=int(age), male=bool(male))
        for a, b, c, age, male in columns
    )


def write_notes(
    of: Sequence[Person],
    count: int,
    *,
    seed: int,
    english: float = _ENGLISH_SHARE,
) -> tuple[Note, ...]:
    """Write notes of people drawn at random, each combination of conditions as often as any other.

    Args:
        of: people, of `people`.
        count: notes.
        seed: of everything drawn; the same gives the same notes.
        english: share of notes in English, in [0, 1].

    Example:
        >>> one = write_notes([Person(has=(True, False, False), age=60, male=True)], 1, seed=1)
        >>> one[0].called
        (True, False, False)
    """
    rng = np.random.default_rng(seed)
    groups: dict[tuple[bool, ...], list[Person]] = {}
    for person in of:
        groups.setdefault(person.has, []).append(person)
    kinds = sorted(groups)
    written = []
    for _ in range(count):
        group = groups[kinds[int(rng.integers(len(kinds)))]]
        person = group[int(rng.integers(len(group)))]
        language: Language = "en" if rng.random() < english else "zh"
        written.append(_note(person, language, rng))
    return tuple(written)


def _note(person: Person, language: Language, rng: np.random.Generator) -> Note:
    longest = _LONGEST[language]
    for _ in range(_TRIES):
        composer = Composer(ENGLISH if language == "en" else CHINESE, language, rng)
        draft = composer.compose(person)
        if len(draft.text) <= longest:
            break
    called = [False] * len(CLASSES)
    for mention in draft.mentions:
        called[mention.label] = True
    text = _punctuated(draft.text, language, rng)
    return Note(
        text=text,
        called=(called[0], called[1], called[2]),
        mentions=tuple(draft.mentions),
        language=language,
        kinds=tuple(sorted(composer.kinds)),
    )


def _punctuated(text: str, language: Language, rng: np.random.Generator) -> str:
    """The same text, character for character, with other marks."""
    changes: list[dict[str, str]] = [{}]
    if language == "zh":
        changes += [
            *({}, {}, {}, {"，": ",", "。": ".", "：": ":", "（": "(", "）": ")"}),
            *(
                {"，": ","},
                {"。": "；"},
                {"，": "；"},
                {"。": "\n"},
                {"、": ","},
                {"，": " ", "。": " "},
            ),
            *({"：": " "}, {"：": ":", "（": "(", "）": ")"}, {"“": '"', "”": '"'}, {"、": "，"}),
        ]
    else:
        changes += [{}, {}, {".": ";"}, {".": "\n"}]
    change = changes[int(rng.integers(len(changes)))]
    if "." in change:  # a point inside a number stays
        inside = [
            i for i in range(1, len(text) - 1) if text[i - 1].isdigit() and text[i + 1].isdigit()
        ]
        kept = {i for i in inside if text[i] == "."}
        changed = "".join(c if i in kept else change.get(c, c) for i, c in enumerate(text))
    else:
        changed = "".join(change.get(c, c) for c in text)
    if language == "en":
        case: list[Callable[[str], str]] = [str, str, str, str, str.lower, str.upper]
        changed = case[int(rng.integers(len(case)))](changed)
    return changed


def answers(notes: Sequence[Note]) -> npt.NDArray[np.bool_]:
    """[N, 3], which classes each note calls for."""
    return np.array([note.called for note in notes], dtype=np.bool_).reshape(-1, len(CLASSES))
