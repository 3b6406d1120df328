"""A few dozen example notes that come with the package, for audits without any data."""

import json
from importlib.resources import files
from typing import Final

import numpy as np

from zhuyi.recipes.medicine.notes.composing import Person
from zhuyi.recipes.medicine.notes.judging import Truth, of_note, read_truth, truth_line
from zhuyi.recipes.medicine.notes.writing import write_notes

COUNT: Final = 40
SEED: Final = 20_261
_LONGEST: Final = 40  # characters


def examples() -> tuple[Truth, ...]:
    """The shipped example notes with their truth. Nobody's: persons are made up here."""
    text = files("zhuyi.recipes.medicine.notes").joinpath("examples.jsonl").read_text("utf-8")
    return read_truth([json.loads(line) for line in text.splitlines()])


def made_up() -> tuple[Person, ...]:
    """People who are nobody: every combination of conditions equally often, any age."""
    rng = np.random.default_rng(SEED)
    having = [(bool(n & 1), bool(n & 2), bool(n & 4)) for n in range(8)]
    return tuple(
        Person(has=has, age=int(rng.integers(25, 85)), male=bool(rng.random() < 0.5))
        for has in having
        for _ in range(5)
    )


def written() -> str:
    """The text of the file they come in, written anew: one JSON object a line."""
    notes = write_notes(made_up(), 6 * COUNT, seed=SEED, english=0.15)
    short = [note for note in notes if len(note.text) <= _LONGEST and note.kinds]
    lines = [truth_line(of_note(note)) for note in short[:COUNT]]
    return "".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines)
