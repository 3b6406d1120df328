"""A text model as a Subject: units with places, honest removal, and what verification finds."""

from pathlib import Path

import numpy as np
import pytest
import torch

from zhuyi.errors import InputError, OptionError, ShapeError
from zhuyi.explain import InputGradient, IntegratedGradients, Occlusion
from zhuyi.learn import Contributions, TextAttentionClassifier
from zhuyi.learn.text.subject import CLOSED, LEFT_OUT, UNKNOWN
from zhuyi.trace.subject import (
    DifferentiableSubject,
    ModelSubject,
    NearbySubject,
    RemovableSubject,
)
from zhuyi.verify import Deletion, verify

from .reviews import negated, reviews


@pytest.fixture(scope="module")
def bag() -> TextAttentionClassifier:
    texts, labels = reviews(300)
    return TextAttentionClassifier(max_epochs=8, random_state=0).fit(texts, labels)


@pytest.fixture(scope="module")
def reader() -> TextAttentionClassifier:
    texts, flags = negated(300)
    return TextAttentionClassifier(
        mixing_layers=1, max_epochs=8, dropout=0.1, learning_rate=5e-3, random_state=0
    ).fit(texts, flags)


def test_the_deletion_test_trusts_what_the_bag_says_of_itself(
    bag: TextAttentionClassifier,
) -> None:
    texts, _ = reviews(40, seed=1)
    verdict = verify(bag.subject(), texts, Contributions(), tests=[Deletion()])
    assert verdict.label == "trusted"
    assert verdict.inputs.count("trusted") >= 38
    told = bag.explain(texts, verify=True)
    assert (told.groupby("row")["verdict"].first() == "trusted").sum() >= 38
    assert set(bag.explain(texts[:2])["verdict"]) == {"not verified"}
    alone = bag.explain(texts[:1], verify=True)  # one text is judged beside made-up ones
    assert set(alone["verdict"]) == {"trusted"}


def test_a_lie_is_refuted(bag: TextAttentionClassifier) -> None:
    texts, _ = reviews(32, seed=2)
    true = Contributions()(bag.subject(), texts)
    lie = type(true)(**{**vars(true), "values": -true.values})
    assert verify(bag.subject(), texts, lie, tests=[Deletion()]).label == "refuted"


def test_units_are_characters_and_words_with_their_places(bag: TextAttentionClassifier) -> None:
    text = "房间 BRIGHT，3楼"
    units = bag.subject().units([text])[0]
    assert [unit.label for unit in units] == ["房", "间", "BRIGHT", "，", "3", "楼"]
    assert all(text[unit.span[0] : unit.span[1]] == unit.label for unit in units if unit.span)
    factors = bag.subject().factors([text])[0]
    for place, unit in enumerate(units):
        touching = [n for n, (a, b) in enumerate(zip(factors.first, factors.last, strict=True))
                    if a <= place < b]  # fmt: skip
        assert unit.positions == tuple(touching)
        assert touching


def test_contributions_of_units_sum_to_the_logit(bag: TextAttentionClassifier) -> None:
    texts, _ = reviews(20, seed=3)
    found = Contributions()(bag.subject(), texts, [1] * 20)
    total = found.values.double().sum(1).numpy() + bag.constants_["1"]
    np.testing.assert_allclose(total, bag.decision_function(texts), atol=1e-5)
    told = bag.explain(texts, units=True)
    for row in range(20):
        own = told[told["row"] == row]["contribution"]
        np.testing.assert_allclose(found.values[row, : len(own)], own, atol=1e-6)
        assert not found.values[row, len(own) :].any()


def test_left_out_takes_every_piece_that_touches_a_unit(bag: TextAttentionClassifier) -> None:
    """Against the formula, over the pieces of `explain` that do not touch what is gone."""
    subject = bag.subject()
    assert subject.removals == (LEFT_OUT, CLOSED)
    text = "房间干净 bright staff"
    start, end = text.index("干"), text.index("净")  # 干 goes, and with it 间干, 干净, ...
    units = subject.units([text])[0]
    keep = torch.tensor([[unit.label != "干" for unit in units]])
    told = bag.explain([text])
    left = told[(told["end"] <= start) | (told["start"] >= end)]
    assert 0 < len(left) < len(told)
    rest = 1.0 - told["weight"].sum()
    effects = left["contribution"] / left["weight"]
    share = left["weight"] / (left["weight"].sum() + rest)
    logit = bag.constants_["1"] + (share * effects).sum()
    found = subject.decide([text], keep)[0, 1]
    assert abs(float(found) - 1.0 / (1.0 + np.exp(-logit))) < 1e-6


def test_cut_out_is_the_text_without_the_unit(bag: TextAttentionClassifier) -> None:
    subject = bag.subject().removing(CLOSED)
    keep = torch.ones(2, 9, dtype=torch.bool)
    keep[0, 1] = keep[1, 0] = False
    found = subject.decide(["干 rude 净", "很 bright"], keep)
    np.testing.assert_allclose(found, bag.predict_proba(["干净", "bright"]), atol=1e-6)
    nothing = subject.decide(["干净"], torch.zeros(1, 2, dtype=torch.bool))
    assert abs(float(torch.logit(nothing[0, 1])) - bag.constants_["1"]) < 1e-5


