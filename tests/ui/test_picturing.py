"""Glass boxes as pictures: the cells, series and pieces that were read, and the numbers of them."""

import warnings
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch

from zhuyi.errors import InputError
from zhuyi.learn import (
    AttentionClassifier,
    AttentionRegressor,
    SeriesAttentionClassifier,
    TextAttentionClassifier,
)
from zhuyi.ui.picturing import Caption, cells_of, pictures, signal_of
from zhuyi.ui.view.document import track_pack
from zhuyi.ui.view.pack import unpack

CAPTION = Caption(model="box", task="which?", reason="By construction.")
DRAW = np.random.default_rng(0)
FRAME = pd.DataFrame(
    {
        "size": DRAW.normal(size=200).round(3),
        "kind": DRAW.choice(["red", "blue"], 200),
        "day": pd.date_range("2024-02-28", periods=200),
        "on": DRAW.random(200) > 0.5,
        "grade": pd.Categorical(
            DRAW.choice(["low", "mid", "high"], 200), ["low", "mid", "high"], ordered=True
        ),
        "note": [f"pump {n % 7} leaks badly" for n in range(200)],
    }
)
FRAME.loc[5, ["size", "kind", "note"]] = None
TARGET = np.where(FRAME["size"].fillna(0) + DRAW.normal(size=200) * 0.5 > 0, "yes", "no")


@pytest.fixture(scope="module")
def table() -> AttentionClassifier:
    model = AttentionClassifier(max_epochs=2, columns={"note": "text"}, random_state=0)
    return model.fit(FRAME, TARGET)


def test_cells_are_written_as_a_person_would(table: AttentionClassifier) -> None:
    subject = table.subject()
    cells = cells_of(subject, subject.read(FRAME[3:4])[0])
    size, kind = f"{FRAME['size'][3]:g}", FRAME["kind"][3]
    grade, on = FRAME["grade"][3], str(FRAME["on"][3])
    assert cells[:5] == (size, kind, "2024-03-02", on, grade)
    assert set("pump 3 leaks badly".split()) <= set(cells[5].replace(",", " ").split())


def test_what_is_missing_and_what_was_never_seen_are_told_apart(
    table: AttentionClassifier,
) -> None:
    subject = table.subject()
    missing = cells_of(subject, subject.read(FRAME[5:6])[0])
    assert (missing[0], missing[1], missing[5]) == ("(missing)",) * 3
    other = FRAME[3:4].assign(kind="green", note="xyzzy")
    unseen = cells_of(subject, subject.read(other)[0])
    assert (unseen[1], unseen[5]) == ("(unseen in training)",) * 2


def test_a_row_is_told_as_the_estimator_explains_it(table: AttentionClassifier) -> None:
    subject = table.subject()
    looked = pictures(subject, subject.read(FRAME[3:5]), CAPTION)[1].looked
    shares = table.predict_proba(FRAME[4:5])[0]
    label = table.classes_[shares.argmax()]
    frame = table.explain(FRAME[4:5], labels=[label])
    assert looked.decision == label
    assert looked.probability == pytest.approx(shares.max(), abs=1e-6)
    assert [unit.label for unit in looked.units] == frame["factor"].tolist()
    assert np.allclose(looked.values, frame["contribution"], atol=1e-6)
    assert looked.signed
    assert [one.name for one in looked.sequences] == ["columns", "read-out"]
    assert len(looked.heads) == 1
    assert (looked.heads[0].queries, looked.heads[0].keys) == (1, 0)
    strongest = frame["weight"].to_numpy().argmax()
    link = looked.heads[0].links[0]
    assert (link.query, link.key) == (0, strongest)
    assert link.weight == pytest.approx(frame["weight"].max(), abs=1e-5)
    assert len(looked.cells) == 6
    assert looked.signal is None


def test_a_number_is_told_in_its_own_unit() -> None:
    X = DRAW.normal(size=(150, 3))
    y = 40 * X[:, 0] + 20 * X[:, 1] + 300
    model = AttentionRegressor(max_epochs=3, random_state=0).fit(X, y)
    subject = model.subject()
    caption = Caption(
        model="box", task="how much?", reason="", shift=model.center_, factor=model.scale_
    )
    looked = pictures(subject, subject.read(X[:1]), caption)[0].looked
    said = model.predict(X[:1])[0]
    assert looked.decision == f"y: {said:.6g}"
    assert looked.probability is None
    assert looked.alternatives == ()
    assert sum(looked.values) + model.constants_["y"] == pytest.approx(said, abs=1e-3)


