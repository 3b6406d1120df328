"""The level "input": a constant in the place of what is vetoed, for any architecture."""

from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from tests.steer.certify import planted
from tests.steer.certify.planted import PLANTS, Model
from tests.trace.subject_models import bert, bert_tokenizer, gpt_tokenizer, vit
from zhuyi.errors import NotSteerable, OptionError
from zhuyi.steer.certify import certify, removed
from zhuyi.steer.rules import Rules
from zhuyi.steer.selectors import Column
from zhuyi.trace import TransformersSubject

VETO = Rules().veto(Column(planted.VETOED), id="v", guarantee="input")


@pytest.mark.parametrize("name", [name for name, plant in PLANTS.items() if plant.leaks])
def test_input_holds_for_every_breaker(name: str) -> None:
    model, rows = PLANTS[name].build().eval(), planted.inputs()
    other = rows.clone()
    other[:, planted.NAMES.index(planted.VETOED)] = 100.0
    with torch.no_grad():
        assert not torch.equal(model(rows), model(other)), "without it the content matters"
        with removed(model, VETO, reader=planted.reader()):
            assert torch.equal(model(rows), model(other))
        assert not torch.equal(model(rows), model(other)), "the block leaves nothing behind"


def test_input_is_claimed_where_exact_is_refused() -> None:
    model = Model(nn.Conv1d(6, 6, 3, padding=1)).eval()
    found = certify(model, VETO, planted.inputs(), reader=planted.reader(), swaps=3)["v"]
    assert (found.level, found.asked, found.kept) == ("input", "input", True)
    assert found.item("removal").numbers["equal"] == 3  # type: ignore[union-attr]


def test_a_word_becomes_the_mask_token() -> None:
    subject = TransformersSubject(bert(), bert_tokenizer())
    with removed(subject, Rules().veto("film")):
        one, other = subject.decide(["a bad film"]), subject.decide(["a bad [MASK]"])
    assert torch.equal(one, other)
    assert not torch.equal(subject.decide(["a bad film"]), other)


def test_own_placeholder_and_no_token_to_stand() -> None:
    class Bare:
        all_special_ids = ()

        def decode(self, ids: Any, **options: Any) -> str:
            return " ".join(map(str, ids))

    model = nn.Sequential(nn.Embedding(9, 4)).eval()
    rules = Rules().veto("5")
    with removed(model, rules, tokenizer=Bare(), placeholder=2):
        assert torch.equal(model(torch.tensor([[1, 5]])), model[0](torch.tensor([[1, 2]])))
    with (
        pytest.raises(NotSteerable, match="pass placeholder="),
        removed(model, rules, tokenizer=Bare()),
    ):
        model(torch.tensor([[1, 5]]))
    assert not model._forward_pre_hooks


def test_estimators_get_a_typical_value() -> None:
    learn = pytest.importorskip("zhuyi.learn")
    rows = np.random.default_rng(0).normal(size=(60, 3))
    model = learn.AttentionClassifier(max_epochs=3, random_state=0).fit(rows, rows[:, 0] > 0)
    subject = model.subject()
    other = rows.copy()
    other[:, 0] = 3.0
    rules = Rules().veto(Column("x0"))
    with removed(subject, rules):
        assert torch.equal(subject.decide(subject.read(rows)), subject.decide(subject.read(other)))
    assert not torch.equal(subject.decide(subject.read(rows)), subject.decide(subject.read(other)))


def test_patches_are_refused() -> None:
    subject = TransformersSubject(vit(), None)
    with (
        pytest.raises(NotSteerable, match="gray them"),
        removed(subject, Rules().veto(Column("(0, 1)"))),
    ):
        subject.decide(torch.randn(1, 3, 12, 12))


def test_other_rules_are_passed_over_and_wrong_targets_refused() -> None:
    subject = TransformersSubject(bert(), bert_tokenizer())
    plain = subject.decide(["a bad film"])
    with removed(subject, Rules().boost("film", 5)):
        assert torch.equal(subject.decide(["a bad film"]), plain)
    with pytest.raises(OptionError, match=r"needs a torch\.nn\.Module, a subject or .* got str"):
        removed("model", Rules())  # type: ignore[arg-type]


def test_decoder_without_mask_token_uses_another() -> None:
    tokenizer = gpt_tokenizer(padding=True)
    model = nn.Embedding(len(tokenizer), 4)
    film = torch.tensor([tokenizer("a film")["input_ids"]])
    with removed(model, Rules().veto("film"), tokenizer=tokenizer):
        out = model(film)
    assert torch.equal(out[0, -1], model.weight[tokenizer.pad_token_id])