def test_with_mixing_layers_a_unit_becomes_unknown(reader: TextAttentionClassifier) -> None:
    subject = reader.subject()
    assert subject.removals == (UNKNOWN, CLOSED)
    text, gone = "否认头痛", "否Ж头痛"  # Ж stands in no training text
    keep = torch.tensor([[True, False, True, True]])
    np.testing.assert_allclose(
        subject.decide([text], keep), reader.predict_proba([gone]), atol=1e-6
    )
    everything = subject.decide([text], torch.zeros(1, 4, dtype=torch.bool))
    constants = torch.tensor(list(reader.constants_.values()))
    np.testing.assert_allclose(everything[0], constants.sigmoid(), atol=1e-6)


def test_a_denial_counts(reader: TextAttentionClassifier) -> None:
    """Without 否认 the same note says the opposite."""
    subject = reader.subject().removing(CLOSED)
    text = "否认头痛；有咳嗽"
    keep = torch.ones(1, 8, dtype=torch.bool)
    before = subject.decide([text], keep)[0]
    keep[0, :2] = False
    after = subject.decide([text], keep)[0]
    assert before[0] < 0.2
    assert after[0] > before[0] + 0.3
    assert before[1] > 0.8


def test_protocols(bag: TextAttentionClassifier) -> None:
    subject = bag.subject()
    for protocol in (RemovableSubject, ModelSubject, NearbySubject, DifferentiableSubject):
        assert isinstance(subject, protocol)
    assert subject.labels == ("0", "1")


def test_decide_is_predict_proba(bag: TextAttentionClassifier) -> None:
    texts, _ = reviews(9, seed=4)
    found = bag.subject().decide(texts)
    np.testing.assert_allclose(found, bag.predict_proba(texts), atol=1e-7)


def test_other_methods_find_the_words_that_decide(bag: TextAttentionClassifier) -> None:
    subject = bag.subject()
    texts = ["the room，staff dreadful", "breakfast excellent 3楼"]
    for method in (Occlusion(), InputGradient(), IntegratedGradients(steps=8), Contributions()):
        values = method(subject, texts).values
        assert values.abs().argmax(1).tolist() == [4, 1], method


def test_the_attention_can_be_watched(bag: TextAttentionClassifier) -> None:
    texts, _ = reviews(3, seed=5)
    tape = bag.subject().watch(texts)
    assert [site.heads for site in tape.sites] == [1]
    matrix = tape[0].matrix
    assert matrix is not None
    told = bag.explain(texts)
    for row in range(3):
        own = told[told["row"] == row]["weight"].to_numpy()
        np.testing.assert_allclose(matrix.weights()[row, 0, 0, 1 : len(own) + 1], own, atol=1e-12)


@pytest.mark.parametrize("kind", ["bag", "reader"])
def test_nearby_is_a_little_off_and_leaves_the_model_as_it_was(
    kind: str, request: pytest.FixtureRequest
) -> None:
    model: TextAttentionClassifier = request.getfixturevalue(kind)
    subject = model.subject()
    texts = ["房间干净", "否认头痛"]
    before = subject.decide(texts)
    table = model.module_.state_dict()["factors.table"].clone()
    with subject.nearby(texts, size=0.1, generator=torch.Generator().manual_seed(0)) as near:
        moved = subject.decide(near)
        assert torch.equal(moved, subject.decide(near))
    assert 1e-5 < float((moved - before).abs().max()) < 0.5
    assert torch.equal(subject.decide(texts), before)
    assert torch.equal(model.module_.state_dict()["factors.table"], table)


def test_all_default_tests_run(bag: TextAttentionClassifier) -> None:
    texts, _ = reviews(24, seed=6)
    verdict = verify(bag.subject(), texts, Contributions())
    assert {one.test for one in verdict.findings} == {
        "Deletion", "OtherRemoval", "Sanity", "Stability", "Deception",
    }  # fmt: skip
    assert verdict.label != "refuted"


def test_what_is_no_batch_is_refused(bag: TextAttentionClassifier) -> None:
    subject = bag.subject()
    with pytest.raises(InputError, match="got a tensor"):
        subject.decide(torch.zeros(2, 2))
    with pytest.raises(ShapeError, match="keep must be bool"):
        subject.decide(["a b c"], torch.ones(1, 2, dtype=torch.bool))
    with pytest.raises(ShapeError, match="keep must be bool"):
        subject.decide(["a b c"], torch.ones(1, 3))
    with pytest.raises(OptionError, match="got 'zeros'"):
        subject.removing("zeros")


def test_a_picture_colors_the_text(bag: TextAttentionClassifier, tmp_path: Path) -> None:
    text = "the room bright $5 and dreadful, " * 4
    figure = bag.plot([text, "other"], 0)
    (axes,) = figure.axes
    shown = [one.get_text() for one in axes.texts]
    assert "bright" in shown
    assert r"\$" in shown
    colors = {one.get_text(): patch.get_facecolor() for one, patch in
              zip(axes.texts, axes.patches, strict=True)}  # fmt: skip
    assert colors["bright"][2] > colors["bright"][0]  # blue: for
    assert colors["dreadful"][0] > colors["dreadful"][2]  # orange: against
    assert "not verified" in axes.get_title(loc="left")
    figure.savefig(tmp_path / "text.png")
    assert (tmp_path / "text.png").stat().st_size > 1000
    with pytest.warns(UserWarning, match="no piece"), pytest.raises(InputError, match="nothing"):
        bag.plot([""])
