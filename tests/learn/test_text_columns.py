"""Text columns of a table: bags of words, each column one factor of the sum."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch

from zhuyi.errors import InputError
from zhuyi.learn import AttentionClassifier, Contributions, load
from zhuyi.learn.bags import learn_pieces, pieces_of
from zhuyi.learn.columns import KNOWN, MISSING, UNSEEN
from zhuyi.learn.factors import Factors
from zhuyi.learn.reading import read_table
from zhuyi.learn.schema import Schema, learn_schema
from zhuyi.verify import Deletion, verify


def noted(rows: int = 240, seed: int = 0) -> tuple[pd.DataFrame, np.ndarray]:
    """Long notes, one word of which decides together with a number."""
    draw = np.random.default_rng(seed)
    found = ["leaks oil near the front gasket", "makes a steady and quiet sound as before"]
    bad = draw.random(rows) < 0.4
    heat = draw.normal(size=rows)
    notes: list[str | None] = [
        f"On visit {n} the machine in hall {n % 7} {found[0 if one else 1]}."
        for n, one in enumerate(bad)
    ]
    notes[5] = None
    frame = pd.DataFrame({"note": notes, "heat": heat, "noise": draw.normal(size=rows)})
    return frame, (bad | (heat > 1.0)).astype(int)


@pytest.fixture(scope="module")
def fitted() -> tuple[AttentionClassifier, pd.DataFrame, np.ndarray]:
    frame, y = noted()
    return AttentionClassifier(max_epochs=30, random_state=0).fit(frame, y), frame, y


def test_pieces_are_words_and_one_or_two_characters() -> None:
    assert pieces_of("The cat, the DOG") == ["the", "cat", ",", "dog"]
    assert pieces_of("高血压") == ["高", "高血", "血", "血压", "压"]
    known, longest = learn_pieces("note", ["a b c", "b c c", None, "c d"])
    assert known == ("c", "b")
    assert longest == 2
    with pytest.raises(InputError, match="no word of it stands in 2 rows"):
        learn_pieces("note", ["one", "two"])


def test_long_different_strings_are_text_and_a_person_can_say_so() -> None:
    frame, _ = noted(20)
    assert [cells.kind for cells in read_table(frame)] == ["text", "numeric", "numeric"]
    short = read_table(pd.DataFrame({"note": ["bad", "good", "bad", "good"]}))
    assert short[0].kind == "categorical"
    (column,) = learn_schema(short, {"note": "text"}).columns
    assert (column.kind, column.categories, column.longest) == ("text", ("bad", "good"), 1)
    (column,) = learn_schema(read_table(frame[["note"]]), {"note": "categorical"}).columns
    assert column.kind == "categorical"


def test_a_token_is_the_mean_entry_of_the_known_pieces() -> None:
    frame = pd.DataFrame({"size": [1.0, 2.0, 3.0, 4.0], "note": ["a b", "b a a", None, "z"]})
    cells = read_table(frame)
    schema = learn_schema(cells, {"note": "text"})
    assert schema.columns[1].categories == ("a", "b")
    codes = torch.from_numpy(schema.encode(cells)[0])
    assert codes[:, 1].tolist() == [
        [0.0, KNOWN, 1.0, 2.0], [0.0, KNOWN, 2.0, 1.0], [0.0, MISSING, 0, 0], [0.0, UNSEEN, 0, 0],
    ]  # fmt: skip
    factors = Factors(schema.columns, 6, torch.Generator().manual_seed(0))
    tokens = factors(codes)[:, 1]
    torch.testing.assert_close(tokens[0], factors.pieces[1:3].mean(0))
    torch.testing.assert_close(tokens[1], tokens[0])
    factors.settle(codes[:2])
    assert bool((factors.pieces[0] == factors.pieces[1:3].mean(0)).all())
    torch.testing.assert_close(factors(codes)[3, 1], factors(codes)[0, 1])


def test_the_word_is_learned_and_contributions_sum(
    fitted: tuple[AttentionClassifier, pd.DataFrame, np.ndarray],
) -> None:
    model, frame, y = fitted
    assert model.score(frame, y) > 0.9
    told = model.explain(frame)
    total = told.groupby("row")["contribution"].sum() + model.constants_["1"]
    np.testing.assert_allclose(total, model.decision_function(frame), atol=1e-5)
    assert told["value"].iloc[0] == frame["note"].iloc[0]
    said = pd.DataFrame({"note": ["it leaks oil", "a quiet sound"], "heat": 0.0, "noise": 0.0})
    logits = model.decision_function(said)
    assert logits[0] > 1.0 > -1.0 > logits[1]
    # words that training never saw say what a text says on average
    strange = said.assign(note=["zzz qqq", None])
    assert logits[1] < model.decision_function(strange)[0] < logits[0]


def test_the_subject_removes_a_text_and_the_verdict_holds(
    fitted: tuple[AttentionClassifier, pd.DataFrame, np.ndarray],
) -> None:
    model, frame, _ = fitted
    subject = model.subject()
    batch = subject.read(frame[:24])
    for how in subject.removals:
        verdict = verify(subject.removing(how), batch, Contributions(), tests=[Deletion()])
        assert verdict.label == "trusted", how


def test_a_saved_model_reads_texts_as_before(
    fitted: tuple[AttentionClassifier, pd.DataFrame, np.ndarray], tmp_path: Path
) -> None:
    model, frame, _ = fitted
    model.save(tmp_path)
    again = load(tmp_path)
    assert isinstance(again, AttentionClassifier)
    np.testing.assert_array_equal(again.decision_function(frame), model.decision_function(frame))
    data = model.schema_.as_json()
    assert Schema.from_json(data) == model.schema_
    data[0]["longest"] = 10**9
    with pytest.raises(InputError, match="a length that cannot be"):
        Schema.from_json(data)
