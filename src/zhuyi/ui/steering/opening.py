"""From what a person names to a desk: the shipped notes, a saved estimator, a model's folder."""

from pathlib import Path

from zhuyi.errors import InputError
from zhuyi.learn import (
    AttentionClassifier,
    AttentionRegressor,
    SeriesAttentionClassifier,
    SeriesAttentionRegressor,
    TextAttentionClassifier,
    load,
)
from zhuyi.recipes.medicine.notes import CLASSES
from zhuyi.ui.cli.loading import is_estimator, load_subject
from zhuyi.ui.steering import examples
from zhuyi.ui.steering.desk import Desk


def open_desk(model: str | None, own: Path | None = None) -> Desk:
    """The desk of a model.

    Args:
        model: a local model folder or a name on the hub; a folder that `zhuyi fit` or `save` wrote;
            None for the clinic-note model that comes with the package.
        own: a file of the person's own examples.
    Raises:
        InputError: no such model or file. OptionError: a model that the page cannot steer.
    """
    if model is None:
        return _notes(own)
    path = Path(model)
    if path.exists() and not path.is_dir():
        raise InputError(f"{model} is a file: name the folder of a model")
    if is_estimator(model):
        return _estimator(path, own)
    from zhuyi.ui.steering.transformer_desk import TransformerDesk

    more = () if own is None else examples.texts(own)
    name = path.resolve().name if path.is_dir() else model
    return TransformerDesk(load_subject(model, None, pair=False), name, more)


def _notes(own: Path | None) -> Desk:
    from zhuyi.ui.steering.notes_desk import NotesDesk

    return NotesDesk(more=() if own is None else examples.texts(own))


def _estimator(folder: Path, own: Path | None) -> Desk:
    found = load(folder)
    name = folder.resolve().name
    if isinstance(found, TextAttentionClassifier):
        from zhuyi.ui.steering.notes_desk import NotesDesk
        from zhuyi.ui.steering.text_desk import TextDesk

        more = () if own is None else examples.texts(own)
        if found.labels_ == CLASSES:
            return NotesDesk(found, more)
        return TextDesk(found, name, more)
    if isinstance(found, SeriesAttentionClassifier | SeriesAttentionRegressor):
        from zhuyi.ui.steering.series_desk import SeriesDesk

        return SeriesDesk(found, name, () if own is None else examples.series(own))
    assert isinstance(found, AttentionClassifier | AttentionRegressor)
    from zhuyi.ui.steering.table_desk import TableDesk

    rows = () if own is None else examples.records(own, found.schema_.columns)
    return TableDesk(found, name, rows)
