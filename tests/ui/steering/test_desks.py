"""Desks: what each kind of model offers, takes and refuses."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch

from tests.trace.subject_models import bert, bert_tokenizer
from zhuyi.errors import InputError, OptionError
from zhuyi.learn import AttentionClassifier, SeriesAttentionClassifier, TextAttentionClassifier
from zhuyi.recipes.medicine.notes import load as load_notes
from zhuyi.steer.rules import Rules
from zhuyi.trace.adapters.transformers_subject import TransformersSubject
from zhuyi.ui.steering.desk import Cell, Desk, Given
from zhuyi.ui.steering.notes_desk import FIRST, NotesDesk
from zhuyi.ui.steering.opening import open_desk
from zhuyi.ui.steering.routes import told_of
from zhuyi.ui.steering.ruling import Ruling
from zhuyi.ui.steering.series_desk import SeriesDesk
from zhuyi.ui.steering.table_desk import TableDesk
from zhuyi.ui.steering.text_desk import TextDesk
from zhuyi.ui.steering.transformer_desk import TransformerDesk


def desks(
    table: AttentionClassifier, series: SeriesAttentionClassifier, texts: TextAttentionClassifier
) -> list[Desk]:
    return [NotesDesk(), TableDesk(table, "t"), SeriesDesk(series, "s"), TextDesk(texts, "x")]


def test_every_example_can_be_decided_and_says_how_it_is_made_up(
    table: AttentionClassifier, series: SeriesAttentionClassifier, texts: TextAttentionClassifier
) -> None:
    for desk in desks(table, series, texts):
        assert desk.examples
        for example in desk.examples:
            batch = desk.batch(example.given)
            decision, pieces = desk.decide(batch)[0], desk.pieces(batch)
            assert len(desk.explain(batch, decision.index, decision).values) == len(pieces) > 0
            assert len(decision.shares) == len(desk.labels)
        said = json.dumps(told_of(desk, Ruling(Rules())), allow_nan=False, ensure_ascii=False)
        assert json.loads(said)["kind"] == desk.kind
        assert desk.notes
        assert all(one.en and one.zh for one in desk.notes)


def test_the_first_example_is_the_articles_sentence() -> None:
    desk = NotesDesk()
    assert desk.examples[0].given == Given(text=FIRST)
    assert FIRST == "高血压病史5年，高血脂3年，糖尿病2年"
    assert any(one.given.text and one.given.text.isascii() for one in desk.examples)
    assert desk.many
    assert len(desk.labels) == 3


def test_fields_of_a_table_are_those_of_its_columns(table: AttentionClassifier) -> None:
    fields = {one.name: one for one in TableDesk(table, "t").columns}
    kinds = {name: one.kind for name, one in fields.items()}
    assert kinds == {
        "dose": "number", "ward": "category", "smoker": "category", "stage": "category",
        "seen": "date", "count": "number",
    }  # fmt: skip
    assert fields["ward"].values == ("north", "south", "west")
    assert fields["stage"].values == ("low", "mid", "high")
    assert fields["count"].step == 1.0
    assert (fields["count"].low, fields["count"].high) == (0.0, 8.0)
    dose = fields["dose"]
    assert dose.low is not None
    assert dose.high is not None
    assert dose.low < 50.0 < dose.high


def test_a_row_is_read_as_the_model_reads_it(table: AttentionClassifier) -> None:
    desk = TableDesk(table, "t")
    record: dict[str, Cell] = {
        "dose": 61.5, "ward": "west", "smoker": "True", "stage": "mid", "seen": "2020-03-04",
        "count": None,
    }  # fmt: skip
    codes = desk.batch(Given(record=record))
    assert isinstance(codes, torch.Tensor)
    assert codes[0, :, :2].tolist() == [[61.5, 0], [2, 0], [1, 0], [1, 0], [18325, 0], [0, 1]]
    shown = [one.text for one in desk.pieces(codes)]
    assert shown == ["61.5", "west", "True", "mid", "2020-03-04", "—"]
    without = desk.batch(Given(record={"dose": 61.5}))
    assert isinstance(without, torch.Tensor)
    assert without[0, 1:, 1].tolist() == [1] * 5
    booleans = desk.batch(Given(record={"smoker": True}))
    assert isinstance(booleans, torch.Tensor)
    assert booleans[0, 2, :2].tolist() == [1, 0]


@pytest.mark.parametrize(
    ("record", "said"),
    [
        ({"dose": "many"}, "'dose' must hold a number"),
        ({"dose": True}, "'dose' must hold a number"),
        ({"smoker": "perhaps"}, "'smoker' must hold True or False"),
        ({"stage": "none"}, "'stage' must hold one of its grades"),
        ({"seen": "yesterday"}, "must be date"),
        ({"seen": "0000-00-00"}, "must be date"),
        ({"unknown": 1.0}, "no column 'unknown'"),
    ],
)
def test_cells_that_cannot_be(table: AttentionClassifier, record: dict, said: str) -> None:
    with pytest.raises(InputError, match=said):
        TableDesk(table, "t").batch(Given(record=record))


def test_a_series_is_asked_for_by_number(series: SeriesAttentionClassifier) -> None:
    given = np.random.default_rng(1).normal(size=(2, 12, 2))
    desk = SeriesDesk(series, "s", [("one", given[0]), ("two", given[1])])
    assert [one.name for one in desk.examples] == ["one", "two"]
    batch = desk.batch(Given(series=1))
    assert desk.decide(batch)[0].shares == pytest.approx(
        series.predict_proba(given[1:])[0].tolist(), abs=1e-6
    )
    means = [float(one.text or "nan") for one in desk.pieces(batch)]
    assert means[:2] == pytest.approx(given[1, -4:].mean(0).tolist(), rel=1e-3)
    with pytest.raises(InputError, match="examples 0 to 1"):
        desk.batch(Given(series=2))


def test_a_threshold_decides_as_the_estimator_does() -> None:
    X = np.random.default_rng(0).normal(size=(80, 2))
    model = AttentionClassifier(max_epochs=2, random_state=0, threshold=0.9).fit(X, X[:, 0] > 0)
    desk = TableDesk(model, "t")
    for row in X[:20]:
        found = desk.decide(desk.batch(Given(record={"x0": float(row[0]), "x1": float(row[1])})))[0]
        assert desk.labels[found.index] == str(model.predict(row[None])[0])


def test_empty_texts_are_refused(texts: TextAttentionClassifier, bert_folder: Path) -> None:
    for desk in (NotesDesk(), TextDesk(texts, "x"), open_desk(str(bert_folder))):
        with pytest.raises(InputError, match="at least one word"):
            desk.batch(Given(text=" "))


def test_models_of_other_tasks_are_refused_with_what_can_be_done() -> None:
    subject = TransformersSubject(bert("BertModel"), bert_tokenizer(), task="embedding")
    with pytest.raises(OptionError, match=r"decide on one text.*zhuyi\.steer"):
        TransformerDesk(subject, "m")


def test_folders_open_as_what_they_hold(
    tmp_path: Path,
    table: AttentionClassifier,
    series: SeriesAttentionClassifier,
    texts: TextAttentionClassifier,
    bert_folder: Path,
) -> None:
    for name, model in (("t", table), ("s", series), ("x", texts), ("n", load_notes())):
        model.save(tmp_path / name)
    opened = {name: type(open_desk(str(tmp_path / name))) for name in "tsxn"}
    assert opened == {"t": TableDesk, "s": SeriesDesk, "x": TextDesk, "n": NotesDesk}
    assert type(open_desk(None)) is NotesDesk
    assert type(open_desk(str(bert_folder))) is TransformerDesk
    assert open_desk(str(tmp_path / "t")).title == "zhuyi · t"
    (tmp_path / "file").write_text("x")
    with pytest.raises(InputError, match="is a file"):
        open_desk(str(tmp_path / "file"))
    with pytest.raises(InputError):
        open_desk(str(tmp_path / "nowhere"))
