"""Read one note: which classes it calls for, the phrase each rests on, and for how long."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from zhuyi.errors import InputError
from zhuyi.recipes.medicine.notes.cutting import cut, owners
from zhuyi.recipes.medicine.notes.durations import find_durations
from zhuyi.recipes.medicine.notes.lasting import years_of
from zhuyi.recipes.medicine.notes.naming import find_names
from zhuyi.recipes.medicine.notes.phrases import CLASSES
from zhuyi.recipes.records import Factor

if TYPE_CHECKING:
    import pandas as pd

    from zhuyi.learn import TextAttentionClassifier

_RUN: Final = 0.25  # share of the largest contribution that a neighbor needs to belong to its run
_ALSO: Final = 0.3  # share of the largest name's contribution that another needs to be asked


@dataclass(frozen=True, kw_only=True)
class Condition:
    """A treatment class that a note calls for, and what in the note says so.

    Args:
        label: the class, of `CLASSES`.
        probability: that the patient's own conditions call for it, in [0, 1].
        phrase: the words that speak for it most; "" where none does.
        start, end: characters of the note.
        attended: start and end of the units whose contributions are largest; the phrase is the
            name of the condition that they touch. None where nothing speaks for the class.
        years: how long the patient has had the condition, None where the note does not say.
        factors: every phrase of the note with its weight and contribution, in reading order.
    """

    label: str
    probability: float
    phrase: str
    start: int
    end: int
    attended: tuple[int, int] | None
    years: float | None
    factors: tuple[Factor, ...]


@dataclass(frozen=True)
class Said:
    """A unit of a note with what it adds to one class."""

    start: int
    end: int
    weight: float
    contribution: float


def read(
    text: str, model: "TextAttentionClassifier | None" = None, *, least: float = 0.5
) -> tuple[Condition, ...]:
    """The treatment classes that a note calls for, most probable first.

    The phrase is where the class's contributions are largest: the run of units with the largest
    sum, widened to the name of the condition that it touches. The duration is read from the clause
    of that phrase.

    Args:
        text: one note, in Chinese or English.
        model: of `zhuyi.recipes.medicine.notes.load`, which is also the default.
        least: classes below this probability are left out; 0 tells of all three.

    Raises: InputError: a text that is no string or is empty.
    Cost:   some milliseconds.
    Not:    a diagnosis or a prescription. The model has read templated notes only; contributions
        sum to its decision, but its layers mix units: verify before believing the phrase.
    """
    if not isinstance(text, str) or not text.strip():
        raise InputError("text must be a note, got an empty one: pass what was written")
    return read_all([text], model, least=least)[0]


def read_all(
    texts: Sequence[str], model: "TextAttentionClassifier | None" = None, *, least: float = 0.5
) -> tuple[tuple[Condition, ...], ...]:
    """The same for many notes at once."""
    if model is None:
        from zhuyi.recipes.medicine.notes.shipped import load

        model = load()
    shares = model.predict_proba(list(texts))
    frame = model.explain(list(texts), labels=list(CLASSES))
    groups = dict(list(frame.groupby(["row", "label"], sort=False)))
    return tuple(
        conditions(
            text,
            shares[row].tolist(),
            [_units(groups.get((row, name))) for name in CLASSES],
            least=least,
        )
        for row, text in enumerate(texts)
    )


def conditions(
    text: str,
    shares: Sequence[float],
    units: Sequence[Sequence[Said]],
    *,
    least: float = 0.5,
) -> tuple[Condition, ...]:
    """The same from what the model said of a note, where that is known already.

    Args:
        text: the note.
        shares: one probability a class of `CLASSES`.
        units: for each class, the note's units with what they add to it, in reading order.
        least: classes below this probability are left out.
    """
    found = [
        _condition(text, label, float(share), units[label])
        for label, share in enumerate(shares)
        if share >= least
    ]
    return tuple(sorted(found, key=lambda one: -one.probability))


def attended(units: Sequence[Said]) -> tuple[int, int] | None:
    """The run of neighboring units that speaks most for a class: its start and end, or None.

    Args:
        units: of a note, in reading order.
    """
    peak = max((one.contribution for one in units), default=0.0)
    if peak <= 0:
        return None
    best, total = None, 0.0
    start, current = None, 0.0
    for place, one in enumerate(units):
        if one.contribution < _RUN * peak:
            start, current = None, 0.0
            continue
        if start is None:
            start = place
        current += one.contribution
        if current > total:
            best, total = (units[start].start, one.end), current
    return best


def _units(frame: "pd.DataFrame | None") -> tuple[Said, ...]:
    if frame is None:
        return ()
    columns: Any = (frame[name].tolist() for name in ("start", "end", "weight", "contribution"))
    units = [Said(int(a), int(b), float(w), float(c)) for a, b, w, c in zip(*columns, strict=True)]
    return tuple(sorted(units, key=lambda one: one.start))


def _condition(text: str, label: int, share: float, units: Sequence[Said]) -> Condition:
    names = find_names(text)
    spans = [(name.start, name.end) for name in names]
    mine = [(name.start, name.end) for name in names if label in name.labels]
    run = attended(units)
    phrase = _phrase(text, run, mine, units)
    durations = find_durations(text)
    years = None
    for start, end in _asked(phrase, mine, units):
        duration = years_of(text, start, end, spans, durations=durations)
        if duration is not None:
            years = duration.years
            break
    start, end = phrase or (0, 0)
    return Condition(
        label=CLASSES[label],
        probability=share,
        phrase=text[start:end],
        start=start,
        end=end,
        attended=run,
        years=years,
        factors=_factors(text, units),
    )


def _factors(text: str, units: Sequence[Said]) -> tuple[Factor, ...]:
    """The phrases of a note as factors; numbers are sums over the units of each."""
    phrases = cut(text)
    weights, parts = [0.0] * len(phrases), [0.0] * len(phrases)
    owner = owners([(one.start, one.end) for one in units], phrases)
    for one, place in zip(units, owner, strict=True):
        weights[place] += one.weight
        parts[place] += one.contribution
    return tuple(
        Factor(name=text[a:b], value=text[a:b], weight=weight, contribution=part)
        for (a, b), weight, part in zip(phrases, weights, parts, strict=True)
    )


def _phrase(
    text: str,
    run: tuple[int, int] | None,
    names: Sequence[tuple[int, int]],
    units: Sequence[Said],
) -> tuple[int, int] | None:
    """The name that a run touches; else the nearest before it in its clause; else the run."""
    if run is None:
        return None
    touched = [(a, b) for a, b in names if a < run[1] and b > run[0]]
    if touched:
        return max(touched, key=lambda span: _sum(units, span))
    before = [
        (a, b) for a, b in names if b <= run[0] and not set("。；;\n") & set(text[b : run[0]])
    ]
    return before[-1] if before else run


def _asked(
    phrase: tuple[int, int] | None, names: Sequence[tuple[int, int]], units: Sequence[Said]
) -> list[tuple[int, int]]:
    """Where to look for a duration: the phrase, then other names that say nearly as much."""
    if phrase is None:
        return []
    enough = _ALSO * _sum(units, phrase)
    others = [span for span in names if span != phrase and _sum(units, span) >= enough > 0]
    return [phrase, *sorted(others, key=lambda span: -_sum(units, span))]


def _sum(units: Sequence[Said], span: tuple[int, int]) -> float:
    return sum(one.contribution for one in units if one.start < span[1] and one.end > span[0])
