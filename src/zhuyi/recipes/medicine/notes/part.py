"""The part "notes" of medicine: how often notes are read right, and whether by the right words."""

from collections.abc import Sequence
from functools import partial
from time import perf_counter
from typing import Any, Final

import numpy as np
import numpy.typing as npt
from sklearn.multiclass import OneVsRestClassifier

from zhuyi.errors import DataUnavailable
from zhuyi.recipes import nhanes
from zhuyi.recipes.baselines import characters
from zhuyi.recipes.data import fetch
from zhuyi.recipes.intervals import bootstrap
from zhuyi.recipes.medicine.notes import rules, words
from zhuyi.recipes.medicine.notes.composing import Person
from zhuyi.recipes.medicine.notes.examples import made_up
from zhuyi.recipes.medicine.notes.judging import Judged, Truth, judge, templated
from zhuyi.recipes.medicine.notes.phrases import CLASSES
from zhuyi.recipes.medicine.notes.sentence import audited, decisions, questions, sentence_checks
from zhuyi.recipes.medicine.notes.shipped import load
from zhuyi.recipes.medicine.notes.writing import answers, people, write_notes
from zhuyi.recipes.records import Check, Comparison, Options, Part, Role, Score, Table
from zhuyi.recipes.showing import largest_gap, sums_check

_UNSEEN: Final = 7_000_003  # added to the seed: notes of no training
_TESTED, _TESTED_QUICK = 2000, 400
_LEARNED, _LEARNED_QUICK = 20_000, 3000
_AUDITED, _AUDITED_QUICK = 60, 24
_BAR: Final = 0.95


def run(options: Options) -> Part:
    """Score the shipped model beside rules and TF-IDF, and test what it goes by.

    Where NHANES cannot be had, the notes are of made-up people, and the part says so.

    Cost:   about 4 minutes on one core, with `quick` one.
    """
    of, real = _people(options)
    model, quick = load(), options.quick
    seed = options.seed + _UNSEEN
    options.listener(words.PART, "notes", 0, 4)
    tested = templated(of, _TESTED_QUICK if quick else _TESTED, seed=seed)
    options.listener(words.PART, "models", 1, 4)
    truth = np.array([note.called for note in tested])
    texts = [note.text for note in tested]
    begun = perf_counter()
    judged = judge(model, tested)
    ours = np.array(
        [[name in {one.label for one in row} for name in CLASSES] for row in judged.found]
    )
    seconds = perf_counter() - begun
    learned = _LEARNED_QUICK if quick else _LEARNED
    said: list[tuple[str, Role, npt.NDArray[np.bool_], float]] = [
        ("a condition is named", "trivial", *_timed(rules.by_name, texts)),
        ("named, with cues (ConText-like)", "simple", *_timed(rules.by_cues, texts)),
        ("TF-IDF of characters + logistic", "simple", *_tfidf(of, learned, seed + 1, texts)),
        ("attention, two mixing layers (shipped)", "ours", ours, seconds),
    ]
    options.listener(words.PART, "audit", 2, 4)
    asked, _ = questions(tested[: _AUDITED_QUICK if quick else _AUDITED])
    report = audited(model, asked, options)
    options.listener(words.PART, "decisions", 3, 4)
    gap = largest_gap(model, texts)
    return Part(
        name=words.PART,
        title=words.TITLE,
        answer=words.answer(float(judged.right.mean()), float(np.mean(judged.overlaps))),
        data=words.data(len(of) if real else 0, len(tested)),
        comparisons=(_compared(said, truth, learned, options.seed),),
        checks=(*sentence_checks(model), *checks(judged, gap, len(texts) * len(CLASSES))),
        decisions=decisions(model),
        tables=(_by_kind(tested, judged, (said[1][2] == truth).all(1)),),
        audit=report,
        limits=words.LIMITS,
    )


def _people(options: Options) -> tuple[tuple[Person, ...], bool]:
    """The people of NHANES, or made-up ones; and whether they are real."""
    try:
        path = fetch("nhanes_1999_2020", download=options.download)
    except DataUnavailable:
        return made_up(), False
    return people(nhanes.load(path)), True


def checks(judged: Judged, gap: float, decided: int) -> tuple[Check, ...]:
    """What is right or wrong about held-out notes."""
    overlap, lasting = float(np.mean(judged.overlaps)), float(judged.years.mean())
    return (
        _share(words.CHECK_RIGHT, float(judged.right.mean()), len(judged.right)),
        _share(words.CHECK_YEARS, lasting, len(judged.years)),
        _share(words.CHECK_PLACE, overlap, len(judged.overlaps)),
        sums_check(gap, decided),
    )


def _share(name: Any, value: float, count: int) -> Check:
    return Check(
        name=name, measured=f"{value:.1%} of {count:,}", bar=f"{_BAR:.0%}", held=value >= _BAR
    )


def _timed(said: Any, texts: Sequence[str]) -> tuple[npt.NDArray[np.bool_], float]:
    begun = perf_counter()
    return said(texts), perf_counter() - begun


def _tfidf(
    of: Sequence[Person], count: int, seed: int, texts: Sequence[str]
) -> tuple[npt.NDArray[np.bool_], float]:
    begun = perf_counter()
    notes = write_notes(of, count, seed=seed)
    model: Any = characters(longest=4)
    vectors, head = model[:-1], OneVsRestClassifier(model[-1])
    head.fit(vectors.fit_transform([note.text for note in notes]), answers(notes))
    said = head.predict(vectors.transform(texts)).astype(bool)
    return said, perf_counter() - begun


def _mean(values: npt.NDArray[np.bool_], rows: npt.NDArray[np.int64]) -> float:
    return float(values[rows].mean())


def _compared(
    said: Sequence[tuple[str, Role, npt.NDArray[np.bool_], float]],
    truth: npt.NDArray[np.bool_],
    learned: int,
    seed: int,
) -> Comparison:
    scores = []
    for name, role, found, seconds in said:
        right = (found == truth).all(1)
        value = bootstrap(partial(_mean, right), len(right), seed=seed)
        scores.append(Score(model=name, role=role, value=value, seconds=seconds))
    return Comparison(
        title=words.COMPARED,
        metric="all three classes right",
        better="higher",
        scores=tuple(scores),
        note=words.note(learned),
    )


def _by_kind(tested: Sequence[Truth], judged: Judged, cues: npt.NDArray[np.bool_]) -> Table:
    """How often notes of a kind are right; a note may be of several."""
    kinds = sorted({kind for note in tested for kind in note.kind.split("+") if kind})
    rows = []
    for name in ("zh", "en", *kinds):
        which = np.array([name in note.kind.split("+") or name == note.language for note in tested])
        if which.any():
            rows.append(
                (
                    words.KINDS.get(name, name),
                    f"{int(which.sum()):,}",
                    f"{judged.labels[which].mean():.1%}",
                    f"{judged.right[which].mean():.1%}",
                    f"{cues[which].mean():.1%}",
                )
            )
    header = ("notes with", "notes", "classes right", "and durations", "cues: classes right")
    return Table(title=words.BY_KIND, header=header, rows=tuple(rows), note=words.BY_KIND_NOTE)