def series() -> tuple[np.ndarray[Any, Any], SeriesAttentionClassifier]:
    X = DRAW.normal(size=(80, 9, 2)).astype(np.float64)
    X[0, 4, 1] = np.nan
    X[1, :6] = np.nan  # began later
    answers = X[:, -1, 0] > 0
    model = SeriesAttentionClassifier(max_epochs=2, stretches=3, random_state=0)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return X, model.fit(X, answers)


def test_a_series_comes_back_as_it_was_with_a_span_a_unit() -> None:
    X, model = series()
    subject = model.subject()
    for row in range(3):
        codes = subject.read(X[row : row + 1])
        signal = signal_of(subject, codes[0])
        assert np.array_equal(signal.values, X[row].T.astype(np.float32), equal_nan=True)
        units = subject.units(codes)[0]
        assert len(signal.spans) == len(units)
        for unit, (channel, first, last) in zip(units, signal.spans, strict=True):
            assert unit.label.startswith(f"{signal.names[channel]}, ")
            # a stretch's mean, as the estimator tells it of the same factor
            told = model.explain(X[row : row + 1])
            mean = told.loc[told["factor"] == unit.label, "value"].iloc[0]
            own = signal.values[channel, first:last]
            known = own[~np.isnan(own)]
            assert (mean is None) == (known.size == 0)
            if known.size:
                assert known.mean() == pytest.approx(mean, abs=1e-6)


def test_a_series_that_began_later_keeps_the_names_of_its_heads_positions() -> None:
    X, model = series()
    subject = model.subject()
    looked = pictures(subject, subject.read(X[1:2]), CAPTION)[0].looked
    keys = looked.sequences[looked.heads[0].keys]
    assert keys.labels == model.factors_
    assert len(looked.units) < len(keys.labels)
    header, arrays = unpack(track_pack(looked))
    assert arrays["signal"].shape == (2, 9)
    assert len(header["signal"]["spans"]) == len(header["units"])


@pytest.mark.parametrize("mixing", [0, 1])
def test_texts_name_their_pieces(mixing: int) -> None:
    texts = ["房间干净，服务很好", "dirty rooms, 不好"] * 20
    model = TextAttentionClassifier(max_epochs=2, mixing_layers=mixing, random_state=0)
    subject = model.fit(texts, [1, 0] * 20).subject()
    looked = pictures(subject, [texts[1], "zzz"], CAPTION)[0].looked
    assert looked.texts == (texts[1],)
    assert looked.gaps()[0] == ""
    head = looked.heads[-1]
    keys = looked.sequences[head.keys]
    assert head.shape == (1, len(keys.labels))
    with torch.no_grad():
        weights = subject.watch([texts[1]])[-1].matrix.weights()  # type: ignore[union-attr]
    best = int(weights[0, -1, 0].argmax())
    assert looked.heads[-1].links[0].key == best
    told = model.explain([texts[1]], labels=[looked.decision])
    assert [label for label in keys.labels if label != "(the rest)"] == told["value"].tolist()
    assert keys.special[0] == (mixing == 0)  # the weight that is meant for nothing


def test_a_text_without_a_known_piece_is_still_a_look() -> None:
    texts = ["很好 good", "不好 bad"] * 20
    for mixing in (0, 1):
        model = TextAttentionClassifier(max_epochs=1, mixing_layers=mixing, random_state=0)
        subject = model.fit(texts, [1, 0] * 20).subject()
        for text in ("zzz", ""):
            looked = pictures(subject, [text], CAPTION)[0].looked
            assert sum(map(abs, looked.values)) == 0.0
            assert unpack(track_pack(looked))[0]["kind"] == "track"


def test_only_tables_series_and_texts_can_be_described(table: AttentionClassifier) -> None:
    from zhuyi.learn.subject import GlassBoxSubject

    class Other(GlassBoxSubject):
        def units(self, batch: Any) -> Any:
            return table.subject().units(batch)

        def decide(self, batch: Any, keep: Any = None) -> Any:
            return table.subject().decide(batch)

        def _codes(self, batch: Any) -> Any:
            return batch

        def reader(self, values: Any = None) -> Any:
            return table.subject().reader(values)

    subject = table.subject()
    other = Other(subject.module, subject.labels, table._objective(), ("gone",))
    with pytest.raises(InputError, match="tables, series and texts can be shown, got Other"):
        pictures(other, subject.read(FRAME[:1]), CAPTION)
