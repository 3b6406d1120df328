"""Whether notes are read right: all three classes, and the durations where they are given."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from zhuyi.recipes.medicine.notes.composing import Person
from zhuyi.recipes.medicine.notes.phrases import CLASSES
from zhuyi.recipes.medicine.notes.reading import Condition, read_all
from zhuyi.recipes.medicine.notes.writing import Note, write_notes

_KEYS: Final = ("antihypertensive", "lipid", "glucose")
_CLOSE: Final = 0.05  # years


@dataclass(frozen=True)
class Truth:
    """A note with what is true of it.

    Args:
        text: the note.
        called: per class of `CLASSES`.
        years: per class, None where the note does not say.
        kind: what the note tries.
        language: "zh" or "en", "" where it is not said.
        mentions: per class, spans where the patient's own condition stands; empty where not known.
    """

    text: str
    called: tuple[bool, ...]
    years: tuple[float | None, ...]
    kind: str = ""
    language: str = ""
    mentions: tuple[tuple[tuple[int, int], ...], ...] = ((), (), ())


@dataclass(frozen=True)
class Judged:
    """How notes were read.

    Args:
        labels: per note, whether all three classes are right.
        years: per note, whether every duration of a class that is called for is right: the one the
            note gives, or none where it gives none.
        found: per note, what was read.
        overlaps: of the classes rightly called for whose mention is known, whether the run that is
            attended most touches it.
    """

    labels: npt.NDArray[np.bool_]
    years: npt.NDArray[np.bool_]
    found: tuple[tuple[Condition, ...], ...]
    overlaps: tuple[bool, ...]

    @property
    def right(self) -> npt.NDArray[np.bool_]:
        """Per note, classes and durations."""
        return self.labels & self.years


def templated(of: Sequence[Person], count: int, *, seed: int) -> tuple[Truth, ...]:
    """Templated notes of people with their truth; a seed that was not trained on holds them out."""
    return tuple(map(of_note, write_notes(of, count, seed=seed)))


def of_note(note: Note) -> Truth:
    """A written note as a truth."""
    places: list[list[tuple[int, int]]] = [[], [], []]
    for one in note.mentions:
        places[one.label].append((one.start, one.end))
    return Truth(
        text=note.text,
        called=note.called,
        years=note.years(),
        kind="+".join(note.kinds),
        language=note.language,
        mentions=tuple(map(tuple, places)),
    )


def read_truth(lines: Sequence[Mapping[str, Any]]) -> tuple[Truth, ...]:
    """Notes as tests keep them: text, 0 or 1 for each class, years by class, kind."""
    return tuple(
        Truth(
            text=line["text"],
            called=tuple(bool(line[key]) for key in _KEYS),
            years=tuple(line["years"].get(key) for key in _KEYS),
            kind=line.get("kind", ""),
        )
        for line in lines
    )


def truth_line(truth: Truth) -> dict[str, object]:
    """A truth as `read_truth` reads it."""
    pairs = zip(_KEYS, truth.years, strict=True)
    return {
        "text": truth.text,
        **{key: int(flag) for key, flag in zip(_KEYS, truth.called, strict=True)},
        "years": {key: round(years, 4) for key, years in pairs if years is not None},
        "kind": truth.kind,
    }


def judge(model: Any, notes: Sequence[Truth]) -> Judged:
    """Read notes with a model and compare.

    Args:
        model: a fitted model of notes.
        notes: with their truth.
    """
    found: list[tuple[Condition, ...]] = []
    for start in range(0, len(notes), 200):
        found += read_all([note.text for note in notes[start : start + 200]], model)
    labels, years, overlaps = [], [], []
    for note, conditions in zip(notes, found, strict=True):
        by_label = {CLASSES.index(one.label): one for one in conditions}
        labels.append(all((c in by_label) == note.called[c] for c in range(len(CLASSES))))
        years.append(
            all(
                c not in by_label or same(by_label[c].years, note.years[c])
                for c in range(len(CLASSES))
                if note.called[c]
            )
        )
        for c, one in by_label.items():
            run = one.attended
            if note.called[c] and note.mentions[c] and run is not None:
                overlaps.append(any(a < run[1] and b > run[0] for a, b in note.mentions[c]))
    return Judged(np.array(labels), np.array(years), tuple(found), tuple(overlaps))


def same(said: float | None, true: float | None) -> bool:
    """Whether two durations are the same within 5 % of a year, or both are none.

    Example:
        >>> same(0.5, 0.5), same(None, None), same(5.0, None), same(0.25, 1 / 3)
        (True, True, False, False)
    """
    if said is None or true is None:
        return said is None and true is None
    return abs(said - true) <= max(_CLOSE, 0.01 * true)
