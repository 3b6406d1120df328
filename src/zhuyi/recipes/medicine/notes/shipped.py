"""The model of notes: how it is trained, and the one that comes with the package."""

from collections.abc import Callable, Sequence
from functools import cache
from importlib.resources import as_file, files
from typing import TYPE_CHECKING

from zhuyi.errors import InputError
from zhuyi.recipes.medicine.notes.composing import Person
from zhuyi.recipes.medicine.notes.phrases import CLASSES
from zhuyi.recipes.medicine.notes.writing import answers, write_notes

if TYPE_CHECKING:
    from zhuyi.learn import Progress, TextAttentionClassifier

NOTES = 50_000
"""Notes that the shipped model has learned from."""
EPOCHS = 7
LARGEST = 2_000_000
"""Bytes that the shipped model's files may take."""


def train(
    of: Sequence[Person],
    *,
    notes: int = NOTES,
    epochs: int = EPOCHS,
    seed: int = 0,
    progress: "Callable[[Progress], None] | None" = None,
) -> "TextAttentionClassifier":
    """Train a model on templated notes of real people.

    Two mixing layers, so that a negation or a relative reaches what it is said of; explanations are
    therefore evidence, to be verified.

    Args:
        of: of `writing.people`.
        notes: how many are written.
        epochs: passes over them.
        seed: of the notes and the training; the same gives the same model on the same machine.
        progress: called after each epoch.
    Cost: about 4 minutes on one core as it stands.
    """
    import pandas as pd

    from zhuyi.learn import TextAttentionClassifier

    written = write_notes(of, notes, seed=seed)
    model = TextAttentionClassifier(
        mixing_layers=2,
        width=64,
        vocabulary=4500,
        min_count=3,
        max_length=400,
        max_epochs=epochs,
        patience=epochs,
        batch_size=64,
        learning_rate=3e-3,
        weight_decay=0.02,
        dropout=0.03,
        validation_fraction=0.03,
        progress=progress,
        random_state=seed,
    )
    flags = pd.DataFrame(answers(written).astype(int), columns=list(CLASSES))
    return model.fit([note.text for note in written], flags)


@cache
def load() -> "TextAttentionClassifier":
    """The model that comes with the package; nothing is downloaded.

    Raises: InputError: if the package lacks it.

    Example:
        >>> load().labels_
        ('antihypertensive', 'lipid-lowering', 'glucose-lowering')
    """
    from zhuyi.learn import TextAttentionClassifier
    from zhuyi.learn import load as load_model

    with as_file(files("zhuyi.recipes.medicine.notes").joinpath("model")) as folder:
        found = load_model(folder)
    if not isinstance(found, TextAttentionClassifier):
        raise InputError(f"the shipped model must read texts, got {type(found).__name__}")
    return found
